"""Runs of Sacred in processes of their own.

`run_processes.py together ADDRESS N REPEATS` has N processes start REPEATS runs each, all at the same instants;
`run_processes.py killed ADDRESS DELAY...` starts one run after another and kills each with SIGKILL after its delay.
"""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from sacred import Experiment

from rnnlab.store_address import parse_address
from rnnlab.tracking.storage import make_observer

OPTIONS = {"--loglevel": "CRITICAL", "--capture": "sys"}
processes = multiprocessing.get_context("fork")


def make_experiment(address, main):
    experiment = Experiment("small", save_git_info=False, base_dir=str(Path(__file__).parent))
    experiment.add_config({"seed": os.getpid()})
    experiment.observers.append(make_observer(parse_address(address)))
    experiment.main(main)
    return experiment


def hold_start(observer, barrier):
    """The observer's event that makes a run, held until all processes have come to it."""
    started_event = observer.started_event

    def started_together(*arguments, **named):
        barrier.wait()
        return started_event(*arguments, **named)

    observer.started_event = started_together


def run_together(address, barrier, repeats):
    def main(_config, _run):
        _run.log_scalar("pid", os.getpid(), 1)
        return {"pid": os.getpid()}

    for _ in range(repeats):
        experiment = make_experiment(address, main)
        hold_start(experiment.observers[0], barrier)
        experiment.run(options=OPTIONS)


def log_heavily(address, ready):
    def main(_config, _run):
        ready.set()
        weights = Path(os.environ["TMPDIR"], f"weights{os.getpid()}.npz")
        for step in range(1_000_000):
            for name in ("train.loss", "valid.loss"):
                _run.log_scalar(name, float(step), step)
            _run.info["steps"] = list(range(step % 100))
            if step % 50 == 0:
                np.savez(weights, W=np.full(10_000, step))
                _run.add_artifact(str(weights), name="weights.npz")
            time.sleep(0.0005)

    make_experiment(address, main).run(options={**OPTIONS, "--beat-interval": 0.002})


def together(address, n, repeats):
    barrier = processes.Barrier(int(n))
    runs = [processes.Process(target=run_together, args=(address, barrier, int(repeats))) for _ in range(int(n))]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    sys.exit(any(run.exitcode for run in runs))


def killed(address, *delays):
    for delay in delays:
        ready = processes.Event()
        run = processes.Process(target=log_heavily, args=(address, ready))
        run.start()
        ready.wait()
        time.sleep(float(delay))
        os.kill(run.pid, signal.SIGKILL)
        run.join()


if __name__ == "__main__":
    {"together": together, "killed": killed}[sys.argv[1]](*sys.argv[2:])
