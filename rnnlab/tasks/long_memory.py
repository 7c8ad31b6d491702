"""The long-memory tasks under one name each, so that one experiment can have any of them."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.tasks.arguments import check_one_of
from rnnlab.tasks.marked_pairs import adding, multiplication, xor
from rnnlab.tasks.memorisation import memorisation
from rnnlab.tasks.random_permutation import random_permutation
from rnnlab.tasks.sequences import Sequences
from rnnlab.tasks.temporal_order import temporal_order

TASKS: dict[str, Callable[..., Sequences]] = {
    "adding": adding,
    "multiplication": multiplication,
    "xor": xor,
    "temporal_order": temporal_order,
    "memorisation": memorisation,
    "random_permutation": random_permutation,
}


def long_memory(
    rng: np.random.Generator,
    n_sequences: int,
    *,
    name: str = "temporal_order",
    n_steps: Any = (20, 50),
    n_symbols: int | None = None,
    version: str | None = None,
    n_values: int | None = None,
    n_positions: int | None = None,
) -> Sequences:
    """Draw sequences of the task `name`: one of `TASKS`, whose functions say what they are.

    n_steps: steps of each sequence, or a range (low, high), both included, to draw each length from

    The other arguments are the task's own; None stands for its default. Raises RnnlabError for an unknown task, for an
    argument that the task does not have, and for what the task itself refuses.
    """
    check_one_of("name", name, tuple(TASKS))
    task = TASKS[name]
    own = {"n_symbols": n_symbols, "version": version, "n_values": n_values, "n_positions": n_positions}
    given = {argument: value for argument, value in own.items() if value is not None}
    known = inspect.signature(task).parameters
    for argument, value in given.items():
        if argument not in known:
            raise RnnlabError(f"{argument} = {value!r}: the task {name!r} has no such argument; leave it None")
    return task(rng, n_sequences, n_steps=n_steps, **given)
