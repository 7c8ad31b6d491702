import multiprocessing
import os
import signal
import tempfile
from pathlib import Path

import pytest
from distributed.scheduler import KilledWorker

from rnnlab.store import open_store
from rnnlab.store_address import parse_address
from rnnlab.sweep import dask_pools
from rnnlab.sweep.dask_pools import DaskPool, LocalPool
from rnnlab.sweep.execution import StopRequest, execute
from rnnlab.sweep.expansion import expand
from rnnlab.sweep.options import specification_from_options
from rnnlab.sweep.plan import make_plan
from rnnlab.sweep.resolve import resolve
from rnnlab.sweep.worker import SCRATCH_VARIABLE, Outcome, Task


@pytest.fixture
def own_environment(monkeypatch):
    """A pool changes the environment for the processes that it starts."""
    for name in ("TMPDIR", SCRATCH_VARIABLE, "PYTHONWARNINGS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())


@pytest.mark.slow
@pytest.mark.usefixtures("own_environment")
def test_a_worker_is_replaced_when_its_memory_has_grown_and_ended_when_it_does_not_answer_at_the_end(
    script, tmp_path, monkeypatch
):
    address = parse_address(tmp_path / "results")
    plan = make_plan(expand(specification_from_options(script, seeds=2), resolve), address)
    workers = []

    class Noting(LocalPool):
        def submit(self, worker, task):
            workers.append(worker)
            super().submit(worker, task)

    pool = Noting(1, growth=-1)
    try:
        progress = execute(plan, pool, address, 0, StopRequest(), lambda progress: None)
    finally:
        (worker,) = multiprocessing.active_children()
        os.kill(worker.pid, signal.SIGSTOP)
        monkeypatch.setattr("rnnlab.sweep.dask_pools._SECONDS_TO_CLOSE", 0.2)
        pool.close()
        worker.join(60)
        assert not worker.is_alive()
    assert (len(progress.completed), progress.failures) == (2, [])
    assert len(set(workers)) == 2
    assert [record.status for record in open_store(address).find()] == ["COMPLETED"] * 2


class Future:
    """Of Dask: what a task has come to, told to those who asked for it."""

    def __init__(self):
        self.status, self._told = "pending", []

    def add_done_callback(self, tell):
        self._told.append(tell)

    def end(self, status, value):
        self.status, self._value = status, value
        for tell in self._told:
            tell(self)

    def result(self, timeout):
        if isinstance(self._value, Exception):
            raise self._value
        return self._value

    def exception(self):
        return self._value


class Cluster:
    """A Dask client, and the workers that it knows."""

    status = "running"

    def __init__(self, *workers):
        self.workers, self.futures = workers, []

    def nthreads(self):
        return dict.fromkeys(self.workers, 1)

    def submit(self, function, task, key, workers):
        self.futures.append(Future())
        return self.futures[-1]


@pytest.fixture
def pool_of_two(monkeypatch):
    """A pool with a worker that has two tasks: the pool, its cluster, the tasks."""
    monkeypatch.setattr(dask_pools, "_SECONDS_BETWEEN_LOOKS", 0)
    cluster = Cluster("a", "b")
    pool = DaskPool(cluster)
    tasks = [Task("sweep", "sums", Path("sums.py"), (), {}, key, parse_address("results")) for key in ("1", "2")]
    assert pool.idle() == ["a", "b"]
    for task in tasks:
        pool.submit("a", task)
    return pool, cluster, tasks


def kinds(collected):
    return [(task.key, outcome.kind) for _, task, outcome in collected]


def test_of_a_worker_that_died_only_the_variant_that_it_ran_counts_as_tried(pool_of_two):
    pool, cluster, _ = pool_of_two
    killed = KilledWorker("task", "a", 0)
    for future in reversed(cluster.futures):  # whatever Dask tells first
        future.end("error", killed)
    assert kinds(pool.collect(0)) == [("1", "died"), ("2", "unstarted")]
    assert pool.collect(0) == []
    assert pool.idle() == ["a", "b"]


def test_a_worker_that_vanishes_without_a_word_is_not_waited_for(pool_of_two):
    pool, cluster, _ = pool_of_two
    cluster.workers = ("b",)
    assert kinds(pool.collect(0)) == [("1", "died"), ("2", "unstarted")]
    assert pool.idle() == ["b"]


def test_a_result_that_went_with_its_worker_is_not_waited_for(pool_of_two):
    pool, cluster, _ = pool_of_two
    cluster.futures[0].end("finished", TimeoutError())
    assert kinds(pool.collect(0)) == [("1", "died"), ("2", "unstarted")]


def test_a_worker_whose_last_variant_was_quick_is_soon_idle_when_it_has_but_one(pool_of_two):
    pool, cluster, tasks = pool_of_two
    assert pool.soon_idle() == []
    cluster.futures[0].end("finished", Outcome("completed", seconds=0.1))
    assert kinds(pool.collect(0)) == [("1", "completed")]
    assert (pool.soon_idle(), pool.idle()) == (["a"], ["b"])
    cluster.futures[1].end("finished", Outcome("completed", seconds=9.0))
    pool.collect(0)
    pool.submit("a", tasks[0])
    assert pool.soon_idle() == []


def test_the_address_of_a_store_in_a_task_shows_no_password():
    address = parse_address("mongodb://ada:secret@127.0.0.1:9/runs")
    task = Task("sweep", "sums", Path("sums.py"), (), {"seed": 1}, "0" * 16, address)
    assert "secret" not in repr(task)
    assert "secret" not in str(task)
