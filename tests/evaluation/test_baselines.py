"""Naive predictors: what they predict on small cases worked out by hand, and against scipy and plain least squares."""

import numpy as np
import pytest

from rnnlab.evaluation import baselines
from rnnlab.evaluation.baselines import mean_predictor, naive_outputs, persistence_predictor, ridge_predictor
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.sequences import Sequences, Splits
from rnnlab.tasks.series import Series


def split_of(rng, n, n_steps=4, every_state=False, lengths=None, initial=True):
    """Targets are linear in the inputs of the last two steps and in the initial condition, without noise."""
    inputs, start = rng.normal(size=(n, n_steps, 2)), rng.normal(size=(n, 3))
    mask = None if lengths is None else np.arange(n_steps) < rng.integers(*lengths, size=n)[:, None]
    if mask is not None:
        inputs[~mask] = 0.0
    before = np.concatenate([np.zeros((n, 1, 2)), inputs[:, :-1]], axis=1)
    targets = inputs @ [[1.0], [2.0]] + before @ [[-1.0], [0.5]] + 3.0
    if initial:
        targets += (start @ [[1.0], [0.0], [-2.0]])[:, None]
    if mask is not None:
        targets[~mask] = 0.0
    last = np.full(n, n_steps - 1) if mask is None else mask.sum(axis=1) - 1
    return Sequences(inputs, targets if every_state else targets[np.arange(n), last], mask, start if initial else None)


def splits_of(**options):
    rng = np.random.default_rng(0)
    return Splits(*(split_of(rng, n, **options) for n in (60, 20, 15)))


def error(outputs, test):
    difference = outputs - test.targets
    return np.abs(difference[test.mask] if test.every_state and test.mask is not None else difference).max()


@pytest.mark.parametrize("every_state", [False, True])
@pytest.mark.parametrize("lengths", [None, (2, 5)])
def test_ridge_regression_finds_what_is_linear_in_the_window_and_the_initial_condition(every_state, lengths):
    splits = splits_of(every_state=every_state, lengths=lengths)
    assert error(ridge_predictor(splits.train, splits.test), splits.test) < 1e-3
    assert error(mean_predictor(splits.train, splits.test), splits.test) > 1


@pytest.mark.parametrize("lengths", [None, (2, 5)])
def test_ridge_regression_at_every_step_knows_no_later_inputs(lengths):
    splits = splits_of(every_state=True, lengths=lengths)
    train, test = splits.train, splits.test
    changed = np.array(test.inputs)
    changed[:, 2:] = 0.0
    outputs = ridge_predictor(train, Sequences(changed, test.targets, test.mask, test.initial))
    np.testing.assert_array_equal(outputs[:, :2], ridge_predictor(train, test)[:, :2])


def test_the_penalty_is_strong_where_there_is_nothing_but_noise():
    rng = np.random.default_rng(1)

    def noise(n):
        return Sequences(rng.normal(size=(n, 10, 2)), 1.0 + rng.normal(size=(n, 1)))

    splits = Splits(noise(25), noise(200), noise(200))
    assert ridge_predictor(splits.train, splits.test).std() < 0.3


def test_a_long_window_ends_where_the_features_get_too_many(monkeypatch):
    monkeypatch.setattr(baselines, "MOST_FEATURES", 4)
    splits = splits_of()
    assert (
        error(ridge_predictor(splits.train, splits.test), splits.test) < 1e-3
    )  # two steps of two inputs are all it takes
    monkeypatch.setattr(baselines, "MOST_FEATURES", 1)
    assert error(ridge_predictor(splits.train, splits.test), splits.test) > 0.1


