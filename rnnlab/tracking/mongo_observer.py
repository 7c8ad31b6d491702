"""Records runs in MongoDB, in the collections of Sacred's MongoObserver, over this process's one client."""

import logging
import mimetypes
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pymongo
from bson.errors import BSONError
from pymongo.errors import DuplicateKeyError, PyMongoError
from sacred.dependencies import get_digest
from sacred.observers import MongoObserver, RunObserver

from rnnlab.errors import StoreError
from rnnlab.store_address import Address, mongo_errors
from rnnlab.tracking.conduct import input_errors
from rnnlab.tracking.mongo_documents import COLUMNS, GoneError, RunDocuments
from rnnlab.tracking.spool import Artifact, Snapshot, Spool, spool_folder
from rnnlab.tracking.stored_values import is_artifact_name, plain_json, with_uid, without_remote_credentials

# A document holds 16 MB, and the config, info and sources of a run want their share.
MAX_CAPTURED_OUT = 2_000_000  # characters

# Seconds that the server may take: to store a new run with its sources, to be there at all, to store something.
MAX_SECONDS_TO_START = 60.0
MAX_SECONDS_TO_ANSWER = 1.5
MAX_SECONDS_TO_STORE = 5.0
BYTES_PER_SECOND = 1_000_000  # a slow line

FAILURES = (PyMongoError, BSONError, GoneError)

logger = logging.getLogger("rnnlab")


