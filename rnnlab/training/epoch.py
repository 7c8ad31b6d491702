"""The compiled epoch: all minibatch updates between two validations in one call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from rnnlab.compiled import CompiledFunction
from rnnlab.models.losses import absolute_error, mean_over_sequences, mean_over_steps, squared_error
from rnnlab.models.network import Architecture, network
from rnnlab.models.penalties import l1_penalty, l2_penalty, weight_group
from rnnlab.training.backpropagation import backpropagate
from rnnlab.training.gradients import clip_by_norm, gradient_norm
from rnnlab.training.optimizers import OPTIMIZERS

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class DataShape:
    """The static shapes of a set of sequences, for the compiler."""

    n_sequences: int
    n_steps: int
    masked: bool


@dataclass(frozen=True)
class UpdateRule:
    """What decides the graph of one update, besides the network.

    `l1_groups` and `l2_groups` name the weight groups that are penalised, `clip` says whether the gradient is
    clipped. Their strengths and the threshold are inputs, so that one compiled function serves every value.
    """

    optimizer: str
    clip: bool
    l1_groups: tuple[str, ...]
    l2_groups: tuple[str, ...]

    def hyper_names(self) -> list[str]:
        """The scalar inputs, in order: the optimizer's settings, the clipping threshold, the penalties' strengths."""
        return [
            *OPTIMIZERS[self.optimizer].hyper,
            *(["clip_norm"] if self.clip else []),
            *(f"l1.{group}" for group in self.l1_groups),
            *(f"l2.{group}" for group in self.l2_groups),
        ]

    def slot_shapes(self, architecture: Architecture) -> dict[str, tuple[int, ...]]:
        """The name and shape of every array of the optimizer's state, such as `velocity.layer1.W_hh`."""
        return {
            f"{slot}.{name}": shape
            for slot in OPTIMIZERS[self.optimizer].slots
            for name, shape in architecture.parameter_shapes().items()
        }


@dataclass(frozen=True)
class UpdateLog:
    """What each update leaves behind, one value per update, computed before the parameters change.

    loss: the minibatch loss without penalties; absolute_error: likewise; grad_norm: |g| before clipping, with
    the gradient of the penalties.
    """

    loss: np.ndarray
    absolute_error: np.ndarray
    grad_norm: np.ndarray


class Epoch:
    """A compiled run of `n_minibatches` updates. Make it with `compile_epoch`."""

    def __init__(
        self,
        architecture: Architecture,
        rule: UpdateRule,
        data: DataShape,
        n_minibatches: int,
        batch_size: int,
        dtype: str,
        mode: str = "JAX",
    ):
        self._shapes = architecture.parameter_shapes()
        self._slots = OPTIMIZERS[rule.optimizer].slots
        self._hyper = rule.hyper_names()
        self._dtype = dtype
        inputs, outputs = _epoch_graph(architecture, rule, data, n_minibatches, batch_size, dtype)
        self._function = CompiledFunction(inputs, outputs, dtype, mode)

    def __call__(
        self,
        parameters: Arrays,
        slots: Arrays,
        data: tuple,
        order: np.ndarray,
        weights: np.ndarray,
        learning_rates: np.ndarray,
        first_update: int,
        hyper: Mapping[str, float],
    ) -> tuple[Arrays, Arrays, UpdateLog]:
        """Run the updates and return the new parameters, the new optimizer state and the log.

        data:           (inputs, targets, mask, initial) of all training sequences, None where there is none
        order, weights: (n_minibatches, batch_size), the sequences of each minibatch and 1, or 0 for padding
        learning_rates: (n_minibatches,)
        first_update:   the number of updates made before
        """
        updates = np.arange(first_update + 1, first_update + 1 + len(order))
        outputs = self._function(
            _flat(parameters[name] for name in self._shapes),
            *(_flat(slots[f"{slot}.{name}"] for name in self._shapes) for slot in self._slots),
            *(array for array in data if array is not None),
            order.astype("int32"),
            weights.astype(self._dtype),
            cast(learning_rates, self._dtype),
            updates.astype(self._dtype),
            *(np.asarray(hyper[name], self._dtype) for name in self._hyper),
        )
        flat, *flat_slots = outputs[: 1 + len(self._slots)]
        new_slots = {
            f"{slot}.{name}": array
            for slot, flat_slot in zip(self._slots, flat_slots, strict=True)
            for name, array in _unflatten(flat_slot, self._shapes).items()
        }
        return _unflatten(flat, self._shapes), new_slots, UpdateLog(*outputs[1 + len(self._slots) :])


compile_epoch = lru_cache(maxsize=None)(Epoch)


