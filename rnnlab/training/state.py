"""The state of training: everything that changes from one update to the next, and what is to be logged of it."""

from dataclasses import dataclass, field

import numpy as np

from rnnlab.training.early_stopping import EarlyStopping
from rnnlab.training.epoch import Arrays, UpdateLog


@dataclass
class TrainingState:
    """Everything that changes during training; with it, training goes on as if it had never ended.

    `pending` holds the logs of the updates since the last validation, each with the number of sequences of every
    update; `update_logs` those of all updates, where they are kept; `history` what was logged at each validation, as
    (number of updates, metrics).
    """

    parameters: Arrays
    slots: Arrays
    best_parameters: Arrays
    stopping: EarlyStopping
    n_updates: int = 0
    n_epochs: int = 0
    n_examples: int = 0
    seconds: float = 0.0
    pending: list[tuple[UpdateLog, np.ndarray]] = field(default_factory=list)
    update_logs: list[UpdateLog] = field(default_factory=list)
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)


def joined_logs(update_logs: list[UpdateLog]) -> Arrays:
    """Consecutive update logs as one array (n_updates,) for each of their fields; there must be one at least."""
    kept = [name for name in UpdateLog.__annotations__ if getattr(update_logs[0], name) is not None]
    return {name: np.concatenate([getattr(log, name) for log in update_logs]) for name in kept}
