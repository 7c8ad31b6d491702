import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.lengths import draw_lengths, length_range


def test_a_number_needs_no_mask_and_draws_nothing():
    rng = np.random.default_rng(0)
    lengths = draw_lengths(rng, 4, 6)
    np.testing.assert_array_equal(lengths.by_sequence, [6, 6, 6, 6])
    assert lengths.n_steps == 6
    assert lengths.mask is None
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("n_steps", [[3, 5], (3, 5)])
def test_a_range_gives_all_lengths_with_both_ends_about_equally_often(n_steps):
    lengths = draw_lengths(np.random.default_rng(0), 3000, n_steps)
    values, counts = np.unique(lengths.by_sequence, return_counts=True)
    np.testing.assert_array_equal(values, [3, 4, 5])
    assert counts.min() > 900


def test_the_mask_is_a_prefix_of_each_sequences_length():
    lengths = draw_lengths(np.random.default_rng(0), 50, [1, 7])
    assert lengths.mask is not None
    assert lengths.mask.shape == (50, 7)
    for length, row in zip(lengths.by_sequence, lengths.mask, strict=True):
        assert row.tolist() == [True] * length + [False] * (7 - length)


def test_sequences_are_padded_to_the_high_end_whatever_is_drawn():
    assert draw_lengths(np.random.default_rng(0), 1, [1, 1000]).n_steps == 1000


def test_a_range_of_one_length_still_has_a_mask():
    lengths = draw_lengths(np.random.default_rng(0), 3, [4, 4])
    assert lengths.mask is not None
    assert lengths.mask.all()


@pytest.mark.parametrize("n_steps", [0, -3, 2.5, True, "10", None, [0, 5], [1, 2, 3], [5], [1.0, 5], {"low": 1}])
def test_anything_else_is_refused_with_its_value(n_steps):
    with pytest.raises(RnnlabError, match="must be a whole number of at least 1, or a range") as error:
        length_range(n_steps)
    assert f"n_steps = {n_steps!r}" in str(error.value)


def test_a_range_the_wrong_way_round_is_refused():
    with pytest.raises(RnnlabError, match=r"n_steps = \[9, 5\]: the low end of the range must not exceed the high end"):
        length_range([9, 5])


def test_a_task_may_need_more_steps():
    with pytest.raises(RnnlabError, match=r"n_steps = \[9, 20\]: must be a whole number of at least 10"):
        length_range([9, 20], minimum=10)
