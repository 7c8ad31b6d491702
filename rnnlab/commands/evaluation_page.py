"""What `rnnlab evaluate` prints: tables for a terminal, CSV, JSON."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np

from rnnlab.commands.output import aligned, heading, put, put_table, put_wrapped
from rnnlab.evaluation.closed_loop import ForecastErrors
from rnnlab.evaluation.lengths import STREAM, LengthScore
from rnnlab.recorded_task import RecordedTask
from rnnlab.tasks.series import Series

STEPS_SHOWN = 10  # rows of a table of errors by step; all of them are in the JSON

_LABELS = {
    "mse": "network",
    "closed_loop": "closed loop",
    "one_step": "one step",
    "seasonal_persistence": "seasonal",
    "noise_floor": "noise floor",
    "noise_free_mse": "noise-free",
}
_FIRST = ("mse", "closed_loop", "one_step", "noise_free_mse", "noise_floor")


@dataclass(frozen=True)
class Evaluation:
    """A run scored anew, and where it and its fresh sequences come from."""

    run_id: str
    experiment: str
    address: str
    task: RecordedTask
    seed: int
    scores: Sequence[LengthScore]
    forecasts: ForecastErrors | None

    @property
    def trained_on(self) -> Any:
        """The length of training, or its range; None for a task without lengths."""
        return self.task.arguments.get("n_steps")

    @property
    def series(self) -> bool:
        """Whether the run is on a fixed series, which has no fresh sequences."""
        return isinstance(self.task.task, Series)


def put_evaluation(found: Evaluation) -> None:
    """Print the errors by length, the naive predictors', by step or horizon, and what they were computed from."""
    trained = "" if found.trained_on is None else f", trained on n_steps = {_length(found.trained_on)}"
    put(f"run {found.run_id} of {found.experiment} in {found.address}{trained}")
    scores = found.scores
    heading("errors")
    columns: dict[str, list[str]] = {
        "n_steps": [_length(score.n_steps) for score in scores],
        "sequences": [str(score.n_sequences) for score in scores],
        "MSE": aligned([score.mse for score in scores]),
        "MAE": aligned([score.mae for score in scores]),
        "NMSE": aligned([score.nmse for score in scores]),
        "RMSE/sd": aligned([score.relative_rmse for score in scores]),
    }
    if scores[0].noise_free_mse is not None:
        columns["noise-free"] = aligned([score.noise_free_mse for score in scores])
    if scores[0].wrong is not None:
        columns["wrong"] = [f"{100 * (score.wrong or 0):.2f}%" for score in scores]
    _put_columns(columns)
    heading("MSE of naive predictors")
    naive = {_LABELS.get(name, name): aligned([score.naive_mse[name] for score in scores]) for name in _names(scores)}
    if scores[0].noise_floor is not None:
        naive["noise floor"] = aligned([score.noise_floor for score in scores])
    _put_columns({"n_steps": columns["n_steps"], **naive})
    longest = max(scores, key=lambda score: 0 if score.by_step is None else len(score.by_step["mse"]))
    if longest.by_step is not None:
        at = "" if longest.n_steps is None else f", n_steps = {_length(longest.n_steps)}"
        _put_by_step(f"MSE by step{at}", "step", longest.by_step)
    if found.forecasts is not None:
        title = f"MSE of forecasts by steps ahead, {found.forecasts.n_windows} windows"
        _put_by_step(title, "ahead", found.forecasts.mse)
    put()
    for line in _explanations(found):
        put_wrapped(line, "")


def evaluation_csv(found: Evaluation) -> str:
    """A row for each length, with every digit; what is not known is empty."""
    rows = [_facts(score) for score in found.scores]
    for row in rows:
        row.pop("by_step")
        row |= {f"mse_{name}": value for name, value in row.pop("naive_mse").items()}
        row["n_steps"] = "" if row["n_steps"] is None else _length(row["n_steps"])
    text = StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def evaluation_json(found: Evaluation) -> str:
    """Everything, NaN as null."""
    forecasts = found.forecasts
    return json.dumps(
        _plain(
            {
                "run": found.run_id,
                "experiment": found.experiment,
                "store": found.address,
                "trained_on": found.trained_on,
                "stream": None if found.series else STREAM,
                "seed": None if found.series else found.seed,
                "changed_sources": found.task.changed,
                "lengths": [_facts(score) for score in found.scores],
                "forecasts": None if forecasts is None else {"n_windows": forecasts.n_windows, "mse": forecasts.mse},
            }
        ),
        indent=2,
    )


def _explanations(found: Evaluation) -> list[str]:
    if found.series:
        where = "windows of the test part of the series; naive predictors are made from its training part"
    else:
        where = (
            f"sequences drawn anew for each length from the stream {STREAM!r} of seed {found.seed}, and as many others "
            "for the naive predictors"
        )
    lines = [f"{where}; NMSE: MSE / that of predicting the mean at this length; sd: of the targets at this length"]
    if found.forecasts is not None:
        lines.append(
            "closed loop: from the network's own predictions; one step: of the same steps, from the true values before"
        )
    return lines


def _put_by_step(title: str, head: str, errors: Mapping[str, np.ndarray]) -> None:
    """The errors at some steps, the first and the last among them, and more of the first ones."""
    n_steps = len(errors["mse"] if "mse" in errors else errors["closed_loop"])
    if n_steps <= 12:
        steps = np.arange(n_steps)
    else:
        steps = np.unique(np.round(np.geomspace(1, n_steps, STEPS_SHOWN)).astype(int)) - 1
    heading(title)
    order = [*(name for name in _FIRST if name in errors), *(name for name in errors if name not in _FIRST)]
    columns = {_LABELS.get(name, name): aligned(_without_nan(errors[name][steps])) for name in order}
    _put_columns({head: [str(step + 1) for step in steps], **columns})


def _put_columns(columns: Mapping[str, Sequence[str]]) -> None:
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    put_table(list(shown), list(zip(*shown.values(), strict=True)), [True] * len(shown), indent="  ")


def _names(scores: Sequence[LengthScore]) -> list[str]:
    """The naive predictors that there are at every length."""
    return [name for name in scores[0].naive_mse if all(name in score.naive_mse for score in scores)]


def _facts(score: LengthScore) -> dict[str, Any]:
    return {**vars(score), "nmse": score.nmse, "relative_rmse": score.relative_rmse}


def _length(n_steps: Any) -> str:
    if n_steps is None:
        return ""
    return f"{n_steps[0]} to {n_steps[1]}" if isinstance(n_steps, list | tuple) else str(n_steps)


def _without_nan(values: np.ndarray) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in (value.tolist() if isinstance(value, np.ndarray) else value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value
