"""Which runs a command is about: the options that choose them, and the choice."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from rnnlab.errors import RnnlabError
from rnnlab.store import Store
from rnnlab.store.listing import MISSING, OWN_FIELDS, field_names, run_field
from rnnlab.store.query import same_value
from rnnlab.store.record import RunRecord
from rnnlab.store.runs import Runs
from rnnlab.sweep.located_yaml import SpecificationError, parse_yaml

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or how it begins where that is enough.")]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="ADDRESS",
        help="Directory or mongodb://host:port/database.  [default: RNNLAB_STORE, or else results]",
    ),
]
ExperimentOption = Annotated[
    list[str] | None, typer.Option("--experiment", metavar="NAME", help="Only runs of this experiment; repeatable.")
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="STATUS", help="Only runs with this status, such as LOST; repeatable."),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Only runs that fit: model.n_hidden=10,20 or 'test_loss<0.1'; repeatable, and then all must hold.",
    ),
]
RunOption = Annotated[
    list[str] | None, typer.Option("--run", metavar="RUN", help="Only this run, by its id; repeatable.")
]
ByOption = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="KEY", help="Group by this config key; repeatable.  [default: all that vary]"),
]

STATUSES = ("COMPLETED", "RUNNING", "FAILED", "INTERRUPTED", "TIMEOUT", "QUEUED", "LOST", "DAMAGED", "COPYING")
_CONDITION = re.compile(r"\s*([^=<>!\s]+)\s*(!=|<=|>=|=|<|>)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Condition:
    """`key` `operator` one of the `values`; the operator is one of = != < <= > >=."""

    key: str
    operator: str
    values: list[Any]

    def fits(self, found: Any) -> bool:
        """Whether a run with this value fits; a run without the key fits no condition."""
        if found is MISSING:
            return False
        if self.operator in ("=", "!="):
            return any(_equal(found, value) for value in self.values) == (self.operator == "=")
        value = self.values[0]
        if isinstance(found, datetime):
            found, value = found.isoformat(), str(value)
        comparable = (isinstance(found, str) and isinstance(value, str)) or (_is_number(found) and _is_number(value))
        if not comparable:
            return False
        return {"<": found < value, "<=": found <= value, ">": found > value, ">=": found >= value}[self.operator]


def parse_condition(text: str) -> Condition:
    """`model.n_hidden=10,20` as a Condition; values are written as in a sweep.

    Raises RnnlabError for what is not a condition, and for values that no config can have.
    """
    parts = _CONDITION.fullmatch(text)
    if parts is None:
        raise RnnlabError(f"--where {text}: write KEY=VALUE, such as model.n_hidden=20; also != < <= > >=")
    key, operator, written = parts.groups()
    try:
        values = parse_yaml(f"[{written}]", lambda line: f"--where {text}").plain()
    except SpecificationError:
        values = [written.strip()]  # such as `a: b`, or half a list: a text
    if not all(_is_plain(value) for value in values):
        raise RnnlabError(f"--where {text}: a value is a number, a text, true, false, null or a list, not {written}")
    if operator not in ("=", "!=") and len(values) != 1:
        raise RnnlabError(f"--where {text}: write one value after {operator}")
    return Condition(key, operator, values or [""])


def select_runs(
    store: Store,
    experiment: Sequence[str] | None = None,
    status: Sequence[str] | None = None,
    where: Sequence[str] | None = None,
    run: Sequence[str] | None = None,
) -> Runs:
    """The runs that the options choose, by rising id.

    Raises RnnlabError for a condition that is none, and where nothing fits because no run of the store has such a name,
    status or key; it then names the nearest.
    """
    conditions = [parse_condition(text) for text in where or []]
    if run:
        chosen = {record.run_id: record for record in map(store.get, run)}
        records = Runs(
            record
            for record in chosen.values()
            if (not experiment or record.experiment in experiment)
            and (not status or record.status in [name.upper() for name in status])
        )
    else:
        records = store.find(experiment or None, status or None)
    if not records and (experiment or status):
        everything = store.find()
        _check_names("experiment", experiment, {record.experiment for record in everything})
        _check_names("status", [name.upper() for name in status or []], STATUSES)
    if not conditions:
        return records
    check_keys([condition.key for condition in conditions], records)
    return Runs(
        record
        for record in records
        if all(condition.fits(run_field(record, condition.key)) for condition in conditions)
    )


def check_keys(keys: Iterable[str], records: Sequence[RunRecord]) -> None:
    """Raise RnnlabError, naming the nearest, for a key that none of the runs has; if there are no runs, for none."""
    for key in keys:
        if records and key not in OWN_FIELDS and all(run_field(record, key) is MISSING for record in records):
            raise RnnlabError(f"unknown key {key!r}: {_nearest(key, field_names(records))}")


def split_names(names: Sequence[str] | None) -> list[str]:
    """`["a,b", "c"]` as `["a", "b", "c"]`: several names in one option or in several."""
    return [name.strip() for text in names or [] for name in text.split(",") if name.strip()]


def _check_names(what: str, asked: Sequence[str] | None, known: Iterable[str]) -> None:
    known = sorted(known)
    for name in asked or []:
        if known and name not in known:
            raise RnnlabError(f"unknown {what} {name!r}: {_nearest(name, known)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    close = difflib.get_close_matches(name, known, 3, cutoff=0.6)
    close += [other for other in known if other.rpartition(".")[2] == name.rpartition(".")[2] and other not in close]
    if close:
        return f"did you mean {' or '.join(close[:3])}?"
    return f"known are {', '.join(known[:12])}{' ...' if len(known) > 12 else ''}"


def _equal(found: Any, value: Any) -> bool:
    if isinstance(found, str) and _is_number(value):  # an id, or a text that looks like a number
        return found == str(value)
    return same_value(found, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def started_order(record: RunRecord) -> tuple[bool, str]:
    """Sorts runs by when they started, those that do not say first."""
    return record.start_time is not None, "" if record.start_time is None else record.start_time.isoformat()
