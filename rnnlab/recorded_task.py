"""The task of a finished run, in hand again: from the script that made the run, as it is today."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rnnlab
from rnnlab.analysis.reading import sources_of
from rnnlab.analysis.reproduce import script_of
from rnnlab.config import Task, task_defaults
from rnnlab.errors import RnnlabError
from rnnlab.store.record import RunRecord
from rnnlab.sweep.resolve import build_experiment


@dataclass(frozen=True)
class RecordedTask:
    """The task that a run was about.

    task:      the function, or the Series
    arguments: the run's config section `task`, with today's defaults for what it does not name
    sizes:     n_train, n_valid and n_test of its config
    changed:   the files of the script and of the tasks that are not what they were when it ran
    """

    task: Task
    arguments: dict[str, Any]
    sizes: dict[str, int]
    changed: tuple[str, ...]


def recorded_task(record: RunRecord, script: str | os.PathLike[str] | None = None) -> RecordedTask:
    """Build the experiment of a run's script again, and take its task from it.

    script: where it is; None: where the record says, seen from here or from the folder that rnnlab lies in

    Raises RnnlabError if the script is not there, is that of another experiment or has no task, and for a config whose
    task or sizes today's code does not know.
    """
    path = _found(record) if script is None else Path(script)
    if not path.is_file():
        raise RnnlabError(f"run {record.run_id}: there is no script {path}")
    experiment = build_experiment(path.resolve())
    if experiment.path != record.experiment:
        raise RnnlabError(
            f"{path} makes the experiment {experiment.path!r}, but run {record.run_id} is of another, "
            f"{record.experiment!r}: name its own with --script"
        )
    task = getattr(experiment, "task", None)
    if task is None:
        raise RnnlabError(f"{path}: its experiment has no task: must hand one to rnnlab.tracking.track")
    known = task_defaults(task)
    given = record.config.get("task")
    for name in given if isinstance(given, dict) else []:
        if name not in known:
            raise RnnlabError(f"run {record.run_id}: its task had an argument {name!r}; today's has {', '.join(known)}")
    try:
        arguments = {**known, **record.config["task"]}
        sizes = {name: record.config["data"][name] for name in ("n_train", "n_valid", "n_test")}
    except (KeyError, TypeError):
        raise RnnlabError(f"run {record.run_id}: its config has no good sections task and data") from None
    for name, size in sizes.items():
        if type(size) is not int or size < 1:
            raise RnnlabError(f"run {record.run_id}: data.{name} = {size!r}: must be a whole number of at least 1")
    return RecordedTask(task, arguments, sizes, _changed(record, path.resolve()))


def _found(record: RunRecord) -> Path:
    """The run's script, where the record says that it was, seen from here or from the folder that rnnlab lies in."""
    named = script_of(record)
    places = [Path(named), Path(rnnlab.__file__).parents[1] / named]
    for place in places:
        if place.is_file():
            return place
    raise RnnlabError(f"run {record.run_id}: its script {named} is not here, nor is {places[1]}: name it with --script")


def _changed(record: RunRecord, script: Path) -> tuple[str, ...]:
    root = Path(rnnlab.__file__).parents[1]
    changed = []
    for path, digest in sources_of(record).items():
        today = script if path == script_of(record) else root / path if path.startswith("rnnlab/tasks/") else None
        if today is not None and (not today.is_file() or _md5(today) != digest):
            changed.append(path)
    return tuple(changed)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
