"""What the surroundings of a run want of it: a script at a terminal wants other things than a sweep's worker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from rnnlab.config import Config
from rnnlab.errors import RnnlabError
from rnnlab.terminal import one_line
from rnnlab.training.fit import Log


class Progress(Protocol):
    """Shows how a run goes on: called with its config, it gives the function to call at each validation."""

    def __call__(self, config: Config) -> Log:
        """The log of a run with this config."""
        ...


def _silent(config: Config) -> Log:
    return lambda step, metrics: None


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Conduct:
    """How runs are conducted.

    by_hand:        somebody started the run from a script: errors in the input end the process with one line
    progress:       shows how the run goes on
    stop_requested: whether the run should stop soon
    resume:         a run goes on from the checkpoint of an earlier one of the same config, if it can
    """

    by_hand: bool = False
    progress: Progress = _silent
    stop_requested: Callable[[], bool] = _never
    resume: bool = False


_BY_DEFAULT = Conduct()
_CONDUCT: ContextVar[Conduct] = ContextVar("conduct", default=_BY_DEFAULT)


def current_conduct() -> Conduct:
    """How the run at hand is to be conducted."""
    return _CONDUCT.get()


@contextmanager
def conducted(conduct: Conduct) -> Iterator[None]:
    """Conduct the runs inside the `with` block in the given way."""
    token = _CONDUCT.set(conduct)
    try:
        yield
    finally:
        _CONDUCT.reset(token)


@contextmanager
def input_errors() -> Iterator[None]:
    """Ends a process started by hand with one line for an error in its input; elsewhere the error goes on."""
    try:
        yield
    except RnnlabError as error:
        if current_conduct().by_hand:
            raise SystemExit(f"error: {one_line(str(error))}") from None
        raise
