import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.random_permutation import is_wrong, random_permutation


def draw(n_sequences=500, **arguments):
    return random_permutation(np.random.default_rng(0), n_sequences, **{"n_steps": 12, "n_symbols": 8, **arguments})


def test_the_target_is_the_first_symbol_and_it_comes_nowhere_else():
    data = draw()
    assert data.inputs.shape == (500, 12, 8)
    np.testing.assert_array_equal(data.targets, data.inputs[:, 0])
    assert not data.inputs[:, 1:, :2].any()
    np.testing.assert_array_equal(data.inputs.sum(axis=2), 1)


def test_symbols_are_equally_likely():
    data = draw(3000)
    np.testing.assert_allclose(data.targets.mean(axis=0), [0.5, 0.5, 0, 0, 0, 0, 0, 0], atol=0.03)
    np.testing.assert_allclose(data.inputs[:, 1:, 2:].mean(axis=(0, 1)), 1 / 6, rtol=0.05)


def test_masked_steps_are_zero():
    data = draw(n_steps=[2, 12])
    np.testing.assert_array_equal(data.inputs.sum(axis=2), data.mask)
    assert set(data.lengths) == set(range(2, 13))


def test_the_default_alphabet_has_a_hundred_symbols():
    assert random_permutation(np.random.default_rng(0), 2).inputs.shape == (2, 100, 100)


def test_the_same_stream_gives_the_same_sequences():
    np.testing.assert_array_equal(draw().inputs, draw().inputs)
    other = random_permutation(np.random.default_rng(1), 500, n_steps=12, n_symbols=8)
    assert (other.inputs != draw().inputs).any()


def test_answers_are_wrong_when_another_output_is_largest():
    targets = draw(2).targets
    np.testing.assert_array_equal(is_wrong(np.stack([targets[0], 1 - targets[1]]), targets), [False, True])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_steps": 1}, "n_steps = 1: must be a whole number of at least 2"),
        ({"n_symbols": 2}, "n_symbols = 2: must be a whole number of at least 3"),
    ],
)
def test_arguments_out_of_range_are_named_with_their_value(arguments, message):
    with pytest.raises(RnnlabError, match=message):
        draw(**arguments)
