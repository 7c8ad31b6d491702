"""Ridge regression, its penalty chosen by generalised cross-validation."""

from collections.abc import Callable

import numpy as np

PENALTIES = 10.0 ** np.arange(-6, 7)  # per example, for features of unit variance


def fit_ridge(features: np.ndarray, targets: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Fit `Y = X B + b` by least squares with the penalty `n k |B|^2`, on features of unit variance.

    features: X (n, n_features); constant ones play no part; targets: Y (n, n_out)

    Of the penalties k the one with the least generalised cross-validation error is taken, one for all outputs,
    `n |Y - A Y|^2 / (n - trace A)^2` with `A = X (X' X + n k)^-1 X'` and the intercept (Golub, Heath & Wahba 1979,
    Generalized cross-validation as a method for choosing a good ridge parameter).

    Returns the regression: features (m, n_features) -> predictions (m, n_out).
    """
    n = len(features)
    mean, std = features.mean(axis=0), features.std(axis=0)
    scale = np.where(std > 1e-12 * np.abs(features).max(axis=0, initial=1.0), std, np.inf)
    x, target_mean = (features - mean) / scale, targets.mean(axis=0)
    y = targets - target_mean
    # X = U s V', by the eigenvectors of the smaller of X X' and X' X.
    if x.shape[1] <= n:
        squares, v = np.linalg.eigh(x.T @ x)
        s = np.sqrt(np.maximum(squares, 0.0))
        uy = v.T @ (x.T @ y) / np.maximum(s, 1e-150)[:, None]
    else:
        squares, u = np.linalg.eigh(x @ x.T)
        s = np.sqrt(np.maximum(squares, 0.0))
        v = x.T @ u / np.maximum(s, 1e-150)
        uy = u.T @ y
    real = s > 1e-8 * s.max(initial=0.0)
    s, uy, v = s[real], uy[real], v[:, real]
    shrinkages = s**2 / (s**2 + n * PENALTIES[:, None])  # (n_penalties, n_directions)
    left = (y**2).sum() - (uy**2).sum()  # what no coefficients explain
    errors = left + (((1 - shrinkages)[:, :, None] * uy) ** 2).sum(axis=(1, 2))
    freedom = n - 1 - shrinkages.sum(axis=1)
    scores = np.where(freedom > 0, errors / np.maximum(freedom, 1e-9) ** 2, np.inf)
    best = shrinkages[int(np.argmin(scores))]
    coefficients = v @ ((best / s)[:, None] * uy)

    def regression(rows: np.ndarray) -> np.ndarray:
        return (rows - mean) / scale @ coefficients + target_mean

    return regression
