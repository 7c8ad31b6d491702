"""What values a config key takes: a check gives None for a good value, and otherwise what would be right, in words."""

import difflib
from collections.abc import Callable
from typing import Any


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def integer(minimum: int, maximum: int | None = None) -> Callable[[Any], str | None]:
    """Whole numbers from `minimum` to `maximum`."""

    def check(value: Any) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and value >= minimum
        if good and (maximum is None or value <= maximum):
            return None
        return f"a whole number of at least {minimum}" + ("" if maximum is None else f" and at most {maximum}")

    return check


def number(minimum: float, below: float = float("inf"), open_minimum: bool = False) -> Callable[[Any], str | None]:
    """Finite numbers in [minimum, below), or in (minimum, below) with `open_minimum`."""

    def check(value: Any) -> str | None:
        if _is_number(value) and value < below and (value > minimum or (value == minimum and not open_minimum)):
            return None
        bound = f"a number {'above' if open_minimum else 'of at least'} {minimum:g}"
        return bound + ("" if below == float("inf") else f" and below {below:g}")

    return check


def fraction(value: Any) -> str | None:
    """Numbers above 0 and up to 1."""
    return None if _is_number(value) and 0 < value <= 1 else "a number above 0 and at most 1"


def one_of(*values: str) -> Callable[[Any], str | None]:
    """One of the given names."""

    def check(value: Any) -> str | None:
        if isinstance(value, str) and value in values:
            return None
        nearest = difflib.get_close_matches(str(value), values, 1)
        hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
        return f"one of {', '.join(map(repr, values))}{hint}"

    return check


def boolean(value: Any) -> str | None:
    """True or False."""
    return None if isinstance(value, bool) else "True or False"


def text(value: Any) -> str | None:
    """A text that is not empty."""
    return None if isinstance(value, str) and value else "a text"


def optional(check: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    """None, or what `check` takes."""

    def check_optional(value: Any) -> str | None:
        wanted = None if value is None else check(value)
        return wanted and f"None or {wanted}"

    return check_optional
