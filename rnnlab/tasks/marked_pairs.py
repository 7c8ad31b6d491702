"""Adding, multiplication and XOR: at the end, combine the values at two marked steps among many that do not matter."""

from typing import Any

import numpy as np

from rnnlab.tasks.arguments import check_one_of, check_whole
from rnnlab.tasks.lengths import Lengths, draw_lengths, length_range
from rnnlab.tasks.sequences import Sequences

VERSIONS = ("pascanu2013", "hochreiter1997")


def adding(
    rng: np.random.Generator, n_sequences: int, *, n_steps: Any = 100, version: str = "pascanu2013"
) -> Sequences:
    """Draw sequences of pairs with the sum of the two marked values, rescaled, as the target of the last state.

    n_steps: steps of each sequence, or a range (low, high), both included, to draw each length from. The published
             lengths "T plus up to T / 10" are `[T, T + T // 10]`.
    version: whose task it is:

    - "pascanu2013" (Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks, with the
      details of their program): u[t, 0] marks two steps with 1, one in the first tenth of the sequence and one in the
      next four tenths; u[t, 1] is uniform on (0, 1); the target is half the sum of the marked values, and an answer is
      wrong if its squared error exceeds 0.04. A constant guess has a mean squared error of 1 / 24.
    - "hochreiter1997" (Hochreiter & Schmidhuber 1997, Long short-term memory, section 5.4): u[t, 0] is uniform on
      (-1, 1); u[t, 1] marks two steps with 1, one of the first ten and then one of the first `T / 2 - 1` others, where
      T is the low end of `n_steps`; it is -1 at the first and at the last step. Where the first step is chosen, it
      keeps its -1 and its value is set to 0. The target is `0.5 + (x1 + x2) / 4`, and an answer is wrong if its
      absolute error is not below 0.04. A constant guess has a mean squared error of about 1 / 24.

    Returns inputs (n_sequences, n_steps, 2) and targets (n_sequences, 1). Raises RnnlabError for an unknown version, or
    for sequences of fewer than 10 steps (20 for "hochreiter1997").
    """
    inputs, first, second, mask = _marked(rng, n_sequences, n_steps, version, low=-1.0, neutral=0.0)
    targets = (first + second) / 2 if version == "pascanu2013" else 0.5 + (first + second) / 4
    return Sequences(inputs, targets[:, None], mask)


def multiplication(
    rng: np.random.Generator, n_sequences: int, *, n_steps: Any = 100, version: str = "pascanu2013"
) -> Sequences:
    """Draw sequences as in `adding`, with the product of the two marked values as the target.

    All values are uniform on (0, 1) in both versions; where the first step is chosen in "hochreiter1997" (section 5.5),
    its value is set to 1. A constant guess has a mean squared error of 7 / 144.
    """
    inputs, first, second, mask = _marked(rng, n_sequences, n_steps, version, low=0.0, neutral=1.0)
    return Sequences(inputs, (first * second)[:, None], mask)


def xor(rng: np.random.Generator, n_sequences: int, *, n_steps: Any = 100) -> Sequences:
    """Draw sequences of bits, with the exclusive or of the two marked ones, 0 or 1, as the target of the last state.

    u[t, 0] marks two steps as in the "pascanu2013" version of `adding`, u[t, 1] is 0 or 1 with equal chances (Martens &
    Sutskever 2011, Learning recurrent neural networks with Hessian-free optimization). Returns inputs
    (n_sequences, n_steps, 2) and targets (n_sequences, 1). Raises RnnlabError for sequences of fewer than 10 steps.
    """
    check_whole("n_sequences", n_sequences, 1)
    lengths = draw_lengths(rng, n_sequences, n_steps, minimum=10)
    markers = _marked_steps_2013(rng, lengths.by_sequence)
    bits = rng.integers(0, 2, (n_sequences, lengths.n_steps)).astype(float)
    inputs = _pairs(lengths, markers, bits, marker_first=True)
    first, second = np.take_along_axis(bits, markers, axis=1).T
    return Sequences(inputs, np.abs(first - second)[:, None], lengths.mask)


def is_wrong(outputs: np.ndarray, targets: np.ndarray, version: str = "pascanu2013") -> np.ndarray:
    """Which answers to `adding` or `multiplication` count as wrong: (n_sequences, 1) twice -> (n_sequences,) bool.

    "pascanu2013": the squared error exceeds 0.04; "hochreiter1997": the absolute error is not below 0.04.
    """
    check_one_of("version", version, VERSIONS)
    errors = np.abs(outputs - targets)[:, 0]
    return errors**2 > 0.04 if version == "pascanu2013" else ~(errors < 0.04)


def is_wrong_bit(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which answers to `xor` are not nearer to the right bit: both (n_sequences, 1) -> (n_sequences,) bool.

    Outputs are probabilities of a 1.
    """
    return ~(np.abs(outputs - targets)[:, 0] < 0.5)


def _marked(
    rng: np.random.Generator, n_sequences: int, n_steps: Any, version: str, low: float, neutral: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """The inputs, the two marked values of each sequence, and the mask.

    low, neutral: lower bound of the values, and the value given to a marked first step, in "hochreiter1997"
    """
    check_whole("n_sequences", n_sequences, 1)
    check_one_of("version", version, VERSIONS)
    if version == "pascanu2013":
        lengths = draw_lengths(rng, n_sequences, n_steps, minimum=10)
        markers = _marked_steps_2013(rng, lengths.by_sequence)
        values = rng.uniform(0.0, 1.0, (n_sequences, lengths.n_steps))
        inputs = _pairs(lengths, markers, values, marker_first=True)
    else:
        lengths = draw_lengths(rng, n_sequences, n_steps, minimum=20)
        shortest, _ = length_range(n_steps)
        first = rng.integers(0, 10, n_sequences)
        second = rng.integers(0, shortest // 2 - 1, n_sequences)
        markers = np.stack([first, second + (second >= first)], axis=1)
        values = rng.uniform(low, 1.0, (n_sequences, lengths.n_steps))
        values[:, 0] = np.where((markers == 0).any(axis=1), neutral, values[:, 0])
        inputs = _pairs(lengths, markers, values, marker_first=False)
        inputs[:, 0, 1] = -1.0
        inputs[np.arange(n_sequences), lengths.by_sequence - 1, 1] = -1.0
    first_value, second_value = np.take_along_axis(values, markers, axis=1).T
    return inputs, first_value, second_value, lengths.mask


def _marked_steps_2013(rng: np.random.Generator, lengths: np.ndarray) -> np.ndarray:
    """Two steps of each sequence (n_sequences, 2): one in its first tenth, one in the four tenths that follow."""
    tenth = lengths // 10
    return np.stack([rng.integers(0, tenth), tenth + rng.integers(0, lengths * 4 // 10)], axis=1)


def _pairs(lengths: Lengths, markers: np.ndarray, values: np.ndarray, marker_first: bool) -> np.ndarray:
    """Values and markers side by side: (n_sequences, n_steps, 2), 0 at masked steps."""
    marks = np.zeros(values.shape)
    np.put_along_axis(marks, markers, 1.0, axis=1)
    pairs = np.stack([marks, values] if marker_first else [values, marks], axis=2)
    if lengths.mask is not None:
        pairs[~lengths.mask] = 0.0
    return pairs
