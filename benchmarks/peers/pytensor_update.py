"""Plain PyTensor, compiled by JAX, one update a call: weights are shared variables, as in Theano's tutorials."""

import os

os.environ["PYTENSOR_FLAGS"] = "floatX=float32,cxx="

import numpy as np
import pytensor
import pytensor.tensor as pt

VERSION = f"pytensor {pytensor.__version__}"


def elman(activation):
    """`h[t] = g(z[t] + h[t-1] W_hh)`."""
    g = {"tanh": pt.tanh, "sigmoid": pt.sigmoid}[activation]

    def step(z, h, W_hh):
        return g(z + h @ W_hh)

    return step


def lstm(z, h, c, W_hh):
    """Gates i, f, o and candidate g: `c[t] = f c[t-1] + i g`, `h[t] = o tanh(c[t])`."""
    i, f, g, o = pt.split(z + h @ W_hh, [h.type.shape[-1]] * 4, n_splits=4, axis=-1)
    c = pt.sigmoid(f) * c + pt.sigmoid(i) * pt.tanh(g)
    return pt.sigmoid(o) * pt.tanh(c), c


class Program:
    """The loop over minibatches is Python's."""

    def __init__(self, settings, data, weights):
        self._inputs, self._targets = data
        batch, n_hidden = settings["batch_size"], settings["n_hidden"]
        inputs = pt.tensor("inputs", dtype="float32", shape=(batch, *self._inputs.shape[1:]))
        targets = pt.tensor("targets", dtype="float32", shape=(batch, 1))
        shared = {name: pytensor.shared(array, name, shape=array.shape) for name, array in weights.items()}
        is_lstm = settings["cell"] == "lstm"
        zeros = pt.zeros((batch, n_hidden), dtype="float32")
        states = pytensor.scan(
            lstm if is_lstm else elman(settings["activation"]),
            sequences=[inputs.transpose(1, 0, 2) @ shared["W_uh"] + shared["b_hh"]],
            outputs_info=[zeros, zeros] if is_lstm else [zeros],
            non_sequences=[shared["W_hh"]],
            strict=True,
            return_updates=False,
        )
        h = (states[0] if is_lstm else states)[-1]
        loss = pt.sqr(h @ shared["W_hy"] + shared["b_hy"] - targets).mean()
        rate = np.float32(settings["learning_rate"])
        gradients = pytensor.grad(loss, list(shared.values()))
        updates = [
            (weight, weight - rate * gradient) for weight, gradient in zip(shared.values(), gradients, strict=True)
        ]
        self._update = pytensor.function([inputs, targets], loss, updates=updates, mode="JAX", trust_input=True)

    def train(self, order):
        """One update for each row of `order`; returns their losses."""
        return np.array([self._update(self._inputs[rows], self._targets[rows]) for rows in order])
