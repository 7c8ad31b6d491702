"""Which answers count as wrong, for the tasks whose authors say so."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnlab.tasks import marked_pairs, memorisation, random_permutation, temporal_order
from rnnlab.tasks.long_memory import TASKS, long_memory
from rnnlab.tasks.sequences import Sequences

CRITERIA: dict[Callable[..., Sequences], Callable[..., np.ndarray]] = {
    marked_pairs.adding: marked_pairs.is_wrong,
    marked_pairs.multiplication: marked_pairs.is_wrong,
    marked_pairs.xor: marked_pairs.is_wrong_bit,
    temporal_order.temporal_order: temporal_order.is_wrong,
    memorisation.memorisation: memorisation.is_wrong,
    random_permutation.random_permutation: random_permutation.is_wrong,
}


def wrong_answers(
    task: Callable[..., Sequences], arguments: Mapping[str, Any], outputs: np.ndarray, targets: np.ndarray
) -> np.ndarray | None:
    """Which sequences were answered wrongly, (n_sequences,) bool; None for a task that does not say what is wrong.

    arguments: the task's own; its criterion gets those that it has a parameter for, such as `version`

    A task has a criterion by its entry in `CRITERIA`, or by being an object, or a function with an attribute, that has
    `is_wrong(outputs, targets, ...)`.
    """
    if task is long_memory:
        task = TASKS[arguments["name"]]
        arguments = {name: value for name, value in arguments.items() if value is not None}
    criterion = getattr(task, "is_wrong", None) or CRITERIA.get(task)
    if criterion is None:
        return None
    taken = list(inspect.signature(criterion).parameters)[2:]
    return criterion(outputs, targets, **{name: arguments[name] for name in taken if name in arguments})
