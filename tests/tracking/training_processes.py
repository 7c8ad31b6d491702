"""A small training run in processes of its own that are killed, one after the other, until one comes to its end.

`training_processes.py STORE DELAY...` kills the first process that many seconds after its first checkpoint, the second
one after the second delay, and so on; the last one is left alone.
"""

import importlib.util
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

from rnnlab.tracking.conduct import Conduct, conducted

ROOT = Path(__file__).resolve().parents[2]
CONFIG = {
    "task": {"n_steps": 5},
    "data": {"n_train": 100, "n_valid": 20, "n_test": 20, "resample_each_epoch": True},
    "model": {"n_hidden": 4},
    "training": {"max_epochs": 100, "validate_every": 10, "log_updates": True, "input_noise_std": 0.01},
    "early_stopping": {"rule": "none"},
    "checkpoint": {"every_seconds": 0},
}


def build():
    spec = importlib.util.spec_from_file_location("dot_product", ROOT / "experiments" / "dot_product.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["dot_product"] = module
    spec.loader.exec_module(module)
    return module.build()


def train(store):
    options = {"--file_storage": store, "--loglevel": "ERROR", "--beat-interval": 0.02}
    with conducted(Conduct(resume=True)):
        build().run(config_updates=CONFIG, options=options)


def state_of(folder):
    """What tells one checkpoint from the next."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}


def main(store, *delays):
    checkpoints = Path(store, "_checkpoints")
    processes = multiprocessing.get_context("fork")  # what is imported here need not be imported by each
    for delay in delays:
        before = state_of(checkpoints)
        process = processes.Process(target=train, args=(store,))
        process.start()
        while process.is_alive() and state_of(checkpoints) in ({}, before):
            time.sleep(0.001)
        time.sleep(float(delay))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    last = processes.Process(target=train, args=(store,))
    last.start()
    last.join()
    sys.exit(last.exitcode)


if __name__ == "__main__":
    main(*sys.argv[1:])
