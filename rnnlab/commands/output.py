"""What the commands print: text in which nothing from a store can act on a terminal, tables, ages and numbers."""

import math
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rnnlab.terminal import one_line, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {"FAILED": "31", "LOST": "33", "DAMAGED": "31", "INTERRUPTED": "33", "RUNNING": "36", "COPYING": "33"}
_WIDEST = 24  # letters of a cell


def put(text: str = "") -> None:
    """Print a line, or several."""
    sys.stdout.write(visible(text).rstrip("\n") + "\n")


def note(text: str) -> None:
    """Print a line beside the result, where programs that read the result do not see it."""
    print(one_line(text), file=sys.stderr)


def put_rich(*renderables: "RenderableType") -> None:
    """Print what rich draws, such as tables; whatever text it holds is made visible."""
    from rich.console import Console
    from rich.segment import Segment, Segments

    console = Console(highlight=False, markup=False)
    with console.capture() as capture:
        for renderable in renderables:
            segments = console.render(renderable)
            safe = [Segment(visible(text), style) for text, style, control in segments if not control]
            console.print(Segments(safe), end="")
    lines = [line.rstrip() for line in capture.get().splitlines()]
    sys.stdout.write("\n".join(lines).strip("\n") + "\n")


def terminal_width() -> int:
    """Letters of a line: COLUMNS, or the terminal's, or 80."""
    return shutil.get_terminal_size((80, 24)).columns


def bold(text: str) -> str:
    """The text in bold, on a terminal."""
    return _styled(text, "1")


def heading(text: str) -> None:
    """Print the heading of a section."""
    sys.stdout.write(f"\n{bold(visible(text))}\n")


def put_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], indent: str = "") -> None:
    """Print aligned columns under their heads, the cells that are a status coloured on a terminal.

    right: for each column whether it is aligned to the right, as numbers are
    """
    rows = [[shortened(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(map(visible, head), *rows, strict=True)]

    def line(cells: Sequence[str]) -> list[str]:
        return [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]

    out = [bold(indent + "  ".join(line([visible(name) for name in head])).rstrip())]
    for row in rows:
        cells = [_styled(cell, _STYLES[cell.strip()]) if cell.strip() in _STYLES else cell for cell in line(row)]
        out.append((indent + "  ".join(cells)).rstrip())
    sys.stdout.write("\n".join(out) + "\n")


def shortened(text: str) -> str:
    """A cell's text on one line, cut off where it is too long for a column."""
    text = one_line(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def put_wrapped(text: str, indent: str = "  ") -> None:
    """Print a text in lines of the terminal's width, those after the first one further to the right."""
    width = max(terminal_width(), 40)
    put(textwrap.fill(one_line(text), width, initial_indent=indent, subsequent_indent=indent + "    "))


def value_text(value: Any) -> str:
    """A config value or result as one writes it, numbers with six digits; nothing for what is missing."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return str(value)


def aligned(values: Sequence[float | None]) -> list[str]:
    """Numbers with equally many decimals, four digits of the smallest, where that takes no more than six decimals."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    decimals = 3 - math.floor(math.log10(min(sizes))) if sizes else 0
    if not 0 <= decimals <= 6 or max(sizes, default=0) >= 1e6:
        return ["" if value is None else f"{value:.4g}" for value in values]
    return ["" if value is None else f"{value:.{decimals}f}" for value in values]


def age(time: datetime) -> str:
    """How long ago something was: `12 s`, `5 min`, `3 h`, `8 d`, and the day for what is older than 60 of them."""
    seconds = max(0.0, (datetime.now(UTC) - time).total_seconds())
    for size, unit in ((60, "s"), (60, "min"), (24, "h"), (60, "d")):
        if seconds < size:
            return f"{seconds:.0f} {unit}"
        seconds /= size
    return f"{time:%Y-%m-%d}"


def duration(seconds: float) -> str:
    """`4.21 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _styled(text: str, code: str) -> str:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
