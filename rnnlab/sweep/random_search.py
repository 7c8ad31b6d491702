"""Random search: independent draws for each parameter, from a stream of its own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.random_streams import stream

DISTRIBUTIONS = ("uniform", "loguniform", "integers", "choice")

SIGNIFICANT_DIGITS = 8


@dataclass(frozen=True)
class Distribution:
    """What a parameter is drawn from.

    uniform, loguniform: arguments (low, high); a float from low to high, evenly on the scale or on its logarithm
    integers:            arguments (low, high); a whole number from low to high, both included
    choice:              arguments (value, value, ...); one of the values
    """

    kind: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class RandomSearch:
    """`n` points drawn for `seed`, each with a value for every parameter (by its dotted config key)."""

    n: int
    seed: int
    parameters: Mapping[str, Distribution]


def wrong_arguments(kind: str, arguments: Any) -> str | None:
    """None for good arguments of the distribution `kind`, otherwise what would be right."""
    if kind == "choice":
        return None if isinstance(arguments, list) and arguments else "a list of at least one value"
    types = int if kind == "integers" else (int, float)
    low_high = isinstance(arguments, list) and len(arguments) == 2
    if not low_high or not all(isinstance(bound, types) and not isinstance(bound, bool) for bound in arguments):
        return f"[low, high], two {'whole ' if kind == 'integers' else ''}numbers"
    low, high = arguments
    if not low < high:
        return "[low, high] with low below high"
    if kind == "loguniform" and low <= 0:
        return "[low, high] with low above 0"
    if kind == "integers" and (low < -(2**63) or high >= 2**63):
        return "[low, high] within 64 bits"
    return None


def draw_points(search: RandomSearch) -> list[dict[str, Any]]:
    """The points of a random search: n dicts of a value by dotted config key.

    A parameter's values depend on the seed, its key and its distribution alone: another parameter, or a larger n,
    changes none of them, and no two parameters share their draws.
    """
    columns = {
        key: _draw(distribution, search.n, stream(search.seed, f"sweep.{key}"))
        for key, distribution in search.parameters.items()
    }
    return [{key: values[i] for key, values in columns.items()} for i in range(search.n)]


def _draw(distribution: Distribution, n: int, rng: np.random.Generator) -> list[Any]:
    arguments = distribution.arguments
    if distribution.kind == "choice":
        return [arguments[i] for i in rng.integers(len(arguments), size=n)]
    low, high = arguments
    if distribution.kind == "integers":
        return rng.integers(low, high, size=n, endpoint=True).tolist()
    if distribution.kind == "loguniform":
        return [_rounded(math.exp(x), low, high) for x in rng.uniform(math.log(low), math.log(high), size=n)]
    return [_rounded(x, low, high) for x in rng.uniform(low, high, size=n)]


def _rounded(x: float, low: float, high: float) -> float:
    """Round, so that machines whose exp differs in the last bit draw the same configs, with the same variant keys."""
    return min(max(float(f"{x:.{SIGNIFICANT_DIGITS}g}"), float(low)), float(high))
