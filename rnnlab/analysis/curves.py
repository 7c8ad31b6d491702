"""What a learning-curve picture shows, as plain data: single runs, means over seeds with bands, marks and notes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnlab.analysis.groups import (
    AnalysisError,
    Group,
    group_records,
    legend_labels,
    mixing_notes,
    nearest,
    telling_notes,
)
from rnnlab.analysis.metrics import best_update, outcome
from rnnlab.analysis.reading import curves_of
from rnnlab.analysis.selection import usable_records
from rnnlab.analysis.statistics import t_half_width
from rnnlab.store.record import RunRecord

X_AXES = {"updates": "updates", "epoch": "epochs", "examples": "training sequences", "seconds": "seconds of training"}
# The t interval of two values is 13 of their standard deviations to each side: it covers the whole picture.
FEWEST_FOR_INTERVAL = 3
BANDS = ("interval", "sd", "range", "none")


@dataclass(frozen=True)
class RunCurve:
    """One metric of one run: finite points only, `smoothed` of the same length (None: no smoothing).

    `best` is the point at the best validation loss and `end` the last one, (x, y) or None. `averaged` says whether the
    run enters its group's mean: only completed runs do.
    """

    run_id: str
    x: np.ndarray
    y: np.ndarray
    smoothed: np.ndarray | None
    best: tuple[float, float] | None
    end: tuple[float, float] | None
    averaged: bool

    @property
    def line(self) -> np.ndarray:
        """The curve as it enters a mean."""
        return self.y if self.smoothed is None else self.smoothed


@dataclass(frozen=True)
class MeanCurve:
    """(n_points,) arrays: the mean of `n` runs and its band, where all of them are present."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int


@dataclass(frozen=True)
class GroupCurves:
    """One metric of one group; `mean` is None for fewer than two averaged runs."""

    label: str
    metric: str
    runs: tuple[RunCurve, ...]
    mean: MeanCurve | None


@dataclass(frozen=True)
class LearningCurves:
    """All curves of a picture, metrics innermost, and what its reader must know beside them.

    `labels` are the groups' short labels under the common title `legend_title` (empty if labels hold the keys too).
    """

    curves: tuple[GroupCurves, ...]
    labels: tuple[str, ...]
    legend_title: str
    metrics: tuple[str, ...]
    x_label: str
    notes: tuple[str, ...]


def extract_learning_curves(
    records: Sequence[RunRecord],
    by: str | Sequence[str] | None = None,
    metric: str | Sequence[str] = ("train.loss", "valid.loss"),
    x: str = "updates",
    smooth: float | None = None,
    band: str = "interval",
) -> LearningCurves:
    """The curves of each group (default: by all keys that vary and go with no other).

    x:      `updates`, `epoch`, `examples` or `seconds`
    smooth: s in [0, 1): m[k] = s m[k-1] + (1 - s) y[k], with m divided by 1 - s^k so that it starts unbiased
    band:   `interval` (95%, t; the range of two runs), `sd` (one standard deviation to each side), `range` or `none`

    A mean needs two completed runs. It covers the x that all of them reached; between a run's own points it is
    interpolated linearly. Raises AnalysisError for no runs, an unknown metric, key, axis or band.
    """
    metrics = (metric,) if isinstance(metric, str) else tuple(metric)
    usable, notes = usable_records(records)
    _check(usable, metrics, x, smooth, band)
    notes += telling_notes(usable, by)
    groups = group_records(usable, by)
    curves = []
    for group in groups:
        for name in metrics:
            runs = [curve for record in group.records if (curve := run_curve(record, name, x, smooth)) is not None]
            mean = mean_curve([run for run in runs if run.averaged], band)
            curves.append(GroupCurves(group.label, name, tuple(runs), mean))
    if not any(len(run.x) for curve in curves for run in curve.runs):
        raise AnalysisError(f"no run has a finite value of {' or '.join(metrics)}: there is nothing to draw")
    notes += curve_notes(groups, curves)
    if band == "interval" and any(c.mean is not None and c.mean.n < FEWEST_FOR_INTERVAL for c in curves):
        notes.append(f"of fewer than {FEWEST_FOR_INTERVAL} runs the band is their range")
    title, labels = legend_labels(groups)
    return LearningCurves(tuple(curves), tuple(labels), title, metrics, X_AXES[x], tuple(notes))


