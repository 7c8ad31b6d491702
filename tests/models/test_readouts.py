import numpy as np
import pytensor.tensor as pt
import pytest
from scipy.special import log_softmax, softmax

from rnnlab.compiled import CompiledFunction
from rnnlab.models.readouts import READOUTS

SCORES = np.array([[0.5, -1.0, 2.0], [800.0, -800.0, 0.0], [0.0, 0.0, 0.0]])
ONE_HOT = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def evaluate(name, targets):
    scores, symbols = (pt.tensor(each, dtype="float64", shape=SCORES.shape) for each in ("scores", "targets"))
    readout = READOUTS[name]
    function = CompiledFunction(
        lambda: ([scores, symbols], [readout.outputs(scores), readout.loss(scores, symbols)]), "float64"
    )
    return function(SCORES, targets)


def test_softmax_gives_probabilities_and_the_cross_entropy_of_the_right_class():
    outputs, losses = evaluate("softmax", ONE_HOT)
    np.testing.assert_allclose(outputs, softmax(SCORES, axis=1), atol=1e-15)
    np.testing.assert_allclose(losses, -(ONE_HOT * log_softmax(SCORES, axis=1)).sum(axis=1), atol=1e-13)


def test_binary_gives_a_probability_of_each_output_and_their_mean_cross_entropy():
    outputs, losses = evaluate("binary", ONE_HOT)
    with np.errstate(over="ignore"):
        probabilities = 1 / (1 + np.exp(-SCORES))
    np.testing.assert_allclose(outputs, probabilities, atol=1e-15)
    assert losses[1] == pytest.approx(np.log(2) / 3)  # two sure answers that are right, and an open one
    assert losses[2] == pytest.approx(np.log(2))
    assert np.isfinite(losses).all()
