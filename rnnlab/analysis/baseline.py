"""Which group each group is compared with, and the differences between the two, paired by seed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml

from rnnlab.analysis.groups import AnalysisError, Group, nearest, seed_of
from rnnlab.store.record import RunRecord


def parse_assignments(text: str) -> dict[str, Any]:
    """`model.n_hidden=20, training.optimizer=adam` as a dict; values are read as YAML. Raises AnalysisError."""
    assignments = {}
    for part in re.split(r",(?=[^,=]*=)", text):  # a comma inside a list value separates nothing
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise AnalysisError(f"baseline {text!r}: write it as KEY=VALUE, such as model.n_hidden=20")
        try:
            assignments[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            assignments[key.strip()] = value.strip()
    return assignments


def baseline_values(baseline: str | Mapping[str, Any]) -> dict[str, Any]:
    """The keys and values that make a group a baseline. Raises AnalysisError."""
    return parse_assignments(baseline) if isinstance(baseline, str) else dict(baseline)


def baseline_groups(groups: Sequence[Group], baseline: str | Mapping[str, Any]) -> list[int | None]:
    """For each group the index of the one it is compared with; a baseline's is its own, None is no counterpart.

    Where one group only has the baseline's values, it is everybody's baseline. Where several have (other keys vary
    too), a group is compared with the one that agrees with it in all the other keys.

    Raises AnalysisError for a key that the groups do not have, naming the nearest, and for values that no group has.
    """
    wanted = baseline_values(baseline)
    known = list(groups[0].key)
    for key in wanted:
        if key not in known:
            raise AnalysisError(f"baseline key {key!r} is not one the groups differ in: {nearest(key, known)}")
    matching = [i for i, group in enumerate(groups) if all(_same(group.key[k], v) for k, v in wanted.items())]
    if not matching:
        raise AnalysisError(
            f"baseline {baseline!r} matches no group; there are: " + "; ".join(group.label for group in groups[:8])
        )
    if len(matching) == 1:
        return [matching[0]] * len(groups)
    others = [key for key in known if key not in wanted]
    by_others = {tuple(groups[i].key[key] for key in others): i for i in matching}
    return [by_others.get(tuple(group.key[key] for key in others)) for group in groups]


def paired_differences(
    records: Sequence[RunRecord], values: np.ndarray, baseline_records: Sequence[RunRecord], baseline_values: np.ndarray
) -> np.ndarray:
    """(n_seeds,): mean value minus mean baseline value for each (seed, data.seed) that both have, NaNs left out."""
    ours = _mean_by_seed(records, values)
    theirs = _mean_by_seed(baseline_records, baseline_values)
    return np.array([ours[seed] - theirs[seed] for seed in ours if seed in theirs])


def _mean_by_seed(records: Sequence[RunRecord], values: np.ndarray) -> dict[tuple, float]:
    collected: dict[tuple, list[float]] = {}
    for record, value in zip(records, values, strict=True):
        if np.isfinite(value):
            collected.setdefault(seed_of(record), []).append(float(value))
    return {seed: float(np.mean(found)) for seed, found in collected.items()}


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        wanted = tuple(wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, int | float) and isinstance(wanted, str):
        try:  # YAML reads 1e-3 as text
            return value == float(wanted)
        except ValueError:
            return False
    return value == wanted or str(value) == str(wanted)
