import numpy as np
import pytest

from rnnlab.evaluation.ridge import PENALTIES, fit_ridge


def direct(features, targets, penalty):
    """Predictions and the cross-validation score from the normal equations, as in the formula."""
    n = len(features)
    x = (features - features.mean(axis=0)) / features.std(axis=0)
    y = targets - targets.mean(axis=0)
    hat = x @ np.linalg.solve(x.T @ x + n * penalty * np.eye(x.shape[1]), x.T)
    score = n * ((y - hat @ y) ** 2).sum() / (n - 1 - np.trace(hat)) ** 2
    return hat @ y + targets.mean(axis=0), score


@pytest.mark.parametrize(("n", "n_features"), [(60, 5), (60, 50), (20, 50)])
def test_it_is_the_regression_with_the_least_cross_validation_error(n, n_features):
    rng = np.random.default_rng(0)
    features = rng.normal(2, 3, (n, n_features))
    targets = features[:, :2] @ rng.normal(size=(2, 3)) + rng.normal(0, 2, (n, 3)) + 7
    candidates = [direct(features, targets, penalty) for penalty in PENALTIES]
    expected, _ = min(candidates, key=lambda candidate: candidate[1])
    np.testing.assert_allclose(fit_ridge(features, targets)(features), expected, rtol=1e-6)


def test_without_noise_it_finds_the_linear_function_and_holds_outside_what_it_saw():
    rng = np.random.default_rng(1)
    features, coefficients = rng.normal(5, 2, (50, 4)), rng.normal(size=(4, 2))
    regression = fit_ridge(features, features @ coefficients - 3)
    others = rng.normal(-20, 9, (10, 4))
    np.testing.assert_allclose(regression(others), others @ coefficients - 3, rtol=1e-3)


def test_what_has_nothing_to_do_with_the_targets_leaves_the_mean():
    rng = np.random.default_rng(2)
    features, targets = rng.normal(size=(200, 30)), rng.normal(4, 1, (200, 1))
    assert np.abs(fit_ridge(features, targets)(rng.normal(size=(50, 30))) - targets.mean()).max() < 0.3


@pytest.mark.parametrize("n", [1, 2, 30])
def test_constant_features_and_too_few_examples_do_no_harm(n):
    features = np.full((n, 3), 0.1)
    targets = np.arange(n, dtype=float)[:, None]
    np.testing.assert_allclose(fit_ridge(features, targets)(features + 1), np.full((n, 1), targets.mean()))
