"""The recurrent network: its structure, its initial weights, and the one graph that training and prediction share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from rnnlab.models.activations import ACTIVATIONS
from rnnlab.models.cells import CELLS
from rnnlab.models.initializers import INITIALIZERS
from rnnlab.models.products import input_product
from rnnlab.models.readouts import READOUTS
from rnnlab.models.recurrence import Recurrence, run_forward, split_blocks
from rnnlab.models.window import window_at_the_end, windows_at_every_step

INITIAL_STATES = ("zero", "learned", "mapped")

# In place of a cell: no recurrence, but a feed-forward network on a window of past inputs.
WINDOW = "window"


@dataclass(frozen=True)
class Architecture:
    """Everything that decides the network's graph.

    `n_initial` is the size of the observed initial condition, 0 where it is not used. `every_state` reads out every
    hidden state, otherwise only the last one. With the cell `window` the network is feed-forward on the last `window`
    inputs (and the initial condition, if it is mapped); elsewhere `window` is 0.
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
    readout: str = "linear"
    window: int = 0

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of every parameter, in the order in which initial weights are drawn."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.cell == WINDOW:
            n_in = self.window * self.n_in + (self.n_initial if self.initial_state == "mapped" else 0)
            for layer in self.layer_names():
                shapes[f"{layer}.W_uh"] = (n_in, self.n_hidden)
                shapes[f"{layer}.b_hh"] = (self.n_hidden,)
                n_in = self.n_hidden
            return {**shapes, **self._readout_shapes()}
        cell = CELLS[self.cell]
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
        return {**shapes, **self._readout_shapes()}

    def parts(self) -> list[object]:
        """What the names of its cell, activation and readout stand for."""
        cell = [] if self.cell == WINDOW else [CELLS[self.cell]]
        return [*cell, ACTIVATIONS[self.activation], READOUTS[self.readout]]

    def _readout_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"readout.W_hy": (self.n_hidden, self.n_out), "readout.b_hy": (self.n_out,)}

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
    forget_bias: float = 0.0,
) -> dict[str, np.ndarray]:
    """Draw the initial weights by name, in float64; biases start at 0, those of forget gates at `forget_bias`.

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
            forget = None if architecture.cell == WINDOW else CELLS[architecture.cell].forget_block
            if name.endswith(".b_hh") and forget is not None:
                n_hidden = architecture.n_hidden
                parameters[name][forget * n_hidden : (forget + 1) * n_hidden] = forget_bias
        elif name.endswith(".W_hh"):
            square = (shape[0], shape[0])
            blocks = [draw(recurrent_initializer, square, recurrent_scale) for _ in range(shape[1] // shape[0])]
            parameters[name] = np.concatenate(blocks, axis=1)
        else:
            parameters[name] = draw(initializer, (shape[0], shape[1]), scale)
    return parameters


@dataclass(frozen=True)
class Layer:
    """One layer of a network's graph: its recurrence, and the prefix of its parameters' names.

    reversed_z: its projected input with the last step first, as backpropagation comes by it. It is there to take
                gradients of, and never computed.
    """

    name: str
    recurrence: Recurrence
    reversed_z: TensorVariable


@dataclass(frozen=True)
class Network:
    """The graph of a network's outputs.

    outputs: (batch, n_out), or (batch, n_steps, n_out) if every state is read out
    scores:  the readout's linear map, of which the outputs are made, and the loss
    read:    what the readout reads of the last layer's hidden states: (batch, n_hidden), or (n_steps, batch, n_hidden)
    layers:  the recurrent ones, from the input upwards; none in a feed-forward network
    """

    outputs: TensorVariable
    scores: TensorVariable
    read: TensorVariable
    layers: list[Layer]


def network(
    architecture: Architecture,
    parameters: Mapping[str, TensorVariable],
    inputs: TensorVariable,
    mask: TensorVariable | None,
    initial: TensorVariable | None,
) -> Network:
    """Build the graph of the network's outputs.

    `h[t] = cell(u[t] W_uh + b_hh, h[t-1] W_hh)` in every layer, scores `s = h W_hy + b_hy` of the last layer's last
    state, or of every state, and outputs `y` by the readout. A feed-forward network has `h = g(x W_uh + b_hh)`, where x
    is the window of past inputs.

    inputs:  (batch, n_steps, n_in), with a static shape
    mask:    (batch, n_steps), 1 on real steps and 0 on padding, or None. A padded step leaves the state as it is,
             so that the last state is that of the last real step.
    initial: (batch, n_initial), used where the initial state is `mapped`: `h[0] = g(x W_init + b_init)`
    """
    readout = READOUTS[architecture.readout]
    W_hy, b_hy = parameters["readout.W_hy"], parameters["readout.b_hy"]
    if architecture.cell == WINDOW:
        hidden = _feed_forward(architecture, parameters, inputs, mask, initial)
        scores = pt.dot(hidden, W_hy) + b_hy
        return Network(readout.outputs(scores), scores, hidden, [])
    batch, n_steps, n_in = inputs.type.shape
    below = inputs.transpose(1, 0, 2)
    mask_by_step = None if mask is None else mask.T[:, :, None]
    layers = []
    for name in architecture.layer_names():
        z, reversed_z = (_projected(parameters, name, steps, (n_steps, batch, n_in)) for steps in (below, below[::-1]))
        recurrence = run_forward(
            CELLS[architecture.cell],
            ACTIVATIONS[architecture.activation],
            parameters[f"{name}.W_hh"],
            z,
            _initial_states(architecture, name, parameters, initial, batch, inputs.dtype),
            mask_by_step,
        )
        layers.append(Layer(name, recurrence, reversed_z))
        below, n_in = recurrence.states[0], architecture.n_hidden
    read = below if architecture.every_state else below[-1]
    scores = pt.dot(read, W_hy) + b_hy
    if architecture.every_state:
        scores = scores.transpose(1, 0, 2)
    return Network(readout.outputs(scores), scores, read, layers)


def _feed_forward(
    architecture: Architecture,
    parameters: Mapping[str, TensorVariable],
    inputs: TensorVariable,
    mask: TensorVariable | None,
    initial: TensorVariable | None,
) -> TensorVariable:
    """The last layer's hidden units (batch, n_hidden), or (batch, n_steps, n_hidden) if there is an output at each."""
    batch, n_steps, _ = inputs.type.shape
    if architecture.every_state:
        hidden = windows_at_every_step(inputs, architecture.window)
    else:
        hidden = window_at_the_end(inputs, mask, architecture.window)
    if architecture.initial_state == "mapped" and initial is not None:
        known = initial
        if architecture.every_state:
            known = pt.zeros((batch, n_steps, 1), dtype=inputs.dtype) + initial[:, None, :]
        hidden = pt.concatenate([hidden, known], axis=-1)
    for layer in architecture.layer_names():
        z = pt.dot(hidden, parameters[f"{layer}.W_uh"]) + parameters[f"{layer}.b_hh"]
        hidden = ACTIVATIONS[architecture.activation](z)
    return hidden


