"""Compare groups of runs: counts, means over seeds with intervals, naive baselines, and tests against a baseline."""

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnnlab.analysis.baseline import baseline_groups, baseline_values, paired_differences
from rnnlab.analysis.groups import (
    EXPERIMENT,
    AnalysisError,
    Group,
    data_seed_of,
    format_value,
    group_records,
    mixing_notes,
    resolve_keys,
    short_names,
    telling_notes,
    varying_keys,
)
from rnnlab.analysis.metrics import OUTCOMES, metric_values, outcome
from rnnlab.analysis.selection import listed, usable_records
from rnnlab.analysis.statistics import INTERVALS, TESTS, compare_paired, summarise
from rnnlab.store.record import RunRecord

# Resampling few values shows less than their spread: T. Hesterberg, "What Teachers Should Know About the Bootstrap",
# The American Statistician 69(4), 2015.
FEW_FOR_BOOTSTRAP = 10


@dataclass(frozen=True)
class Comparison:
    """A comparison and what a reader must know beside its table.

    table: a row for each group, and for each naive baseline (column `kind`: "runs" or "naive"), the best mean first.
           Columns: `group` (a label), `kind`, one for each key of `by`, `runs`, one for each outcome of
           `metrics.OUTCOMES`, `n` (runs in the mean), `mean`, `sd`, `low`, `high`, `median`, `best`; with a baseline
           also `pairs`, `difference`, `difference_low`, `difference_high`, `p_value`, `p_corrected`, `verdict`.
    notes: one line each: what was left out, and which groups mix runs that are not alike.
    """

    table: pd.DataFrame
    by: tuple[str, ...]
    metric: str
    level: float
    interval: str
    test: str
    baseline: str | None
    notes: tuple[str, ...]

    @property
    def interval_name(self) -> str:
        """`95% interval (t)`: what the columns low and high are."""
        return f"{100 * self.level:g}% interval ({self.interval})"


def compare(
    records: Sequence[RunRecord],
    by: str | Sequence[str] | None = None,
    metric: str = "test_loss",
    baseline: str | Mapping[str, Any] | None = None,
    interval: str = "t",
    test: str = "permutation",
    level: float = 0.95,
    lower_is_better: bool = True,
) -> pd.DataFrame:
    """The table of `compare_groups`; its notes are issued as warnings and kept in `.attrs["notes"]`."""
    comparison = compare_groups(records, by, metric, baseline, interval, test, level, lower_is_better)
    for note in comparison.notes:
        warnings.warn(note, stacklevel=2)
    table = comparison.table.copy()
    table.attrs["notes"] = list(comparison.notes)
    return table


def compare_groups(
    records: Sequence[RunRecord],
    by: str | Sequence[str] | None = None,
    metric: str = "test_loss",
    baseline: str | Mapping[str, Any] | None = None,
    interval: str = "t",
    test: str = "permutation",
    level: float = 0.95,
    lower_is_better: bool = True,
) -> Comparison:
    """Group the runs and say of each group how it did in `metric`. Only completed runs enter a mean.

    by:       config keys to group by; default: all that vary and go with no other one (`groups.telling_keys`)
    metric:   a key of the result, or a curve (`metrics.metric_values`); infinite and missing values are left out
    baseline: `model.n_hidden=20` (or a dict): the groups that the others are compared with, paired by seed; where other
              keys vary too, each group is compared with the baseline that agrees with it in those
    interval: of the mean, `t` or `bootstrap`
    test:     `permutation` or `wilcoxon`, two-sided; p-values are Holm-corrected over all comparisons

    Raises AnalysisError for no runs, an unknown key, metric or baseline, or a bad option.
    """
    _check_options(interval, test, level)
    usable, notes = usable_records(records)
    if by is None and baseline is not None and not set(baseline_values(baseline)) <= set(resolve_keys(usable, None)):
        by = varying_keys(usable)  # one that goes with another key is asked for
    keys = resolve_keys(usable, by)
    notes += telling_notes(usable, by)
    groups = group_records(usable, keys)
    if len(usable) == 1:
        notes.append("one run only: nothing to average it with, and nothing to compare it with")
    of_record = dict(zip(map(id, usable), metric_values(usable, metric), strict=True))
    values = [np.array([of_record[id(record)] for record in group.records]) for group in groups]
    if not np.isfinite(list(of_record.values())).any():
        notes.append(f"no completed run has a value of {metric}")
    notes += _missing_notes(groups, values, metric)
    if interval == "bootstrap" and any(1 < np.isfinite(v).sum() < FEW_FOR_BOOTSTRAP for v in values):
        notes.append(f"bootstrap intervals of fewer than {FEW_FOR_BOOTSTRAP} values are too narrow: t is safer there")
    rows = [_row(group, v, level, interval, lower_is_better) for group, v in zip(groups, values, strict=True)]
    if baseline is not None:
        _add_comparisons(rows, groups, values, baseline, level, interval, test, lower_is_better)
    naive, naive_notes = _naive_rows(usable, keys, metric, level, interval)
    notes += naive_notes + mixing_notes([_completed_part(group) for group in groups])
    table = _frame(rows + naive, keys)
    order = table["mean"].to_numpy() * (1 if lower_is_better else -1)
    table = table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    label = baseline if baseline is None or isinstance(baseline, str) else _assignments(baseline)
    return Comparison(table, keys, metric, level, interval, test, label, tuple(notes))


