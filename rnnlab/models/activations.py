"""Activation functions g of the hidden units, by name."""

from collections.abc import Callable

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable


def relu(x: TensorVariable) -> TensorVariable:
    """max(x, 0), whose derivative at 0 is taken as 0."""
    return pt.switch(x > 0, x, pt.zeros_like(x))


def identity(x: TensorVariable) -> TensorVariable:
    """x itself: a linear network."""
    return x


ACTIVATIONS: dict[str, Callable[[TensorVariable], TensorVariable]] = {
    "sigmoid": pt.sigmoid,
    "tanh": pt.tanh,
    "relu": relu,
    "identity": identity,
}
