"""Sweeps in this process: what is run, what is passed over, and what is told of it."""

import json
import threading
import time

import pytest

from rnnlab.errors import RnnlabError
from rnnlab.processes import this_process
from rnnlab.store_address import parse_address
from rnnlab.sweep.claims import open_claims
from rnnlab.sweep.execution import StopRequest, execute
from rnnlab.sweep.expansion import expand
from rnnlab.sweep.options import specification_from_options
from rnnlab.sweep.plan import make_plan
from rnnlab.sweep.pools import OwnProcess
from rnnlab.sweep.resolve import resolve
from rnnlab.sweep.worker import Outcome, run_variant


@pytest.fixture
def variants(script):
    """The variants of a space, given as for the command line."""
    return lambda **space: expand(specification_from_options(script, **space), resolve)


@pytest.fixture
def sweep(tracked_store, variants):
    """Runs a space in this process; gives the progress at the end."""

    def run(pool=None, retries=2, retry_failed=False, rerun_changed=False, **space):
        address = parse_address(tracked_store.address)
        plan = make_plan(variants(**space), address, retry_failed, rerun_changed)
        return execute(plan, pool or OwnProcess(), address, retries, StopRequest(), lambda progress: None)

    return run


def test_every_variant_is_run_once_and_the_next_sweep_has_nothing_to_do(sweep, tracked_store):
    progress = sweep(grid=["model.n_hidden=2"], seeds=3)
    assert ([variant.updates["seed"] for variant, _ in progress.completed], progress.left) == ([0, 1, 2], 0)
    records = tracked_store.store.find()
    assert [(record.status, record.config["seed"]) for record in records] == [("COMPLETED", n) for n in range(3)]
    assert progress.best[0] == min(record.result["valid_loss"] for record in records)

    again = sweep(grid=["model.n_hidden=2"], seeds=4)
    assert [variant.updates["seed"] for variant, _ in again.completed] == [3]
    assert len(again.plan.done) == 3


def test_a_run_is_recorded_as_if_it_was_started_by_hand(sweep, tracked_store):
    sweep(with_=["short"], set_=["seed=5"])
    (record,) = tracked_store.store.find()
    assert record.meta["named_configs"] == ["short"]
    assert record.meta["config_updates"] == {"seed": 5}
    assert "valid.loss" in record.curves
    assert record.artifacts[-1] == "weights.npz"
    assert any(path.endswith("sums.py") for path in record.sources)
    assert tracked_store.address not in json.dumps(record.meta)


def test_a_failing_variant_does_not_stop_the_others_and_is_run_again_only_on_request(sweep, tracked_store):
    space = {"grid": ["task.broken=true,false"], "seeds": 2}
    progress = sweep(**space)
    assert (len(progress.completed), progress.left) == (2, 0)
    assert [failure.message for failure in progress.failures] == ["ValueError: the generator is broken"] * 2
    store = tracked_store.store
    failed = store.find(status="FAILED")
    assert [failure.run_id for failure in progress.failures] == [record.run_id for record in failed]
    assert "in sums" in failed[0].fail_trace

    again = sweep(**space)
    assert (len(again.plan.done), len(again.plan.failed), again.plan.todo) == (2, 2, [])
    retried = sweep(**space, retry_failed=True)
    assert (len(retried.plan.done), len(retried.failures)) == (2, 2)
    assert len(store.find(status="FAILED")) == 4


def test_a_variant_that_another_sweep_completed_in_the_meantime_is_not_run(sweep, variants, tracked_store):
    address = parse_address(tracked_store.address)
    early_plan = make_plan(variants(seeds=3), address)
    sweep(seeds=2)
    progress = execute(early_plan, OwnProcess(), address, 0, StopRequest(), lambda progress: None)
    assert [variant.updates["seed"] for variant in progress.elsewhere] == [0, 1]
    assert [variant.updates["seed"] for variant, _ in progress.completed] == [2]
    assert len(tracked_store.store.find()) == 3


def test_a_variant_that_another_sweep_has_claimed_is_waited_for(sweep, variants, tracked_store):
    claims = open_claims(parse_address(tracked_store.address))
    claimed = variants(seeds=2)[0]
    token = claims.take(claimed.key, this_process())
    seen = []

    class ReleasedLater(OwnProcess):
        def collect(self, seconds):
            collected = super().collect(seconds)
            seen.extend(outcome.kind for _, _, outcome in collected)
            if seen == ["claimed", "completed"]:
                claims.release(claimed.key, token)
            return collected

    progress = sweep(pool=ReleasedLater(), seeds=2)
    assert seen[:2] == ["claimed", "completed"]
    assert (len(progress.completed), progress.left) == (2, 0)


def test_a_worker_that_is_soon_idle_is_given_a_variant_ahead_but_none_of_the_last(variants, tracked_store):
    address = parse_address(tracked_store.address)
    plan = make_plan(variants(seeds=4), address)
    given, running = [], []

    class Quick(OwnProcess):
        """Takes a second variant before it has run the first."""

        def __init__(self):
            super().__init__()
            self._tasks = []

        def idle(self):
            return [] if self._tasks else ["here"]

        def soon_idle(self):
            return ["here"] if len(self._tasks) == 1 else []

        def submit(self, worker, task):
            self._tasks.append(task)

        def collect(self, seconds):
            given.append(len(self._tasks))
            return [("here", task, run_variant(task)) for task in [self._tasks.pop(0)]]

    progress = execute(
        plan, Quick(), address, 0, StopRequest(), lambda progress: running.append((progress.running, progress.left))
    )
    assert [variant.updates["seed"] for variant, _ in progress.completed] == [0, 1, 2, 3]
    assert given == [2, 2, 1, 1]
    assert running == [(1, 4), (1, 3), (1, 2), (1, 1), (0, 0)]


