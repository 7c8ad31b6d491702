"""The documents of one run in a MongoDB database, in the collections of Sacred's MongoObserver."""

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gridfs import GridFS
from pymongo import ASCENDING, DESCENDING, UpdateOne, WriteConcern
from pymongo.errors import DuplicateKeyError, OperationFailure

from rnnlab.store_address import Address, mongo_database
from rnnlab.tracking.spool import Artifact

COLUMNS = ("steps", "values", "timestamps")


class GoneError(Exception):
    """The server is there, but the run's document is not."""


class RunDocuments:
    """What a database is to hold of one run, and how it gets there.

    All methods raise pymongo's errors. Raises StoreError if the server cannot be reached.

    entry:             the document in `runs`
    curves:            {metric: {"steps", "values", "timestamps"}}
    artifacts:         by name; the `unsaved_artifacts` among them are not in the database yet
    metric_references: what other tools find a run's metrics by, to be kept in its `info`
    """

    def __init__(self, address: Address):
        self.address = address
        database = mongo_database(address)
        # What a killed server had acknowledged must not be lost: it acknowledges what is in its journal.
        concern = WriteConcern(**{**database.write_concern.document, "j": True})
        self.runs = database.get_collection("runs", write_concern=concern)
        self.metrics = database.get_collection("metrics", write_concern=concern)
        self.files = GridFS(database)
        self.entry: dict[str, Any] = {}
        self.curves: dict[str, dict[str, list]] = {}
        self.artifacts: dict[str, Artifact] = {}
        self.unsaved_artifacts: list[str] = []
        self.metric_references: list[dict[str, str]] = []

    def ping(self) -> None:
        """Do nothing but find out whether the server answers."""
        self.runs.database.client.admin.command("ping")

    def insert(self) -> None:
        """Insert the run; under the next free number, if it has no id of its own."""
        if self.entry["_id"] is not None:
            self.runs.insert_one(self.entry)
            return
        while True:
            # Names sort after all numbers.
            last = self.runs.find_one({"_id": {"$type": "number"}}, {"_id": 1}, sort=[("_id", DESCENDING)])
            self.entry["_id"] = 1 if last is None else int(last["_id"]) + 1
            try:
                self.runs.insert_one(self.entry)
                return
            except DuplicateKeyError:  # another run that starts now was faster
                continue

    def save_sources(self, ex_info: dict[str, Any]) -> list[list[Any]]:
        """Store each source once for all runs, by the md5 that it had when the experiment was made."""
        base_dir = ex_info.get("base_dir") or ""
        paths = {os.path.join(base_dir, source): md5 for source, md5 in ex_info["sources"]}
        stored = self.stored_files(paths)
        return [[source, stored[os.path.join(base_dir, source)]] for source, _ in ex_info["sources"]]

    def stored_files(self, md5s: Mapping[str, str]) -> dict[str, Any]:
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
            return self.files.put(b"", filename=f"{path} (edited after the run's start)", md5=md5)
        return self.files.put(content, filename=path, md5=md5)

    def index_metrics(self) -> None:
        """One document for each metric of a run, and found without a search through all of them."""
        # Not permitted, or an old database where some metric has two documents: slower, but no less right.
        with suppress(OperationFailure):
            self.metrics.create_index([("run_id", ASCENDING), ("name", ASCENDING)], unique=True)

    def store_whole(self) -> None:
        """Write all documents of the run as they should be, the one in `runs` last.

        Raises GoneError if the database was made anew in the meantime, and another run has the id.
        """
        there = self.runs.find_one({"_id": self.entry["_id"]}, {"meta.uid": 1})
        if there is None:
            # Nothing is written under an id that is not this run's own.
            self.runs.insert_one({**self.entry, "status": "RUNNING"})
        elif (there.get("meta") or {}).get("uid") != self.entry["meta"]["uid"]:
            raise GoneError(f"store {self.address}: another run has the id {self.entry['_id']} now")
        self._update_curves({name: {"$set": columns} for name, columns in self.curves.items()})
        self.put_artifacts()
        self.stored_files(dict(self.entry["resources"]))
        if self.metric_references:
            self.entry["info"] = {**self.entry["info"], "metrics": self.metric_references}
        self.runs.replace_one(self._own(), self.entry)

    def set_entries(self, **entries: Any) -> None:
        """Set entries of the run's document at the server; raises GoneError if it is not there any more."""
        if not self.runs.update_one(self._own(), {"$set": entries}).matched_count:
            raise GoneError(f"store {self.address}: run {self.entry['_id']} has gone from it")

    def push(self, metrics_by_name: Mapping[str, Mapping[str, list]]) -> None:
        """Add new points to the curves at the server, all of them in one request."""
        pushes = {
            name: {"$push": {column: {"$each": new[column]} for column in COLUMNS}}
            for name, new in metrics_by_name.items()
        }
        self._update_curves(pushes)

    def _own(self) -> dict[str, Any]:
        """What finds this run's document and no other's."""
        return {"_id": self.entry["_id"], "meta.uid": self.entry["meta"]["uid"]}

    def _update_curves(self, updates: Mapping[str, dict[str, Any]]) -> None:
        """Update the document of each metric, and note those that are new."""
        if not updates:
            return
        run_id = self.entry["_id"]
        requests = [
            UpdateOne({"run_id": run_id, "name": name}, update, upsert=True) for name, update in updates.items()
        ]
        self.metrics.bulk_write(requests, ordered=False)
        if not set(updates) <= {each["name"] for each in self.metric_references}:
            stored = self.metrics.find({"run_id": run_id}, {"name": 1}, sort=[("_id", ASCENDING)])
            self.metric_references = [{"name": each["name"], "id": str(each["_id"])} for each in stored]

    def put_artifacts(self) -> None:
        """Store the files that are not stored yet, and note them in the run's entry."""
        while self.unsaved_artifacts:
            name = self.unsaved_artifacts[0]
            artifact = self.artifacts[name]
            file_id = self.files.put(
                artifact.content,
                filename=f"artifact://{self.runs.name}/{self.entry['_id']}/{name}",
                metadata=artifact.metadata,
                content_type=artifact.content_type,
            )
            self.entry["artifacts"] = [*self.entry["artifacts"], {"name": name, "file_id": file_id}]
            self.unsaved_artifacts.pop(0)