def test_many_sequences_are_scored_in_blocks_and_learned_from_in_part(monkeypatch):
    splits = splits_of(every_state=True)
    monkeypatch.setattr(baselines, "MOST_ROWS", 100)  # 25 sequences of 4 steps
    assert error(ridge_predictor(splits.train, splits.test), splits.test) < 1e-3
    changed = Splits(
        Sequences(splits.train.inputs, np.where(np.arange(60)[:, None, None] < 25, splits.train.targets, 1e6), None,
                  splits.train.initial), splits.valid, splits.test,
    )  # fmt: skip
    assert error(ridge_predictor(changed.train, changed.test), splits.test) < 1e-3


def test_one_sequence_of_one_step_and_constant_inputs_are_no_problem():
    one = Sequences(np.ones((1, 1, 1)), np.full((1, 1), 7.0))
    assert ridge_predictor(one, one).tolist() == [[7.0]]


def test_persistence_holds_the_outputs_of_the_initial_condition():
    rng = np.random.default_rng(2)
    mixing = rng.normal(size=(3, 2))

    def split(n):
        start = rng.normal(size=(n, 3))
        targets = (start @ mixing + 1.0)[:, None] * np.array([1.0, 2.0, 3.0])[:, None]
        return Sequences(rng.normal(size=(n, 3, 1)), targets, None, start)

    train, test = split(30), split(10)
    assert persistence_predictor(train, test) == pytest.approx(np.repeat(test.targets[:, :1], 3, axis=1))


def test_persistence_needs_an_initial_condition_and_a_target_at_every_step():
    last_only = splits_of()
    assert persistence_predictor(last_only.train, last_only.test) is None
    without = splits_of(every_state=True, initial=False)
    assert persistence_predictor(without.train, without.test) is None


def test_every_task_has_mean_and_ridge_and_persistence_where_something_can_last():
    for splits, names in (
        (splits_of(every_state=True), ["mean", "persistence", "ridge"]),
        (splits_of(every_state=True, initial=False), ["mean", "ridge"]),
        (splits_of(), ["mean", "ridge"]),
    ):
        naive = naive_outputs(dot_product, {}, splits.train, splits.test)
        assert list(naive) == names
        assert all(outputs.shape == splits.test.targets.shape for outputs in naive.values())


@pytest.fixture
def series(tmp_path):
    """A season of four steps on a slope."""
    path = tmp_path / "seasons.csv"
    path.write_text("a\n" + "".join(f"{(0, 5, 1, -2)[step % 4] + step / 10}\n" for step in range(60)))
    return Series(path, ("a",), season=4)


def test_a_series_has_persistence_and_that_of_the_season_before(series):
    splits = series.splits(20, 10, 10, n_steps=6)
    naive = naive_outputs(series, {"n_steps": 6, "horizon": 1}, splits.train, splits.test)
    assert list(naive) == ["mean", "persistence", "seasonal_persistence", "ridge"]
    np.testing.assert_array_equal(naive["persistence"], splits.test.inputs[:, -1])
    np.testing.assert_allclose(naive["seasonal_persistence"], splits.test.targets - 0.4)
    np.testing.assert_allclose(naive["ridge"], splits.test.targets, atol=1e-2)
    np.testing.assert_allclose(naive["mean"], np.full((10, 1), splits.train.targets.mean()))


@pytest.mark.parametrize(("n_steps", "horizon", "there"), [(4, 1, True), (3, 1, False), (3, 2, True), (6, 5, False)])
def test_the_season_before_must_be_within_the_window(series, n_steps, horizon, there):
    splits = series.splits(20, 5, 5, n_steps=n_steps, horizon=horizon)
    naive = naive_outputs(series, {"n_steps": n_steps, "horizon": horizon}, splits.train, splits.test)
    assert ("seasonal_persistence" in naive) == there
    if there:
        np.testing.assert_allclose(naive["seasonal_persistence"], splits.test.targets - 0.4)


def test_at_every_step_of_a_series_the_inputs_persist(series):
    splits = series.splits(20, 5, 5, n_steps=4, every_state=True)
    naive = naive_outputs(series, {"n_steps": 4}, splits.train, splits.test)
    np.testing.assert_array_equal(naive["persistence"], splits.test.inputs)
