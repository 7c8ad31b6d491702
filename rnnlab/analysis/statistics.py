"""Means with intervals, paired tests against a baseline, and their correction for many comparisons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

INTERVALS = ("t", "bootstrap")
TESTS = ("permutation", "wilcoxon")

# 2^14 sign patterns take milliseconds; beyond that a random sample of them is as good.
EXACT_PAIRS = 14
N_RESAMPLES = 9_999


@dataclass(frozen=True)
class Summary:
    """What is said about the values of one group; NaN where there are too few (an interval needs two)."""

    n: int
    mean: float
    sd: float
    low: float
    high: float
    median: float


@dataclass(frozen=True)
class PairedComparison:
    """A group against a baseline over the `n` seeds they share: differences are group minus baseline.

    `p_value` is that of this comparison alone and `p_corrected` that among all comparisons; both are NaN where there
    are too few seeds for any outcome to be significant, and `verdict` says so.
    """

    n: int
    difference: float
    low: float
    high: float
    p_value: float
    p_corrected: float
    verdict: str


def summarise(values: Sequence[float] | np.ndarray, level: float = 0.95, interval: str = "t") -> Summary:
    """Mean, standard deviation (n - 1 in the denominator), interval of the mean, and median of finite values."""
    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        return Summary(0, *[math.nan] * 5)
    low, high = confidence_interval(array, level, interval)
    # Equal values have no spread; the rounding of their mean would make one of 1e-17.
    sd = math.nan if n < 2 else float(array.std(ddof=1)) if np.ptp(array) > 0 else 0.0
    return Summary(n, float(array.mean()), sd, low, high, float(np.median(array)))


def confidence_interval(values: np.ndarray, level: float = 0.95, interval: str = "t") -> tuple[float, float]:
    """An interval of the mean, by Student's t or by bootstrap; NaN for fewer than two values.

    Raises ValueError for an interval that is none of `INTERVALS`.
    """
    if interval == "t":
        return t_interval(values, level)
    if interval == "bootstrap":
        return bootstrap_interval(values, level)
    raise ValueError(f"interval {interval!r}: must be one of {', '.join(INTERVALS)}")


def t_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """mean -+ t[(1 + level) / 2, n - 1] * sd / sqrt(n)."""
    if len(values) < 2:
        return math.nan, math.nan
    half = t_half_width(values, level)
    return float(np.mean(values) - half), float(np.mean(values) + half)


def t_half_width(values: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Half the t interval of the mean over the first axis, of n >= 2 values: (n, ...) -> (...)."""
    n = len(values)
    return stdtrit(n - 1, (1 + level) / 2) * np.std(values, axis=0, ddof=1) / math.sqrt(n)


def bootstrap_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval of the mean (Efron 1987), from a fixed random stream."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return math.nan, math.nan
    if np.ptp(values) <= 1e-12 * np.abs(values).max():  # no spread to resample, and BCa would divide by it
        return float(values.min()), float(values.max())
    from scipy import stats  # loads slowly, and the default interval does without

    found = stats.bootstrap(
        (values,), np.mean, confidence_level=level, n_resamples=N_RESAMPLES, rng=np.random.default_rng(0)
    ).confidence_interval
    return float(found.low), float(found.high)


def permutation_p_value(differences: np.ndarray) -> float:
    """Two-sided p-value of paired differences under random signs (Fisher 1935, section 21).

    The share of sign patterns whose |mean| is at least the observed one: of all 2^n patterns for n <= 14, and of
    9,999 random ones beyond that, the observed pattern counted in.
    """
    differences = np.asarray(differences, dtype=float)
    n = len(differences)
    if n == 0:
        return math.nan
    if n <= EXACT_PAIRS:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = np.random.default_rng(0).choice([-1, 1], size=(N_RESAMPLES, n))
        signs = np.vstack([np.ones((1, n)), signs])
    sums = np.abs(signs @ differences)
    observed = abs(differences.sum())
    # Equal sums in another order of addition differ by rounding, and must still count as equal.
    return float(np.mean(sums >= observed - 1e-12 * np.abs(differences).sum()))


def wilcoxon_p_value(differences: np.ndarray) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test; 1 when every difference is zero."""
    differences = np.asarray(differences, dtype=float)
    if len(differences) == 0:
        return math.nan
    if not differences.any():
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(differences).pvalue)


def paired_p_value(differences: np.ndarray, test: str = "permutation") -> float:
    """The p-value of paired differences by `test`. Raises ValueError for one that is none of `TESTS`."""
    if test == "permutation":
        return permutation_p_value(differences)
    if test == "wilcoxon":
        return wilcoxon_p_value(differences)
    raise ValueError(f"test {test!r}: must be one of {', '.join(TESTS)}")


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment (Holm 1979): p[(i)] -> max over j <= i of min(1, (m - j + 1) p[(j)]), 1 <= j <= m.

    NaNs (comparisons that were not tested) stay NaN and do not count in m.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full_like(p, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p[order]))
    return adjusted


def seeds_needed(n_comparisons: int = 1, alpha: float = 0.05) -> int:
    """The least n for which the smallest possible p-value 2 / 2^n, times the number of comparisons, is <= alpha.

    With fewer pairs neither test could call any difference significant, however large.
    """
    return math.ceil(math.log2(2 * max(n_comparisons, 1) / alpha))


def compare_paired(
    groups: Sequence[np.ndarray],
    level: float = 0.95,
    interval: str = "t",
    test: str = "permutation",
    lower_is_better: bool = True,
) -> list[PairedComparison]:
    """Test each array of paired differences (group minus baseline) and correct over all of them by Holm.

    A difference is significant when its corrected p-value is at most 1 - level.
    """
    alpha = round(1 - level, 12)
    needed = seeds_needed(sum(len(d) > 0 for d in groups), alpha)  # a group that failed altogether is no comparison
    p_values = [paired_p_value(d, test) if len(d) >= needed else math.nan for d in groups]
    comparisons = []
    for differences, p, corrected in zip(groups, p_values, holm(p_values), strict=True):
        n = len(differences)
        difference = float(np.mean(differences)) if n else math.nan
        low, high = confidence_interval(differences, level, interval)
        if math.isnan(p):
            verdict = too_few_verdict(n, needed)
        elif corrected <= alpha:
            better = (difference < 0) == lower_is_better
            verdict = f"{'better' if better else 'worse'} ({n} seeds)"
        else:
            verdict = f"not distinguishable with {n} seeds"
        comparisons.append(PairedComparison(n, difference, low, high, p, float(corrected), verdict))
    return comparisons


def too_few_verdict(n: int, needed: int) -> str:
    """What is said instead of a p-value."""
    if n == 0:
        return "no seed in common with the baseline"
    return f"too few seeds for a test: {n}, at least {needed} needed"
