"""Numbers from a CSV file, read so that whatever is wrong in it is told with its line and column."""

import csv
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlab.errors import RnnlabError


@dataclass(frozen=True, eq=False)
class NumberTable:
    """A table read from CSV.

    source: what the file is called in errors
    names:  of the columns of numbers, as in the header
    values: (n_rows, n_columns) float64, finite
    texts:  {name: (n_rows,) texts} of the columns that were to be kept as text
    lines:  (n_rows,) the line of the file on which each row ends
    """

    source: str
    names: tuple[str, ...]
    values: np.ndarray
    texts: dict[str, list[str]]
    lines: list[int]


def read_number_file(
    path: str | Path,
    columns: Sequence[str] | None = None,
    texts: Collection[str] = (),
    wanted: tuple[int, str] | None = None,
) -> NumberTable:
    """`read_number_table` on a file in UTF-8, called by its path in errors."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return read_number_table(file, str(path), columns, texts, wanted)
    except OSError as error:
        raise RnnlabError(f"cannot read {str(path)!r}: {error.strerror}") from None


def read_number_table(
    lines: Iterable[str],
    source: str,
    columns: Sequence[str] | None = None,
    texts: Collection[str] = (),
    wanted: tuple[int, str] | None = None,
) -> NumberTable:
    """Read CSV: a header line with a name for each column, then rows of as many numbers, separated by commas.

    source:  what to call the file in errors
    columns: the columns of numbers to take, in this order; None: all but `texts`
    texts:   columns to keep as text, where they are there
    wanted:  how many columns of numbers there must be, and what for, in words: (2, "one for each input")

    Blank lines at the end are left out. Raises RnnlabError, in one line that names line and column, for a
    row of another length, a missing value, a text, and a number that is not finite.
    """
    reader = csv.reader(lines)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, source)
        taken = _places(header, source, columns, texts)
        if wanted is not None and len(taken) != wanted[0]:
            raise RnnlabError(_wrong_columns([header[k] for k in taken], source, wanted))
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise RnnlabError(f"{source}, line {reader.line_num}: cannot be read as CSV: {error}") from None
    except UnicodeDecodeError as error:
        raise RnnlabError(f"{source}: is not text in UTF-8: {error.reason} at byte {error.start}") from None
    while rows and not "".join(rows[-1][1]).strip() and len(rows[-1][1]) <= 1:
        rows.pop()
    if not rows:
        raise RnnlabError(f"{source}: has a header and no rows: must have one row of numbers for each step")
    for line, row in rows:
        if len(row) != len(header):
            found = f"has {len(row)} column{'s' * (len(row) != 1)}" if row else "is empty"
            raise RnnlabError(f"{source}, line {line}: {found}, but the header has {len(header)}")
    values = np.array([[_number(row[k], source, line, k, header[k]) for k in taken] for line, row in rows], float)
    kept = {name: [row[header.index(name)].strip() for _, row in rows] for name in header if name in texts}
    return NumberTable(
        source, tuple(header[k] for k in taken), values.reshape(len(rows), len(taken)), kept, [line for line, _ in rows]
    )


def _check_header(header: list[str], source: str) -> None:
    if not any(header):
        raise RnnlabError(f"{source}: is empty: must begin with a header line that names the columns")
    if all(map(_is_number, header)):
        raise RnnlabError(f"{source}, line 1: must be a header line that names the columns, not numbers")
    for place, name in enumerate(header):
        if not name:
            raise RnnlabError(f"{source}, line 1, column {place + 1}: has no name")
        if name in header[:place]:
            raise RnnlabError(f"{source}, line 1, column {place + 1}: the name {name!r} is there twice")
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise RnnlabError(f"{source}, line 1: {header[0]!r} is one column: must have commas between the columns")


def _places(header: list[str], source: str, columns: Sequence[str] | None, texts: Collection[str]) -> list[int]:
    """Where in a row the numbers are."""
    for name in columns or []:
        if name not in header:
            raise RnnlabError(f"{source} has no column {name!r}; it has: {', '.join(header)}")
    return [header.index(name) for name in columns or header if columns or name not in texts]


def _wrong_columns(names: list[str], source: str, wanted: tuple[int, str]) -> str:
    found = f"{len(names)} column{'s' * (len(names) != 1)} of numbers"
    return f"{source}, line 1: {found} ({', '.join(names)}): must be {wanted[0]}, {wanted[1]}"


def _number(text: str, source: str, line: int, place: int, name: str) -> float:
    where = f"{source}, line {line}, column {place + 1} ({name})"
    if not text.strip():
        raise RnnlabError(f"{where}: the value is missing: must be a number")
    try:
        value = float(text)
    except ValueError:
        raise RnnlabError(f"{where}: {text.strip()!r} is not a number") from None
    if not math.isfinite(value):
        raise RnnlabError(f"{where}: {text.strip()!r}: must be a finite number")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
