import dataclasses

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.random_streams import stream
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.sequences import Sequences
from rnnlab.tasks.splits import generate_splits, split_sequences, split_series

ARGUMENTS = {"n_steps": 4, "noise_std": 0.1}


def generate(seed=0, n_train=20, n_valid=10, n_test=15, epoch=0):
    return generate_splits(dot_product, ARGUMENTS, seed, n_train, n_valid, n_test, epoch=epoch)


def assert_same(first, second):
    for field in dataclasses.fields(Sequences):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


def test_generated_splits_have_their_sizes_and_the_tasks_arguments():
    splits = generate()
    assert [getattr(splits, name).n_sequences for name in ("train", "valid", "test")] == [20, 10, 15]
    assert splits.train.n_steps == 4


def test_generated_splits_share_no_sequence():
    splits = generate()
    rows = [tuple(row.ravel()) for name in ("train", "valid", "test") for row in getattr(splits, name).inputs]
    assert len(set(rows)) == 45


@pytest.mark.parametrize(
    ("change", "unchanged"),
    [
        ({"n_train": 33}, ("valid", "test")),
        ({"n_valid": 33}, ("train", "test")),
        ({"n_test": 33}, ("train", "valid")),
        ({"epoch": 5}, ("valid", "test")),
    ],
)
def test_a_change_in_one_split_leaves_the_others_as_they_are(change, unchanged):
    for name in unchanged:
        assert_same(getattr(generate(), name), getattr(generate(**change), name))


def test_every_epoch_and_every_seed_has_its_own_training_sequences():
    first = generate().train.inputs
    assert (generate(epoch=1).train.inputs != first).all()
    assert (generate(seed=1).train.inputs != first).all()


def test_the_streams_are_the_documented_ones():
    splits = generate(seed=7, epoch=3)
    assert_same(splits.train, dot_product(stream(7, "data.train", 3), 20, **ARGUMENTS))
    assert_same(splits.valid, dot_product(stream(7, "data.valid"), 10, **ARGUMENTS))
    assert_same(splits.test, dot_product(stream(7, "data.test"), 15, **ARGUMENTS))


def numbered(n_sequences):
    """Sequences that carry their number in every array."""
    number = np.arange(1.0, n_sequences + 1)
    return Sequences(
        inputs=np.broadcast_to(number[:, None, None], (n_sequences, 2, 1)).copy(),
        targets=number[:, None],
        initial=number[:, None],
    )


def test_dealt_splits_are_disjoint_and_exhaustive():
    splits = split_sequences(numbered(30), 15, 5, 10, np.random.default_rng(0))
    parts = [getattr(splits, name).targets[:, 0] for name in ("train", "valid", "test")]
    assert [len(part) for part in parts] == [15, 5, 10]
    assert sorted(np.concatenate(parts)) == list(range(1, 31))
    assert sorted(parts[0]) != list(range(1, 16))


def test_dealt_sequences_stay_in_one_piece():
    valid = split_sequences(numbered(30), 15, 5, 10, np.random.default_rng(0)).valid
    np.testing.assert_array_equal(valid.inputs[:, 0, 0], valid.targets[:, 0])
    np.testing.assert_array_equal(valid.initial, valid.targets)


def test_sizes_that_leave_sequences_over_are_refused():
    with pytest.raises(RnnlabError, match=r"n_train \+ n_valid \+ n_test = 29: must be the number of sequences, 30"):
        split_sequences(numbered(30), 15, 5, 9, np.random.default_rng(0))


SERIES = np.stack([np.arange(100.0), -np.arange(100.0)], axis=1)


def test_a_series_is_cut_in_time_order_and_no_window_crosses_a_cut():
    splits = split_series(SERIES, window=5, horizon=3, fractions=(0.5, 0.3, 0.2))
    for name, start, stop in (("train", 0, 50), ("valid", 50, 80), ("test", 80, 100)):
        part = getattr(splits, name)
        assert part.n_sequences == stop - start - 5 - 3 + 1
        used = np.concatenate([part.inputs[:, :, 0].ravel(), part.targets[:, 0]])
        assert used.min() == start
        assert used.max() == stop - 1


def test_the_target_lies_the_horizon_after_the_windows_last_step():
    train = split_series(SERIES, window=5, horizon=3).train
    for inputs, target in zip(train.inputs, train.targets, strict=True):
        np.testing.assert_array_equal(inputs[:, 0], inputs[0, 0] + np.arange(5))
        np.testing.assert_array_equal(target, inputs[-1] + [3, -3])


def test_every_state_has_a_target_the_horizon_ahead():
    train = split_series(SERIES, window=5, horizon=2, every_state=True).train
    assert train.every_state
    np.testing.assert_array_equal(train.targets - train.inputs, np.broadcast_to([2.0, -2.0], train.inputs.shape))


def test_the_stride_parts_the_windows():
    train = split_series(SERIES, window=5, stride=4).train
    np.testing.assert_array_equal(np.diff(train.inputs[:, 0, 0]), 4)
    windows = split_series(SERIES, window=5, stride=5).train.inputs[:, :, 0].ravel()
    assert len(set(windows)) == len(windows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": 0}, "window = 0: must be a whole number of at least 1"),
        ({"window": 5, "horizon": 0}, "horizon = 0"),
        ({"window": 5, "stride": 0}, "stride = 0"),
        ({"window": 20}, r"the valid part of the series has 20 steps: must have at least window \+ horizon = 21"),
        ({"window": 5, "fractions": (0.5, 0.5)}, r"fractions = \[0.5, 0.5\]: must be three"),
        ({"window": 5, "fractions": (0.5, 0.2, 0.2)}, r"fractions = .*: must add up to 1, not 0.9"),
        ({"window": 5, "fractions": (0.8, 0.2, 0.0)}, "fractions = 0.0: must be a finite number above 0"),
    ],
)
def test_series_arguments_out_of_range_are_named(arguments, message):
    with pytest.raises(RnnlabError, match=message):
        split_series(SERIES, **arguments)


def test_a_series_without_a_feature_axis_is_refused():
    with pytest.raises(RnnlabError, match=r"series has shape \(100,\): must be \(n_total, n_features\)"):
        split_series(SERIES[:, 0], window=5)
