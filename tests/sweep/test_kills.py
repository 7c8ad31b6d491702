"""Sweeps in processes of their own that are killed, interrupted, or started twice."""

import random
import signal
import time
from collections import Counter

import psutil
import pytest

from rnnlab.store import FileStore, open_store

N = 16


def completed_by_seed(store):
    return Counter(record.config["seed"] for record in store.find(status="COMPLETED"))


def n_completed(directory):
    return len(FileStore(directory).find(status="COMPLETED")) if directory.is_dir() else 0


def is_gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.slow
def test_after_kills_of_a_worker_and_the_sweep_every_variant_has_exactly_one_completed_run(
    script, tmp_path, start_sweep, wait_until
):
    results, rng = tmp_path / "results", random.Random(1)
    # Slow enough that the sweep is not at its end when it is killed.
    arguments = (script, "--store", results, "--workers", 2, "--seeds", N, "--set", "task.seconds=0.1")

    sweep = start_sweep(*arguments)
    wait_until(lambda: n_completed(results) >= 2)
    time.sleep(rng.uniform(0, 0.3))
    victim = rng.choice(sweep.workers())
    victim.kill()
    before = n_completed(results)
    wait_until(lambda: n_completed(results) >= before + 2)
    time.sleep(rng.uniform(0, 0.3))
    workers = sweep.workers()
    sweep.signal(signal.SIGKILL)
    sweep.finish()
    wait_until(lambda: all(map(is_gone, workers)))
    assert n_completed(results) < N, "everything was done before the sweep was killed"

    code, _, errors = start_sweep(*arguments).finish()
    assert code == 0, errors
    assert completed_by_seed(open_store(results)) == dict.fromkeys(range(N), 1)
    assert list((results / "_claims").iterdir()) == []
    wait_until(lambda: list((tmp_path / "temporary").iterdir()) == [])


@pytest.mark.slow
@pytest.mark.parametrize(("tracked_store", "n_workers"), [("files", 1), ("mongo", 0)], indirect=["tracked_store"])
def test_two_sweeps_at_the_same_time_share_the_work_and_run_nothing_twice(
    script, tracked_store, start_sweep, n_workers
):
    slow = ("--seeds", N, "--set", "task.seconds=0.02")
    arguments = (script, "--store", tracked_store.address, "--workers", n_workers, *slow)
    sweeps = [start_sweep(*arguments, "--json") for _ in range(2)]
    ends = [sweep.finish() for sweep in sweeps]

    assert [code for code, _, _ in ends] == [0, 0], ends
    store = tracked_store.store
    assert completed_by_seed(store) == dict.fromkeys(range(N), 1)
    assert [record.status for record in store.find()] == ["COMPLETED"] * N


@pytest.mark.slow
def test_ctrl_c_ends_running_variants_at_their_next_validation_and_the_same_command_goes_on(
    script, tmp_path, start_sweep, wait_until
):
    results = tmp_path / "results"
    long = ("--set", "data.resample_each_epoch=true", "--set", "task.seconds=0.05", "--set", "training.max_epochs=1000")
    arguments = (script, "--store", results, "--workers", 1, "--seeds", 2, *long, "--set", "early_stopping.rule=none")
    sweep = start_sweep(*arguments)
    wait_until(lambda: results.is_dir() and len(FileStore(results).find(status="RUNNING")) == 1)
    sweep.signal(signal.SIGINT, to_group=True)
    code, _, errors = sweep.finish()

    assert code == 130
    assert "stopping at the next validations" in errors
    assert "stopped: 1 run interrupted, 2 variants left" in errors
    records = FileStore(results).find()
    assert [record.status for record in records] == ["INTERRUPTED"]
    assert all(record.result["stop_reason"] == "interrupted" for record in records)
    wait_until(lambda: list((tmp_path / "temporary").iterdir()) == [])

    again = start_sweep(*arguments)
    wait_until(lambda: len(FileStore(results).find(status="RUNNING")) == 1)
    workers = again.workers()
    # The handler of the first signal must have run: two that are pending are one.
    again.signal(signal.SIGTERM)
    time.sleep(0.2)
    again.signal(signal.SIGINT, to_group=True)
    code, _, errors = again.finish()
    assert (code, "Traceback" in errors, "Warning" in errors) == (130, False, False)
    wait_until(lambda: all(map(is_gone, workers)))
