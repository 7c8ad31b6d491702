"""JAX by hand, a whole epoch in one jitted `lax.scan`."""

import jax
import numpy as np
from jax_network import make_loss, make_update

VERSION = f"jax {jax.__version__}"


class Program:
    """The data are on the device; an epoch's order goes in, its losses come out."""

    make_loss = staticmethod(make_loss)

    def __init__(self, settings, data, weights):
        self._data = jax.device_put(data)
        self._weights = jax.device_put(weights)
        update = make_update(self.make_loss(settings), settings["learning_rate"])

        def epoch(weights, data, order):
            inputs, targets = data
            return jax.lax.scan(lambda weights, rows: update(weights, inputs[rows], targets[rows]), weights, order)

        self._epoch = jax.jit(epoch)

    def train(self, order):
        """One update for each row of `order`; returns their losses."""
        self._weights, losses = self._epoch(self._weights, self._data, order)
        return np.asarray(losses)
