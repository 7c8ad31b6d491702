"""Render a DataFrame as a terminal table, CSV, JSON, LaTeX or Markdown, with numbers one can read and align."""

import csv
import json
import math
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from rnnlab.analysis.groups import MISSING, format_value

# A number, `<0.001`, `4 of 5` or an interval: aligned to the right like any number.
NUMBER_CELL = re.compile(r"[<\[]?\s*-?[\d.][\d.e+,\s-]*(of \d+)?\]?")

BETWEEN_COLUMNS = 2
WIDEST_WORD = 16  # letters that a column of text keeps in one piece in any case

LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def format_numbers(values: Sequence[float], digits: int = 4) -> list[str]:
    """Numbers of one column with equally many decimals, so that they align at the point.

    The smallest one has `digits` significant digits, or one less where the largest would otherwise get more than
    `digits + 2`. Where even that cannot be had, each number has `digits` of its own. Non-finite ones are empty.
    """
    sizes = [abs(float(v)) for v in values if v is not None and math.isfinite(v) and v != 0]
    least = math.floor(math.log10(min(sizes))) if sizes else 0
    most = math.floor(math.log10(max(sizes))) if sizes else 0
    decimals = max(0, min(digits - 1 - least, digits + 1 - most)) if sizes else 0
    aligned = decimals + least >= digits - 2 and decimals <= 7 and most <= digits + 1
    return [
        ""
        if v is None or not math.isfinite(v)
        else f"{v:.{decimals}f}"
        if aligned or not sizes
        else format_number(v, digits)
        for v in values
    ]


def format_number(value: float, digits: int = 4) -> str:
    """One number with `digits` significant digits, trailing zeros kept; empty if it is not finite."""
    if not math.isfinite(value):
        return ""
    if value == 0:
        return "0"
    text = f"{value:#.{digits}g}"
    return text.removesuffix(".")


