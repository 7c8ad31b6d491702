"""What tracking adds to a run: `python -m benchmarks.tracked_runs RUNS [ADDRESS ...]`.

Runs a small experiment (10 hidden units, 2,000 updates) as a script would, in one process, in turn unrecorded and
recorded at each address. Prints a JSON object: for each address, and "" for unrecorded, the milliseconds of each run
beyond those that `rnnlab.run.run` took itself. The first runs, which compile, are left out.
"""

import json
import os
import sys
import time

from experiments.dot_product import build

SETTINGS = {
    "model": {"n_hidden": 10},
    "data": {"n_train": 1000, "n_valid": 200, "n_test": 200},
    "training": {"batch_size": 20, "max_epochs": 40},
    "early_stopping": {"rule": "none"},
}


def milliseconds_beyond_run(address: str, seed: int) -> float:
    """One run, from making the experiment to the end of its record."""
    if address:
        os.environ["RNNLAB_STORE"] = address
    started = time.perf_counter()
    finished = build().run(config_updates={**SETTINGS, "seed": seed}, options={} if address else {"--unobserved": True})
    seconds = time.perf_counter() - started
    return 1000 * (seconds - finished.info["environment"]["seconds_in_all"])


def main(n_runs: int, *addresses: str) -> None:
    """Run and print."""
    times: dict[str, list[float]] = {address: [] for address in ("", *addresses)}
    for seed in range(n_runs + 1):
        for address, own in times.items():
            own.append(milliseconds_beyond_run(address, seed))
    print(json.dumps({address: own[1:] for address, own in times.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
