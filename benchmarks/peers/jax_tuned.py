"""JAX by hand, a whole epoch in one jitted `lax.scan`, tuned: at batch size 1 the states are vectors, and short loops
over time are unrolled. Neither comes to mind at once, and both pay.
"""

import jax
import jax.numpy as jnp
import jax_epoch
import jax_network

VERSION = jax_epoch.VERSION
LONGEST_UNROLLED = 20  # steps; compiling takes longer with each


def make_loss(settings):
    """As `jax_network.make_loss`."""
    is_lstm = settings["cell"] == "lstm"
    step = jax_network.lstm if is_lstm else jax_network.elman(settings["activation"])
    single = settings["batch_size"] == 1
    unrolled = settings["n_steps"] <= LONGEST_UNROLLED

    def loss(weights, inputs, targets):
        by_step = inputs[0] if single else jnp.swapaxes(inputs, 0, 1)
        projected = by_step @ weights["W_uh"] + weights["b_hh"]
        zeros = jnp.zeros((*projected.shape[1:-1], settings["n_hidden"]), inputs.dtype)
        last, _ = jax.lax.scan(
            lambda state, z: (step(state, z, weights["W_hh"]), None),
            (zeros, zeros) if is_lstm else zeros,
            projected,
            unroll=unrolled,
        )
        h = last[0] if is_lstm else last
        return jnp.mean((h @ weights["W_hy"] + weights["b_hy"] - (targets[0] if single else targets)) ** 2)

    return loss


class Program(jax_epoch.Program):
    """An epoch with this loss."""

    make_loss = staticmethod(make_loss)