def format_p_value(value: float) -> str:
    """Three decimals, or `<0.001`; empty for NaN."""
    if math.isnan(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def format_column(values: Sequence[Any]) -> tuple[list[str], bool]:
    """The cells of a column as text, and whether it is one of numbers (aligned to the right)."""
    present = [v for v in values if not _absent(v)]
    if present and all(isinstance(v, float | np.floating) for v in present):
        if all(float(v).is_integer() for v in present):
            return ["" if _absent(v) else f"{int(v)}" for v in values], True
        return format_numbers([math.nan if _absent(v) else float(v) for v in values]), True
    numeric = bool(present) and all(map(_reads_as_number, present))
    return ["" if _absent(v) else format_value(_plain(v)) for v in values], numeric


def formatted(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[bool]]:
    """The frame as text, and for each column whether it is one of numbers."""
    columns = {name: format_column(list(frame[name])) for name in frame.columns}
    text = pd.DataFrame({name: cells for name, (cells, _) in columns.items()}, index=frame.index, dtype=object)
    return text, [numeric for _, numeric in columns.values()]


def rich_table(
    frame: pd.DataFrame, title: str | None = None, row_styles: Sequence[str] = (), caption: str | None = None
) -> Table:
    """A table for the terminal: rules under the head only, numbers to the right, no markup read from the data.

    row_styles: one rich style for each row; empty for none
    """
    text, numeric = formatted(frame)
    table = Table(
        title=None if title is None else Text(title, style="bold"),
        caption=None if caption is None else Text(caption, style="dim"),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name, right in zip(text.columns, numeric, strict=True):
        # In a narrow terminal text gives way first: a number in two pieces is hard to read, and one cut off says so.
        table.add_column(
            Text(str(name)),
            justify="right" if right else "left",
            overflow="ellipsis" if right else "fold",
            no_wrap=right,
            min_width=None if right else _longest_word([str(name), *text[name]]),
        )
    for i, cells in enumerate(text.itertuples(index=False)):
        table.add_row(*[Text(cell) for cell in cells], style=row_styles[i] if i < len(row_styles) else None)
    return table


def table_width(frame: pd.DataFrame, fold_text: bool = False) -> int:
    """Letters of a line of `rich_table`; with `fold_text` at its narrowest, where text stands in several lines."""
    text, numeric = formatted(frame)
    width = BETWEEN_COLUMNS * (len(text.columns) - 1)
    for name, right in zip(text.columns, numeric, strict=True):
        cells = [str(name), *text[name]]
        width += _longest_word(cells) if fold_text and not right else max(map(_letters, cells))
    return width


def to_csv(frame: pd.DataFrame) -> str:
    """CSV with every digit; what is missing is an empty field."""
    lines = StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow(["" if _absent(value) else _plain(value) for value in row])
    return lines.getvalue()


def to_json(frame: pd.DataFrame, extra: Mapping[str, Any] | None = None) -> str:
    """`{**extra, "rows": [{column: value}]}`; NaN, infinities and what is missing are null."""
    rows = [dict(zip(map(str, frame.columns), row, strict=True)) for row in frame.itertuples(index=False)]
    return json.dumps(_json_value({**(extra or {}), "rows": rows}), indent=2, allow_nan=False)


def to_markdown(frame: pd.DataFrame) -> str:
    """A Markdown table, aligned in its source too."""
    text, numeric = formatted(frame)
    columns = [[_markdown(str(name)), *map(_markdown, text[name])] for name in text.columns]
    widths = [max(3, *map(len, column)) for column in columns]
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, numeric, strict=True)]
    lines = [
        [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        for row in zip(*columns, strict=True)
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [lines[0], rule, *lines[1:]]) + "\n"


def to_latex(frame: pd.DataFrame, caption: str | None = None) -> str:
    """A `tabular` with the rules of the LaTeX package booktabs, within a `table` if there is a caption."""
    text, numeric = formatted(frame)
    rows = [[latex_escape(str(name)) for name in text.columns]]
    for row in text.itertuples(index=False):
        rows.append([_latex_number(c) if right else latex_escape(c) for c, right in zip(row, numeric, strict=True)])
    body = [" & ".join(row) + r" \\" for row in rows]
    layout = "".join("r" if right else "l" for right in numeric)
    lines = [rf"\begin{{tabular}}{{{layout}}}", r"\toprule", body[0], r"\midrule", *body[1:]]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if caption is not None:
        lines = [r"\begin{table}", r"\centering", rf"\caption{{{latex_escape(caption)}}}", *lines, r"\end{table}"]
    return "\n".join(lines) + "\n"


def latex_escape(text: str) -> str:
    """Text with LaTeX's special characters written out."""
    return "".join(LATEX_ESCAPES.get(character, character) for character in text)


def _letters(cell: str) -> int:
    return max(map(len, cell.splitlines()), default=0)


def _longest_word(cells: Sequence[str]) -> int:
    return min(max((len(word) for cell in cells for word in cell.split()), default=1), WIDEST_WORD)


def _latex_number(cell: str) -> str:
    """A number, an interval or a count with its minus signs and powers of ten as LaTeX sets them."""
    cell = re.sub(r"(-?[\d.]+)e([+-]\d+)", lambda m: rf"${m[1]} \times 10^{{{int(m[2])}}}$", latex_escape(cell))
    return re.sub(r"(?<![$\d{])-(?=[\d.])", "$-$", cell)


def _markdown(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _reads_as_number(value: Any) -> bool:
    if isinstance(value, str):
        return value == "" or NUMBER_CELL.fullmatch(value) is not None
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _absent(value: Any) -> bool:
    return value is None or value is MISSING or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _json_value(value: Any) -> Any:
    value = _plain(value)
    if _absent(value) or (isinstance(value, float) and math.isinf(value)):
        return None
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return value if isinstance(value, bool | int | float | str) else str(value)
