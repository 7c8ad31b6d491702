"""Golden values: tests/golden/optimizer_trajectories.json, made with PyTorch by the script beside it."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnnlab.models.symbols import DataShape
from rnnlab.training.epoch import UpdateRule, compile_epoch
from tests.training.small_networks import architecture, draw

PLAIN = UpdateRule("sgd", clip=False, l1_groups=(), l2_groups=())


def no_slots(arch, rule):
    return {name: np.zeros(shape) for name, shape in rule.slot_shapes(arch).items()}


def step(epoch, arch, rule, parameters, data, rows, rate=1.0, hyper=None, weights=None, first_update=0, slots=None):
    """Minibatches of the given rows, each of weight 1 unless `weights` are given."""
    rows = np.atleast_2d(rows)
    weights = np.ones(rows.shape) if weights is None else np.atleast_2d(weights).astype(float)
    slots = no_slots(arch, rule) if slots is None else slots
    return epoch(parameters, slots, data, rows, weights, np.full(len(rows), rate), first_update, hyper or {})


GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "optimizer_trajectories.json").read_text())[
    "elman_training"
]
ELMAN = architecture()
ELMAN_SHAPE = DataShape(n_sequences=7, n_steps=5, masked=False)


@pytest.fixture(scope="module")
def elman():
    """The golden network's data and initial weights, and its compiled epoch of 3 minibatches, 3 + 3 + 1 sequences."""
    data = (np.array(GOLDEN["inputs"]), np.array(GOLDEN["targets"]), None, None)
    parameters = {name: np.array(values) for name, values in GOLDEN["initial_weights"].items()}
    return compile_epoch(ELMAN, PLAIN, ELMAN_SHAPE, 3, GOLDEN["batch_size"], "float64"), parameters, data


WEIGHTS = np.array([[1, 1, 1], [1, 1, 1], [1, 0, 0]])


def test_training_an_elman_network_follows_pytorch_update_by_update(elman):
    epoch, parameters, data = elman
    losses, norms = [], []
    for order in GOLDEN["orders"]:
        rows = np.reshape([*order, 0, 0], (3, 3))
        parameters, _, log = step(epoch, ELMAN, PLAIN, parameters, data, rows, GOLDEN["learning_rate"], weights=WEIGHTS)
        losses += list(log.loss)
        norms += list(log.grad_norm)
    np.testing.assert_allclose(losses, GOLDEN["losses"], rtol=1e-12)
    np.testing.assert_allclose(norms, GOLDEN["gradient_norms"], rtol=1e-12)
    for name, golden in GOLDEN["final_weights"].items():
        np.testing.assert_allclose(parameters[name], golden, rtol=1e-12, err_msg=name)


def test_what_fills_up_the_last_minibatch_changes_nothing(elman):
    epoch, parameters, data = elman
    results = [
        step(epoch, ELMAN, PLAIN, parameters, data, [[0, 1, 2], [3, 4, 5], [6, *filling]], 0.1, weights=WEIGHTS)
        for filling in ([0, 0], [5, 2])
    ]
    assert_same(*results)


def test_order_chooses_the_sequences_of_every_minibatch(elman):
    epoch, parameters, data = elman
    rows = np.array([[6, 1, 4], [3, 0, 5], [2, 0, 0]])
    shuffled = tuple(array if array is None else array[[2, 1, 5, 4, 6, 0, 3]] for array in data)
    renamed = np.array([[4, 1, 3], [6, 5, 2], [0, 0, 0]])  # where the rows are in the shuffled data
    assert_same(
        step(epoch, ELMAN, PLAIN, parameters, data, rows, weights=WEIGHTS),
        step(epoch, ELMAN, PLAIN, parameters, shuffled, renamed, weights=WEIGHTS),
    )


def assert_same(first, second):
    """Bit-identical parameters, slots and logs."""
    for before, after in zip(first[:2], second[:2], strict=True):
        for name in before:
            np.testing.assert_array_equal(before[name], after[name], err_msg=name)
    for name, values in vars(first[2]).items():
        np.testing.assert_array_equal(values, getattr(second[2], name), err_msg=name)


CLIPPED = UpdateRule("sgd", clip=True, l1_groups=("W_hh",), l2_groups=())
MASKED = architecture(every_state=True, n_hidden=2)
MASKED_SHAPE = DataShape(n_sequences=4, n_steps=4, masked=True)


@pytest.fixture(scope="module")
def masked():
    """A compiled update of a network that reads out every state of masked sequences, with clipping and L1 on W_hh."""
    epoch = compile_epoch(MASKED, CLIPPED, MASKED_SHAPE, 1, 4, "float64")
    parameters, data = draw(MASKED, MASKED_SHAPE)
    return epoch, parameters, data


def test_values_at_masked_steps_change_no_loss_and_no_gradient(masked):
    epoch, parameters, (inputs, targets, mask, _) = masked
    noise = 1e3 * np.random.default_rng(1).normal(size=(2, *inputs.shape)) * (1 - mask[:, :, None])
    hyper = {"clip_norm": 1e9, "l1.W_hh": 0.1}
    rows = np.arange(4)
    clean = step(epoch, MASKED, CLIPPED, parameters, (inputs, targets, mask, None), rows, hyper=hyper)
    noisy_data = (inputs + noise[0], targets + noise[1], mask, None)
    assert_same(clean, step(epoch, MASKED, CLIPPED, parameters, noisy_data, rows, hyper=hyper))


