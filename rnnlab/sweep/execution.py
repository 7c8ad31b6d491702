"""The execution of a sweep: variants are handed to workers until each of them is run, or cannot be."""

import contextlib
import heapq
import itertools
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rnnlab.store_address import Address
from rnnlab.sweep.hand_out import VariantQueue
from rnnlab.sweep.plan import Plan
from rnnlab.sweep.pools import Pool
from rnnlab.sweep.variant import Variant
from rnnlab.sweep.worker import Outcome, Task, request_stop

SECONDS_BETWEEN_TRIES = 1.0  # at a variant that another sweep has claimed
_SECONDS_TO_WAIT = 0.1


@dataclass(frozen=True)
class Failure:
    """A variant that was run and has no COMPLETED run: why, and the id of the run that failed, if there is one."""

    variant: Variant
    run_id: str | None
    message: str


@dataclass
class Progress:
    """How far a sweep is.

    completed:   run by this sweep; elsewhere: run by another sweep since this one began
    interrupted: stopped on request; the ids of their runs
    waiting:     claimed by another sweep, or not started because the store is away
    away:        why the store is away, as long as it is
    best:        lowest validation loss so far, and the variant that has it
    stopping:    a stop was requested
    problem:     why the sweep cannot go on
    """

    plan: Plan
    n_workers: int = 0
    left: int = 0
    running: int = 0
    waiting: int = 0
    away: str = ""
    completed: list[tuple[Variant, Outcome]] = field(default_factory=list)
    elsewhere: list[Variant] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    interrupted: list[str] = field(default_factory=list)
    best: tuple[float, Variant] | None = None
    stopping: bool = False
    problem: str = ""
    started: float = field(default_factory=time.monotonic)
    first_start: float | None = None
    seconds: float = 0.0

    def note_result(self, variant: Variant, result: Any) -> None:
        """Keep the result if it is the best so far."""
        loss = (result or {}).get("valid_loss")
        if isinstance(loss, int | float) and loss == loss and (self.best is None or loss < self.best[0]):
            self.best = (float(loss), variant)


class StopRequest:
    """What the user asked for by Ctrl-C or SIGTERM; `sweep` names the sweep that is to stop."""

    def __init__(self) -> None:
        self.sweep = uuid.uuid4().hex
        self.wanted = False

    @contextlib.contextmanager
    def by_signals(self, tell: Callable[[], None]) -> Iterator[None]:
        """Inside the `with` block a signal asks to stop, and `tell` is called; a second one is KeyboardInterrupt."""

        def note(number: int, frame: Any) -> None:
            if self.wanted:
                raise KeyboardInterrupt
            self.wanted = True
            request_stop(self.sweep)  # a run in this very process has to know before the sweep's loop can say so
            tell()

        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def execute(
    plan: Plan,
    pool: Pool,
    address: Address,
    retries: int,
    stop: StopRequest,
    show: Callable[[Progress], None],
) -> Progress:
    """Run what is to be run of a plan; gives how it went.

    retries: how often a variant is run again whose worker died
    show:    called with the progress about ten times a second
    """
    progress = Progress(plan, left=len(plan.todo))
    for variant in plan.variants:
        if variant.key in plan.done:
            progress.note_result(variant, plan.done[variant.key].result)
    _Execution(plan, pool, address, retries, progress, stop).run(show)
    progress.seconds = time.monotonic() - progress.started
    return progress


