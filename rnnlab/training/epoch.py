"""The compiled epoch: all minibatch updates between two validations in one call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytensor
import pytensor.tensor as pt

from rnnlab.compiled import CompiledFunction, garbage_kept
from rnnlab.models.losses import absolute_error, mean_over_sequences, mean_over_steps
from rnnlab.models.network import Architecture, network
from rnnlab.models.omega import omega
from rnnlab.models.penalties import l1_penalty, l2_penalty, weight_group
from rnnlab.models.readouts import READOUTS
from rnnlab.models.symbols import DataShape, symbolic_data
from rnnlab.training.backpropagation import backpropagate
from rnnlab.training.gradients import clip_by_norm, gradient_norm
from rnnlab.training.optimizers import OPTIMIZERS

Arrays = dict[str, np.ndarray]

L1_METHODS = ("subgradient", "proximal")


@dataclass(frozen=True)
class UpdateRule:
    """What decides the graph of one update, besides the network.

    `l1_groups` and `l2_groups` name the weight groups that are penalised, `clip` says whether the gradient is
    clipped, `omega` whether the vanishing-gradient penalty is added. Their strengths and the threshold are inputs, so
    that one compiled function serves every value. `l1_method` is one of `L1_METHODS`; `connectivity` keeps the weights
    that are 0 in a given mask at 0.
    """

    optimizer: str
    clip: bool
    l1_groups: tuple[str, ...]
    l2_groups: tuple[str, ...]
    l1_method: str = "subgradient"
    omega: bool = False
    connectivity: bool = False

    def hyper_names(self) -> list[str]:
        """The scalar inputs, in order: the optimizer's settings, the clipping threshold, the penalties' strengths."""
        return [
            *OPTIMIZERS[self.optimizer].hyper,
            *(["clip_norm"] if self.clip else []),
            *(f"l1.{group}" for group in self.l1_groups),
            *(f"l2.{group}" for group in self.l2_groups),
            *(["omega"] if self.omega else []),
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
    the gradient of the penalties; omega and usable_steps: the vanishing-gradient penalty before its strength and the
    share of steps that it is taken over, None where it is off.
    """

    loss: np.ndarray
    absolute_error: np.ndarray
    grad_norm: np.ndarray
    omega: np.ndarray | None = None
    usable_steps: np.ndarray | None = None


