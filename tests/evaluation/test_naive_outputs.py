import numpy as np
import pytest

from rnnlab.evaluation.baselines import naive_outputs, ridge_regression
from rnnlab.evaluation.scores import mean_squared_error
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.sequences import Sequences
from rnnlab.tasks.series import Series


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


def test_an_initial_condition_that_is_like_the_targets_persists_at_every_step():
    rng = np.random.default_rng(0)
    sequences = Sequences(rng.normal(size=(5, 3, 1)), rng.normal(size=(5, 3, 2)), initial=rng.normal(size=(5, 2)))
    naive = naive_outputs(dot_product, {}, sequences, sequences)
    np.testing.assert_array_equal(naive["persistence"], np.repeat(sequences.initial[:, None], 3, axis=1))


def driven(seed, n=300, n_steps=6, unequal=True):
    """`y[t] = 0.5 y[t - 1] + u[t]` from an observed initial condition: linear in all that is known."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, n_steps, n, endpoint=True) if unequal else np.full(n, n_steps)
    mask = np.arange(n_steps) < lengths[:, None]
    inputs, initial = rng.normal(size=(n, n_steps, 1)) * mask[:, :, None], rng.normal(size=(n, 1))
    targets, state = np.zeros((n, n_steps, 1)), initial
    for step in range(n_steps):
        state = 0.5 * state + inputs[:, step]
        targets[:, step] = state * mask[:, step, None]
    return Sequences(inputs, targets, mask if unequal else None, initial)


@pytest.mark.parametrize("unequal", [True, False])
def test_ridge_at_every_step_knows_the_initial_condition_and_all_inputs_so_far(unequal):
    train, test = driven(0, unequal=unequal), driven(1, unequal=unequal)
    outputs = ridge_regression(train, test)
    assert mean_squared_error(outputs, test.targets, test.mask) < 1e-6
    future = np.array(test.inputs)
    future[:, 3:] = 0
    changed = ridge_regression(train, Sequences(future, test.targets, test.mask, test.initial))
    np.testing.assert_array_equal(changed[:, :3], outputs[:, :3])


def test_ridge_of_the_last_state_reads_the_last_real_steps():
    full = driven(0)
    last = full.lengths - 1
    rows = np.arange(full.n_sequences)
    ends = Sequences(full.inputs, full.inputs[rows, last], full.mask, full.initial)
    assert mean_squared_error(ridge_regression(ends, ends), ends.targets) < 1e-6
