"""Records runs in a directory, in the layout of Sacred's FileStorageObserver, so that a kill leaves whole files."""

import json
import logging
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sacred.dependencies import get_digest
from sacred.observers import FileStorageObserver

from rnnlab.atomic_file import copy_atomically, write_atomically, write_last
from rnnlab.errors import StoreError
from rnnlab.tracking.conduct import input_errors
from rnnlab.tracking.stored_values import finite, is_artifact_name, json_text, with_uid, without_remote_credentials

logger = logging.getLogger("rnnlab")


class AtomicFileObserver(FileStorageObserver):
    """Sacred's FileStorageObserver with atomic files, in the same format.

    Each JSON file is replaced as a whole, NaN is written as null, and a run takes its id by making its folder, so that
    runs that start together get ids of their own. Raises StoreError at the start of a run if the directory cannot be
    written.

    If it cannot be written later on, for want of space perhaps, the run goes on: the user is told once, everything is
    kept in memory, and every further event tries to store it all. `problem` says what is wrong, while something is.
    """

    def __init__(self, directory: str | Path):
        super().__init__(directory)
        self.directory = Path(directory)
        self.problem = ""
        self._metrics: dict[str, dict[str, list[str]]] = {}
        self._metrics_are_new = False
        self._artifacts: dict[str, bytes] = {}  # those that could not be stored
        self._written: dict[Path, str] = {}
        self._cout_bytes = 0
        self.run_entry: dict[str, Any] = {}
        # Heartbeats come from a thread of their own.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"AtomicFileObserver({self.basedir!r})"

    @input_errors()
    def started_event(
        self,
        ex_info: dict[str, Any],
        command: str,
        host_info: dict[str, Any],
        start_time: datetime,
        config: dict[str, Any],
        meta_info: dict[str, Any],
        _id: str | int | None,
    ) -> str | int:
        """Make the run's folder with its config, and `run.json` last: what has one is a run.

        Where that fails, nothing is left of it.
        """
        self.problem, self._metrics, self._metrics_are_new, self._artifacts = "", {}, False, {}
        self.config, self.cout, self.cout_write_cursor, self._cout_bytes = config, "", 0, 0
        self.info: dict[str, Any] = {}
        self.run_entry = {}
        try:
            self._make_run_dir(_id)
        except FileExistsError:
            raise StoreError(f"store {self.basedir}: has a run {_id!r} already") from None
        except OSError as error:
            raise StoreError(f"store {self.basedir}: cannot be written: {error.strerror}") from None
        try:
            self.save_json(config, "config.json")
            self.save_cout()
            self.run_entry = {
                "experiment": {**without_remote_credentials(ex_info), "sources": self.save_sources(ex_info)},
                "command": command,
                "host": dict(host_info),
                "start_time": start_time.isoformat(),
                "meta": with_uid(meta_info),
                "status": "RUNNING",
                "resources": [],
                "artifacts": [],
                "heartbeat": None,
            }
            self.save_json(self.run_entry, "run.json")
        except OSError as error:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.run_entry = {}
            raise StoreError(f"store {self.basedir}: cannot be written: {error.strerror}") from None
        return os.path.basename(self.dir) if _id is None else _id

    def heartbeat_event(self, info: dict[str, Any], captured_out: str, beat_time: datetime, result: Any) -> None:
        """Store what has changed since the last heartbeat."""
        with self._lock:
            self.info, self.cout = info, captured_out
            self.run_entry["heartbeat"] = beat_time.isoformat()
            self.run_entry["result"] = result
            with self._noting_problems():
                self._save_parts()
                self.save_json(self.run_entry, "run.json")

    def completed_event(self, stop_time: datetime, result: Any) -> None:
        """Store the end of a run that has come to it."""
        self._end(stop_time, "COMPLETED", result=result)

    def interrupted_event(self, interrupt_time: datetime, status: str) -> None:
        """Store that the run was interrupted."""
        self._end(interrupt_time, status)

    def failed_event(self, fail_time: datetime, fail_trace: list[str]) -> None:
        """Store the traceback that ended the run."""
        self._end(fail_time, "FAILED", fail_trace=fail_trace)

    def artifact_event(
        self, name: str, filename: str, metadata: dict[str, Any] | None = None, content_type: str | None = None
    ) -> None:
        """Store a file under a plain name; any other name is refused with a word on stderr, and the run goes on."""
        with self._lock:
            if not is_artifact_name(name):
                print(f"warning: artifact name {name!r} is not a plain file name: not stored", file=sys.stderr)
                return
            self._artifacts[name] = Path(filename).read_bytes()
            with self._noting_problems():
                self._save_parts()
                self.save_json(self.run_entry, "run.json")

    def resource_event(self, filename: str) -> None:
        """Store a file that the run reads, once for all runs."""
        with self._lock:
            super().resource_event(filename)

    def log_metrics(self, metrics_by_name: Mapping[str, Mapping[str, list]], info: dict[str, Any]) -> None:
        """Add new points to the curves; what was written before is kept in memory as text, and not made again."""
        with self._lock:
            for name, new in metrics_by_name.items():
                columns = self._metrics.setdefault(name, {"steps": [], "timestamps": [], "values": []})
                columns["steps"].append(_inside(new["steps"]))
                columns["timestamps"].append(_inside([time.isoformat() for time in new["timestamps"]]))
                columns["values"].append(_inside(new["values"]))
            self._metrics_are_new = self._metrics_are_new or bool(metrics_by_name)
            with self._noting_problems():
                self._save_metrics()

    def join(self) -> None:
        """Raise StoreError if the run is over and its record is incomplete."""
        if self.problem:
            raise StoreError(f"the record of run {self.dir} is incomplete: {self.problem}")

    def save_json(self, obj: Any, filename: str) -> None:
        """Replace a JSON file of the run, if its content has changed."""
        path, text = Path(self.dir, filename), json_text(obj)
        if self._written.get(path) != text:
            write_atomically(path, _readable(text).encode())
            self._written[path] = text

    def save_cout(self) -> None:
        """Add what is new to the captured output."""
        new = self.cout[self.cout_write_cursor :].encode("utf-8", "backslashreplace")
        with open(os.path.join(self.dir, "cout.txt"), "ab") as file:
            file.truncate(self._cout_bytes)  # without what an earlier attempt left
            file.write(new)
        self._cout_bytes += len(new)
        self.cout_write_cursor = len(self.cout)

    def save_file(self, filename: str, target_name: str | None = None) -> None:
        """Copy a file into the run's folder."""
        copy_atomically(Path(filename), Path(self.dir, target_name or os.path.basename(filename)))

    def save_sources(self, ex_info: dict[str, Any]) -> list[list[str]]:
        """Store each source once for all runs, by the md5 that it had when the experiment was made."""
        folder = Path(self.source_dir)
        folder.mkdir(parents=True, exist_ok=True)
        # One look at the folder for all sources: with a hundred of them, looking for each takes longer than the rest.
        there = set(os.listdir(folder))
        relative = os.path.relpath(folder, self.basedir)
        stored = []
        for source, md5 in ex_info["sources"]:
            name = _shared_name(source, md5)
            if name not in there:
                path = Path(ex_info.get("base_dir") or "", source)
                # A file that was edited since is not the one that runs; a wrong copy would be worse than none.
                if get_digest(str(path)) == md5:
                    copy_atomically(path, folder / name)
                else:
                    print(f"warning: {source} was edited after the run's start: not stored", file=sys.stderr)
            stored.append([source, f"{relative}/{name}"])
        return stored

    def find_or_save(self, filename: str, store_dir: Path) -> Path:
        """Store a resource once for all runs."""
        folder = Path(store_dir)
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / _shared_name(filename, get_digest(filename))
        if not kept.exists():
            copy_atomically(Path(filename), kept)
        return kept

    def _maximum_existing_run_id(self) -> int:
        with os.scandir(self.basedir) as entries:
            numbers = [int(entry.name) for entry in entries if entry.name.isascii() and entry.name.isdigit()]
        return max(numbers, default=0)

    def _end(self, time: datetime, status: str, **entries: Any) -> None:
        """Store the run's last state.

        Only here is it worth it to wait for the disk: before, a power cut costs no more than a kill does, but a run
        that says COMPLETED is never made again, and must not have lost its weights and curves.
        """
        with self._lock:
            if not self.run_entry:  # it could not even begin
                return
            self.run_entry.update({"stop_time": time.isoformat(), "status": status, **entries})
            with self._noting_problems():
                self._save_parts()
                names = [*set(self.run_entry["artifacts"]), "metrics.json", "info.json", "config.json"]
                parts = [path for path in (Path(self.dir, name) for name in names) if path.exists()]
                # Last: a run whose parts cannot be stored never says that it is complete.
                path, text = Path(self.dir, "run.json"), json_text(self.run_entry)
                write_last(path, _readable(text).encode(), parts)
                self._written[path] = text
            self.render_template()

    def _save_parts(self) -> None:
        """Store what is new, but for `run.json`; raises OSError."""
        if len(self.cout) != self.cout_write_cursor:
            self.save_cout()
        if self.info:
            self.save_json(self.info, "info.json")
        self._save_metrics()
        for name, content in list(self._artifacts.items()):
            write_atomically(Path(self.dir, name), content)
            self.run_entry["artifacts"].append(name)
            del self._artifacts[name]

    def _save_metrics(self) -> None:
        if self._metrics_are_new:
            write_atomically(Path(self.dir, "metrics.json"), _joined(self._metrics).encode())
            self._metrics_are_new = False

    @contextmanager
    def _noting_problems(self) -> Iterator[None]:
        """Tell when the run cannot be stored any more, and when it can again."""
        try:
            yield
        except OSError as error:
            if not self.problem:
                logger.warning("run %s cannot be stored: %s; it goes on, and is tried again", self.dir, error.strerror)
            self.problem = error.strerror or str(error)
        else:
            if self.problem and not (self._metrics_are_new or self._artifacts):
                logger.warning("run %s is stored again, with nothing lost", self.dir)
                self.problem = ""


