"""Optimizers: one minibatch update of one parameter, as symbolic expressions.

Every rule has the form `rule(parameter, gradient, slots, learning_rate, update, hyper) -> (parameter, slots)`. `slots`
are arrays of the parameter's shape that start at 0, `update` counts updates from 1, and `hyper` holds the optimizer's
other settings by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

Slots = tuple[TensorVariable, ...]
Hyper = Mapping[str, TensorVariable]
Rule = Callable[
    [TensorVariable, TensorVariable, Slots, TensorVariable, TensorVariable, Hyper], tuple[TensorVariable, Slots]
]


@dataclass(frozen=True)
class Optimizer:
    """An update rule with the names of its slots and of its settings in the config section `training`."""

    rule: Rule
    slots: tuple[str, ...] = ()
    hyper: tuple[str, ...] = ()


def sgd(parameter, gradient, slots, learning_rate, update, hyper):
    """`p <- p - a g`."""
    return parameter - learning_rate * gradient, ()


def momentum(parameter, gradient, slots, learning_rate, update, hyper):
    """`v <- m v - a g; p <- p + v` (Polyak 1964)."""
    (velocity,) = slots
    velocity = hyper["momentum"] * velocity - learning_rate * gradient
    return parameter + velocity, (velocity,)


def nesterov(parameter, gradient, slots, learning_rate, update, hyper):
    """`v <- m v - a g; p <- p + m v - a g`.

    Nesterov's momentum written for the parameter at the look-ahead point, where the gradient is taken
    (Bengio, Boulanger-Lewandowski & Pascanu 2013, eq. 7; Sutskever et al. 2013).
    """
    (velocity,) = slots
    velocity = hyper["momentum"] * velocity - learning_rate * gradient
    return parameter + hyper["momentum"] * velocity - learning_rate * gradient, (velocity,)


def rmsprop(parameter, gradient, slots, learning_rate, update, hyper):
    """`s <- r s + (1 - r) g^2; p <- p - a g / (sqrt(s) + e)` (Tieleman & Hinton 2012, lecture 6.5)."""
    (mean_square,) = slots
    mean_square = hyper["rho"] * mean_square + (1 - hyper["rho"]) * pt.sqr(gradient)
    return parameter - learning_rate * gradient / (pt.sqrt(mean_square) + hyper["epsilon"]), (mean_square,)


def adam(parameter, gradient, slots, learning_rate, update, hyper):
    """Adam (Kingma & Ba 2015, algorithm 1), at update t:

    `m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2; p <- p - a (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e)`.
    """
    mean, mean_square = slots
    beta1, beta2 = hyper["beta1"], hyper["beta2"]
    mean = beta1 * mean + (1 - beta1) * gradient
    mean_square = beta2 * mean_square + (1 - beta2) * pt.sqr(gradient)
    step = (mean / (1 - beta1**update)) / (pt.sqrt(mean_square / (1 - beta2**update)) + hyper["epsilon"])
    return parameter - learning_rate * step, (mean, mean_square)


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(sgd),
    "momentum": Optimizer(momentum, slots=("velocity",), hyper=("momentum",)),
    "nesterov": Optimizer(nesterov, slots=("velocity",), hyper=("momentum",)),
    "rmsprop": Optimizer(rmsprop, slots=("mean_square",), hyper=("rho", "epsilon")),
    "adam": Optimizer(adam, slots=("mean", "mean_square"), hyper=("beta1", "beta2", "epsilon")),
}
