import numpy as np
import pytest

from rnnlab.training.schedules import SCHEDULES

UPDATES = np.array([0, 1, 50, 100, 1000])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constant", [0.2, 0.2, 0.2, 0.2, 0.2]),
        ("exponential", [0.2, 0.2 * np.exp(-0.01), 0.2 * np.exp(-0.5), 0.2 / np.e, 0.2 * np.exp(-10.0)]),
        ("inverse", [0.2, 0.2 / 1.01, 0.2 / 1.5, 0.1, 0.2 / 11]),
    ],
)
def test_schedule_gives_the_rate_of_each_update(name, expected):
    np.testing.assert_allclose(SCHEDULES[name](0.2, UPDATES, 100.0), expected, rtol=1e-14)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_rate_depends_on_the_update_alone_and_not_on_the_cut_into_calls(name):
    whole = SCHEDULES[name](0.2, np.arange(10), 7.0)
    parts = np.concatenate([SCHEDULES[name](0.2, np.arange(3), 7.0), SCHEDULES[name](0.2, np.arange(3, 10), 7.0)])
    np.testing.assert_array_equal(whole, parts)
