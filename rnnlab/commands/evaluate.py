"""`rnnlab evaluate`: a finished run scored anew: at other lengths, step by step, and in closed loop."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.commands.selection import RunArgument, StoreOption

if TYPE_CHECKING:
    from rnnlab.evaluation.closed_loop import ForecastErrors
    from rnnlab.evaluation.prediction import Model
    from rnnlab.recorded_task import RecordedTask


def evaluate(
    run: RunArgument,
    lengths: Annotated[
        str | None,
        typer.Option(metavar="N,...", help="Lengths of sequences to score it at, such as 5,10,20.  [default: its own]"),
    ] = None,
    sequences: Annotated[int, typer.Option(min=2, metavar="N", help="Fresh sequences to draw at each length.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="What the fresh sequences derive from.")] = 0,
    closed_loop: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="For a series: score forecasts so many steps ahead, 0 for none.  [default: a season, or 12]",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Draw it, too: a .png, .pdf or .svg.")
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The run's experiment script.  [default: where the record says]"),
    ] = None,
    store: StoreOption = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the errors by length as CSV, with every digit.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Score a finished run on fresh sequences, of its own length or of others, beside naive predictors.

    The sequences come from a random stream of their own, so that no run was trained or tested on them. A run on a fixed
    series is scored on its test part, and its closed-loop forecasts by horizon.
    """
    if csv and json_:
        raise typer.BadParameter("give --csv or --json")
    from rnnlab.commands.evaluation_page import Evaluation, evaluation_csv, evaluation_json, put_evaluation
    from rnnlab.commands.output import note, put
    from rnnlab.evaluation.lengths import score_lengths
    from rnnlab.evaluation.prediction import load_model
    from rnnlab.recorded_task import recorded_task
    from rnnlab.store import open_store

    asked = _whole_numbers(lengths)
    opened = open_store(store)
    record = opened.get(run)
    model = load_model(record)
    recorded = recorded_task(record, script)
    for path in recorded.changed:
        note(f"{path} is not what it was when run {record.run_id} was made")
    forecasts = _forecasts(model, recorded, closed_loop)
    scores = score_lengths(model.predict, recorded.task, recorded.arguments, recorded.sizes, asked, sequences, seed)
    found = Evaluation(record.run_id, record.experiment, opened.address, recorded, seed, scores, forecasts)
    if json_:
        put(evaluation_json(found))
    elif csv:
        put(evaluation_csv(found))
    else:
        put_evaluation(found)
    if output is not None:
        from rnnlab.analysis.evaluation_plots import plot_evaluation
        from rnnlab.analysis.picture import save_figure

        picture = plot_evaluation(scores, forecasts, recorded.arguments.get("n_steps"))
        (note if csv or json_ else put)(f"picture: {save_figure(picture, output)}")


def _whole_numbers(text: str | None) -> list[int]:
    from rnnlab.commands.selection import split_names

    words = split_names([text]) if text is not None else []
    if not all(word.isdecimal() and int(word) > 0 for word in words) or (text is not None and not words):
        raise typer.BadParameter(f"--lengths {text}: must be whole numbers with commas, such as 5,10,20")
    return list(dict.fromkeys(map(int, words)))


def _forecasts(model: "Model", recorded: "RecordedTask", n_ahead: int | None) -> "ForecastErrors | None":
    """Errors in closed loop: for a series, as far ahead as asked for; by default where its network can do that."""
    from rnnlab.evaluation.closed_loop import forecast_errors, one_step_of
    from rnnlab.tasks.series import Series

    task, arguments = recorded.task, recorded.arguments
    if not isinstance(task, Series):
        if n_ahead:
            raise typer.BadParameter("--closed-loop is for runs on a series")
        return None
    if n_ahead == 0 or (n_ahead is None and arguments["horizon"] != 1):
        return None
    one_step = one_step_of(model, arguments)
    return forecast_errors(one_step, task, arguments, recorded.sizes, n_ahead or task.season or 12)
