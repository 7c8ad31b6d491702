"""Noisy series: from an input series and an observed initial condition, predict what a driven nonlinear system does."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.random_streams import stream
from rnnlab.tasks.arguments import check_number, check_whole
from rnnlab.tasks.lengths import draw_lengths
from rnnlab.tasks.oscillators import Oscillators, draw_oscillators, simulate
from rnnlab.tasks.sequences import Sequences
from rnnlab.tasks.smooth_inputs import draw_amplitudes, draw_frequencies, evaluate

N_FREQUENCIES = 64  # Fourier features of the inputs
LONGEST_SUBSTEP = 0.125  # in the system's time, where a natural period is about 6
SETTLING = 5.0  # energy decays by exp(-5) before time 0
CALIBRATION_SEQUENCES, CALIBRATION_TIME = 512, 50.0
MOST_SUBSTEPS = 50_000
BLOCK_SIZE = 2**20  # sequences times instants integrated at once, which bounds the memory


def noisy_series(
    rng: np.random.Generator,
    n_sequences: int,
    *,
    n_steps: Any = 50,
    n_in: int = 2,
    n_out: int = 16,
    noise_std: float = 0.3,
    n_oscillators: int = 4,
    damping: float = 0.3,
    coupling: float = 0.5,
    nonlinearity: float = 2.0,
    input_timescale: float = 1.5,
    dt: float = 0.5,
    system_seed: int = 0,
) -> Sequences:
    """Draw input series, run a network of Duffing oscillators on them, and observe it with white noise at every step.

    n_steps:         observed steps of each sequence, or a range (low, high), both included, to draw each length from
    n_in, n_out:     input series, and observed outputs: a fixed random mixture of positions and velocities
    noise_std:       white noise on the outputs and on the initial condition, in units of their standard deviation
    n_oscillators:   size of the network; its state has twice as many numbers
    damping:         mean damping rate: free motion decays as exp(-damping t / 2)
    coupling:        strength of the springs between the oscillators
    nonlinearity:    coefficient of the cubic restoring force; 0 makes the system linear
    input_timescale: correlation time of the inputs, which are Gaussian, smooth and of unit variance
    dt:              time between steps; natural frequencies are around 1, so that a period is about 6 / dt steps
    system_seed:     draws the system, apart from `rng`, so that all splits share it

    The system is at work long before time 0, when its state is observed; all outputs have unit variance at all times.

    inputs (n_sequences, n_steps, n_in): the input series at the times dt, 2 dt, ...
    initial (n_sequences, 2 n_oscillators): positions and velocities at time 0, each in units of its standard deviation,
        with noise
    targets (n_sequences, n_steps, n_out): the outputs at the times of the inputs, with noise; `clean_targets` without.
        No prediction of the targets can have a mean squared error below `noise_std^2`.

    See `oscillators.Oscillators` for the equations and their source. Raises RnnlabError for an argument out of range.
    """
    for name, count in (
        ("n_sequences", n_sequences),
        ("n_in", n_in),
        ("n_out", n_out),
        ("n_oscillators", n_oscillators),
    ):
        check_whole(name, count, 1)
    for name, value in (("noise_std", noise_std), ("coupling", coupling), ("nonlinearity", nonlinearity)):
        check_number(name, value, 0.0)
    for name, value in (("damping", damping), ("input_timescale", input_timescale), ("dt", dt)):
        check_number(name, value, 0.0, open_minimum=True)
    check_whole("system_seed", system_seed, 0)
    system = make_system(n_in, n_out, n_oscillators, damping, coupling, nonlinearity, input_timescale, dt, system_seed)
    lengths = draw_lengths(rng, n_sequences, n_steps)
    amplitudes = draw_amplitudes(rng, n_sequences, n_in, N_FREQUENCIES)
    inputs, initial, states = run_system(system, amplitudes, lengths.n_steps)
    clean = states @ system.mixing
    targets = clean + rng.normal(0.0, noise_std, clean.shape)
    if lengths.mask is not None:
        for array in (inputs, clean, targets):
            array[~lengths.mask] = 0.0
    return Sequences(
        inputs=inputs,
        targets=targets,
        mask=lengths.mask,
        initial=initial + rng.normal(0.0, noise_std, initial.shape),
        clean_targets=clean,
    )


@dataclass(frozen=True, eq=False)
class System:
    """A network with all that is the same in every split.

    frequencies: (n_frequencies,) of the inputs
    state_std:   (2 n_oscillators,) of positions, then velocities, in the driven system
    mixing:      (2 n_oscillators, n_out), from states in units of `state_std` to the outputs
    dt:          time between steps; settling: time from rest until time 0
    """

    oscillators: Oscillators
    frequencies: np.ndarray
    state_std: np.ndarray
    mixing: np.ndarray
    dt: float
    settling: float


@lru_cache(maxsize=32)
def make_system(
    n_in: int,
    n_out: int,
    n_oscillators: int,
    damping: float,
    coupling: float,
    nonlinearity: float,
    input_timescale: float,
    dt: float,
    system_seed: int,
) -> System:
    """Draw a system from its seed, and run it for a while to find the scale of its states and outputs.

    Arguments are those of `noisy_series`. Its parts have random streams of their own: another `n_out` is observed of
    the same network.
    """
    oscillators = draw_oscillators(
        stream(system_seed, "noisy_series.oscillators"), n_oscillators, n_in, damping, coupling, nonlinearity
    )
    frequencies = draw_frequencies(stream(system_seed, "noisy_series.inputs"), N_FREQUENCIES, input_timescale)
    mixing = stream(system_seed, "noisy_series.mixing").normal(size=(2 * n_oscillators, n_out))
    raw = System(oscillators, frequencies, np.ones(2 * n_oscillators), mixing, dt, SETTLING / damping)
    amplitudes = draw_amplitudes(
        stream(system_seed, "noisy_series.calibration"), CALIBRATION_SEQUENCES, n_in, N_FREQUENCIES
    )
    _, _, states = run_system(raw, amplitudes, int(np.ceil(CALIBRATION_TIME / dt)))
    state_std = states.std(axis=(0, 1))
    return replace(raw, state_std=state_std, mixing=mixing / (states / state_std @ mixing).std(axis=(0, 1)))


def run_system(system: System, amplitudes: np.ndarray, n_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drive a system with the inputs that have the given amplitudes, from rest at `-settling` to `n_steps dt`.

    amplitudes: (2 n_frequencies, n_sequences, n_in), of the inputs' Fourier features

    Returns the inputs (n_sequences, n_steps, n_in) at the times dt, 2 dt, ...; the states (n_sequences,
    2 n_oscillators) at time 0, positions, then velocities, in units of `system.state_std`; and the states (n_sequences,
    n_steps, 2 n_oscillators) at the times of the inputs. Raises RnnlabError if the integration would take too many
    steps or is not stable.
    """
    substeps = int(np.ceil(system.dt / LONGEST_SUBSTEP))
    before = int(np.ceil(system.settling / system.dt))
    if (total := substeps * (before + n_steps)) > MOST_SUBSTEPS:
        raise RnnlabError(
            f"dt = {system.dt:g} and n_steps = {n_steps}, after a time of {system.settling:g} to settle (5 / damping), "
            f"need {total:,} integration steps: must be at most {MOST_SUBSTEPS:,}"
        )
    times = np.arange(2 * total + 1) * (system.dt / (2 * substeps)) - before * system.dt
    block = max(1, BLOCK_SIZE // len(times))
    inputs, states = [], []
    for start in range(0, amplitudes.shape[1], block):
        drive = evaluate(amplitudes[:, start : start + block], system.frequencies, times)
        rest = np.zeros((drive.shape[1], len(system.state_std) // 2))
        with np.errstate(over="ignore", invalid="ignore"):
            x, v = simulate(system.oscillators, rest, rest, drive, system.dt, substeps)
        inputs.append(drive[2 * substeps :: 2 * substeps][before:])
        states.append(np.concatenate([x, v], axis=2)[before - 1 :])
    all_states = np.concatenate(states, axis=1).swapaxes(0, 1) / system.state_std
    if not np.isfinite(all_states).all():
        raise RnnlabError("the system's integration diverged: coupling, nonlinearity and damping must be smaller")
    return np.concatenate(inputs, axis=1).swapaxes(0, 1).copy(), all_states[:, 0], all_states[:, 1:]
