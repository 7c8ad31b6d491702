"""Gradient heuristics: the norm over all parameters, and clipping by it."""

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable


def gradient_norm(gradient: TensorVariable) -> TensorVariable:
    """`|g| = sqrt(sum g^2)` of the gradient with respect to all parameters together, as one vector."""
    return pt.sqrt(pt.sqr(gradient).sum())


def clip_by_norm(gradient: TensorVariable, norm: TensorVariable, threshold: TensorVariable) -> TensorVariable:
    """`g min(1, c / |g|)` with threshold c: same direction, norm at most c (Pascanu, Mikolov & Bengio 2013, alg. 1)."""
    return gradient * (threshold / pt.maximum(norm, threshold))
