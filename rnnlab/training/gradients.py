"""Gradient heuristics: the norm over all parameters, and clipping by it."""

from collections.abc import Iterable

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable


def gradient_norm(gradients: Iterable[TensorVariable]) -> TensorVariable:
    """`|g| = sqrt(sum g^2)` of the gradients with respect to all parameters together."""
    # Sums over rows first: a sum over a whole array is one long chain of additions, each of which waits for the last.
    return pt.sqrt(sum(pt.sqr(gradient).sum(axis=0).sum() for gradient in gradients))


def clip_by_norm(gradient: TensorVariable, norm: TensorVariable, threshold: TensorVariable) -> TensorVariable:
    """`g min(1, c / |g|)` with threshold c: same direction, norm at most c (Pascanu, Mikolov & Bengio 2013, alg. 1)."""
    return gradient * (threshold / pt.maximum(norm, threshold))
