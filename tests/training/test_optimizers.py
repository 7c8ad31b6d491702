"""Golden values: tests/golden/optimizer_trajectories.json, made with PyTorch by the script beside it."""

import json
from pathlib import Path

import numpy as np
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.training.optimizers import OPTIMIZERS

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "optimizer_trajectories.json").read_text())
PROBLEMS = list(GOLDEN["starts"])
STARTS = np.array([GOLDEN["starts"][problem] for problem in PROBLEMS])


def values(p):
    """The two problems, one a row of p: a convex quadratic, and Rosenbrock's function."""
    (x, y), (a, b) = p
    return np.array([50 * (x - 3) ** 2 + 250 * (y + 1) ** 2, (1 - a) ** 2 + 100 * (b - a**2) ** 2])


def gradients(p):
    (x, y), (a, b) = p
    return np.array([[100 * (x - 3), 500 * (y + 1)], [-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)]])


@pytest.fixture(scope="module")
def one_update():
    """(name, parameter, gradient, slots, update) -> (parameter, slots); every optimizer compiled in one function."""

    def symbol(name, shape=()):
        return pt.tensor(name, dtype="float64", shape=shape)

    parameter, gradient, update = symbol("p", (2, 2)), symbol("g", (2, 2)), symbol("t")
    inputs, outputs, counts = [parameter, gradient, update], [], {}
    for name, optimizer in OPTIMIZERS.items():
        rate, slots = symbol("rate"), tuple(symbol(slot, (2, 2)) for slot in optimizer.slots)
        hyper = {key: symbol(key) for key in optimizer.hyper}
        new_parameter, new_slots = optimizer.rule(parameter, gradient, slots, rate, update, hyper)
        inputs += [rate, *slots, *hyper.values()]
        outputs += [new_parameter, *new_slots]
        counts[name] = len(slots)
    function = CompiledFunction(lambda: (inputs, outputs), "float64")

    def call(name, p, g, slots, t):
        arguments = [p, g, np.asarray(float(t))]
        for other, optimizer in OPTIMIZERS.items():
            settings = GOLDEN["settings"][other]
            arguments += [np.asarray(settings["learning_rate"])]
            arguments += slots if other == name else [np.zeros((2, 2))] * counts[other]
            arguments += [np.asarray(settings[key]) for key in optimizer.hyper]
        results = iter(function(*arguments))
        by_name = {other: [next(results) for _ in range(1 + counts[other])] for other in OPTIMIZERS}
        return by_name[name][0], by_name[name][1:]

    return call


def path(one_update, name, n_updates):
    p, slots = STARTS, [np.zeros((2, 2)) for _ in OPTIMIZERS[name].slots]
    steps = []
    for t in range(1, n_updates + 1):
        p, slots = one_update(name, p, gradients(p), slots, t)
        steps.append(p)
    return np.array(steps)


def test_every_optimizer_has_a_golden_trajectory():
    assert set(GOLDEN["trajectories"]) == set(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_trajectory_equals_pytorchs(one_update, name):
    golden = np.array([GOLDEN["trajectories"][name][problem] for problem in PROBLEMS]).transpose(1, 0, 2)
    np.testing.assert_allclose(path(one_update, name, len(golden)), golden, rtol=1e-10)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_decreases_a_quadratic_and_rosenbrock(one_update, name):
    end = path(one_update, name, 700)[-1]
    assert values(end)[1] < 0.75 * values(STARTS)[1]
    assert values(end)[0] < 0.01 * values(STARTS)[0]
