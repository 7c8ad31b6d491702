import dataclasses

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.sequences import Sequences, Splits, real_steps, select

MASK = np.array([[True, True, False], [True, True, True]])


def sequences(**arrays):
    """Two sequences of three steps, two inputs and one output, read from the last state."""
    return Sequences(**{"inputs": np.ones((2, 3, 2)), "targets": np.ones((2, 1)), **arrays})


def test_sizes_come_from_the_arrays():
    last = sequences()
    assert (last.n_sequences, last.n_steps, last.n_in, last.n_out, last.every_state) == (2, 3, 2, 1, False)
    every = sequences(targets=np.ones((2, 3, 5)))
    assert (every.n_out, every.every_state) == (5, True)


def test_lengths_count_the_real_steps():
    np.testing.assert_array_equal(sequences().lengths, [3, 3])
    np.testing.assert_array_equal(sequences(inputs=MASK[:, :, None] * np.ones((2, 3, 2)), mask=MASK).lengths, [2, 3])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"inputs": np.ones((2, 3))}, r"inputs has shape \(2, 3\): must be \(n_sequences, n_steps, n_in\)"),
        ({"inputs": np.ones((2, 0, 2))}, r"inputs has shape \(2, 0, 2\): .* each at least 1"),
        ({"inputs": np.ones((2, 3, 2), np.float32)}, r"inputs has dtype float32: must be float64"),
        ({"inputs": [[[1.0]]]}, r"inputs is a list: must be a NumPy array"),
        ({"inputs": np.full((2, 3, 2), np.nan)}, r"inputs\[0, 0, 0\] = nan: must be finite"),
        ({"targets": np.ones(2)}, r"targets has shape \(2,\)"),
        ({"targets": np.ones((3, 1))}, r"targets has shape \(3, 1\): must begin with \(2,\)"),
        ({"targets": np.ones((2, 4, 1))}, r"targets has shape \(2, 4, 1\): must begin with \(2, 3\)"),
        ({"initial": np.ones((1, 4))}, r"initial has shape \(1, 4\): must begin with \(2,\)"),
        ({"clean_targets": np.ones((2, 2))}, r"clean_targets has shape \(2, 2\): must begin with \(2, 1\)"),
        ({"mask": np.ones((2, 3))}, r"mask has dtype float64: must be a NumPy array of bool"),
        ({"mask": np.ones((2, 2), bool)}, r"mask has shape \(2, 2\): must be \(2, 3\)"),
        ({"mask": np.array([[True] * 3, [True, False, True]])}, r"mask\[1\] must be True on the first step"),
        ({"mask": np.array([[False] * 3, [True] * 3])}, r"mask\[0\] must be True on the first step"),
        ({"mask": MASK}, r"inputs are not 0 at all masked steps"),
        (
            {"mask": MASK, "inputs": np.zeros((2, 3, 2)), "targets": np.ones((2, 3, 1))},
            r"targets are not 0 at all masked steps",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_one_line(arrays, message):
    with pytest.raises(RnnlabError, match=message) as error:
        sequences(**arrays)
    assert "\n" not in str(error.value)


def test_select_takes_rows_of_every_array():
    rng = np.random.default_rng(0)
    mask = np.array([[True, True], [True, False], [True, True]])
    whole = Sequences(
        inputs=rng.normal(size=(3, 2, 2)) * mask[:, :, None],
        targets=rng.normal(size=(3, 1)),
        mask=mask,
        initial=rng.normal(size=(3, 4)),
        clean_targets=rng.normal(size=(3, 1)),
    )
    part = select(whole, np.array([2, 1]))
    for field in dataclasses.fields(Sequences):
        np.testing.assert_array_equal(getattr(part, field.name), getattr(whole, field.name)[[2, 1]])


def test_real_steps_leaves_out_the_masked_ones():
    array = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_array_equal(real_steps(array, MASK), [[0, 1], [2, 3], [6, 7], [8, 9], [10, 11]])
    assert real_steps(array, None).shape == (6, 2)


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ({"inputs": np.ones((2, 3, 4))}, "test has n_in = 4, train has 2"),
        ({"targets": np.ones((2, 3, 1))}, "test has every_state = True, train has False"),
        ({"initial": np.ones((2, 4))}, "test has n_initial = 4, train has None"),
    ],
)
def test_splits_must_agree_in_their_features(odd, message):
    with pytest.raises(RnnlabError, match=message):
        Splits(sequences(), sequences(), sequences(**odd))


def test_splits_may_differ_in_size_and_length():
    Splits(sequences(), Sequences(np.ones((5, 3, 2)), np.ones((5, 1))), Sequences(np.ones((1, 7, 2)), np.ones((1, 1))))
