import numpy as np
import pytest

from rnnlab.evaluation.scores import mean_absolute_error, mean_squared_error

OUTPUTS = np.array([[[1.0, 2.0], [0.0, 0.0]], [[3.0, -1.0], [100.0, 100.0]]])
TARGETS = np.array([[[0.0, 0.0], [2.0, 0.0]], [[3.0, 1.0], [0.0, 0.0]]])
MASK = np.array([[True, True], [True, False]])


def test_errors_of_the_last_state_are_means_over_outputs_and_sequences():
    assert mean_squared_error(OUTPUTS[:, 0], TARGETS[:, 0]) == (2.5 + 2.0) / 2
    assert mean_absolute_error(OUTPUTS[:, 0], TARGETS[:, 0]) == (1.5 + 1.0) / 2


def test_a_mask_plays_no_part_where_only_the_last_state_is_read():
    assert mean_squared_error(OUTPUTS[:, 0], TARGETS[:, 0], MASK) == (2.5 + 2.0) / 2


def test_errors_of_every_state_are_means_over_each_sequences_real_steps_and_then_over_sequences():
    assert mean_squared_error(OUTPUTS, TARGETS, MASK) == ((2.5 + 2.0) / 2 + 2.0) / 2
    assert mean_absolute_error(OUTPUTS, TARGETS, MASK) == ((1.5 + 1.0) / 2 + 1.0) / 2
    assert mean_squared_error(OUTPUTS, TARGETS) == (2.5 + 2.0 + 2.0 + 10000.0) / 4


@pytest.mark.parametrize("score", [mean_squared_error, mean_absolute_error])
def test_scores_are_python_floats_and_float32_outputs_are_summed_in_float64(score):
    outputs, targets = np.full((10, 1), 1e20, np.float32), np.zeros((10, 1))
    value = score(outputs, targets)
    assert type(value) is float
    assert value == pytest.approx(1e40 if score is mean_squared_error else 1e20, rel=1e-6)
