"""What became of a run, and the one number of it that a metric names."""

import math
from collections.abc import Sequence

import numpy as np

from rnnlab.analysis.groups import AnalysisError, nearest
from rnnlab.analysis.reading import curves_of, story_of
from rnnlab.store.record import Curve, RunRecord

OUTCOMES = ("completed", "diverged", "failed", "interrupted", "lost", "running", "other")

_OUTCOME_OF_STATUS = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "INTERRUPTED": "interrupted",
    "TIMEOUT": "interrupted",
    "LOST": "lost",
    "RUNNING": "running",
}
# Where on a curve its value is read: `valid.loss@last`. Without it: at the update with the best validation loss.
PLACES = ("best", "last", "min", "max")


def outcome(record: RunRecord) -> str:
    """One of `OUTCOMES`. A run that diverged or was asked to stop ends COMPLETED: its result says what happened."""
    found = _OUTCOME_OF_STATUS.get(record.status, "other")
    if found == "completed" and (record.result or {}).get("stop_reason") in ("diverged", "interrupted"):
        return str((record.result or {})["stop_reason"])
    return found


def metric_values(records: Sequence[RunRecord], metric: str) -> np.ndarray:
    """(n_records,) floats: `metric` of every completed run, NaN for the others and where it is missing.

    metric: a key of the result (`test_loss`), or a curve with an optional place: `valid.loss` (at the best validation
            loss), `valid.loss@last`, `@min`, `@max`, `@best`.

    Raises AnalysisError for a metric that is neither in any completed run's result nor one of its curves, naming the
    nearest ones, and for one that is no number.
    """
    completed = [record for record in records if outcome(record) == "completed"]
    if not completed:
        return np.full(len(records), np.nan)
    if any(metric in (record.result or {}) for record in completed):
        return np.array([_from_result(record, metric) for record in records])
    name, _, place = metric.partition("@")
    if place and place not in PLACES:
        raise AnalysisError(f"metric {metric!r}: after @ comes one of {', '.join(PLACES)}")
    if not any(name in curves_of(record) for record in completed):
        known = dict.fromkeys(key for record in completed for key in [*(record.result or {}), *curves_of(record)])
        raise AnalysisError(f"unknown metric {metric!r}: {nearest(name, known)}")
    return np.array([_from_curve(record, name, place or "best") for record in records])


def _from_result(record: RunRecord, metric: str) -> float:
    value = (record.result or {}).get(metric) if outcome(record) == "completed" else None
    if value is not None and not isinstance(value, int | float):
        raise AnalysisError(f"metric {metric!r} is {value!r} in run {record.run_id}: not a number to average")
    return math.nan if value is None or not math.isfinite(value) else float(value)


def _from_curve(record: RunRecord, name: str, place: str) -> float:
    if outcome(record) != "completed" or name not in curves_of(record):
        return math.nan
    value = curve_value(curves_of(record)[name], place, best_update(record) if place == "best" else None)
    return value if math.isfinite(value) else math.nan


def best_update(record: RunRecord) -> float | None:
    """The number of updates at the best validation loss: from the result, else from the early-stopping story."""
    value = (record.result or {}).get("best_update")
    if value is None:
        value = story_of(record).get("best_update")
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def curve_value(curve: Curve, place: str, best: float | None) -> float:
    """The value of a curve at `place`; `best` is the update of the best validation loss (None: the last one)."""
    if len(curve.values) == 0:
        return math.nan
    if place in ("min", "max"):
        finite = curve.values[np.isfinite(curve.values)]
        return float(getattr(finite, place)()) if len(finite) else math.nan
    if place == "best" and best is not None:
        return float(curve.values[int(np.argmin(np.abs(curve.steps - best)))])
    return float(curve.values[-1])
