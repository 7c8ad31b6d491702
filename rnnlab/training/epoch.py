"""The compiled epoch: all minibatch updates between two validations in one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytensor
import pytensor.tensor as pt

from rnnlab.compiled import CompiledFunction
from rnnlab.models.network import Architecture
from rnnlab.models.penalties import weight_group
from rnnlab.models.symbols import DataShape, symbolic_data
from rnnlab.training.objective import minibatch_loss, objective_gradient
from rnnlab.training.optimizers import OPTIMIZERS
from rnnlab.training.packing import Packing

Arrays = dict[str, np.ndarray]

L1_METHODS = ("subgradient", "proximal")

_CONNECTED = "connectivity."


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

    @property
    def carries_vectors(self) -> bool:
        """Whether parameters travel from update to update as one vector and so does each slot; or each by itself.

        In a vector an update asks of each entry which gradient it belongs to, which for one sequence takes longer than
        the rest. An optimizer with slots has several operations, which are compiled once for a vector and once for each
        of as many arrays; compiling these takes a second longer.
        """
        return bool(OPTIMIZERS[self.optimizer].slots)

    def vectors(self, architecture: Architecture) -> dict[str, Packing]:
        """The vectors in which an epoch is given and gives its state: `parameters`, then each slot."""
        shapes = architecture.parameter_shapes()
        slots = OPTIMIZERS[self.optimizer].slots
        return {"parameters": Packing(shapes)} | {slot: Packing(_of_slot(slot, shapes)) for slot in slots}

    def slot_shapes(self, architecture: Architecture) -> dict[str, tuple[int, ...]]:
        """The name and shape of every array of the optimizer's state, such as `velocity.layer1.W_hh`."""
        shapes = architecture.parameter_shapes()
        slots = OPTIMIZERS[self.optimizer].slots
        return {name: shape for slot in slots for name, shape in _of_slot(slot, shapes).items()}


