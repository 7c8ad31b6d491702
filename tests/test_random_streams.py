import subprocess
import sys

import numpy as np

from rnnlab.random_streams import stream


def draw(*arguments):
    return stream(*arguments).random(1000)


def test_the_same_arguments_give_the_same_draws():
    np.testing.assert_array_equal(draw(5, "data.train", 3), draw(5, "data.train", 3))


def test_draws_are_the_same_in_another_process():
    code = "from rnnlab.random_streams import stream; print(stream(5, 'data.train', 3).random().hex())"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert there == stream(5, "data.train", 3).random().hex()


def test_draws_stay_what_they_were_when_runs_were_recorded():
    assert stream(0, "data.train", 0).integers(0, 2**32, 3).tolist() == [969980994, 2000782588, 4101994180]


def test_seed_name_and_index_each_give_an_independent_stream():
    arguments = [
        (0, "data.train"),
        (1, "data.train"),
        (0, "data.valid"),
        (0, "data.train", 0),
        (0, "data.train", 1),
        (0, "data.train", 0, 1),
        (2**32 - 1, "data.train"),
    ]
    draws = np.stack([draw(*each) for each in arguments])
    correlations = np.corrcoef(draws)
    assert np.abs(correlations - np.eye(len(draws))).max() < 0.15


def test_drawing_more_from_one_stream_never_shifts_another():
    before = draw(0, "weights")
    stream(0, "data.train").random(12345)
    np.testing.assert_array_equal(draw(0, "weights"), before)
