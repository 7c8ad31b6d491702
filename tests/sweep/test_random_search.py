import itertools

import numpy as np
import pytest

from rnnlab.sweep.random_search import Distribution, RandomSearch, draw_points

RATE = Distribution("loguniform", (1e-4, 1e-1))
NOISE = Distribution("uniform", (-1.0, 3.0))
WIDTH = Distribution("integers", (5, 8))
CELL = Distribution("choice", ("elman", "lstm", None))
FIRST_POINTS = [
    {"a": 0.00014077876, "b": 2.2050419, "c": 7, "d": "lstm"},
    {"a": 0.00022568279, "b": 0.46657577, "c": 5, "d": "lstm"},
]


def column(key, parameters, n=1000, seed=0):
    return [point[key] for point in draw_points(RandomSearch(n, seed, parameters))]


def test_the_draws_of_different_parameters_are_uncorrelated():
    names = ["training.learning_rate", "training.l1.W_hh", "training.l2.W_hh", "model.initializer_scale"]
    points = draw_points(RandomSearch(4000, 0, {name: Distribution("uniform", (0.0, 1.0)) for name in names}))
    draws = np.array([[point[name] for point in points] for name in names])
    correlations = np.corrcoef(draws)[np.triu_indices(len(names), 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(4000)
    successive = [np.corrcoef(row[:-1], row[1:])[0, 1] for row in draws]
    assert np.abs(successive).max() < 4 / np.sqrt(4000)


def test_adding_a_parameter_or_changing_their_order_changes_no_other_draws():
    before = column("a", {"a": RATE, "b": NOISE})
    assert column("a", {"c": WIDTH, "b": NOISE, "a": RATE}) == before
    assert column("a", {"a": RATE}) == before


def test_changing_one_distribution_changes_no_other_draws():
    assert column("a", {"a": RATE, "b": WIDTH}) == column("a", {"a": RATE, "b": CELL})


@pytest.mark.parametrize("distribution", [RATE, NOISE, WIDTH, CELL])
def test_a_larger_n_only_adds_points(distribution):
    assert column("a", {"a": distribution}, n=100)[:37] == column("a", {"a": distribution}, n=37)


def test_draws_are_reproducible_and_another_seed_gives_others():
    parameters = {"a": RATE, "b": NOISE, "c": WIDTH, "d": CELL}
    points = draw_points(RandomSearch(20, 3, parameters))
    assert points == draw_points(RandomSearch(20, 3, parameters))
    assert all(column(name, parameters, 20, 4) != [point[name] for point in points] for name in parameters)


def test_the_first_draws_stay_what_they_were_in_earlier_releases():
    """A change here would make every stored random sweep run again. Values: from this implementation, numpy 2."""
    assert draw_points(RandomSearch(2, 0, {"a": RATE, "b": NOISE, "c": WIDTH, "d": CELL})) == FIRST_POINTS


def test_uniform_fills_its_range_evenly():
    draws = np.array(column("a", {"a": NOISE}, 4000))
    assert draws.min() >= -1.0
    assert draws.max() <= 3.0
    counts, _ = np.histogram(draws, bins=4, range=(-1.0, 3.0))
    assert np.abs(counts - 1000).max() < 120  # 4.4 standard deviations


def test_loguniform_gives_every_decade_its_share_and_plain_floats():
    draws = column("a", {"a": RATE}, 3000)
    assert {type(draw) for draw in draws} == {float}
    assert min(draws) >= 1e-4
    assert max(draws) <= 1e-1
    counts, _ = np.histogram(np.log10(draws), bins=3, range=(-4, -1))
    assert np.abs(counts - 1000).max() < 115  # 4.4 standard deviations


def test_draws_never_leave_their_bounds_by_rounding():
    narrow = Distribution("loguniform", (0.123456789012, 0.123456789013))
    assert all(0.123456789012 <= draw <= 0.123456789013 for draw in column("a", {"a": narrow}, 100))


def test_floats_have_eight_significant_digits():
    assert all(draw == float(f"{draw:.8g}") for draw in column("a", {"a": RATE}, 100))


def test_integers_include_both_bounds_and_are_plain():
    draws = column("a", {"a": WIDTH}, 200)
    assert set(draws) == {5, 6, 7, 8}
    assert {type(draw) for draw in draws} == {int}
    extreme = Distribution("integers", (-(2**63), 2**63 - 1))
    assert len(set(column("a", {"a": extreme}, 50))) == 50


def test_choice_gives_every_value_its_share():
    draws = column("a", {"a": CELL}, 3000)
    assert all(abs(draws.count(value) - 1000) < 115 for value in ("elman", "lstm", None))


def test_points_pair_the_parameters_draws_in_order():
    points = draw_points(RandomSearch(5, 0, {"b": NOISE, "a": RATE}))
    assert [list(point) for point in points] == [["b", "a"]] * 5
    assert all(one != other for one, other in itertools.combinations(points, 2))
