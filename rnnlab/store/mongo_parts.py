"""What a listing leaves in the database: curves, info and sources of runs, read of many runs at once."""

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from bson import ObjectId
from gridfs import GridFS
from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import OperationFailure

from rnnlab.errors import StoreError
from rnnlab.store.parsing import build_curve, plain
from rnnlab.store.read_ahead import ReadAhead
from rnnlab.store.record import Curve
from rnnlab.store_address import Address, mongo_errors


class MongoParts:
    """Reads parts of runs. What makes no sense in one run's part comes as the StoreError to raise for that run."""

    def __init__(self, database: Database, address: Address):
        self._database = database
        self._address = address
        self._source_md5s: dict[Any, str] = {}
        self._index_checked = False

    def ahead(self, stored_ids: Iterable[Any]) -> "PartsAhead":
        """The parts of the runs of one listing."""
        return PartsAhead(self, {run_key(stored_id): stored_id for stored_id in stored_ids})

    def infos(self, stored_ids: Sequence[Any]) -> dict[Hashable, dict[str, Any] | StoreError]:
        """What the runs noted besides their curves."""
        return {key: _checked_info(key, info) for key, info in self._entries(stored_ids, "info").items()}

    def sources(self, stored_ids: Sequence[Any]) -> dict[Hashable, dict[str, str] | StoreError]:
        """{path: md5} of each run; those md5s never change, so each is asked for once."""
        entries = self._entries(stored_ids, "experiment.sources")
        listed = {key: _pairs(sources) for key, sources in entries.items()}
        self._learn_md5s({file_id for pairs in listed.values() for _, file_id in pairs or ()})
        shared: dict[tuple, dict[str, str]] = {}  # most runs have the same ones
        found: dict[Hashable, dict[str, str] | StoreError] = {}
        for key, pairs in listed.items():
            if pairs is None:
                found[key] = StoreError(f"run {key}: its sources are damaged")
            elif pairs not in shared:
                shared[pairs] = {str(path): self._source_md5s.get(file_id, "") for path, file_id in pairs}
            if pairs is not None:
                found[key] = shared[pairs]
        return found

    def curves(self, stored_ids: Sequence[Any]) -> dict[Hashable, dict[str, Curve] | StoreError]:
        """{metric: curve} of each run, the names sorted."""
        wanted = {"run_id": 1, "name": 1, "steps": 1, "values": 1}
        parts: dict[Hashable, dict[str, list[tuple[str, Curve]]]] = {run_key(each): {} for each in stored_ids}
        damages: dict[Hashable, StoreError] = {}
        with mongo_errors(self._address):
            self._index_metrics()
            for document in self._database.metrics.find({"run_id": {"$in": list(stored_ids)}}, wanted):
                key = run_key(document["run_id"])
                try:
                    part = str(document["_id"]), build_curve(document["steps"], document["values"])
                    parts[key].setdefault(document["name"], []).append(part)
                except (TypeError, KeyError, ValueError) as error:
                    damages[key] = StoreError(f"run {key}: its metrics are damaged: {error}")
        return {key: damages.get(key) or _joined(by_name) for key, by_name in parts.items()}

    def _entries(self, stored_ids: Sequence[Any], name: str) -> dict[Hashable, Any]:
        """An entry of each run's document by the run's key, None where it has none."""
        entries: dict[Hashable, Any] = {run_key(each): None for each in stored_ids}
        with mongo_errors(self._address):
            for document in self._database.runs.find({"_id": {"$in": list(stored_ids)}}, {name: 1}):
                value: Any = document
                for part in name.split("."):
                    value = value.get(part) if isinstance(value, dict) else None
                entries[run_key(document["_id"])] = value
        return entries

    def _learn_md5s(self, file_ids: set) -> None:
        unknown = list(file_ids - self._source_md5s.keys())
        if not unknown:
            return
        with mongo_errors(self._address):
            for file in self._database.fs.files.find({"_id": {"$in": unknown}}, {"md5": 1}):
                self._source_md5s[file["_id"]] = file.get("md5") or self._computed_md5(file["_id"])

    def _computed_md5(self, file_id: Any) -> str:
        """Since pymongo 4, GridFS keeps no md5 of its own accord."""
        content = GridFS(self._database).get(file_id).read()
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def _index_metrics(self) -> None:
        """Make sure that metrics are found by their run without a search through all of them, where that is permitted.

        Runs tracked by plain Sacred come without any index; where there are no metrics, nothing is created.
        """
        if self._index_checked:
            return
        self._index_checked = True
        try:
            indexes = self._database.metrics.index_information()
            if indexes and not any(index["key"][0][0] == "run_id" for index in indexes.values()):
                self._database.metrics.create_index([("run_id", ASCENDING)])
        except OperationFailure:
            pass  # a reader who may not write reads more slowly


