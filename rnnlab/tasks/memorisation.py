"""Noiseless memorisation: repeat a string of symbols after a long pause, when told to."""

from typing import Any

import numpy as np

from rnnlab.tasks.arguments import check_whole
from rnnlab.tasks.lengths import draw_lengths
from rnnlab.tasks.one_hot import is_misclassified, one_hot
from rnnlab.tasks.sequences import Sequences


def memorisation(
    rng: np.random.Generator, n_sequences: int, *, n_steps: Any = 120, n_values: int = 5, n_positions: int = 10
) -> Sequences:
    """Draw sequences that begin with `n_positions` symbols, which are to be repeated at their end.

    n_steps:     steps of each sequence, or a range (low, high), both included, to draw each length from. A pause of T
                 steps, the published length, makes `T + 2 n_positions` of them.
    n_values:    symbols to choose from, with equal chances
    n_positions: symbols to remember; 5 values at 10 positions are 23 bits, 2 at 5 positions are 5 bits

    Inputs are one-hot (n_sequences, n_steps, n_values + 2): the symbols, then blanks (`n_values`), with the signal to
    answer (`n_values + 1`) at the first of the last `n_positions` steps. Targets are one-hot at every step
    (n_sequences, n_steps, n_values + 1): blank (`n_values`) before the signal, and from it on the symbols in order.
    Raises RnnlabError for sequences too short for symbols, a pause of one step, and answer.

    Source: Martens & Sutskever 2011, Learning recurrent neural networks with Hessian-free optimization, with the
    details of the program of Pascanu, Mikolov & Bengio 2013.
    """
    for name, value, minimum in (
        ("n_sequences", n_sequences, 1),
        ("n_values", n_values, 2),
        ("n_positions", n_positions, 1),
    ):
        check_whole(name, value, minimum)
    lengths = draw_lengths(rng, n_sequences, n_steps, minimum=2 * n_positions + 1)
    blank, signal = n_values, n_values + 1
    string = rng.integers(0, n_values, (n_sequences, n_positions))
    symbols = np.full((n_sequences, lengths.n_steps), blank)
    symbols[:, :n_positions] = string
    answers = np.full((n_sequences, lengths.n_steps), blank)
    answer_steps = lengths.by_sequence[:, None] - n_positions + np.arange(n_positions)
    np.put_along_axis(symbols, answer_steps[:, :1], signal, axis=1)
    np.put_along_axis(answers, answer_steps, string, axis=1)
    inputs, targets = one_hot(symbols, n_values + 2), one_hot(answers, n_values + 1)
    if lengths.mask is not None:
        inputs[~lengths.mask] = 0.0
        targets[~lengths.mask] = 0.0
    return Sequences(inputs, targets, lengths.mask)


def is_wrong(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which sequences are wrong at any real step: both (n_sequences, n_steps, n_classes) -> (n_sequences,) bool."""
    return is_misclassified(outputs, targets)
