"""Where a tracked run keeps its checkpoints, whether it goes on from one, and when they go."""

import hashlib
import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import version
from inspect import getsourcefile, isroutine
from pathlib import Path
from typing import Any

from sacred import Experiment
from sacred.commandline_options import CLIOption
from sacred.observers import RunObserver
from sacred.run import Run

import rnnlab
from rnnlab.compiled import thread_count
from rnnlab.config import Config, Task
from rnnlab.errors import CheckpointError
from rnnlab.store_address import checkpoint_folder
from rnnlab.terminal import one_line
from rnnlab.tracking.conduct import current_conduct
from rnnlab.tracking.storage import store_of
from rnnlab.training.checkpoint import Checkpoint, Checkpoints
from rnnlab.variant_key import variant_key

PACKAGES = ("pytensor", "jax", "jaxlib", "numpy")
RESUME = "--resume"

# What decides a run's numbers.
_CODE = (
    "compiled.py",
    "number_table.py",
    "random_streams.py",
    "run.py",
    *(f"{part}/*.py" for part in ("evaluation", "models", "tasks", "training")),
)

logger = logging.getLogger("rnnlab")


def add_option(experiment: Experiment, option: CLIOption) -> None:
    """Give the experiment's command line one more option."""
    # Sacred takes them only when it makes an experiment, and keeps them in two places.
    experiment.additional_cli_options.append(option)
    experiment.all_cli_options.append(option)


@cache
def made_by(task: Task) -> dict[str, dict[str, str]]:
    """What decides a run's numbers besides its config: {"packages": {name: version}, "code": {file: digest}}.

    The code is that of rnnlab, and the task's own file.
    """
    root = Path(rnnlab.__file__).parent
    files = [file for pattern in _CODE for file in root.glob(pattern)]
    code = {f"rnnlab/{file.relative_to(root).as_posix()}": _digest(file) for file in sorted(files)}
    file = task_file(task)
    if file and root not in Path(file).resolve().parents:
        code[Path(file).name] = _digest(Path(file))
    return {"packages": {package: version(package) for package in PACKAGES}, "code": code}


def task_file(task: Task) -> str | None:
    """The file of a task's code: of the function, or of the class of an object; None if there is none."""
    return getsourcefile(task if isroutine(task) else type(task))


@cache
def _digest(file: Path) -> str:
    # Once per process: what counts is the code that was imported, not what was edited since.
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def open_checkpoints(run: Run, config: Config, made_by: Mapping[str, Any]) -> Checkpoints:
    """The checkpoints of a Sacred run's variant.

    They are in `checkpoint.directory`, or else in `checkpoint_folder` of the run's store.
    """
    key = variant_key(run.experiment_info["name"], config)
    folder = config["checkpoint"]["directory"] or checkpoint_folder(store_of(run.observers))
    identity = {"variant": key, "threads": thread_count(), **made_by}
    run_id = None if run._id is None else str(run._id)
    return Checkpoints(
        Path(folder).expanduser() / f"{key}.npz", identity, config["checkpoint"]["every_seconds"], run_id
    )


def check_start(checkpoints: Checkpoints) -> None:
    """Raise CheckpointError if there are checkpoints of which none can be used."""
    try:
        checkpoints.load()
    except CheckpointError as error:
        raise CheckpointError(f"{error}; to start at the beginning, leave out {RESUME}") from None


def find_start(checkpoints: Checkpoints, run: Run) -> Checkpoint | None:
    """The checkpoint that a Sacred run goes on from; None if it starts at the beginning.

    With `--resume` it goes on from there, and CheckpointError is raised if it cannot; where its surroundings want runs
    to be resumed, it does if it can.
    """
    conduct = current_conduct()
    asked = run.meta_info.get("options", {}).get(RESUME)
    if not asked and not conduct.resume:
        if conduct.by_hand and checkpoints.exist():
            _say(f"starting at the beginning; {RESUME} goes on from the checkpoint {checkpoints.path}")
        return None
    try:
        found = checkpoints.load()
    except CheckpointError as error:
        if asked:
            raise
        logger.warning("%s; starting at the beginning", error)
        return None
    if found is not None and found.problem:
        logger.warning("%s; going on from the one before it", found.problem)
    if conduct.by_hand:
        if found is None:
            _say(f"no checkpoint {checkpoints.path}: starting at the beginning")
        else:
            before = "a run that was not recorded" if found.run_id is None else f"run {found.run_id}"
            _say(f"going on from {before} at update {found.state.n_updates:,}, epoch {found.state.n_epochs:,}")
    return found


def remove_at_completion(checkpoints: Checkpoints, run: Run) -> None:
    """Let the checkpoints go once the run is stored as COMPLETED; an incomplete record keeps them."""
    # Observers are told in this order, so that this one comes after those that store the run.
    run.observers.append(_Remover(checkpoints, run))


class _Remover(RunObserver):
    def __init__(self, checkpoints: Checkpoints, run: Run):
        self._checkpoints = checkpoints
        self._run = run

    def completed_event(self, stop_time: datetime, result: Any) -> None:
        """Remove the checkpoints, if the record is whole."""
        if not self._run._failed_observers and not any(getattr(each, "problem", "") for each in self._run.observers):
            self._checkpoints.remove()


def _say(text: str) -> None:
    print(one_line(text), file=sys.__stderr__)
