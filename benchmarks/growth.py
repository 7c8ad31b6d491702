"""How time and memory grow with the number of steps and of sequences: slopes on log-log axes."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.programs import JAX_EPOCH, RNNLAB
from benchmarks.update_times import start, take_turns
from benchmarks.work import Work, write

PROGRAMS = (RNNLAB, JAX_EPOCH)


@dataclass(frozen=True)
class Growth:
    """What one program's cost is for each value of x.

    milliseconds: of one update where x is the number of steps, of one epoch where it is the number of sequences
    megabytes:    the peak of the process's memory
    """

    x_name: str
    program: str
    x: list[int]
    milliseconds: list[float]
    megabytes: list[float]

    @property
    def last_slope(self) -> float:
        """The slope of log time over log x between the last two values: 1 where cost is proportional to x."""
        return float(np.diff(np.log(self.milliseconds[-2:]))[0] / np.diff(np.log(self.x[-2:]))[0])

    @property
    def memory_slope(self) -> float:
        """The same of memory."""
        return float(np.diff(np.log(self.megabytes[-2:]))[0] / np.diff(np.log(self.x[-2:]))[0])


def with_steps(steps: Sequence[int], n_rounds: int, seconds_a_turn: float) -> list[Growth]:
    """An update of 50 units at batch size 20 for each number of steps."""
    works = [Work(50, n_steps=n, batch_size=20, n_minibatches=20) for n in steps]
    return _measure("steps", steps, works, [work.n_minibatches for work in works], n_rounds, seconds_a_turn)


def with_sequences(numbers: Sequence[int], n_rounds: int, seconds_a_turn: float) -> list[Growth]:
    """An epoch of 20 units, 10 steps and batch size 20 over each number of sequences."""
    works = [Work(20, batch_size=20, n_minibatches=n // 20) for n in numbers]
    return _measure("sequences", numbers, works, [1] * len(works), n_rounds, seconds_a_turn)


def _measure(
    x_name: str,
    x: Sequence[int],
    works: Sequence[Work],
    parts: Sequence[int],
    n_rounds: int,
    seconds_a_turn: float,
) -> list[Growth]:
    """Milliseconds of an epoch's `parts`, for every program and work in turn."""
    measured = []
    with tempfile.TemporaryDirectory(prefix="rnnlab-bench-") as folder:
        files = [Path(folder, f"{n}.npz") for n in x]
        for work, file in zip(works, files, strict=True):
            write(work, file)
        for program in PROGRAMS:
            with contextlib.ExitStack() as stack:
                started = start([(program, file, Path(folder, "cache")) for file in files], stack)
                processes = [process for process, _ in started]
                times = take_turns(processes, [1] * len(works), n_rounds, seconds_a_turn)
            milliseconds = [float(np.median(own)) / 1000 / n for own, n in zip(times, parts, strict=True)]
            megabytes = [process.megabytes or np.nan for process in processes]
            measured.append(Growth(x_name, program.name, list(x), milliseconds, megabytes))
    return measured