class PartsAhead:
    """The parts of the runs of one listing, each read ahead by itself."""

    def __init__(self, parts: MongoParts, stored_ids: Mapping[Hashable, Any]):
        def reader(read: Any) -> Any:
            return lambda keys: read([stored_ids[key] for key in keys])

        keys = list(stored_ids)
        self._infos: ReadAhead = ReadAhead(keys, reader(parts.infos), lambda info: len(str(info)) // 8)
        self._sources: ReadAhead = ReadAhead(keys, reader(parts.sources), _count)
        self._curves: ReadAhead = ReadAhead(keys, reader(parts.curves), _n_points)

    def info(self, stored_id: Any) -> dict[str, Any]:
        """A run's info; raises StoreError if it makes no sense."""
        return _unless_damaged(self._infos.take(run_key(stored_id)))

    def sources(self, stored_id: Any) -> dict[str, str]:
        """A run's sources; raises StoreError if they make no sense."""
        return _unless_damaged(self._sources.take(run_key(stored_id)))

    def curves(self, stored_id: Any) -> dict[str, Curve]:
        """A run's curves; raises StoreError if they make no sense."""
        return _unless_damaged(self._curves.take(run_key(stored_id)))


def run_key(stored_id: Any) -> Hashable:
    """What a run's `_id` is found by: itself, whatever type of number it is; its text where it cannot be hashed."""
    return stored_id if isinstance(stored_id, int | float | str | ObjectId) else repr(stored_id)


def without_references(info: dict[str, Any]) -> dict[str, Any]:
    """A run's info without the ids of its metrics' documents, which MongoObserver keeps there under a name that a run
    might use too.
    """
    return {key: value for key, value in info.items() if key != "metrics" or not _are_references(value)}


def _are_references(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and each.keys() == {"name", "id"} for each in value)


def _checked_info(key: Hashable, info: Any) -> dict[str, Any] | StoreError:
    if not isinstance(info or {}, dict):
        return StoreError(f"run {key}: its info is damaged: it is not a mapping")
    return plain(without_references(info or {}))


def _pairs(sources: Any) -> tuple[tuple[Any, Any], ...] | None:
    """(path, id of its file) of each source; None if they make no sense."""
    try:
        pairs = tuple((path, file_id) for path, file_id in sources or [])
        hash(pairs)
    except (TypeError, ValueError):
        return None
    return pairs


def _joined(by_name: Mapping[str, list[tuple[str, Curve]]]) -> dict[str, Curve]:
    """Two processes that logged for one run at once may leave two documents of a metric: they follow each other."""
    curves = {}
    for name in sorted(by_name):
        parts = [curve for _, curve in sorted(by_name[name], key=lambda part: part[0])]
        joined = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)] if len(parts) > 1 else parts[0]
        curves[name] = Curve(*joined)
    return curves


def _n_points(curves: dict[str, Curve] | StoreError) -> int:
    return 0 if isinstance(curves, StoreError) else sum(2 * len(curve.steps) for curve in curves.values())


def _count(part: Any) -> int:
    return 0 if isinstance(part, StoreError) else len(part)


def _unless_damaged(part: Any) -> Any:
    if isinstance(part, StoreError):
        raise part
    return part
