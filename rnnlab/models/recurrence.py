"""The loop over time of one layer, forwards, and backwards through time.

PyTensor's own gradient of a scan computes every step's matrix product again, adds each step's share of the gradient of
W_hh to a buffer, and keeps its buffers in a form that XLA cannot make one kernel of. Written out, a step backwards is
one matrix product and the cell's elementwise derivative, and the gradient of W_hh is a single product over all steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.replace import graph_replace
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.tensor.basic import tensor_copy
from pytensor.tensor.variable import TensorVariable

from rnnlab.models.cells import Activation, Blocks, Cell
from rnnlab.models.products import step_product, sum_of_outer_products, transposed_step_product


@dataclass(frozen=True)
class Recurrence:
    """One layer's way through all steps; time first everywhere.

    z:        (n_steps, batch, n_blocks * n_hidden), the projected input
    start:    the states before the first step, each (batch, n_hidden)
    states:   the states after each step, each (n_steps, batch, n_hidden); the first is h
    kept:     what the cell keeps of each step for the derivative, each (n_steps, batch, n_hidden)
    products: (n_steps, batch, n_blocks * n_hidden), h[t-1] W_hh
    mask:     (n_steps, batch, 1), 1 on real steps and 0 on padding, or None
    """

    cell: Cell
    activation: Activation
    W_hh: TensorVariable
    z: TensorVariable
    start: Blocks
    states: Blocks
    kept: Blocks
    products: TensorVariable
    mask: TensorVariable | None


@dataclass(frozen=True)
class Gradients:
    """The gradient of a cost with respect to what a `Recurrence` was made of, and to every hidden state.

    reversed_z: (n_steps, batch, n_blocks * n_hidden), of the projected input with the last step first
    products:   (n_steps, batch, n_blocks * n_hidden)
    hidden:     (n_steps, batch, n_hidden), dC/dh[t] through everything that follows
    """

    W_hh: TensorVariable
    reversed_z: TensorVariable
    start: Blocks
    products: TensorVariable
    hidden: TensorVariable


def run_forward(
    cell: Cell,
    activation: Activation,
    W_hh: TensorVariable,
    z: TensorVariable,
    start: Blocks,
    mask: TensorVariable | None,
) -> Recurrence:
    """`states[t] = cell.step(z[t], h[t-1] W_hh, states[t-1])`; a padded step leaves the states as they are."""
    n_hidden = W_hh.type.shape[0]
    batch = z.type.shape[1]

    def step(z_t, *rest):
        real = None if mask is None else rest[0]
        *states, W = rest if mask is None else rest[1:]
        product = step_product(states[0], W, batch)
        new, kept = cell.step(split_blocks(z_t, n_hidden), split_blocks(product, n_hidden), tuple(states), activation)
        return [*_on_real_steps(real, new, states), *kept, product]

    *outputs, products = pytensor.scan(
        step,
        sequences=[z] if mask is None else [z, mask],
        outputs_info=[*start, *[None] * cell.n_kept, None],
        non_sequences=[W_hh],
        n_steps=z.type.shape[0],
        strict=True,
        return_updates=False,
    )
    states, kept = tuple(outputs[: cell.n_states]), tuple(outputs[cell.n_states :])
    return Recurrence(cell, activation, W_hh, z, start, states, kept, products, mask)


def run_backward(recurrence: Recurrence, by_step: TensorVariable | None, at_end: TensorVariable | None) -> Gradients:
    """Backpropagate a cost's direct derivatives with respect to the hidden states through time.

    `e[t] = by_step[t] + (d_products[t+1]) W_hh^T + ...`, where the cell's derivative takes e[t+1] to d_products[t+1]
    and to what reaches the states at t elementwise.

    by_step: (n_steps, batch, n_hidden), the direct derivative with respect to each h[t]; None where only the last
             state is read
    at_end:  (batch, n_hidden), the same for the last h; None where every state is read
    """
    n_steps, batch, _ = recurrence.z.type.shape
    n_hidden, n_columns = recurrence.W_hh.type.shape
    before = [
        pt.concatenate([first[None], later[:-1]])
        for first, later in zip(recurrence.start, recurrence.states, strict=True)
    ]
    arrays = [recurrence.z, recurrence.products, *before, *recurrence.states, *recurrence.kept]
    arrays += [array for array in (recurrence.mask, by_step) if array is not None]
    n_states = recurrence.cell.n_states
    zeros = pt.zeros((batch, n_hidden), dtype=recurrence.z.dtype)
    carried = [zeros if at_end is None else at_end, *[zeros] * (n_states - 1)]

    def step(t, *rest):
        errors = list(rest[:n_states])
        *at_t, W_hh = [array[t] for array in rest[len(carried) : -1]] + [rest[-1]]
        if by_step is not None:
            errors[0] = errors[0] + at_t.pop()
        d_z, d_products, d_before = _derivative_of_step(recurrence, at_t, errors)
        message = transposed_step_product(d_products, W_hh, batch)
        new = [d_before[0] + message, *d_before[1:]]
        return [*new, d_z, d_products, errors[0]]

    outputs = pytensor.scan(
        step,
        sequences=[pt.constant(np.arange(n_steps)[::-1].astype("int32"))],
        outputs_info=[*carried, None, None, None],
        non_sequences=[*arrays, recurrence.W_hh],
        n_steps=n_steps,
        strict=True,
        return_updates=False,
    )
    final = [output[-1] for output in outputs[: len(carried)]]
    d_z, d_products, d_hidden = outputs[len(carried) :]  # from the last step to the first
    d_W = sum_of_outer_products(before[0][::-1], d_products, (n_steps, batch, n_hidden, n_columns))
    return Gradients(d_W, d_z, tuple(final[:n_states]), d_products[::-1], d_hidden[::-1])


def _derivative_of_step(recurrence: Recurrence, at_t: Sequence[TensorVariable], errors: Sequence[TensorVariable]):
    """From the derivatives with respect to the states after step t to those with respect to z, r and the states before.

    at_t: z, r, the states before and the states after, what the cell kept, then the mask if there is one
    """
    n_hidden = recurrence.W_hh.type.shape[0]
    n_states = recurrence.cell.n_states
    z, r = split_blocks(at_t[0], n_hidden), split_blocks(at_t[1], n_hidden)
    before = at_t[2 : 2 + n_states]
    known = at_t[2 + n_states : 2 + 2 * n_states + recurrence.cell.n_kept]
    real = None if recurrence.mask is None else at_t[-1]
    new, kept = recurrence.cell.step(z, r, tuple(before), recurrence.activation)
    # Copies, as PyTensor takes the gradient that it is given for a variable for all that reaches it: an LSTM's c
    # reaches the cost through h, too.
    ends = [tensor_copy(each) for each in _on_real_steps(real, new, before)]
    derivatives = pytensor.grad(
        None,
        [*z, *r, *before],
        known_grads=dict(zip(ends, errors, strict=True)),
        disconnected_inputs="ignore",
    )
    # The new states and what was kept are at hand from the way forward, and with them the functions of these values.
    merged = rewrite_graph([*new, *kept, *derivatives], include=("merge",))
    values, derivatives = merged[: len(known)], merged[len(known) :]
    derivatives = graph_replace(derivatives, dict(zip(values, known, strict=True)), strict=False)
    n_blocks = len(z)
    d_z = pt.concatenate(derivatives[:n_blocks], axis=1)
    d_r = pt.concatenate(derivatives[n_blocks : 2 * n_blocks], axis=1)
    return d_z, d_r, derivatives[2 * n_blocks :]


def _on_real_steps(real: TensorVariable | None, new: Sequence[TensorVariable], old: Sequence[TensorVariable]) -> list:
    """The new states on real steps, and the old ones on padding."""
    if real is None:
        return list(new)
    return [pt.switch(real > 0, after, before) for after, before in zip(new, old, strict=True)]


def split_blocks(blocks: TensorVariable, n_hidden: int) -> Blocks:
    """(batch, n * n_hidden) as n arrays (batch, n_hidden)."""
    n_blocks = blocks.type.shape[1] // n_hidden
    return tuple(blocks[:, i * n_hidden : (i + 1) * n_hidden] for i in range(n_blocks))
