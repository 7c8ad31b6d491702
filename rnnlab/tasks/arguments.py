"""Checks of a task's arguments: each raises RnnlabError with one line that names the argument and its value."""

from collections.abc import Sequence
from math import isfinite
from numbers import Integral, Real
from typing import Any

from rnnlab.errors import RnnlabError


def is_whole(value: Any) -> bool:
    """Whether `value` is a whole number (True and False are none)."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_whole(name: str, value: Any, minimum: int) -> int:
    """Return `value` if it is a whole number of at least `minimum`."""
    if not is_whole(value) or value < minimum:
        raise RnnlabError(f"{name} = {value!r}: must be a whole number of at least {minimum}")
    return int(value)


def check_number(name: str, value: Any, minimum: float = float("-inf"), open_minimum: bool = False) -> float:
    """Return `value` if it is a finite number of at least `minimum`, or above it with `open_minimum`."""
    finite = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
    if not finite or value < minimum or (open_minimum and value == minimum):
        bound = "" if minimum == float("-inf") else f" {'above' if open_minimum else 'of at least'} {minimum:g}"
        raise RnnlabError(f"{name} = {value!r}: must be a finite number{bound}")
    return float(value)


def check_one_of(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Accept one of `choices` only."""
    if value not in choices:
        raise RnnlabError(f"{name} = {value!r}: must be one of {', '.join(map(repr, choices))}")
