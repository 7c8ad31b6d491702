"""From what Sacred stored to a RunRecord. Whatever a store holds is data: nothing in it is decoded into objects."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import numpy as np

from rnnlab.processes import is_gone
from rnnlab.store.record import Contents, Curve, RunRecord

DEFAULT_BEAT_INTERVAL = 10.0  # seconds; Sacred's
BEATS_UNTIL_LOST = 3

_SIMPLE = (str, int, bool, type(None))


def build_record(
    run_id: str, entry: Any, config: Any, contents: Contents, now: datetime, damage: str | None = None
) -> RunRecord:
    """The record of a run from its entry (Sacred's `run.json`, or its document in MongoDB) and its config.

    entry, config: plain JSON; times may be datetimes
    now:    when the entry was read, which decides whether the run is LOST
    damage: why the run cannot be read whole, if it cannot; it then gets the status DAMAGED. Entries that make no sense
            lead there too.
    """
    try:
        experiment = _typed(entry, "the entry", dict).get("experiment")
        name = _typed(_typed(experiment, "its experiment", dict).get("name"), "the experiment's name", str)
    except ValueError as error:
        return RunRecord(run_id, "", "DAMAGED", {}, damage=damage or str(error), contents=contents)
    try:
        record = _whole_record(run_id, name, entry, config if damage is None else {}, contents, now)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        return RunRecord(run_id, name, "DAMAGED", {}, damage=damage or _reason(error), contents=contents)
    return record if damage is None else damaged(record, damage)


def damaged(record: RunRecord, damage: str) -> RunRecord:
    """The record with status DAMAGED, for the reason given."""
    return replace(record, status="DAMAGED", damage=damage)


def plain(value: Any) -> Any:
    """A stored value as plain JSON: NaN and infinities become None, tuples lists, what JSON has no word for a text."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    # Most values are simple ones, and a listing has a million of them: they cost no call.
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("py/tuple"), list):
            return plain(value["py/tuple"])
        return {
            str(key): each if type(each) in _SIMPLE or (type(each) is float and isfinite(each)) else plain(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def build_curve(steps: Any, values: Any) -> Curve:
    """A curve from stored lists; raises ValueError if they are not equally many numbers (values may be null)."""
    try:
        x, y = np.array(steps, dtype=np.float64), np.array(values, dtype=np.float64)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    if x.ndim != 1 or x.shape != y.shape or not (np.abs(x) < 2**63).all():
        raise ValueError("its steps and values are not two lists of equally many numbers")
    y[~np.isfinite(y)] = np.nan
    return Curve(x.astype(np.int64), y)


def md5_in(stored: Any) -> str:
    """The md5 of a source or resource as Sacred stores it, bare or at the end of its file name; empty if not there."""
    found = re.search(r"([0-9a-f]{32})(\.[^./]*)?$", str(stored))
    return found[1] if found else ""


def has_md5(content: bytes, md5: str) -> bool:
    """Whether a file's content is the one that was noted; where no md5 was noted it counts as that."""
    return not md5 or hashlib.md5(content, usedforsecurity=False).hexdigest() == md5


def fail_trace_text(stored: Any) -> str | None:
    """Sacred's list of traceback lines as one text."""
    return "".join(map(str, stored)) if isinstance(stored, list) else stored


def shown_status(
    status: str,
    start_time: datetime | None,
    heartbeat: datetime | None,
    host: Mapping[str, Any],
    meta: Mapping[str, Any],
    now: datetime,
) -> str:
    """The stored status, or LOST for a run that says RUNNING and is dead.

    That is one whose process was on this machine and has gone, or which gave no sign of life for three heartbeats.
    """
    last_sign = heartbeat or start_time
    if status != "RUNNING" or last_sign is None:
        return status
    process = host.get("process")
    if isinstance(process, dict) and is_gone(process):
        return "LOST"
    options = meta.get("options") or {}
    asked = options.get("--beat-interval", options.get("--beat_interval"))
    interval = DEFAULT_BEAT_INTERVAL if asked is None else float(asked)
    if interval <= 0:  # such a run gives no heartbeats
        return status
    return "LOST" if (now - last_sign).total_seconds() > BEATS_UNTIL_LOST * interval else status


def _whole_record(
    run_id: str, name: str, entry: dict[str, Any], config: Any, contents: Contents, now: datetime
) -> RunRecord:
    experiment = entry["experiment"]
    start_time, heartbeat = _time(entry, "start_time"), _time(entry, "heartbeat")
    meta = _typed(entry.get("meta") or {}, "meta", dict)
    host = _typed(entry.get("host") or {}, "host", dict)
    status = _typed(entry.get("status"), "status", str)
    return RunRecord(
        run_id=run_id,
        experiment=name,
        status=shown_status(status, start_time, heartbeat, host, meta, now),
        config=_typed(config, "the config", dict),
        result=_flat_result(entry.get("result")),
        start_time=start_time,
        stop_time=_time(entry, "stop_time"),
        heartbeat=heartbeat,
        host=host,
        meta=meta,
        packages=dict(_package(each) for each in experiment.get("dependencies") or []),
        repositories=[_repository(each) for each in experiment.get("repositories") or []],
        resources={str(path): md5_in(stored) for path, stored in entry.get("resources") or []},
        artifacts=tuple(sorted({_artifact_name(each) for each in entry.get("artifacts") or []})),
        contents=contents,
    )


def _typed(value: Any, what: str, kind: type[dict] | type[str]) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{what} is not {'a mapping' if kind is dict else 'a text'}, but {str(value)[:40]!r}")
    return value


def _time(entry: Mapping[str, Any], name: str) -> datetime | None:
    """A stored time, which Sacred writes in UTC without saying so."""
    value = entry.get(name)
    if value is None:
        return None
    time = value if isinstance(value, datetime) else datetime.fromisoformat(_typed(value, name, str))
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _flat_result(result: Any) -> dict[str, Any] | None:
    return result if result is None or isinstance(result, dict) else {"result": result}


def _package(stored: Any) -> tuple[str, str]:
    """From `numpy==2.0`, or from the pair that some observers store."""
    if not isinstance(stored, str):
        name, version = stored
        return str(name), str(version)
    name, _, version = stored.partition("==")
    return name, version


def _repository(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {key: stored.get(key) for key in ("url", "commit", "dirty")}


def _artifact_name(stored: Any) -> str:
    return _typed(stored["name"] if isinstance(stored, dict) else stored, "an artifact's name", str)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"it makes no sense as a run: {error!r}"
