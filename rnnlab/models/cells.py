"""Recurrent cells: how the state at step t follows from the state at t - 1 and the input at t.

A cell is given its input already projected, `z[t] = u[t] W_uh + b_hh`, and the product `r[t] = h[t-1] W_hh`. What is
left is elementwise, so that the loops over time hold one matrix product a step in each direction, and gradients of any
cell follow from its formula (`rnnlab/models/recurrence.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

Activation = Callable[[TensorVariable], TensorVariable]
Blocks = tuple[TensorVariable, ...]


@dataclass(frozen=True)
class Cell:
    """One kind of recurrent unit.

    `step(z, r, states, activation) -> states, kept` advances one step. Everything is (batch, n_hidden): z and r hold
    `n_blocks` of them, the states `n_states`, of which the first is h, the hidden units that the next layer and the
    readout see. `kept` are `n_kept` values on the way that cost more to compute again for the derivative than to keep.
    `forget_block` is the block whose bias starts at `model.forget_bias`; None where there is none.
    """

    step: Callable[[Blocks, Blocks, Blocks, Activation], tuple[Blocks, Blocks]]
    n_blocks: int
    n_states: int
    n_kept: int = 0
    forget_block: int | None = None


def elman(z: Blocks, r: Blocks, states: Blocks, activation: Activation) -> tuple[Blocks, Blocks]:
    """`h[t] = g(u[t] W_uh + h[t-1] W_hh + b_hh)` (Elman 1990)."""
    return (activation(z[0] + r[0]),), ()


def gru(z: Blocks, r: Blocks, states: Blocks, activation: Activation) -> tuple[Blocks, Blocks]:
    """Gated recurrent unit (Cho et al. 2014), with the reset gate behind the recurrent product:

    `s = sigmoid(z_s + r_s); p = sigmoid(z_p + r_p); n = g(z_n + s r_n); h <- (1 - p) n + p h`, blocks in this order.

    With the reset gate behind the product all three products are one, as in cuDNN and PyTorch; the paper has it before.
    """
    (h,) = states
    reset, keep = pt.sigmoid(z[0] + r[0]), pt.sigmoid(z[1] + r[1])
    candidate = activation(z[2] + reset * r[2])
    return ((1 - keep) * candidate + keep * h,), (reset, keep, candidate)


def lstm(z: Blocks, r: Blocks, states: Blocks, activation: Activation) -> tuple[Blocks, Blocks]:
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gates (Gers et al. 2000), without peepholes:

    `c <- sigmoid(x_f) c + sigmoid(x_i) g(x_g); h <- sigmoid(x_o) g(c)` with `x = z + r`, blocks
    in the order i, f, g, o.
    """
    _, c = states
    enter, forget, candidate, leave = (block + product for block, product in zip(z, r, strict=True))
    enter, forget, candidate, leave = pt.sigmoid(enter), pt.sigmoid(forget), activation(candidate), pt.sigmoid(leave)
    c = forget * c + enter * candidate
    shown = activation(c)
    return (leave * shown, c), (enter, forget, candidate, leave, shown)


CELLS = {
    "elman": Cell(elman, n_blocks=1, n_states=1),
    "gru": Cell(gru, n_blocks=3, n_states=1, n_kept=3),
    "lstm": Cell(lstm, n_blocks=4, n_states=2, n_kept=5, forget_block=1),
}
