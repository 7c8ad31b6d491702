"""A fixed series as a task: its windows, its cuts in time order, and its file."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.series import Series
from rnnlab.tasks.splits import generate_splits

DATASETS = Path(__file__).resolve().parents[2] / "datasets"


@pytest.fixture
def series(tmp_path):
    """40 steps of two features: the step's number, and a hundred more."""
    path = tmp_path / "numbers.csv"
    path.write_text("when,a,b\n" + "".join(f"t{step},{step},{step + 100}\n" for step in range(40)))
    return Series(path, ("a", "b"))


def test_a_window_is_followed_by_its_target(series):
    splits = series.splits(5, 4, 3, n_steps=6, horizon=2)
    assert splits.test.inputs.shape == (3, 6, 2)
    np.testing.assert_array_equal(splits.test.targets, splits.test.inputs[:, -1] + 2)
    every = series.splits(5, 4, 3, n_steps=6, horizon=2, every_state=True)
    np.testing.assert_array_equal(every.test.targets, every.test.inputs + 2)


def test_splits_lie_one_after_the_other_at_the_end_of_the_series_and_share_no_step(series):
    splits = series.splits(5, 4, 3, n_steps=6, horizon=2)
    steps = []
    for sequences, n in ((splits.train, 5), (splits.valid, 4), (splits.test, 3)):
        assert sequences.n_sequences == n
        steps.append({*sequences.inputs[:, :, 0].ravel(), *sequences.targets[:, 0]})
    train, valid, test = steps
    assert max(train) < min(valid) <= max(valid) < min(test)
    assert test == set(range(30, 40))
    assert len(train | valid | test) == 12 + 3 * 7


def test_more_training_windows_leave_the_other_splits_as_they_are(series):
    few, many = series.splits(2, 4, 3, n_steps=4), series.splits(20, 4, 3, n_steps=4)
    np.testing.assert_array_equal(few.test.inputs, many.test.inputs)
    np.testing.assert_array_equal(few.valid.inputs, many.valid.inputs)
    np.testing.assert_array_equal(few.train.inputs, many.train.inputs[-2:])


def test_generated_splits_are_its_own_whatever_the_seed(series):
    ours = series.splits(5, 4, 3, n_steps=6)
    for seed in (0, 1):
        splits = generate_splits(series, {"n_steps": 6}, seed, 5, 4, 3, epoch=seed)
        np.testing.assert_array_equal(splits.train.inputs, ours.train.inputs)
        np.testing.assert_array_equal(splits.test.targets, ours.test.targets)


def test_windows_of_another_length_stay_in_the_same_parts(series):
    sizes, arguments = {"n_train": 5, "n_valid": 4, "n_test": 3}, {"n_steps": 6, "horizon": 1, "every_state": False}
    own = series.parts(**sizes, n_steps=6)
    for n_steps in (1, 6, 8):
        train, test = series.other_windows(n_steps, sizes, arguments)
        for sequences, part in ((train, own["train"]), (test, own["test"])):
            assert sequences.n_sequences == len(part) - n_steps
            assert {*sequences.inputs[:, :, 0].ravel(), *sequences.targets[:, 0]} == set(part[:, 0])
    with pytest.raises(RnnlabError, match=re.escape("n_steps = 9: must be at most 8, in a stretch of 9 steps")):
        series.other_windows(9, sizes, arguments)


def test_samples_are_windows_from_anywhere(series):
    sequences = series(np.random.default_rng(0), 200, n_steps=6)
    assert sequences.inputs.shape == (200, 6, 2)
    assert set(sequences.inputs[:, 0, 0]) == set(range(34))
    np.testing.assert_array_equal(sequences.targets, sequences.inputs[:, -1] + 1)


@pytest.mark.parametrize(
    ("sizes", "arguments", "message"),
    [
        ((20, 4, 3), {"n_steps": 6}, "n_train + n_valid + n_test = 27: must be at most 22, the windows of n_steps = 6"),
        ((5, 4, 3), {"n_steps": 0}, "n_steps = 0: must be a whole number of at least 1"),
        ((5, 4, 3), {"n_steps": 6, "horizon": 0}, "horizon = 0: must be a whole number of at least 1"),
    ],
)
def test_what_the_series_cannot_give_is_one_line(series, sizes, arguments, message):
    with pytest.raises(RnnlabError, match=re.escape(message)):
        series.splits(*sizes, **arguments)


def test_a_file_must_be_the_one_that_the_manifest_beside_it_describes(series):
    manifest = series.path.with_name("MANIFEST.json")
    digest = hashlib.sha256(series.path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps({"numbers.csv": {"sha256": digest}}))
    assert series.values().shape == (40, 2)
    for entry, message in [
        ({"numbers.csv": {"sha256": "0" * 64}}, "has SHA-256 .*, but MANIFEST.json says 000000000000...: the file was"),
        ({}, "has no entry in MANIFEST.json beside it: must have one, with its sha256"),
    ]:
        manifest.write_text(json.dumps(entry))
        with pytest.raises(RnnlabError, match=message):
            Series(series.path, ("b",)).values()


def test_the_sea_surface_temperatures_are_read_as_they_are():
    values = Series(DATASETS / "pacific_sea_surface_temperature.csv", ("nino3.4", "nino1+2")).values()
    assert values.shape == (732, 2)
    np.testing.assert_array_equal(values[[0, -1]], [[24.83, 23.11], [25.29, 22.07]])