def _check_options(interval: str, test: str, level: float) -> None:
    if interval not in INTERVALS:
        raise AnalysisError(f"interval {interval!r}: must be one of {', '.join(INTERVALS)}")
    if test not in TESTS:
        raise AnalysisError(f"test {test!r}: must be one of {', '.join(TESTS)}")
    if not 0 < level < 1:
        raise AnalysisError(f"level {level!r}: must be between 0 and 1, such as 0.95")


def _missing_notes(groups: Sequence[Group], values: Sequence[np.ndarray], metric: str) -> list[str]:
    notes = []
    for group, v in zip(groups, values, strict=True):
        missing = [
            record.run_id
            for record, value in zip(group.records, v, strict=True)
            if outcome(record) == "completed" and math.isnan(value)
        ]
        if missing and len(missing) < sum(outcome(record) == "completed" for record in group.records):
            notes.append(f"{group.label}: completed runs without a finite {metric}, left out: {listed(missing)}")
    return notes


def _row(group: Group, values: np.ndarray, level: float, interval: str, lower_is_better: bool) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    outcomes = [outcome(record) for record in group.records]
    row: dict[str, Any] = {"group": group.label, "kind": "runs", **group.key, "runs": len(group.records)}
    row.update({name: outcomes.count(name) for name in OUTCOMES})
    row.update(vars(summarise(finite, level, interval)))
    row["best"] = math.nan if len(finite) == 0 else float(finite.min() if lower_is_better else finite.max())
    return row


def _frame(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> pd.DataFrame:
    """The rows as a frame: counts are whole numbers (0 in the naive rows), key values stay as they are."""
    columns = list(rows[0])
    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in columns}, dtype=object)
    for name in columns:
        if name in ("runs", "n", "pairs", *OUTCOMES):
            frame[name] = [row.get(name, 0) for row in rows]
        elif name in ("group", "kind", "verdict"):
            frame[name] = [row.get(name, "") for row in rows]
        elif name not in keys:
            frame[name] = np.array([row.get(name, math.nan) for row in rows], dtype=float)
    return frame


def _completed_part(group: Group) -> Group:
    """The runs that enter the mean: only those must be alike."""
    return Group(group.key, tuple(record for record in group.records if outcome(record) == "completed"))


def _add_comparisons(
    rows: list[dict[str, Any]],
    groups: Sequence[Group],
    values: Sequence[np.ndarray],
    baseline: str | Mapping[str, Any],
    level: float,
    interval: str,
    test: str,
    lower_is_better: bool,
) -> None:
    partners = baseline_groups(groups, baseline)
    compared = {i: partner for i, partner in enumerate(partners) if partner is not None and partner != i}
    differences = [
        paired_differences(groups[i].records, values[i], groups[partner].records, values[partner])
        for i, partner in compared.items()
    ]
    results = dict(zip(compared, compare_paired(differences, level, interval, test, lower_is_better), strict=True))
    for i, row in enumerate(rows):
        found = results.get(i)
        row["pairs"] = found.n if found else 0
        row["difference"] = found.difference if found else math.nan
        row["difference_low"] = found.low if found else math.nan
        row["difference_high"] = found.high if found else math.nan
        row["p_value"] = found.p_value if found else math.nan
        row["p_corrected"] = found.p_corrected if found else math.nan
        row["verdict"] = found.verdict if found else ("baseline" if partners[i] == i else "no baseline to compare with")


def _naive_rows(
    records: Sequence[RunRecord], keys: Sequence[str], metric: str, level: float, interval: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each naive predictor that the runs recorded, per task and data among the groups.

    Runs with the same task, data and seed have seen the same test sequences: they count once.
    """
    completed = [record for record in records if outcome(record) == "completed"]
    prefix, notes = metric, []
    if metric == "test_loss" and completed:
        if all(_loss_is_mse(record) for record in completed):
            prefix = "test_mse"
        elif _predictors(completed, "test_mse"):
            notes.append("naive baselines are known for test_mse, which is not test_loss here: compare by test_mse")
    data_keys = [key for key in keys if key == EXPERIMENT or key.startswith(("task.", "data."))]
    rows = []
    for group in group_records(completed, data_keys):
        one_per_data = list({data_seed_of(record): record for record in group.records}.values())
        for key, label in _predictors(completed, prefix).items():
            found = metric_values(one_per_data, key)
            found = found[np.isfinite(found)]
            if len(found):
                full_label = f"{label} ({group.label})" if data_keys else label
                row = {"group": full_label, "kind": "naive", **{k: group.key.get(k) for k in keys}}
                rows.append({**row, **vars(summarise(found, level, interval)), "best": math.nan})
    return rows, notes


def _loss_is_mse(record: RunRecord) -> bool:
    result = record.result or {}
    loss, mse = result.get("test_loss"), result.get("test_mse")
    return loss is not None and mse is not None and math.isclose(loss, mse, rel_tol=1e-3)


def _predictors(records: Sequence[RunRecord], prefix: str) -> dict[str, str]:
    """Result keys of naive predictors with their labels: `<prefix>_mean_predictor` -> `predict the mean`."""
    labels = {"mean": "predict the mean", "ridge": "ridge regression"}
    pattern = re.compile(re.escape(prefix) + r"_(\w+)_predictor")
    found = {}
    for key in dict.fromkeys(key for record in records for key in record.result or {}):
        if match := pattern.fullmatch(key):
            found[key] = labels.get(match[1], match[1].replace("_", " "))
    if prefix == "test_mse" and any("noise_floor" in (record.result or {}) for record in records):
        found["noise_floor"] = "noise floor"
    return found


def _assignments(baseline: Mapping[str, Any]) -> str:
    return ", ".join(f"{short_names([key])[key]}={format_value(value)}" for key, value in baseline.items())