def _of_slot(slot: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {f"{slot}.{name}": shape for name, shape in shapes.items()}


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
        self._packings = list(rule.vectors(architecture).values())
        self._hyper = rule.hyper_names()
        self._dtype = dtype
        determined_by = (architecture, rule, data, n_minibatches, batch_size)
        self._function = CompiledFunction(
            lambda: _epoch_graph(*determined_by, dtype),
            *(dtype, mode),
            kept_as=("epoch", *determined_by),
            built_of=[*architecture.parts(), OPTIMIZERS[rule.optimizer]],
        )

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
        arrays = parameters | slots
        *vectors, logs = self._function(
            *(cast(packing.pack(arrays), self._dtype) for packing in self._packings),
            *(array for array in data if array is not None),
            np.asarray(order, "int32"),
            cast(weights, self._dtype),
            cast(learning_rates, self._dtype),
            updates.astype(self._dtype),
            *([np.array([hyper[name] for name in self._hyper], self._dtype)] if self._hyper else []),
            *([] if connectivity is None else [cast(self._packings[0].pack(connectivity), self._dtype)]),
        )
        new, *by_slot = (packing.unpack(vector) for packing, vector in zip(self._packings, vectors, strict=True))
        return new, {name: array for slot in by_slot for name, array in slot.items()}, UpdateLog(*logs)


compile_epoch = lru_cache(maxsize=None)(Epoch)


def cast(values: np.ndarray, dtype: str) -> np.ndarray:
    """Values in another precision; too large ones become infinite, which ends training as diverged."""
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def _epoch_graph(architecture, rule, data, n_minibatches, batch_size, dtype):
    """The symbolic inputs and outputs of `n_minibatches` updates: an outer scan over minibatches.

    The inputs are those that `Epoch` gives, the outputs the vectors of parameters and slots, and the logs
    (n_logs, n_minibatches).
    """
    packings = rule.vectors(architecture)
    by_name = packings["parameters"]
    vectors = {name: pt.tensor(name, dtype=dtype, shape=(packing.size,)) for name, packing in packings.items()}
    carried = vectors if rule.carries_vectors else by_name.unpack(vectors["parameters"])
    dataset = symbolic_data(architecture, data, dtype)
    order = pt.tensor("order", dtype="int32", shape=(n_minibatches, batch_size))
    weights = pt.tensor("weights", dtype=dtype, shape=(n_minibatches, batch_size))
    rates = pt.tensor("learning_rates", dtype=dtype, shape=(n_minibatches,))
    updates = pt.tensor("updates", dtype=dtype, shape=(n_minibatches,))
    names = rule.hyper_names()
    settings = [pt.tensor("hyper", dtype=dtype, shape=(len(names),))] if names else []
    hyper = {name: settings[0][i] for i, name in enumerate(names)}
    if rule.connectivity:
        settings.append(pt.tensor("connectivity", dtype=dtype, shape=(by_name.size,)))
        hyper |= {_CONNECTED + name: array for name, array in by_name.unpack(settings[-1]).items()}

    def one_update(indices, weight, rate, update, *rest):
        old = dict(zip(carried, rest[: len(carried)], strict=True))
        given = dict(zip([*dataset, *hyper], rest[len(carried) :], strict=True))
        minibatch = {name: given[name][indices] for name in dataset}
        parameters = by_name.unpack(old["parameters"]) if rule.carries_vectors else old
        built, loss, error = minibatch_loss(architecture, parameters, minibatch, weight)
        if rule.connectivity:
            given["connectivity"] = {name: given[_CONNECTED + name] for name in parameters}
        gradients, norm, penalty_log = objective_gradient(rule, parameters, built, loss, given)
        new = _updated(rule, by_name, old, gradients, rate, update, given)
        return [*(new[name] for name in carried), loss, error, norm, *penalty_log]

    outputs = pytensor.scan(
        one_update,
        sequences=[order, weights, rates, updates],
        outputs_info=[*carried.values()] + [None] * (5 if rule.omega else 3),
        non_sequences=[*dataset.values(), *hyper.values()],
        n_steps=n_minibatches,
        strict=True,
        return_updates=False,
    )
    final = {name: output[-1] for name, output in zip(carried, outputs, strict=False)}
    ends = list(final.values()) if rule.carries_vectors else [by_name.pack(final, pt.concatenate)]
    return (
        [*vectors.values(), *dataset.values(), order, weights, rates, updates, *settings],
        [*ends, pt.stack(outputs[len(carried) :])],
    )


def _updated(rule, by_name, old, gradients, rate, update, hyper):
    """The carried arrays after an update, by name."""
    optimizer = OPTIMIZERS[rule.optimizer]

    def carried(arrays):
        """Arrays by parameter name in the form in which parameters are carried."""
        return {"parameters": by_name.pack(arrays, pt.concatenate)} if rule.carries_vectors else arrays

    new = {}
    for name, gradient in carried(gradients).items():
        slots = tuple(old[slot] for slot in optimizer.slots)
        new[name], after = optimizer.rule(old[name], gradient, slots, rate, update, hyper)
        new |= dict(zip(optimizer.slots, after, strict=True))
    if rule.l1_method == "proximal":
        strengths = carried(_l1_strengths(rule, gradients, hyper))
        new |= {name: _soft_threshold(new[name], strengths[name] * rate) for name in strengths}
    return new


def _l1_strengths(rule, gradients, hyper):
    """The L1 strength of each entry of every parameter, by name."""
    strengths = {}
    for name, gradient in gradients.items():
        group = weight_group(name)
        strength = hyper[f"l1.{group}"] if group in rule.l1_groups else pt.constant(0.0, dtype=gradient.dtype)
        strengths[name] = pt.zeros(gradient.type.shape, dtype=gradient.dtype) + strength
    return strengths


def _soft_threshold(values, threshold):
    """`sign(p) max(|p| - a l, 0)`: the proximal step of `l |p|` with learning rate a (Daubechies et al. 2004)."""
    return pt.sign(values) * pt.maximum(pt.abs(values) - threshold, pt.zeros_like(values))