class RunMongoObserver(RunObserver):
    """What Sacred's MongoObserver does, in the same format.

    Raises StoreError when it is made if the server cannot be reached, and at the start of a run if it cannot be stored.

    A server that goes away later on does not disturb the run. From the first failure on, the whole run is kept in a
    local directory (see spool.py); every heartbeat looks whether the server is back, then stores the whole run there
    and removes it here. The user is told both. Whole documents are written then, never additions, so that it does not
    matter what the server had got. `problem` says what is wrong, while something is.
    """

    def __init__(self, address: Address):
        self.address = address
        self._begin({})
        # Heartbeats come from a thread of their own.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"RunMongoObserver({self.address})"

    def _begin(self, started: dict[str, Any]) -> None:
        """Forget the run before; `started` are the arguments of this one's `started_event`."""
        self.problem = ""
        self._started = started
        self._documents = RunDocuments(self.address)
        self._unsaved: dict[str, Any] = {}
        self._spool: Spool | None = None
        self._has_begun = False

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
        """Insert the run's document, under the next free number unless the run has a name."""
        started = {"ex_info": ex_info, "command": command, "host_info": host_info, "start_time": start_time}
        self._begin({**started, "config": config, "meta_info": with_uid(meta_info)})
        documents = self._documents
        with input_errors(), mongo_errors(self.address), pymongo.timeout(MAX_SECONDS_TO_START):
            documents.index_metrics()
            documents.entry = {
                "_id": _id,
                "experiment": {**without_remote_credentials(ex_info), "sources": documents.save_sources(ex_info)},
                "format": MongoObserver.VERSION,
                "command": command,
                "host": dict(host_info),
                "start_time": start_time,
                "config": plain_json(config),
                "meta": plain_json(self._started["meta_info"]),
                "status": "RUNNING",
                "resources": [],
                "artifacts": [],
                "captured_out": "",
                "info": {},
                "heartbeat": None,
            }
            try:
                documents.insert()
            except DuplicateKeyError:
                raise StoreError(f"store {self.address}: has a run {_id!r} already") from None
        self._started["_id"] = str(documents.entry["_id"])
        self._has_begun = True
        return documents.entry["_id"]

    def heartbeat_event(self, info: dict[str, Any], captured_out: str, beat_time: datetime, result: Any) -> None:
        """Store what has changed since the last heartbeat."""
        with self._lock:
            stored_info = plain_json(info)
            if self._documents.metric_references:
                stored_info["metrics"] = self._documents.metric_references
            new = {
                "info": stored_info,
                "captured_out": captured_out[-MAX_CAPTURED_OUT:],
                "result": plain_json(result),
            }
            changed = {name: value for name, value in new.items() if self._documents.entry.get(name) != value}
            self._store(**changed, heartbeat=beat_time)

    def completed_event(self, stop_time: datetime, result: Any) -> None:
        """Store the end of a run that has come to it."""
        self._end(stop_time, "COMPLETED", result=plain_json(result))

    def interrupted_event(self, interrupt_time: datetime, status: str) -> None:
        """Store that the run was interrupted."""
        self._end(interrupt_time, status)

    def failed_event(self, fail_time: datetime, fail_trace: list[str]) -> None:
        """Store the traceback that ended the run."""
        self._end(fail_time, "FAILED", fail_trace=fail_trace)

    def resource_event(self, filename: str) -> None:
        """Store a file that the run reads, once for all runs."""
        stored = [filename, get_digest(filename)]
        with self._lock:
            resources = self._documents.entry["resources"]
            if stored in resources:
                return
            if not self.problem:
                with self._at_the_server():
                    self._documents.stored_files({filename: stored[1]})
            self._store(resources=[*resources, stored])

    def artifact_event(
        self, name: str, filename: str, metadata: dict[str, Any] | None = None, content_type: str | None = None
    ) -> None:
        """Store a file under a plain name; any other name is refused with a word on stderr, and the run goes on."""
        if not is_artifact_name(name):
            print(f"warning: artifact name {name!r} is not a plain file name: not stored", file=sys.stderr)
            return
        with self._lock:
            documents = self._documents
            kind = content_type or mimetypes.guess_type(filename)[0]
            artifact = documents.artifacts[name] = Artifact(Path(filename).read_bytes(), metadata, kind)
            documents.unsaved_artifacts.append(name)
            if self._spool is not None:
                self._spool.add_artifact(name, artifact)
            if not self.problem:
                with self._at_the_server(len(artifact.content)):
                    documents.put_artifacts()
                    documents.set_entries(artifacts=documents.entry["artifacts"])

    def log_metrics(self, metrics_by_name: Mapping[str, Mapping[str, list]], info: dict[str, Any]) -> None:
        """Add new points to the curves."""
        if not metrics_by_name:
            return
        with self._lock:
            for name, new in metrics_by_name.items():
                curve = self._documents.curves.setdefault(name, {column: [] for column in COLUMNS})
                for column in COLUMNS:
                    curve[column] += new[column]
            if self._spool is not None:
                self._spool.add_points(metrics_by_name)
            if not self.problem:
                with self._at_the_server():
                    self._documents.push(metrics_by_name)
            # Other tools find a run's metrics through these references.
            info["metrics"] = self._documents.metric_references

    @property
    def kept_in(self) -> Path | None:
        """The local folder of the run, while the database does not have it as a whole."""
        return None if self._spool is None else self._spool.run_folder

    def join(self) -> None:
        """Raise StoreError if the run is over and is not, or not as a whole, in the database."""
        if not self.problem:
            return
        run_id = self._documents.entry["_id"]
        if self._spool is None or self._spool.problem:
            raise StoreError(f"the record of run {run_id} is incomplete: {self.problem}")
        raise StoreError(
            f"run {run_id} is not as a whole in {self.address}, but in {self._spool.folder}; "
            f"when the server is back: rnnlab copy {self._spool.folder} {self.address}"
        )

    def _store(self, **entries: Any) -> None:
        """Set entries of the run's document."""
        self._documents.entry.update(entries)
        self._unsaved.update(entries)
        if not self.problem:
            with self._at_the_server():
                self._documents.set_entries(**self._unsaved)
                self._unsaved.clear()
            return
        if self._spool is not None:
            self._spool.store(self._documents.entry)
        self._heal()

    def _end(self, time: datetime, status: str, **entries: Any) -> None:
        """Store the run's last state."""
        with self._lock:
            if not self._has_begun:
                return
            self._store(stop_time=time, status=status, **entries)

    @contextmanager
    def _at_the_server(self, n_bytes: int = 0) -> Iterator[None]:
        """Does what is in the `with` block within bounded time; from a failure on, the run is kept in a spool.

        n_bytes: how much has to be transferred, if that is much
        """
        try:
            with pymongo.timeout(MAX_SECONDS_TO_STORE + n_bytes / BYTES_PER_SECOND):
                yield
        except FAILURES as error:
            # It may have been no more than a connection from before the server was started anew.
            if not self._heal():
                self._begin_spool(error)

    def _begin_spool(self, error: Exception) -> None:
        self.problem = _words(error, self.address)
        documents, folder = self._documents, spool_folder(self.address)
        try:
            self._spool = Spool(folder, Snapshot(self._started, documents.entry, documents.curves, documents.artifacts))
        except (StoreError, OSError) as failure:
            logger.warning("%s; the run goes on, but can be kept nowhere: %s", self.problem, failure)
        else:
            logger.warning("%s; the run goes on, and is kept in %s until the server is back", self.problem, folder)

    def _heal(self) -> bool:
        """Store the whole run, if the server is there; say whether that is done."""
        documents = self._documents
        n_bytes = sum(len(documents.artifacts[name].content) for name in documents.unsaved_artifacts)
        try:
            with pymongo.timeout(MAX_SECONDS_TO_ANSWER):
                documents.ping()
            with pymongo.timeout(2 * MAX_SECONDS_TO_STORE + n_bytes / BYTES_PER_SECOND):
                documents.store_whole()
        except FAILURES:
            return False
        self._unsaved.clear()
        if self.problem:
            logger.warning("store %s: run %s is there again, with nothing lost", self.address, documents.entry["_id"])
            self.problem = ""
        if self._spool is not None:
            self._spool.remove()
            self._spool = None
        return True


def _words(error: Exception, address: Address) -> str:
    """What went wrong with a database, in one line without credentials."""
    try:
        with mongo_errors(address):
            raise error
    except FAILURES:
        return f"store {address}: {error}"
    except StoreError as known:
        return str(known)