class Epoch:
    """A compiled run of `n_minibatches` updates. Make it with `compile_epoch`."""

    @garbage_kept()
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
        connectivity: Arrays | None = None,
    ) -> tuple[Arrays, Arrays, UpdateLog]:
        """Run the updates and return the new parameters, the new optimizer state and the log.

        data:           (inputs, targets, mask, initial) of all training sequences, None where there is none
        order, weights: (n_minibatches, batch_size), the sequences of each minibatch and 1, or 0 for padding
        learning_rates: (n_minibatches,)
        first_update:   the number of updates made before
        connectivity:   by parameter name, 1 where a weight may change and 0 where it stays, if the rule asks for it
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
            *([] if connectivity is None else [_flat(connectivity[name] for name in self._shapes)]),
        )
        flat, *flat_slots = outputs[: 1 + len(self._slots)]
        new_slots = {
            f"{slot}.{name}": array
            for slot, flat_slot in zip(self._slots, flat_slots, strict=True)
            for name, array in _unflatten(flat_slot, self._shapes).items()
        }
        return _unflatten(flat, self._shapes), new_slots, UpdateLog(*outputs[1 + len(self._slots) :])


compile_epoch = lru_cache(maxsize=None)(Epoch)


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
    if rule.connectivity:
        hyper["connectivity"] = pt.tensor("connectivity", dtype=dtype, shape=(size,))

    def one_update(indices, weight, rate, update, *rest):
        flat, *slots = rest[: len(carried)]
        given = dict(zip([*dataset, *hyper], rest[len(carried) :], strict=True))
        minibatch = {name: given[name][indices] for name in dataset}
        parameters = _unflatten(flat, architecture.parameter_shapes())
        built, loss, error = minibatch_loss(architecture, parameters, minibatch, weight)
        gradient, norm, penalty_log = objective_gradient(rule, parameters, built, loss, given)
        flat, new_slots = OPTIMIZERS[rule.optimizer].rule(flat, gradient, tuple(slots), rate, update, given)
        if rule.l1_method == "proximal":
            flat = _soft_threshold(flat, _l1_strengths(architecture, rule, given, dtype) * rate)
        return [flat, *new_slots, loss, error, norm, *penalty_log]

    outputs = pytensor.scan(
        one_update,
        sequences=[order, weights, rates, updates],
        outputs_info=carried + [None] * (5 if rule.omega else 3),
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

    targets = minibatch["targets"]
    losses = READOUTS[architecture.readout].loss(built.scores, targets)
    loss, error = (
        mean_over_sequences(mean_over_steps(each, mask), weight)
        for each in (losses, absolute_error(built.outputs, targets))
    )
    return built, loss, error


def objective_gradient(rule, parameters, built, loss, hyper):
    """The gradient of loss plus penalties as one vector, clipped if the rule says so.

    Returns it with its norm before clipping, and with Omega and its share of usable steps where that penalty is on.
    """
    back = backpropagate(built, parameters, loss)
    gradients = dict(back.by_name)
    subgradients = rule.l1_groups if rule.l1_method == "subgradient" else ()
    penalties = (
        (l1_penalty, {group: hyper[f"l1.{group}"] for group in subgradients}),
        (l2_penalty, {group: hyper[f"l2.{group}"] for group in rule.l2_groups}),
    )
    for penalty, strengths in penalties:
        penalised = [name for name in parameters if weight_group(name) in strengths]
        if penalised:
            found = pytensor.grad(penalty(parameters, strengths), [parameters[name] for name in penalised])
            gradients |= {name: gradients[name] + one for name, one in zip(penalised, found, strict=True)}
    penalty_log = []
    if rule.omega:
        penalty_log = _add_omega(gradients, back.layers, built.layers, hyper["omega"])
    if rule.connectivity:
        masks = _unflatten(hyper["connectivity"], {name: array.type.shape for name, array in parameters.items()})
        gradients = {name: gradients[name] * masks[name] for name in gradients}
    gradient = pt.concatenate([gradients[name].reshape((-1,)) for name in parameters])
    norm = gradient_norm(gradients[name] for name in parameters)
    if rule.clip:
        gradient = clip_by_norm(gradient, norm, hyper["clip_norm"])
    return gradient, norm, penalty_log


def _add_omega(gradients, back, layers, strength):
    """Add every layer's penalty to the gradient of its W_hh; Omega summed over layers, usable steps averaged."""
    penalties, shares = [], []
    for layer, through in zip(layers, back, strict=True):
        recurrence = layer.recurrence
        penalty, derivative, usable = omega(recurrence.W_hh, through.hidden, through.products, recurrence.mask)
        gradients[f"{layer.name}.W_hh"] += strength * derivative
        penalties.append(penalty)
        shares.append(usable)
    return [sum(penalties), sum(shares) / pt.constant(len(shares), dtype=shares[0].dtype)]


def _l1_strengths(architecture, rule, hyper, dtype):
    """The L1 strength of each entry of the parameters' vector."""
    parts = []
    for name, shape in architecture.parameter_shapes().items():
        size, group = int(np.prod(shape)), weight_group(name)
        strength = hyper[f"l1.{group}"] if group in rule.l1_groups else pt.constant(0.0, dtype=dtype)
        parts.append(pt.zeros((size,), dtype=dtype) + strength)
    return pt.concatenate(parts)


def _soft_threshold(values, threshold):
    """`sign(p) max(|p| - a l, 0)`: the proximal step of `l |p|` with learning rate a (Daubechies et al. 2004)."""
    return pt.sign(values) * pt.maximum(pt.abs(values) - threshold, pt.zeros_like(values))
