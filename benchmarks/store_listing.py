"""How long it takes to list and compare many runs.

`python benchmarks/store_listing.py [--runs 5000] [--mongo ADDRESS]`

Fills a temporary directory, and the database that --mongo names (which must not exist, and is dropped at the end), with
copies of one run of ordinary size, and prints the best of three times for each question.
"""

import argparse
import copy
import json
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rnnlab.analysis import compare_groups
from rnnlab.store import Store, open_store
from rnnlab.store_address import mongo_database, parse_address

N_SOURCES, N_VALIDATIONS, N_OPTIONS, N_CONFIG_KEYS = 60, 200, 20, 50
METRICS = ("train.loss", "valid.loss", "train.grad_norm", "learning_rate", "epoch", "examples", "seconds", "waited")
NOW = datetime(2026, 1, 1)


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


def measure(store: Store) -> None:
    """Print the best of three times for each question."""
    questions = {
        "find()": lambda: store.find(),
        "find(where=one in ten)": lambda: store.find(where={"model.n_hidden": 20}),
        "get(one)": lambda: store.get(17),
        "find, compare test_loss": lambda: compare_groups(store.find(), by=["model.n_hidden"]),
        "find, compare a curve": lambda: compare_groups(store.find(), by=["model.n_hidden"], metric="valid.loss@min"),
    }
    for name, ask in questions.items():
        print(f"  {name:<28}{min(_seconds(ask) for _ in range(3)):8.3f} s")
    for part in ("info", "curves"):
        records = store.find()[:100]
        seconds = _seconds(lambda part=part, records=records: [getattr(record, part) for record in records])
        print(f"  {part + ' of 100 runs':<28}{seconds:8.3f} s")


def _seconds(ask: Any) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--mongo", metavar="ADDRESS", help="mongodb://host:port/database, of a new database")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rnnlab-") as directory:
        fill_directory(Path(directory), arguments.runs)
        print(f"{arguments.runs} runs in files")
        measure(open_store(directory))
    if arguments.mongo:
        address = parse_address(arguments.mongo)
        database = mongo_database(address)
        if database.list_collection_names():
            sys.exit(f"{address} is not empty: name a new database")
        try:
            fill_database(database, arguments.runs)
            print(f"{arguments.runs} runs in MongoDB")
            measure(open_store(address))
        finally:
            database.client.drop_database(address.database)


if __name__ == "__main__":
    main()
