"""Losses: first an error per sequence and step, then its mean over steps, then over sequences."""

import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
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


def cross_entropy(scores: TensorVariable, targets: TensorVariable) -> TensorVariable:
    """`-sum_k t[k] log softmax(s)[k]` over the classes k, in nats; shapes as for `squared_error`."""
    shifted = scores - disconnected_grad(scores.max(axis=-1, keepdims=True))
    return (targets * (pt.log(pt.exp(shifted).sum(axis=-1, keepdims=True)) - shifted)).sum(axis=-1)


def binary_cross_entropy(scores: TensorVariable, targets: TensorVariable) -> TensorVariable:
    """`mean_k -t[k] log sigmoid(s[k]) - (1 - t[k]) log(1 - sigmoid(s[k]))` over the outputs k, in nats.

    Computed as `max(s, 0) - s t + log(1 + exp(-|s|))`, which no score makes infinite; shapes as for `squared_error`.
    """
    positive = pt.switch(scores > 0, scores, pt.zeros_like(scores))
    return (positive - scores * targets + pt.log1p(pt.exp(-pt.abs(scores)))).mean(axis=-1)
