"""Runs in a directory, in the layout of Sacred's FileStorageObserver: one folder a run, JSON inside."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rnnlab.atomic_file import copy_atomically, write_atomically
from rnnlab.errors import StoreError
from rnnlab.store.interface import Store
from rnnlab.store.parsing import build_curve, build_record, fail_trace_text, has_md5, md5_in, plain
from rnnlab.store.query import by_number, check_attachable, is_number_up_to, is_plain_name, make_query, resolve_id
from rnnlab.store.record import Contents, Curve, RunRecord
from rnnlab.store.runs import Runs

SOURCES, RESOURCES = "_sources", "_resources"  # Sacred's folders of what all runs share

_RECENT = 5.0  # seconds: a file or folder changed since may be in the middle of being written
_RETRIES = 3
_RETRY_AFTER = 0.02  # seconds


class FileStore(Store):
    """The runs in a directory. Raises StoreError if there is no such directory."""

    def __init__(self, directory: str | Path):
        self._directory = Path(directory)
        self._sources: dict[str, dict[str, str]] = {}  # most runs have the same ones: each set of them is kept once
        if not self._directory.is_dir():
            problem = "is a file, not a directory" if self._directory.exists() else "there is no such directory"
            raise StoreError(f"store {directory}: {problem}")

    @property
    def address(self) -> str:
        """The directory, as it was given."""
        return str(self._directory)

    def __repr__(self) -> str:
        return f"FileStore({self.address!r})"

    def get(self, run_id: str | int) -> RunRecord:
        """The run with this id, or with the only id that begins so; unlike `find` it looks into all its files."""
        found = resolve_id(run_id, self._ids(), self.address)
        record = _read_run(self._folder(found), self._sources)
        if record is None:
            raise StoreError(f"run {found!r} in {self.address} has only just begun")
        try:
            _ = record.info, record.curves
        except StoreError as error:
            if record.damage is None:
                record = replace(record, status="DAMAGED", damage=str(error))
        return record

    def find(
        self,
        experiment: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> Runs:
        """The runs that fit, by rising id; of each run only `run.json` and `config.json` are read."""
        query = make_query(experiment, status, where)
        records = (_read_run(self._folder(run_id), self._sources) for run_id in sorted(self._ids(), key=by_number))
        return Runs(record for record in records if record is not None and query.fits(record))

    def ids(self, after: int = 0) -> list[str]:
        """The ids of all runs, in no order, but for the numbers up to `after`."""
        return [run_id for run_id in self._ids() if not is_number_up_to(run_id, after)]

    def read(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """The runs with these ids; of each only `run.json` and `config.json` are read."""
        folders = [self._folder(run_id) for run_id in run_ids]
        records = [_read_run(folder, self._sources) for folder in folders if os.path.isdir(folder)]
        return [record for record in records if record is not None]

    def attach(self, run_id: str | int, name: str, path: str | Path) -> None:
        """Add a file to a run that is over, as the artifact `name`, in place of an earlier one of that name."""
        record = self.get(run_id)
        check_attachable(record, name)
        folder = self._folder(record.run_id)
        try:
            copy_atomically(Path(path), Path(folder, name))
            entry = _read_json(f"{folder}/run.json")
            entry["artifacts"] = [each for each in entry.get("artifacts") or [] if each != name] + [name]
            write_atomically(Path(folder, "run.json"), json.dumps(entry, indent=2, sort_keys=True).encode())
        except (OSError, ValueError) as error:
            raise StoreError(f"artifact {name!r} cannot be attached to run {record.run_id}: {_words(error)}") from None

    def _folder(self, run_id: str) -> str:
        # A text: a listing makes tens of thousands of paths, and Path takes ten times as long.
        return os.path.join(self._directory, run_id)

    def _ids(self) -> list[str]:
        """The names of the folders that are runs: those called by a number, and others with a `run.json`."""
        try:
            with os.scandir(self._directory) as entries:
                return [entry.name for entry in entries if _is_run(entry)]
        except OSError as error:
            raise StoreError(f"store {self.address}: {_words(error)}") from None


def _is_run(entry: os.DirEntry[str]) -> bool:
    try:
        numbered = entry.name.isascii() and entry.name.isdigit()
        return entry.is_dir() and (numbered or os.path.exists(os.path.join(entry, "run.json")))
    except OSError:  # a link that leads nowhere
        return False


def _read_run(folder: str, known_sources: dict[str, dict[str, str]]) -> RunRecord | None:
    """The record of a run's folder; None while there is nothing in it because the run has only just begun.

    known_sources: sources by the text of their list, to which the run's are added
    """
    now = datetime.now(UTC)
    entry = config = damage = None
    try:
        entry = _read_json(f"{folder}/run.json")
        config = _read_json(f"{folder}/config.json")
    except FileNotFoundError as error:
        if entry is None and _is_recent(folder):
            return None
        damage = f"{os.path.basename(error.filename)} is missing"
    except (OSError, ValueError) as error:
        damage = _words(error)
    contents = Contents(
        info=partial(_read_part, folder, "info.json"),
        sources=partial(_sources, folder, _listed_sources(entry, known_sources)),
        fail_trace=partial(_fail_trace, folder),
        curves=partial(_curves, folder),
        captured_out=partial(_captured_out, folder),
        artifact=partial(_artifact, folder),
        source=partial(_source, folder),
    )
    return build_record(os.path.basename(folder), entry, config, contents, now, damage)


def _read_json(path: str, parse: Callable[[bytes], Any] | None = None) -> Any:
    """The content of a JSON file, plain; raises FileNotFoundError, OSError, or ValueError if it stays damaged.

    Sacred's own observers write in place, so that a file which is being written can be torn for an instant.
    """
    for attempt in range(_RETRIES + 1):
        with open(path, "rb") as file:
            content = file.read()
        try:
            return (parse or _parsed)(content)
        except (ValueError, RecursionError) as error:
            if attempt == _RETRIES or not _is_recent(path):
                raise ValueError(f"{os.path.basename(path)} is damaged: {error or type(error).__name__}") from None
        time.sleep(_RETRY_AFTER)
    raise AssertionError("the last attempt returns or raises")


def _parsed(content: bytes) -> Any:
    parsed = json.loads(content.decode(), parse_constant=_not_finite)
    return plain(parsed) if b'"py/tuple"' in content else parsed


def _parsed_metrics(content: bytes) -> Any:
    """Metrics without the times of their points, which are most of the text and are not asked for."""
    begin, start = b'"timestamps": [', 0
    parts = []
    while (found := content.find(begin, start)) >= 0 and (end := content.find(b"]", found)) >= 0:
        parts.append(content[start : found + len(begin)])
        start = end
    try:
        return _parsed(b"".join([*parts, content[start:]]))
    except ValueError:  # damaged, or with other times than Sacred writes
        return _parsed(content)


def _not_finite(name: str) -> None:
    """What NaN and Infinity, which JSON does not know but Sacred writes, are read as."""


def _is_recent(path: str) -> bool:
    try:
        return abs(time.time() - os.stat(path).st_mtime) < _RECENT
    except OSError:
        return False


def _read_part(folder: str, name: str, parse: Callable[[bytes], Any] | None = None) -> dict[str, Any]:
    """A JSON mapping that a run need not have."""
    try:
        content = _read_json(f"{folder}/{name}", parse)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(f"{_run(folder)}: {_words(error)}") from None
    if not isinstance(content, dict):
        raise StoreError(f"{_run(folder)}: {name} is damaged: it is not a mapping")
    return content


def _curves(folder: str) -> dict[str, Curve]:
    stored = _read_part(folder, "metrics.json", _parsed_metrics)
    try:
        return {name: build_curve(stored[name]["steps"], stored[name]["values"]) for name in sorted(stored)}
    except (TypeError, KeyError, ValueError) as error:
        raise StoreError(f"{_run(folder)}: metrics.json is damaged: {error}") from None


def _listed_sources(entry: Any, known: dict[str, dict[str, str]]) -> dict[str, str] | None:
    """{path: md5} of an entry's sources; None if they make no sense."""
    try:
        listed = entry["experiment"].get("sources") or []
        text = repr(listed)
        if text not in known:
            known[text] = {str(path): md5_in(stored) for path, stored in listed}
        return known[text]
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _sources(folder: str, listed: dict[str, str] | None) -> dict[str, str]:
    if listed is None:
        raise StoreError(f"{_run(folder)}: its sources are damaged")
    return listed


