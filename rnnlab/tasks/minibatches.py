"""The order in which training sequences are used: a fresh permutation in every epoch, cut into minibatches."""

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.tasks.arguments import check_whole


def minibatches(rng: np.random.Generator, n_sequences: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sequences of each minibatch of one epoch, and their weights.

    order:   (n_minibatches, batch_size) int32, a permutation of 0 ... n_sequences - 1, row by row; where
             `batch_size` does not divide it, the last row is filled up with index 0
    weights: (n_minibatches, batch_size) float64, 1 for each sequence of the permutation and 0 for the filling

    Every row holds at least one sequence of weight 1. Raises RnnlabError if `batch_size` exceeds `n_sequences`.
    """
    check_whole("n_sequences", n_sequences, 1)
    check_whole("batch_size", batch_size, 1)
    if batch_size > n_sequences:
        raise RnnlabError(f"batch_size = {batch_size}: must be at most the number of sequences, {n_sequences}")
    n_minibatches = -(-n_sequences // batch_size)
    order = np.zeros(n_minibatches * batch_size, np.int32)
    order[:n_sequences] = rng.permutation(n_sequences)
    weights = np.zeros(n_minibatches * batch_size)
    weights[:n_sequences] = 1.0
    return order.reshape(n_minibatches, batch_size), weights.reshape(n_minibatches, batch_size)
