"""What the pictures of a metric against config keys show, as plain data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlab.analysis.groups import (
    AnalysisError,
    config_of,
    format_value,
    group_records,
    legend_labels,
    resolve_keys,
    sort_key,
    varying_keys,
)
from rnnlab.analysis.metrics import OUTCOMES, metric_values
from rnnlab.analysis.selection import usable_records
from rnnlab.analysis.statistics import Summary, summarise
from rnnlab.store.record import RunRecord

# Comparisons are frames, and pandas loads slowly: the picture of one run's learning curves does without.
if TYPE_CHECKING:
    from rnnlab.analysis.comparison import Comparison


@dataclass(frozen=True)
class MetricSeries:
    """One line of `plot_metric`: for each of `values` of the key the runs' numbers and their summary."""

    label: str
    values: tuple[Any, ...]
    runs: tuple[np.ndarray, ...]
    summaries: tuple[Summary, ...]


@dataclass(frozen=True)
class MetricData:
    """`plot_metric`'s data: series under a common `legend_title`, naive baselines (label, value), and notes."""

    series: tuple[MetricSeries, ...]
    legend_title: str
    naive: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class HeatmapData:
    """(len(values_y), len(values_x)) `mean` over each cell's runs, NaN where there are none, and their number `n`."""

    values_x: tuple[Any, ...]
    values_y: tuple[Any, ...]
    mean: np.ndarray
    n: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ParallelAxis:
    """One axis of the parallel coordinates: each run's place in [0, 1], and the ticks (place, label)."""

    name: str
    places: np.ndarray
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class ParallelData:
    """An axis for each key and one for the metric, and the metric's value of each run (NaN without one)."""

    axes: tuple[ParallelAxis, ...]
    values: np.ndarray
    notes: tuple[str, ...]


def extract_metric(
    records: Sequence[RunRecord],
    key: str,
    metric: str = "test_loss",
    by: str | Sequence[str] | None = (),
    interval: str = "t",
) -> MetricData:
    """`metric` of completed runs against the config key, a series for each combination of the keys `by`.

    Raises AnalysisError as `compare_groups` does.
    """
    from rnnlab.analysis.comparison import compare_groups

    usable, _ = usable_records(records)
    keys = tuple(name for name in resolve_keys(usable, by) if name != key)
    comparison = compare_groups(records, (key, *keys), metric, interval=interval)
    of_record = dict(zip(map(id, usable), metric_values(usable, metric), strict=True))
    groups = group_records(usable, keys)
    title, labels = legend_labels(groups)
    series = []
    for group, label in zip(groups, labels, strict=True):
        found: list[tuple[Any, np.ndarray]] = []
        for cell in group_records(group.records, key):
            numbers = np.array([of_record[id(record)] for record in cell.records])
            found.append((cell.key[key], numbers[np.isfinite(numbers)]))
        found = [(value, numbers) for value, numbers in found if len(numbers)]
        summaries = tuple(summarise(numbers, interval=interval) for _, numbers in found)
        series.append(MetricSeries(label, tuple(v for v, _ in found), tuple(r for _, r in found), summaries))
    if not any(one.values for one in series):
        raise AnalysisError(f"no completed run has a value of {metric}: there is nothing to draw")
    naive = comparison.table[comparison.table["kind"] == "naive"]
    return MetricData(
        tuple(series),
        title,
        tuple(zip(naive["group"], map(float, naive["mean"]), strict=True)),
        _unaveraged(comparison),
    )


def extract_heatmap(records: Sequence[RunRecord], key_x: str, key_y: str, metric: str = "test_loss") -> HeatmapData:
    """The mean of `metric` over the completed runs of each pair of values. Raises AnalysisError as `compare_groups`."""
    from rnnlab.analysis.comparison import compare_groups

    comparison = compare_groups(records, (key_x, key_y), metric)
    table = comparison.table[comparison.table["kind"] == "runs"]
    if not (table["n"] > 0).any():
        raise AnalysisError(f"no completed run has a value of {metric}: there is nothing to draw")
    values_x = sorted(set(table[key_x]), key=sort_key)
    values_y = sorted(set(table[key_y]), key=sort_key)
    mean = np.full((len(values_y), len(values_x)), np.nan)
    n = np.zeros(mean.shape, dtype=int)
    for x, y, cell_mean, cell_n in zip(table[key_x], table[key_y], table["mean"], table["n"], strict=True):
        cell = values_y.index(y), values_x.index(x)
        mean[cell], n[cell] = cell_mean, cell_n
    return HeatmapData(tuple(values_x), tuple(values_y), mean, n, _unaveraged(comparison))


def extract_parallel(
    records: Sequence[RunRecord], keys: Sequence[str] | None = None, metric: str = "test_loss"
) -> ParallelData:
    """A line for each run over the keys (default: all that vary) and the metric.

    Numbers lie on their axis by size, on a logarithmic scale if all are positive and span a factor of 10 or more;
    other values lie at equal distances. Raises AnalysisError for an unknown key or metric, and without any key.
    """
    usable, notes = usable_records(records)
    names = varying_keys(usable) if keys is None else resolve_keys(usable, keys)
    if not names:
        raise AnalysisError("no config key varies over these runs: name the keys to draw")
    values = metric_values(usable, metric)
    if not np.isfinite(values).any():
        raise AnalysisError(f"no completed run has a value of {metric}: there is nothing to draw")
    configs = [config_of(record) for record in usable]
    axes = [_axis(name, [config.get(name) for config in configs]) for name in names]
    axes.append(_axis(metric, [None if math.isnan(value) else float(value) for value in values], measured=True))
    without = int(np.isnan(values).sum())
    if without:
        notes.append(f"{without} of {len(usable)} runs have no {metric} (not completed, or not finite): grey")
    return ParallelData(tuple(axes), values, tuple(notes))


def _axis(name: str, values: Sequence[Any], measured: bool = False) -> ParallelAxis:
    """`measured` axes may have runs without a value (place NaN); a config value of None is a value like any other."""
    present = [v for v in values if v is not None] if measured else list(values)
    distinct = sorted(set(present), key=sort_key)
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in distinct)
    if not numeric or len(distinct) == 1:
        spacing = max(len(distinct) - 1, 1)
        place = {v: i / spacing if len(distinct) > 1 else 0.5 for i, v in enumerate(distinct)}
    else:
        scale = math.log if distinct[0] > 0 and distinct[-1] >= 10 * distinct[0] else float
        low, high = scale(distinct[0]), scale(distinct[-1])
        place = {v: (scale(v) - low) / (high - low) for v in distinct}
    shown = (
        distinct if len(distinct) <= 7 and not measured else [distinct[0], distinct[len(distinct) // 2], distinct[-1]]
    )
    ticks = tuple((place[v], f"{v:.3g}" if measured else format_value(v)) for v in dict.fromkeys(shown))
    return ParallelAxis(name, np.array([place.get(v, math.nan) for v in values]), ticks)


def _unaveraged(comparison: "Comparison") -> tuple[str, ...]:
    """The comparison's notes, after what became of the runs that are in no mean."""
    table = comparison.table
    counts = {name: int(table[name].sum()) for name in OUTCOMES if name != "completed"}
    left_out = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return ((f"not averaged: {left_out}",) if left_out else ()) + comparison.notes
