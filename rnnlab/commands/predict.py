"""`rnnlab predict`: the outputs of a finished run's network for sequences from a CSV file."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.commands.selection import RunArgument, StoreOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from rnnlab.evaluation.prediction_files import GivenSequences
    from rnnlab.models.network import Architecture
    from rnnlab.number_table import NumberTable


def predict(
    run: RunArgument,
    inputs: Annotated[
        str, typer.Argument(metavar="INPUTS", help="A CSV file with a row for each step, or - for stdin.")
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to: a CSV file, or - for stdout.")
    ] = "-",
    initial: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A CSV file with the observed initial condition of each sequence in a row."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="The columns to read as inputs, in this order.  [default: all]"),
    ] = None,
    closed_loop: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Continue the series N steps beyond its end, from its own predictions.",
        ),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Predict with a finished run's network, from CSV to CSV, in the units of the data it was trained on.

    INPUTS has a header, one column for each input, and a row for each step; several sequences are told apart by a
    column named sequence.
    """
    if inputs == "-" and initial == "-":
        raise typer.BadParameter("only one of INPUTS and --initial can be -, the standard input")
    if closed_loop is not None and initial is not None:
        raise typer.BadParameter("--closed-loop goes on from the series in INPUTS: leave out --initial")
    import numpy as np

    from rnnlab.commands.output import put
    from rnnlab.commands.selection import split_names
    from rnnlab.evaluation.closed_loop import closed_loop as continued
    from rnnlab.evaluation.closed_loop import last_windows, one_step_of
    from rnnlab.evaluation.prediction import load_model
    from rnnlab.evaluation.prediction_files import outputs_csv, sequences_of
    from rnnlab.store import open_store

    record = open_store(store).get(run)
    model = load_model(record)
    network = model.architecture
    chosen = split_names([columns]) if columns else None
    given = sequences_of(_read(inputs, chosen, (network.n_in, "one for each input of the network")))
    if closed_loop is None:
        names = [f"output{place}" for place in range(1, network.n_out + 1)]
        outputs = model.predict(given.inputs, _initial(initial, network, given), given.mask)
        lengths = given.lengths
    else:
        task = record.config.get("task") or {}
        one_step = one_step_of(model, task)
        windows = last_windows(given.inputs, given.lengths, task.get("n_steps"))
        outputs = continued(one_step, windows, closed_loop)
        names, lengths = list(given.input_names), np.full(len(outputs), closed_loop)
    text = outputs_csv(outputs, lengths, given.names, names)
    if output == "-":
        sys.stdout.write(text)
        return
    _write(output, text)
    put(f"outputs: {output}")


def _read(file: str, columns: "Sequence[str] | None", wanted: tuple[int, str]) -> "NumberTable":
    from rnnlab.evaluation.prediction_files import SEQUENCE
    from rnnlab.number_table import read_number_file, read_number_table

    if file != "-":
        return read_number_file(file, columns, (SEQUENCE,), wanted)
    stdin = TextIOWrapper(sys.stdin.buffer, "utf-8-sig", newline="")
    return read_number_table(stdin, "stdin", columns, (SEQUENCE,), wanted)


def _initial(file: str | None, network: "Architecture", given: "GivenSequences") -> "np.ndarray | None":
    from rnnlab.errors import RnnlabError
    from rnnlab.evaluation.prediction_files import initial_of

    if network.initial_state == "mapped":
        if file is None:
            raise RnnlabError(
                f"this network starts from an observed initial condition of {network.n_initial} numbers: give a file "
                "with them for each sequence by --initial"
            )
        wanted = (network.n_initial, "one for each number of the initial condition")
        return initial_of(_read(file, None, wanted), given)
    if file is not None:
        raise RnnlabError("this network starts from no observed initial condition: leave out --initial")
    return None


def _write(file: str, text: str) -> None:
    from rnnlab.atomic_file import write_atomically
    from rnnlab.errors import RnnlabError

    try:
        write_atomically(Path(file), text.encode())
    except OSError as error:
        raise RnnlabError(f"cannot write {file!r}: {error.strerror}") from error
