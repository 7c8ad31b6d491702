"""Readouts: what the network's last, linear map means, and the loss that goes with it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from rnnlab.models.losses import binary_cross_entropy, cross_entropy, squared_error


@dataclass(frozen=True)
class Readout:
    """A readout: `outputs(scores)` are the network's outputs, `loss(scores, targets)` is what is minimised.

    Scores, outputs and targets are (batch, n_out) or (batch, n_steps, n_out), losses (batch,) or (batch, n_steps).
    `probabilities` says that targets lie in [0, 1] and must not be rescaled.
    """

    outputs: Callable[[TensorVariable], TensorVariable]
    loss: Callable[[TensorVariable, TensorVariable], TensorVariable]
    probabilities: bool


def linear(scores: TensorVariable) -> TensorVariable:
    """`y = s`."""
    return scores


def softmax(scores: TensorVariable) -> TensorVariable:
    """`y[k] = exp(s[k]) / sum_j exp(s[j])`: a probability for each of the classes."""
    return pt.special.softmax(scores, axis=-1)


READOUTS = {
    "linear": Readout(linear, squared_error, probabilities=False),
    "softmax": Readout(softmax, cross_entropy, probabilities=True),
    "binary": Readout(pt.sigmoid, binary_cross_entropy, probabilities=True),
}
