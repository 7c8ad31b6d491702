"""The product of one row with a matrix, written out for XLA.

XLA's own product of a vector with a matrix is a loop over its columns that adds one number after another, in which each
addition waits for the last. Written out as a sum of scaled rows, in four partial sums, all columns are computed side by
side. This is for few rows of the matrix: each is an operation in the program.
"""

import jax.numpy as jnp
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor.variable import TensorVariable

LARGEST_WRITTEN_OUT = 64  # rows
N_PARTIAL_SUMS = 4


class RowProduct(Op):
    """`a W` of a single row a (1, n) with a matrix W (n, m): (1, m)."""

    __props__ = ()

    def make_node(self, row, matrix):
        """Both must have the same dtype."""
        row, matrix = pt.as_tensor_variable(row), pt.as_tensor_variable(matrix)
        return Apply(self, [row, matrix], [pt.tensor(dtype=row.dtype, shape=(1, matrix.type.shape[1]))])

    def perform(self, node, inputs, outputs):
        """NumPy's product."""
        row, matrix = inputs
        outputs[0][0] = row @ matrix

    def infer_shape(self, fgraph, node, shapes):
        """(1, m)."""
        return [(pt.constant(1, dtype="int64"), shapes[1][1])]


@jax_funcify.register(RowProduct)
def _jax_funcify_row_product(op, **kwargs):
    def row_product(row, matrix):
        sums = [row[:, k : k + 1] * matrix[k] for k in range(min(N_PARTIAL_SUMS, len(matrix)))]
        for k in range(len(sums), len(matrix)):
            sums[k % N_PARTIAL_SUMS] += row[:, k : k + 1] * matrix[k]
        while len(sums) > 1:
            sums = [sum(sums[i : i + 2]) for i in range(0, len(sums), 2)]
        return sums[0]

    return row_product


row_product = RowProduct()
