"""A network of damped, driven, coupled Duffing oscillators, and its integration by the Runge-Kutta method."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Oscillators:
    """The constants of n oscillators with positions x and velocities v:

        dx/dt = v
        dv/dt = -damping v - x stiffness - cubic x^3 + u drive

    stiffness: (n, n) symmetric: the squared natural frequencies, and the springs between the oscillators
    damping:   (n,), cubic: (n,), drive: (n_in, n)

    Each oscillator alone is Duffing's with a hardening spring (G. Duffing 1918, Erzwungene Schwingungen bei
    veraenderlicher Eigenfrequenz; I. Kovacic & M. J. Brennan 2011, The Duffing Equation, chapter 2): its frequency
    grows with its amplitude, so that responses to two inputs do not add up.
    """

    stiffness: np.ndarray
    damping: np.ndarray
    cubic: np.ndarray
    drive: np.ndarray


def draw_oscillators(
    rng: np.random.Generator, n_oscillators: int, n_in: int, damping: float, coupling: float, nonlinearity: float
) -> Oscillators:
    """Draw the constants of a network.

    Squared natural frequencies are uniform on (0.5, 1.5), which puts the frequencies around 1 and so sets the unit of
    time; damping rates lie within a quarter of `damping`. Each pair is joined by a spring of a strength uniform on
    (0, 2 coupling / n_oscillators), which pulls with `-strength (x_i - x_j)`. `nonlinearity` is the coefficient of the
    cubic term. The drive's weights are normal with variance `1 / n_in`.
    """
    squared_frequencies = rng.uniform(0.5, 1.5, n_oscillators)
    rates = damping * rng.uniform(0.75, 1.25, n_oscillators)
    springs = np.triu(rng.uniform(0.0, 2.0 * coupling / n_oscillators, (n_oscillators, n_oscillators)), 1)
    springs += springs.T
    return Oscillators(
        stiffness=np.diag(squared_frequencies + springs.sum(axis=1)) - springs,
        damping=rates,
        cubic=np.full(n_oscillators, nonlinearity),
        drive=rng.normal(0.0, n_in**-0.5, (n_in, n_oscillators)),
    )


def energy(oscillators: Oscillators, positions: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """`v v / 2 + x stiffness x / 2 + sum(cubic x^4) / 4`: (..., n) -> (...).

    Without a drive it changes at the rate `-sum(damping v^2)`.
    """
    linear = np.einsum("...i,ij,...j->...", positions, oscillators.stiffness, positions)
    quartic = (oscillators.cubic * positions**4).sum(axis=-1)
    return (velocities**2).sum(axis=-1) / 2 + linear / 2 + quartic / 4


def simulate(
    oscillators: Oscillators,
    positions: np.ndarray,
    velocities: np.ndarray,
    inputs: np.ndarray,
    dt: float,
    substeps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Integrate by the classical fourth-order Runge-Kutta method (W. Kutta 1901), many sequences at once.

    positions, velocities: (n_sequences, n) at time 0
    inputs:   (2 substeps n_steps + 1, n_sequences, n_in), at the times 0, h / 2, h, ... with `h = dt / substeps`
    dt:       time from one step to the next
    substeps: Runge-Kutta steps, each of length h, in between

    Returns positions and velocities at the times dt, 2 dt, ...: (n_steps, n_sequences, n) each.
    """
    forces = inputs @ oscillators.drive
    h = dt / substeps
    x, v = positions, velocities
    kept_x, kept_v = [], []

    def acceleration(x: np.ndarray, v: np.ndarray, force: np.ndarray) -> np.ndarray:
        return force - v * oscillators.damping - x @ oscillators.stiffness - x * x * x * oscillators.cubic

    for i in range(0, len(forces) - 1, 2):
        start, middle, end = forces[i], forces[i + 1], forces[i + 2]
        a1 = acceleration(x, v, start)
        v2 = v + h / 2 * a1
        a2 = acceleration(x + h / 2 * v, v2, middle)
        v3 = v + h / 2 * a2
        a3 = acceleration(x + h / 2 * v2, v3, middle)
        v4 = v + h * a3
        a4 = acceleration(x + h * v3, v4, end)
        x = x + h / 6 * (v + 2 * v2 + 2 * v3 + v4)
        v = v + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        if (i // 2 + 1) % substeps == 0:
            kept_x.append(x)
            kept_v.append(v)
    return np.stack(kept_x), np.stack(kept_v)
