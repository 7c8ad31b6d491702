"""Standardisation: shift and scale fitted on the training split, applied to all splits, undone on predictions."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.tasks.sequences import Sequences, real_steps

PREFIX = "scaling."


@dataclass(frozen=True, eq=False)
class Scaling:
    """`(x - mean) / std` for every feature of inputs, targets and initial condition.

    All arrays have one value per feature; the last two are None where there is no initial condition.
    """

    inputs_mean: np.ndarray
    inputs_std: np.ndarray
    targets_mean: np.ndarray
    targets_std: np.ndarray
    initial_mean: np.ndarray | None = None
    initial_std: np.ndarray | None = None

    def apply(self, sequences: Sequences) -> Sequences:
        """The sequences in scaled units, noise-free targets included. Masked steps stay 0.

        Raises RnnlabError if their features are not those that the scaling was made for.
        """
        by_step = sequences.mask if sequences.every_state else None

        def scaled_targets(targets: np.ndarray) -> np.ndarray:
            return _standardise("targets", targets, self.targets_mean, self.targets_std, by_step)

        initial = None
        if sequences.initial is not None:
            if self.initial_mean is None or self.initial_std is None:
                raise RnnlabError(
                    "sequences have an initial condition: this scaling was fitted on sequences without one"
                )
            initial = _standardise("initial", sequences.initial, self.initial_mean, self.initial_std, None)
        return Sequences(
            inputs=_standardise("inputs", sequences.inputs, self.inputs_mean, self.inputs_std, sequences.mask),
            targets=scaled_targets(sequences.targets),
            mask=sequences.mask,
            initial=initial,
            clean_targets=None if sequences.clean_targets is None else scaled_targets(sequences.clean_targets),
        )

    def with_targets_as_they_are(self) -> "Scaling":
        """The same scaling for inputs and initial condition, and none for the targets."""
        return dataclasses.replace(
            self, targets_mean=np.zeros_like(self.targets_mean), targets_std=np.ones_like(self.targets_std)
        )

    def unscale_targets(self, outputs: np.ndarray) -> np.ndarray:
        """Predictions in scaled units (..., n_out), in the targets' own units: `y std + mean` in float64."""
        return np.asarray(outputs, np.float64) * self.targets_std + self.targets_mean

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, as they are saved beside the weights: `scaling.inputs_mean`, ..."""
        return {PREFIX + name: array for name, array in vars(self).items() if array is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Scaling":
        """The inverse of `to_arrays`; arrays without the prefix are ignored. Raises RnnlabError if one is missing."""
        own = {name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)}
        try:
            return cls(**own)
        except TypeError as error:
            raise RnnlabError(f"the arrays {sorted(own)} make no scaling: {error}") from error


def fit_scaling(train: Sequences) -> Scaling:
    """The mean and the standard deviation of every feature over the real steps of the training sequences.

    A feature that never changes gets the deviation 1, so that it is shifted to 0 and not divided by 0.
    """
    inputs_mean, inputs_std = _mean_and_std(real_steps(train.inputs, train.mask))
    targets_mean, targets_std = _mean_and_std(real_steps(train.targets, train.mask if train.every_state else None))
    if train.initial is None:
        return Scaling(inputs_mean, inputs_std, targets_mean, targets_std)
    return Scaling(inputs_mean, inputs_std, targets_mean, targets_std, *_mean_and_std(train.initial))


def identity_scaling(train: Sequences) -> Scaling:
    """The scaling that changes nothing, for the features of `train`."""
    n_initial = None if train.initial is None else train.initial.shape[1]
    return Scaling(
        inputs_mean=np.zeros(train.n_in),
        inputs_std=np.ones(train.n_in),
        targets_mean=np.zeros(train.n_out),
        targets_std=np.ones(train.n_out),
        initial_mean=None if n_initial is None else np.zeros(n_initial),
        initial_std=None if n_initial is None else np.ones(n_initial),
    )


def _mean_and_std(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per feature of values (n, n_features)."""
    # A constant such as 0.1 has a tiny deviation by rounding, so that it is recognised by its range.
    constant = values.max(axis=0) == values.min(axis=0)
    return np.where(constant, values[0], values.mean(axis=0)), np.where(constant, 1.0, values.std(axis=0))


def _standardise(
    name: str, values: np.ndarray, mean: np.ndarray, std: np.ndarray, mask: np.ndarray | None
) -> np.ndarray:
    if values.shape[-1:] != mean.shape:
        raise RnnlabError(f"{name} have {values.shape[-1]} features: must be {len(mean)}, as the scaling has")
    scaled = (values - mean) / std
    if mask is not None:
        scaled[~mask] = 0.0
    return scaled
