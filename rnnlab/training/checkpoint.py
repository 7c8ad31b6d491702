"""Checkpoints: the whole state of training in one file, replaced as a whole, so that a killed run can go on."""

import dataclasses
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.atomic_file import write_atomically
from rnnlab.errors import CheckpointError
from rnnlab.training.checkpoint_file import pack, unpack
from rnnlab.training.early_stopping import EarlyStopping, StoppingRule
from rnnlab.training.epoch import Arrays, UpdateLog
from rnnlab.training.state import TrainingState, joined_logs

COUNTERS = ("n_updates", "n_epochs", "n_examples", "seconds")

logger = logging.getLogger("rnnlab")


@dataclass(frozen=True)
class Checkpoint:
    """A state of training.

    run_id:  of the run that was in it; None if that was not recorded
    problem: what is wrong with the newer one that could not be used; empty if this is the newest
    """

    state: TrainingState
    run_id: str | None
    problem: str = ""


class Checkpoints:
    """The checkpoints of one variant: the newest, and the one before it in case that is damaged.

    path:          of the newest; its folder is made when the first one is saved
    identity:      what a checkpoint must agree in to be gone on from: `variant` and `threads`, and by name the
                   `packages`, with their versions, and the files of `code`, with their digests
    every_seconds: how long a kill may throw training back; 0: a checkpoint after every compiled call; None: none at all
    run_id:        of the run that is in training
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], every_seconds: float | None, run_id: str | None = None):
        self.path = path
        self._before = path.with_suffix(".previous.npz")
        self._identity = identity
        self._every_seconds = every_seconds
        self._run_id = run_id
        self._last = time.monotonic()
        self._failing = False

    def save(self, state: TrainingState, stopping: bool) -> None:
        """Keep a state, if the last one was kept long enough ago, or if training is to stop.

        Where it cannot be written, a warning says so once, and training goes on.
        """
        if self._every_seconds is None or not (stopping or time.monotonic() - self._last >= self._every_seconds):
            return
        try:
            self._write(to_bytes(state, self._identity, self._run_id))
            self._failing = False
        except OSError as error:
            if not self._failing:
                logger.warning("no checkpoint can be written: %s: %s; training goes on", error.strerror, self.path)
            self._failing = True
        self._last = time.monotonic()

    def load(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; None if there is none at all.

        Raises CheckpointError if there are some but none of them can be used.
        """
        problem: CheckpointError | None = None
        for path in (self.path, self._before):
            try:
                checkpoint = from_bytes(path.read_bytes(), self._identity)
            except FileNotFoundError:
                continue
            except OSError as error:
                problem = problem or CheckpointError(f"checkpoint {path}: {error.strerror}")
            except CheckpointError as error:
                problem = problem or CheckpointError(f"checkpoint {path}: {error}")
            else:
                return replace(checkpoint, problem=str(problem or ""))
        if problem is not None:
            raise problem
        return None

    def exist(self) -> bool:
        """Whether there is a checkpoint, good or not."""
        return self.path.exists() or self._before.exists()

    def remove(self) -> None:
        """Remove the checkpoints, and what a kill left of one that was being written."""
        with suppress(OSError):
            for path in (self.path, self._before, *self.path.parent.glob(f".{self.path.name}.*.tmp")):
                path.unlink(missing_ok=True)

    def _write(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A kill from here on leaves the one before, as a kill just before the save would have.
        with suppress(FileNotFoundError):
            self.path.replace(self._before)
        write_atomically(self.path, content, durable=True)


def to_bytes(state: TrainingState, identity: Mapping[str, Any], run_id: str | None) -> bytes:
    """The content of a checkpoint file."""
    arrays = {
        **{f"parameters/{name}": array for name, array in state.parameters.items()},
        **{f"slots/{name}": array for name, array in state.slots.items()},
        **{f"best/{name}": array for name, array in state.best_parameters.items()},
    }
    if state.pending:
        logs = joined_logs([update_log for update_log, _ in state.pending])
        arrays |= {f"pending/{name}": array for name, array in logs.items()}
        arrays["pending_counts"] = np.concatenate([counts for _, counts in state.pending])
    if state.update_logs:
        arrays |= {f"updates/{name}": array for name, array in joined_logs(state.update_logs).items()}
    rest = {
        "identity": identity,
        "run_id": run_id,
        "stopping": dataclasses.asdict(state.stopping),
        "counters": {name: getattr(state, name) for name in COUNTERS},
        "history": state.history,
    }
    return pack(arrays, rest)


def from_bytes(content: bytes, identity: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint in the content of a file; raises CheckpointError if it is damaged or of another identity."""
    arrays, rest = unpack(content)
    try:
        return _checkpoint(arrays, rest, identity)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"is no checkpoint: {error!r}") from None


def _checkpoint(arrays: Arrays, rest: Mapping[str, Any], identity: Mapping[str, Any]) -> Checkpoint:
    if difference := _difference(rest["identity"], identity):
        raise CheckpointError(difference)
    stopping = {**rest["stopping"], "rule": StoppingRule(**rest["stopping"]["rule"])}
    pending, updates = _part(arrays, "pending"), _part(arrays, "updates")
    state = TrainingState(
        parameters=_part(arrays, "parameters"),
        slots=_part(arrays, "slots"),
        best_parameters=_part(arrays, "best"),
        stopping=EarlyStopping(**stopping),
        pending=[(UpdateLog(**pending), arrays["pending_counts"])] if pending else [],
        update_logs=[UpdateLog(**updates)] if updates else [],
        history=[(step, metrics) for step, metrics in rest["history"]],
        **rest["counters"],
    )
    run_id = rest["run_id"]
    return Checkpoint(state, None if run_id is None else str(run_id))


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(f"{prefix}/"): array for name, array in arrays.items() if name.startswith(f"{prefix}/")}


def _difference(made_with: Mapping[str, Any], today: Mapping[str, Any]) -> str | None:
    """What a checkpoint does not share with a run that is to go on from it, in words."""
    if made_with["variant"] != today["variant"]:
        return f"belongs to another config, {made_with['variant']}"
    if made_with["threads"] != today["threads"]:
        return f"was made with PJRT_NPROC={made_with['threads']}, now it is {today['threads']}, which changes the bits"
    for package, version in today["packages"].items():
        before = made_with["packages"].get(package)
        if before != version:
            return f"was made with {package} {before}, now it is {version}"
    changed = sorted(
        name
        for name in made_with["code"].keys() | today["code"].keys()
        if made_with["code"].get(name) != today["code"].get(name)
    )
    if changed:
        more = f" and {len(changed) - 1} more have" if len(changed) > 1 else " has"
        return f"was made by other code: {changed[0]}{more} changed"
    return None