def symbolic_data(architecture: Architecture, data: DataShape, dtype: str) -> dict[str, TensorVariable]:
    """The symbolic inputs, targets, mask and initial condition of a set of sequences, as far as they are used."""
    n, steps = data.n_sequences, data.n_steps
    target_shape = (n, steps, architecture.n_out) if architecture.every_state else (n, architecture.n_out)
    shapes = {"inputs": (n, steps, architecture.n_in), "targets": target_shape}
    if data.masked:
        shapes["mask"] = (n, steps)
    if architecture.initial_state == "mapped":
        shapes["initial"] = (n, architecture.n_initial)
    return {name: pt.tensor(name, dtype=dtype, shape=shape) for name, shape in shapes.items()}


def cast(values: np.ndarray, dtype: str) -> np.ndarray:
    """Values in another precision; too large ones become infinite, which ends training as diverged."""
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def _flat(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """All arrays end to end, as one vector."""
    return np.concatenate([array.ravel() for array in arrays])


def _unflatten(vector, shapes: Mapping[str, tuple[int, ...]]) -> dict:
    """The inverse of `_flat` for arrays of the given shapes by name; works on NumPy arrays and on symbols."""
    arrays, start = {}, 0
    for name, shape in shapes.items():
        stop = start + int(np.prod(shape))
        arrays[name] = vector[start:stop].reshape(shape)
        start = stop
    return arrays


def _epoch_graph(architecture, rule, data, n_minibatches, batch_size, dtype):
    """The symbolic inputs and outputs of `n_minibatches` updates: an outer scan over minibatches.

    The scan carries all parameters as one vector, and each of the optimizer's slots as another. The update of all
    parameters is then a handful of operations on vectors, however many parameters there are, which compiles and runs
    faster than as many operations on each.
    """
    size = sum(int(np.prod(shape)) for shape in architecture.parameter_shapes().values())
    names = ["parameters", *OPTIMIZERS[rule.optimizer].slots]
    carried = [pt.tensor(name, dtype=dtype, shape=(size,)) for name in names]
    dataset = symbolic_data(architecture, data, dtype)
    order = pt.tensor("order", dtype="int32", shape=(n_minibatches, batch_size))
    weights = pt.tensor("weights", dtype=dtype, shape=(n_minibatches, batch_size))
    rates = pt.tensor("learning_rates", dtype=dtype, shape=(n_minibatches,))
    updates = pt.tensor("updates", dtype=dtype, shape=(n_minibatches,))
    hyper = {name: pt.tensor(name, dtype=dtype, shape=()) for name in rule.hyper_names()}

    def one_update(indices, weight, rate, update, *rest):
        flat, *slots = rest[: len(carried)]
        given = dict(zip([*dataset, *hyper], rest[len(carried) :], strict=True))
        minibatch = {name: given[name][indices] for name in dataset}
        parameters = _unflatten(flat, architecture.parameter_shapes())
        built, loss, error = minibatch_loss(architecture, parameters, minibatch, weight)
        gradient, norm = objective_gradient(rule, parameters, built, loss, given)
        flat, new_slots = OPTIMIZERS[rule.optimizer].rule(flat, gradient, tuple(slots), rate, update, given)
        return [flat, *new_slots, loss, error, norm]

    outputs = pytensor.scan(
        one_update,
        sequences=[order, weights, rates, updates],
        outputs_info=carried + [None] * 3,
        non_sequences=[*dataset.values(), *hyper.values()],
        strict=True,
        return_updates=False,
    )
    final = [output[-1] for output in outputs[: len(carried)]]
    return (
        [*carried, *dataset.values(), order, weights, rates, updates, *hyper.values()],
        [*final, *outputs[len(carried) :]],
    )


def minibatch_loss(architecture, parameters, minibatch, weight):
    """The network, and the loss and the absolute error of one minibatch: the weighted mean over its sequences."""
    mask = minibatch.get("mask")
    built = network(architecture, parameters, minibatch["inputs"], mask, minibatch.get("initial"))

    def mean(error):
        return mean_over_sequences(mean_over_steps(error(built.outputs, minibatch["targets"]), mask), weight)

    return built, mean(squared_error), mean(absolute_error)


def objective_gradient(rule, parameters, built, loss, hyper):
    """The gradient of loss plus penalties as one vector, clipped if the rule says so, and its norm before clipping."""
    gradients = backpropagate(built, parameters, loss).by_name
    penalties = (
        (l1_penalty, {group: hyper[f"l1.{group}"] for group in rule.l1_groups}),
        (l2_penalty, {group: hyper[f"l2.{group}"] for group in rule.l2_groups}),
    )
    for penalty, strengths in penalties:
        penalised = [name for name in parameters if weight_group(name) in strengths]
        if penalised:
            found = pytensor.grad(penalty(parameters, strengths), [parameters[name] for name in penalised])
            gradients |= {name: gradients[name] + one for name, one in zip(penalised, found, strict=True)}
    gradient = pt.concatenate([gradients[name].reshape((-1,)) for name in parameters])
    norm = gradient_norm(gradients[name] for name in parameters)
    if rule.clip:
        gradient = clip_by_norm(gradient, norm, hyper["clip_norm"])
    return gradient, norm
