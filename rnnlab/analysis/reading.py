"""The parts of a record that are read on demand, empty where the store holds them damaged.

One unreadable file must not keep a thousand good runs from being compared: a run without curves is counted as one.
"""

from typing import Any

from rnnlab.errors import StoreError
from rnnlab.store.record import Curve, RunRecord


def curves_of(record: RunRecord) -> dict[str, Curve]:
    """The record's curves."""
    try:
        return record.curves
    except StoreError:
        return {}


def info_of(record: RunRecord) -> dict[str, Any]:
    """The record's info."""
    try:
        return record.info
    except StoreError:
        return {}


def story_of(record: RunRecord) -> dict[str, Any]:
    """The early-stopping story in the record's info."""
    story = info_of(record).get("early_stopping")
    return story if isinstance(story, dict) else {}


def environment_of(record: RunRecord) -> dict[str, Any]:
    """The threads, processors and times in the record's info."""
    environment = info_of(record).get("environment")
    return environment if isinstance(environment, dict) else {}


def resumed_run(record: RunRecord) -> str | None:
    """The id of the run from whose checkpoint this one went on; None if it started at the beginning."""
    origin = info_of(record).get("resumed_from")
    return str(origin["run_id"]) if isinstance(origin, dict) and "run_id" in origin else None


def sources_of(record: RunRecord) -> dict[str, str]:
    """The record's source files with their md5."""
    try:
        return record.sources
    except StoreError:
        return {}


def last_lines(record: RunRecord, n: int = 8) -> list[str]:
    """The last n lines of a run's traceback, or of what it printed where it has none."""
    try:
        text = record.fail_trace or record.captured_out
    except StoreError as error:
        return [str(error)]
    return [line.rstrip() for line in text.strip().splitlines()[-n:]]
