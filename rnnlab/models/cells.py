"""Recurrent cells: how the state at step t follows from the state at t - 1 and the input at t.

A cell is given its input already projected, `z[t] = u[t] W_uh + b_hh`, because that product needs no recurrence and
is done for all steps at once; what is left in the loop over time is the product with W_hh.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

Activation = Callable[[TensorVariable], TensorVariable]


@dataclass(frozen=True)
class Cell:
    """One kind of recurrent unit.

    `step(z, state, W_hh, activation) -> state` advances one step, with z (batch, n_blocks * n_hidden), the state
    (batch, n_states * n_hidden) and W_hh (n_hidden, n_blocks * n_hidden). The first n_hidden columns of the state
    are the hidden units that the next layer and the readout see.
    """

    step: Callable[[TensorVariable, TensorVariable, TensorVariable, Activation], TensorVariable]
    n_blocks: int
    n_states: int


def elman(z: TensorVariable, state: TensorVariable, W_hh: TensorVariable, activation: Activation) -> TensorVariable:
    """`h[t] = g(u[t] W_uh + h[t-1] W_hh + b_hh)` (Elman 1990)."""
    return activation(z + pt.dot(state, W_hh))


CELLS = {"elman": Cell(elman, n_blocks=1, n_states=1)}
