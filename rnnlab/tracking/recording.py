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


class StoppedOnRequest(KeyboardInterrupt):
    """Ends a Sacred run as INTERRUPTED, after everything it has was recorded."""


def record_run(sacred_run: Run, config: Config, task: Task, git: GitState | None) -> dict[str, Any]:
    """Run a config inside a Sacred run, record it, and return the summary as Sacred's result.

    Raises StoppedOnRequest, once the record is whole, if the run was asked to stop.
    """
    conduct = current_conduct()
    show = conduct.progress(config)

    def log(step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            sacred_run.log_scalar(name, finite_or_nan(value), int(step))
        show(step, metrics)

    with tempfile.TemporaryDirectory(prefix="rnnlab-") as folder:
        if git is not None and git.dirty and git.patch:
            _add_artifact(sacred_run, Path(folder, "uncommitted.patch"), git.patch)
        result = run(config, task, log, conduct.stop_requested)
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