def _projected(
    parameters: Mapping[str, TensorVariable], layer: str, inputs: TensorVariable, shape: tuple[int, int, int]
) -> TensorVariable:
    """`u[t] W_uh + b_hh` of all steps: (n_steps, batch, n_columns), from inputs of a shape (n_steps, batch, n_in)."""
    n_steps, batch, n_in = shape
    W_uh, b_hh = parameters[f"{layer}.W_uh"], parameters[f"{layer}.b_hh"]
    projected = input_product(inputs.reshape((n_steps * batch, n_in)), W_uh) + b_hh
    return projected.reshape((n_steps, batch, b_hh.type.shape[0]))


def _initial_states(architecture, layer, parameters, initial, batch, dtype) -> tuple[TensorVariable, ...]:
    """The states, each (batch, n_hidden), before the first step."""
    n_states, n_hidden = CELLS[architecture.cell].n_states, architecture.n_hidden
    if architecture.initial_state == "zero":
        return (pt.zeros((batch, n_hidden), dtype=dtype),) * n_states
    start = parameters[f"{layer}.b_init"]
    if architecture.initial_state == "mapped":
        start = start + pt.dot(initial, parameters[f"{layer}.W_init"])
    zeros = pt.zeros((batch, n_states * n_hidden), dtype=dtype)
    return split_blocks(zeros + ACTIVATIONS[architecture.activation](start), n_hidden)