@cache
def _shared_name(path: str, md5: str) -> str:
    """The name under which a file is stored once for all runs."""
    stem, suffix = os.path.splitext(os.path.basename(path))
    return f"{stem}_{md5}{suffix}"


def _readable(text: str) -> str:
    """A JSON object with sorted keys, as `json.dumps(..., indent=2, sort_keys=True)` writes it."""
    entries = [
        f"  {json.dumps(key)}: {_indented(json.dumps(value))}" for key, value in sorted(json.loads(text).items())
    ]
    return "{\n" + ",\n".join(entries) + "\n}" if entries else "{}"


# Python writes indented JSON slowly, and most of a record, above all the list of sources, is the same in every run.
@lru_cache(maxsize=64)
def _indented(text: str) -> str:
    # A line break inside a string is written as \n: those that are left are between values.
    return json.dumps(json.loads(text), indent=2, sort_keys=True).replace("\n", "\n  ")


def _inside(values: list) -> str:
    """The items of a list as JSON, without the brackets."""
    return json_text(finite(values))[1:-1]


def _joined(metrics: Mapping[str, Mapping[str, list[str]]]) -> str:
    curves = []
    for name, columns in sorted(metrics.items()):
        inside = ", ".join(f'"{column}": [{", ".join(parts)}]' for column, parts in columns.items())
        curves.append(f"{json_text(name)}: {{{inside}}}")
    return "{" + ",\n".join(curves) + "}\n"
