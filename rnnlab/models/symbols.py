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

    def targets_of(self, architecture: Architecture) -> tuple[int, ...]:
        """The shape of the targets of these sequences: one for each sequence, or one for each of its steps."""
        steps = (self.n_steps,) if architecture.every_state else ()
        return (self.n_sequences, *steps, architecture.n_out)


def symbolic_parameters(architecture: Architecture, dtype: str) -> dict[str, TensorVariable]:
    """The symbolic weights and biases by name."""
    return {name: pt.tensor(name, dtype=dtype, shape=shape) for name, shape in architecture.parameter_shapes().items()}


def symbolic_data(architecture: Architecture, data: DataShape, dtype: str) -> dict[str, TensorVariable]:
    """The symbolic inputs, targets, mask and initial condition of a set of sequences, as far as they are used."""
    n, steps = data.n_sequences, data.n_steps
    shapes = {"inputs": (n, steps, architecture.n_in), "targets": data.targets_of(architecture)}
    if data.masked:
        shapes["mask"] = (n, steps)
    if architecture.initial_state == "mapped":
        shapes["initial"] = (n, architecture.n_initial)
    return {name: pt.tensor(name, dtype=dtype, shape=shape) for name, shape in shapes.items()}
