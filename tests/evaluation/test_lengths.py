"""Errors by length, of predictors whose errors are known without training."""

import re

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.evaluation.lengths import score_lengths
from rnnlab.random_streams import stream
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.memorisation import memorisation
from rnnlab.tasks.noisy_series import noisy_series
from rnnlab.tasks.sequences import Sequences
from rnnlab.tasks.series import Series
from rnnlab.tasks.temporal_order import temporal_order

SIZES = {"n_train": 20, "n_valid": 10, "n_test": 10}


def exact(inputs, initial, mask):
    return inputs.prod(axis=2).sum(axis=1, keepdims=True)


def constant(value):
    return lambda inputs, initial, mask: np.full((len(inputs), 1), value)


def test_errors_stand_beside_those_of_predicting_the_mean_at_the_same_length():
    scores = score_lengths(constant(2.5), dot_product, {"n_steps": 10}, SIZES, [5, 10, 50])
    assert [(score.n_steps, score.n_sequences) for score in scores] == [(5, 1000), (10, 1000), (50, 1000)]
    for score, mean in zip(scores, (1.25, 2.5, 12.5), strict=True):
        variance = score.n_steps * 7 / 144  # of a product of two uniform numbers, summed
        assert score.target_std == pytest.approx(variance**0.5, rel=0.1)
        assert score.naive_mse["mean"] == pytest.approx(variance, rel=0.2)
        assert score.naive_mse["mean"] > score.target_std**2  # the mean is that of other sequences
        assert score.mse == pytest.approx(variance + (mean - 2.5) ** 2, rel=0.1)
        assert score.nmse == score.mse / score.naive_mse["mean"]
        assert score.relative_rmse == pytest.approx(score.mse**0.5 / score.target_std)
        assert score.naive_mse["ridge"] < 0.3 * score.naive_mse["mean"]
    assert (scores[0].wrong, scores[0].by_step, scores[0].noise_floor) == (None, None, None)


def test_what_knows_the_task_makes_no_error_at_any_length():
    for score in score_lengths(exact, dot_product, {"n_steps": 10}, SIZES, [1, 30], 50):
        assert (score.mse, score.mae, score.nmse) == (0, 0, 0)


def test_without_lengths_it_is_the_length_of_training_a_range_included():
    seen = []

    def predict(inputs, initial, mask):
        seen.append(mask.sum(axis=1))
        return exact(inputs, initial, mask)

    (score,) = score_lengths(predict, dot_product, {"n_steps": [3, 9]}, SIZES, (), 500)
    assert score.n_steps == [3, 9]
    assert set(seen[0]) == set(range(3, 10))


def drawn(task, seed, length, n=20):
    """The inputs that a predictor gets to see."""
    seen = []

    def predict(inputs, initial, mask):
        seen.append(inputs)
        return np.zeros((n, 1))

    score_lengths(predict, task, {"n_steps": 10}, SIZES, [length], n, seed)
    return seen[0]


def test_sequences_are_fresh_the_same_each_time_and_others_for_another_seed():
    first = drawn(dot_product, 0, 10)
    np.testing.assert_array_equal(first, drawn(dot_product, 0, 10))
    assert not np.array_equal(first, drawn(dot_product, 1, 10))
    np.testing.assert_array_equal(first, dot_product(stream(0, "evaluation", 10, 10), 20).inputs)
    for name in ("data.train", "data.valid", "data.test", "evaluation.baselines"):
        for index in ((), (0,), (10, 10)):
            assert not np.isin(first, dot_product(stream(0, name, *index), 20).inputs).any()


def test_wrong_answers_are_counted_where_the_task_says_what_is_wrong():
    def always_the_first(inputs, initial, mask):
        return np.tile([1.0, 0, 0, 0], (len(inputs), 1))

    (score,) = score_lengths(always_the_first, temporal_order, {"n_steps": 20, "version": "pascanu2013"}, SIZES, [30])
    assert score.wrong == pytest.approx(0.75, abs=0.05)


def test_the_noise_floor_and_errors_at_every_step_are_there_for_the_noisy_series():
    arguments = {"n_steps": 8, "n_out": 3, "noise_std": 0.5, "dt": 0.5}

    def zeros(inputs, initial, mask):
        assert initial.shape == (200, 8)
        return np.zeros((*inputs.shape[:2], 3))

    (score,) = score_lengths(zeros, noisy_series, arguments, SIZES, [12], 200)
    assert score.noise_floor == pytest.approx(0.25, rel=0.1)
    assert score.mse == pytest.approx(score.noise_free_mse + score.noise_floor, rel=0.1)
    assert set(score.by_step) == {"mse", "noise_free_mse", "noise_floor", "mean", "persistence", "ridge"}
    for name, errors in score.by_step.items():
        assert errors.shape == (12,)
        whole = score.naive_mse[name] if name in score.naive_mse else getattr(score, name)
        assert errors.mean() == pytest.approx(whole)


def test_a_series_is_scored_on_the_windows_of_its_test_part(tmp_path):
    path = tmp_path / "line.csv"
    path.write_text("a\n" + "".join(f"{step}\n" for step in range(60)))
    series, seen = Series(path, ("a",)), []
    arguments = {"n_steps": 4, "horizon": 1, "every_state": False}

    def next_value(inputs, initial, mask):
        seen.append(inputs)
        return inputs[:, -1] + 1

    scores = score_lengths(next_value, series, arguments, SIZES, [2, 4, 7])
    assert [(score.n_sequences, score.mse) for score in scores] == [(12, 0), (10, 0), (7, 0)]
    assert all(inputs.min() == 46 for inputs in seen)
    assert all(score.naive_mse["persistence"] == 1 for score in scores)


def test_a_length_that_the_task_cannot_have_is_named():
    with pytest.raises(RnnlabError, match=re.escape("length 15: n_steps = 15: must be a whole number of at least 21")):
        score_lengths(exact, memorisation, {"n_steps": 40}, SIZES, [15])


def fixed_length(rng, n_sequences, *, scale=1.0):
    inputs = rng.normal(0, scale, (n_sequences, 4, 1))
    return Sequences(inputs, inputs[:, -1])


def test_a_task_without_lengths_is_scored_at_the_one_it_has():
    (score,) = score_lengths(lambda inputs, initial, mask: inputs[:, -1], fixed_length, {"scale": 2.0}, SIZES)
    assert (score.n_steps, score.mse) == (None, 0)
    with pytest.raises(RnnlabError, match="this task has no argument n_steps: its sequences have one length only"):
        score_lengths(exact, fixed_length, {}, SIZES, [5])
