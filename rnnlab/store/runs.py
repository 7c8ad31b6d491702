"""A list of runs, and how Jupyter shows it and a single run. Whatever a store holds is escaped."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from rnnlab.store.listing import (
    MISSING,
    OWN_FIELDS,
    flat_items,
    main_results,
    run_field,
    short_names,
    varying_keys,
)
from rnnlab.store.record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 100


class Runs(list[RunRecord]):
    """Runs, as `Store.find` gives them: a list that Jupyter shows as a table."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> RunRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "Runs": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "RunRecord | Runs":
        found = super().__getitem__(index)
        return Runs(found) if isinstance(found, list) else found

    def to_pandas(self) -> "pd.DataFrame":
        """A row for each run: `id`, `experiment`, `status`, `started`, `stopped`, `seconds`, then `config.KEY` for
        every config key and `result.KEY` for every result.
        """
        import pandas as pd  # loads slowly

        keys = dict.fromkeys(f"config.{key}" for record in self for key, _ in flat_items(record.config))
        results = dict.fromkeys(f"result.{key}" for record in self for key in record.result or {})
        names = [*OWN_FIELDS, *keys, *results]
        rows = [[_or_none(run_field(record, name)) for name in names] for record in self]
        return pd.DataFrame(rows, columns=names)

    def _repr_html_(self) -> str:
        keys, results = varying_keys(self), main_results(self)
        experiments = list(dict.fromkeys(record.experiment for record in self if record.experiment))
        own = ["id", *(["experiment"] if len(experiments) > 1 else []), "status", "started"]
        head = [*own, *short_names([*keys, *results])]
        columns = [*own, *(f"config.{key}" for key in keys), *(f"result.{key}" for key in results)]
        rows = [[run_field(record, column) for column in columns] for record in self[:_MOST_ROWS]]
        more = f"<p>and {len(self) - _MOST_ROWS} more</p>" if len(self) > _MOST_ROWS else ""
        of = f" of {experiments[0]}" if len(experiments) == 1 else ""
        statuses = ", ".join(f"{n} {status}" for status, n in Counter(record.status for record in self).items())
        words = escape(f"{len(self)} run{'s' * (len(self) != 1)}{of}{': ' if statuses else ''}{statuses}")
        return f"<p>{words}</p>{_table(rows, head)}{more}"


def run_html(record: RunRecord) -> str:
    """A run as a heading and two tables, its result and its config."""
    words = [f"run {record.run_id}", record.experiment, record.status, record.damage or "", _text(record.start_time)]
    heading = " &middot; ".join(escape(word) for word in words if word)
    result = _table(list((record.result or {}).items()), ["result", ""])
    return f"<p><b>{heading}</b></p>{result}{_table(list(flat_items(record.config)), ['config', ''])}"


def _table(rows: Sequence[Iterable[Any]], head: Sequence[str]) -> str:
    def cells(tag: str, values: Iterable[Any]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(_text(value))}</{tag}>" for value in values) + "</tr>"

    return f'<table style="white-space: nowrap">{cells("th", head)}{"".join(cells("td", row) for row in rows)}</table>'


def _text(value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _or_none(value: Any) -> Any:
    return None if value is MISSING else value
