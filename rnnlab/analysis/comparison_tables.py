"""A comparison as the tables people read: one of the groups' values, one of their tests against the baseline."""

import json
from collections.abc import Iterator, Sequence

import pandas as pd
from rich.console import Group as Renderables
from rich.console import RenderableType
from rich.text import Text

from rnnlab.analysis.comparison import Comparison
from rnnlab.analysis.groups import short_names
from rnnlab.analysis.metrics import OUTCOMES
from rnnlab.analysis.tables import (
    format_numbers,
    format_p_value,
    rich_table,
    table_width,
    to_csv,
    to_json,
    to_latex,
    to_markdown,
)

NAIVE_STYLE = "dim italic"
NOT_AVERAGED = "not averaged"
# What a narrow terminal does without, first to last.
DISPENSABLE_VALUES = ("median", "best", "sd")
DISPENSABLE_TESTS = ("pairs", "p")


def values_table(comparison: Comparison) -> pd.DataFrame:
    """One row a group: its key values, completed runs (`4 of 5`), mean, sd, interval, median and best.

    Groups with runs that are not in the mean say in `not averaged` what became of those.
    """
    table = comparison.table
    shown = _key_columns(comparison)
    shown["runs"] = [_runs(row) for _, row in table.iterrows()]
    everything = format_numbers([*table["mean"], *table["median"], *table["best"]])
    shown["mean"] = everything[: len(table)]
    shown["sd"] = format_numbers(list(table["sd"]), 3)
    shown[comparison.interval_name] = interval_cells(table["low"], table["high"])
    shown["median"] = everything[len(table) : 2 * len(table)]
    shown["best"] = everything[2 * len(table) :]
    left_out = [_left_out(row) for _, row in table.iterrows()]
    if any(left_out):
        shown[NOT_AVERAGED] = left_out
    return pd.DataFrame(shown, dtype=object)


def tests_table(comparison: Comparison) -> pd.DataFrame | None:
    """One row a group: difference from the baseline, interval, p-values, verdict; None without a baseline."""
    if comparison.baseline is None:
        return None
    table = comparison.table[comparison.table["kind"] == "runs"]
    shown = _key_columns(comparison, naive=False)
    shown["pairs"] = [
        "" if verdict == "baseline" else n for n, verdict in zip(table["pairs"], table["verdict"], strict=True)
    ]
    shown["difference"] = format_numbers(list(table["difference"]), 3)
    shown[comparison.interval_name] = interval_cells(table["difference_low"], table["difference_high"])
    shown["p"] = [format_p_value(p) for p in table["p_value"]]
    shown["p (Holm)"] = [format_p_value(p) for p in table["p_corrected"]]
    shown["verdict"] = list(table["verdict"])
    return pd.DataFrame(shown, dtype=object)


def interval_cells(low: pd.Series, high: pd.Series) -> list[str]:
    """`[0.021, 0.025]`, aligned; empty where there is no interval."""
    ends = format_numbers([*low, *high], 3)
    lows, highs = ends[: len(low)], ends[len(low) :]
    widest = max(map(len, ends), default=0)
    return [f"[{a.rjust(widest)}, {b.rjust(widest)}]" if a and b else "" for a, b in zip(lows, highs, strict=True)]


def rich_comparison(comparison: Comparison, width: int = 80) -> RenderableType:
    """The comparison for a terminal: values, tests (better green, worse red) and notes.

    Where a table is wider than the terminal, the columns that say least are left out, which is said; where that is not
    enough, groups are called by numbers, and listed below.
    """
    naive = [NAIVE_STYLE if kind == "naive" else "" for kind in comparison.table["kind"]]
    values, tests = values_table(comparison), tests_table(comparison)
    left_out = list(values.pop(NOT_AVERAGED)) if NOT_AVERAGED in values else []
    names = list(comparison.table["group"])
    numbered: list[str] = []
    if table_width(_folded(values).drop(columns=[*DISPENSABLE_VALUES]), fold_text=True) > width:
        of_runs = comparison.table[comparison.table["kind"] == "runs"]
        numbers = {name: str(i) for i, name in enumerate(of_runs["group"], 1)}
        numbered = [f"{number}: {name}" for name, number in numbers.items()]
        names = [numbers.get(name, name) for name in names]
        values = _with_names(values, comparison, names)
        if tests is not None:
            tests = _with_names(tests, comparison, list(numbers.values()))
    parts = _fitted_table(values, width, DISPENSABLE_VALUES, values_title(comparison), naive, fold_text=True)
    parts += [Text(line) for line in numbered] + [Text()] * bool(numbered)
    what = "group " if numbered else ""
    if parts_left_out := [f"{what}{name}: {out}" for name, out in zip(names, left_out, strict=False) if out]:
        parts.append(Text(f"{NOT_AVERAGED}: {'; '.join(parts_left_out)}\n", style="yellow"))
    if tests is not None:
        styles = [_verdict_style(verdict) for verdict in tests["verdict"]]
        parts += _fitted_table(tests, width, DISPENSABLE_TESTS, tests_title(comparison), styles, fold_text=False)
    parts += [Text(f"note: {note}", style="yellow") for note in comparison.notes]
    return Renderables(*parts)


