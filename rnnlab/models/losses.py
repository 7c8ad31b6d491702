"""Losses: first an error per sequence and step, then its mean over steps, then over sequences."""

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable


def squared_error(outputs: TensorVariable, targets: TensorVariable) -> TensorVariable:
    """`mean_k (y[k] - t[k])^2` over the outputs k.

    (batch, n_out) -> (batch,), or (batch, n_steps, n_out) -> (batch, n_steps).
    """
    return pt.sqr(outputs - targets).mean(axis=-1)


def absolute_error(outputs: TensorVariable, targets: TensorVariable) -> TensorVariable:
    """`mean_k |y[k] - t[k]|`, with shapes as for `squared_error`."""
    return pt.abs(outputs - targets).mean(axis=-1)


def mean_over_steps(errors: TensorVariable, mask: TensorVariable | None) -> TensorVariable:
    """The mean of (batch, n_steps) errors over each sequence's real steps: (batch,). Errors (batch,) stay as they are.

    `mask` (batch, n_steps) is 1 on real steps and 0 on padding; None means that all steps are real.
    """
    if errors.ndim == 1:
        return errors
    if mask is None:
        return errors.mean(axis=1)
    return (errors * mask).sum(axis=1) / mask.sum(axis=1)


def mean_over_sequences(errors: TensorVariable, weights: TensorVariable) -> TensorVariable:
    """`sum_b w[b] e[b] / sum_b w[b]`: the mean over the sequences of a minibatch that are not padding."""
    return (errors * weights).sum() / weights.sum()
