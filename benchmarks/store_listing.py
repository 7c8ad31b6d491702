"""How long it takes to list, compare and draw many runs.

`python benchmarks/store_listing.py [--runs 1000] [--mongo ADDRESS] [--json FILE]`

Fills a temporary directory and a database with copies of one run of ordinary size (200 validations of 8 metrics, 60
source files), and prints the best of three times for each question, or of fewer where they take long. The database is
that of --mongo, which must not exist and is dropped at the end, or one on a server of its own, started as for the
tests.
"""

import argparse
import copy
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from rnnlab.analysis import compare_groups, plot_learning_curves
from rnnlab.analysis.picture import figure_bytes
from rnnlab.store import Store, open_store
from rnnlab.store_address import mongo_database, parse_address

N_SOURCES, N_VALIDATIONS, N_OPTIONS, N_CONFIG_KEYS = 60, 200, 20, 50
METRICS = ("train.loss", "valid.loss", "train.grad_norm", "learning_rate", "epoch", "examples", "seconds", "waited")
NOW = datetime(2026, 1, 1)
SECONDS_A_QUESTION = 2.0  # after these it is not asked again


def ordinary_run(number: int) -> dict[str, Any]:
    """What a run's document holds, but for the sources and metrics, whose form depends on the store."""
    config = {f"key{i}": i / 7 for i in range(N_CONFIG_KEYS)}
    return {
        "experiment": {
            "name": "dot_product",
            "base_dir": "/home/lab",
            "dependencies": [f"package{i}==1.{i}" for i in range(8)],
            "repositories": [{"url": "https://example.org/lab.git", "commit": "0" * 40, "dirty": False}],
            "mainfile": "experiments/dot_product.py",
        },
        "command": "main",
        "config": {
            "seed": number // 10,
            "model": {"n_hidden": 10 * (number % 10), "cell": "elman"},
            "training": config,
        },
        "host": {"hostname": "node", "os": ["Linux", "6.1"], "python_version": "3.11", "ENV": {}},
        "meta": {"command": "main", "options": {f"--option{i}": None for i in range(N_OPTIONS)}},
        "status": "COMPLETED",
        "result": {"stop_reason": "patience", "test_loss": 1 / number, **{f"result{i}": i / 3 for i in range(12)}},
        "info": {"early_stopping": {"improvements": [{"update": i, "epoch": i, "valid_loss": 0.1} for i in range(50)]}},
        "captured_out": "epoch 1\n" * 200,
        "resources": [],
        "start_time": NOW,
        "stop_time": NOW,
        "heartbeat": NOW,
    }


def curves() -> dict[str, dict[str, list]]:
    """All metrics of a run."""
    steps = list(range(N_VALIDATIONS))
    return {
        name: {"steps": steps, "values": [0.1 * i for i in steps], "timestamps": [NOW] * len(steps)} for name in METRICS
    }


def fill_directory(directory: Path, n_runs: int) -> None:
    """Write the runs as the file observer would."""
    metrics = json.dumps(curves(), default=datetime.isoformat)
    for number in range(1, n_runs + 1):
        run = ordinary_run(number)
        run["experiment"]["sources"] = [[f"rnnlab/m{i}.py", f"_sources/m{i}_{i:032x}.py"] for i in range(N_SOURCES)]
        run["artifacts"] = ["weights.npz"]
        folder = directory / str(number)
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(run.pop("config"), indent=2))
        (folder / "info.json").write_text(json.dumps(run.pop("info"), indent=2))
        (folder / "cout.txt").write_text(run.pop("captured_out"))
        (folder / "metrics.json").write_text(metrics)
        (folder / "run.json").write_text(json.dumps(run, indent=2, default=datetime.isoformat))


