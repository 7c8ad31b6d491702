"""A sweep on a Dask cluster of separate processes, as on several machines."""

import os
import subprocess
import sys

import numpy as np
import pytest
from distributed import Client

from rnnlab.errors import RnnlabError
from rnnlab.store import open_store
from rnnlab.store_address import parse_address
from rnnlab.sweep.dask_pools import connect
from rnnlab.sweep.execution import StopRequest, execute
from rnnlab.sweep.expansion import expand
from rnnlab.sweep.options import specification_from_options
from rnnlab.sweep.plan import make_plan
from rnnlab.sweep.pools import OwnProcess
from rnnlab.sweep.resolve import resolve

N = 4


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
    with Client(scheduler_file=str(address_file)) as client:
        client.wait_for_workers(2, timeout=60)
        yield client.scheduler.address
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        process.wait()


@pytest.mark.slow
def test_a_cluster_with_mongodb_gives_the_same_bits_as_this_process_with_files_and_refuses_what_it_cannot_reach(
    script, tmp_path, start_sweep, scheduler, mongo_database_address
):
    code, _, errors = start_sweep(
        *(script, "--seeds", N, "--store", mongo_database_address, "--scheduler", scheduler)
    ).finish()
    assert code == 0, errors
    here = parse_address(tmp_path / "results")
    plan = make_plan(expand(specification_from_options(script, seeds=N), resolve), here)
    execute(plan, OwnProcess(), here, 0, StopRequest(), lambda progress: None)

    from_mongo, from_files = open_store(mongo_database_address).find(), open_store(here).find()
    assert len(from_mongo) == len(from_files) == N
    for one in from_files:
        (other,) = [record for record in from_mongo if record.config == one.config]
        assert one.result == other.result
        assert one.curves["valid.loss"].values.tobytes() == other.curves["valid.loss"].values.tobytes()
        assert one.weights().keys() == other.weights().keys()
        assert all(np.array_equal(one.weights()[name], other.weights()[name]) for name in one.weights())
    assert len({record.host["hostname"] for record in from_mongo}) == 1

    elsewhere = parse_address(tmp_path / "elsewhere")
    with pytest.raises(RnnlabError, match="scripts must be on a shared file system"):
        connect(scheduler, elsewhere, [tmp_path / "elsewhere.py"], None)
    with pytest.raises(RnnlabError, match="is not the same directory"):
        connect(scheduler, elsewhere, [script], elsewhere.path / "_claims" / "no-such")
    assert not elsewhere.path.exists()
