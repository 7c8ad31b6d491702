"""The network and its loss in JAX, as one would write them by hand."""

import jax
import jax.numpy as jnp


def elman(activation):
    """`h[t] = g(z[t] + h[t-1] W_hh)`; the state is h."""
    g = {"tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[activation]

    def step(h, z, W_hh):
        return g(z + h @ W_hh)

    return step


def lstm(h_and_c, z, W_hh):
    """Gates i, f, o and candidate g: `c[t] = f c[t-1] + i g`, `h[t] = o tanh(c[t])`; the state is (h, c)."""
    h, c = h_and_c
    i, f, g, o = jnp.split(z + h @ W_hh, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def make_loss(settings):
    """The loss of one minibatch: `loss(weights, inputs (batch, n_steps, 2), targets (batch, 1))`."""
    is_lstm = settings["cell"] == "lstm"
    step = lstm if is_lstm else elman(settings["activation"])

    def loss(weights, inputs, targets):
        projected = jnp.swapaxes(inputs, 0, 1) @ weights["W_uh"] + weights["b_hh"]
        zeros = jnp.zeros((inputs.shape[0], settings["n_hidden"]), inputs.dtype)
        start = (zeros, zeros) if is_lstm else zeros
        last, _ = jax.lax.scan(lambda state, z: (step(state, z, weights["W_hh"]), None), start, projected)
        h = last[0] if is_lstm else last
        return jnp.mean((h @ weights["W_hy"] + weights["b_hy"] - targets) ** 2)

    return loss


def make_update(loss, learning_rate):
    """One update by SGD: `update(weights, inputs, targets) -> (weights, loss)`."""
    loss_and_gradients = jax.value_and_grad(loss)

    def update(weights, inputs, targets):
        value, gradients = loss_and_gradients(weights, inputs, targets)
        return jax.tree.map(lambda w, g: w - learning_rate * g, weights, gradients), value

    return update
