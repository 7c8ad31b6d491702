"""What a MongoDB server that goes away costs a run: `python benchmarks/mongo_away.py [--seconds 20] [--rounds 1]`.

Starts two servers of its own on 127.0.0.1 and has two scripts train the same network at the same time, each recording
to one of them. One server is left alone. The other is, in the middle of the run, paused (SIGSTOP) for some seconds; or
killed, and started again after as many; or killed for good, to be started after the run's end, when the record is
completed by `rnnlab copy`. For each of these it prints

- the median time of an epoch while the server was there and while it was away, and their ratio; the same ratio of the
  run beside it, whose server was there all the time, tells how much the machine itself varied in these seconds,
- whether both records are the same, weights to the last bit.

The exit code is 1 if they are not. Two cores are needed for the times to mean anything.
"""

import argparse
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
from pymongo import MongoClient

from rnnlab.store import RunRecord, open_store

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "experiments" / "dot_product.py"
SETTINGS = ("model.n_hidden=100", "data.n_train=2000", "data.n_valid=200", "early_stopping.rule=none")
EPOCHS_TO_CALIBRATE = 50
FIRST_EPOCHS = 10
SLACK = 2.0  # the machine may be busier now than later, and a run must not end before its server is back
SECONDS_BEFORE, SECONDS_AFTER = 12, 18  # the first heartbeat comes after 10 s, and one in which the server is back


def load_mongod() -> Any:
    """`tests/mongod.py`, which knows where to find a server."""
    spec = importlib.util.spec_from_file_location("mongod", ROOT / "tests" / "mongod.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server:
    """A server that can be paused, killed, and started again with its data and its port."""

    def __init__(self, folder: Path):
        self._mongod = load_mongod()
        self._folder = folder / "data"
        self._folder.mkdir(parents=True)
        self._program = self._mongod.find_mongod(folder)
        self.port = self._mongod._free_port()
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [self._program, "--dbpath", self._folder, "--port", str(self.port), *self._mongod.SERVER_OPTIONS]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, **quiet, preexec_fn=self._mongod._end_with_parent)
        while not self._mongod._answers(self.port):
            if self._process.poll() is not None:
                sys.exit("mongod ends at once")
            time.sleep(0.02)

    def pause(self) -> None:
        """Stop it in its tracks."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after a pause."""
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it without warning."""
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Outcome:
    """A run: its record in the database, and the times of its epochs."""

    record: RunRecord
    ends: np.ndarray  # when each epoch was logged, as times of day
    seconds: np.ndarray  # what each epoch took

    def medians(self, away: tuple[float, float]) -> tuple[float, float]:
        """Median milliseconds of an epoch outside and inside a stretch of time."""
        inside = (self.ends > away[0]) & (self.ends <= away[1])
        return 1000 * float(np.median(self.seconds[~inside])), 1000 * float(np.median(self.seconds[inside]))


class Run:
    """A script that trains, in a process of its own, and records to a database of its own."""

    def __init__(self, folder: Path, server: Server, n_epochs: int):
        self._address = f"mongodb://127.0.0.1:{server.port}/{uuid.uuid4().hex}"
        self._spool = folder / "spool"
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "RNNLAB_SPOOL": str(self._spool)}
        command = [sys.executable, str(SCRIPT), "-m", self._address, "with", *SETTINGS]
        self._process = subprocess.Popen(
            [*command, f"training.max_epochs={n_epochs}"],
            cwd=folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_curves(self) -> None:
        """Wait until the points of some epochs are in the database."""
        with MongoClient(self._address) as client:
            metrics = client.get_default_database().metrics
            while metrics.find_one({f"values.{FIRST_EPOCHS}": {"$exists": True}}) is None:
                if self._process.poll() is not None:
                    sys.exit(f"the run has ended before its time:\n{self._process.communicate()[1]}")
                time.sleep(0.05)

    def finish(self, exit_code: int = 0) -> list[str]:
        """Wait for the end; what the run said on its way."""
        _, errors = self._process.communicate()
        if self._process.returncode != exit_code:
            sys.exit(f"the run ended with {self._process.returncode}, not {exit_code}:\n{errors}")
        return [line for line in errors.splitlines() if line.startswith(("WARNING", "error"))]

    def complete(self) -> None:
        """Copy the record from where it was kept while the server was away."""
        (spool,) = self._spool.iterdir()
        command = [sys.executable, "-m", "rnnlab", "copy", str(spool), self._address]
        subprocess.run(command, env=self._environment, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(spool)

    def outcome(self) -> Outcome:
        """What the database holds."""
        (record,) = open_store(self._address).find()
        with MongoClient(self._address, tz_aware=True) as client:
            stored = client.get_default_database().metrics.find_one({"name": "seconds"})
        assert stored is not None
        ends = np.array([time.astimezone(UTC).timestamp() for time in stored["timestamps"]])
        # The first value is the validation before training, and the first epoch's time holds the compilation.
        return Outcome(record, ends[2:], np.diff(np.array(stored["values"]))[1:])


def disturbed(run: Run, server: Server, kind: str, seconds: float) -> tuple[tuple[float, float], list[str]]:
    """Take the server away from a run; from when till when that was, as times of day, and what the run said."""
    run.wait_for_curves()
    began = time.time()
    (server.pause if kind == "paused" else server.kill)()
    if kind == "absent":
        said = run.finish(exit_code=1)
        ended = time.time()
        server.start()
        run.complete()
        return (began, ended), said
    time.sleep(seconds)
    (server.go_on if kind == "paused" else server.start)()
    return (began, time.time()), run.finish()


def is_same(one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs did the same, to the last bit of their weights."""
    weights, others = one.weights(), other.weights()
    return one == other and all(weights[name].tobytes() == others[name].tobytes() for name in weights | others)


def main() -> None:
    """Run, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the server is away (default: 20)")
    parser.add_argument("--rounds", type=int, default=1, help="how often all four runs are made (default: 1)")
    options = parser.parse_args()
    all_same = True
    with tempfile.TemporaryDirectory(prefix="rnnlab-") as name:
        folder = Path(name)
        steady, unsteady = Server(folder / "steady"), Server(folder / "unsteady")
        try:
            short = [Run(folder, server, EPOCHS_TO_CALIBRATE) for server in (steady, unsteady)]
            for run in short:
                run.finish()
            epoch = np.median(short[0].outcome().seconds)
            n_epochs = int(SLACK * (SECONDS_BEFORE + options.seconds + SECONDS_AFTER) / epoch)
            print(f"{n_epochs} epochs a run; the server is away for {options.seconds:g} s")
            print(f"{'server':<10} {'there':>9} {'away':>9} {'ratio':>6} {'beside it':>11}  records", flush=True)
            for kind in options.rounds * ("paused", "restarted", "absent"):
                beside, run = Run(folder, steady, n_epochs), Run(folder, unsteady, n_epochs)
                stretch, said = disturbed(run, unsteady, kind, options.seconds)
                beside.finish()
                one, other = run.outcome(), beside.outcome()
                there, away = one.medians(stretch)
                usual, as_well = other.medians(stretch)
                same = is_same(one.record, other.record)
                all_same = all_same and same
                ratios = f"{away / there:6.3f} {as_well / usual:11.3f}"
                print(f"{kind:<10} {there:6.2f} ms {away:6.2f} ms {ratios}  {'the same' if same else 'DIFFER'}")
                for line in said:
                    print(f"    {line.replace(name, '...')}", flush=True)
        finally:
            steady.kill()
            unsteady.kill()
    sys.exit(not all_same)


if __name__ == "__main__":
    main()
