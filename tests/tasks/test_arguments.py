import math

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.arguments import check_number, check_one_of, check_whole


@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, True, "3", None, [3]])
def test_whole_numbers_from_1_exclude(value):
    with pytest.raises(RnnlabError, match=r"^n_in = .*: must be a whole number of at least 1$") as error:
        check_whole("n_in", value, 1)
    assert repr(value) in str(error.value)


def test_whole_numbers_may_be_numpys():
    assert type(check_whole("n_in", np.int64(3), 1)) is int


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, True, "1", None])
def test_numbers_from_0_exclude(value):
    with pytest.raises(RnnlabError, match=r"^noise_std = .*: must be a finite number of at least 0$"):
        check_number("noise_std", value, 0.0)


def test_an_open_minimum_excludes_itself():
    assert check_number("dt", 0.1, 0.0, open_minimum=True) == 0.1
    with pytest.raises(RnnlabError, match=r"^dt = 0: must be a finite number above 0$"):
        check_number("dt", 0, 0.0, open_minimum=True)


def test_one_of_names_the_choices():
    check_one_of("version", "a", ("a", "b"))
    with pytest.raises(RnnlabError, match=r"^version = 'c': must be one of 'a', 'b'$"):
        check_one_of("version", "c", ("a", "b"))
