"""The blog post's experiment as a whole run, shortened: what an update costs with fresh data, validations and logs.

`python -m benchmarks.post_run EPOCHS RUNS` prints a JSON list, for each run in one process the seconds of its training
and its number of updates; the first run also compiles.
"""

import json
import sys

from experiments.dot_product import POST
from rnnlab.config import default_config, merge_config
from rnnlab.run import run
from rnnlab.tasks.dot_product import dot_product


def main(n_epochs: int, n_runs: int) -> None:
    """Run and print."""
    config = default_config(dot_product, data={"n_valid": 500, "n_test": 1000})
    config = merge_config(merge_config(config, POST), {"training": {"max_epochs": n_epochs}})
    results = [run(config, dot_product) for _ in range(n_runs)]
    print(json.dumps([[r.environment["seconds_to_train"], r.summary["n_updates"]] for r in results]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
