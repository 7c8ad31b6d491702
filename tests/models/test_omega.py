"""Omega against plain NumPy loops that follow the formula of Pascanu, Mikolov & Bengio (2013, eq. 9 and 10)."""

import numpy as np
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.models.network import Architecture
from rnnlab.models.omega import omega
from rnnlab.models.symbols import DataShape
from rnnlab.training.epoch import UpdateRule, _epoch_graph

N_STEPS, BATCH, N_HIDDEN = 5, 3, 4


def reference(W, errors, products, real):
    """The penalty with errors and products held constant, a step and a sequence at a time."""
    total, usable = 0.0, np.zeros(N_STEPS)
    for t in range(N_STEPS):
        for b in range(BATCH):
            size = (errors[t, b] ** 2).sum()
            if size <= 1e-20 or not real[t, b]:
                continue
            usable[t] += 1 / BATCH
            total += (((W @ products[t, b]) ** 2).sum() / size - 1) ** 2 / BATCH
    return total / usable.sum()


@pytest.mark.parametrize("seed", range(5))
def test_omega_and_its_immediate_derivative_equal_plain_loops_and_central_differences(seed):
    rng = np.random.default_rng(seed)
    W = rng.normal(0, 0.5, (N_HIDDEN, N_HIDDEN))
    errors = rng.normal(size=(N_STEPS, BATCH, N_HIDDEN))
    errors[0, 1] = 0.0
    products = errors * rng.uniform(0.2, 1, errors.shape)
    real = np.ones((N_STEPS, BATCH, 1))
    real[3:, 2] = 0.0
    symbols = [
        pt.tensor(name, dtype="float64", shape=array.shape)
        for name, array in (("W", W), ("e", errors), ("p", products), ("real", real))
    ]
    penalty, derivative, share = CompiledFunction(lambda: (symbols, omega(*symbols)), "float64")(
        W, errors, products, real
    )
    assert penalty == pytest.approx(reference(W, errors, products, real[:, :, 0]), rel=1e-10)
    assert share == pytest.approx((N_STEPS * BATCH - 3) / (N_STEPS * BATCH))
    differences = np.zeros_like(W)
    for index in np.ndindex(W.shape):
        moved = np.zeros_like(W)
        moved[index] = 1e-6
        above, below = (reference(W + sign * moved, errors, products, real[:, :, 0]) for sign in (1, -1))
        differences[index] = (above - below) / 2e-6
    np.testing.assert_allclose(derivative, differences, rtol=1e-5, atol=1e-7)


def test_without_omega_the_graph_of_an_epoch_has_nothing_of_it():
    arch = Architecture(2, 1, 3, 1, "elman", "tanh", "zero", 0, False)
    with_omega, without = (
        _epoch_graph(arch, UpdateRule("sgd", True, (), (), omega=on), DataShape(4, 3, False), 2, 2, "float32")
        for on in (True, False)
    )
    shapes = [(outputs[1].type.shape[0], inputs[-1].type.shape) for inputs, outputs in (with_omega, without)]
    assert shapes == [(5, (2,)), (3, (1,))]  # the logs, and the settings
