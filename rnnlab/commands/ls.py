"""`rnnlab ls`: a table of runs."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnlab.commands.selection import ExperimentOption, StatusOption, StoreOption, WhereOption

if TYPE_CHECKING:
    from rnnlab.store.record import RunRecord

_MOST_DAMAGE = 5  # runs of which it is said why they are damaged
_ALWAYS = ("id", "status")


def ls(
    store: StoreOption = None,
    experiment: ExperimentOption = None,
    status: StatusOption = None,
    where: WhereOption = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Sort by a config key, a result, or id, experiment, status, started, seconds."
        ),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="The largest, or the newest, first.")] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY,...", help="The columns to show.  [default: what varies, and the main results]"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many runs: the newest, or with --sort the first.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print everything that is known of each run as JSON.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the columns as CSV, with every digit.")] = False,
) -> None:
    """List runs.

    By default the columns are the config keys that vary and the main results; those that do not fit into the
    terminal's width are named below the table.
    """
    from rnnlab.commands.selection import check_keys, select_runs, split_names, started_order
    from rnnlab.store import open_store

    if json_ and csv:
        raise typer.BadParameter("give --json or --csv")
    opened = open_store(store)
    records = list(select_runs(opened, experiment, status, where))
    shown = split_names(columns)
    check_keys([*shown, *([sort] if sort else [])], records)
    n_found = len(records)
    if limit is not None and sort is None:
        newest = sorted(records, key=started_order)[-limit:]
        chosen = {record.run_id for record in newest}
        records = [record for record in records if record.run_id in chosen]
    if sort is not None:
        records = _sorted(records, sort, reverse)[:limit]
    elif reverse:
        records.reverse()
    if json_:
        _put_json(records)
    elif csv:
        _put_csv(records, shown)
    else:
        _put_table(records, shown, opened.address, bool(experiment or status or where), n_found)


def _sorted(records: "Sequence[RunRecord]", key: str, reverse: bool) -> "list[RunRecord]":
    """By the key: numbers by size, then texts; runs without it last, whichever way."""
    from rnnlab.store.listing import MISSING, run_field
    from rnnlab.store.query import by_number

    def order(value: Any) -> tuple:
        if key == "id":
            return by_number(value)
        number = isinstance(value, int | float)
        return (not number, value if number else 0, "" if number else str(value))

    having = [record for record in records if run_field(record, key) not in (None, MISSING)]
    without = [record for record in records if run_field(record, key) in (None, MISSING)]
    return sorted(having, key=lambda record: order(run_field(record, key)), reverse=reverse) + without


def _default_columns(records: "Sequence[RunRecord]") -> list[str]:
    from rnnlab.store.listing import main_results, varying_keys

    several = len({record.experiment for record in records if record.experiment}) > 1
    results = [f"result.{key}" for key in main_results(records)]
    keys = [f"config.{key}" for key in varying_keys(records)]
    return ["id", *(["experiment"] if several else []), "status", "started", *keys, *results]


def _put_table(records: "Sequence[RunRecord]", columns: list[str], address: str, filtered: bool, n_found: int) -> None:
    from rnnlab.commands.output import put, put_table, terminal_width, visible
    from rnnlab.store.listing import run_field, short_names

    if not records:
        put(f"no runs in {address}" + (" that fit" if filtered else ""))
        return
    names = columns or _default_columns(records)
    values = {name: [run_field(record, name) for record in records] for name in names}
    cells = {name: _cells(name, values[name]) for name in names}
    bare = [name.removeprefix("config.").removeprefix("result.") for name in names]
    heads = dict(zip(names, short_names(bare), strict=True))
    heads["started"] = "age"
    widths = {name: max(len(heads[name]), *(min(len(visible(cell)), 24) for cell in cells[name])) for name in names}
    fitting = names if columns else _fitting(names, widths, terminal_width())
    put_table(
        [heads[name] for name in fitting],
        list(zip(*(cells[name] for name in fitting), strict=True)),
        [_is_right(name, values[name]) for name in fitting],
    )
    counts = Counter(record.status for record in records)
    experiments = {record.experiment for record in records if record.experiment}
    of = f" of {next(iter(experiments))}" if len(experiments) == 1 else ""
    by_status = ", ".join(f"{n} {name}" for name, n in counts.most_common())
    shown = f"{len(records)} of {n_found}" if len(records) < n_found else str(n_found)
    put(f"\n{shown} run{'s' * (n_found != 1)}{of} in {address}: {by_status}")
    if hidden := [name.removeprefix("config.").removeprefix("result.") for name in names if name not in fitting]:
        put(f"too wide to show: {', '.join(hidden)} (choose with --columns)")
    damaged = [record for record in records if record.damage is not None]
    for record in damaged[:_MOST_DAMAGE]:
        put(f"run {record.run_id} is damaged: {record.damage}")
    if len(damaged) > _MOST_DAMAGE:
        put(f"and {len(damaged) - _MOST_DAMAGE} more are damaged")


def _fitting(names: Sequence[str], widths: dict[str, int], width: int) -> list[str]:
    """The columns that fit side by side: id and status, then the first result, age, config keys, other results."""
    results = [name for name in names if name.startswith("result.")]
    keys = [name for name in names if name.startswith("config.")]
    order = [*_ALWAYS, *results[:1], "started", *keys, *names]
    chosen: list[str] = []
    used = -2
    for name in dict.fromkeys(name for name in order if name in names):
        if name in _ALWAYS or used + widths[name] + 2 <= width:
            chosen.append(name)
            used += widths[name] + 2
    return [name for name in names if name in chosen]


def _cells(name: str, values: Sequence[Any]) -> list[str]:
    from datetime import datetime

    from rnnlab.commands.output import age, aligned, duration, value_text
    from rnnlab.store.listing import MISSING

    def cell(value: Any) -> str:
        if isinstance(value, datetime):
            return age(value) if name == "started" else f"{value:%Y-%m-%d %H:%M}"
        return duration(value) if name == "seconds" else value_text(value)

    present = [value for value in values if value is not None and value is not MISSING]
    if name not in ("started", "seconds") and present and all(isinstance(value, float) for value in present):
        return aligned([value if isinstance(value, float) else None for value in values])
    return ["" if value is MISSING else cell(value) for value in values]


def _is_right(name: str, values: Sequence[Any]) -> bool:
    """Whether a column is one of numbers, which are aligned to the right."""
    from rnnlab.store.listing import MISSING

    present = [value for value in values if value is not None and value is not MISSING]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in present)
    return name in ("id", "started", "seconds") or (bool(present) and numbers)


def _put_json(records: "Sequence[RunRecord]") -> None:
    import json

    from rnnlab.commands.output import put

    put(json.dumps([listed(record) for record in records], indent=2))


def listed(record: "RunRecord") -> dict[str, Any]:
    """What a listing knows of a run, for programs."""
    from rnnlab.store.copying import run_uid
    from rnnlab.store.listing import MISSING, run_field

    def text(time: Any) -> str | None:
        return time and time.isoformat()

    seconds = run_field(record, "seconds")
    return {
        "id": record.run_id,
        "uid": None if record.damage else run_uid(record),
        "experiment": record.experiment,
        "status": record.status,
        "damage": record.damage,
        "started": text(record.start_time),
        "stopped": text(record.stop_time),
        "heartbeat": text(record.heartbeat),
        "seconds": None if seconds is MISSING else seconds,
        "config": record.config,
        "result": record.result,
        "artifacts": list(record.artifacts),
    }


def _put_csv(records: "Sequence[RunRecord]", columns: list[str]) -> None:
    import csv
    from datetime import datetime
    from io import StringIO

    from rnnlab.commands.output import put
    from rnnlab.store.listing import MISSING, run_field

    names = columns or _default_columns(records)
    lines = StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(name.removeprefix("config.").removeprefix("result.") for name in names)
    for record in records:
        values = [run_field(record, name) for name in names]
        texts = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        writer.writerow("" if text is MISSING else text for text in texts)
    put(lines.getvalue())
