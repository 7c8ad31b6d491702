"""The same sweep, over seeds, three ways: `rnnlab sweep`, PyTorch processes with MLflow, Hydra's multirun with joblib.

Each run makes 2,000 updates of 10 hidden units in minibatches of 20, with a validation after every 50. All use two
processes at a time and record into files. `python -m benchmarks.sweeps [--runs 500]`
"""

import argparse
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
N_EPOCHS = 40  # of 50 updates
SETTINGS = (
    *("model.n_hidden=10", "data.n_train=1000", "training.batch_size=20", f"training.max_epochs={N_EPOCHS}"),
    *("data.n_valid=200", "data.n_test=200", "early_stopping.rule=none"),
)


@dataclass(frozen=True)
class Sweep:
    """One way: seconds in all, when each run ended (seconds since the start), and the peak memory of all processes.

    Memory is the sum of resident sets, in megabytes; pages that processes share count for each.
    """

    name: str
    seconds: float
    ends: list[float]
    megabytes: float

    @property
    def sustained(self) -> float:
        """Runs a second between the first runs' end, one of each worker, and the last run's."""
        ends = sorted(self.ends)
        return (len(ends) - N_WORKERS) / (ends[-1] - ends[N_WORKERS - 1])


def with_rnnlab(n_runs: int, folder: Path) -> tuple[list[list], Callable[[], list[float]]]:
    """`rnnlab sweep` over seeds."""
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    script = ROOT / "experiments" / "dot_product.py"
    command = [sys.executable, "-m", "rnnlab", "sweep", script, *settings, "--seeds", str(n_runs)]

    def ends() -> list[float]:
        return [record.stop_time.timestamp() for record in open_store(folder).find(status="COMPLETED")]

    return [[*command, "--workers", str(N_WORKERS), "--store", folder]], ends


def with_mlflow(n_runs: int, folder: Path) -> tuple[list[list], Callable[[], list[float]]]:
    """A process for each run, in an experiment that is there before the clock starts."""
    program = [BENCH_PYTHON, PEERS / "mlflow_run.py", folder]
    _run(program)
    commands = [[*program, str(seed), str(N_EPOCHS)] for seed in range(n_runs)]
    return commands, lambda: [path.stat().st_mtime for path in folder.glob("*/*/artifacts/weights.pt")]


def with_hydra(n_runs: int, folder: Path) -> tuple[list[list], Callable[[], list[float]]]:
    """One command; joblib keeps the worker processes."""
    seeds = ",".join(map(str, range(n_runs)))
    launcher = ("hydra/launcher=joblib", f"hydra.launcher.n_jobs={N_WORKERS}", f"hydra.sweep.dir={folder}")
    command = [BENCH_PYTHON, PEERS / "hydra_run.py", "--multirun", *launcher, f"seed={seeds}", f"n_epochs={N_EPOCHS}"]
    return [command], lambda: [path.stat().st_mtime for path in folder.glob("*/result.json")]


WAYS = {"rnnlab sweep": with_rnnlab, "PyTorch processes, MLflow": with_mlflow, "PyTorch, Hydra with joblib": with_hydra}


def measure(name: str, n_runs: int) -> Sweep:
    """Sweep into a temporary folder. Raises RuntimeError if a command fails or a run is missing."""
    with tempfile.TemporaryDirectory(prefix="rnnlab-bench-") as folder, _Memory() as memory:
        commands, ends = WAYS[name](n_runs, Path(folder))
        began, started = time.time(), time.perf_counter()
        with ThreadPoolExecutor(N_WORKERS) as pool:
            list(pool.map(_run, commands))
        seconds = time.perf_counter() - started
        relative = [end - began for end in ends()]
    if len(relative) != n_runs:
        raise RuntimeError(f"{name}: {len(relative)} of {n_runs} runs were recorded")
    return Sweep(name, seconds, relative, memory.peak)


def _run(command: list) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
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
    for name in WAYS:
        sweep = measure(name, arguments.runs if name == "rnnlab sweep" else arguments.peer_runs)
        print(
            f"{name:30} {len(sweep.ends):4} runs in {sweep.seconds:6.1f} s: {len(sweep.ends) / sweep.seconds:6.2f} "
            f"runs/s, {sweep.sustained:6.2f} sustained, {sweep.megabytes:5.0f} MB"
        )


if __name__ == "__main__":
    main()
