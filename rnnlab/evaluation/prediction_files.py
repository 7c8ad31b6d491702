"""The CSV files of `rnnlab predict`: sequences to predict from, initial conditions, and the outputs.

Inputs have one row for each step, in time order, and one column for each input, in the order of training. A column
`sequence`, anywhere, holds a name for each row's sequence where there are several; their rows stand together, and they
may differ in length. Initial conditions have one row for each sequence, in the same order; a column `sequence` must
name them alike.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.number_table import NumberTable

SEQUENCE, STEP = "sequence", "step"


@dataclass(frozen=True, eq=False)
class GivenSequences:
    """Sequences read from a file.

    inputs: (n_sequences, n_steps, n_in), filled up with zeros; mask: (n_sequences, n_steps) bool, or None where all are
            of one length
    input_names: the names of the input columns
    names:  of the sequences, None where the file names none
    """

    inputs: np.ndarray
    mask: np.ndarray | None
    input_names: tuple[str, ...]
    names: list[str] | None

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each sequence."""
        n_sequences, n_steps = self.inputs.shape[:2]
        return np.full(n_sequences, n_steps) if self.mask is None else self.mask.sum(axis=1)


def sequences_of(table: NumberTable) -> GivenSequences:
    """The sequences that a table of inputs holds; RnnlabError where the rows of a sequence do not stand together."""
    names = table.texts.get(SEQUENCE)
    if names is None:
        return GivenSequences(table.values[None], None, table.names, None)
    starts = [0, *(row for row in range(1, len(names)) if names[row] != names[row - 1])]
    found = [names[start] for start in starts]
    for place, name in enumerate(found):
        if not name:
            raise RnnlabError(f"{table.source}, line {table.lines[starts[place]]}: the row names no {SEQUENCE}")
        if name in found[:place]:
            raise RnnlabError(
                f"{table.source}, line {table.lines[starts[place]]}: sequence {name!r} was there before: the rows of a "
                "sequence must stand together"
            )
    parts = np.split(table.values, starts[1:])
    lengths = np.array([len(part) for part in parts])
    inputs = np.zeros((len(parts), lengths.max(), len(table.names)))
    for row, part in zip(inputs, parts, strict=True):
        row[: len(part)] = part
    mask = None if (lengths == lengths[0]).all() else np.arange(lengths.max()) < lengths[:, None]
    return GivenSequences(inputs, mask, table.names, found)


def initial_of(table: NumberTable, sequences: GivenSequences) -> np.ndarray:
    """The initial conditions that a table holds, (n_sequences, n_initial), one for each of the sequences.

    Raises RnnlabError for another number of rows, and for rows that name other sequences.
    """
    n_sequences = len(sequences.inputs)
    if len(table.values) != n_sequences:
        raise RnnlabError(
            f"{table.source} has {_count(len(table.values), 'row')}: must have one for each of the "
            f"{_count(n_sequences, 'sequence')} of the inputs"
        )
    names = table.texts.get(SEQUENCE)
    if names is not None and sequences.names is not None:
        for line, name, wanted in zip(table.lines, names, sequences.names, strict=True):
            if name != wanted:
                raise RnnlabError(
                    f"{table.source}, line {line}: is of sequence {name!r}, where the inputs have {wanted!r}: must be "
                    "in the same order"
                )
    return table.values


def outputs_csv(
    outputs: np.ndarray, lengths: np.ndarray, names: Sequence[str] | None, output_names: Sequence[str]
) -> str:
    """Outputs as CSV: a row for each sequence, or for each real step of it; numbers that read back to the last bit.

    outputs: (n_sequences, n_out) or (n_sequences, n_steps, n_out); lengths: (n_sequences,) real steps of each
    names:   of the sequences, for the column `sequence`; None: none. Steps, in the column `step`, count from 1.
    """
    by_step = outputs.ndim == 3
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*([SEQUENCE] if names is not None else []), *([STEP] if by_step else []), *output_names])
    for place, length in enumerate(lengths):
        name = [] if names is None else [names[place]]
        if by_step:
            for step in range(int(length)):
                writer.writerow([*name, step + 1, *map(float, outputs[place, step])])
        else:
            writer.writerow([*name, *map(float, outputs[place])])
    return text.getvalue()


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"
