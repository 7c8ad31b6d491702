"""The training loop: compiled epochs, validations, early stopping, and the best weights."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import jax
import numpy as np

from rnnlab.compiled import to_device
from rnnlab.evaluation.dynamics import Dynamics
from rnnlab.evaluation.forward import Forward, compile_forward
from rnnlab.models.network import Architecture
from rnnlab.models.symbols import DataShape
from rnnlab.random_streams import stream
from rnnlab.tasks.minibatches import minibatch_order, minibatch_weights
from rnnlab.tasks.sequences import Sequences
from rnnlab.training.early_stopping import EarlyStopping, StoppingRule
from rnnlab.training.epoch import Arrays, Epoch, UpdateRule, cast, compile_epoch
from rnnlab.training.plan import Chunk, plan
from rnnlab.training.schedules import SCHEDULES
from rnnlab.training.state import TrainingState, joined_logs

Log = Callable[[int, Mapping[str, float]], None]
Save = Callable[[TrainingState, bool], None]


@dataclass(frozen=True)
class Training:
    """What to train and how.

    `hyper` holds the values that `rule.hyper_names()` names; `validate_every` counts updates (see `plan`);
    `connectivity` is what `Epoch` takes.
    """

    architecture: Architecture
    rule: UpdateRule
    stopping: StoppingRule
    hyper: Mapping[str, float]
    learning_rate: float
    schedule: str
    decay_updates: float
    batch_size: int
    max_epochs: int
    validate_every: int | None
    log_updates: bool
    dtype: str
    seed: int
    log_dynamics: bool = False
    connectivity: Arrays | None = None


@dataclass(frozen=True)
class Fitted:
    """How training ended: its last state and why.

    The reason is `patience`, `max_epochs`, `diverged` or `interrupted`; the message says it in words.
    """

    state: TrainingState
    reason: str
    message: str


def keep_none(state: TrainingState, stopping: bool) -> None:
    """The default for what is done with states: nothing."""


def fit(
    training: Training,
    parameters: Arrays,
    training_data: Callable[[int], Sequences],
    valid: Sequences,
    log: Log,
    stop_requested: Callable[[], bool],
    start: TrainingState | None = None,
    save: Save = keep_none,
) -> Fitted:
    """Train by minibatches until early stopping, the last epoch, divergence, or a request to stop.

    parameters:     the initial weights by name
    training_data:  epoch (from 0) -> its training sequences, of the same shape in every epoch
    log:            called at each validation with the number of updates and the metrics
    stop_requested: asked after each compiled call
    start:          a state that `save` was given, to go on from; what was logged until then is logged again
    save:           called after each compiled call from which training may go on, with the state and whether it stops
    """
    state = _initial_state(training, parameters) if start is None else start
    feed = _Feed(training, training_data)
    validation = _Validation(training, valid, log)
    for step, metrics in state.history:
        log(step, metrics)
    started = time.perf_counter() - state.seconds
    for first in islice(_left(training, feed, state.n_updates), 1):
        feed.call(first.start, first.stop)  # its graph is built while XLA compiles that of the validation
    if not state.history and not validation(state, finite=True):
        return Fitted(state, "diverged", "the initial weights already give a validation loss that is not finite")
    for chunk in _left(training, feed, state.n_updates):
        finite = _run_chunk(training, state, feed, chunk)
        state.seconds = time.perf_counter() - started
        if chunk.validate or not finite:
            finite = validation(state, finite)
        if not finite:
            message = f"loss or weights were no longer finite after {state.n_updates:,} updates"
            return Fitted(state, "diverged", message)
        if chunk.validate and state.stopping.exhausted(state.n_updates):
            return Fitted(state, "patience", state.stopping.explain(state.n_updates))
        stopping = stop_requested()
        save(state, stopping)
        if stopping:
            return Fitted(state, "interrupted", f"stopped on request after {state.n_updates:,} updates")
    return Fitted(state, "max_epochs", f"all {training.max_epochs:,} epochs were made")


def _initial_state(training: Training, parameters: Arrays) -> TrainingState:
    typed = {name: cast(array, training.dtype) for name, array in parameters.items()}
    shapes = training.rule.slot_shapes(training.architecture)
    slots = {name: np.zeros(shape, training.dtype) for name, shape in shapes.items()}
    return TrainingState(typed, slots, best_parameters=typed, stopping=EarlyStopping(training.stopping))


class _Feed:
    """The training sequences and the minibatch order of the epoch at hand, and the compiled functions for them."""

    def __init__(self, training: Training, training_data: Callable[[int], Sequences]):
        self._training = training
        self._training_data = training_data
        self._load(0)
        self._weights = minibatch_weights(self.sequences.n_sequences, training.batch_size)
        self.counts = self._weights.sum(axis=1)
        self._calls: dict[tuple[int, bool], tuple[Epoch, jax.Array]] = {}

    @property
    def n_minibatches(self) -> int:
        """Updates in an epoch."""
        return len(self.order)

    def go_to(self, epoch: int) -> None:
        """Make `order` and `arrays` those of an epoch."""
        if epoch != self.epoch:
            self._load(epoch)

    def call(self, start: int, stop: int) -> tuple[Epoch, jax.Array]:
        """The compiled function for so many minibatches, and the weights of those from `start` to `stop`."""
        kind = stop - start, stop == self.n_minibatches  # only the last minibatch has sequences of weight 0
        if kind not in self._calls:
            training, mask = self._training, self.sequences.mask
            shape = DataShape(self.sequences.n_sequences, self.sequences.n_steps, mask is not None)
            determined_by = (training.architecture, training.rule, shape, stop - start, training.batch_size)
            weights = to_device(self._weights[start:stop], training.dtype)
            self._calls[kind] = compile_epoch(*determined_by, training.dtype), weights
        return self._calls[kind]

    def _load(self, epoch: int) -> None:
        training, sequences = self._training, self._training_data(epoch)
        if epoch == 0 or sequences is not self.sequences:
            self.sequences: Sequences = sequences
            mapped = training.architecture.initial_state == "mapped"
            arrays = (sequences.inputs, sequences.targets, sequences.mask, sequences.initial if mapped else None)
            self.arrays = tuple(None if array is None else to_device(array, training.dtype) for array in arrays)
        self.epoch = epoch
        rng = stream(training.seed, "minibatches", epoch)
        self.order = minibatch_order(rng, sequences.n_sequences, training.batch_size)


def _left(training: Training, feed: _Feed, n_updates: int) -> Iterator[Chunk]:
    """The chunks that are left after so many updates."""
    for chunk in plan(feed.n_minibatches, training.max_epochs, training.validate_every):
        if chunk.epoch * feed.n_minibatches + chunk.stop > n_updates:
            yield chunk


def _run_chunk(training: Training, state: TrainingState, feed: _Feed, chunk: Chunk) -> bool:
    """Make the updates of a chunk; False if loss or weights are not finite afterwards."""
    feed.go_to(chunk.epoch)
    order, counts = feed.order[chunk.start : chunk.stop], feed.counts[chunk.start : chunk.stop]
    epoch, weights = feed.call(chunk.start, chunk.stop)
    rates = _learning_rates(training, state.n_updates + np.arange(len(order)))
    state.parameters, state.slots, update_log = epoch(
        *(state.parameters, state.slots, feed.arrays, order, weights, rates, state.n_updates),
        *(training.hyper, training.connectivity),
    )
    state.n_updates += len(order)
    state.n_epochs += chunk.ends_epoch
    state.n_examples += int(counts.sum())
    state.pending.append((update_log, counts))
    if training.log_updates:
        state.update_logs.append(update_log)
    arrays = [update_log.loss, *(array.ravel() for array in state.parameters.values())]
    return bool(np.isfinite(np.concatenate(arrays)).all())


def _learning_rates(training: Training, updates: np.ndarray) -> np.ndarray:
    return SCHEDULES[training.schedule](training.learning_rate, updates, training.decay_updates)


class _Validation:
    """Scores the validation split, keeps the best weights, and logs."""

    def __init__(self, training: Training, valid: Sequences, log: Log):
        self._training = training
        self._log = log
        if training.log_dynamics:
            self._dynamics = Dynamics(training.architecture, valid, training.dtype)
        self._forward = compile_forward(training.architecture, valid.n_steps, valid.mask is not None, training.dtype)
        self._blocks = list(self._forward.blocks(valid.inputs, valid.targets, valid.mask, valid.initial))
        self._n_sequences = valid.n_sequences

    def __call__(self, state: TrainingState, finite: bool) -> bool:
        """Validate; False if the validation loss is not finite, as it counts where loss or weights are not."""
        loss = self._loss(state.parameters) if finite else np.nan
        if state.stopping.observe(state.n_updates, state.n_epochs, loss):
            state.best_parameters = {name: array.copy() for name, array in state.parameters.items()}
        metrics: dict[str, float] = {
            "valid.loss": loss,
            "learning_rate": float(_learning_rates(self._training, np.array([state.n_updates]))[0]),
            "epoch": state.n_epochs,
            "examples": state.n_examples,
            "seconds": state.seconds,
            "early_stopping.waited": state.stopping.waited,
        }
        if state.pending:
            counts = np.concatenate([counts for _, counts in state.pending])
            logs = joined_logs([update_log for update_log, _ in state.pending])
            metrics["train.loss"] = float(logs["loss"].astype(float) @ counts / counts.sum())
            metrics["train.grad_norm"] = float(logs["grad_norm"].astype(float).mean())
            for name in ("omega", "usable_steps"):
                if name in logs:
                    metrics[f"train.{name}"] = float(logs[name].astype(float).mean())
            state.pending = []
        if self._training.log_dynamics and finite:
            metrics |= self._dynamics(state.parameters)
        state.history.append((state.n_updates, metrics))
        self._log(state.n_updates, metrics)
        return bool(np.isfinite(loss))

    def _loss(self, parameters: Arrays) -> float:
        return _mean(self._forward.run(parameters, self._blocks, self._n_sequences)[1])


def mean_loss(forward: Forward, parameters: Arrays, sequences: Sequences) -> float:
    """The loss of a whole split: the mean over its sequences, summed in float64."""
    return _mean(forward(parameters, sequences.inputs, sequences.targets, sequences.mask, sequences.initial)[1])


def _mean(losses: np.ndarray) -> float:
    return float(losses.astype(float).mean())
