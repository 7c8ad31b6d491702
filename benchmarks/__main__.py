"""`make bench`: measure everything, and write results.md and its pictures.

`--quick` measures a little of everything in a minute or two; `--redraw` writes the report of the last measurement anew.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import first_update, growth, machine, pictures, report, start_times, sweeps, update_times
from benchmarks.measured import Measured, load
from benchmarks.programs import (
    BENCH_PYTHON,
    JAX_EPOCH,
    MATRIX_PRODUCTS,
    PROGRAMS,
    RNNLAB,
    ROOT,
    THEANO,
    THEANO_PYTHON,
)
from benchmarks.update_times import MIDDLE, POST, POST_TANH, WORKS
from benchmarks.work import Work

FOLDER = ROOT / "benchmarks"
KEPT = FOLDER / "measured.json"


@dataclass(frozen=True)
class Size:
    """How much is measured; `sweep_runs` are rnnlab's, for each of the trainings."""

    works: tuple[Work, ...]
    rounds: int
    seconds_a_turn: float
    steps: tuple[int, ...]
    sequences: tuple[int, ...]
    first_rounds: int
    post_epochs: int
    start_rounds: int
    tracked_runs: int
    sweep_runs: tuple[int, int]
    peer_runs: int
    listed_runs: tuple[int, ...]


FULL = Size(
    WORKS, 5, 0.1, (10, 30, 100, 300, 1000), (1000, 10_000, 100_000), 2, 100, 5, 15, (500, 100), 4, (1000, 5000)
)
QUICK = Size((POST, POST_TANH, MIDDLE), 3, 0.05, (10, 100), (1000, 10_000), 1, 20, 3, 5, (30, 30), 4, (200,))


def measure(size: Size) -> Measured:
    """All parts in turn."""
    measured = Measured(machine=machine.describe())

    def part(name: str, do: Callable[[], None]) -> None:
        print(f"{name} ...", end=" ", flush=True)
        started = time.perf_counter()
        do()
        measured.minutes[name] = (time.perf_counter() - started) / 60
        print(f"{60 * measured.minutes[name]:.0f} s", flush=True)

    with tempfile.TemporaryDirectory(prefix="rnnlab-bench-") as folder, mongo(Path(folder)) as address:
        part("the same sweeps three ways", lambda: measured.sweeps.extend(_sweeps(size)))
        part("growth", lambda: measured.growth.extend(_growth(size)))
        part("first updates", lambda: measured.first.extend(_first_updates(size, Path(folder))))
        for work in size.works:
            part(work.name, lambda work=work: measured.updates.extend(_updates(work, size, Path(folder))))
        part("the post's run", lambda: measured.post_run.extend(_printed("post_run", size.post_epochs, 4)))
        part("starts", lambda: measured.starts.update(start_times.measure(folder, size.start_rounds)))
        part("tracked runs", lambda: measured.tracked.update(_tracked(size, Path(folder), address)))
        part("stores and checkpoints", lambda: measured.listings.update(_listings(size, address)))
    measured.machine["load after"] = machine.load()
    return measured


def _updates(work: Work, size: Size, folder: Path) -> list[update_times.Row]:
    return update_times.measure(work, PROGRAMS, size.rounds, size.seconds_a_turn, folder)


def _first_updates(size: Size, caches: Path) -> list[first_update.FirstUpdate]:
    own = [RNNLAB, JAX_EPOCH]
    others = [program for program in PROGRAMS if program not in (*own, MATRIX_PRODUCTS, THEANO)]
    found = first_update.measure(POST, own, size.first_rounds, caches)
    if size.works == WORKS:
        found += first_update.measure_at_once(POST, (others, [THEANO]), caches)
        found += first_update.measure(MIDDLE, own, size.first_rounds, caches)
    return found


def _growth(size: Size) -> list[growth.Growth]:
    n_rounds = 2 * size.rounds  # a slope has the noise of both its ends
    return [
        *growth.with_steps(size.steps, n_rounds, size.seconds_a_turn),
        *growth.with_sequences(size.sequences, n_rounds, size.seconds_a_turn),
    ]


def _sweeps(size: Size) -> list[sweeps.Sweep]:
    names = [name for name in sweeps.WAYS if name == sweeps.RNNLAB_SWEEP or BENCH_PYTHON.exists()]
    return [
        sweeps.measure(name, training, n_runs if name == sweeps.RNNLAB_SWEEP else size.peer_runs)
        for training, n_runs in zip(sweeps.TRAININGS, size.sweep_runs, strict=True)
        for name in names
    ]


def _tracked(size: Size, folder: Path, address: str | None) -> dict[str, list[float]]:
    """Milliseconds by the place of the record, in words."""
    places = {"": "unrecorded", str(folder / "runs"): "files"}
    (folder / "runs").mkdir()
    if address is not None:
        places[f"{address}/tracked"] = "MongoDB"
    times = _printed("tracked_runs", size.tracked_runs, *filter(None, places))
    return {places[place]: own for place, own in times.items()}


def _listings(size: Size, address: str | None) -> dict[str, str]:
    """What the programs about stores and checkpoints print, by their command lines."""
    commands = [("store_listing.py", "--runs", str(n)) for n in size.listed_runs]
    printed = {}
    for script, *arguments in [*commands, ("checkpoint_cost.py",)]:
        with_mongo = ["--mongo", f"{address}/listing"] if address and script == "store_listing.py" else []
        command = [sys.executable, FOLDER / script, *arguments, *with_mongo]
        output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        printed[" ".join(["python", f"benchmarks/{script}", *arguments])] = output
    return printed


def _printed(module: str, *arguments: object) -> list | dict:
    """The JSON that a module of this folder prints, run in a process of its own on one core."""
    command = ["taskset", "--cpu-list", "0", sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def mongo(folder: Path) -> Iterator[str | None]:
    """The address of a MongoDB server of one's own, as for the tests; None where there is no server program."""
    from tests.mongod import NoServerError, Server

    try:
        server = Server(folder / "mongod")
    except NoServerError as problem:
        print(f"MongoDB is left out: {problem}")
        yield None
        return
    try:
        yield server.address
    finally:
        server.stop()


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a little of everything; written to results/benchmarks/")
    parser.add_argument("--redraw", action="store_true", help="do not measure; use the last full measurement")
    arguments = parser.parse_args()
    folder = ROOT / "results" / "benchmarks" if arguments.quick else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for python, what in ((BENCH_PYTHON, "PyTorch, MLflow and Hydra"), (THEANO_PYTHON, "Theano")):
        if not python.exists():
            print(f"{what}: absent, there is no {python.relative_to(ROOT)}")
    if arguments.redraw:
        measured = load(KEPT)
    else:
        measured = measure(QUICK if arguments.quick else FULL)
        measured.save(folder / KEPT.name)
    report.write(measured, pictures.draw_all(measured, folder / "pictures"), folder / "results.md")
    print(f"written: {(folder / 'results.md').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
