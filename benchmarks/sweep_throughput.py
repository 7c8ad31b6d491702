"""How many runs a second a sweep sustains: `python benchmarks/sweep_throughput.py [--variants 200] [--mongo ADDRESS]`.

Sweeps over seeds of a small dot-product run (10 hidden units, 20 epochs of 50 minibatches) on two workers, into a
temporary directory, and into the database that --mongo names (which must not exist, and is dropped at the end). The
compiled functions are counted apart: the rate is that between the first and the last run that a warm worker began.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rnnlab.store import Store, open_store
from rnnlab.store_address import mongo_database, parse_address

SCRIPT = Path(__file__).resolve().parents[1] / "experiments" / "dot_product.py"
SETTINGS = (
    *("model.n_hidden=10", "data.n_train=1000", "training.batch_size=20", "training.max_epochs=20"),
    *("data.n_valid=200", "data.n_test=200", "early_stopping.rule=none"),
)


def sweep(address: str, n_variants: int, n_workers: int) -> float:
    """Run the sweep in a process of its own; its seconds in all."""
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    command = [sys.executable, "-m", "rnnlab", "sweep", SCRIPT, *settings, "--seeds", str(n_variants)]
    started = time.perf_counter()
    subprocess.run([*command, "--workers", str(n_workers), "--store", address], check=True)
    return time.perf_counter() - started


def measure(store: Store, seconds: float, n_workers: int) -> None:
    """Print what the records say about the time that runs took."""
    records = sorted(store.find(status="COMPLETED"), key=lambda record: record.start_time)
    warm = records[n_workers:]  # each worker's first run compiles
    span = (max(r.stop_time for r in warm) - min(r.start_time for r in warm)).total_seconds()
    training = np.array([record.info["environment"]["seconds_to_train"] for record in warm])
    per_run = n_workers * span / len(warm)
    print(f"  {len(records)} runs in {seconds:.1f} s, of which warm {len(warm)} in {span:.1f} s")
    print(f"  {len(warm) / span:8.1f} runs/s sustained, {len(records) / seconds:.1f} with start and compilation")
    print(f"  {1000 * per_run:8.1f} ms of a worker for each run")
    print(f"  {1000 * training.mean():8.1f} ms of that training (median {1000 * np.median(training):.1f})")
    print(f"  {1000 * (per_run - training.mean()):8.1f} ms beyond training")


def main() -> None:
    """Sweep and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mongo", metavar="ADDRESS", help="mongodb://host:port/database, of a new database")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rnnlab-") as directory:
        seconds = sweep(directory, arguments.variants, arguments.workers)
        print("files")
        measure(open_store(directory), seconds, arguments.workers)
    if arguments.mongo:
        address = parse_address(arguments.mongo)
        database = mongo_database(address)
        if database.list_collection_names():
            sys.exit(f"{address} is not empty: name a new database")
        try:
            seconds = sweep(arguments.mongo, arguments.variants, arguments.workers)
            print("MongoDB")
            measure(open_store(address), seconds, arguments.workers)
        finally:
            database.client.drop_database(address.database)


if __name__ == "__main__":
    main()
