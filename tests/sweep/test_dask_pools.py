import multiprocessing
import os
import signal
import tempfile

import pytest

from rnnlab.store import open_store
from rnnlab.store_address import parse_address
from rnnlab.sweep.dask_pools import LocalPool
from rnnlab.sweep.execution import StopRequest, execute
from rnnlab.sweep.expansion import expand
from rnnlab.sweep.options import specification_from_options
from rnnlab.sweep.plan import make_plan
from rnnlab.sweep.resolve import resolve
from rnnlab.sweep.worker import SCRATCH_VARIABLE


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


def test_the_address_of_a_store_in_a_task_shows_no_password():
    from pathlib import Path

    from rnnlab.sweep.worker import Task

    address = parse_address("mongodb://ada:secret@127.0.0.1:9/runs")
    task = Task("sweep", "sums", Path("sums.py"), (), {"seed": 1}, "0" * 16, address)
    assert "secret" not in repr(task)
    assert "secret" not in str(task)
