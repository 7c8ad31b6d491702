"""The symbols that graphs of a network begin with: its parameters, and sequences of static shapes."""

from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from rnnlab.models.network import Architecture


@dataclass(frozen=True)
class DataShape:
    """The static shapes of a set of sequences, for the compiler."""

    n_sequences: int
    n_steps: int
    masked: bool


def symbolic_parameters(architecture: Architecture, dtype: str) -> dict[str, TensorVariable]:
    """The symbolic weights and biases by name."""
    return {name: pt.tensor(name, dtype=dtype, shape=shape) for name, shape in architecture.parameter_shapes().items()}


def symbolic_data(architecture: Architecture, data: DataShape, dtype: str) -> dict[str, TensorVariable]:
    """The symbolic inputs, targets, mask and initial condition of a set of sequences, as far as they are used."""
    n, steps = data.n_sequences, data.n_steps
    target_shape = (n, steps, architecture.n_out) if architecture.every_state else (n, architecture.n_out)
    shapes = {"inputs": (n, steps, architecture.n_in), "targets": target_shape}
    if data.masked:
        shapes["mask"] = (n, steps)
    if architecture.initial_state == "mapped":
        shapes["initial"] = (n, architecture.n_initial)
    return {name: pt.tensor(name, dtype=dtype, shape=shape) for name, shape in shapes.items()}
