import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.models.products import (
    MOST_COLUMNS_OF_SUM,
    MOST_ROWS_OF_GRADIENT,
    MOST_ROWS_WRITTEN_OUT,
    MOST_STEPS_OF_PRODUCT,
    input_product,
    small_product,
    step_product,
    sum_of_outer_products,
    transposed_step_product,
)


def matrices(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


def evaluated(make, arrays, mode="JAX"):
    symbols = [pt.tensor(f"x{i}", dtype="float64", shape=array.shape) for i, array in enumerate(arrays)]
    made = make(*symbols)
    return CompiledFunction(lambda: (symbols, made if isinstance(made, list) else [made]), "float64", mode)(*arrays)


@pytest.mark.parametrize("mode", ["JAX", "FAST_COMPILE"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9, MOST_ROWS_WRITTEN_OUT])
def test_a_small_product_is_the_product(n, mode):
    a, W = matrices((3, n), (n, 6))
    (product,) = evaluated(small_product, [a, W], mode)
    np.testing.assert_allclose(product, a @ W, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("n_rows", [3, MOST_ROWS_OF_GRADIENT + 1])
def test_a_small_product_has_the_gradients_of_the_product(n_rows):
    a, W, d = matrices((n_rows, 4), (4, 5), (n_rows, 5))

    def gradients(a, W, d):
        return pytensor.grad((small_product(a, W) * d).sum(), [a, W])

    d_a, d_W = evaluated(gradients, [a, W, d])
    np.testing.assert_allclose(d_a, d @ W.T, rtol=1e-12)
    np.testing.assert_allclose(d_W, a.T @ d, rtol=1e-12)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("n", [3, MOST_ROWS_WRITTEN_OUT, MOST_ROWS_WRITTEN_OUT + 1])
def test_the_products_of_a_step_are_products_whatever_their_shapes(batch, n):
    h, W, d = matrices((batch, n), (n, 2 * n), (batch, 2 * n))

    def both(h, W, d):
        return [step_product(h, W, batch), transposed_step_product(d, W, batch)]

    forwards, backwards = evaluated(both, [h, W, d])
    np.testing.assert_allclose(forwards, h @ W, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(backwards, d @ W.T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n_in", [1, 8, 9])
def test_the_input_product_is_the_product(n_in):
    u, W = matrices((12, n_in), (n_in, 5))
    (product,) = evaluated(input_product, [u, W])
    np.testing.assert_allclose(product, u @ W, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("n_steps", [1, MOST_STEPS_OF_PRODUCT, MOST_STEPS_OF_PRODUCT + 1])
@pytest.mark.parametrize("m", [MOST_COLUMNS_OF_SUM, MOST_COLUMNS_OF_SUM + 1])
def test_the_sum_of_outer_products_runs_over_steps_and_sequences(batch, n_steps, m):
    a, d = matrices((n_steps, batch, 4), (n_steps, batch, m))
    (total,) = evaluated(lambda a, d: sum_of_outer_products(a, d, (n_steps, batch, 4, m)), [a, d])
    np.testing.assert_allclose(total, np.einsum("tbi,tbj->ij", a, d), rtol=1e-12, atol=1e-13)
