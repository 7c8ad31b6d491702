"""What takes long to make and is the same in the next process: kept as files in the user's cache folder.

The folder is `RNNLAB_CACHE_DIR`, else `$XDG_CACHE_HOME/rnnlab`, else `~/.cache/rnnlab`; `RNNLAB_CACHE_DIR=` (empty)
keeps nothing. It may be deleted at any time. A folder that cannot be read or written, a damaged file or one of another
user only means that nothing is found.
"""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from rnnlab.atomic_file import write_atomically

MOST_BYTES = 256 * 2**20

_OWN_NAME = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\..*\.tmp")  # the second: what a killed process was writing


def load(key: str) -> bytes | None:
    """What was kept under a key, None if nothing is found."""
    path = _path(key)
    if path is None:
        return None
    try:
        if path.stat().st_uid != os.getuid():  # what another user put there may be anything
            return None
        checksum, content = path.read_bytes().split(b"\n", 1)
    except (OSError, ValueError):
        return None
    with suppress(OSError):
        os.utime(path)
    return content if checksum == _checksum(content) else None


def keep(key: str, content: bytes) -> None:
    """Keep content under a key; what was not used for longest goes, where all together is more than MOST_BYTES."""
    path = _path(key)
    if path is None or len(content) > MOST_BYTES:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, _checksum(content) + b"\n" + content)
        _make_room(path.parent)
    except OSError:
        return


def _path(key: str) -> Path | None:
    """The file of a key, None where nothing is to be kept."""
    folder = os.environ.get("RNNLAB_CACHE_DIR")
    if folder is None:
        folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "rnnlab")
    folder = os.path.expanduser(folder)
    if not folder or folder.startswith("~"):  # nobody's home is known
        return None
    return Path(folder, hashlib.sha256(key.encode()).hexdigest())


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _make_room(folder: Path) -> None:
    own = (file for file in os.scandir(folder) if _OWN_NAME.fullmatch(file.name))
    files = sorted(((file.stat(), file.path) for file in own), key=lambda file: file[0].st_mtime)
    total = sum(status.st_size for status, _ in files)
    for status, path in files:
        if total <= MOST_BYTES:
            return
        os.unlink(path)
        total -= status.st_size
