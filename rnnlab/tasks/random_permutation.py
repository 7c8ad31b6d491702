"""Random permutation: remember the first symbol through a sequence of others."""

from typing import Any

import numpy as np

from rnnlab.tasks.arguments import check_whole
from rnnlab.tasks.lengths import draw_lengths
from rnnlab.tasks.one_hot import is_misclassified, one_hot
from rnnlab.tasks.sequences import Sequences


def random_permutation(
    rng: np.random.Generator, n_sequences: int, *, n_steps: Any = 100, n_symbols: int = 100
) -> Sequences:
    """Draw sequences whose first symbol, 0 or 1, is the target of the last state; all others are irrelevant.

    n_steps:   steps of each sequence, or a range (low, high), both included, to draw each length from
    n_symbols: size of the alphabet; symbols after the first are independent and uniform on 2 ... n_symbols - 1

    Returns one-hot inputs (n_sequences, n_steps, n_symbols) and one-hot targets (n_sequences, n_symbols), in which the
    classes from 2 on never occur. Raises RnnlabError for fewer than 3 symbols or 2 steps.

    Source: the program of Pascanu, Mikolov & Bengio 2013, which draws with replacement what Martens & Sutskever 2011
    (after Hochreiter & Schmidhuber 1997, experiment 2b) describe as a permutation.
    """
    check_whole("n_sequences", n_sequences, 1)
    check_whole("n_symbols", n_symbols, 3)
    lengths = draw_lengths(rng, n_sequences, n_steps, minimum=2)
    symbols = rng.integers(2, n_symbols, (n_sequences, lengths.n_steps))
    symbols[:, 0] = rng.integers(0, 2, n_sequences)
    inputs = one_hot(symbols, n_symbols)
    if lengths.mask is not None:
        inputs[~lengths.mask] = 0.0
    return Sequences(inputs, one_hot(symbols[:, 0], n_symbols), lengths.mask)


def is_wrong(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which answers are another symbol: both (n_sequences, n_symbols) -> (n_sequences,) bool."""
    return is_misclassified(outputs, targets)
