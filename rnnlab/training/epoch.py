"""The compiled epoch: all minibatch updates between two validations in one call."""

from collections.abc import Mapping, Sequence
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

    def packing(self, architecture: Architecture) -> Packing:
        """How the parameters, and likewise each of the optimizer's slots, are carried from update to update.

        In a vector of all parameters an update asks of each entry which gradient it belongs to, which for one sequence
        takes longer than the rest. An optimizer with slots has several operations, which are compiled once for a
        vector and once for each of as many arrays; compiling these takes a second longer.
        """
        return Packing(architecture.parameter_shapes(), together=bool(OPTIMIZERS[self.optimizer].slots))

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
        self._packing = rule.packing(architecture)
        self._slots = OPTIMIZERS[rule.optimizer].slots
        self._hyper = rule.hyper_names()
        self._dtype = dtype
        determined_by = (architecture, rule, data, n_minibatches, batch_size)
        self._function = CompiledFunction(
            lambda: _epoch_graph(*determined_by, dtype),
            *(dtype, mode),
            kept_as=("epoch", *determined_by),
            built_of=[*architecture.functions(), OPTIMIZERS[rule.optimizer].rule],
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
        pack = self._packing.pack
        updates = np.arange(first_update + 1, first_update + 1 + len(order))
        outputs = self._function(
            *pack(parameters).values(),
            *(block for slot in self._slots for block in pack(_named(slots, slot)).values()),
            *(array for array in data if array is not None),
            order.astype("int32"),
            weights.astype(self._dtype),
            cast(learning_rates, self._dtype),
            updates.astype(self._dtype),
            *(np.asarray(hyper[name], self._dtype) for name in self._hyper),
            *([] if connectivity is None else pack(connectivity).values()),
        )
        n_blocks = len(self._packing.shapes)
        carried = [self._unpacked(outputs[i * n_blocks :]) for i in range(1 + len(self._slots))]
        new_slots = {
            f"{slot}.{name}": array
            for slot, arrays in zip(self._slots, carried[1:], strict=True)
            for name, array in arrays.items()
        }
        return carried[0], new_slots, UpdateLog(*outputs[len(carried) * n_blocks :])

    def _unpacked(self, outputs: Sequence[np.ndarray]) -> Arrays:
        """The arrays by parameter name, from outputs that begin with their blocks."""
        return self._packing.unpack(dict(zip(self._packing.shapes, outputs, strict=False)))


compile_epoch = lru_cache(maxsize=None)(Epoch)


def cast(values: np.ndarray, dtype: str) -> np.ndarray:
    """Values in another precision; too large ones become infinite, which ends training as diverged."""
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def _named(slots: Arrays, slot: str) -> Arrays:
    """The arrays of one slot by parameter name: `velocity.layer1.W_hh` as `layer1.W_hh`."""
    prefix = f"{slot}."
    return {name.removeprefix(prefix): array for name, array in slots.items() if name.startswith(prefix)}


def _epoch_graph(architecture, rule, data, n_minibatches, batch_size, dtype):
    """The symbolic inputs and outputs of `n_minibatches` updates: an outer scan over minibatches.

    The scan carries the parameters, and likewise each of the optimizer's slots, in the blocks of `rule.packing`.
    """
    packing = rule.packing(architecture)
    slots = OPTIMIZERS[rule.optimizer].slots
    shapes = dict(packing.shapes)
    shapes |= {f"{slot}.{block}": shape for slot in slots for block, shape in packing.shapes.items()}
    carried = {name: pt.tensor(name, dtype=dtype, shape=shape) for name, shape in shapes.items()}
    dataset = symbolic_data(architecture, data, dtype)
    order = pt.tensor("order", dtype="int32", shape=(n_minibatches, batch_size))
    weights = pt.tensor("weights", dtype=dtype, shape=(n_minibatches, batch_size))
    rates = pt.tensor("learning_rates", dtype=dtype, shape=(n_minibatches,))
    updates = pt.tensor("updates", dtype=dtype, shape=(n_minibatches,))
    hyper = {name: pt.tensor(name, dtype=dtype, shape=()) for name in rule.hyper_names()}
    if rule.connectivity:
        hyper |= {
            f"connectivity.{block}": pt.tensor(f"connectivity.{block}", dtype=dtype, shape=shape)
            for block, shape in packing.shapes.items()
        }

    def one_update(indices, weight, rate, update, *rest):
        old = dict(zip(carried, rest[: len(carried)], strict=True))
        given = dict(zip([*dataset, *hyper], rest[len(carried) :], strict=True))
        minibatch = {name: given[name][indices] for name in dataset}
        parameters = packing.unpack({block: old[block] for block in packing.shapes})
        built, loss, error = minibatch_loss(architecture, parameters, minibatch, weight)
        if rule.connectivity:
            given["connectivity"] = packing.unpack({block: given[f"connectivity.{block}"] for block in packing.shapes})
        gradients, norm, penalty_log = objective_gradient(rule, parameters, built, loss, given)
        new = _updated(rule, packing, old, gradients, rate, update, given)
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
    final = [output[-1] for output in outputs[: len(carried)]]
    return (
        [*carried.values(), *dataset.values(), order, weights, rates, updates, *hyper.values()],
        [*final, *outputs[len(carried) :]],
    )


def _updated(rule, packing, old, gradients, rate, update, hyper):
    """The blocks of the parameters and of the slots after an update, by name."""
    optimizer = OPTIMIZERS[rule.optimizer]
    new = {}
    for block, gradient in packing.pack(gradients, pt.concatenate).items():
        slots = [f"{slot}.{block}" for slot in optimizer.slots]
        new[block], after = optimizer.rule(
            old[block], gradient, tuple(old[slot] for slot in slots), rate, update, hyper
        )
        new |= dict(zip(slots, after, strict=True))
    if rule.l1_method == "proximal":
        strengths = packing.pack(_l1_strengths(rule, gradients, hyper), pt.concatenate)
        new |= {block: _soft_threshold(new[block], strengths[block] * rate) for block in strengths}
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
