"""Sequences and their three splits: the one data type that flows from the tasks to training and scoring."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError


@dataclass(frozen=True, eq=False)
class Sequences:
    """A set of sequences with what is to be predicted from them; batch first, all numbers float64 and finite.

    inputs:        (n_sequences, n_steps, n_in)
    targets:       (n_sequences, n_out) for the last state, or (n_sequences, n_steps, n_out) for every state
    mask:          (n_sequences, n_steps) bool, True on the real steps, which come first and are at least one;
                   None where all steps are real. Inputs, and targets at every step, are 0 on the other steps.
    initial:       (n_sequences, n_initial), an observed initial condition, or None
    clean_targets: the targets without observation noise, shaped as they are, or None where they are not known

    Raises RnnlabError for arrays that do not fit this or each other.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray | None = None
    initial: np.ndarray | None = None
    clean_targets: np.ndarray | None = None

    def __post_init__(self) -> None:
        _check_numbers("inputs", self.inputs, "(n_sequences, n_steps, n_in)", (3,))
        n_sequences, n_steps, _ = self.inputs.shape
        wanted = "(n_sequences, n_out) or (n_sequences, n_steps, n_out)"
        _check_numbers("targets", self.targets, wanted, (2, 3))
        _check_shape("targets", self.targets, (n_sequences, n_steps)[: self.targets.ndim - 1])
        if self.initial is not None:
            _check_numbers("initial", self.initial, "(n_sequences, n_initial)", (2,))
            _check_shape("initial", self.initial, (n_sequences,))
        if self.clean_targets is not None:
            _check_numbers("clean_targets", self.clean_targets, wanted, (2, 3))
            _check_shape("clean_targets", self.clean_targets, self.targets.shape)
        if self.mask is not None:
            _check_mask(self.mask, (n_sequences, n_steps))
            by_step = ("inputs", "targets", "clean_targets") if self.every_state else ("inputs",)
            for name in by_step:
                array = getattr(self, name)
                if array is not None and array[~self.mask].any():
                    raise RnnlabError(f"{name} are not 0 at all masked steps: must be 0 where the mask is False")

    @property
    def n_sequences(self) -> int:
        """How many sequences there are."""
        return self.inputs.shape[0]

    @property
    def n_steps(self) -> int:
        """Steps of the longest sequence: the length to which the others are padded."""
        return self.inputs.shape[1]

    @property
    def n_in(self) -> int:
        """Input features at each step."""
        return self.inputs.shape[2]

    @property
    def n_out(self) -> int:
        """Target features."""
        return self.targets.shape[-1]

    @property
    def every_state(self) -> bool:
        """Whether there is a target at every step, not only at the end."""
        return self.targets.ndim == 3

    @property
    def lengths(self) -> np.ndarray:
        """The number of real steps of each sequence, (n_sequences,)."""
        return np.full(self.n_sequences, self.n_steps) if self.mask is None else self.mask.sum(axis=1)


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test sequences: disjoint, and of the same features.

    Raises RnnlabError if the numbers of features differ, or only some of them have a target at every step or an
    initial condition.
    """

    train: Sequences
    valid: Sequences
    test: Sequences

    def __post_init__(self) -> None:
        train = _features(self.train)
        for name in ("valid", "test"):
            other = _features(getattr(self, name))
            for feature, value in train.items():
                if other[feature] != value:
                    raise RnnlabError(
                        f"splits differ: {name} has {feature} = {other[feature]}, train has {value}; must be the same"
                    )


def select(sequences: Sequences, indices: np.ndarray) -> Sequences:
    """The sequences at `indices`, in that order, as copies."""
    indices = np.asarray(indices)

    def rows(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[indices]

    return Sequences(
        inputs=sequences.inputs[indices],
        targets=sequences.targets[indices],
        mask=rows(sequences.mask),
        initial=rows(sequences.initial),
        clean_targets=rows(sequences.clean_targets),
    )


def real_steps(array: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """The features of every real step: (n_sequences, n_steps, n_features) -> (n_real_steps, n_features)."""
    return array.reshape(-1, array.shape[-1]) if mask is None else array[mask]


def _features(sequences: Sequences) -> dict[str, Any]:
    return {
        "n_in": sequences.n_in,
        "n_out": sequences.n_out,
        "every_state": sequences.every_state,
        "n_initial": None if sequences.initial is None else sequences.initial.shape[1],
    }


def _check_numbers(name: str, array: Any, wanted: str, dimensions: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray):
        raise RnnlabError(f"{name} is a {type(array).__name__}: must be a NumPy array of shape {wanted}")
    if array.dtype != np.float64:
        raise RnnlabError(f"{name} has dtype {array.dtype}: must be float64")
    if array.ndim not in dimensions or 0 in array.shape:
        raise RnnlabError(f"{name} has shape {array.shape}: must be {wanted}, each at least 1")
    if not np.isfinite(array).all():
        where = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise RnnlabError(f"{name}[{', '.join(map(str, where))}] = {array[where]}: must be finite")


def _check_shape(name: str, array: np.ndarray, wanted: tuple[int, ...]) -> None:
    if array.shape[: len(wanted)] != wanted:
        raise RnnlabError(f"{name} has shape {array.shape}: must begin with {wanted} to fit the inputs and targets")


def _check_mask(mask: Any, shape: tuple[int, int]) -> None:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        kind = f"dtype {mask.dtype}" if isinstance(mask, np.ndarray) else f"type {type(mask).__name__}"
        raise RnnlabError(f"mask has {kind}: must be a NumPy array of bool")
    if mask.shape != shape:
        raise RnnlabError(f"mask has shape {mask.shape}: must be {shape} to fit the inputs")
    wrong = ~mask[:, 0] | (mask[:, 1:] & ~mask[:, :-1]).any(axis=1)
    if wrong.any():
        raise RnnlabError(
            f"mask[{int(np.argmax(wrong))}] must be True on the first step, and on no step after a False one"
        )
