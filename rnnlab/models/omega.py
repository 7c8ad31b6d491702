"""The vanishing-gradient penalty of Pascanu, Mikolov & Bengio (2013, section 3.3), as their program computes it."""

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

SMALLEST = 1e-20  # squared norms below it say nothing about a ratio


def omega(
    W_hh: TensorVariable, d_hidden: TensorVariable, d_products: TensorVariable, real: TensorVariable | None
) -> tuple[TensorVariable, TensorVariable, TensorVariable]:
    """The penalty of one minibatch, its immediate derivative with respect to W_hh, and the share of usable steps.

    `Omega = sum_t mean_b (r[t, b] - 1)^2 / sum_t usable[t]` with `r = |(e[t] g'(x[t])) W_hh^T|^2 / |e[t]|^2`: by what
    factor the derivative e[t] of the loss with respect to h[t] grows or shrinks on its way to h[t-1]. r is 1 where
    |e[t]|^2 < 1e-20 and on padding, and `usable[t]` is the share of the other sequences. e and h are held constant, so
    that only the W_hh written here is differentiated.

    W_hh:       (n_hidden, n_hidden), of an Elman layer
    d_hidden:   (n_steps, batch, n_hidden), e[t]
    d_products: (n_steps, batch, n_hidden), p[t] = e[t] g'(x[t])
    real:       (n_steps, batch, 1), 1 on real steps and 0 on padding, or None
    """
    before = pt.dot(d_products, W_hh.T)
    size = pt.sqr(d_hidden).sum(axis=2)
    usable = size > SMALLEST
    if real is not None:
        usable = usable & (real[:, :, 0] > 0)
    one = pt.ones_like(size)
    ratio = pt.switch(usable, pt.sqr(before).sum(axis=2) / pt.switch(usable, size, one), one)
    share = usable.astype(size.dtype).mean(axis=1)
    n_sequences = pt.constant(size.type.shape[1], dtype=size.dtype)
    scale = 1 / pt.maximum(share.sum(), pt.constant(1e-8, dtype=size.dtype))
    penalty = pt.sqr(ratio - 1).sum() / n_sequences * scale
    weight = pt.switch(usable, (ratio - 1) / pt.switch(usable, size, one), pt.zeros_like(size)) * (scale / n_sequences)
    n_hidden = W_hh.type.shape[0]
    rows = (before * weight[:, :, None]).reshape((-1, n_hidden))
    derivative = 4 * pt.dot(rows.T, d_products.reshape((-1, n_hidden)))
    return penalty, derivative, share.mean()
