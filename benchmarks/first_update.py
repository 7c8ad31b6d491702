"""How long it takes from the start of a process to its first update, with an empty and with a warm compilation cache.

Each program may keep what it compiled in a folder: rnnlab, Theano and torch.compile their own, JAX its persistent
compilation cache (set to keep everything). A cold start finds it empty, a warm one finds what a process before it left.
For rnnlab this is the first compiled call of a whole run, validation included.
"""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Process
from benchmarks.programs import Program
from benchmarks.work import Work, write


@dataclass(frozen=True)
class FirstUpdate:
    """Seconds to the first update of one program on one work; `warm` is empty for a program that keeps nothing."""

    work: str
    program: str
    cold: list[float]
    warm: list[float]


def measure(work: Work, programs: Iterable[Program], n_rounds: int, caches: Path) -> list[FirstUpdate]:
    """Start each program in turn, one process at a time, on any core.

    The caches of the last round stay in a folder of `caches` by the program's module: what comes later need not compile
    the same again, which takes Theano more than a minute.
    """
    programs = [program for program in programs if program.installed and program.does(work)]
    found = [FirstUpdate(work.name, program.name, [], []) for program in programs]
    with tempfile.TemporaryDirectory(prefix="rnnlab-bench-") as folder:
        work_file = Path(folder, "work.npz")
        write(work, work_file)
        for _ in range(n_rounds):
            for program, own in zip(programs, found, strict=True):
                cache = caches / program.module
                shutil.rmtree(cache, ignore_errors=True)
                own.cold.append(_seconds(program, work_file, cache))
                if program.caches:
                    own.warm.append(_seconds(program, work_file, cache))
    return found


def measure_at_once(work: Work, groups: Sequence[Iterable[Program]], caches: Path) -> list[FirstUpdate]:
    """As `measure`, once, for several groups of programs at the same time: where some take minutes."""
    with ThreadPoolExecutor(len(groups)) as pool:
        found = pool.map(lambda programs: measure(work, programs, 1, caches), groups)
        return [each for group in found for each in group]


def _seconds(program: Program, work_file: Path, cache: Path) -> float:
    process = Process(program, work_file, None, cache)
    try:
        return process.wait_for_first()
    finally:
        process.close()