def test_a_masked_loss_is_the_mean_over_real_steps_then_over_sequences(masked):
    epoch, parameters, (inputs, _, mask, _) = masked
    rows, hyper = np.arange(4), {"clip_norm": 1e9, "l1.W_hh": 0.0}
    silent = {name: np.zeros_like(array) for name, array in parameters.items()}  # outputs are 0 everywhere
    targets = np.ones((4, 4, 2)) * np.array([1.0, 2.0, 3.0, 4.0])[:, None, None]
    _, _, log = step(epoch, MASKED, CLIPPED, silent, (inputs, targets, mask, None), rows, hyper=hyper)
    assert log.loss[0] == pytest.approx((1 + 4 + 9 + 16) / 4)
    assert log.absolute_error[0] == pytest.approx((1 + 2 + 3 + 4) / 4)


def test_a_clipped_update_has_the_length_of_the_threshold_and_the_direction_of_the_gradient(masked):
    epoch, parameters, data = masked
    moves = {}
    for threshold in (1e9, 0.01):
        hyper = {"clip_norm": threshold, "l1.W_hh": 0.3}
        new, _, log = step(epoch, MASKED, CLIPPED, parameters, data, np.arange(4), hyper=hyper)
        moves[threshold] = np.concatenate([(parameters[name] - new[name]).ravel() for name in parameters])
        full = np.linalg.norm(moves[1e9])
        assert log.grad_norm[0] == pytest.approx(full, rel=1e-12)  # logged before clipping
    assert full > 0.01
    assert np.linalg.norm(moves[0.01]) == pytest.approx(0.01, rel=1e-12)
    np.testing.assert_allclose(moves[0.01] / 0.01, moves[1e9] / full, atol=1e-12)


def test_l1_on_W_hh_moves_no_other_weights_and_is_no_part_of_the_logged_loss(masked):
    epoch, parameters, data = masked
    without, withal = (
        step(epoch, MASKED, CLIPPED, parameters, data, np.arange(4), hyper={"clip_norm": 1e9, "l1.W_hh": strength})
        for strength in (0.0, 0.25)
    )
    np.testing.assert_array_equal(without[2].loss, withal[2].loss)
    for name in parameters:
        pull = 0.25 * np.sign(parameters[name]) if name.endswith(".W_hh") else 0.0
        np.testing.assert_allclose(without[0][name] - withal[0][name], pull, atol=1e-14, err_msg=name)


def test_minibatches_in_one_call_or_one_by_one_give_the_same_bits():
    arch, shape = architecture(n_hidden=2), DataShape(n_sequences=5, n_steps=3, masked=False)
    rule = UpdateRule("adam", clip=False, l1_groups=(), l2_groups=())
    parameters, data = draw(arch, shape)
    hyper = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    rows = np.array([[4, 0], [2, 3], [1, 0]])
    weights = np.array([[1, 1], [1, 1], [1, 0]])
    whole, single = (compile_epoch(arch, rule, shape, n, 2, "float64") for n in (3, 1))
    expected = step(whole, arch, rule, parameters, data, rows, 0.1, hyper, weights)
    slots = no_slots(arch, rule)
    losses = []
    for k in range(3):
        parameters, slots, log = step(
            single, arch, rule, parameters, data, rows[k], 0.1, hyper, weights[k], first_update=k, slots=slots
        )
        losses.append(log.loss[0])
    for name in parameters:
        np.testing.assert_array_equal(parameters[name], expected[0][name], err_msg=name)
    for name in slots:
        np.testing.assert_array_equal(slots[name], expected[1][name], err_msg=name)
    np.testing.assert_array_equal(losses, expected[2].loss)


def test_one_sequence_of_one_step_into_one_hidden_unit_trains():
    arch = architecture(n_in=1, n_out=1, n_hidden=1, initial_state="mapped", n_initial=1, every_state=True)
    shape = DataShape(n_sequences=1, n_steps=1, masked=True)
    epoch = compile_epoch(arch, PLAIN, shape, 1, 1, "float64")
    parameters, data = draw(arch, shape)
    new, _, log = step(epoch, arch, PLAIN, parameters, data, [0], rate=0.1)
    p = {name.split(".")[1]: float(array.item()) for name, array in parameters.items()}
    u, target, x = (float(data[k].item()) for k in (0, 1, 3))
    start = np.tanh(x * p["W_init"] + p["b_init"])
    h = np.tanh(u * p["W_uh"] + start * p["W_hh"] + p["b_hh"])
    error = h * p["W_hy"] + p["b_hy"] - target
    into = 2 * error * p["W_hy"] * (1 - h**2)  # the gradient before the hidden unit's tanh
    into_start = into * p["W_hh"] * (1 - start**2)
    gradient = {
        "W_uh": into * u,
        "W_hh": into * start,
        "b_hh": into,
        "W_init": into_start * x,
        "b_init": into_start,
        "W_hy": 2 * error * h,
        "b_hy": 2 * error,
    }
    assert log.loss[0] == pytest.approx(error**2)
    assert log.absolute_error[0] == pytest.approx(abs(error))
    for name, array in new.items():
        short = name.split(".")[1]
        assert array.shape == parameters[name].shape
        assert array.item() == pytest.approx(p[short] - 0.1 * gradient[short], rel=1e-12), name