class DyingWorkers(OwnProcess):
    """Each variant's worker dies so many times."""

    def __init__(self, n_deaths):
        super().__init__()
        self._n_deaths = n_deaths
        self._deaths = {}

    def collect(self, seconds):
        if self._task is not None and self._deaths.get(self._task.key, 0) < self._n_deaths:
            task, self._task = self._task, None
            self._deaths[task.key] = self._deaths.get(task.key, 0) + 1
            return [("here", task, Outcome("died"))]
        return super().collect(seconds)


@pytest.mark.parametrize(("n_deaths", "n_completed"), [(1, 2), (2, 0)])
def test_a_variant_whose_worker_died_is_run_again_as_often_as_allowed(sweep, n_deaths, n_completed):
    progress = sweep(pool=DyingWorkers(n_deaths), retries=1, seeds=2)
    assert len(progress.completed) == n_completed
    assert [failure.message for failure in progress.failures] == ["its worker died, 2 times in all"] * (2 - n_completed)


def test_a_variant_that_waited_behind_one_whose_worker_died_is_no_failure(sweep):
    class Losing(OwnProcess):
        """Loses the first two variants before they have begun."""

        lost = 0

        def collect(self, seconds):
            if self._task is not None and self.lost < 2:
                task, self._task, self.lost = self._task, None, self.lost + 1
                return [("here", task, Outcome("unstarted"))]
            return super().collect(seconds)

    progress = sweep(pool=Losing(), retries=0, seeds=2)
    assert ([variant.updates["seed"] for variant, _ in progress.completed], progress.failures) == ([0, 1], [])


def test_a_task_that_comes_again_because_its_worker_died_is_not_run_but_reported(sweep, variants, tracked_store):
    tasks = []

    class Keeping(OwnProcess):
        def submit(self, worker, task):
            tasks.append(task)
            super().submit(worker, task)

    sweep(pool=Keeping(), seeds=1)
    (task,) = tasks
    claims = open_claims(task.store)
    claims.take(task.key, {**this_process(), "started": "long ago", "submission": task.submission})
    assert run_variant(task).kind == "died"
    assert claims.owner(task.key) is None
    assert run_variant(task).kind == "found"


def test_what_was_made_by_other_code_is_run_again_only_on_request(sweep, tracked_store, script):
    sweep(seeds=2)
    script.write_text(script.read_text() + "\n# another line\n")
    resolve_anew(script)
    seen = sweep(seeds=2)
    assert len(seen.plan.done) == 2
    assert [each for changed in seen.plan.changed.values() for each in changed] == ["sums.py"] * 2

    rerun = sweep(seeds=2, rerun_changed=True)
    assert len(rerun.completed) == 2
    after = sweep(seeds=2, rerun_changed=True)
    assert (len(after.plan.done), after.plan.changed, after.completed) == (2, {}, [])


def resolve_anew(script):
    """Forget what this process knows of scripts and their sources, as a new process would."""
    from sacred.dependencies import get_digest

    from rnnlab.sweep import plan, resolve, worker
    from rnnlab.tracking import experiment

    for function in (plan._today, resolve._load, resolve._template, worker._ledger, experiment._source):
        function.cache_clear()
    getattr(get_digest, "cache_clear", lambda: None)()


def test_a_stop_request_ends_the_run_at_its_next_validation_and_starts_no_more(variants, tracked_store):
    address = parse_address(tracked_store.address)
    many = ("training.max_epochs=10000", "early_stopping.rule=none")
    plan = make_plan(variants(set_=many, seeds=3), address)
    stop = StopRequest()

    class StoppedOnceItRuns(OwnProcess):
        def submit(self, worker, task):
            super().submit(worker, task)
            threading.Thread(target=self.stop_once_it_runs).start()

        def stop_once_it_runs(self):
            while not tracked_store.store.find(status="RUNNING"):
                time.sleep(0.01)
            self.request_stop(stop.sweep)
            stop.wanted = True

    open_claims(address)  # makes the directory
    progress = execute(plan, StoppedOnceItRuns(), address, 0, stop, lambda progress: None)
    (record,) = tracked_store.store.find()
    assert (record.status, record.result["stop_reason"]) == ("INTERRUPTED", "interrupted")
    assert (progress.interrupted, progress.left, progress.completed) == ([record.run_id], 3, [])


def test_a_config_that_differs_where_the_worker_is_ends_the_sweep_with_the_reason(sweep, tracked_store):
    class Elsewhere(OwnProcess):
        def submit(self, worker, task):
            super().submit(worker, task.__class__(**{**vars(task), "key": "0" * 16}))

    progress = sweep(pool=Elsewhere(), seeds=2)
    assert "gives another config" in progress.problem
    assert tracked_store.store.find() == []


def test_an_unreachable_database_is_an_error_before_anything_is_started(variants):
    with pytest.raises(RnnlabError, match="no answer from the server"):
        make_plan(variants(seeds=2), parse_address("mongodb://127.0.0.1:9/runs?serverSelectionTimeoutMS=100"))
