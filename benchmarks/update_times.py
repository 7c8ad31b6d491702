"""How long one update takes: all programs on the same work, in turn, on one core.

`python -m benchmarks.update_times [--work TEXT] [--programs TEXT] [--rounds 7]` prints a table for each work.
"""

import argparse
import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.processes import Process, ProgramError
from benchmarks.programs import PROGRAMS, RNNLAB, Program
from benchmarks.work import Work, write

POST = Work(20, activation="sigmoid", n_minibatches=1000)
POST_TANH = Work(20, n_minibatches=1000)  # the same with the units that PyTorch's `nn.RNN` has
MIDDLE = Work(100, batch_size=128)
LARGE = Work(256, batch_size=128)
WORKS = (
    POST,
    *(Work(n_hidden, n_minibatches=1000) for n_hidden in (10, 20, 50, 100)),
    Work(20, n_steps=100, n_minibatches=200),
    Work(20, n_steps=1000, n_minibatches=40),
    *(Work(n_hidden, batch_size=batch_size) for batch_size in (32, 128) for n_hidden in (50, 100)),
    Work(256, batch_size=32),
    LARGE,
    Work(20, cell="lstm", n_minibatches=1000),
    Work(100, cell="lstm", batch_size=128),
)
SECONDS_A_TURN = 0.15
TOLERANCE = 1e-3  # of the mean loss; float32 gives about 1e-5 after 200 updates


@dataclass(frozen=True)
class Row:
    """What was measured of one program on one work.

    microseconds: of one update, in each round
    deviation:    the largest difference of its first losses from rnnlab's, as a part of the mean loss; None: no losses
    megabytes:    the peak of the process's memory
    """

    work: str
    program: str
    version: str
    microseconds: list[float]
    deviation: float | None
    megabytes: float | None

    @property
    def median(self) -> float:
        """Microseconds of one update."""
        return float(np.median(self.microseconds))


def measure(work: Work, programs: Iterable[Program], n_rounds: int, seconds_a_turn: float, cache: Path) -> list[Row]:
    """Time the programs in turn, each in a process that stays; the first one is rnnlab.

    Raises ProgramError if a program fails, or if its losses are not rnnlab's.
    """
    programs = [program for program in programs if program.installed and program.does(work)]
    with tempfile.TemporaryDirectory(prefix="rnnlab-bench-") as folder, contextlib.ExitStack() as stack:
        work_file = Path(folder, "work.npz")
        write(work, work_file)

        started = start([(program, work_file, cache / program.module) for program in programs], stack)
        deviations = check([(process.program.name, losses) for process, losses in started])
        processes = [process for process, _ in started]
        times = take_turns(processes, [work.n_minibatches] * len(processes), n_rounds, seconds_a_turn)
        return [
            Row(work.name, process.program.name, process.version, time, deviation, process.megabytes)
            for process, time, deviation in zip(processes, times, deviations, strict=True)
        ]


def start(
    programs: Sequence[tuple[Program, Path, Path]], stack: contextlib.ExitStack
) -> list[tuple[Process, list[float] | None]]:
    """Start programs, each with its file of work and its cache, as many at a time as there are cores.

    Returns their processes, which end with the stack, and their first losses.
    """
    cores = sorted(os.sched_getaffinity(0))

    def one(program: tuple[Program, Path, Path], core: int) -> tuple[Process, list[float] | None]:
        process = Process(*program[:2], core, program[2])
        stack.callback(process.close)
        process.wait_for_first()
        return process, process.wait_for_losses()

    with ThreadPoolExecutor(len(cores)) as pool:
        return list(pool.map(one, programs, itertools.cycle(cores)))


def check(losses: Sequence[tuple[str, list[float] | None]]) -> list[float | None]:
    """The largest difference of each program's losses from those of the first one, as a part of their mean.

    Raises ProgramError where it is more than rounding can make it.
    """
    _, reference = losses[0]
    deviations: list[float | None] = []
    for name, own in losses:
        deviations.append(
            None if own is None else float(np.abs(np.subtract(own, reference)).max() / np.mean(reference))
        )
        if deviations[-1] is not None and not deviations[-1] <= TOLERANCE:
            raise ProgramError(
                f"{name} computes something else: its losses differ by {deviations[-1]:.2g} of their mean"
            )
    return deviations


def take_turns(
    processes: Sequence[Process], n_updates: Sequence[int], n_rounds: int, seconds_a_turn: float
) -> list[list[float]]:
    """Microseconds of an update, for each process in each round; in a round each has one turn on the same core.

    n_updates: in an epoch of each process
    """
    core = max(os.sched_getaffinity(0))
    for process in processes:
        process.move_to(core)
    n_epochs = [max(1, round(seconds_a_turn / process.seconds(1))) for process in processes]
    times: list[list[float]] = [[] for _ in processes]
    for _ in range(n_rounds):
        for process, n, in_epoch, own in zip(processes, n_epochs, n_updates, times, strict=True):
            own.append(1e6 * process.seconds(n) / (n * in_epoch))
    return times


def table(rows: Sequence[Row]) -> str:
    """The rows of one work as text."""
    lines = [f"{rows[0].work:40} {'us/update':>10} {'quartiles':>19} {'ratio':>7} {'MB':>5} {'deviation':>10}"]
    for row in rows:
        low, high = np.quantile(row.microseconds, [0.25, 0.75])
        lines.append(
            f"  {row.program:38} {row.median:10.2f} {low:9.2f} {high:9.2f} {row.median / rows[0].median:7.2f} "
            f"{row.megabytes or np.nan:5.0f} {row.deviation if row.deviation is not None else np.nan:10.1e}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", default="", help="only works with this in their names, such as 'H=20, T=10,'")
    parser.add_argument(
        "--programs", default="", help="only rnnlab and programs with one of these comma-separated names"
    )
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    words = arguments.programs.split(",")
    programs = [p for p in PROGRAMS if p is RNNLAB or any(word in f"{p.name} {p.module}" for word in words)]
    with tempfile.TemporaryDirectory(prefix="rnnlab-bench-") as cache:
        for work in WORKS:
            if arguments.work in work.name:
                print(table(measure(work, programs, arguments.rounds, SECONDS_A_TURN, Path(cache))), flush=True)


if __name__ == "__main__":
    main()
