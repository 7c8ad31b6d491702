"""Training, validation and test splits: drawn from a task, dealt from a fixed data set, or cut from one long series."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.random_streams import stream
from rnnlab.tasks.arguments import check_number, check_whole
from rnnlab.tasks.sequences import Sequences, Splits, select


def generate_splits(
    task: Callable[..., Sequences],
    task_arguments: Mapping[str, Any],
    seed: int,
    n_train: int,
    n_valid: int,
    n_test: int,
    epoch: int = 0,
) -> Splits:
    """Draw every split of a task from a random stream of its own: `data.train` (at `epoch`), `data.valid`, `data.test`.

    Another number of sequences in one split, or another epoch, leaves the others as they are. A task whose data are
    fixed has `splits` of its own, which depend on neither seed nor epoch. Raises RnnlabError for arguments that the
    task does not take.
    """
    if own_splits := getattr(task, "splits", None):
        return own_splits(n_train, n_valid, n_test, **task_arguments)
    return Splits(
        train=task(stream(seed, "data.train", epoch), n_train, **task_arguments),
        valid=task(stream(seed, "data.valid"), n_valid, **task_arguments),
        test=task(stream(seed, "data.test"), n_test, **task_arguments),
    )


def split_sequences(sequences: Sequences, n_train: int, n_valid: int, n_test: int, rng: np.random.Generator) -> Splits:
    """Deal a fixed set of sequences to the three splits at random, each sequence to exactly one.

    Raises RnnlabError unless each split gets at least one sequence and none is left over.
    """
    for name, size in (("n_train", n_train), ("n_valid", n_valid), ("n_test", n_test)):
        check_whole(name, size, 1)
    total = n_train + n_valid + n_test
    if total != sequences.n_sequences:
        raise RnnlabError(
            f"n_train + n_valid + n_test = {total}: must be the number of sequences, {sequences.n_sequences}"
        )
    order = rng.permutation(total)
    train, valid, test = np.split(order, [n_train, n_train + n_valid])
    return Splits(select(sequences, train), select(sequences, valid), select(sequences, test))


def split_series(
    series: np.ndarray,
    window: int,
    horizon: int = 1,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    stride: int = 1,
    every_state: bool = False,
) -> Splits:
    """Cut one long series in time order into three parts, and each part into windows with what follows them.

    series:      (n_total, n_features) float64, in time order
    window:      steps of each input sequence, `u[t] = series[start + t]`
    horizon:     how many steps ahead the target lies: `series[start + window - 1 + horizon]`, or with `every_state`
                 `series[start + t + horizon]` at every step t
    fractions:   the parts' shares of the series: first training, then validation, then test; they add up to 1
    stride:      steps between the starts of two windows of a part

    No window crosses a cut, nor does its target, so that nothing of one split is in another. Raises RnnlabError if
    a part is too short for one window with its target.
    """
    _check_series(series, fractions)
    for name, value in (("window", window), ("horizon", horizon), ("stride", stride)):
        check_whole(name, value, 1)
    cuts = [round(sum(fractions[:part]) * len(series)) for part in range(4)]
    parts = {}
    for name, start, stop in zip(("train", "valid", "test"), cuts, cuts[1:], strict=False):
        if stop - start < window + horizon:
            raise RnnlabError(
                f"the {name} part of the series has {stop - start} steps: must have at least "
                f"window + horizon = {window + horizon}"
            )
        parts[name] = windows(series[start:stop], window, horizon, stride, every_state)
    return Splits(**parts)


def windows(part: np.ndarray, window: int, horizon: int = 1, stride: int = 1, every_state: bool = False) -> Sequences:
    """All windows of a stretch of a series (n_total, n_features), with what follows each, as in `split_series`."""
    starts = np.arange(0, len(part) - window - horizon + 1, stride)
    steps = starts[:, None] + np.arange(window)
    targets = part[steps + horizon]
    return Sequences(inputs=part[steps], targets=targets if every_state else targets[:, -1])


def _check_series(series: np.ndarray, fractions: Sequence[float]) -> None:
    if series.ndim != 2:
        raise RnnlabError(f"series has shape {series.shape}: must be (n_total, n_features)")
    if len(fractions) != 3:
        raise RnnlabError(f"fractions = {list(fractions)}: must be three, for train, valid and test")
    for fraction in fractions:
        check_number("fractions", fraction, 0.0, open_minimum=True)
    if abs(sum(fractions) - 1.0) > 1e-9:
        raise RnnlabError(f"fractions = {list(fractions)}: must add up to 1, not {sum(fractions):g}")