def _fitted_table(
    frame: pd.DataFrame, width: int, dispensable: Sequence[str], title: str, styles: Sequence[str], fold_text: bool
) -> list[RenderableType]:
    """A table under its title, and below it what was left out of it. `fold_text`: rather than leave anything out."""
    gone: list[str] = []
    if table_width(frame, fold_text) > width:
        frame = _folded(frame)
    for name in dispensable:
        if table_width(frame, fold_text) <= width:
            break
        frame = frame.drop(columns=name)
        gone.append(name)
    words = [Text(f"too wide to show: {', '.join(gone)} (--csv has every column)", style="dim")] if gone else []
    return [Text(f"{title}\n", style="bold"), rich_table(frame, row_styles=styles), *words, Text()]


def _folded(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the heads of its columns in two lines where they end in brackets."""
    return frame.rename(columns={name: name.replace(" (", "\n(") for name in frame.columns})


def _with_names(frame: pd.DataFrame, comparison: Comparison, names: Sequence[str]) -> pd.DataFrame:
    """The frame with one column of names in place of those of the keys."""
    named = frame.drop(columns=list(frame.columns[: max(len(comparison.by), 1)]))
    named.insert(0, "group", list(names))
    return named


def values_title(comparison: Comparison) -> str:
    """What the first table shows."""
    short = short_names(list(comparison.by))
    by = " by " + ", ".join(short.values()) if comparison.by else ""
    return f"{comparison.metric}{by}, best first"


def tests_title(comparison: Comparison) -> str:
    """What the second table compares with, and how."""
    how = "permutation" if comparison.test == "permutation" else "Wilcoxon signed-rank"
    return f"difference from {comparison.baseline} in {comparison.metric}, paired by seed ({how} test)"


def comparison_text(comparison: Comparison, output: str) -> str:
    """The comparison as `csv`, `json`, `markdown` or `latex`; the first two are the whole table with every digit."""
    if output == "csv":
        return to_csv(comparison.table)
    if output == "json":
        return to_json(comparison.table, comparison_facts(comparison)) + "\n"
    render = {"markdown": to_markdown, "latex": to_latex}[output]
    return "\n".join([*(render(table) for table in _tables(comparison)), *_note_lines(comparison, output)])


def comparison_facts(comparison: Comparison) -> dict[str, object]:
    """What the JSON says beside the rows."""
    names = ("metric", "by", "level", "interval", "test", "baseline", "notes")
    return {name: json.loads(json.dumps(getattr(comparison, name))) for name in names}


def _tables(comparison: Comparison) -> Iterator[pd.DataFrame]:
    yield values_table(comparison)
    tests = tests_table(comparison)
    if tests is not None:
        yield tests


def _note_lines(comparison: Comparison, output: str) -> list[str]:
    comment = {"markdown": "Note: {}\n", "latex": "% note: {}"}[output]
    return [comment.format(note) for note in comparison.notes]


def _key_columns(comparison: Comparison, naive: bool = True) -> dict[str, list]:
    """A column for each key; a naive baseline, or a table without keys, has its label in the first one."""
    table = comparison.table if naive else comparison.table[comparison.table["kind"] == "runs"]
    if not comparison.by:
        return {"group": list(table["group"])}
    short = short_names(list(comparison.by))
    columns = {short[key]: list(table[key]) for key in comparison.by}
    first = short[comparison.by[0]]
    for name in columns:
        columns[name] = ["" if k == "naive" else v for k, v in zip(table["kind"], columns[name], strict=True)]
    columns[first] = [
        label if kind == "naive" else value
        for label, kind, value in zip(table["group"], table["kind"], columns[first], strict=True)
    ]
    return columns


def _runs(row: pd.Series) -> str:
    if row["kind"] == "naive":
        return ""
    return f"{row['n']}" if row["n"] == row["runs"] else f"{row['n']} of {int(row['runs'])}"


def _left_out(row: pd.Series) -> str:
    if row["kind"] == "naive":
        return ""
    counts = {name: int(row[name]) for name in OUTCOMES if name != "completed"}
    counts["without value"] = int(row["completed"]) - int(row["n"])
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _verdict_style(verdict: str) -> str:
    return {"better": "green", "worse": "red"}.get(verdict.split()[0], "")
