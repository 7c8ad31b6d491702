"""Lengths of sequences: one number for all of them, or one drawn for each from a range."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.tasks.arguments import is_whole


@dataclass(frozen=True, eq=False)
class Lengths:
    """The lengths of a set of sequences.

    by_sequence: (n_sequences,) int, real steps of each
    n_steps:     steps to which all of them are padded
    mask:        (n_sequences, n_steps) bool, True on the real steps; None if all lengths were given by one number
    """

    by_sequence: np.ndarray
    n_steps: int
    mask: np.ndarray | None


def length_range(n_steps: Any, minimum: int = 1) -> tuple[int, int]:
    """The smallest and the largest length that `n_steps`, a whole number or a pair (low, high), stands for.

    Raises RnnlabError unless `minimum <= low <= high`.
    """
    is_pair = isinstance(n_steps, list | tuple) and len(n_steps) == 2
    bounds = tuple(n_steps) if is_pair else (n_steps, n_steps)
    if not all(map(is_whole, bounds)) or bounds[0] < minimum:
        raise RnnlabError(
            f"n_steps = {n_steps!r}: must be a whole number of at least {minimum}, or a range [low, high] of two such"
        )
    if bounds[0] > bounds[1]:
        raise RnnlabError(f"n_steps = {n_steps!r}: the low end of the range must not exceed the high end")
    return int(bounds[0]), int(bounds[1])


def draw_lengths(rng: np.random.Generator, n_sequences: int, n_steps: Any, minimum: int = 1) -> Lengths:
    """Draw the length of each sequence uniformly from the range `n_steps`, both ends included.

    n_steps: a pair (low, high), or one whole number, with which nothing is drawn and the mask is None
    minimum: the smallest length that the task can have

    Sequences are padded to `high`, whatever was drawn, so that every split has the same shape.
    """
    low, high = length_range(n_steps, minimum)
    if is_whole(n_steps):
        return Lengths(np.full(n_sequences, high), high, None)
    lengths = rng.integers(low, high, size=n_sequences, endpoint=True)
    return Lengths(lengths, high, np.arange(high) < lengths[:, None])
