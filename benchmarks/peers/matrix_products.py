"""The floor for large networks: as much time as the matrix products of the updates take at this machine's best rate.

One update of an Elman network needs `3 n_steps` products of (batch, n_hidden) with (n_hidden, n_hidden), forward, back
to the state before, and for the gradient: `6 n_steps batch n_hidden^2` operations. They are timed as whole products,
square or of that very shape, by NumPy's BLAS or by jitted JAX, whichever is fastest on one core.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np

VERSION = f"numpy {np.__version__}, jax {jax.__version__}"


class Program:
    """It trains nothing, and therefore has no losses."""

    def __init__(self, settings, data, weights):
        batch, n_hidden = settings["batch_size"], settings["n_hidden"]
        self._operations = 6 * settings["n_steps"] * batch * n_hidden**2
        self._n_minibatches = len(data[0]) // batch
        shapes = [(batch, n_hidden, n_hidden), (512, 512, 512), (1024, 1024, 1024)]
        candidates = [make(shape) for shape in shapes for make in (_numpy_product, _jax_product)]
        self._rate = max(candidates, key=lambda candidate: max(_rate(candidate, 3) for _ in range(3)))

    def losses(self, orders, after_first):
        """None: there is nothing to check."""
        after_first()

    def seconds(self, n_epochs):
        """The time that the products of this many epochs take; at least three products are timed."""
        operations = n_epochs * self._n_minibatches * self._operations
        n_products = max(3, round(operations / self._rate.operations))
        return operations / _rate(self._rate, n_products)


def _rate(product, n_products):
    """Operations a second."""
    started = time.perf_counter()
    for _ in range(n_products):
        product()
    return n_products * product.operations / (time.perf_counter() - started)


def _operands(shape):
    m, k, n = shape
    rng = np.random.default_rng(0)
    return rng.normal(size=(m, k)).astype("float32"), rng.normal(size=(k, n)).astype("float32")


def _numpy_product(shape):
    left, right = _operands(shape)
    out = np.empty((shape[0], shape[2]), "float32")

    def product():
        np.matmul(left, right, out=out)

    product.operations = 2 * np.prod(shape)
    return product


def _jax_product(shape):
    left, right = map(jax.device_put, _operands(shape))
    function = jax.jit(jnp.dot)

    def product():
        function(left, right).block_until_ready()

    product()
    product.operations = 2 * np.prod(shape)
    return product
