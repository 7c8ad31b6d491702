"""A sweep's workers on Dask: a cluster of this machine's own, or any that is running."""

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster
from distributed.scheduler import KilledWorker

from rnnlab.errors import RnnlabError
from rnnlab.store_address import Address
from rnnlab.sweep.pools import Pool
from rnnlab.sweep.scratch import scratch_folder
from rnnlab.sweep.worker import SCRATCH_VARIABLE, Outcome, Task, request_stop, run_variant, why_unusable

MEMORY_GROWTH = 2**30  # bytes: about sixty compiled structures, or a leak

_QUICK = 1.0  # seconds: a worker whose last variant took less is given the next one ahead

TRIES_TO_START = 3

_SECONDS_TO_CONNECT = 5
_SECONDS_TO_CLOSE = 0.3  # in good order: idle workers have nothing to lose
_SECONDS_TO_END = 3
_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_TO_ANSWER = 10
_GONE = "the Dask scheduler is gone; the same command goes on where this one ended"

# Ends with the process. (A pool may be closed while its scheduler no longer answers.)
_IN_BACKGROUND = ThreadPoolExecutor(1, thread_name_prefix="rnnlab-recycle")


class DaskPool(Pool):
    """The workers of a Dask cluster, as they come and go.

    growth: a worker whose memory has grown by so many bytes since its first variant is restarted between two
            variants; None leaves it alone
    """

    def __init__(self, client: Any, growth: int | None = None):
        self._client = client
        self._growth = growth
        self._done: queue.SimpleQueue[tuple[str, Task, Any]] = queue.SimpleQueue()
        self._given: dict[str, list[Task]] = {}  # in the order in which the worker takes them
        self._quick: set[str] = set()
        self._futures: dict[str, Any] = {}
        self._memory: dict[str, int] = {}
        self._recycled: set[str] = set()
        self._workers: list[str] = []
        self._looked = -_SECONDS_BETWEEN_LOOKS

    def idle(self) -> list[str]:
        """The addresses of the workers without a variant of this sweep."""
        self._look()
        return [worker for worker in self._workers if not self._given.get(worker) and worker not in self._recycled]

    def soon_idle(self) -> list[str]:
        """The workers with one variant that are quick: between two they would wait longer than is worth it."""
        return [
            worker
            for worker in self._workers
            if len(self._given.get(worker, ())) == 1 and worker in self._quick and worker not in self._recycled
        ]

    def submit(self, worker: str, task: Task) -> None:
        """Give a variant to a worker, and to no other: Dask might not find one, and then wait for ever."""
        key = f"rnnlab-{task.key}-{task.submission}"
        future = self._client.submit(run_variant, task, key=key, workers=[worker])
        self._given.setdefault(worker, []).append(task)
        self._futures[task.submission] = future
        future.add_done_callback(lambda done: self._done.put((worker, task, done)))

    def collect(self, seconds: float) -> list[tuple[str, Task, Outcome]]:
        """What has been done since the last call."""
        if self._client.status != "running":
            raise RnnlabError(_GONE)
        collected: list[tuple[str, Task, Outcome]] = []
        with suppress(queue.Empty):
            while True:
                worker, task, future = self._done.get(timeout=0 if collected else seconds)
                if task.submission not in self._futures:  # of a worker that was given up
                    continue
                outcome = self._outcome(future)
                if outcome.kind == "died":
                    collected += self._give_up(worker)
                    continue
                self._given[worker].remove(task)
                del self._futures[task.submission]
                (self._quick.add if outcome.seconds < _QUICK else self._quick.discard)(worker)
                self._recycle(worker, outcome)
                collected.append((worker, task, outcome))
        self._look()
        for worker in self._given.keys() - set(self._workers):
            collected += self._give_up(worker)
        return collected

    def _look(self) -> None:
        """See which workers there are."""
        if time.monotonic() - self._looked >= _SECONDS_BETWEEN_LOOKS:
            self._workers = list(self._ask(self._client.nthreads))
            self._looked = time.monotonic()

    def _give_up(self, worker: str) -> list[tuple[str, Task, Outcome]]:
        """What becomes of the variants of a worker that died: it ran the first, and had not begun with the others."""
        tasks = self._given.pop(worker, [])
        for task in tasks:
            del self._futures[task.submission]  # by which Dask forgets it
        return [(worker, task, Outcome("unstarted" if n else "died")) for n, task in enumerate(tasks)]

    def request_stop(self, sweep: str) -> None:
        """Let the running variants stop at their next validation."""
        _IN_BACKGROUND.submit(self._client.run, request_stop, sweep, on_error="ignore")

    def close(self) -> None:
        """Leave the cluster to itself."""
        with suppress(Exception):  # what was to be done is done: a cluster too busy to say goodbye changes nothing
            self._client.close(timeout=1)

    def _ask(self, question: Any) -> Any:
        try:
            return question()
        except (OSError, TimeoutError, RuntimeError):
            raise RnnlabError(_GONE) from None

    def _outcome(self, future: Any) -> Outcome:
        if future.status == "finished":
            try:
                return future.result(timeout=_SECONDS_TO_ANSWER)
            except TimeoutError:  # the worker died before it could hand it over
                return Outcome("died")
        if future.status != "error":  # lost with the scheduler, or with its worker
            return Outcome("died")
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Outcome("died")
        return Outcome("refused", message=" ".join(f"{type(error).__name__}: {error}".split())[:300])

    def _recycle(self, worker: str, outcome: Outcome) -> None:
        """Restart a worker whose memory has grown, when it has nothing left to do."""
        before = self._memory.setdefault(worker, outcome.memory)
        if self._growth is not None and outcome.memory > before + self._growth:
            self._recycled.add(worker)
        if worker in self._recycled and not self._given[worker]:
            _IN_BACKGROUND.submit(self._client.restart_workers, [worker], timeout=60, raise_for_error=False)


