"""The window of past inputs that a feed-forward network sees in place of a recurrent state."""

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable


def windows_at_every_step(inputs: TensorVariable, window: int) -> TensorVariable:
    """The last `window` inputs at each step, oldest first, 0 before the first step.

    (batch, n_steps, n_in) -> (batch, n_steps, window * n_in)
    """
    batch, n_steps, n_in = inputs.type.shape
    padded = pt.concatenate([pt.zeros((batch, window - 1, n_in), dtype=inputs.dtype), inputs], axis=1)
    return pt.concatenate([padded[:, start : start + n_steps] for start in range(window)], axis=2)


def window_at_the_end(inputs: TensorVariable, mask: TensorVariable | None, window: int) -> TensorVariable:
    """The last `window` real steps of each sequence, oldest first, 0 before the first step.

    (batch, n_steps, n_in) -> (batch, window * n_in); mask: (batch, n_steps), 1 on real steps, or None
    """
    batch, n_steps, n_in = inputs.type.shape
    padded = pt.concatenate([pt.zeros((batch, window, n_in), dtype=inputs.dtype), inputs], axis=1)
    if mask is None:
        last = padded[:, n_steps:]
    else:
        lengths = mask.sum(axis=1).astype("int32")
        steps = lengths[:, None] + np.arange(window, dtype="int32")[None]
        last = padded[pt.arange(batch, dtype="int32")[:, None], steps]
    return last.reshape((batch, window * n_in))
