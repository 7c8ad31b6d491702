"""Whole runs in and out of a directory, in the layout of Sacred's FileStorageObserver."""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

from rnnlab.atomic_file import make_durable, write_atomically
from rnnlab.errors import StoreError
from rnnlab.store.files import RESOURCES, SOURCES, shared_content
from rnnlab.store.parsing import build_curve, md5_in, plain
from rnnlab.store.query import RUN_FILES, is_plain_name
from rnnlab.store.whole_run import RunCopies, StoredFile, WholeRun

# Runs arrive in this folder, which is no run, and move to their own when they are whole.
ARRIVING = "_copying"


class FileCopies(RunCopies):
    """The whole runs of a directory; it is made when the first one is added."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._shared: set[tuple[str, str]] = set()  # sources are the same for most runs: each is looked at once

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keeps other copies away by a lock on the directory, which ends with the process."""
        with self._errors("it cannot be written"):
            self._directory.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise StoreError(f"store {self._directory}: another copy into it is going on; wait for its end") from None
        finally:
            os.close(descriptor)
            with suppress(OSError):
                (self._directory / ARRIVING).rmdir()

    def read(self, run_id: str) -> WholeRun:
        """The run in the folder of this name."""
        folder = self._directory / run_id
        entry = _json(folder, "run.json")
        try:
            experiment = dict(entry.pop("experiment"))
            sources = [
                StoredFile(str(path), md5_in(kept), partial(shared_content, self._directory, SOURCES, str(kept)))
                for path, kept in experiment.pop("sources", None) or []
            ]
            resources = [
                StoredFile(str(path), md5_in(kept), partial(shared_content, self._directory, RESOURCES, str(kept)))
                for path, kept in entry.pop("resources", None) or []
            ]
            artifacts = [
                StoredFile(name, "", partial(_artifact, folder, name))
                for name in dict.fromkeys(map(str, entry.pop("artifacts", None) or []))
            ]
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise StoreError(f"run {run_id}: run.json makes no sense as a run: {error!r}") from None
        return WholeRun(
            entry={**entry, "experiment": experiment},
            config=_json(folder, "config.json"),
            info=_json(folder, "info.json", optional=True),
            metrics=_metrics(folder),
            captured_out=_text(folder / "cout.txt"),
            artifacts=tuple(artifacts),
            sources=tuple(sources),
            resources=tuple(resources),
        )

    def add(self, run: WholeRun, preferred_id: str) -> str:
        """Store a run in a folder of its own, which appears in one step when the run is whole."""
        name = hashlib.sha256(run.uid.encode("utf-8", "backslashreplace")).hexdigest()[:32]
        arriving = self._directory / ARRIVING / name
        with self._errors(f"run {preferred_id} cannot be written"):
            if arriving.exists():  # left by a copy that was killed
                shutil.rmtree(arriving)
            arriving.mkdir(parents=True)
            self._write(arriving, run, ())
            folder = self._claim(preferred_id)
            os.rename(arriving, folder)
            make_durable(self._directory)
        return folder.name

    def update(self, run_id: str, run: WholeRun) -> None:
        """Replace the files of a run one by one, `run.json` last."""
        folder = self._directory / run_id
        before = _json(folder, "run.json").get("artifacts") or []
        with self._errors(f"run {run_id} cannot be written"):
            self._write(folder, run, tuple(map(str, before)))

    def _write(self, folder: Path, run: WholeRun, artifacts_before: tuple[str, ...]) -> None:
        artifacts = {_file_name(file.name): file for file in run.artifacts}
        for name, file in artifacts.items():
            _put(folder / name, file.read() or b"")
        sources = [[f.name, f"{SOURCES}/{self._share(f, SOURCES)}"] for f in run.sources]
        resources = [[f.name, str(self._directory / RESOURCES / self._share(f, RESOURCES))] for f in run.resources]
        _put(folder / "config.json", _readable(run.config))
        _put(folder / "cout.txt", run.captured_out.encode("utf-8", "backslashreplace"))
        if run.info:
            _put(folder / "info.json", _readable(run.info))
        if run.metrics:
            _put(folder / "metrics.json", json.dumps(run.metrics).encode())
        entry = {
            **run.entry,
            "experiment": {**run.entry["experiment"], "sources": sources},
            "resources": resources,
            "artifacts": [*artifacts_before, *(name for name in artifacts if name not in artifacts_before)],
        }
        _put(folder / "run.json", _readable(entry))

    def _share(self, file: StoredFile, kind: str) -> str:
        """Keep a source or resource once for all runs; return its name there, which is so also where it is missing."""
        path = Path(re.sub(r"[\\\0]", "_", os.path.basename(file.name)))
        name = f"{path.stem}_{file.md5}{path.suffix}"
        kept = self._directory / kind / name
        if (kind, name) not in self._shared and not kept.exists() and (content := file.read()) is not None:
            kept.parent.mkdir(exist_ok=True)
            _put(kept, content)
        self._shared.add((kind, name))
        return name

    def _claim(self, preferred_id: str) -> Path:
        """Make the empty folder of a new run; a run that starts at this moment takes another one.

        A kill before the run moves there leaves it empty: no run, and the next copy takes another number.
        """
        with os.scandir(self._directory) as entries:
            last = max((int(each.name) for each in entries if each.name.isascii() and each.name.isdigit()), default=0)
        preferred = [preferred_id] if is_plain_name(preferred_id) and preferred_id[0] not in "._" else []
        for name in chain(preferred, map(str, count(last + 1))):
            with suppress(FileExistsError):
                (self._directory / name).mkdir()
                return self._directory / name
        raise AssertionError("numbers do not end")

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"store {self._directory}: {what}: {error.strerror}: {error.filename}") from None


