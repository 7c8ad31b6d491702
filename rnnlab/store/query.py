"""Which runs a question means: ids that begin so, and filters on experiment, status and config."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnlab.errors import StoreError
from rnnlab.store.record import RunRecord, config_value

# The names of a run's own files, which no artifact may take, wherever the run is.
RUN_FILES = ("run.json", "config.json", "info.json", "metrics.json", "cout.txt")

_NOT_OVER = ("RUNNING", "QUEUED", "DAMAGED")
_SHOWN_CANDIDATES = 10


@dataclass(frozen=True)
class Query:
    """A checked question: the names of experiments and statuses (None: any), and {dotted key: values that fit}."""

    experiments: tuple[str, ...] | None
    statuses: tuple[str, ...] | None
    where: dict[str, list[Any]]

    def fits(self, record: RunRecord) -> bool:
        """Whether the run is one that is asked for."""
        return (
            (self.experiments is None or record.experiment in self.experiments)
            and (self.statuses is None or record.status in self.statuses)
            and all(_has(record.config, key, values) for key, values in self.where.items())
        )


def make_query(
    experiment: str | Sequence[str] | None, status: str | Sequence[str] | None, where: Mapping[str, Any] | None
) -> Query:
    """Check a question as `Store.find` takes it; raises StoreError for keys and values that no config can have."""
    statuses = _names("status", status)
    return Query(
        experiments=_names("experiment", experiment),
        statuses=None if statuses is None else tuple(name.upper() for name in statuses),
        where={_checked_key(key): _checked_values(key, value) for key, value in (where or {}).items()},
    )


def resolve_id(run_id: str | int, ids: Iterable[str], place: str) -> str:
    """The id that is `run_id`, or else the only one that begins so; raises StoreError if there is none, or several."""
    wanted = str(run_id)
    candidates = []
    for known in ids:
        if known == wanted:
            return known
        if wanted and known.startswith(wanted):
            candidates.append(known)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise StoreError(f"no run {wanted!r} in {place}")
    candidates.sort(key=by_number)
    more = len(candidates) - _SHOWN_CANDIDATES
    shown = ", ".join(candidates[:_SHOWN_CANDIDATES]) + (f" and {more} more" if more > 0 else "")
    raise StoreError(f"run {wanted!r} is not one run in {place}: it may be {shown}")


def by_number(run_id: str) -> tuple[bool, int, str]:
    """The order of ids: numbers by their size, then names."""
    number = run_id.isascii() and run_id.isdigit()
    return (not number, int(run_id) if number else 0, run_id)


def is_number_up_to(run_id: str, last: int) -> bool:
    """Whether an id is a number that is not above `last`."""
    return run_id.isascii() and run_id.isdigit() and int(run_id) <= last


def check_attachable(record: RunRecord, name: str) -> None:
    """Raises StoreError if the run may still be going on, or the name is not a plain file name."""
    if record.status in _NOT_OVER:
        raise StoreError(f"run {record.run_id} is {record.status}: artifacts are attached to runs that are over")
    if not is_plain_name(name):
        raise StoreError(f"artifact name {name!r}: must be a plain file name, such as curve.png")
    if name in RUN_FILES:
        raise StoreError(f"artifact name {name!r}: the run's own record is called so; choose another")


def is_plain_name(name: str) -> bool:
    """Whether a name, taken as a file's, stays in its folder."""
    return bool(name) and name not in (".", "..") and re.search(r"[/\\\0]", name) is None


def _names(what: str, given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Sequence | set | frozenset) or not all(isinstance(name, str) for name in names):
        raise StoreError(f"{what} {given!r}: must be a name, or a list of names")
    return tuple(names)


def _checked_key(key: Any) -> str:
    if not isinstance(key, str) or not all(key.split(".")) or any(part.startswith("$") for part in key.split(".")):
        raise StoreError(f"where: {key!r} is not a config key, such as model.n_hidden")
    return key


def _checked_values(key: str, value: Any) -> list[Any]:
    """The values of which one must fit."""
    values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    if not all(_is_plain(each) for each in values):
        raise StoreError(f"where: {key} can be a number, a text, true, false, none or a list of such, not {value!r}")
    return values


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, str | int | float)


def _has(config: Mapping[str, Any], key: str, values: list[Any]) -> bool:
    try:
        found = config_value(config, key)
    except KeyError:
        return False
    return any(same_value(found, value) for value in values)


def same_value(found: Any, value: Any) -> bool:
    """Equality of JSON: 1 is 1.0, but it is not true."""
    if isinstance(value, list | tuple):
        same_length = isinstance(found, list) and len(found) == len(value)
        return same_length and all(same_value(one, other) for one, other in zip(found, value, strict=True))
    return isinstance(found, bool) == isinstance(value, bool) and found == value
