"""The matrix products of a recurrent layer, each in the form that is fastest for its shapes.

With many sequences these are XLA's own products. A product of one row, or with few inputs, is so small that its form
decides: XLA adds the terms one after another, where each addition waits for the last. Written out as a sum of scaled
rows, in four partial sums, the columns are computed side by side. `benchmarks/NOTES.md` has the times.
"""

import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor.variable import TensorVariable

# Each row of a matrix whose product is written out is an operation in the program, which takes time to compile.
MOST_ROWS_WRITTEN_OUT = 32
MOST_INPUTS_WRITTEN_OUT = 8
N_PARTIAL_SUMS = 4
# Over more steps than this, and with no more columns than that, a sum of outer products is faster than the product.
MOST_STEPS_OF_PRODUCT = 50
MOST_COLUMNS_OF_SUM = 32
# Of so few rows the gradient of a small product is a sum: a product would keep the loop around from being one kernel.
MOST_ROWS_OF_GRADIENT = 50


def step_product(h: TensorVariable, W: TensorVariable, batch: int) -> TensorVariable:
    """`h W` within a step: (batch, n) times (n, m)."""
    return small_product(h, W) if batch == 1 and W.type.shape[0] <= MOST_ROWS_WRITTEN_OUT else pt.dot(h, W)


def transposed_step_product(d: TensorVariable, W: TensorVariable, batch: int) -> TensorVariable:
    """`d W^T` within a step: (batch, m) times the transpose of (n, m)."""
    if batch == 1 and W.type.shape[1] > MOST_ROWS_WRITTEN_OUT:
        # XLA would store the transpose of W before the loop, which for a single sequence costs more than a step.
        return pt.dot(W, d[0])[None, :]
    return step_product(d, W.T, batch)


def input_product(u: TensorVariable, W: TensorVariable) -> TensorVariable:
    """`u W` of all steps at once: (n_steps * batch, n) times (n, m)."""
    return small_product(u, W) if W.type.shape[0] <= MOST_INPUTS_WRITTEN_OUT else pt.dot(u, W)


def sum_of_outer_products(a: TensorVariable, d: TensorVariable, shape: tuple[int, int, int, int]) -> TensorVariable:
    """`sum_(t, b) a[t, b, :]^T d[t, b, :]` of (n_steps, batch, n) and (n_steps, batch, m): (n, m).

    shape: (n_steps, batch, n, m)
    """
    n_steps, batch, n, m = shape
    if batch == 1 and m <= MOST_COLUMNS_OF_SUM and n_steps > MOST_STEPS_OF_PRODUCT:
        return (a.reshape((n_steps, n, 1)) * d.reshape((n_steps, 1, m))).sum(axis=0)
    return pt.dot(a.reshape((n_steps * batch, n)).T, d.reshape((n_steps * batch, m)))


class SmallProduct(Op):
    """`a W`: (n_rows, n) times (n, m), written out for XLA as a sum of n scaled rows of W."""

    __props__ = ()

    def make_node(self, a, W):
        """Two symbols of the same dtype and of static shapes."""
        return Apply(self, [a, W], [pt.tensor(dtype=a.type.dtype, shape=(a.type.shape[0], W.type.shape[1]))])

    def perform(self, node, inputs, outputs):
        """NumPy's product."""
        a, W = inputs
        outputs[0][0] = a @ W

    def pullback(self, inputs, outputs, cotangents):
        """`d W^T`, and `a^T d`."""
        (a, W), (d,) = inputs, cotangents
        n_rows = a.type.shape[0]
        few = n_rows is not None and n_rows <= MOST_ROWS_OF_GRADIENT
        return [pt.dot(d, W.T), (a[:, :, None] * d[:, None, :]).sum(axis=0) if few else pt.dot(a.T, d)]


@jax_funcify.register(SmallProduct)
def _written_out(op, **kwargs):
    def product(a, W):
        n = W.shape[0]
        sums = [a[:, k : k + 1] * W[k] for k in range(min(N_PARTIAL_SUMS, n))]
        for k in range(len(sums), n):
            sums[k % N_PARTIAL_SUMS] += a[:, k : k + 1] * W[k]
        return sum(sums[1:], sums[0])

    return product


small_product = SmallProduct()
