"""Naive predictors, which give every error a scale."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnlab.evaluation.ridge import fit_ridge
from rnnlab.tasks.sequences import Sequences, real_steps
from rnnlab.tasks.series import Series


def naive_outputs(
    task: Callable[..., Sequences], arguments: Mapping[str, Any], train: Sequences, test: Sequences
) -> dict[str, np.ndarray]:
    """The outputs of every naive predictor that a task has on the test sequences, by name, shaped as the targets.

    `mean` and `ridge` (see `mean_predictor`, `ridge_regression`) are there for every task. `persistence` is where the
    last known values of the targets are among what is given: for a series, and where the initial condition has as many
    numbers as the targets; `seasonal_persistence` is for a series with seasons, where its window reaches back so far.

    arguments: the task's own
    """
    found = {"mean": mean_predictor(train, test)}
    if isinstance(task, Series):
        found["persistence"] = persistence(test)
        back = None if task.season is None else task.season - arguments.get("horizon", 1)
        if back is not None and not test.every_state and 0 <= back < test.n_steps:
            found["seasonal_persistence"] = test.inputs[:, -1 - back]
    elif test.initial is not None and test.initial.shape[1] == test.n_out:
        found["persistence"] = persistence_of_initial(test)
    found["ridge"] = ridge_regression(train, test)
    return found


def mean_predictor(train: Sequences, test: Sequences) -> np.ndarray:
    """Predict the mean of the training targets, over their real steps, whatever the input.

    Returns an array shaped as the test targets.
    """
    mean = real_steps(train.targets, train.mask if train.every_state else None).mean(axis=0)
    return np.broadcast_to(mean, test.targets.shape)


def persistence(test: Sequences) -> np.ndarray:
    """Predict that nothing changes: `y = u[T]`, or `y[t] = u[t]`, where the inputs are past values of the targets.

    Inputs must have as many features as the targets, and no mask. Returns an array shaped as the targets.
    """
    return test.inputs if test.every_state else test.inputs[:, -1]


def persistence_of_initial(test: Sequences) -> np.ndarray:
    """Predict that the observed initial condition, which has as many numbers as the targets, lasts at every step."""
    assert test.initial is not None, "for sequences with an initial condition"
    return np.broadcast_to(test.initial[:, None] if test.every_state else test.initial, test.targets.shape)


def ridge_regression(train: Sequences, test: Sequences) -> np.ndarray:
    """Predict linearly from the inputs and the initial condition: a ridge regression of its own for every step.

    `y = X B + b` by `fit_ridge`, where a row of X holds the initial condition and the inputs up to the step that is
    predicted, as many of the last ones as make no more than 1,000 numbers (100 where every step is predicted); where
    only the last state is read out, the last real steps of each sequence. Returns an array shaped as the test targets.
    """
    if not test.every_state:
        n_lags = _lags(train.n_steps, train.n_in, 1000)
        regression = fit_ridge(_last_inputs(train, n_lags), train.targets)
        return regression(_last_inputs(test, n_lags))
    outputs = np.zeros(test.targets.shape)
    for step in range(test.n_steps):
        there = np.flatnonzero(train.lengths > step)
        asked = test.lengths > step
        if len(there) and asked.any():
            n_lags = _lags(step + 1, train.n_in, 100)
            regression = fit_ridge(_inputs_until(train, step, n_lags)[there], train.targets[there, step])
            outputs[asked, step] = regression(_inputs_until(test, step, n_lags)[asked])
    return outputs


def ridge_predictor(train: Sequences) -> Callable[[np.ndarray], np.ndarray]:
    """Ridge regression from windows of a series (n, n_steps, n_features) to the values after them (n, n_features)."""
    regression = fit_ridge(train.inputs.reshape(train.n_sequences, -1), train.targets)
    return lambda windows: regression(windows.reshape(len(windows), -1))


def _lags(n_steps: int, n_in: int, most: int) -> int:
    return min(n_steps, max(1, most // n_in))


def _inputs_until(sequences: Sequences, step: int, n_lags: int) -> np.ndarray:
    """Rows of the inputs at the `n_lags` steps up to `step`, and the initial condition."""
    rows = sequences.inputs[:, step + 1 - n_lags : step + 1].reshape(sequences.n_sequences, -1)
    return rows if sequences.initial is None else np.concatenate([rows, sequences.initial], axis=1)


def _last_inputs(sequences: Sequences, n_lags: int) -> np.ndarray:
    """Rows of the inputs at the last `n_lags` real steps, 0 before the first one, and the initial condition."""
    steps = sequences.lengths[:, None] - n_lags + np.arange(n_lags)
    chosen = np.take_along_axis(sequences.inputs, np.maximum(steps, 0)[:, :, None], axis=1) * (steps >= 0)[:, :, None]
    rows = chosen.reshape(sequences.n_sequences, -1)
    return rows if sequences.initial is None else np.concatenate([rows, sequences.initial], axis=1)
