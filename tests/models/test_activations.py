import numpy as np
import pytensor
import pytensor.tensor as pt

from rnnlab.compiled import CompiledFunction
from rnnlab.models.activations import ACTIVATIONS

X = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])

EXPECTED = {
    "sigmoid": (1 / (1 + np.exp(-X)), np.exp(-X) / (1 + np.exp(-X)) ** 2),
    "tanh": (np.tanh(X), 1 / np.cosh(X) ** 2),
    "relu": (np.array([0, 0, 0, 0.5, 3]), np.array([0.0, 0, 0, 1, 1])),
    "identity": (X, np.ones(5)),
}


def test_activations_and_their_derivatives_are_the_textbooks_and_relu_has_derivative_0_at_0():
    assert list(EXPECTED) == list(ACTIVATIONS)
    x = pt.tensor("x", dtype="float64", shape=(5,))
    values = [activation(x) for activation in ACTIVATIONS.values()]
    derivatives = [pytensor.grad(value.sum(), x) for value in values]
    outputs = CompiledFunction(lambda: ([x], values + derivatives), "float64")(X)
    for name, value, derivative in zip(ACTIVATIONS, outputs[:4], outputs[4:], strict=True):
        np.testing.assert_allclose(value, EXPECTED[name][0], atol=1e-15, err_msg=name)
        np.testing.assert_allclose(derivative, EXPECTED[name][1], atol=1e-15, err_msg=name)
