"""Copies runs between stores, whole, in either direction; a run is known by an id of its own, whatever its number."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rnnlab.errors import StoreError
from rnnlab.store import open_store
from rnnlab.store.record import RunRecord
from rnnlab.store.whole_run import COPYING, RunCopies
from rnnlab.store_address import Address

_NOT_OVER = ("RUNNING", "QUEUED")


@dataclass(frozen=True)
class Copied:
    """What became of a run.

    outcome:   `copied`; `updated`, for one that had come only half or has grown since; `present`, for one that was
               there already; `running`, for one left out because it goes on; `failed`
    target_id: its id in the target, None if it is not there
    reason:    why it failed
    """

    run_id: str
    outcome: str
    target_id: str | None = None
    reason: str = ""


def run_uid(record: RunRecord) -> str:
    """The run's own id, the same in every store.

    rnnlab writes one into `meta` when a run begins. A run of plain Sacred's gets one from what no copy changes: host,
    start (to the millisecond, which is what MongoDB keeps), experiment and config.
    """
    if uid := record.meta.get("uid"):
        return str(uid)
    start = record.start_time and _milliseconds(record.start_time)
    facts = [record.host.get("hostname"), start, record.experiment, record.config]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def copy_runs(
    source: Address, target: Address, records: Sequence[RunRecord], running: bool = False
) -> Iterator[Copied]:
    """Copy runs of one store into another, and say of each what became of it.

    A run keeps its id where that is free, and otherwise gets the next free number. One that is there already is left
    alone if it is whole and no older. `running`: copy also what goes on; copying again brings it up to date.

    Raises StoreError if a store cannot be reached or written, or another copy into the target is going on. A run that
    cannot be read is passed over as `failed`.
    """
    reading, writing = _copies(source), _copies(target)
    with writing.exclusive():
        there = {run_uid(record): record for record in open_store(target).find() if record.status != "DAMAGED"}
        for record in records:
            if record.status in _NOT_OVER and not running:
                yield Copied(record.run_id, "running")
                continue
            if record.status in ("DAMAGED", COPYING):
                reason = record.damage or "it is a copy that has not come to its end; copy it again from where it was"
                yield Copied(record.run_id, "failed", reason=reason)
                continue
            uid = run_uid(record)
            known = there.get(uid)
            if known is not None and not _is_behind(known, record):
                yield Copied(record.run_id, "present", known.run_id)
                continue
            try:
                run = reading.read(record.run_id).with_uid(uid)
                if known is None:
                    target_id = writing.add(run, record.run_id)
                    there[uid] = replace(record, run_id=target_id)
                else:
                    target_id = known.run_id
                    writing.update(target_id, run)
            except StoreError as error:
                yield Copied(record.run_id, "failed", reason=str(error))
            else:
                yield Copied(record.run_id, "copied" if known is None else "updated", target_id)


def _copies(address: Address) -> RunCopies:
    if address.is_mongo:
        from rnnlab.store.mongo_copies import MongoCopies  # only those with a database wait for pymongo's import

        return MongoCopies(address)
    from rnnlab.store.file_copies import FileCopies

    return FileCopies(address.path)


def _is_behind(known: RunRecord, record: RunRecord) -> bool:
    """Whether the copy came only half, or the run has gone on or got artifacts since."""
    artifacts = {name.replace("/", "_") for name in known.artifacts}
    return (
        known.status == COPYING
        or _last_sign(known) < _last_sign(record)
        or not {name.replace("/", "_") for name in record.artifacts} <= artifacts
    )


def _last_sign(record: RunRecord) -> tuple[bool, str]:
    """Whether the run is over, and when it was last heard of."""
    times = [record.start_time, record.heartbeat, record.stop_time]
    heard = [_milliseconds(time) for time in times if time is not None]
    return record.stop_time is not None, max(heard, default="")


def _milliseconds(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
