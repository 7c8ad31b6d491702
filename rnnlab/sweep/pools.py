"""What a sweep asks of its workers, and the simplest of them: this very process."""

import time
from abc import ABC, abstractmethod

from rnnlab.sweep.worker import Outcome, Task, request_stop, run_variant


class Pool(ABC):
    """Workers that run one variant at a time each."""

    @abstractmethod
    def idle(self) -> list[str]:
        """The names of the workers that have nothing to do."""

    def soon_idle(self) -> list[str]:
        """The names of those that are about to have nothing to do: what they are given now they need not wait for."""
        return []

    @abstractmethod
    def submit(self, worker: str, task: Task) -> None:
        """Give a variant to an idle worker, or one that soon is."""

    @abstractmethod
    def collect(self, seconds: float) -> list[tuple[str, Task, Outcome]]:
        """What has been done since the last call, by which worker; waits for it at most so long."""

    @abstractmethod
    def request_stop(self, sweep: str) -> None:
        """Let the running variants stop at their next validation."""

    @abstractmethod
    def close(self) -> None:
        """Give up the workers, once there is nothing left to collect."""


class OwnProcess(Pool):
    """A single worker: this very process, which runs its variant while it collects."""

    def __init__(self) -> None:
        self._task: Task | None = None

    def idle(self) -> list[str]:
        """The one worker, unless it has a task."""
        return [] if self._task else ["here"]

    def submit(self, worker: str, task: Task) -> None:
        """Take a variant."""
        self._task = task

    def collect(self, seconds: float) -> list[tuple[str, Task, Outcome]]:
        """Run the variant that was taken."""
        if self._task is None:
            time.sleep(seconds)
            return []
        task, self._task = self._task, None
        return [("here", task, run_variant(task))]

    def request_stop(self, sweep: str) -> None:
        """Let the running variant stop at its next validation."""
        request_stop(sweep)

    def close(self) -> None:
        """There is nothing to give up."""