class LocalPool(DaskPool):
    """Processes of this machine, with one thread each, which end with this one, however it ends."""

    def __init__(self, n_workers: int, growth: int | None = MEMORY_GROWTH):
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        folder = str(scratch_folder())
        # Dask lets the environment, which worker processes inherit, go before its own settings.
        os.environ.update({"TMPDIR": folder, SCRATCH_VARIABLE: folder})
        # Python's own process that tidies up after this one, however that ends, would tell that there was something.
        ignored = filter(None, [os.environ.get("PYTHONWARNINGS"), "ignore:resource_tracker:UserWarning"])
        os.environ["PYTHONWARNINGS"] = ",".join(ignored)
        threads = ("PJRT_NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        dask.config.set(
            {
                # How often a variant is tried again is for the sweep to say.
                "distributed.scheduler.allowed-failures": 0,
                **{f"distributed.nanny.pre-spawn-environ.{name}": 1 for name in threads},
                # What Dask does many times a second to watch itself is for a page that is not served.
                "distributed.worker.profile.enabled": False,
                "distributed.admin.tick.interval": "1s",
                "distributed.logging.distributed": "critical",
                "temporary-directory": folder,
            }
        )
        self._cluster = _local_cluster(n_workers, folder)
        super().__init__(Client(self._cluster), growth)

    def close(self) -> None:
        """End the processes: in good order, or if that takes too long (one may be just starting) by SIGKILL."""
        super().close()
        # Not `close(timeout=...)`: it would leave the cluster half closed, and Python's exit waiting for it.
        closing = threading.Thread(target=self._close_cluster, daemon=True)
        closing.start()
        closing.join(_SECONDS_TO_CLOSE)
        if closing.is_alive():
            for pid in self._processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            closing.join(_SECONDS_TO_END)

    def _close_cluster(self) -> None:
        with suppress(Exception):  # the sweep is over, however its workers end
            self._cluster.close()

    def _processes(self) -> list[int]:
        """The ids of the worker processes that are alive."""
        return [nanny.pid for nanny in list(self._cluster.workers.values()) if nanny.pid is not None]


def _local_cluster(n_workers: int, folder: str) -> LocalCluster:
    """Processes of this machine; raises RnnlabError if they die again and again before they are ready."""
    for attempt in range(1, TRIES_TO_START + 1):
        try:
            return LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                # Any free port: otherwise a second sweep on the machine finds the usual one taken, and says so.
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                memory_limit=0,
                local_directory=folder,
                preload=["rnnlab.sweep.preload"],
                silence_logs=logging.CRITICAL,
            )
        except (RuntimeError, TimeoutError) as error:  # of one that is killed later on, Dask makes another by itself
            if attempt == TRIES_TO_START:
                words = f"{n_workers} worker processes cannot be started: {' '.join(str(error).split())[:150]}"
                raise RnnlabError(f"{words}; fewer --workers need less memory, --workers 0 needs none") from None
    raise AssertionError("the last attempt returns or raises")


def connect(scheduler: str, store: Address, scripts: Iterable[Path], marker: Path | None) -> DaskPool:
    """The workers of a running cluster, which must reach the scripts and the store.

    marker: a file in the store's directory, by which a worker sees that it has the same one

    Raises RnnlabError if no scheduler answers at the address, or a worker lacks something.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=_SECONDS_TO_CONNECT)
    except (OSError, TimeoutError, ValueError) as error:
        words = " ".join(str(error).split())[:150]
        raise RnnlabError(f"no Dask scheduler answers at {scheduler} (as tcp://host:8786): {words}") from None
    try:
        answers = client.run(why_unusable, store, list(scripts), marker)
    except Exception as error:  # noqa: BLE001  (whatever the import of rnnlab raises over there)
        client.close()
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise RnnlabError(f"the workers of {scheduler} cannot run rnnlab: {words}") from None
    for worker, problem in answers.items():
        if problem:
            client.close()
            raise RnnlabError(f"worker {worker}: {problem}")
    return DaskPool(client)
