"""The state of the git work tree that a run's sources come from."""

import logging
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rnnlab.store_address import without_credentials

logger = logging.getLogger("rnnlab")

PATCH_LIMIT = 5_000_000  # bytes


@dataclass(frozen=True)
class GitState:
    """A commit, and how the tree differs from it.

    url:   of the remote `origin`, without credentials, or the folder
    dirty: whether there are uncommitted changes, or Python files that git does not know
    patch: the uncommitted changes; None where they are larger than `PATCH_LIMIT`
    """

    url: str
    commit: str
    dirty: bool
    patch: bytes | None


@cache
def git_state(folder: Path) -> GitState | None:
    """The state of the work tree around `folder`, read once per process.

    None outside of a work tree, before its first commit, and on a machine without git.
    """
    if shutil.which("git") is None:
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    top = _git(folder, "rev-parse", "--show-toplevel")
    if commit is None or top is None:
        return None
    url = _git(folder, "remote", "get-url", "origin")
    untracked = _git(folder, "ls-files", "--others", "--exclude-standard", "--", "*.py") or b""
    patch = _git(folder, "diff", "--binary", "--no-color", "--no-ext-diff", "HEAD") or b""
    if len(patch) > PATCH_LIMIT:
        logger.warning("the uncommitted changes are not recorded: %d bytes are more than %d", len(patch), PATCH_LIMIT)
    return GitState(
        url=without_credentials((url or b"git:" + top).decode().strip()),
        commit=commit.decode().strip(),
        dirty=bool(patch or untracked),
        patch=patch if len(patch) <= PATCH_LIMIT else None,
    )


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints, None if it fails."""
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None