def run_curve(record: RunRecord, metric: str, x: str = "updates", smooth: float | None = None) -> RunCurve | None:
    """One curve of one run, or None if the run has none of that name or no finite point in it."""
    curve = curves_of(record).get(metric)
    if curve is None:
        return None
    finite = np.isfinite(curve.values)
    steps, y = curve.steps[finite].astype(float), curve.values[finite]
    if len(y) == 0:
        return None
    positions = steps if x == "updates" else _positions(record, steps, x)
    best, at = None, best_update(record)
    if at is not None:
        i = int(np.argmin(np.abs(steps - at)))
        best = (float(positions[i]), float(y[i]))
    end = (float(positions[-1]), float(y[-1]))
    averaged = outcome(record) == "completed"
    return RunCurve(record.run_id, positions, y, None if smooth is None else smoothed(y, smooth), best, end, averaged)


def smoothed(y: np.ndarray, s: float) -> np.ndarray:
    """The exponential moving average of `extract_learning_curves`, of the same length as y."""
    averages, m = np.empty(len(y)), 0.0
    for k, value in enumerate(y):
        m = s * m + (1 - s) * value
        averages[k] = m / (1 - s ** (k + 1))
    return averages


def mean_curve(runs: Sequence[RunCurve], band: str = "interval") -> MeanCurve | None:
    """Mean and band over the runs on the x that all of them cover; None for fewer than two runs, or no common x."""
    if len(runs) < 2:
        return None
    start, end = max(run.x[0] for run in runs), min(run.x[-1] for run in runs)
    grid = np.unique(np.concatenate([run.x for run in runs]))
    grid = grid[(grid >= start) & (grid <= end)]
    if len(grid) == 0:
        return None
    # Axes on which runs do not share their points (seconds) would give one grid point for each point of each run.
    most = max(len(run.x) for run in runs)
    if len(grid) > 2 * most:
        grid = np.linspace(start, end, most)
    values = np.array([np.interp(grid, run.x, run.line) for run in runs])
    mean = values.mean(axis=0)
    if band == "interval" and len(runs) >= FEWEST_FOR_INTERVAL:
        half = t_half_width(values)
        low, high = mean - half, mean + half
    elif band == "sd":
        low, high = mean - values.std(axis=0, ddof=1), mean + values.std(axis=0, ddof=1)
    elif band in ("range", "interval"):
        low, high = values.min(axis=0), values.max(axis=0)
    else:
        low = high = mean
    return MeanCurve(grid, mean, low, high, len(runs))


def _check(records: Sequence[RunRecord], metrics: Sequence[str], x: str, smooth: float | None, band: str) -> None:
    if x not in X_AXES:
        raise AnalysisError(f"x axis {x!r}: must be one of {', '.join(X_AXES)}")
    if band not in BANDS:
        raise AnalysisError(f"band {band!r}: must be one of {', '.join(BANDS)}")
    if smooth is not None and not 0 <= smooth < 1:
        raise AnalysisError(f"smooth {smooth!r}: must be at least 0 and below 1, such as 0.9")
    known = dict.fromkeys(name for record in records for name in curves_of(record))
    for name in metrics:
        if name not in known:
            raise AnalysisError(f"no run logged the metric {name!r}: {nearest(name, known)}")


def _positions(record: RunRecord, steps: np.ndarray, x: str) -> np.ndarray:
    axis = curves_of(record).get(x)
    if axis is None or len(axis.values) == 0:
        raise AnalysisError(f"run {record.run_id} did not log {x!r}: choose another x axis, such as updates")
    return np.interp(steps, axis.steps, axis.values)


def curve_notes(groups: Sequence[Group], curves: Sequence[GroupCurves]) -> list[str]:
    """What the means leave out: runs that did not complete, runs without a metric, the part after the shortest run."""
    notes = []
    if len(groups) > 1 or len(groups[0].records) > 1:
        found = [outcome(record) for group in groups for record in group.records]
        counts = [f"{found.count(name)} {name}" for name in dict.fromkeys(found) if name != "completed"]
        if counts:
            notes.append(f"drawn dotted and not averaged: {', '.join(counts)}")
    drawn: dict[str, int] = {}
    for curve in curves:
        drawn[curve.metric] = drawn.get(curve.metric, 0) + len(curve.runs)
    most = sum(len(group.records) for group in groups)
    notes += [f"{most - n} of {most} runs have no {metric}" for metric, n in drawn.items() if n < most]
    if any(c.mean is not None and c.mean.x[-1] < max(run.x[-1] for run in c.runs if run.averaged) for c in curves):
        notes.append("a mean ends where the shortest run of its group does")
    completed = [
        Group(group.key, tuple(record for record in group.records if outcome(record) == "completed"))
        for group in groups
    ]
    return notes + mixing_notes(completed)
