"""Naive predictors, which give every error a scale."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnlab.evaluation.ridge import fit_ridge
from rnnlab.tasks.sequences import Sequences, Splits, real_steps, select
from rnnlab.tasks.series import Series

MOST_FEATURES = 256  # of the ridge regression on a window: it ends there
MOST_ROWS = 10_000  # training steps that it sees; the rest would cost time and change little


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


def ridge_of_series(train: Sequences) -> Callable[[np.ndarray], np.ndarray]:
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


def persistence_predictor(train: Sequences, test: Sequences) -> np.ndarray | None:
    """Predict that nothing changes after the observed initial condition: its outputs, at every step.

    What an initial condition puts out is learned by least squares, from the initial conditions and first targets of
    the training split. Returns an array shaped as the test targets; None without an initial condition, or where only
    the last state is read out.
    """
    if train.initial is None or test.initial is None or not train.every_state:
        return None
    coefficients, *_ = np.linalg.lstsq(_with_one(train.initial), train.targets[:, 0], rcond=None)
    return np.broadcast_to((_with_one(test.initial) @ coefficients)[:, None], test.targets.shape)


def ridge_predictor(splits: Splits) -> np.ndarray:
    """Predict linearly from the inputs' window: the last inputs up to the target's step, and the initial condition.

    One regression, by `fit_ridge`, for all steps. The window is the whole sequence where that makes at most
    `MOST_FEATURES` features, and inputs before its beginning count as zeros. At most `MOST_ROWS` training steps are
    used, those of the first sequences.

    Returns an array shaped as the test targets.
    """
    regression = fit_ridge(*_rows(_at_most(splits.train, MOST_ROWS)))
    outputs = np.zeros(splits.test.targets.shape)
    for start in range(0, splits.test.n_sequences, block := max(1, MOST_ROWS // splits.test.n_steps)):
        some = select(splits.test, np.arange(start, min(start + block, splits.test.n_sequences)))
        outputs[start : start + block] = regression(_features(some)).reshape(some.targets.shape)
    return outputs


def _rows(sequences: Sequences) -> tuple[np.ndarray, np.ndarray]:
    """Features and targets: of each real step, or of each sequence where only the last state is read out."""
    features = _features(sequences)
    if not sequences.every_state:
        return features, sequences.targets
    by_step = features.reshape(sequences.n_sequences, sequences.n_steps, -1)
    return real_steps(by_step, sequences.mask), real_steps(sequences.targets, sequences.mask)


def _features(sequences: Sequences) -> np.ndarray:
    """(n_rows, n_features): the window that ends at each step, or at each sequence's last step, and `initial`."""
    n_sequences, n_steps, n_in = sequences.inputs.shape
    window = min(n_steps, max(1, MOST_FEATURES // n_in))
    padded = np.concatenate([np.zeros((n_sequences, window - 1, n_in)), sequences.inputs], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)  # (n_sequences, n_steps, n_in, window)
    if not sequences.every_state:
        windows = windows[np.arange(n_sequences), sequences.lengths - 1][:, None]
    features = windows.reshape(n_sequences, -1, n_in * window)
    if sequences.initial is not None:
        initial = np.repeat(sequences.initial[:, None], features.shape[1], axis=1)
        features = np.concatenate([features, initial], axis=2)
    return features.reshape(-1, features.shape[2])


def _at_most(sequences: Sequences, n_rows: int) -> Sequences:
    """The first sequences: as many as have `n_rows` steps together, or `n_rows` where only the last state counts."""
    n = max(1, n_rows // (sequences.n_steps if sequences.every_state else 1))
    return sequences if n >= sequences.n_sequences else select(sequences, np.arange(n))


def _with_one(features: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones((len(features), 1)), features], axis=1)
