"""The order of work: which minibatches are run in one compiled call, and after which calls validation follows."""

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """The minibatches `start` to `stop` of an epoch (counted from 0), run in one call."""

    epoch: int
    start: int
    stop: int
    ends_epoch: bool
    validate: bool


def plan(n_minibatches: int, max_epochs: int, validate_every: int | None) -> Iterator[Chunk]:
    """All chunks of a training run in order.

    Validation comes after every `validate_every` updates, counted from the start of each epoch, and at the epoch's end.
    None means at the end of every epoch; a number beyond an epoch's length is rounded up to whole epochs. The last
    epoch always ends with a validation.
    """
    size = min(validate_every or n_minibatches, n_minibatches)
    epochs = math.ceil((validate_every or 1) / n_minibatches)
    for epoch in range(max_epochs):
        for start in range(0, n_minibatches, size):
            stop = min(start + size, n_minibatches)
            ends_epoch = stop == n_minibatches
            due = (epoch + 1) % epochs == 0 or epoch + 1 == max_epochs
            yield Chunk(epoch, start, stop, ends_epoch, validate=due or not ends_epoch)


def count_validations(n_minibatches: int, max_epochs: int, validate_every: int | None) -> int:
    """The number of validations in `plan`."""
    size = min(validate_every or n_minibatches, n_minibatches)
    epochs = math.ceil((validate_every or 1) / n_minibatches)
    return math.ceil(max_epochs / epochs) * math.ceil(n_minibatches / size)
