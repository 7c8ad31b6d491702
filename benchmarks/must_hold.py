"""What rnnlab promises of its speed, each with the number that was measured for it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.measured import Measured
from benchmarks.programs import (
    JAX_EPOCH,
    JAX_TUNED,
    JAX_UPDATE,
    MATRIX_PRODUCTS,
    PLAIN_C,
    RNNLAB,
    THEANO,
    TORCH,
    Program,
)
from benchmarks.sweeps import MLFLOW, RNNLAB_SWEEP, TRAININGS
from benchmarks.update_times import LARGE, MIDDLE, POST, POST_TANH
from benchmarks.work import Work

LINEAR = 1.1  # a slope up to this counts as linear: neither machine nor fit is exact


@dataclass(frozen=True)
class Statement:
    """A promise, the number found, and whether it holds; None where something that it needs was not measured."""

    promise: str
    found: str
    holds: bool | None


def statements(measured: Measured) -> list[Statement]:
    """All of them."""
    return [
        *_at_the_post(measured),
        *_at_large_sizes(measured),
        *_growth(measured),
        *_starts(measured),
        *_tracking(measured),
    ]


def _times_faster(measured: Measured, work: Work, program: Program) -> float | None:
    own, other = (measured.row(work.name, name) for name in (RNNLAB.name, program.name))
    return None if own is None or other is None else other.median / own.median


def _at_least(promise: str, factor: float | None, bound: float) -> Statement:
    if factor is None:
        return Statement(promise, "not measured", None)
    return Statement(promise, f"{factor:.2f} times", factor >= bound)


def _below(promise: str, value: float | None, bound: float, unit: str) -> Statement:
    if value is None:
        return Statement(promise, "not measured", None)
    return Statement(promise, f"{value:.3g} {unit}", value < bound)


def _at_the_post(measured: Measured) -> Iterator[Statement]:
    where = "The post's network (H=20, T=10, batch 1): "
    yield _at_least(
        where + "at least 20 times faster than the post's program on Theano 1.0.5",
        _times_faster(measured, POST, THEANO),
        20,
    )
    eager = [_times_faster(measured, work, TORCH) for work in (POST, POST_TANH)]
    slowest = min((factor for factor in eager if factor is not None), default=None)
    yield _at_least(
        where + "at least 60 times faster than PyTorch eager, with sigmoid units and with `nn.RNN`'s tanh units",
        slowest,
        60,
    )
    for program in (JAX_EPOCH, JAX_TUNED):
        yield _at_least(where + f"no slower than {program.name}", _times_faster(measured, POST, program), 1)
    faster = _times_faster(measured, POST, PLAIN_C)
    yield _below(where + "within 3 times of plain C", None if faster is None else 1 / faster, 3, "times its time")


def _at_large_sizes(measured: Measured) -> Iterator[Statement]:
    for program, bound, words in (
        (JAX_EPOCH, 1, "no slower than"),
        (JAX_UPDATE, 1, "no slower than"),
        (TORCH, 1.5, "at least 1.5 times faster than"),
    ):
        factor = _times_faster(measured, MIDDLE, program)
        yield _at_least(f"H=100, T=10, batch 128: {words} {program.name}", factor, bound)
    promise = "H=256, T=10, batch 128: at least 80% of the machine's matrix-product rate"
    rate = _times_faster(measured, LARGE, MATRIX_PRODUCTS)
    yield Statement(promise, "not measured" if rate is None else f"{rate:.0%}", None if rate is None else rate >= 0.8)


def _growth(measured: Measured) -> Iterator[Statement]:
    for growth in measured.growth:
        if growth.program == RNNLAB.name:
            found = f"slope {growth.last_slope:.2f} from {growth.x[-2]:,} to {growth.x[-1]:,}"
            promise = f"Time grows linearly in the number of {growth.x_name}"
            yield Statement(promise, found, growth.last_slope <= LINEAR)
            found = f"slope {growth.memory_slope:.2f} at {growth.megabytes[-1]:.0f} MB"
            yield Statement("... and memory no faster", found, growth.memory_slope <= LINEAR)


def _starts(measured: Measured) -> Iterator[Statement]:
    for first in measured.first:
        if first.program == RNNLAB.name:
            for words, seconds, bound in (("an empty", first.cold, 3), ("a warm", first.warm, 2)):
                promise = f"First update of a new process ({first.work}) in under {bound} s with {words} cache"
                yield _below(promise, float(np.median(seconds)), bound, "s")
    helped = measured.starts.get("rnnlab --help")
    yield _below("`rnnlab --help` in under 0.3 s", float(np.median(helped)) if helped else None, 0.3, "s")


def _tracking(measured: Measured) -> Iterator[Statement]:
    for place, times in measured.tracked.items():
        if place != "unrecorded":
            promise = f"A run recorded in {place} takes under 40 ms beyond the run itself"
            yield _below(promise, float(np.median(times)), 40, "ms")
    for training in TRAININGS:
        sweeps = {sweep.name: sweep for sweep in measured.sweeps if sweep.training == training.name}
        own, mlflow = sweeps.get(RNNLAB_SWEEP), sweeps.get(MLFLOW)
        if own is not None:
            rate = len(own.ends) / own.seconds
            promise = (
                f"A sweep of {len(own.ends)} runs of 2,000 updates ({training.name}): at least 15 runs/s, start and "
                "compilation included"
            )
            yield Statement(promise, f"{rate:.1f} runs/s", rate >= 15)
            yield _at_least(
                "... at least 5 times the rate of PyTorch processes with MLflow",
                own.sustained / mlflow.sustained if mlflow else None,
                5,
            )
