"""Smooth random inputs that are known at every instant: a Gaussian process as a sum of random Fourier features."""

import numpy as np


def draw_frequencies(rng: np.random.Generator, n_frequencies: int, timescale: float) -> np.ndarray:
    """Draw angular frequencies w (n_frequencies,), normal with standard deviation `1 / timescale`.

    This is the spectrum of the Gaussian kernel `exp(-(t - s)^2 / (2 timescale^2))`.
    """
    return rng.normal(0.0, 1.0 / timescale, n_frequencies)


def draw_amplitudes(rng: np.random.Generator, n_sequences: int, n_in: int, n_frequencies: int) -> np.ndarray:
    """Draw amplitudes (2 n_frequencies, n_sequences, n_in), those of the cosines, then those of the sines.

    They are normal with variance `1 / n_frequencies`, which makes a process of unit variance.
    """
    return rng.normal(0.0, n_frequencies**-0.5, (2 * n_frequencies, n_sequences, n_in))


def evaluate(amplitudes: np.ndarray, frequencies: np.ndarray, times: np.ndarray) -> np.ndarray:
    """`u(t) = sum_r a_r cos(w_r t) + b_r sin(w_r t)` at `times` (n_times,): (n_times, n_sequences, n_in).

    Given the frequencies this is a Gaussian process with the covariance `mean_r cos(w_r (t - s))`, which tends to the
    Gaussian kernel as frequencies are added (Rahimi & Recht 2007, Random features for large-scale kernel machines,
    section 3). No time grid is involved, so that an integrator may ask for any instant.
    """
    phases = np.outer(times, frequencies)
    features = np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
    # Unlike a product by BLAS, this gives the same bits whatever the number of threads.
    return np.einsum("tf,fsi->tsi", features, amplitudes)
