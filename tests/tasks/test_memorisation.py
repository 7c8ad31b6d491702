import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.memorisation import is_wrong, memorisation


def draw(n_sequences=100, **arguments):
    return memorisation(np.random.default_rng(0), n_sequences, **arguments)


@pytest.mark.parametrize("n_steps", [7, 15, [7, 20]])
def test_the_string_is_repeated_from_the_signal_on(n_steps):
    data = draw(n_steps=n_steps, n_values=4, n_positions=3)
    assert (data.n_in, data.n_out, data.every_state) == (6, 5, True)
    for inputs, targets, length in zip(data.inputs, data.targets, data.lengths, strict=True):
        shown, wanted = inputs[:length].argmax(axis=1), targets[:length].argmax(axis=1)
        assert shown[:3].max() < 4
        assert shown[3:].tolist() == [4] * (length - 6) + [5] + [4] * 2
        assert wanted.tolist() == [4] * (length - 3) + shown[:3].tolist()


def test_every_real_step_has_one_symbol_and_masked_ones_have_none():
    data = draw(n_steps=[25, 40])
    np.testing.assert_array_equal(data.inputs.sum(axis=2), data.mask)
    np.testing.assert_array_equal(data.targets.sum(axis=2), data.mask)
    assert set(data.lengths) == set(range(25, 41))


def test_defaults_are_the_twenty_three_bit_task_over_a_pause_of_100():
    data = draw(2000)
    assert data.inputs.shape == (2000, 120, 7)
    assert (data.inputs[:, :10, :5].sum(axis=(1, 2)) == 10).all()
    np.testing.assert_allclose(data.inputs[:, :10, :5].mean(axis=(0, 1)), 0.2, rtol=0.06)


def test_the_same_stream_gives_the_same_sequences():
    np.testing.assert_array_equal(draw().inputs, draw().inputs)
    assert (memorisation(np.random.default_rng(1), 100).inputs != draw().inputs).any()


def test_one_wrong_step_makes_a_sequence_wrong():
    data = draw(3, n_steps=[25, 40])
    outputs = data.targets.copy()
    outputs[1, data.lengths[1] - 1] = np.roll(outputs[1, data.lengths[1] - 1], 1)
    np.testing.assert_array_equal(is_wrong(outputs, data.targets), [False, True, False])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_steps": 20}, "n_steps = 20: must be a whole number of at least 21"),
        ({"n_values": 1}, "n_values = 1: must be a whole number of at least 2"),
        ({"n_positions": 0}, "n_positions = 0: must be a whole number of at least 1"),
    ],
)
def test_arguments_out_of_range_are_named_with_their_value(arguments, message):
    with pytest.raises(RnnlabError, match=message):
        draw(**arguments)
