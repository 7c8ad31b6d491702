import numpy as np
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.training.gradients import clip_by_norm, gradient_norm

GRADIENT = np.array([3.0, 0.0, -4.0, 12.0])  # |g| = sqrt(9 + 16 + 144) = 13


@pytest.fixture(scope="module")
def clip():
    """(gradient, threshold) -> the clipped gradient, and the norm before clipping."""
    gradient = pt.tensor("gradient", dtype="float64", shape=(4,))
    threshold = pt.tensor("threshold", dtype="float64", shape=())
    norm = gradient_norm([gradient])
    outputs = [clip_by_norm(gradient, norm, threshold), norm]
    function = CompiledFunction(lambda: ([gradient, threshold], outputs), "float64")
    return lambda gradient, threshold: function(gradient, np.asarray(threshold))


def test_the_norm_is_the_euclidean_one(clip):
    assert clip(GRADIENT, 1.0)[1] == pytest.approx(13.0, rel=1e-15)


@pytest.mark.parametrize("threshold", [1e-3, 1.0, 12.9])
def test_a_norm_above_the_threshold_becomes_the_threshold_and_the_direction_stays(clip, threshold):
    clipped, _ = clip(GRADIENT, threshold)
    assert np.linalg.norm(clipped) == pytest.approx(threshold, rel=1e-14)
    np.testing.assert_allclose(clipped / threshold, GRADIENT / 13.0, rtol=1e-14)


@pytest.mark.parametrize("threshold", [13.0, 13.1, 1e9])
def test_a_norm_at_or_below_the_threshold_leaves_the_gradient_as_it_is(clip, threshold):
    np.testing.assert_array_equal(clip(GRADIENT, threshold)[0], GRADIENT)


def test_a_gradient_of_zero_stays_zero(clip):
    clipped, norm = clip(np.zeros(4), 1.0)
    assert norm == 0.0
    np.testing.assert_array_equal(clipped, np.zeros(4))
