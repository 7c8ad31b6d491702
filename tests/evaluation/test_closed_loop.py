"""Closed-loop forecasts, with predictors that know the series' law, and with those that are a little wrong."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.evaluation.closed_loop import closed_loop, forecast_errors, last_windows, one_step_of
from rnnlab.tasks.series import Series

SIZES = {"n_train": 30, "n_valid": 10, "n_test": 20}
ARGUMENTS = {"n_steps": 6, "horizon": 1, "every_state": False}


def fibonacci(windows):
    return windows[:, -1] + windows[:, -2]


def test_every_step_is_predicted_from_those_predicted_before():
    windows = np.array([[[9.0, 0], [1, 1], [1, 1]], [[9, 0], [2, 0], [1, 5]]])
    ahead = closed_loop(fibonacci, windows, 4)
    np.testing.assert_array_equal(ahead[0], [[2, 2], [3, 3], [5, 5], [8, 8]])
    np.testing.assert_array_equal(ahead[1], [[3, 5], [4, 10], [7, 15], [11, 25]])


def test_windows_keep_the_length_of_training():
    lengths = []
    closed_loop(lambda windows: lengths.append(windows.shape[1]) or windows[:, -1], np.zeros((2, 5, 1)), 7)
    assert lengths == [5] * 7


@pytest.fixture
def series(tmp_path):
    """A wave of 8 steps and one twice as fast, of 90 steps."""
    angles = 2 * np.pi * np.arange(90) / 8
    rows = np.stack([np.cos(angles), np.sin(2 * angles)], axis=1).tolist()
    (tmp_path / "wave.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows))
    return Series(tmp_path / "wave.csv", ("a", "b"), season=8)


def wave(windows):
    """`2 cos(w) u[t] - u[t - 1]`, which a wave of angular frequency w obeys."""
    return 2 * np.cos(2 * np.pi * np.array([1, 2]) / 8) * windows[:, -1] - windows[:, -2]


def test_who_knows_the_law_makes_no_error_at_any_horizon(series):
    errors = forecast_errors(wave, series, ARGUMENTS, SIZES, 10)
    assert errors.n_windows == 26 - 6 - 10 + 1
    np.testing.assert_allclose(errors.mse["closed_loop"], 0, atol=1e-20)
    np.testing.assert_allclose(errors.mse["one_step"], 0, atol=1e-20)
    np.testing.assert_allclose(errors.mse["ridge"], 0, atol=1e-4)  # the wave is linear
    assert errors.mse["persistence"][0] > 0.1
    np.testing.assert_allclose(errors.mse["persistence"][7], 0, atol=1e-20)  # after a whole period
    assert "seasonal_persistence" not in errors.mse  # a window of 6 steps does not reach back 8


def test_errors_add_up_in_closed_loop_and_not_from_the_true_values(series):
    errors = forecast_errors(lambda windows: wave(windows) + 0.01, series, ARGUMENTS, SIZES, 5)
    np.testing.assert_allclose(errors.mse["one_step"], 1e-4)
    assert errors.mse["closed_loop"][0] == pytest.approx(1e-4)
    assert (np.diff(errors.mse["closed_loop"])[:2] > 1e-5).all()


def test_the_season_before_is_repeated_where_the_window_reaches_back_so_far(series):
    errors = forecast_errors(wave, series, {**ARGUMENTS, "n_steps": 8}, SIZES, 12)
    np.testing.assert_allclose(errors.mse["seasonal_persistence"], 0, atol=1e-20)


@pytest.mark.parametrize("n_ahead", [0, 21])
def test_a_test_part_too_short_for_the_horizon_is_told(series, n_ahead):
    message = f"{n_ahead} steps in closed loop: must be from 1 to 20, what the test part of 26 steps has after a window"
    with pytest.raises(RnnlabError, match=re.escape(message)):
        forecast_errors(wave, series, ARGUMENTS, SIZES, n_ahead)


def model(n_in=2, n_out=2, initial_state="zero", every_state=False):
    network = SimpleNamespace(n_in=n_in, n_out=n_out, initial_state=initial_state, every_state=every_state)

    def predict(inputs):
        outputs = np.cumsum(inputs, axis=1)
        return outputs if every_state else outputs[:, -1]

    return SimpleNamespace(architecture=network, predict=predict)


@pytest.mark.parametrize("every_state", [True, False])
def test_one_step_of_a_network_is_its_last_output(every_state):
    windows = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_array_equal(one_step_of(model(every_state=every_state), {})(windows), windows.sum(axis=1))


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (model(n_in=3), {}, "whose outputs are its next inputs: this one has 3 inputs and 2 outputs"),
        (model(initial_state="mapped"), {}, "a network that starts from no observed initial condition"),
        (model(), {"horizon": 3}, "task.horizon = 3: a closed loop needs a network that predicts the next step"),
    ],
)
def test_a_network_that_cannot_go_on_from_its_outputs_is_refused(network, arguments, message):
    with pytest.raises(RnnlabError, match=re.escape(message)):
        one_step_of(network, arguments)


def test_a_closed_loop_starts_from_the_last_real_steps_of_each_sequence():
    inputs = np.arange(10.0).reshape(2, 5, 1)
    np.testing.assert_array_equal(last_windows(inputs, np.array([5, 4]), 2)[:, :, 0], [[3, 4], [7, 8]])
    np.testing.assert_array_equal(last_windows(inputs, np.array([4, 4]), [2, 9])[:, :, 0], [[0, 1, 2, 3], [5, 6, 7, 8]])
    with pytest.raises(RnnlabError, match="a sequence has 4 steps: must have at least 5, the window"):
        last_windows(inputs, np.array([5, 4]), 5)
    with pytest.raises(RnnlabError, match="a closed loop needs sequences of one length"):
        last_windows(inputs, np.array([5, 4]), None)