def _source(folder: str, path: str) -> bytes | None:
    """A source file's content, from where the runs of a directory keep their sources together."""
    experiment = _read_part(folder, "run.json").get("experiment")
    stored = experiment.get("sources") if isinstance(experiment, dict) else None
    places = [str(place) for known, place in stored or [] if known == path]
    return shared_content(os.path.dirname(folder), SOURCES, places[0]) if places else None


def shared_content(directory: str | Path, kind: str, place: str) -> bytes | None:
    """A file in one of the directory's shared folders, `kind`; None if it is not there or not what its name says.

    place: as a run has it, relative or not; only its last part counts, so that it leads nowhere else
    """
    path = Path(directory, kind, os.path.basename(place))
    try:
        content = None if path.is_symlink() else path.read_bytes()
    except (OSError, ValueError):
        return None
    return content if content is not None and has_md5(content, md5_in(place)) else None


def _fail_trace(folder: str) -> str | None:
    return fail_trace_text(_read_part(folder, "run.json").get("fail_trace"))


def _captured_out(folder: str) -> str:
    try:
        return Path(folder, "cout.txt").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(f"{_run(folder)}: {_words(error)}") from None


def _artifact(folder: str, name: str) -> bytes:
    """The content of a file right in the folder: names and links that lead out of it are refused."""
    path = Path(folder, name)
    if not is_plain_name(name) or path.is_symlink():
        raise StoreError(f"{_run(folder)}: artifact {name!r} is refused: it may lead out of the run's folder")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StoreError(f"{_run(folder)}: artifact {name!r} is missing") from None
    except OSError as error:
        raise StoreError(f"{_run(folder)}: artifact {name!r}: {_words(error)}") from None


def _run(folder: str) -> str:
    return f"run {os.path.basename(folder)}"


def _words(error: Exception) -> str:
    return f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.strerror else str(error)
