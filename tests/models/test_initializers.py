import numpy as np
import pytest
from scipy import stats

from rnnlab.models.initializers import INITIALIZERS, glorot, normal, orthogonal, sparse, spectral_radius, uniform


def rng():
    return np.random.default_rng(3)


def test_normal_is_gaussian_with_the_given_deviation():
    draws = normal(rng(), (60, 80), 0.3)
    assert draws.shape == (60, 80)
    assert stats.kstest(draws.ravel() / 0.3, "norm").pvalue > 0.01


def test_uniform_fills_the_interval_from_minus_scale_to_scale():
    draws = uniform(rng(), (60, 80), 0.3)
    assert stats.kstest(draws.ravel(), stats.uniform(-0.3, 0.6).cdf).pvalue > 0.01


def test_glorot_is_uniform_with_variance_2_over_fan_in_plus_fan_out():
    draws = glorot(rng(), (40, 160), 1.0)
    bound = np.sqrt(6 / 200)
    assert stats.kstest(draws.ravel(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 0.01
    assert draws.var() == pytest.approx(2 / 200, rel=0.05)
    np.testing.assert_allclose(glorot(rng(), (40, 160), 2.5), 2.5 * draws)


@pytest.mark.parametrize("shape", [(6, 6), (6, 4), (4, 6), (1, 1), (1, 5)])
def test_orthogonal_has_orthonormal_rows_or_columns_times_scale(shape):
    weights = orthogonal(rng(), shape, 1.5)
    assert weights.shape == shape
    product = weights.T @ weights if shape[0] >= shape[1] else weights @ weights.T
    np.testing.assert_allclose(product, 1.5**2 * np.eye(min(shape)), atol=1e-12)


def test_orthogonal_matrices_are_drawn_uniformly():
    # Under the uniform (Haar) distribution the trace of an n by n matrix has mean 0 and variance 1 for n >= 2; the
    # uncorrected factor of a QR decomposition has a mean trace far from 0.
    source = rng()
    traces = np.array([np.trace(orthogonal(source, (3, 3), 1.0)) for _ in range(1000)])
    assert abs(traces.mean()) < 0.1
    assert traces.var() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(("n_hidden", "n_nonzero"), [(20, 5), (20, 1), (7, 15), (1, 3)])
def test_sparse_square_matrix_has_the_given_connections_per_unit_and_spectral_radius(n_hidden, n_nonzero):
    weights = sparse(rng(), (n_hidden, n_hidden), 0.8, n_nonzero)
    assert ((weights != 0).sum(axis=0) == min(n_nonzero, n_hidden)).all()
    assert np.abs(np.linalg.eigvals(weights)).max() == pytest.approx(0.8, rel=1e-6)


@pytest.mark.parametrize("shape", [(30, 4), (4, 30), (1, 6)])
def test_sparse_rectangular_matrix_has_the_given_largest_singular_value(shape):
    weights = sparse(rng(), shape, 0.8, 3)
    assert ((weights != 0).sum(axis=0) == min(3, shape[0])).all()
    assert np.linalg.svd(weights, compute_uv=False)[0] == pytest.approx(0.8)


def test_spectral_radius_counts_complex_eigenvalues():
    assert spectral_radius(np.array([[0.0, -2.0], [2.0, 0.0]])) == pytest.approx(2.0)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_draw_from_nothing_but_the_generator(name):
    arguments = {"n_nonzero": 2} if name == "sparse" else {}
    first = INITIALIZERS[name](rng(), (4, 4), 1.0, **arguments)
    np.testing.assert_array_equal(first, INITIALIZERS[name](rng(), (4, 4), 1.0, **arguments))
