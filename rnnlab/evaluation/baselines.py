"""Naive predictors, which give every error a scale."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnlab.evaluation.ridge import fit_ridge
from rnnlab.tasks.sequences import Sequences, real_steps, select
from rnnlab.tasks.series import Series

MOST_FEATURES = 256  # of the ridge regression on a window: it ends there
MOST_ROWS = 10_000  # training steps that it sees; the rest would cost time and change little


def naive_outputs(
    task: Callable[..., Sequences], arguments: Mapping[str, Any], train: Sequences, test: Sequences
) -> dict[str, np.ndarray]:
    """The outputs of every naive predictor that a task has on the test sequences, by name, shaped as the targets.

    `mean` and `ridge` (see `mean_predictor`, `ridge_predictor`) are there for every task. `persistence` predicts the
    last known values of the targets: for a series, and where an initial condition is observed
    (`persistence_predictor`). `seasonal_persistence` is for a series with seasons whose window reaches back so far.

    arguments: the task's own
    """
    found = {"mean": mean_predictor(train, test)}
    if isinstance(task, Series):
        found["persistence"] = test.inputs if test.every_state else test.inputs[:, -1]
        back = None if task.season is None else task.season - arguments.get("horizon", 1)
        if back is not None and not test.every_state and 0 <= back < test.n_steps:
            found["seasonal_persistence"] = test.inputs[:, -1 - back]
    elif (lasting := persistence_predictor(train, test)) is not None:
        found["persistence"] = lasting
    found["ridge"] = ridge_predictor(train, test)
    return found


def mean_predictor(train: Sequences, test: Sequences) -> np.ndarray:
    """Predict the mean of the training targets, over their real steps, whatever the input.

    Returns an array shaped as the test targets.
    """
    mean = real_steps(train.targets, train.mask if train.every_state else None).mean(axis=0)
    return np.broadcast_to(mean, test.targets.shape)


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


def ridge_predictor(train: Sequences, test: Sequences) -> np.ndarray:
    """Predict linearly from the inputs' window: the last inputs up to the target's step, and the initial condition.

    One regression, by `fit_ridge`, for all steps. The window is the whole sequence where that makes at most
    `MOST_FEATURES` features, and inputs before its beginning count as zeros. At most `MOST_ROWS` training steps are
    used, those of the first sequences.

    Returns an array shaped as the test targets.
    """
    regression = fit_ridge(*_rows(_at_most(train, MOST_ROWS)))
    outputs = np.zeros(test.targets.shape)
    for start in range(0, test.n_sequences, block := max(1, MOST_ROWS // test.n_steps)):
        some = select(test, np.arange(start, min(start + block, test.n_sequences)))
        outputs[start : start + block] = regression(_features(some)).reshape(some.targets.shape)
    return outputs


def ridge_of_series(train: Sequences) -> Callable[[np.ndarray], np.ndarray]:
    """Ridge regression from windows of a series (n, n_steps, n_features) to the values after them (n, n_features)."""
    regression = fit_ridge(train.inputs.reshape(train.n_sequences, -1), train.targets)
    return lambda windows: regression(windows.reshape(len(windows), -1))


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
