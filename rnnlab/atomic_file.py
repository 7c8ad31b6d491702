"""Files that are replaced as a whole: at every instant a reader finds the old content or the new one."""

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, content: bytes, durable: bool = False) -> None:
    """Write or replace a file; `durable`: it survives a power cut from then on, which costs a few milliseconds."""
    with _replacement(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def copy_atomically(source: Path, path: Path) -> None:
    """Copy the content of a file, in place of the one at `path` if there is one."""
    with _replacement(path) as temporary:
        shutil.copyfile(source, temporary)


def make_durable(path: Path) -> None:
    """Let a file or directory that is there survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_all_durable(paths: Sequence[Path]) -> None:
    """`make_durable` for several paths, which wait for the disk together: together they take little longer than one."""
    if paths:
        with ThreadPoolExecutor(len(paths)) as threads:
            list(threads.map(make_durable, paths))


def write_last(path: Path, content: bytes, others: Sequence[Path]) -> None:
    """Write or replace a file that says that the `others`, in the same folder, are there.

    All of them survive a power cut from then on. Until then none may, or some of the others, but not this file without
    them.
    """
    with _replacement(path) as temporary:
        temporary.write_bytes(content)
        make_all_durable([*others, temporary])
    make_durable(path.parent)


@contextmanager
def _replacement(path: Path) -> Iterator[Path]:
    """A path in the same folder, hidden, whose file takes the place of `path` at the end of the `with` block."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
