"""Backpropagation through a whole network: from a cost of its outputs to the gradient of every parameter."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytensor
from pytensor.tensor.variable import TensorVariable

from rnnlab.models.network import Network
from rnnlab.models.recurrence import Gradients, run_backward


@dataclass(frozen=True)
class Backpropagated:
    """The gradient of a cost by parameter name, and what went through each layer, from the input upwards."""

    by_name: dict[str, TensorVariable]
    layers: list[Gradients]


def backpropagate(network: Network, parameters: Mapping[str, TensorVariable], cost: TensorVariable) -> Backpropagated:
    """The gradient of `cost`, a scalar of the network's outputs, with respect to every parameter.

    Each layer's loop over time is run backwards (`run_backward`), everything else is PyTensor's own gradient.
    """
    if not network.layers:
        found = pytensor.grad(cost, list(parameters.values()))
        return Backpropagated(dict(zip(parameters, found, strict=True)), [])
    readout = [name for name in parameters if name.startswith("readout.")]
    d_read, *d_readout = pytensor.grad(cost, [network.read, *(parameters[name] for name in readout)])
    by_name = dict(zip(readout, d_readout, strict=True))
    by_step, at_end = (d_read, None) if d_read.ndim == 3 else (None, d_read)
    through: list[Gradients] = []
    for index in reversed(range(len(network.layers))):
        layer = network.layers[index]
        gradients = run_backward(layer.recurrence, by_step, at_end)
        through.insert(0, gradients)
        by_name[f"{layer.name}.W_hh"] = gradients.W_hh
        known = {layer.reversed_z: gradients.reversed_z}
        known |= dict(zip(layer.recurrence.start, gradients.start, strict=True))
        names = [name for name in parameters if name.startswith(f"{layer.name}.") and name not in by_name]
        wrt = [parameters[name] for name in names]
        if index > 0:
            wrt.append(network.layers[index - 1].recurrence.states[0])
        found = pytensor.grad(None, wrt, known_grads=known)
        if index > 0:
            by_step, at_end = found.pop(), None
        by_name |= dict(zip(names, found, strict=True))
    return Backpropagated({name: by_name[name] for name in parameters}, through)
