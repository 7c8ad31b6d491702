"""Runs in a MongoDB database, in the collections of Sacred's MongoObserver: `runs`, `metrics` and GridFS."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from gridfs import GridFS
from gridfs.errors import NoFile

from rnnlab.errors import StoreError
from rnnlab.store.interface import Store
from rnnlab.store.mongo_parts import MongoParts, PartsAhead
from rnnlab.store.parsing import build_record, fail_trace_text, has_md5, plain
from rnnlab.store.query import Query, by_number, check_attachable, is_number_up_to, make_query, resolve_id
from rnnlab.store.record import Contents, RunRecord
from rnnlab.store.runs import Runs
from rnnlab.store_address import Address, mongo_database, mongo_errors, parse_address

# A listing leaves in the database what can be long.
_LISTED = {
    **dict.fromkeys(("status", "config", "result", "start_time", "stop_time", "heartbeat"), 1),
    **dict.fromkeys(("experiment.name", "experiment.dependencies", "experiment.repositories"), 1),
    **dict.fromkeys(("host", "meta", "artifacts", "resources"), 1),
}


class MongoStore(Store):
    """The runs in a database; reading needs no permission to write. Raises StoreError if no server answers."""

    def __init__(self, address: str | Address):
        self._address = parse_address(address)
        if not self._address.is_mongo:
            raise StoreError(f"store {self._address}: write mongodb://host:port/database")
        self._database = mongo_database(self._address)
        self._files = GridFS(self._database)
        self._parts = MongoParts(self._database, self._address)

    @property
    def address(self) -> str:
        """The server and the database, without credentials."""
        return str(self._address)

    def __repr__(self) -> str:
        return f"MongoStore({self.address!r})"

    def get(self, run_id: str | int) -> RunRecord:
        """The run with this id, or with the only id that begins so."""
        with self._errors():
            document = self._database.runs.find_one({"_id": self._stored_id(run_id)}, _LISTED)
        if document is None:
            raise StoreError(f"no run {str(run_id)!r} in {self.address}")
        return self._record(document, datetime.now(UTC), self._parts.ahead([document["_id"]]))

    def find(
        self,
        experiment: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> Runs:
        """The runs that fit, by rising id; neither curves nor output are read."""
        query = make_query(experiment, status, where)
        with self._errors():
            documents = list(self._database.runs.find(_server_side(query), _LISTED, batch_size=1000))
        return Runs(sorted(filter(query.fits, self._records(documents)), key=lambda record: by_number(record.run_id)))

    def ids(self, after: int = 0) -> list[str]:
        """The ids of all runs, in no order, but for the numbers up to `after`."""
        with self._errors():
            # $lte compares numbers with numbers only: names stay in.
            documents = self._database.runs.find({"_id": {"$not": {"$lte": after}}}, {"_id": 1}, batch_size=10_000)
            return [str(document["_id"]) for document in documents]

    def read(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """The runs with these ids; neither curves nor output are read."""
        stored = [*run_ids, *(int(run_id) for run_id in run_ids if is_number_up_to(run_id, 2**63 - 1))]
        with self._errors():
            documents = list(self._database.runs.find({"_id": {"$in": stored}}, _LISTED, batch_size=1000))
        return self._records(documents)

    def attach(self, run_id: str | int, name: str, path: str | Path) -> None:
        """Add a file to a run that is over, as the artifact `name`, in place of an earlier one of that name."""
        record = self.get(run_id)
        check_attachable(record, name)
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            problem = f"{error.strerror}: {path}"
            raise StoreError(f"artifact {name!r} cannot be attached to run {record.run_id}: {problem}") from None
        stored_id = self._stored_id(record.run_id)
        with self._errors():
            file_id = self._files.put(
                content, filename=f"artifact://runs/{record.run_id}/{name}", content_type=guess_type(name)[0]
            )
            while True:
                document = self._database.runs.find_one({"_id": stored_id}, {"artifacts": 1}) or {}
                before = document.get("artifacts") or []
                after = [each for each in before if each["name"] != name] + [{"name": name, "file_id": file_id}]
                # Only if nobody has attached another one in between.
                unchanged = {"_id": stored_id, "artifacts": document.get("artifacts")}
                if self._database.runs.update_one(unchanged, {"$set": {"artifacts": after}}).matched_count:
                    break
            for each in before:
                if each["name"] == name:
                    self._files.delete(each["file_id"])

    def _errors(self) -> AbstractContextManager[None]:
        return mongo_errors(self._address)

    def _stored_id(self, run_id: str | int) -> Any:
        """The `_id` of a run as the database has it: Sacred counts, but a run may also be named."""
        with self._errors():
            number = [int(run_id)] if re.fullmatch(r"0|[1-9][0-9]{0,17}", str(run_id)) else []
            for exact in [*number, str(run_id)]:
                if self._database.runs.find_one({"_id": {"$eq": exact}}, {"_id": 1}):
                    return exact
            stored = {str(document["_id"]): document["_id"] for document in self._database.runs.find({}, {"_id": 1})}
        return stored[resolve_id(run_id, stored, self.address)]

    def _records(self, documents: Sequence[dict[str, Any]]) -> list[RunRecord]:
        now, ahead = datetime.now(UTC), self._parts.ahead(document["_id"] for document in documents)
        return [self._record(document, now, ahead) for document in documents]

    def _record(self, document: dict[str, Any], now: datetime, ahead: PartsAhead) -> RunRecord:
        stored_id = document["_id"]
        contents = Contents(
            info=partial(ahead.info, stored_id),
            sources=partial(ahead.sources, stored_id),
            fail_trace=partial(self._fail_trace, stored_id),
            curves=partial(ahead.curves, stored_id),
            captured_out=partial(self._captured_out, stored_id),
            artifact=partial(self._artifact, stored_id),
            source=partial(self._source, ahead, stored_id),
        )
        for name in ("config", "result", "host", "meta"):
            document[name] = plain(document.get(name))
        return build_record(str(stored_id), document, document["config"], contents, now)

    def _part(self, stored_id: Any, name: str) -> Any:
        """One entry of a run's document."""
        with self._errors():
            document = self._database.runs.find_one({"_id": stored_id}, {name: 1})
        return (document or {}).get(name)

    def _source(self, ahead: PartsAhead, stored_id: Any, path: str) -> bytes | None:
        """A source file's content; an edited one was not stored, and its place is empty."""
        experiment = self._part(stored_id, "experiment")
        for stored_path, file_id in (experiment or {}).get("sources") or []:
            if stored_path == path:
                with self._errors():
                    try:
                        content = self._files.get(file_id).read()
                    except NoFile:
                        return None
                return content if has_md5(content, ahead.sources(stored_id)[path]) else None
        return None

    def _fail_trace(self, stored_id: Any) -> str | None:
        return fail_trace_text(self._part(stored_id, "fail_trace"))

    def _captured_out(self, stored_id: Any) -> str:
        return str(self._part(stored_id, "captured_out") or "")

    def _artifact(self, stored_id: Any, name: str) -> bytes:
        artifacts = self._part(stored_id, "artifacts") or []
        with self._errors():
            try:
                return self._files.get([each["file_id"] for each in artifacts if each["name"] == name][-1]).read()
            except (NoFile, IndexError):
                raise StoreError(f"run {stored_id}: artifact {name!r} is missing") from None


def _server_side(query: Query) -> dict[str, Any]:
    """What the server can rule out by itself, as literal values only; `Query.fits` decides on the rest."""
    asked: dict[str, Any] = {}
    if query.experiments is not None:
        asked["experiment.name"] = {"$in": list(query.experiments)}
    for key, values in query.where.items():
        simple = all(isinstance(value, str | bool | float) or _fits_64_bits(value) for value in values)
        if simple and re.fullmatch(r"\w+(\.\w+)*", key):
            asked[f"config.{key}"] = {"$in": values}
    return asked


def _fits_64_bits(value: Any) -> bool:
    return isinstance(value, int) and -(2**63) <= value < 2**63