class _Execution:
    """The state of an execution: what is queued, running, and waiting for another sweep."""

    def __init__(self, plan: Plan, pool: Pool, address: Address, retries: int, progress: Progress, stop: StopRequest):
        self._plan, self._pool, self._address, self._retries = plan, pool, address, retries
        self._progress, self._stop = progress, stop
        self._queue = VariantQueue(plan.todo)
        self._running: dict[str, tuple[str, Variant]] = {}
        self._waiting: list[tuple[float, int, Variant]] = []
        self._count = itertools.count()
        self._deaths: dict[str, int] = {}

    def run(self, show: Callable[[Progress], None]) -> None:
        """Hand out variants and collect what becomes of them until nothing is left to do."""
        progress = self._progress
        while self._running or not (progress.stopping or progress.problem or self._nothing_left()):
            if self._stop.wanted and not progress.stopping:
                progress.stopping = True
                self._pool.request_stop(self._stop.sweep)
            if not progress.stopping and not progress.problem:
                self._hand_out()
            self._count_up()
            show(progress)
            for _, task, outcome in self._pool.collect(_SECONDS_TO_WAIT):
                self._take_in(self._running.pop(task.submission)[1], outcome)
        self._count_up()
        progress.stopping = self._stop.wanted and progress.left > 0
        show(progress)

    def _nothing_left(self) -> bool:
        return not self._queue and not self._waiting

    def _hand_out(self) -> None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            self._queue.put_back(heapq.heappop(self._waiting)[2])
        idle = self._pool.idle()
        self._progress.n_workers = len(self._busy().union(idle))
        for worker in idle:
            self._hand_to(worker)
        for worker in self._pool.soon_idle():
            # Towards the end a variant is left to whoever is the first to be idle.
            if len(self._queue) > self._progress.n_workers:
                self._hand_to(worker)

    def _hand_to(self, worker: str) -> None:
        variant = self._queue.next_for(worker)
        if variant is not None:
            task = self._task(variant)
            self._running[task.submission] = worker, variant
            self._pool.submit(worker, task)
            self._progress.first_start = self._progress.first_start or time.monotonic()

    def _busy(self) -> set[str]:
        return {worker for worker, _ in self._running.values()}

    def _task(self, variant: Variant) -> Task:
        return Task(
            sweep=self._stop.sweep,
            experiment=variant.experiment,
            script=variant.script,
            named_configs=variant.named_configs,
            updates=variant.updates,
            key=variant.key,
            store=self._address,
            discounted=self._plan.discounted[variant.key],
            after=self._plan.after,
        )

    def _take_in(self, variant: Variant, outcome: Outcome) -> None:
        progress = self._progress
        progress.away = outcome.message if outcome.kind == "away" else ""
        if outcome.kind == "completed":
            progress.completed.append((variant, outcome))
            progress.note_result(variant, outcome.result)
        elif outcome.kind == "found":
            progress.elsewhere.append(variant)
            progress.note_result(variant, outcome.result)
        elif outcome.kind in ("failed", "found_failed"):
            progress.failures.append(Failure(variant, outcome.run_id, outcome.message or "failed in another sweep"))
        elif outcome.kind == "died":
            self._try_again(variant)
        elif outcome.kind == "unstarted":
            self._queue.put_back(variant)
        elif outcome.kind == "refused":
            progress.problem = progress.problem or outcome.message
        elif self._stop.wanted:  # interrupted, stopped, claimed, away
            if outcome.run_id is not None:
                progress.interrupted.append(outcome.run_id)
        else:  # claimed by another sweep, before or, taking this worker for dead, after it was started; or away
            self._wait_for(variant)

    def _try_again(self, variant: Variant) -> None:
        deaths = self._deaths[variant.key] = self._deaths.get(variant.key, 0) + 1
        if deaths > self._retries:
            message = f"its worker died, {deaths} times in all" if deaths > 1 else "its worker died"
            self._progress.failures.append(Failure(variant, None, message))
        else:
            self._queue.put_back(variant)

    def _wait_for(self, variant: Variant) -> None:
        heapq.heappush(self._waiting, (time.monotonic() + SECONDS_BETWEEN_TRIES, next(self._count), variant))

    def _count_up(self) -> None:
        progress = self._progress
        progress.running = len(self._busy())
        progress.waiting = len(self._waiting)
        settled = len(progress.completed) + len(progress.elsewhere) + len(progress.failures)
        progress.left = len(self._plan.todo) - settled
