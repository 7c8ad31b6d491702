"""What a sweep's worker does: run one variant, if nobody else has, and tell how it went."""

import os
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from rnnlab.errors import RnnlabError, StoreAwayError, StoreError
from rnnlab.processes import this_process
from rnnlab.store import Store, open_store
from rnnlab.store_address import Address
from rnnlab.sweep.claims import Claims, kept, open_claims
from rnnlab.sweep.ledger import Ledger
from rnnlab.sweep.resolve import build_experiment, resolve
from rnnlab.sweep.scratch import scratch_folder
from rnnlab.tracking.conduct import Conduct, conducted
from rnnlab.tracking.experiment import plain
from rnnlab.tracking.recording import StoppedOnRequest
from rnnlab.variant_key import variant_key

# Set where the environment already gives the process a temporary folder that somebody removes.
SCRATCH_VARIABLE = "RNNLAB_SWEEP_SCRATCH"

_STOPPED: set[str] = set()
# Output is captured, and random numbers are seeded, for the whole process.
_ONE_RUN_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Task:
    """A variant to run, as it is sent to a worker.

    sweep:      which sweep it is for; a request to stop names it
    discounted: ids of finished runs of the variant that do not count
    after:      the sweep has seen all runs up to this id
    submission: what distinguishes this attempt from all others
    """

    sweep: str
    experiment: str
    script: Path
    named_configs: tuple[str, ...]
    updates: dict[str, Any] = field(repr=False)
    key: str
    store: Address
    discounted: frozenset[str] = frozenset()
    after: int = 0
    submission: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Outcome:
    """How it went with a variant.

    kind:    completed, failed, interrupted: it was run, as `run_id`
             found, found_failed: another sweep had just run it, as `run_id`
             claimed: another sweep is running it
             died: the worker that ran it is dead
             unstarted: the worker that had it ahead is dead
             stopped: it was not started, because the sweep is to stop
             away: it was not started, because the store does not answer
             refused: it cannot be run here
    message: why, in one line, where there is something to say
    memory:  of the worker afterwards, in bytes
    seconds: that it took the worker
    """

    kind: str
    run_id: str | None = None
    result: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    memory: int = 0
    seconds: float = 0.0


def request_stop(sweep: str) -> None:
    """Let the runs of a sweep in this process stop at their next validation, and start no more."""
    _STOPPED.add(sweep)


def run_variant(task: Task) -> Outcome:
    """Claim a variant and run it, unless a run of it has been completed since the sweep looked."""
    with _ONE_RUN_AT_A_TIME:
        started = time.monotonic()
        try:
            outcome = _claim_and_run(task)
        except StoreAwayError as error:
            outcome = Outcome("away", message=str(error))
        except Exception as error:  # noqa: BLE001  (the sweep, which may be elsewhere, has to know of any)
            words = str(error) if isinstance(error, RnnlabError) else _one_line(error)
            outcome = Outcome("refused", message=f"on {socket.gethostname()}: {words}")
        return replace(outcome, memory=psutil.Process().memory_info().rss, seconds=time.monotonic() - started)


def _claim_and_run(task: Task) -> Outcome:
    if task.sweep in _STOPPED:
        return Outcome("stopped")
    _use_scratch_folder()
    store, claims = _opened(task.store)
    died = (claims.owner(task.key) or {}).get("submission") == task.submission
    token = claims.take(task.key, {**this_process(), "submission": task.submission})
    if died:
        # Dask sends a task whose worker died to another one by itself; how often it may be tried is for the sweep to
        # say.
        if token is not None:
            claims.release(task.key, token)
        return Outcome("died")
    if token is None:
        return Outcome("claimed")
    with kept(claims, task.key, token) as lost:
        found = _found(task, store)
        if found is not None:
            return found
        return _run(task, lambda: task.sweep in _STOPPED or lost())


def _found(task: Task, store: Store) -> Outcome | None:
    """The run that another sweep has made of the variant in the meantime."""
    ledger = _ledger(store, task.experiment, task.script, task.after)
    ledger.refresh()
    entries = [entry for entry in ledger.runs(task.key) if entry.run_id not in task.discounted]
    for status, kind in (("COMPLETED", "found"), ("FAILED", "found_failed")):
        for entry in entries:
            if entry.status == status:
                return Outcome(kind, entry.run_id, store.get(entry.run_id).result or {})
    return None


def _run(task: Task, stop_requested: Callable[[], bool]) -> Outcome:
    experiment = build_experiment(task.script)
    storage = {"--mongo_db": task.store.url} if task.store.is_mongo else {"--file_storage": str(task.store.path)}
    # Sacred's log would say on the terminal what the sweep's display says.
    options = {**storage, "--loglevel": "CRITICAL"}
    with conducted(Conduct(stop_requested=stop_requested, resume=True)):
        # As `experiment.run` does, but for the look at the config in between.
        run = experiment._create_run(None, task.updates, task.named_configs, options=options)
        if variant_key(task.experiment, plain(run.config)) != task.key:
            raise RnnlabError(f"{task.script} gives another config for the same settings than where the sweep started")
        try:
            run()
        except StoppedOnRequest:
            return Outcome("interrupted", str(run._id), dict(run.result or {}))
        except (Exception, SystemExit) as error:
            if run._id is None:  # there is no record that would say so
                raise
            return Outcome("failed", str(run._id), message=_one_line(error))
    for observer in run.observers:
        try:
            observer.join()
        except StoreError as error:  # which says where the record is
            return Outcome("failed", str(run._id), message=str(error))
    if run._failed_observers:
        return Outcome("failed", str(run._id), message="its record is incomplete: the store could not be written")
    return Outcome("completed", str(run._id), dict(run.result or {}))


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@cache
def _opened(address: Address) -> tuple[Store, Claims]:
    claims = open_claims(address)  # makes the directory, if it is not there
    return open_store(address), claims


@cache
def _ledger(store: Store, experiment: str, script: Path, after: int) -> Ledger:
    _, defaults = resolve(script, (), {})
    return Ledger(store, {experiment: defaults}, after)


@cache
def _use_scratch_folder() -> None:
    """PyTensor leaves files behind, and a killed run its artifacts: let them go with the process."""
    if SCRATCH_VARIABLE not in os.environ:
        os.environ["TMPDIR"] = str(scratch_folder())
        tempfile.tempdir = None


def why_unusable(store: Address, scripts: list[Path], marker: Path | None) -> str | None:
    """Why this process cannot run variants of the scripts to the store; None if it can."""
    for script in scripts:
        if not script.is_file():
            return f"there is no {script} on {socket.gethostname()}: scripts must be on a shared file system"
    if marker is not None and not marker.is_file():
        return f"{store} on {socket.gethostname()} is not the same directory: it must be on a shared file system"
    try:
        _opened(store)
        for script in scripts:
            resolve(script, (), {})
    except RnnlabError as error:
        return f"on {socket.gethostname()}: {error}"
    return None
