import numpy as np
import pytest

from rnnlab.evaluation.forward import BLOCK, Forward, compile_forward
from rnnlab.models.network import Architecture

N_STEPS = 4
ARCHITECTURE = Architecture(
    n_in=2,
    n_out=2,
    n_hidden=3,
    n_layers=1,
    cell="elman",
    activation="tanh",
    initial_state="mapped",
    n_initial=2,
    every_state=True,
)


@pytest.fixture(scope="module")
def parameters():
    rng = np.random.default_rng(0)
    return {name: rng.normal(0, 0.6, shape) for name, shape in ARCHITECTURE.parameter_shapes().items()}


@pytest.fixture(scope="module")
def data():
    """More sequences than fill a block, not a multiple of it: inputs, targets, mask, initial."""
    rng = np.random.default_rng(1)
    n = 2 * BLOCK + 7
    mask = np.arange(N_STEPS) < rng.integers(1, N_STEPS, (n, 1), endpoint=True)
    return rng.normal(size=(n, N_STEPS, 2)), rng.normal(size=(n, N_STEPS, 2)), mask, rng.normal(size=(n, 2))


@pytest.fixture(scope="module")
def forward():
    return compile_forward(ARCHITECTURE, N_STEPS, True, "float64")


@pytest.mark.parametrize("n_sequences", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7])
def test_any_number_of_sequences_has_that_many_outputs_and_losses(forward, parameters, data, n_sequences):
    outputs, losses = forward(parameters, *(array[:n_sequences] for array in data))
    assert outputs.shape == (n_sequences, N_STEPS, 2)
    assert losses.shape == (n_sequences,)
    assert np.isfinite(losses).all()


def test_a_sequences_outputs_and_loss_are_bit_identical_whatever_goes_with_it(forward, parameters, data):
    outputs, losses = forward(parameters, *data)
    for k in (0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 6):
        alone, loss = forward(parameters, *(array[k : k + 1] for array in data))
        np.testing.assert_array_equal(alone[0], outputs[k])
        np.testing.assert_array_equal(loss[0], losses[k])


def test_blocks_that_were_kept_give_the_same_bits_again_and_again(forward, parameters, data):
    blocks = list(forward.blocks(*data))
    expected = forward(parameters, *data)
    for _ in range(2):
        found = forward.run(parameters, blocks, len(data[0]))
        for array, same in zip(found, expected, strict=True):
            np.testing.assert_array_equal(array, same)


def test_losses_are_mean_squared_errors_over_real_steps(forward, parameters, data):
    outputs, losses = forward(parameters, *data)
    _, targets, mask, _ = data
    expected = [((row - target)[real] ** 2).mean() for row, target, real in zip(outputs, targets, mask, strict=True)]
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_without_targets_losses_are_those_against_zeros_and_outputs_the_same(forward, parameters, data):
    inputs, targets, mask, initial = data
    outputs, losses = forward(parameters, inputs, None, mask, initial)
    with_zeros, expected = forward(parameters, inputs, np.zeros_like(targets), mask, initial)
    np.testing.assert_array_equal(outputs, forward(parameters, *data)[0])
    np.testing.assert_array_equal(outputs, with_zeros)
    np.testing.assert_array_equal(losses, expected)


def test_the_arrays_handed_over_are_left_as_they_are(forward, parameters, data):
    copies = [array[:5].copy() for array in data]
    forward(parameters, *copies)
    for copy, array in zip(copies, data, strict=True):
        np.testing.assert_array_equal(copy, array[:5])


def test_an_initial_condition_that_the_network_does_not_use_is_left_out(data):
    arch = Architecture(2, 2, 3, 1, "elman", "tanh", "zero", 0, False)
    rng = np.random.default_rng(0)
    parameters = {name: rng.normal(size=shape) for name, shape in arch.parameter_shapes().items()}
    forward = Forward(arch, N_STEPS, False, "float32")
    inputs, targets, _, initial = (array[:3] for array in data)
    typed = {name: array.astype("float32") for name, array in parameters.items()}
    outputs, losses = forward(typed, inputs, targets[:, -1], None, initial)
    assert (outputs.shape, outputs.dtype) == ((3, 2), np.float32)
    assert (losses.shape, losses.dtype) == ((3,), np.float32)


def test_the_same_structure_is_compiled_once(forward):
    assert compile_forward(ARCHITECTURE, N_STEPS, True, "float64") is forward
    assert compile_forward(ARCHITECTURE, N_STEPS, True, "float32") is not forward
