import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.models.penalties import WEIGHT_GROUPS, l1_penalty, l2_penalty, weight_group

SHAPES = {
    "layer1.W_uh": (2, 3),
    "layer1.W_hh": (3, 3),
    "layer1.b_hh": (3,),
    "layer1.W_init": (1, 3),
    "layer1.b_init": (3,),
    "layer2.W_uh": (3, 3),
    "layer2.W_hh": (3, 3),
    "layer2.b_hh": (3,),
    "readout.W_hy": (3, 2),
    "readout.b_hy": (2,),
}
RNG = np.random.default_rng(0)
WEIGHTS = {name: RNG.normal(size=shape) for name, shape in SHAPES.items()}
STRENGTH = 0.25


@pytest.fixture(scope="module")
def penalties():
    """(kind, group) -> the penalty on that group alone, and its gradient by parameter name."""
    symbols = {name: pt.tensor(name, dtype="float64", shape=shape) for name, shape in SHAPES.items()}
    strength = pt.tensor("strength", dtype="float64", shape=())
    outputs = []
    cases = [(kind, group) for kind in ("l1", "l2") for group in WEIGHT_GROUPS]
    for kind, group in cases:
        penalty = {"l1": l1_penalty, "l2": l2_penalty}[kind](symbols, {group: strength})
        gradients = pytensor.grad(penalty, list(symbols.values()), disconnected_inputs="ignore")
        outputs += [penalty, *gradients]
    function = CompiledFunction(lambda: ([*symbols.values(), strength], outputs), "float64")
    values = iter(function(*WEIGHTS.values(), np.asarray(STRENGTH)))
    return {case: (next(values), {name: next(values) for name in SHAPES}) for case in cases}


@pytest.mark.parametrize("group", WEIGHT_GROUPS)
def test_l1_is_the_strength_times_the_sum_of_absolute_weights_of_its_group(penalties, group):
    members = [weights for name, weights in WEIGHTS.items() if name.endswith("." + group)]
    assert penalties["l1", group][0] == pytest.approx(STRENGTH * sum(np.abs(weights).sum() for weights in members))


@pytest.mark.parametrize("group", WEIGHT_GROUPS)
def test_l2_is_the_strength_times_the_sum_of_squared_weights_of_its_group(penalties, group):
    members = [weights for name, weights in WEIGHTS.items() if name.endswith("." + group)]
    assert penalties["l2", group][0] == pytest.approx(STRENGTH * sum((weights**2).sum() for weights in members))


@pytest.mark.parametrize("group", WEIGHT_GROUPS)
def test_a_penalty_pulls_at_its_own_group_and_at_no_other(penalties, group):
    for name, weights in WEIGHTS.items():
        inside = name.endswith("." + group)
        np.testing.assert_allclose(penalties["l1", group][1][name], STRENGTH * np.sign(weights) * inside)
        np.testing.assert_allclose(penalties["l2", group][1][name], STRENGTH * 2 * weights * inside)


def test_no_strengths_make_no_penalty():
    symbols = {"layer1.W_hh": pt.tensor("W", dtype="float64", shape=(3, 3))}
    assert l1_penalty(symbols, {}) == 0
    assert l2_penalty(symbols, {}) == 0


def test_biases_belong_to_no_penalised_group():
    biases = [name for name in SHAPES if ".b_" in name]
    assert not {weight_group(name) for name in biases} & set(WEIGHT_GROUPS)
    assert {weight_group(name) for name in SHAPES if ".W_" in name} == set(WEIGHT_GROUPS)
