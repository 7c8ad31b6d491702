"""How many runs a second a sweep sustains: `python benchmarks/sweep_throughput.py [--variants 200] [--epochs 20]`.

Sweeps over seeds of a small dot-product run (10 hidden units, 20 epochs of 50 minibatches) on two workers, into a
temporary directory and into a MongoDB server: one that is started for it, or the database that --mongo names (which
must not exist, and is dropped at the end).

What it takes to start workers and to compile is counted apart. The rate is that between the first and the last run that
a warm worker began. The processor time is the difference to a sweep of a few variants, which starts and compiles as
much: that of a run in its worker, with its part of what the sweep's own process and the workers' idle time take. On a
machine that does other things meanwhile it says more than the rate does.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnlab.store import Store, open_store
from rnnlab.store.record import RunRecord
from rnnlab.store_address import Address, mongo_database, parse_address

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from mongod import Server  # noqa: E402

SETTINGS = (
    *("model.n_hidden=10", "data.n_train=1000", "training.batch_size=20"),
    *("data.n_valid=200", "data.n_test=200", "early_stopping.rule=none"),
)


@dataclass(frozen=True)
class Sweep:
    """The sweep that is measured: so many epochs a run, so many workers."""

    n_epochs: int
    n_workers: int

    def __call__(self, address: Address, n_variants: int) -> float:
        """Run so many variants, but those that are done, in a process of its own; its processor time in seconds."""
        settings = (*SETTINGS, f"training.max_epochs={self.n_epochs}")
        script = ROOT / "experiments" / "dot_product.py"
        command = [sys.executable, "-m", "rnnlab", "sweep", script, "--seeds", str(n_variants)]
        command += [word for setting in settings for word in ("--set", setting)]
        before = _processor_time()
        # Not as an argument: an address may hold a password, which the list of processes would show.
        environment = {**os.environ, "RNNLAB_STORE": address.url or str(address.path)}
        environment["RNNLAB_CACHE_DIR"] = ""  # every sweep compiles as much
        subprocess.run([*command, "--workers", str(self.n_workers)], env=environment, check=True)
        return _processor_time() - before


def _processor_time() -> float:
    """Of all processes so far that this one started, and theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(title: str, address: Address, sweep: Sweep, n_variants: int) -> None:
    """Sweep, and print how long runs took, and how much of that was training."""
    few = 3 * sweep.n_workers
    cold = sweep(address, few)
    warm = sweep(address, few + n_variants)
    records = _started_last(open_store(address), n_variants)[sweep.n_workers :]  # each worker's first run compiles
    span = (max(r.stop_time for r in records) - min(r.start_time for r in records)).total_seconds()
    training = np.array([record.info["environment"]["seconds_to_train"] for record in records])
    per_run = sweep.n_workers * span / len(records)
    print(f"{title}: {len(records)} runs of warm workers in {span:.1f} s")
    print(f"  {len(records) / span:8.1f} runs/s")
    print(f"  {1000 * per_run:8.1f} ms of a worker for each run")
    print(f"  {1000 * training.mean():8.1f} ms of that training (median {1000 * np.median(training):.1f})")
    print(f"  {1000 * (per_run - training.mean()):8.1f} ms beyond training")
    print(f"  {1000 * (warm - cold) / (n_variants - few):8.1f} ms of processor time for each run, training included")


def _started_last(store: Store, n: int) -> list[RunRecord]:
    return sorted(store.find(status="COMPLETED"), key=lambda record: record.start_time)[-n:]


def main() -> None:
    """Sweep and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=20, help="of 50 updates")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mongo", metavar="ADDRESS", help="mongodb://host:port/database, of a new database")
    arguments = parser.parse_args()
    sweep = Sweep(arguments.epochs, arguments.workers)
    with tempfile.TemporaryDirectory(prefix="rnnlab-") as directory:
        measure("files", parse_address(f"{directory}/results"), sweep, arguments.variants)
        server = None if arguments.mongo else Server(Path(directory, "mongod"))
        address = parse_address(arguments.mongo or f"{server.address}/sweep_throughput")
        database = mongo_database(address)
        if database.list_collection_names():
            sys.exit(f"{address} is not empty: name a new database")
        try:
            measure("MongoDB", address, sweep, arguments.variants)
        finally:
            database.client.drop_database(address.database)
            if server is not None:
                server.stop()


if __name__ == "__main__":
    main()
