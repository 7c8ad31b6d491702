"""Records runs in MongoDB, in the collections of Sacred's MongoObserver, over this process's one client."""

import hashlib
import mimetypes
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pymongo import ASCENDING, DESCENDING, UpdateOne
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure
from sacred.dependencies import get_digest
from sacred.observers import MongoObserver

from rnnlab.errors import StoreError
from rnnlab.store_address import Address, mongo_client, mongo_errors
from rnnlab.tracking.stored_values import is_artifact_name, plain_json, with_uid, without_remote_credentials

# A document holds 16 MB, and the config, info and sources of a run want their share.
MAX_CAPTURED_OUT = 2_000_000  # characters


class RunMongoObserver(MongoObserver):
    """Sacred's MongoObserver over this process's one client, in the same format.

    Raises StoreError when it is made if the server cannot be reached, and at the start of a run if it cannot be stored.
    """

    def __init__(self, address: Address):
        super().__init__(client=mongo_client(address), db_name=address.database)
        self.address = address
        self._unsaved: dict[str, Any] = {}
        # Heartbeats come from a thread of their own.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"RunMongoObserver({self.address})"

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
        self._unsaved.clear()
        with mongo_errors(self.address):
            self._index_metrics()
            self.run_entry = {
                "_id": _id,
                "experiment": {**without_remote_credentials(ex_info), "sources": self.save_sources(ex_info)},
                "format": self.VERSION,
                "command": command,
                "host": dict(host_info),
                "start_time": start_time,
                "config": plain_json(config),
                "meta": plain_json(with_uid(meta_info)),
                "status": "RUNNING",
                "resources": [],
                "artifacts": [],
                "captured_out": "",
                "info": {},
                "heartbeat": None,
            }
            try:
                self.insert()
            except DuplicateKeyError:
                raise StoreError(f"store {self.address}: has a run {_id!r} already") from None
        return self.run_entry["_id"]

    def heartbeat_event(self, info: dict[str, Any], captured_out: str, beat_time: datetime, result: Any) -> None:
        """Store what has changed since the last heartbeat."""
        new = {"info": plain_json(info), "captured_out": captured_out[-MAX_CAPTURED_OUT:], "result": plain_json(result)}
        with self._lock:
            changed = {name: value for name, value in new.items() if self.run_entry.get(name) != value}
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
        md5 = get_digest(filename)
        with self._lock:
            self._stored_files({filename: md5})
            if [filename, md5] not in self.run_entry["resources"]:
                self._store(resources=[*self.run_entry["resources"], [filename, md5]])

    def artifact_event(
        self, name: str, filename: str, metadata: dict[str, Any] | None = None, content_type: str | None = None
    ) -> None:
        """Store a file under a plain name; any other name is refused with a word on stderr, and the run goes on."""
        if not is_artifact_name(name):
            print(f"warning: artifact name {name!r} is not a plain file name: not stored", file=sys.stderr)
            return
        with self._lock, open(filename, "rb") as file:
            file_id = self.fs.put(
                file,
                filename=f"artifact://{self.runs.name}/{self.run_entry['_id']}/{name}",
                metadata=metadata,
                content_type=content_type or mimetypes.guess_type(filename)[0],
            )
            self._store(artifacts=[*self.run_entry["artifacts"], {"name": name, "file_id": file_id}])

    def log_metrics(self, metrics_by_name: Mapping[str, Mapping[str, list]], info: dict[str, Any]) -> None:
        """Add new points to the curves, all of them in one request."""
        if not metrics_by_name:
            return
        names = list(metrics_by_name)
        columns = ("steps", "values", "timestamps")
        pushes = [{column: {"$each": metrics_by_name[name][column]} for column in columns} for name in names]
        run_id = self.run_entry["_id"]
        requests = [
            UpdateOne({"run_id": run_id, "name": name}, {"$push": push}, upsert=True)
            for name, push in zip(names, pushes, strict=True)
        ]
        with self._lock:
            inserted = self.metrics.bulk_write(requests, ordered=False).upserted_ids or {}
        if inserted:
            # Other tools find a run's metrics through these references.
            new = [{"name": names[i], "id": str(metric_id)} for i, metric_id in sorted(inserted.items())]
            info["metrics"] = [*info.get("metrics", []), *new]

    def insert(self) -> None:
        """Insert the run; under the next free number, if it has no id of its own."""
        if self.run_entry["_id"] is not None:
            self.runs.insert_one(self.run_entry)
            return
        while True:
            # Names sort after all numbers.
            last = self.runs.find_one({"_id": {"$type": "number"}}, {"_id": 1}, sort=[("_id", DESCENDING)])
            self.run_entry["_id"] = 1 if last is None else int(last["_id"]) + 1
            try:
                self.runs.insert_one(self.run_entry)
                return
            except DuplicateKeyError:  # another run that starts now was faster
                continue

    def save_sources(self, ex_info: dict[str, Any]) -> list[list[Any]]:
        """Store each source once for all runs, by the md5 that it had when the experiment was made."""
        base_dir = ex_info.get("base_dir") or ""
        paths = {os.path.join(base_dir, source): md5 for source, md5 in ex_info["sources"]}
        stored = self._stored_files(paths)
        return [[source, stored[os.path.join(base_dir, source)]] for source, _ in ex_info["sources"]]

    def _stored_files(self, md5s: Mapping[str, str]) -> dict[str, Any]:
        """The GridFS ids of files given as {path: md5}; what is not there yet is stored.

        One request finds them all. GridFS keeps no md5 of its own accord, so it is stored as a field of its own.
        """
        wanted = {"filename": {"$in": list(md5s)}, "md5": {"$in": list(set(md5s.values()))}}
        found = self.runs.database.fs.files.find(wanted, {"filename": 1, "md5": 1})
        stored = {file["filename"]: file["_id"] for file in found if md5s[file["filename"]] == file["md5"]}
        for path, md5 in md5s.items():
            if path not in stored:
                stored[path] = self._put(path, md5)
        return stored

    def _put(self, path: str, md5: str) -> Any:
        content = Path(path).read_bytes()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
            # A file that was edited since is not the one that runs; a wrong copy would be worse than none.
            print(f"warning: {path} was edited after the run's start: not stored", file=sys.stderr)
            return self.fs.put(b"", filename=f"{path} (edited after the run's start)", md5=md5)
        return self.fs.put(content, filename=path, md5=md5)

    def _index_metrics(self) -> None:
        """One document for each metric of a run, and found without a search through all of them."""
        # Not permitted, or an old database where some metric has two documents: slower, but no less right.
        with suppress(OperationFailure):
            self.metrics.create_index([("run_id", ASCENDING), ("name", ASCENDING)], unique=True)

    def _store(self, **entries: Any) -> None:
        """Set entries of the run's document; a server that is away for an instant gets them with the next ones."""
        self.run_entry.update(entries)
        self._unsaved.update(entries)
        try:
            self.runs.update_one({"_id": self.run_entry["_id"]}, {"$set": self._unsaved})
        except AutoReconnect:
            return
        self._unsaved.clear()

    def _end(self, time: datetime, status: str, **entries: Any) -> None:
        """Store the run's last state; if that fails, say so: the record then stays as it was."""
        with self._lock:
            self.run_entry.update({"stop_time": time, "status": status, **entries})
            try:
                with mongo_errors(self.address):
                    wanted = {"_id": self.run_entry["_id"]}
                    self.runs.update_one(wanted, {"$set": self.run_entry}, upsert=True)
            except StoreError as error:
                print(f"error: the end of run {self.run_entry['_id']} is not stored: {error}", file=sys.stderr)
