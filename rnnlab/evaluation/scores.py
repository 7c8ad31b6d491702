"""Errors of predictions, in the units of the targets."""

import numpy as np


def mean_squared_error(outputs: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None) -> float:
    """`mean (y - t)^2` over outputs, each sequence's real steps, and sequences, in that order.

    outputs, targets: (n_sequences, n_out) or (n_sequences, n_steps, n_out); mask: (n_sequences, n_steps) or None
    """
    return _mean(np.square(np.asarray(outputs, float) - targets), mask)


def mean_absolute_error(outputs: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None) -> float:
    """`mean |y - t|`, averaged as in `mean_squared_error`."""
    return _mean(np.abs(np.asarray(outputs, float) - targets), mask)


def mean_squared_error_by_step(outputs: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """`mean (y[t] - target[t])^2` at every step t, over outputs and the sequences that have the step: (n_steps,).

    outputs, targets: (n_sequences, n_steps, n_out). A step that no sequence has is NaN.
    """
    errors = np.square(np.asarray(outputs, float) - targets).mean(axis=-1)
    real = np.ones(errors.shape, bool) if mask is None else mask
    counts = real.sum(axis=0)
    return np.where(counts > 0, (errors * real).sum(axis=0) / np.maximum(counts, 1), np.nan)


def _mean(errors: np.ndarray, mask: np.ndarray | None) -> float:
    by_step = errors.mean(axis=-1)
    if by_step.ndim == 1 or mask is None:
        return float(by_step.mean())
    return float(((by_step * mask).sum(axis=1) / mask.sum(axis=1)).mean())
