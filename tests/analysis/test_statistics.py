import math

import numpy as np
import pytest
from scipy import stats

from rnnlab.analysis.statistics import (
    bootstrap_interval,
    compare_paired,
    holm,
    paired_p_value,
    permutation_p_value,
    seeds_needed,
    summarise,
    t_half_width,
    t_interval,
    wilcoxon_p_value,
)


def test_a_summary_worked_out_by_hand():
    # Deviations -2, 0, 2: sd = sqrt(8 / 2) = 2; t[.975, 2] = 4.302653, so the half width is 4.302653 * 2 / sqrt(3).
    summary = summarise([1.0, 3.0, 5.0])
    assert (summary.n, summary.mean, summary.sd, summary.median) == (3, 3.0, 2.0, 3.0)
    assert summary.high - 3.0 == pytest.approx(4.968275, abs=1e-6)
    assert 3.0 - summary.low == pytest.approx(4.968275, abs=1e-6)


def test_the_t_interval_is_scipys_on_random_data():
    rng = np.random.default_rng(0)
    for n in (2, 5, 30):
        values = rng.lognormal(size=n)
        wanted = stats.t.interval(0.9, n - 1, loc=values.mean(), scale=stats.sem(values))
        assert t_interval(values, 0.9) == pytest.approx(wanted)


def test_the_t_half_width_takes_columns_one_by_one():
    values = np.random.default_rng(1).normal(size=(6, 4))
    low, high = zip(*[t_interval(column) for column in values.T], strict=True)
    assert t_half_width(values) == pytest.approx((np.array(high) - np.array(low)) / 2)


def test_the_bootstrap_interval_holds_the_mean_in_about_95_of_100_cases_and_repeats():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(60):
        low, high = bootstrap_interval(rng.normal(3.0, 1.0, size=25))
        inside += low <= 3.0 <= high
    assert 52 <= inside <= 60
    values = rng.normal(size=10)
    assert bootstrap_interval(values) == bootstrap_interval(values)


def test_few_or_equal_values_give_no_interval_or_one_of_no_width():
    assert summarise([]).n == 0
    assert math.isnan(summarise([]).mean)
    one = summarise([2.0])
    assert one.mean == 2.0
    assert math.isnan(one.sd)
    assert math.isnan(one.low)
    assert bootstrap_interval(np.array([2.0, 2.0, 2.0])) == (2.0, 2.0)


def test_the_permutation_p_value_worked_out_by_hand():
    # Of the 8 sign patterns of (1, 2, 3) only +++ and --- reach |sum| 6; for (1, 2, -3) every one reaches 0.
    assert permutation_p_value(np.array([1.0, 2.0, 3.0])) == 2 / 8
    assert permutation_p_value(np.array([1.0, 2.0, -3.0])) == 1.0
    # (1, 1, -3): |sum| = 1 is reached by every pattern; (3, 3, -1): |sum| 5 by +++, ---, ++-, --+.
    assert permutation_p_value(np.array([3.0, 3.0, -1.0])) == 4 / 8


def test_the_permutation_p_value_is_scipys_exact_one_on_random_data():
    rng = np.random.default_rng(3)
    for n in (6, 9, 12):
        differences = rng.normal(0.4, 1.0, size=n)
        wanted = stats.permutation_test(
            (differences,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=True
        ).pvalue
        assert permutation_p_value(differences) == pytest.approx(wanted)


def test_the_sampled_permutation_p_value_of_many_pairs_is_near_the_t_tests():
    differences = np.random.default_rng(4).normal(0.3, 1.0, size=40)
    assert permutation_p_value(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.02)
    assert permutation_p_value(np.full(40, 1.0)) == pytest.approx(1e-4)


def test_the_wilcoxon_p_value_is_scipys_and_one_for_no_difference_at_all():
    differences = np.random.default_rng(5).normal(0.5, 1.0, size=12)
    assert wilcoxon_p_value(differences) == stats.wilcoxon(differences).pvalue
    assert wilcoxon_p_value(np.zeros(8)) == 1.0
    assert permutation_p_value(np.zeros(8)) == 1.0


def test_holm_as_in_a_published_example():
    # The example of the article "Holm-Bonferroni method" in the English Wikipedia: of H1 to H4 with these p-values,
    # H1 and H4 are rejected at .05, H2 and H3 are not. The adjusted values by hand: H4 4 * .005, H1 3 * .01,
    # H3 2 * .03, and H2 1 * .04, raised to that of H3.
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    assert list(adjusted <= 0.05) == [True, False, False, True]
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_lies_between_the_first_three_rejections_of_bonferroni_and_of_hochberg():
    # Y. Benjamini & Y. Hochberg, J. R. Statist. Soc. B 57(1), 1995, section 4: of these 15 p-values Bonferroni's and
    # Hochberg's procedures both reject the first three at .05, and Holm rejects no fewer than the one and no more than
    # the other.
    smallest = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p_values = [*smallest, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert (holm(p_values) <= 0.05).sum() == 3
    assert holm([0.6, 0.5]) == pytest.approx([1.0, 1.0])


def test_holm_leaves_out_what_was_not_tested():
    assert holm([0.01, math.nan, 0.04]) == pytest.approx([0.02, math.nan, 0.04], nan_ok=True)
    assert list(holm([])) == []


def test_seeds_needed_is_where_the_smallest_possible_p_value_can_be_significant():
    # 2 / 2^5 = .0625 > .05 >= 2 / 2^6
    assert seeds_needed(1) == 6
    assert seeds_needed(3) == 7
    assert permutation_p_value(np.arange(1.0, 7.0)) <= 0.05 < permutation_p_value(np.arange(1.0, 6.0))


def test_too_few_seeds_get_words_instead_of_a_p_value():
    (comparison,) = compare_paired([np.full(5, -1.0) + np.arange(5) / 10])
    assert math.isnan(comparison.p_value)
    assert math.isnan(comparison.p_corrected)
    assert comparison.verdict == "too few seeds for a test: 5, at least 6 needed"
    (none,) = compare_paired([np.array([])])
    assert none.verdict == "no seed in common with the baseline"


@pytest.mark.parametrize("test", ["permutation", "wilcoxon"])
def test_verdicts_follow_sign_and_direction(test):
    clear = np.linspace(0.5, 1.5, 10)
    noise = np.array([1.0, -1.1, 0.9, -0.8, 1.2, -1.3, 0.7, -0.6, 0.1, -0.2])
    results = compare_paired([-clear, clear, noise], test=test)
    assert [r.verdict for r in results] == [
        "better (10 seeds)",
        "worse (10 seeds)",
        "not distinguishable with 10 seeds",
    ]
    assert results[0].difference == pytest.approx(-1.0)
    assert [r.verdict for r in compare_paired([-clear, clear], test=test, lower_is_better=False)] == [
        "worse (10 seeds)",
        "better (10 seeds)",
    ]


@pytest.mark.parametrize("test", ["permutation", "wilcoxon"])
def test_at_most_seven_of_a_hundred_null_comparisons_are_significant(test):
    rng = np.random.default_rng(6)
    p_values = [paired_p_value(rng.normal(size=8) - rng.normal(size=8), test) for _ in range(1000)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.07


def test_at_most_seven_of_a_hundred_null_families_of_comparisons_have_a_verdict():
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(300):
        baseline = rng.lognormal(size=9)
        results = compare_paired([rng.lognormal(size=9) - baseline for _ in range(3)])
        found += any("seeds)" in result.verdict for result in results)
    assert found / 300 <= 0.07
