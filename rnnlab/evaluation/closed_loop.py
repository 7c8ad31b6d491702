"""Closed-loop forecasting: a network that predicts the next values of a series goes on from its own predictions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.evaluation.baselines import ridge_of_series
from rnnlab.tasks.series import Series

if TYPE_CHECKING:
    from rnnlab.evaluation.prediction import Model

OneStep = Callable[[np.ndarray], np.ndarray]  # windows (n, n_steps, n_features) -> what comes next (n, n_features)


def closed_loop(one_step: OneStep, windows: np.ndarray, n_ahead: int) -> np.ndarray:
    """Continue series by their own predictions: `y[h] = f(the last n_steps values of u[1..n_steps], y[1..h - 1])`.

    one_step: f, from windows to the values right after them
    windows:  (n_sequences, n_steps, n_features), what is known

    Every step is predicted from a window of the same length, as in training. Returns (n_sequences, n_ahead,
    n_features).
    """
    known, outputs = windows, []
    for _ in range(n_ahead):
        outputs.append(one_step(known))
        known = np.concatenate([known[:, 1:], outputs[-1][:, None]], axis=1)
    return np.stack(outputs, axis=1)


def one_step_of(model: "Model", arguments: Mapping[str, Any]) -> OneStep:
    """What a closed loop needs of a trained network: the outputs after the last step of each window.

    arguments: those of the task that it was trained on

    Raises RnnlabError for a network whose outputs cannot be its next inputs.
    """
    network = model.architecture
    if network.n_in != network.n_out:
        raise RnnlabError(
            f"a closed loop needs a network whose outputs are its next inputs: this one has {network.n_in} inputs and "
            f"{network.n_out} outputs"
        )
    if network.initial_state == "mapped":
        raise RnnlabError("a closed loop needs a network that starts from no observed initial condition")
    if arguments.get("horizon", 1) != 1:
        raise RnnlabError(
            f"task.horizon = {arguments['horizon']}: a closed loop needs a network that predicts the next step, "
            "task.horizon = 1"
        )

    def one_step(windows: np.ndarray) -> np.ndarray:
        outputs = model.predict(windows)
        return outputs[:, -1] if network.every_state else outputs

    return one_step


def last_windows(inputs: np.ndarray, lengths: np.ndarray, n_steps: Any) -> np.ndarray:
    """The last steps of each sequence, from which a closed loop starts: (n_sequences, n_steps, n_features).

    inputs:  (n_sequences, longest, n_features); lengths: (n_sequences,) real steps of each
    n_steps: steps of a window in training; where that is no whole number, all steps, and all sequences must be as long

    Raises RnnlabError for a sequence that is too short.
    """
    if not isinstance(n_steps, int):
        n_steps = int(lengths[0])
        if (lengths != n_steps).any():
            raise RnnlabError("a closed loop needs sequences of one length, as the network was trained on no fixed one")
    if lengths.min() < n_steps:
        raise RnnlabError(
            f"a sequence has {lengths.min()} steps: must have at least {n_steps}, the window that the network was "
            "trained on"
        )
    return np.stack([row[length - n_steps : length] for row, length in zip(inputs, lengths, strict=True)])


@dataclass(frozen=True)
class ForecastErrors:
    """Errors of forecasts 1, 2, ..., n_ahead steps after the windows of the test part, in the series' own units.

    n_windows: how many windows, each with the n_ahead steps after it in the test part
    mse:       {name: (n_ahead,) mean squared errors}. `closed_loop`: from its own predictions; `one_step`: of the very
               same steps, each from the true values up to the step before (teacher forcing); and of naive predictors:
               `persistence`, `seasonal_persistence` where the window reaches back a season, `ridge` in closed loop, and
               `mean`, that of the training part
    """

    n_windows: int
    mse: dict[str, np.ndarray]


def forecast_errors(
    one_step: OneStep, series: Series, arguments: Mapping[str, Any], sizes: Mapping[str, int], n_ahead: int
) -> ForecastErrors:
    """Score closed-loop forecasts on the test part of a series.

    arguments: the task's own, as in training; sizes: the config's n_train, n_valid, n_test

    Raises RnnlabError for a test part too short for that.
    """
    n_steps = arguments["n_steps"]
    parts = series.parts(**sizes, n_steps=n_steps)
    test = parts["test"]
    n_windows = len(test) - n_steps - n_ahead + 1
    if n_ahead < 1 or n_windows < 1:
        raise RnnlabError(
            f"{n_ahead} steps in closed loop: must be from 1 to {len(test) - n_steps}, what the test part of "
            f"{len(test)} steps has after a window of {n_steps}"
        )
    every = np.lib.stride_tricks.sliding_window_view(test, n_steps, axis=0).swapaxes(1, 2)  # one at every step
    windows = every[:n_windows]
    truth = np.stack([test[n_steps + h : n_steps + h + n_windows] for h in range(n_ahead)], axis=1)
    next_values = one_step(every[:-1])
    train = series.windows(parts["train"], n_steps=n_steps)
    forecasts = {
        "closed_loop": closed_loop(one_step, windows, n_ahead),
        "one_step": np.stack([next_values[h : h + n_windows] for h in range(n_ahead)], axis=1),
        "mean": np.broadcast_to(train.targets.mean(axis=0), truth.shape),
        "persistence": np.broadcast_to(windows[:, -1:], truth.shape),
        "ridge": closed_loop(ridge_of_series(train), windows, n_ahead),
    }
    if series.season is not None and series.season <= n_steps:
        forecasts["seasonal_persistence"] = windows[:, n_steps - series.season + np.arange(n_ahead) % series.season]
    return ForecastErrors(
        n_windows, {name: np.square(each - truth).mean(axis=(0, 2)) for name, each in forecasts.items()}
    )