def _json(folder: Path, name: str, optional: bool = False) -> dict[str, Any]:
    """A JSON mapping of a run's folder, plain."""
    try:
        content = plain(json.loads((folder / name).read_bytes()))
    except FileNotFoundError:
        if optional:
            return {}
        raise StoreError(f"run {folder.name}: {name} is missing") from None
    except OSError as error:
        raise StoreError(f"run {folder.name}: {name}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise StoreError(f"run {folder.name}: {name} is damaged: {error or type(error).__name__}") from None
    if not isinstance(content, dict):
        raise StoreError(f"run {folder.name}: {name} is damaged: it is not a mapping")
    return content


def _metrics(folder: Path) -> dict[str, dict[str, list]]:
    """The curves as they are stored; StoreError for what a reader would not take for curves."""
    stored = _json(folder, "metrics.json", optional=True)
    try:
        for columns in stored.values():
            build_curve(columns["steps"], columns["values"])
            if not isinstance(columns.get("timestamps") or [], list):
                raise TypeError("its times are no list")
    except (TypeError, KeyError, ValueError) as error:
        raise StoreError(f"run {folder.name}: metrics.json is damaged: {error}") from None
    return stored


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(f"run {path.parent.name}: {path.name}: {error.strerror}") from None


def _artifact(folder: Path, name: str) -> bytes:
    """An artifact's content: names and links that lead out of the folder are refused."""
    if not is_plain_name(name) or (folder / name).is_symlink():
        raise StoreError(f"run {folder.name}: artifact {name!r} is refused: it may lead out of the run's folder")
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise StoreError(f"run {folder.name}: artifact {name!r}: {error.strerror}") from None


def _file_name(name: str) -> str:
    """An artifact's name as that of a file; in a database it may hold slashes, or be that of the record's own file."""
    safe = re.sub(r"[/\\\0]", "_", name)
    return f"artifact_{safe}" if safe in ("", ".", "..", *RUN_FILES) else safe


def _readable(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode()


def _put(path: Path, content: bytes) -> None:
    """Write a file that survives a power cut: what was copied may be deleted where it came from."""
    write_atomically(path, content, durable=True)
