"""The recurrent network: its structure, its initial weights, and the one graph that training and prediction share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from rnnlab.models.activations import ACTIVATIONS
from rnnlab.models.cells import CELLS
from rnnlab.models.initializers import INITIALIZERS

INITIAL_STATES = ("zero", "learned", "mapped")


@dataclass(frozen=True)
class Architecture:
    """Everything that decides the network's graph.

    `n_initial` is the size of the observed initial condition, 0 where it is not used. `every_state` reads out every
    hidden state, otherwise only the last one.
    """

    n_in: int
    n_out: int
    n_hidden: int
    n_layers: int
    cell: str
    activation: str
    initial_state: str
    n_initial: int
    every_state: bool

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of every parameter, in the order in which initial weights are drawn."""
        cell = CELLS[self.cell]
        shapes: dict[str, tuple[int, ...]] = {}
        n_in = self.n_in
        for layer in self.layer_names():
            shapes[f"{layer}.W_uh"] = (n_in, cell.n_blocks * self.n_hidden)
            shapes[f"{layer}.W_hh"] = (self.n_hidden, cell.n_blocks * self.n_hidden)
            shapes[f"{layer}.b_hh"] = (cell.n_blocks * self.n_hidden,)
            if self.initial_state == "mapped":
                shapes[f"{layer}.W_init"] = (self.n_initial, cell.n_states * self.n_hidden)
            if self.initial_state != "zero":
                shapes[f"{layer}.b_init"] = (cell.n_states * self.n_hidden,)
            n_in = self.n_hidden
        shapes["readout.W_hy"] = (self.n_hidden, self.n_out)
        shapes["readout.b_hy"] = (self.n_out,)
        return shapes

    def layer_names(self) -> list[str]:
        """`layer1`, `layer2`, ... from the input upwards."""
        return [f"layer{number}" for number in range(1, self.n_layers + 1)]


def initial_parameters(
    architecture: Architecture,
    rng: np.random.Generator,
    initializer: str,
    scale: float,
    recurrent_initializer: str,
    recurrent_scale: float,
    n_nonzero: int,
) -> dict[str, np.ndarray]:
    """Draw the initial weights by name, in float64; biases start at 0.

    The recurrent matrices W_hh use `recurrent_initializer` and `recurrent_scale`, block by block where a cell has
    several; all other matrices use `initializer` and `scale`. `n_nonzero` is for the sparse initializer.
    """

    def draw(kind: str, shape: tuple[int, int], size: float) -> np.ndarray:
        arguments = {"n_nonzero": n_nonzero} if kind == "sparse" else {}
        return INITIALIZERS[kind](rng, shape, size, **arguments)

    parameters = {}
    for name, shape in architecture.parameter_shapes().items():
        if len(shape) == 1:
            parameters[name] = np.zeros(shape)
        elif name.endswith(".W_hh"):
            square = (shape[0], shape[0])
            blocks = [draw(recurrent_initializer, square, recurrent_scale) for _ in range(shape[1] // shape[0])]
            parameters[name] = np.concatenate(blocks, axis=1)
        else:
            parameters[name] = draw(initializer, (shape[0], shape[1]), scale)
    return parameters


def network(
    architecture: Architecture,
    parameters: Mapping[str, TensorVariable],
    inputs: TensorVariable,
    mask: TensorVariable | None,
    initial: TensorVariable | None,
) -> TensorVariable:
    """Build the graph of the network's outputs.

    `h[t] = cell(u[t] W_uh + b_hh, h[t-1] W_hh)` in every layer, `y = h W_hy + b_hy` of the last layer's last state,
    or of every state.

    inputs:  (batch, n_steps, n_in), with a static shape
    mask:    (batch, n_steps), 1 on real steps and 0 on padding, or None. A padded step leaves the state as it is,
             so that the last state is that of the last real step.
    initial: (batch, n_initial), used where the initial state is `mapped`: `h[0] = g(x W_init + b_init)`
    returns: (batch, n_out), or (batch, n_steps, n_out) if every state is read out
    """
    batch, n_steps, n_in = inputs.type.shape
    below = inputs.transpose(1, 0, 2)
    mask_by_step = None if mask is None else mask.T[:, :, None]
    for layer in architecture.layer_names():
        below = _layer(architecture, layer, parameters, below, (n_steps, batch, n_in), mask_by_step, initial)
        n_in = architecture.n_hidden
    W_hy, b_hy = parameters["readout.W_hy"], parameters["readout.b_hy"]
    if architecture.every_state:
        return pt.dot(below, W_hy).transpose(1, 0, 2) + b_hy
    return pt.dot(below[-1], W_hy) + b_hy


def _layer(
    architecture: Architecture,
    layer: str,
    parameters: Mapping[str, TensorVariable],
    inputs: TensorVariable,
    shape: tuple[int, int, int],
    mask: TensorVariable | None,
    initial: TensorVariable | None,
) -> TensorVariable:
    """One layer's hidden states (n_steps, batch, n_hidden) from time-first inputs of shape (n_steps, batch, n_in)."""
    cell = CELLS[architecture.cell]
    activation = ACTIVATIONS[architecture.activation]
    n_steps, batch, n_in = shape
    flat = inputs.reshape((n_steps * batch, n_in))
    projected = (pt.dot(flat, parameters[f"{layer}.W_uh"]) + parameters[f"{layer}.b_hh"]).reshape(
        (n_steps, batch, cell.n_blocks * architecture.n_hidden)
    )
    start = _initial_state(architecture, layer, parameters, initial, batch, inputs.dtype)

    def step(z, state, W_hh):
        return cell.step(z, state, W_hh, activation)

    def masked_step(z, real, state, W_hh):
        return real * cell.step(z, state, W_hh, activation) + (1 - real) * state

    states = pytensor.scan(
        step if mask is None else masked_step,
        sequences=[projected] if mask is None else [projected, mask],
        outputs_info=[start],
        non_sequences=[parameters[f"{layer}.W_hh"]],
        strict=True,
        return_updates=False,
    )
    return states[:, :, : architecture.n_hidden]


def _initial_state(architecture, layer, parameters, initial, batch, dtype) -> TensorVariable:
    """The state (batch, n_states * n_hidden) before the first step."""
    size = CELLS[architecture.cell].n_states * architecture.n_hidden
    zeros = pt.zeros((batch, size), dtype=dtype)
    if architecture.initial_state == "zero":
        return zeros
    start = parameters[f"{layer}.b_init"]
    if architecture.initial_state == "mapped":
        start = start + pt.dot(initial, parameters[f"{layer}.W_init"])
    return zeros + ACTIVATIONS[architecture.activation](start)
