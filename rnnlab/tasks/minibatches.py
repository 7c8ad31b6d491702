"""The order in which training sequences are used: a fresh permutation in every epoch, cut into minibatches."""

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.tasks.arguments import check_whole


def minibatch_order(rng: np.random.Generator, n_sequences: int, batch_size: int) -> np.ndarray:
    """Draw the sequences of each minibatch of one epoch.

    Returns (n_minibatches, batch_size) int32: a permutation of 0 ... n_sequences - 1, row by row; where `batch_size`
    does not divide it, the last row is filled up with index 0. Raises RnnlabError if `batch_size` exceeds
    `n_sequences`.
    """
    n_minibatches = _count(n_sequences, batch_size)
    order = np.zeros(n_minibatches * batch_size, np.int32)
    order[:n_sequences] = rng.permutation(n_sequences)
    return order.reshape(n_minibatches, batch_size)


def minibatch_weights(n_sequences: int, batch_size: int) -> np.ndarray:
    """The weight of each sequence of `minibatch_order`: 1, and 0 for the filling; every row has one of 1.

    Returns (n_minibatches, batch_size) float64. Raises the same error.
    """
    n_minibatches = _count(n_sequences, batch_size)
    weights = np.zeros(n_minibatches * batch_size)
    weights[:n_sequences] = 1.0
    return weights.reshape(n_minibatches, batch_size)


def _count(n_sequences: int, batch_size: int) -> int:
    """The number of minibatches."""
    check_whole("n_sequences", n_sequences, 1)
    check_whole("batch_size", batch_size, 1)
    if batch_size > n_sequences:
        raise RnnlabError(f"batch_size = {batch_size}: must be at most the number of sequences, {n_sequences}")
    return -(-n_sequences // batch_size)
