"""JAX by hand, one jitted update a call."""

import jax
import numpy as np
from jax_network import make_loss, make_update

VERSION = f"jax {jax.__version__}"


class Program:
    """The loop over minibatches is Python's."""

    def __init__(self, settings, data, weights):
        self._inputs, self._targets = data
        self._weights = jax.device_put(weights)
        self._update = jax.jit(make_update(make_loss(settings), settings["learning_rate"]))

    def train(self, order):
        """One update for each row of `order`; returns their losses."""
        losses = []
        for rows in order:
            self._weights, loss = self._update(self._weights, self._inputs[rows], self._targets[rows])
            losses.append(loss)
        return np.array(losses)
