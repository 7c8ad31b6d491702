"""Naive predictors, which give every error a scale: learned on the training split, they predict the test split."""

import numpy as np

from rnnlab.tasks.sequences import Sequences, Splits, real_steps, select

MOST_FEATURES = 256  # of the ridge regression: its window ends there
MOST_ROWS = 10_000  # training steps that it sees; the rest would cost time and change little
STRENGTHS = 10.0 ** np.arange(-6, 3)  # candidates, in units of the mean variance of a feature times the number of rows


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


def ridge_predictor(splits: Splits) -> np.ndarray:
    """Predict linearly from the inputs' window: the last inputs up to the target's step, and the initial condition.

    `min_B sum_i |y[i] - x[i] B|^2 + s |B|^2` (Hoerl & Kennard 1970), features and targets centred, `s` the one of
    `STRENGTHS` that errs least on the validation split. The window is the whole sequence where that makes at most
    `MOST_FEATURES` features, and inputs before its beginning count as zeros. At most `MOST_ROWS` training steps are
    used, those of the first sequences.

    Returns an array shaped as the test targets.
    """
    train, valid = _at_most(splits.train, MOST_ROWS), _at_most(splits.valid, MOST_ROWS)
    x, y = _rows(train)
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    x, y = x - x_mean, y - y_mean
    eigenvalues, vectors = np.linalg.eigh(x.T @ x)
    projected = vectors.T @ (x.T @ y)
    x_valid, y_valid = _rows(valid)
    x_valid = (x_valid - x_mean) @ vectors
    scale = max(float(eigenvalues.mean()), np.finfo(float).tiny)
    fits = [projected / (np.maximum(eigenvalues, 0) + strength * scale)[:, None] for strength in STRENGTHS]
    best = min(fits, key=lambda fit: float(np.square(y_valid - y_mean - x_valid @ fit).mean()))
    coefficients = vectors @ best
    outputs = np.zeros(splits.test.targets.shape)
    for start in range(0, splits.test.n_sequences, block := max(1, MOST_ROWS // splits.test.n_steps)):
        some = select(splits.test, np.arange(start, min(start + block, splits.test.n_sequences)))
        predicted = (_features(some) - x_mean) @ coefficients + y_mean
        outputs[start : start + block] = predicted.reshape(some.targets.shape)
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
