"""The dot product of streams: the sum over time of the product of a sequence's components."""

from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.tasks.arguments import check_number, check_whole
from rnnlab.tasks.lengths import draw_lengths
from rnnlab.tasks.sequences import Sequences


def dot_product(
    rng: np.random.Generator,
    n_sequences: int,
    *,
    n_steps: Any = 10,
    n_components: int = 2,
    low: float = 0.0,
    high: float = 1.0,
    noise_std: float = 0.0,
) -> Sequences:
    """Draw sequences with the target `sum_t prod_k u[t, k]`, read from the last state.

    n_steps:      steps of each sequence, or a range (low, high), both included, to draw each length from
    n_components: streams; 2 make the dot product, 1 the plain sum
    low, high:    the inputs u[t, k] are independent and uniform on this interval
    noise_std:    standard deviation of white noise on the targets; above 0, `clean_targets` holds them without it

    Returns inputs (n_sequences, n_steps, n_components) and targets (n_sequences, 1). Raises RnnlabError for an
    argument out of range. Source: T. Ramalho, "Implementing a recurrent neural network in python", 2013, where two
    streams of 10 steps are uniform on (0, 1).
    """
    check_whole("n_sequences", n_sequences, 1)
    check_whole("n_components", n_components, 1)
    check_number("low", low)
    check_number("high", high)
    if low >= high:
        raise RnnlabError(f"low = {low!r}: must be below high = {high!r}")
    check_number("noise_std", noise_std, 0.0)
    lengths = draw_lengths(rng, n_sequences, n_steps)
    inputs = rng.uniform(low, high, (n_sequences, lengths.n_steps, n_components))
    if lengths.mask is not None:
        inputs *= lengths.mask[:, :, None]
    product = inputs[:, :, 0].copy()
    for k in range(1, n_components):
        product *= inputs[:, :, k]
    clean = product.sum(axis=1, keepdims=True)
    if noise_std == 0:
        return Sequences(inputs, clean, lengths.mask)
    return Sequences(inputs, clean + rng.normal(0.0, noise_std, clean.shape), lengths.mask, clean_targets=clean)
