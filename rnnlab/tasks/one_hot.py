"""Symbols and classes as one-hot numbers: what classification tasks have as inputs and targets."""

import numpy as np


def one_hot(indices: np.ndarray, n_classes: int) -> np.ndarray:
    """Rows of zeros with a 1 at the index: (...) whole numbers below `n_classes` -> (..., n_classes) float64."""
    encoded = np.zeros((*indices.shape, n_classes))
    np.put_along_axis(encoded, indices[..., None], 1.0, axis=-1)
    return encoded


def is_misclassified(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which sequences have a largest output that is not the target's class, at the end or at any of the real steps.

    outputs: (n_sequences, n_classes) or (n_sequences, n_steps, n_classes), class scores or probabilities
    targets: one-hot, shaped as the outputs; rows of zeros, which no real step has, are left out

    Returns (n_sequences,) bool.
    """
    wrong = (outputs.argmax(axis=-1) != targets.argmax(axis=-1)) & targets.any(axis=-1)
    return wrong if wrong.ndim == 1 else wrong.any(axis=1)
