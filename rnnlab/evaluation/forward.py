"""The compiled forward pass over any number of sequences: validation, test scores and prediction all use it.

Sequences go through in blocks of a fixed size, the last one filled up with zeros, so that one compiled function serves
every data set of the same length and memory stays bounded.
"""

from functools import lru_cache

import numpy as np

from rnnlab.compiled import CompiledFunction
from rnnlab.garbage import garbage_kept
from rnnlab.models.losses import mean_over_steps
from rnnlab.models.network import Architecture, network
from rnnlab.models.readouts import READOUTS
from rnnlab.models.symbols import DataShape, symbolic_data, symbolic_parameters

Arrays = dict[str, np.ndarray]

BLOCK = 256  # sequences per call


class Forward:
    """The network's outputs and losses on sequences of `n_steps` steps. Make it with `compile_forward`."""

    @garbage_kept()
    def __init__(self, architecture: Architecture, n_steps: int, masked: bool, dtype: str, mode: str = "JAX"):
        self._names = list(architecture.parameter_shapes())
        self._dtype = dtype
        self._uses_initial = architecture.initial_state == "mapped"
        parameters = symbolic_parameters(architecture, dtype)
        data = symbolic_data(architecture, DataShape(BLOCK, n_steps, masked), dtype)
        self._targets_shape = data["targets"].type.shape[1:]
        mask = data.get("mask")
        built = network(architecture, parameters, data["inputs"], mask, data.get("initial"))
        losses = mean_over_steps(READOUTS[architecture.readout].loss(built.scores, data["targets"]), mask)
        arguments = [*parameters.values(), *data.values()]
        self._function = CompiledFunction(arguments, [built.outputs, losses], dtype, mode)

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
        weights = [parameters[name] for name in self._names]
        if targets is None:
            targets = np.zeros((len(inputs), *self._targets_shape), self._dtype)
        arrays = [inputs, targets, mask, initial if self._uses_initial else None]
        outputs, losses = [], []
        for start in range(0, len(inputs), BLOCK):
            block = [self._block(array, start) for array in arrays if array is not None]
            block_outputs, block_losses = self._function(*weights, *block)
            outputs.append(block_outputs)
            losses.append(block_losses)
        n = len(inputs)
        return np.concatenate(outputs)[:n], np.concatenate(losses)[:n]

    def _block(self, array: np.ndarray, start: int) -> np.ndarray:
        """Rows `start` to `start + BLOCK`, filled up with zeros."""
        rows = np.asarray(array[start : start + BLOCK], self._dtype)
        if len(rows) == BLOCK:
            return rows
        return np.concatenate([rows, np.zeros((BLOCK - len(rows), *rows.shape[1:]), self._dtype)])


compile_forward = lru_cache(maxsize=None)(Forward)
