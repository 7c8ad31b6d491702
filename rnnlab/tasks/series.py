"""A fixed series as a task: from a window of past values predict the next ones; cut in time order into its splits."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.number_table import read_number_file
from rnnlab.tasks.arguments import check_whole
from rnnlab.tasks.sequences import Sequences, Splits
from rnnlab.tasks.splits import windows

MANIFEST = "MANIFEST.json"
PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Series:
    """Forecasting one series of several features, read from a CSV file; hand an instance to `track` as the task.

    path:    the file: a header line, then one row a time step, in time order. Where a MANIFEST.json lies beside it, the
             file must have the SHA-256 that stands there.
    columns: the features, by the names in the header, in this order
    season:  steps of a season, for the naive prediction by the value of the season before; None: there is none

    Inputs are windows of the series, `u[t] = series[start + t]`; the target is `series[start + n_steps - 1 + horizon]`,
    or `series[start + t + horizon]` at every step t. Features stay in the file's units.
    """

    path: Path
    columns: tuple[str, ...]
    season: int | None = None

    def __call__(
        self,
        rng: np.random.Generator,
        n_sequences: int,
        *,
        n_steps: int = 12,
        horizon: int = 1,
        every_state: bool = False,
    ) -> Sequences:
        """Draw windows from anywhere in the series, whatever split they are in: what tasks are asked for as samples.

        n_steps:     steps of a window
        horizon:     how many steps after the window's end the target lies
        every_state: predict at every step of the window, `horizon` ahead of it, instead of at its end only

        Returns inputs (n_sequences, n_steps, n_features) and targets (n_sequences, n_features), or (n_sequences,
        n_steps, n_features). Raises RnnlabError for an argument out of range or a file that is not as it should be.
        """
        every = self.windows(self.values(), n_steps, horizon, every_state)
        starts = rng.integers(0, every.n_sequences, n_sequences)
        return Sequences(every.inputs[starts], every.targets[starts])

    def splits(
        self,
        n_train: int,
        n_valid: int,
        n_test: int,
        *,
        n_steps: int = 12,
        horizon: int = 1,
        every_state: bool = False,
    ) -> Splits:
        """The last `n_test` windows, the `n_valid` before them, and the `n_train` before those, all in time order.

        No window crosses a cut, nor does its target, and with more training windows the other splits stay as they are.
        Raises RnnlabError if the series is too short for so many.
        """
        parts = self.parts(n_train, n_valid, n_test, n_steps=n_steps, horizon=horizon)
        return Splits(**{name: self.windows(parts[name], n_steps, horizon, every_state) for name in PARTS})

    def parts(
        self, n_train: int, n_valid: int, n_test: int, *, n_steps: int = 12, horizon: int = 1
    ) -> dict[str, np.ndarray]:
        """The stretches of the series that the splits are cut from: {"train": (n_steps_of_it, n_features), ...}."""
        _check(n_steps, horizon)
        series = self.values()
        sizes = [n + n_steps + horizon - 1 for n in (n_train, n_valid, n_test)]
        if sum(sizes) > len(series):
            most = len(series) - 3 * (n_steps + horizon - 1)
            raise RnnlabError(
                f"n_train + n_valid + n_test = {n_train + n_valid + n_test}: must be at most {most}, the windows of "
                f"n_steps = {n_steps} in {self.path.name}, whose {len(series)} steps are cut into three parts"
            )
        first = len(series) - sum(sizes)
        cuts = [first, first + sizes[0], first + sizes[0] + sizes[1], len(series)]
        return {name: series[start:stop] for name, start, stop in zip(PARTS, cuts, cuts[1:], strict=False)}

    def values(self) -> np.ndarray:
        """The series, (n_total, n_features). Raises RnnlabError for a file that cannot be read or was changed."""
        return _read(Path(self.path), self.columns)

    def windows(self, stretch: np.ndarray, n_steps: int, horizon: int = 1, every_state: bool = False) -> Sequences:
        """All windows of a stretch of the series (n, n_features), in time order; RnnlabError if it is too short."""
        _check(n_steps, horizon)
        if len(stretch) < n_steps + horizon:
            raise RnnlabError(
                f"n_steps = {n_steps}: must be at most {len(stretch) - horizon}, in a stretch of {len(stretch)} steps"
            )
        return windows(stretch, n_steps, horizon, every_state=every_state)

    def other_windows(
        self, n_steps: int, sizes: Mapping[str, int], arguments: Mapping[str, Any]
    ) -> tuple[Sequences, Sequences]:
        """Windows of another number of steps, from the training and from the test part that `splits` has.

        sizes, arguments: what `splits` was called with
        """
        parts = self.parts(**sizes, n_steps=arguments["n_steps"], horizon=arguments["horizon"])
        test, train = (
            self.windows(parts[name], n_steps, arguments["horizon"], arguments["every_state"])
            for name in ("test", "train")
        )
        return train, test


def _check(n_steps: int, horizon: int) -> None:
    check_whole("n_steps", n_steps, 1)
    check_whole("horizon", horizon, 1)


@lru_cache(maxsize=8)
def _read(path: Path, columns: tuple[str, ...]) -> np.ndarray:
    _check_sum(path)
    values = read_number_file(path, columns).values
    values.flags.writeable = False  # it is handed out more than once
    return values


def _check_sum(path: Path) -> None:
    """Raise RnnlabError unless a file is the one that the manifest beside it describes; without a manifest any is."""
    manifest = path.with_name(MANIFEST)
    if not manifest.exists():
        return
    try:
        known = json.loads(manifest.read_text("utf-8")).get(path.name)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise RnnlabError(f"cannot read {error.filename!r}: {error.strerror}") from None
    except ValueError as error:
        raise RnnlabError(f"{manifest}: is not JSON: {error}") from None
    if known is None:
        raise RnnlabError(f"{path}: has no entry in {MANIFEST} beside it: must have one, with its sha256")
    if found != known["sha256"]:
        raise RnnlabError(
            f"{path}: has SHA-256 {found[:12]}..., but {MANIFEST} says {known['sha256'][:12]}...: the file was changed"
        )
