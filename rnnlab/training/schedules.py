"""Learning-rate schedules: the rate a[k] of each update k = 0, 1, 2, ..."""

from collections.abc import Callable

import numpy as np


def constant(rate: float, update: np.ndarray, decay_updates: float) -> np.ndarray:
    """`a[k] = a`."""
    return np.full(update.shape, rate)


def exponential(rate: float, update: np.ndarray, decay_updates: float) -> np.ndarray:
    """`a[k] = a exp(-k / decay_updates)`."""
    return rate * np.exp(-update / decay_updates)


def inverse(rate: float, update: np.ndarray, decay_updates: float) -> np.ndarray:
    """`a[k] = a / (1 + k / decay_updates)` (Robbins & Monro 1951)."""
    return rate / (1.0 + update / decay_updates)


SCHEDULES: dict[str, Callable[[float, np.ndarray, float], np.ndarray]] = {
    "constant": constant,
    "exponential": exponential,
    "inverse": inverse,
}
