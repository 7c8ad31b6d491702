"""Whole runs in and out of a MongoDB database, in the collections of Sacred's MongoObserver."""

import hashlib
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from gridfs import GridFS
from gridfs.errors import NoFile
from pymongo import ASCENDING, ReplaceOne
from pymongo.errors import DuplicateKeyError, OperationFailure

from rnnlab.errors import StoreError
from rnnlab.store.mongo_parts import without_references
from rnnlab.store.parsing import has_md5, plain
from rnnlab.store.whole_run import COPYING, RunCopies, StoredFile, WholeRun
from rnnlab.store_address import Address, mongo_database, mongo_errors

FORMAT = "MongoObserver-0.7.0"  # what Sacred 0.8.7 calls its documents
TIMES = ("start_time", "stop_time", "heartbeat")
MAX_CAPTURED_OUT = 2_000_000  # characters; a document holds 16 MB, and the observers keep no more either
LEASE = 60.0  # seconds that a copy may be silent for before another one may begin

_OWN_PARTS = ("_id", "format", "config", "info", "captured_out", "artifacts", "resources")


class MongoCopies(RunCopies):
    """The whole runs of a database."""

    def __init__(self, address: Address):
        self._address = address
        self._database = mongo_database(address)
        self._files = GridFS(self._database)
        # Sources are the same for most runs: each is looked for once.
        self._md5s: dict[Any, str] = {}
        self._shared_ids: dict[tuple[str, str], Any] = {}
        self._owner = {"token": uuid.uuid4().hex, "host": socket.gethostname(), "pid": os.getpid()}

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keeps other copies away by a lock in the database, which a killed or silent copy loses."""
        locks = self._database["rnnlab.copying"]
        with mongo_errors(self._address):
            held = locks.find_one({"_id": "lock"})
            if held and held["until"] > self._now() and _may_live(held):
                where = f"by process {held['pid']} on {held['host']}"
                raise StoreError(f"store {self._address}: another copy into it is going on, {where}; wait for its end")
            fields = {**self._owner, "until": self._now() + timedelta(seconds=LEASE)}
            try:
                token = held["token"] if held else None
                taken = locks.replace_one({"_id": "lock", "token": token}, fields, upsert=held is None)
                won = bool(taken.matched_count or taken.upserted_id)
            except DuplicateKeyError:
                won = False
            if not won:
                raise StoreError(f"store {self._address}: another copy into it has just begun; wait for its end")
        try:
            yield
        finally:
            with suppress(StoreError), mongo_errors(self._address):
                locks.delete_one({"_id": "lock", "token": self._owner["token"]})

    def read(self, run_id: str) -> WholeRun:
        """The run with this id."""
        with mongo_errors(self._address):
            document = self._database.runs.find_one({"_id": {"$in": _stored_ids(run_id)}})
            if document is None:
                raise StoreError(f"no run {run_id!r} in {self._address}")
            metrics = self._metrics(document["_id"])
        experiment = dict(document.get("experiment") or {})
        sources = experiment.pop("sources", None) or []
        entry = {name: value for name, value in document.items() if name not in _OWN_PARTS}
        try:
            return WholeRun(
                entry=plain({**entry, "experiment": experiment}),
                config=plain(document.get("config") or {}),
                info=plain(without_references(document.get("info") or {})),
                metrics=metrics,
                captured_out=str(document.get("captured_out") or ""),
                artifacts=tuple(self._artifact(run_id, each) for each in document.get("artifacts") or []),
                sources=tuple(self._source(str(path), file_id) for path, file_id in sources),
                resources=tuple(
                    StoredFile(str(path), str(md5), partial(self._content_of, str(path), str(md5)))
                    for path, md5 in document.get("resources") or []
                ),
            )
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise StoreError(f"run {run_id}: its document makes no sense as a run: {error!r}") from None

    def add(self, run: WholeRun, preferred_id: str) -> str:
        """Take an id with a document that says COPYING; its last change makes it the whole run."""
        begun: dict[str, Any] = {
            "experiment": {"name": run.entry["experiment"]["name"]},
            "meta": {"uid": run.uid},
            "status": COPYING,
            "config": {},
            "artifacts": [],
            "format": FORMAT,
        }
        with mongo_errors(self._address):
            run_id = self._claim(_stored_ids(preferred_id)[-1], begun)
        self._write(run_id, run, begun)
        return str(run_id)

    def update(self, run_id: str, run: WholeRun) -> None:
        """Replace the run's curves, then its document."""
        with mongo_errors(self._address):
            document = self._database.runs.find_one({"_id": {"$in": _stored_ids(run_id)}})
        if document is None:
            raise StoreError(f"run {run_id} has gone from {self._address}")
        self._write(document["_id"], run, document)

    def _write(self, run_id: Any, run: WholeRun, before: dict[str, Any]) -> None:
        new = {file.name for file in run.artifacts}
        artifacts = [each for each in before.get("artifacts") or [] if each["name"] not in new]
        with mongo_errors(self._address):
            for file in run.artifacts:
                artifacts.append({"name": file.name, "file_id": self._put_artifact(run_id, run.uid, file)})
            experiment = {
                **run.entry["experiment"],
                "sources": [[f.name, self._shared(os.path.join(run.base_dir, f.name), f)] for f in run.sources],
            }
            for file in run.resources:
                self._shared(file.name, file)
            document = {
                **{name: _bounded(value) for name, value in run.entry.items()},
                **{name: _time(run.entry[name]) for name in TIMES if name in run.entry},
                "experiment": _bounded(experiment),
                "format": FORMAT,
                "config": _bounded(run.config),
                "info": _bounded({**run.info, **self._put_metrics(run_id, run)}),
                "captured_out": run.captured_out[-MAX_CAPTURED_OUT:],
                "artifacts": artifacts,
                "resources": [[file.name, file.md5] for file in run.resources],
            }
            self._renew()
            self._database.runs.replace_one({"_id": run_id}, document)
            # What an earlier copy of this run left, whole or not.
            kept = [each["file_id"] for each in artifacts]
            for stale in self._database["fs.files"].find({"copied": run.uid, "_id": {"$nin": kept}}, {"_id": 1}):
                self._files.delete(stale["_id"])

    def _claim(self, preferred: Any, begun: dict[str, Any]) -> Any:
        while True:
            try:
                return self._database.runs.insert_one({"_id": preferred, **begun}).inserted_id
            except DuplicateKeyError:
                last = self._database.runs.find_one({"_id": {"$type": "number"}}, {"_id": 1}, sort=[("_id", -1)])
                preferred = 1 if last is None else int(last["_id"]) + 1

    def _metrics(self, run_id: Any) -> dict[str, dict[str, list]]:
        metrics: dict[str, dict[str, list]] = {}
        for document in self._database.metrics.find({"run_id": run_id}).sort("_id"):
            columns = metrics.setdefault(str(document["name"]), {"steps": [], "timestamps": [], "values": []})
            for column, values in columns.items():
                values += plain(document.get(column) or [])
        return metrics

    def _put_metrics(self, run_id: Any, run: WholeRun) -> dict[str, list]:
        """Store the curves, one document each; return what refers to them in the run's info."""
        with suppress(OperationFailure):  # as the observer does
            self._database.metrics.create_index([("run_id", ASCENDING), ("name", ASCENDING)], unique=True)
        requests = []
        for name, columns in run.metrics.items():
            point = {
                "steps": _bounded(columns.get("steps") or []),
                "timestamps": [_time(each) for each in columns.get("timestamps") or []],
                "values": [float("nan") if each is None else each for each in columns.get("values") or []],
            }
            key = {"run_id": run_id, "name": name}
            requests.append(ReplaceOne(key, {**key, **point}, upsert=True))
        if not requests:
            return {}
        self._database.metrics.bulk_write(requests, ordered=False)
        stored = self._database.metrics.find({"run_id": run_id}, {"name": 1})
        return {"metrics": [{"name": each["name"], "id": str(each["_id"])} for each in stored]}

    def _artifact(self, run_id: str, stored: dict[str, Any]) -> StoredFile:
        file = self._database["fs.files"].find_one({"_id": stored["file_id"]}) or {}
        read = partial(self._content, stored["file_id"], f"run {run_id}: artifact {stored['name']!r} is missing")
        return StoredFile(str(stored["name"]), "", read, file.get("contentType"), file.get("metadata"))

    def _source(self, path: str, file_id: Any) -> StoredFile:
        if file_id not in self._md5s:
            file = self._database["fs.files"].find_one({"_id": file_id}, {"md5": 1}) or {}
            md5 = str(file.get("md5") or "")
            if not md5 and file:  # since pymongo 4, GridFS keeps none of its own accord
                md5 = hashlib.md5(self._content(file_id) or b"", usedforsecurity=False).hexdigest()
            self._md5s[file_id] = md5
        return StoredFile(path, self._md5s[file_id], partial(self._content, file_id, md5=self._md5s[file_id]))

    def _content_of(self, path: str, md5: str) -> bytes | None:
        file = self._database["fs.files"].find_one({"filename": path, "md5": md5}, {"_id": 1})
        return None if file is None else self._content(file["_id"], md5=md5)

    def _content(self, file_id: Any, missing: str = "", md5: str = "") -> bytes | None:
        """A file's content; None if it is not there or has another md5, or StoreError in the words of `missing`."""
        with mongo_errors(self._address):
            try:
                content = self._files.get(file_id).read()
            except NoFile:
                if missing:
                    raise StoreError(missing) from None
                return None
        return content if has_md5(content, md5) else None

    def _put_artifact(self, run_id: Any, uid: str, file: StoredFile) -> Any:
        self._renew()
        return self._files.put(
            file.read() or b"",
            filename=f"artifact://{self._database.runs.name}/{run_id}/{file.name}",
            metadata=file.metadata,
            content_type=file.content_type,
            copied=uid,
        )

    def _shared(self, path: str, file: StoredFile) -> Any:
        """The id of a source or resource, which is stored once for all runs; an empty place where it is missing."""
        key = (path, file.md5)
        if key not in self._shared_ids:
            self._shared_ids[key] = self._found_or_put(path, file)
        return self._shared_ids[key]

    def _found_or_put(self, path: str, file: StoredFile) -> Any:
        files = self._database["fs.files"]
        if found := files.find_one({"filename": path, "md5": file.md5}, {"_id": 1}):
            return found["_id"]
        if (content := file.read()) is not None:
            return self._files.put(content, filename=path, md5=file.md5)
        missing = f"{path} (not at hand when it was copied)"
        found = files.find_one({"filename": missing, "md5": file.md5}, {"_id": 1})
        return found["_id"] if found else self._files.put(b"", filename=missing, md5=file.md5)

    def _renew(self) -> None:
        until = {"$set": {"until": self._now() + timedelta(seconds=LEASE)}}
        self._database["rnnlab.copying"].update_one({"_id": "lock", "token": self._owner["token"]}, until)

    def _now(self) -> datetime:
        """The server's time: the clocks of those who copy may differ."""
        return self._database.command("hello")["localTime"]


def _may_live(held: dict[str, Any]) -> bool:
    """Whether the process that holds a lock may still be there; of one on another machine that is not known."""
    if held["host"] != socket.gethostname():
        return True
    try:
        os.kill(int(held["pid"]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return int(held["pid"]) != os.getpid()


def _stored_ids(run_id: str) -> list[Any]:
    """What a run's `_id` may be, the likeliest last: Sacred counts, but a run may also be named."""
    number = run_id.isascii() and run_id.isdigit() and str(int(run_id)) == run_id and len(run_id) < 19
    return [run_id, int(run_id)] if number else [run_id]


def _time(text: Any) -> datetime | None:
    """Sacred's times: in UTC, without saying so."""
    if text is None:
        return None
    time = datetime.fromisoformat(str(text))
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def _bounded(value: Any) -> Any:
    """The value with whole numbers beyond the 64 bits of MongoDB's as floats."""
    if isinstance(value, dict):
        return {key: _bounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_bounded(each) for each in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value
