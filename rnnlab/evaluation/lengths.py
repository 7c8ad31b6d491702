"""Length generalisation: a trained network scored on fresh sequences of other lengths than it was trained on."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.evaluation.baselines import naive_outputs
from rnnlab.evaluation.scores import mean_absolute_error, mean_squared_error, mean_squared_error_by_step
from rnnlab.random_streams import stream
from rnnlab.tasks.lengths import length_range
from rnnlab.tasks.sequences import Sequences, real_steps
from rnnlab.tasks.series import Series
from rnnlab.tasks.success import wrong_answers

LENGTH = "n_steps"  # the argument by which tasks take the length of their sequences
STREAM, BASELINE_STREAM = "evaluation", "evaluation.baselines"

Task = Callable[..., Sequences]
Predict = Callable[[np.ndarray, np.ndarray | None, np.ndarray | None], np.ndarray]  # inputs, initial, mask -> outputs
Length = Any  # a whole number, or a range [low, high] of them; None for a task without lengths


@dataclass(frozen=True)
class LengthScore:
    """How well a network does on sequences of one length, or of lengths from one range.

    n_steps:     the length, or the range [low, high]; None for a task that has no lengths
    n_sequences: how many it was scored on
    mse, mae:    errors in the targets' own units, as in a run's result
    target_std:  root mean variance of the targets
    naive_mse:   {name: mean squared error} of the naive predictors at this length, as `naive_outputs` names them
    wrong:       share of wrong answers, for a task that says what is wrong, else None
    noise_free_mse, noise_floor: error against the targets without noise, and that of these against the targets with
                 noise, which no prediction can be below on average; None where they are not known
    by_step:     {name: (n_steps,) mean squared errors} for a task with a target at every step, else None: `mse`,
                 `noise_free_mse`, `noise_floor` where they are known, and those of the naive predictors
    """

    n_steps: Length
    n_sequences: int
    mse: float
    mae: float
    target_std: float
    naive_mse: dict[str, float]
    wrong: float | None = None
    noise_free_mse: float | None = None
    noise_floor: float | None = None
    by_step: dict[str, np.ndarray] | None = None

    @property
    def nmse(self) -> float:
        """`mse` divided by that of predicting the mean at this length: 1 for knowing nothing but the mean."""
        return self.mse / self.naive_mse["mean"] if self.naive_mse["mean"] > 0 else float("nan")

    @property
    def relative_rmse(self) -> float:
        """`sqrt(mse) / target_std`: comparable between lengths where the targets grow with the length."""
        return self.mse**0.5 / self.target_std if self.target_std > 0 else float("nan")


def score_lengths(
    predict: Predict,
    task: Task,
    arguments: Mapping[str, Any],
    sizes: Mapping[str, int],
    lengths: Sequence[Length] = (),
    n_sequences: int = 1000,
    seed: int = 0,
) -> list[LengthScore]:
    """Score a network on sequences of each length, beside naive predictors made for that length.

    predict:     as `Model.predict`
    arguments:   the task's own, as in training; sizes: the config's n_train, n_valid, n_test
    lengths:     whole numbers or ranges [low, high]; none: the length of training
    n_sequences: drawn anew for every length from the stream `evaluation` of `seed`, which no run trains or is tested
                 on; so are as many others for the naive predictors

    A `Series` cannot give new sequences: there the windows are those that the run's own test part has of each length,
    and naive predictors are made from its training part. Raises RnnlabError for a length that the task cannot have.
    """
    own = arguments.get(LENGTH)
    if lengths and LENGTH not in inspect.signature(task).parameters:
        raise RnnlabError(f"this task has no argument {LENGTH}: its sequences have one length only")
    scores = []
    for length in lengths or [own]:
        asked = {**arguments, **({LENGTH: length} if length is not None else {})}
        try:
            if isinstance(task, Series):
                given, test = task.other_windows(length, sizes, arguments)
            else:
                index = length_range(length) if length is not None else ()
                given = task(stream(seed, BASELINE_STREAM, *index), n_sequences, **asked)
                test = task(stream(seed, STREAM, *index), n_sequences, **asked)
        except RnnlabError as error:
            raise RnnlabError(f"length {length}: {error}" if lengths else str(error)) from None
        outputs = predict(test.inputs, test.initial, test.mask)
        scores.append(_score(outputs, test, naive_outputs(task, asked, given, test), task, asked, length))
    return scores


def _score(
    outputs: np.ndarray,
    test: Sequences,
    naive: Mapping[str, np.ndarray],
    task: Task,
    arguments: Mapping[str, Any],
    length: Length,
) -> LengthScore:
    clean, by_step = test.clean_targets, None
    if test.every_state:
        rows = {"mse": outputs} if clean is None else {"mse": outputs, "noise_floor": clean}
        by_step = {
            name: mean_squared_error_by_step(each, test.targets, test.mask) for name, each in {**rows, **naive}.items()
        }
        if clean is not None:
            by_step["noise_free_mse"] = mean_squared_error_by_step(outputs, clean, test.mask)
    wrong = wrong_answers(task, arguments, outputs, test.targets)
    targets = real_steps(test.targets, test.mask if test.every_state else None)
    return LengthScore(
        n_steps=length,
        n_sequences=test.n_sequences,
        mse=mean_squared_error(outputs, test.targets, test.mask),
        mae=mean_absolute_error(outputs, test.targets, test.mask),
        target_std=float(np.sqrt(targets.var(axis=0).mean())),
        naive_mse={name: mean_squared_error(each, test.targets, test.mask) for name, each in naive.items()},
        wrong=None if wrong is None else float(wrong.mean()),
        noise_free_mse=None if clean is None else mean_squared_error(outputs, clean, test.mask),
        noise_floor=None if clean is None else mean_squared_error(clean, test.targets, test.mask),
        by_step=by_step,
    )
