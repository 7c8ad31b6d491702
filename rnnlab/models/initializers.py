"""Initial weights: NumPy functions `(rng, shape, scale, ...) -> array` for matrices of shape (fan_in, fan_out)."""

from collections.abc import Callable

import numpy as np

Shape = tuple[int, int]


def normal(rng: np.random.Generator, shape: Shape, scale: float) -> np.ndarray:
    """Independent draws from N(0, scale^2)."""
    return rng.normal(0.0, scale, shape)


def uniform(rng: np.random.Generator, shape: Shape, scale: float) -> np.ndarray:
    """Independent draws from the uniform distribution on (-scale, scale)."""
    return rng.uniform(-scale, scale, shape)


def glorot(rng: np.random.Generator, shape: Shape, scale: float) -> np.ndarray:
    """Uniform on (-a, a) with `a = scale sqrt(6 / (fan_in + fan_out))` (Glorot & Bengio 2010, eq. 16)."""
    return uniform(rng, shape, scale * np.sqrt(6.0 / sum(shape)))


def orthogonal(rng: np.random.Generator, shape: Shape, scale: float) -> np.ndarray:
    """`scale` times a random matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014)."""
    tall = rng.normal(size=(max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # makes the distribution uniform (Mezzadri 2007, section 5)
    return scale * (q if shape[0] >= shape[1] else q.T)


def sparse(rng: np.random.Generator, shape: Shape, scale: float, n_nonzero: int) -> np.ndarray:
    """Each unit gets `n_nonzero` incoming connections drawn from N(0, 1), the others are 0 (Martens 2010, section 5).

    The matrix is then rescaled: a square one to the spectral radius `scale` (Jaeger 2001), any other to the largest
    singular value `scale`. Every column holds `min(n_nonzero, fan_in)` non-zeros, hence a square matrix has a cycle
    of connections and its spectral radius is not 0.
    """
    fan_in, fan_out = shape
    weights = np.zeros(shape)
    for column in range(fan_out):
        rows = rng.choice(fan_in, size=min(n_nonzero, fan_in), replace=False)
        weights[rows, column] = rng.normal(size=len(rows))
    size = spectral_radius(weights) if fan_in == fan_out else np.linalg.norm(weights, 2)
    return weights * (scale / size)


def spectral_radius(weights: np.ndarray) -> float:
    """max |eigenvalue| of a square matrix."""
    return float(np.abs(np.linalg.eigvals(weights)).max())


INITIALIZERS: dict[str, Callable[..., np.ndarray]] = {
    "normal": normal,
    "uniform": uniform,
    "glorot": glorot,
    "orthogonal": orthogonal,
    "sparse": sparse,
}
