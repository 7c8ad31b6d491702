"""Early stopping: which validation was the best, and when to stop waiting for a better one."""

import math
from dataclasses import dataclass, field

RULES = ("patience", "lisa", "none")


@dataclass(frozen=True)
class StoppingRule:
    """When to stop.

    rule `patience`: stop after `patience` validations in a row none of which improved the reference loss by more than
    `min_delta`; the reference is the loss of the last validation that did.

    rule `lisa` (Deep Learning Tutorials, LISA lab, "Early-Stopping"): stop when the number of updates reaches the
    patience, which starts at `patience_updates`. A validation loss below `improvement_threshold` times the best so far
    raises the patience to at least `patience_increase` times the updates made.

    rule `none`: train for `max_epochs`; the best weights are kept all the same.
    """

    rule: str
    patience: int
    min_delta: float
    patience_updates: int
    patience_increase: float
    improvement_threshold: float


@dataclass
class EarlyStopping:
    """The state of early stopping in a run. Call `observe` once per validation, then read `reason`."""

    rule: StoppingRule
    best_loss: float = math.inf
    best_update: int = 0
    best_epoch: int = 0
    reference_loss: float = math.inf
    waited: int = 0
    patience_updates: float = 0.0
    improvements: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self):
        self.patience_updates = max(self.patience_updates, float(self.rule.patience_updates))

    def observe(self, update: int, epoch: int, valid_loss: float) -> bool:
        """Take note of a validation loss and say whether it is the best so far. A NaN never is."""
        best = valid_loss < self.best_loss
        if valid_loss < self.rule.improvement_threshold * self.best_loss:
            self.patience_updates = max(self.patience_updates, update * self.rule.patience_increase)
        if valid_loss < self.reference_loss - self.rule.min_delta:
            self.reference_loss = valid_loss
            self.waited = 0
        else:
            self.waited += 1
        if best:
            self.best_loss, self.best_update, self.best_epoch = valid_loss, update, epoch
            self.improvements.append({"update": update, "epoch": epoch, "valid_loss": valid_loss})
        return best

    def exhausted(self, update: int) -> bool:
        """Whether the patience has run out after `update` updates."""
        if self.rule.rule == "patience":
            return self.waited >= self.rule.patience
        if self.rule.rule == "lisa":
            return update >= self.patience_updates
        return False

    def explain(self, update: int) -> str:
        """Why the patience has run out, in words."""
        if self.rule.rule == "lisa":
            return (
                f"the patience of {self.patience_updates:,.0f} updates ran out at update {update:,}; "
                f"the best validation loss was {self.best_loss:.6g} at update {self.best_update:,}"
            )
        return (
            f"no validation loss below {self.reference_loss:.6g} by more than {self.rule.min_delta:g} "
            f"in {self.waited} validations; the best was {self.best_loss:.6g} at update {self.best_update:,}"
        )
