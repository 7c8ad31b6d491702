"""The compiled forward pass over any number of sequences: validation, test scores and prediction all use it.

Sequences go through in blocks of a fixed size, the last one filled up with zeros, so that one compiled function serves
every data set of the same length and memory stays bounded.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import jax
import numpy as np

from rnnlab.compiled import CompiledFunction, Graph, to_device
from rnnlab.models.losses import mean_over_steps
from rnnlab.models.network import Architecture, network
from rnnlab.models.readouts import READOUTS
from rnnlab.models.symbols import DataShape, symbolic_data, symbolic_parameters

Arrays = dict[str, np.ndarray]
Block = tuple[jax.Array, ...]

BLOCK = 256  # sequences per call


class Forward:
    """The network's outputs and losses on sequences of `n_steps` steps. Make it with `compile_forward`."""

    def __init__(self, architecture: Architecture, n_steps: int, masked: bool, dtype: str, mode: str = "JAX"):
        self._names = list(architecture.parameter_shapes())
        self._dtype = dtype
        self._uses_initial = architecture.initial_state == "mapped"
        data = DataShape(BLOCK, n_steps, masked)
        self._targets_shape = data.targets_of(architecture)[1:]
        self._function = CompiledFunction(
            lambda: _forward_graph(architecture, data, dtype),
            *(dtype, mode),
            kept_as=("forward", architecture, data),
            built_of=architecture.parts(),
        )

    def __call__(
        self,
        parameters: Arrays,
        inputs: np.ndarray,
        targets: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        initial: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the outputs (n_sequences, n_out) or (n_sequences, n_steps, n_out), and the loss of each sequence.

        Without targets the losses are those against zeros. A sequence's values do not depend on the others'.
        """
        return self.run(parameters, self.blocks(inputs, targets, mask, initial), len(inputs))

    def blocks(
        self,
        inputs: np.ndarray,
        targets: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        initial: np.ndarray | None = None,
    ) -> Iterator[Block]:
        """The sequences block by block, on the device. To run them several times, keep them in a list."""
        if targets is None:
            targets = np.zeros((len(inputs), *self._targets_shape), self._dtype)
        arrays = [inputs, targets, mask, initial if self._uses_initial else None]
        for start in range(0, len(inputs), BLOCK):
            yield tuple(self._block(array, start) for array in arrays if array is not None)

    def run(self, parameters: Arrays, blocks: Iterable[Block], n_sequences: int) -> tuple[np.ndarray, np.ndarray]:
        """The outputs and the losses, as above, of so many sequences in blocks."""
        weights = [np.asarray(parameters[name], self._dtype) for name in self._names]
        outputs, losses = zip(*(self._function(*weights, *block) for block in blocks), strict=True)
        return np.concatenate(outputs)[:n_sequences], np.concatenate(losses)[:n_sequences]

    def _block(self, array: np.ndarray, start: int) -> jax.Array:
        """Rows `start` to `start + BLOCK`, filled up with zeros."""
        rows = np.asarray(array[start : start + BLOCK], self._dtype)
        if len(rows) < BLOCK:
            rows = np.concatenate([rows, np.zeros((BLOCK - len(rows), *rows.shape[1:]), self._dtype)])
        return to_device(rows, self._dtype)


compile_forward = lru_cache(maxsize=None)(Forward)


def _forward_graph(architecture: Architecture, shape: DataShape, dtype: str) -> Graph:
    """(weights, inputs, targets, mask, initial) -> the outputs and the losses."""
    parameters = symbolic_parameters(architecture, dtype)
    data = symbolic_data(architecture, shape, dtype)
    mask = data.get("mask")
    built = network(architecture, parameters, data["inputs"], mask, data.get("initial"))
    losses = mean_over_steps(READOUTS[architecture.readout].loss(built.scores, data["targets"]), mask)
    return [*parameters.values(), *data.values()], [built.outputs, losses]
