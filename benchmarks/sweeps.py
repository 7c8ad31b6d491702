"""The same sweep, over seeds, three ways: `rnnlab sweep`, PyTorch processes with MLflow, Hydra's multirun with joblib.

Each run makes 2,000 updates with a validation after every 50, on the blog post's network or in minibatches. All use two
processes at a time and record into files. `python -m benchmarks.sweeps [--runs 500]`
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.programs import BENCH_PYTHON, ROOT
from rnnlab.store import open_store

PEERS = ROOT / "benchmarks" / "peers"
N_WORKERS = 2
N_UPDATES = 2000


@dataclass(frozen=True)
class Training:
    """What each run of a sweep trains: an Elman network of tanh units on 1,000 sequences of 10 steps."""

    name: str
    n_hidden: int
    batch_size: int
    optimizer: str
    learning_rate: float

    @property
    def n_epochs(self) -> int:
        """For N_UPDATES updates."""
        return N_UPDATES * self.batch_size // 1000

    def settings(self) -> tuple[str, ...]:
        """For rnnlab's experiment."""
        return (
            *(f"model.n_hidden={self.n_hidden}", "data.n_train=1000", "data.n_valid=200", "data.n_test=200"),
            *(f"training.batch_size={self.batch_size}", f"training.max_epochs={self.n_epochs}"),
            *(f"training.optimizer={self.optimizer}", f"training.learning_rate={self.learning_rate}"),
            *("training.validate_every=50", "early_stopping.rule=none"),
        )

    def words(self) -> tuple[str, ...]:
        """For PyTorch's programs, as `name=value`."""
        names = ("n_epochs", "n_hidden", "batch_size", "optimizer", "learning_rate")
        return tuple(f"{name}={getattr(self, name)}" for name in names)


POST_TRAINING = Training("20 units, batch 1, SGD", 20, 1, "sgd", 0.01)
TRAININGS = (POST_TRAINING, Training("10 units, batch 20, Adam", 10, 20, "adam", 0.005))


@dataclass(frozen=True)
class Sweep:
    """One way with one training: seconds in all, when each run ended (seconds since the start), and peak memory.

    Memory is the sum over all processes of resident sets, in megabytes; pages that processes share count for each.
    """

    name: str
    training: str
    seconds: float
    ends: list[float]
    megabytes: float

    @property
    def sustained(self) -> float:
        """Runs a second between the first runs' end, one of each worker, and the last run's."""
        ends = sorted(self.ends)
        return (len(ends) - N_WORKERS) / (ends[-1] - ends[N_WORKERS - 1])


def with_rnnlab(training: Training, n_runs: int, folder: Path) -> tuple[list[list], Callable[[], list[float]]]:
    """`rnnlab sweep` over seeds."""
    settings = [word for setting in training.settings() for word in ("--set", setting)]
    script = ROOT / "experiments" / "dot_product.py"
    command = [sys.executable, "-m", "rnnlab", "sweep", script, *settings, "--seeds", str(n_runs)]

    def ends() -> list[float]:
        return [record.stop_time.timestamp() for record in open_store(folder).find(status="COMPLETED")]

    return [[*command, "--workers", str(N_WORKERS), "--store", folder]], ends


def with_mlflow(training: Training, n_runs: int, folder: Path) -> tuple[list[list], Callable[[], list[float]]]:
    """A process for each run, in an experiment that is there before the clock starts."""
    program = [BENCH_PYTHON, PEERS / "mlflow_run.py", folder]
    _run(program)
    commands = [[*program, str(seed), *training.words()] for seed in range(n_runs)]
    return commands, lambda: [path.stat().st_mtime for path in folder.glob("*/*/artifacts/weights.pt")]


def with_hydra(training: Training, n_runs: int, folder: Path) -> tuple[list[list], Callable[[], list[float]]]:
    """One command; joblib keeps the worker processes."""
    seeds = ",".join(map(str, range(n_runs)))
    launcher = ("hydra/launcher=joblib", f"hydra.launcher.n_jobs={N_WORKERS}", f"hydra.sweep.dir={folder}")
    command = [BENCH_PYTHON, PEERS / "hydra_run.py", "--multirun", *launcher, f"seed={seeds}", *training.words()]
    return [command], lambda: [path.stat().st_mtime for path in folder.glob("*/result.json")]


RNNLAB_SWEEP = "rnnlab sweep"
MLFLOW = "PyTorch processes, MLflow"
WAYS = {RNNLAB_SWEEP: with_rnnlab, MLFLOW: with_mlflow, "PyTorch, Hydra with joblib": with_hydra}


def measure(name: str, training: Training, n_runs: int) -> Sweep:
    """Sweep into a temporary folder, with nothing compiled before.

    Raises RuntimeError if a command fails or a run is missing.
    """
    with tempfile.TemporaryDirectory(prefix="rnnlab-bench-") as folder, _Memory() as memory:
        store, cache = Path(folder, "store"), Path(folder, "cache")
        commands, ends = WAYS[name](training, n_runs, store)
        began, started = time.time(), time.perf_counter()
        with ThreadPoolExecutor(N_WORKERS) as pool:
            list(pool.map(lambda command: _run(command, RNNLAB_CACHE_DIR=str(cache)), commands))
        seconds = time.perf_counter() - started
        relative = [end - began for end in ends()]
    if len(relative) != n_runs:
        raise RuntimeError(f"{name}: {len(relative)} of {n_runs} runs were recorded")
    return Sweep(name, training.name, seconds, relative, memory.peak)


def _run(command: list, **environment: str) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr[-2000:]}")


class _Memory:
    """The peak of the resident sets of all this process's descendants, looked at five times a second, in megabytes."""

    def __enter__(self) -> "_Memory":
        self.peak, self._done = 0.0, threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max(self.peak, sum(map(_resident, psutil.Process().children(recursive=True))) / 2**20)


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0  # it has ended


def main() -> None:
    """Sweep each way and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--peer-runs", type=int, default=20)
    arguments = parser.parse_args()
    for training in TRAININGS:
        for name in WAYS:
            sweep = measure(name, training, arguments.runs if name == RNNLAB_SWEEP else arguments.peer_runs)
            print(
                f"{training.name}: {name:26} {len(sweep.ends):4} runs in {sweep.seconds:6.1f} s: "
                f"{len(sweep.ends) / sweep.seconds:6.2f} runs/s, {sweep.sustained:6.2f} sustained, "
                f"{sweep.megabytes:5.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
