"""What a run records beside Sacred's own entries: curves, decisions, weights, the uncommitted changes."""

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sacred.run import Run

from rnnlab.config import Config, Task
from rnnlab.run import Result, run
from rnnlab.tracking.conduct import current_conduct
from rnnlab.tracking.git_state import GitState
from rnnlab.tracking.resuming import find_start, open_checkpoints, remove_at_completion


class StoppedOnRequest(KeyboardInterrupt):
    """Ends a Sacred run as INTERRUPTED, after everything it has was recorded."""


def record_run(
    sacred_run: Run, config: Config, task: Task, git: GitState | None, made_by: Mapping[str, Any]
) -> dict[str, Any]:
    """Run a config inside a Sacred run, record it, and return the summary as Sacred's result.

    git, made_by: the state of the code, for the record and for checkpoints (see `made_by` in resuming.py)

    Raises StoppedOnRequest, once the record is whole, if the run was asked to stop.
    """
    conduct = current_conduct()
    checkpoints = open_checkpoints(sacred_run, config, made_by)
    checkpoint = find_start(checkpoints, sacred_run)
    if checkpoint is not None:
        sacred_run.info["resumed_from"] = {"run_id": checkpoint.run_id, "update": checkpoint.state.n_updates}
    remove_at_completion(checkpoints, sacred_run)
    show = conduct.progress(config)
    # What a resumed run went through before is logged anew, all at once: that is no progress.
    first_shown = 0 if checkpoint is None else checkpoint.state.n_updates

    def log(step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            sacred_run.log_scalar(name, finite_or_nan(value), int(step))
        if step >= first_shown:
            show(step, metrics)

    with tempfile.TemporaryDirectory(prefix="rnnlab-") as folder:
        if git is not None and git.dirty and git.patch:
            _add_artifact(sacred_run, Path(folder, "uncommitted.patch"), git.patch)
        start = None if checkpoint is None else checkpoint.state
        result = run(config, task, log, conduct.stop_requested, start, checkpoints.save)
        _record_result(sacred_run, result, Path(folder))
    if result.early_stopping["reason"] == "interrupted":
        sacred_run.result = result.summary
        raise StoppedOnRequest(result.early_stopping["message"])
    return result.summary


def finite_or_nan(value: float) -> float:
    """A Python float; infinities become NaN, the one non-finite value that every store keeps."""
    value = float(value)
    return value if math.isfinite(value) else math.nan


def _record_result(sacred_run: Run, result: Result, folder: Path) -> None:
    sacred_run.info["early_stopping"] = result.early_stopping
    sacred_run.info["environment"] = result.environment
    _add_arrays(sacred_run, folder / "weights.npz", result.weights)
    if result.updates is not None:
        _add_arrays(sacred_run, folder / "updates.npz", result.updates)


def _add_arrays(sacred_run: Run, path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    sacred_run.add_artifact(str(path), content_type="application/octet-stream")


def _add_artifact(sacred_run: Run, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    sacred_run.add_artifact(str(path), content_type="text/plain")
