"""Temporal order: at the end, say which symbols were seen in which order among many that do not matter."""

from typing import Any

import numpy as np

from rnnlab.tasks.arguments import check_one_of, check_whole
from rnnlab.tasks.lengths import draw_lengths, length_range
from rnnlab.tasks.one_hot import is_misclassified, one_hot
from rnnlab.tasks.sequences import Sequences

VERSIONS = ("pascanu2013", "hochreiter1997")

# Where the tenths of a sequence in which the relevant symbols lie begin, in hundredths of its length.
STARTS = {
    "pascanu2013": {2: (10, 50), 3: (10, 30, 60)},
    "hochreiter1997": {2: (10, 50), 3: (10, 33, 66)},
}


def temporal_order(
    rng: np.random.Generator,
    n_sequences: int,
    *,
    n_steps: Any = 100,
    n_symbols: int = 2,
    version: str = "pascanu2013",
) -> Sequences:
    """Draw sequences of symbols in which 2 or 3 are X or Y; the target of the last state is the class of their order.

    n_steps:   steps of each sequence, or a range (low, high), both included, to draw each length from
    n_symbols: relevant symbols, 2 (4 classes) or 3 (8 classes)
    version:   whose task it is:

    - "pascanu2013" (Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks, with the
      details of their program): 6 inputs, X, Y and four distractors. In a sequence of length L the relevant symbols lie
      in the tenths of it that begin at L / 10 and L / 2, or for 3 symbols at L / 10, 3 L / 10 and 6 L / 10.
    - "hochreiter1997" (Hochreiter & Schmidhuber 1997, Long short-term memory, section 5.6, tasks 6a and 6b): 8 inputs,
      the two more for the first symbol E and the last symbol B of every sequence. With T the low end of `n_steps`, the
      relevant symbols lie at steps T / 10 to 2 T / 10 and T / 2 to 6 T / 10, or for 3 symbols T / 10 to 2 T / 10,
      33 T / 100 to 43 T / 100 and 66 T / 100 to 76 T / 100, both ends included. Published with `n_steps=[100, 110]`.

    Returns one-hot inputs (n_sequences, n_steps, 6 or 8) in the order X, Y, distractors, E, B, and one-hot targets
    (n_sequences, 2^n_symbols): class `sum_k 2^k [symbol k is Y]`, k counted from 0. Raises RnnlabError for an unknown
    version, for another number of symbols, or for sequences of fewer than 10 steps.
    """
    check_whole("n_sequences", n_sequences, 1)
    check_one_of("n_symbols", check_whole("n_symbols", n_symbols, 2), (2, 3))
    check_one_of("version", version, VERSIONS)
    lengths = draw_lengths(rng, n_sequences, n_steps, minimum=10)
    if version == "pascanu2013":
        measure, end_included = lengths.by_sequence, 0
    else:
        measure, end_included = np.full(n_sequences, length_range(n_steps)[0]), 1
    places = np.stack(
        [
            measure * start // 100 + rng.integers(0, measure // 10 + end_included)
            for start in STARTS[version][n_symbols]
        ],
        axis=1,
    )
    relevant = rng.integers(0, 2, (n_sequences, n_symbols))
    symbols = rng.integers(2, 6, (n_sequences, lengths.n_steps))
    np.put_along_axis(symbols, places, relevant, axis=1)
    if version == "hochreiter1997":
        symbols[:, 0] = 6
        symbols[np.arange(n_sequences), lengths.by_sequence - 1] = 7
    inputs = one_hot(symbols, 6 if version == "pascanu2013" else 8)
    if lengths.mask is not None:
        inputs[~lengths.mask] = 0.0
    classes = relevant @ 2 ** np.arange(n_symbols)
    return Sequences(inputs, one_hot(classes, 2**n_symbols), lengths.mask)


def is_wrong(outputs: np.ndarray, targets: np.ndarray, version: str = "pascanu2013") -> np.ndarray:
    """Which answers count as wrong: outputs and one-hot targets (n_sequences, n_classes) -> (n_sequences,) bool.

    "pascanu2013": the largest output is not that of the class; "hochreiter1997" (table 9): the absolute error of any
    output is not below 0.3, outputs being on the targets' scale.
    """
    check_one_of("version", version, VERSIONS)
    if version == "pascanu2013":
        return is_misclassified(outputs, targets)
    return ~(np.abs(outputs - targets) < 0.3).all(axis=1)
