"""Gradient heuristics: the norm over all parameters, and clipping by it."""

from collections.abc import Iterable

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

# XLA sums over more rows than this in windows, which takes longer than a product with ones.
MOST_ROWS_SUMMED = 32


def gradient_norm(gradients: Iterable[TensorVariable]) -> TensorVariable:
    """`|g| = sqrt(sum g^2)` of the gradients with respect to all parameters together."""
    return pt.sqrt(sum(_sum_of_rows(pt.sqr(gradient)).sum() for gradient in gradients))


def _sum_of_rows(array: TensorVariable) -> TensorVariable:
    # Over rows first: a sum over a whole array is one long chain of additions, each of which waits for the last.
    n_rows = array.type.shape[0]
    if array.ndim == 2 and n_rows > MOST_ROWS_SUMMED:
        return pt.dot(pt.ones((1, n_rows), dtype=array.dtype), array)
    return array.sum(axis=0)


def clip_by_norm(gradient: TensorVariable, norm: TensorVariable, threshold: TensorVariable) -> TensorVariable:
    """`g min(1, c / |g|)` with threshold c: same direction, norm at most c (Pascanu, Mikolov & Bengio 2013, alg. 1)."""
    return gradient * (threshold / pt.maximum(norm, threshold))