def fill_database(database: Any, n_runs: int) -> None:
    """Insert the runs as the MongoDB observer would."""
    from bson import ObjectId

    sources = [[f"rnnlab/m{i}.py", ObjectId()] for i in range(N_SOURCES)]
    database["fs.files"].insert_many([{"_id": file_id, "md5": f"{i:032x}"} for i, (_, file_id) in enumerate(sources)])
    database.metrics.create_index([("run_id", 1), ("name", 1)], unique=True)
    one = [{"name": name, **curve} for name, curve in curves().items()]
    for first in range(1, n_runs + 1, 100):
        numbers = range(first, min(first + 100, n_runs + 1))
        runs = [{"_id": number, "artifacts": [], **ordinary_run(number)} for number in numbers]
        for run in runs:
            run["experiment"]["sources"] = sources
            run["artifacts"] = [{"name": "weights.npz", "file_id": ObjectId()}]
        database.runs.insert_many(runs)
        database.metrics.insert_many([{"run_id": number, **copy.copy(each)} for number in numbers for each in one])


def measure(address: str) -> dict[str, float]:
    """The best of up to three times for each question, in seconds; a new store is opened each time."""
    by = ["model.n_hidden"]
    questions: dict[str, Callable[[Store], Any]] = {
        "find all": lambda store: store.find(),
        "find one in ten": lambda store: store.find(where={"model.n_hidden": 20}),
        "get one": lambda store: store.get(17),
        "the curves of one": lambda store: store.get(17).curves,
        "the curves of all": lambda store: [record.curves for record in store.find()],
        "compare a result": lambda store: compare_groups(store.find(), by),
        "compare a curve": lambda store: compare_groups(store.find(), by, "valid.loss@min"),
        "draw learning curves": lambda store: figure_bytes(plot_learning_curves(store.find(), by), "png"),
    }
    times = {}
    for name, ask in questions.items():
        own: list[float] = []
        while len(own) < 3 and sum(own) < SECONDS_A_QUESTION:
            own.append(_seconds(ask, address))
        times[name] = min(own)
        print(f"  {name:<28}{times[name]:8.3f} s", flush=True)
    return times


def _seconds(ask: Callable[[Store], Any], address: str) -> float:
    store = open_store(address)
    start = time.perf_counter()
    ask(store)
    return time.perf_counter() - start


def measure_files(n_runs: int) -> dict[str, float]:
    """Fill a directory and measure."""
    with tempfile.TemporaryDirectory(prefix="rnnlab-") as directory:
        fill_directory(Path(directory), n_runs)
        print(f"{n_runs} runs in files")
        return measure(directory)


def measure_database(n_runs: int, url: str) -> dict[str, float]:
    """Fill a new database, measure, and drop it."""
    address = parse_address(url)
    database = mongo_database(address)
    if database.list_collection_names():
        sys.exit(f"{address} is not empty: name a new database")
    try:
        fill_database(database, n_runs)
        print(f"{n_runs} runs in MongoDB")
        return measure(url)
    finally:
        database.client.drop_database(address.database)


def measure_own_server(n_runs: int) -> dict[str, float]:
    """Start a server as the tests do, and measure in it; nothing where there is no `mongod`."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import mongod

    with tempfile.TemporaryDirectory(prefix="rnnlab-") as directory:
        try:
            server = mongod.Server(Path(directory) / "mongod")
        except mongod.NoServerError as problem:
            print(f"MongoDB: not measured: {problem}")
            return {}
        try:
            return measure_database(n_runs, f"{server.address}/rnnlab_benchmark")
        finally:
            server.stop()


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--mongo", metavar="ADDRESS", help="mongodb://host:port/database, of a new database")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the seconds there, too")
    arguments = parser.parse_args()
    n_runs = arguments.runs
    found = {
        "files": measure_files(n_runs),
        "mongodb": measure_database(n_runs, arguments.mongo) if arguments.mongo else measure_own_server(n_runs),
    }
    if arguments.json:
        arguments.json.write_text(json.dumps({"runs": n_runs, "seconds": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
