"""A run's record in a local directory, for as long as the database that it belongs to is away."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.errors import StoreError
from rnnlab.store_address import DEFAULT_STORE, Address
from rnnlab.tracking.conduct import Conduct, conducted
from rnnlab.tracking.file_observer import AtomicFileObserver

FOLDER = "_spool"


@dataclass(frozen=True)
class Artifact:
    """A file of a run, as the run gave it."""

    content: bytes
    metadata: dict[str, Any] | None
    content_type: str | None


@dataclass(frozen=True)
class Snapshot:
    """All that is known of a run.

    started:   the arguments of its `started_event`, the `uid` in `meta_info` and the id under which it is known in the
               database as `_id`
    entry:     its document as it should be
    metrics:   {name: {"steps", "values", "timestamps"}}
    artifacts: by name
    """

    started: dict[str, Any]
    entry: dict[str, Any]
    metrics: Mapping[str, Mapping[str, list]]
    artifacts: Mapping[str, Artifact]


def spool_folder(address: Address) -> Path:
    """Where runs of a database are kept while it is away: a directory of runs like any other.

    It is in RNNLAB_SPOOL, or else in `results/_spool`.
    """
    parent = os.environ.get("RNNLAB_SPOOL") or Path(DEFAULT_STORE, FOLDER)
    return Path(parent) / re.sub(r"[^\w.-]+", "_", str(address).partition("://")[2])


class Spool:
    """The record of one run in a local directory, the same as in a store of files."""

    def __init__(self, folder: Path, run: Snapshot):
        """Begin the record with all that is known of the run; raises StoreError if the folder cannot be written."""
        self.folder = folder
        self._observer = AtomicFileObserver(folder)
        with conducted(Conduct()):  # whoever started the run: it goes on if this cannot begin
            try:
                self._observer.started_event(**run.started)
            except StoreError:  # a run of this id is there, from before the database was made anew
                self._observer.started_event(**{**run.started, "_id": None})
        for name, artifact in run.artifacts.items():
            self.add_artifact(name, artifact)
        self.add_points(run.metrics)
        for filename, _ in run.entry["resources"]:
            self._observer.resource_event(filename)
        self.store(run.entry)

    def add_points(self, metrics: Mapping[str, Mapping[str, list]]) -> None:
        """Add new points to the curves."""
        self._observer.log_metrics(metrics, {})

    def add_artifact(self, name: str, artifact: Artifact) -> None:
        """Add a file."""
        with tempfile.TemporaryDirectory(prefix="rnnlab-") as temporary:
            path = Path(temporary, "content")
            path.write_bytes(artifact.content)
            self._observer.artifact_event(name, str(path), artifact.metadata, artifact.content_type)

    def store(self, entry: Mapping[str, Any]) -> None:
        """Bring everything else up to date with the run's document."""
        info = {name: value for name, value in entry["info"].items() if name != "metrics"}
        if entry["heartbeat"] is not None:
            self._observer.heartbeat_event(info, entry["captured_out"], entry["heartbeat"], entry.get("result"))
        if entry["status"] == "COMPLETED":
            self._observer.completed_event(entry["stop_time"], entry.get("result"))
        elif entry["status"] == "FAILED":
            self._observer.failed_event(entry["stop_time"], entry["fail_trace"])
        elif entry["status"] != "RUNNING":
            self._observer.interrupted_event(entry["stop_time"], entry["status"])

    @property
    def run_folder(self) -> Path:
        """Where the record is."""
        return Path(self._observer.dir)

    @property
    def problem(self) -> str:
        """Why the record here is incomplete; empty if it is not."""
        return self._observer.problem

    def remove(self) -> None:
        """Remove the record, and the directory with the last one."""
        shutil.rmtree(self._observer.dir, ignore_errors=True)
        with suppress(OSError):
            others = [path for path in self.folder.iterdir() if not path.name.startswith("_")]
            if not others:
                shutil.rmtree(self.folder)
