import numpy as np
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.models.losses import absolute_error, mean_over_sequences, mean_over_steps, squared_error

OUTPUTS = np.array([[[1.0, 2.0], [0.0, 0.0]], [[3.0, -1.0], [100.0, 100.0]]])
TARGETS = np.array([[[0.0, 0.0], [2.0, 0.0]], [[3.0, 1.0], [0.0, 0.0]]])
MASK = np.array([[1.0, 1.0], [1.0, 0.0]])


@pytest.fixture(scope="module")
def values():
    """Every loss of the arrays above, compiled once."""
    outputs, targets = (pt.tensor(name, dtype="float64", shape=(2, 2, 2)) for name in ("outputs", "targets"))
    mask = pt.tensor("mask", dtype="float64", shape=(2, 2))
    weights = pt.tensor("weights", dtype="float64", shape=(2,))
    squared = squared_error(outputs, targets)
    graphs = {
        "squared": squared,
        "absolute": absolute_error(outputs, targets),
        "squared of last": squared_error(outputs[:, 1], targets[:, 1]),
        "over steps": mean_over_steps(squared, None),
        "over real steps": mean_over_steps(squared, mask),
        "of last over steps": mean_over_steps(squared_error(outputs[:, 1], targets[:, 1]), mask),
        "over sequences": mean_over_sequences(mean_over_steps(squared, mask), weights),
    }
    function = CompiledFunction(lambda: ([outputs, targets, mask, weights], list(graphs.values())), "float64")

    def evaluate(weights):
        return dict(zip(graphs, function(OUTPUTS, TARGETS, MASK, np.array(weights)), strict=True))

    return evaluate


def test_squared_error_is_the_mean_over_outputs(values):
    np.testing.assert_allclose(values([1.0, 1.0])["squared"], [[2.5, 2.0], [2.0, 10000.0]])
    np.testing.assert_allclose(values([1.0, 1.0])["squared of last"], [2.0, 10000.0])


def test_absolute_error_is_the_mean_over_outputs(values):
    np.testing.assert_allclose(values([1.0, 1.0])["absolute"], [[1.5, 1.0], [1.0, 100.0]])


def test_mean_over_steps_counts_each_sequences_real_steps_only(values):
    np.testing.assert_allclose(values([1.0, 1.0])["over steps"], [2.25, 5001.0])
    np.testing.assert_allclose(values([1.0, 1.0])["over real steps"], [2.25, 2.0])


def test_mean_over_steps_leaves_errors_of_the_last_state_alone(values):
    np.testing.assert_allclose(values([1.0, 1.0])["of last over steps"], [2.0, 10000.0])


def test_mean_over_sequences_leaves_out_those_of_weight_0(values):
    assert values([1.0, 1.0])["over sequences"] == pytest.approx(2.125)
    assert values([1.0, 0.0])["over sequences"] == pytest.approx(2.25)
    assert values([0.0, 1.0])["over sequences"] == pytest.approx(2.0)
