import numpy as np
import pytest

from rnnlab.models.network import Architecture
from rnnlab.models.symbols import DataShape
from rnnlab.training.epoch import UpdateRule, compile_epoch

ARCH = Architecture(2, 1, 4, 1, "elman", "identity", "zero", 0, False)


def train(rule, hyper, n_updates=400, connectivity=None, rate=0.05):
    """Full-batch gradient descent on a linear network of one step: a convex least-squares problem in W_uh W_hy."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(20, 3, 2))
    data = (inputs, inputs.sum(axis=(1, 2))[:, None] * 0.3, None, None)
    epoch = compile_epoch(ARCH, rule, DataShape(20, 3, False), n_updates, 20, "float64")
    parameters = {name: rng.normal(0, 0.3, shape) for name, shape in ARCH.parameter_shapes().items()}
    if connectivity is not None:
        parameters = {name: array * connectivity[name] for name, array in parameters.items()}
    order = np.tile(np.arange(20), (n_updates, 1))
    slots = {name: np.zeros(shape) for name, shape in rule.slot_shapes(ARCH).items()}
    rates = np.full(n_updates, rate)
    return epoch(parameters, slots, data, order, np.ones(order.shape), rates, 0, hyper, connectivity)[0]


def zeros(parameters):
    return float((parameters["layer1.W_hh"] == 0).mean())


def test_the_proximal_step_makes_exact_zeros_the_more_the_stronger_it_is_and_the_subgradient_makes_none():
    proximal = UpdateRule("sgd", False, ("W_hh",), (), l1_method="proximal")
    shares = [zeros(train(proximal, {"l1.W_hh": strength})) for strength in (1e-4, 3e-3, 1.0)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[0] < shares[-1]
    assert zeros(train(UpdateRule("sgd", False, ("W_hh",), ()), {"l1.W_hh": 3e-3})) == 0.0


def test_the_proximal_step_finds_the_optimum_of_a_convex_problem():
    """`min_w mean (x w - t)^2 + l |w|` with x = +-1: the soft threshold of the least squares solution by l / 2."""
    arch = Architecture(2, 1, 1, 1, "elman", "identity", "zero", 0, False)
    inputs = np.array([[[1.0, 0.0]], [[-1.0, 0.0]]])  # h = u W_uh = +-1 with W_uh = (1, 0), which has to stay
    targets = np.array([[0.8], [-0.8]])
    n_updates, strength = 500, 0.3
    parameters = {name: np.zeros(shape) for name, shape in arch.parameter_shapes().items()}
    parameters["layer1.W_uh"][0] = 1.0
    fixed = {name: np.zeros(shape) for name, shape in arch.parameter_shapes().items()}
    fixed["readout.W_hy"] += 1
    rule = UpdateRule("sgd", False, ("W_hy",), (), l1_method="proximal", connectivity=True)
    epoch = compile_epoch(arch, rule, DataShape(2, 1, False), n_updates, 2, "float64")
    order = np.tile(np.arange(2), (n_updates, 1))
    rates = np.full(n_updates, 0.1)
    hyper = {"l1.W_hy": strength}
    trained, _, _ = epoch(
        parameters, {}, (inputs, targets, None, None), order, np.ones(order.shape), rates, 0, hyper, fixed
    )
    # d/dw: 2 (w - 0.8) + l = 0
    assert trained["readout.W_hy"][0, 0] == pytest.approx(0.8 - strength / 2, abs=1e-10)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_connections_that_do_not_exist_stay_zero_and_the_others_learn(optimizer):
    connectivity = {name: np.ones(shape) for name, shape in ARCH.parameter_shapes().items()}
    connectivity["layer1.W_hh"][::2] = 0.0
    rule = UpdateRule(optimizer, False, (), (), connectivity=True)
    hyper = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8} if optimizer == "adam" else {}
    short, long = (
        train(rule, hyper, n_updates=n, connectivity=connectivity, rate=0.01)["layer1.W_hh"] for n in (1, 50)
    )
    assert (long[::2] == 0).all()
    assert (long[1::2] != short[1::2]).all()
