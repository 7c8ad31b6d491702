"""Claims in a directory: files that are made exclusively.

`_claims/<key>.0` is the claim on a variant. Whoever finds its owner dead makes `<key>.1`, and so on: the highest number
holds. So a takeover is an exclusive creation as well, which only one of several can win, and whose winner may die
and be taken over in turn.
"""

import errno
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.errors import StoreError
from rnnlab.processes import is_gone
from rnnlab.sweep.claims import LEASE, Claims

FOLDER = "_claims"

# What file systems without hard links say to one.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


@dataclass(frozen=True)
class _Claim:
    """A claim's file; `token` is empty and `owner` None if it cannot be read. `beat` is its time of change."""

    number: int
    path: Path
    token: str
    owner: dict[str, Any] | None
    beat: float


class FileClaims(Claims):
    """The claims in a store of files; makes the directory if it is not there."""

    def __init__(self, directory: Path):
        self._store = directory
        self._folder = directory / FOLDER
        with self._errors():
            self._folder.mkdir(parents=True, exist_ok=True)

    def take(self, key: str, owner: dict[str, Any]) -> str | None:
        """Claim a variant; the claim's token, or None if it is claimed."""
        token = uuid.uuid4().hex
        draft = self._folder / f".{key}.{token}"
        with self._errors():
            try:
                draft.write_text(json.dumps({"token": token, "owner": owner}))
                seen = self._claims(key)
                # The draft's time is now by the clock of the file system, which also tells the times of heartbeats.
                if seen and not _is_dead(seen[-1], draft.stat().st_mtime):
                    return None
                path = self._folder / f"{key}.{seen[-1].number + 1 if seen else 0}"
                if not _make_exclusively(path, draft):
                    return None
            finally:
                draft.unlink(missing_ok=True)
            # What was seen may have been released meanwhile, and claimed by another one from 0 on.
            dead = {claim.token for claim in seen}
            if any(claim.token not in dead for claim in self._claims(key) if claim.path != path):
                path.unlink(missing_ok=True)
                return None
        return token

    def renew(self, key: str, token: str) -> bool:
        """Show that the owner is alive; False if the claim is no longer its own."""
        with self._errors():
            claims = self._claims(key)
            if not claims or claims[-1].token != token:
                return False
            try:
                os.utime(claims[-1].path)
            except FileNotFoundError:
                return False
        return True

    def release(self, key: str, token: str) -> None:
        """Give up a claim, and before it the dead ones below: until the last is gone, nobody else can claim."""
        with self._errors():
            claims = self._claims(key)
            for own in [claim for claim in claims if claim.token == token]:
                for claim in claims[: claims.index(own) + 1]:
                    claim.path.unlink(missing_ok=True)

    def owner(self, key: str) -> dict[str, Any] | None:
        """The owner of the claim on a variant, dead or alive; None if there is no claim."""
        with self._errors():
            claims = self._claims(key)
        return (claims[-1].owner or {}) if claims else None

    def _claims(self, key: str) -> list[_Claim]:
        """The claims on a variant, by rising number."""
        prefix = f"{key}."
        names = [name for name in os.listdir(self._folder) if name.startswith(prefix)]
        numbers = sorted(int(name[len(prefix) :]) for name in names if name[len(prefix) :].isdigit())
        claims = [_read_claim(number, self._folder / f"{key}.{number}") for number in numbers]
        return [claim for claim in claims if claim is not None]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"store {self._store}: {error.strerror}: {error.filename}") from None


def _read_claim(number: int, path: Path) -> _Claim | None:
    """The claim in a file; None if it is gone."""
    try:
        with path.open() as file:
            # Of an open file: on a network file system these are fresh.
            text, beat = file.read(), os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None
    try:
        entry = json.loads(text)
        return _Claim(number, path, str(entry["token"]), dict(entry["owner"]), beat)
    except (ValueError, KeyError, TypeError):
        return _Claim(number, path, "", None, beat)


def _is_dead(claim: _Claim, now: float) -> bool:
    return now - claim.beat > LEASE or (claim.owner is not None and is_gone(claim.owner))


def _make_exclusively(path: Path, draft: Path) -> bool:
    """Give the draft's content to a new file at `path`; False if there is one already."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _write_exclusively(path, draft.read_text())
    return True


def _write_exclusively(path: Path, text: str) -> bool:
    """For file systems without links: for an instant the new file is empty, and counts as alive."""
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
