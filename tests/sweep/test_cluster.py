"""A sweep on a Dask cluster of separate processes, as on several machines."""

import os
import subprocess
import sys

import numpy as np
import pytest

from rnnlab.store import open_store

N = 6


@pytest.fixture
def scheduler(tmp_path, wait_until):
    """The address of a running `dask scheduler` with two `dask worker`, all of them on loopback."""
    root = str(tmp_path / "cluster")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": root}
    os.mkdir(root)
    processes = []

    def start(*arguments):
        log = open(tmp_path / f"dask{len(processes)}.log", "w")  # noqa: SIM115
        command = [sys.executable, "-m", "dask", *arguments]
        processes.append(subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log))

    address_file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(address_file))
    wait_until(address_file.exists)
    for _ in range(2):
        start(
            "worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--scheduler-file", str(address_file)
        )
    from distributed import Client

    with Client(scheduler_file=str(address_file)) as client:
        client.wait_for_workers(2, timeout=60)
        yield client.scheduler.address
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        process.wait()


def test_a_cluster_with_mongodb_gives_the_same_bits_as_this_process_with_files(
    script, tmp_path, start_sweep, scheduler, mongo_database_address
):
    space = (script, "--seeds", N)
    on_cluster = start_sweep(*space, "--store", mongo_database_address, "--scheduler", scheduler).finish()
    here = start_sweep(*space, "--store", tmp_path / "results", "--workers", 0).finish()
    assert (on_cluster[0], here[0]) == (0, 0), (on_cluster, here)

    from_mongo, from_files = open_store(mongo_database_address).find(), open_store(tmp_path / "results").find()
    assert len(from_mongo) == len(from_files) == N
    for one in from_files:
        (other,) = [record for record in from_mongo if record.config == one.config]
        assert one.result == other.result
        assert one.curves["valid.loss"].values.tobytes() == other.curves["valid.loss"].values.tobytes()
        assert one.weights().keys() == other.weights().keys()
        assert all(np.array_equal(one.weights()[name], other.weights()[name]) for name in one.weights())
    assert len({record.host["hostname"] for record in from_mongo}) == 1


def test_a_script_or_a_store_that_the_workers_cannot_reach_is_one_line_and_nothing_is_started(
    script, tmp_path, start_sweep, scheduler, wait_until
):
    from distributed import Client

    from rnnlab.store_address import parse_address
    from rnnlab.sweep.worker import why_unusable

    with Client(scheduler) as client:
        address = parse_address(tmp_path / "results")
        missing = client.run(why_unusable, address, [tmp_path / "elsewhere.py"], None)
        other_directory = client.run(why_unusable, address, [script], tmp_path / "results" / "_claims" / "no-such")
    assert all("scripts must be on a shared file system" in words for words in missing.values())
    assert all("is not the same directory" in words for words in other_directory.values())
    assert not (tmp_path / "results").exists()


def test_a_scheduler_that_does_not_answer_is_one_line(script, tmp_path, start_sweep):
    code, _, errors = start_sweep(script, "--store", tmp_path / "r", "--scheduler", "tcp://127.0.0.1:9").finish()
    assert code == 1
    assert "error: no Dask scheduler answers at tcp://127.0.0.1:9" in errors
    assert "Traceback" not in errors
