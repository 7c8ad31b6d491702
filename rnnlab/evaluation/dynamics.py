"""What becomes of a network's memory while it learns: its recurrent weights, and how saturated its units are."""

from functools import cache

import numpy as np

from rnnlab.compiled import CompiledFunction, Graph
from rnnlab.evaluation.forward import Arrays
from rnnlab.models.initializers import spectral_radius
from rnnlab.models.network import Architecture, network
from rnnlab.models.symbols import DataShape, symbolic_data, symbolic_parameters
from rnnlab.tasks.sequences import Sequences

N_SEQUENCES = 64  # of the validation split, at most

# (low, high): a unit beyond them is saturated, within a twentieth of its range of either end.
_LIMITS = {"tanh": (-0.9, 0.9), "sigmoid": (0.05, 0.95)}


class Dynamics:
    """Measures a network's weights and hidden units on the first validation sequences.

    `recurrent.spectral_radius`: of W_hh, the largest over layers (of each gate's block, where there are gates)
    `recurrent.zero_fraction`:   exact zeros among all W_hh
    `recurrent.saturated`:       share of hidden units and real steps in the outer tenth of tanh's or sigmoid's range
    """

    def __init__(self, architecture: Architecture, valid: Sequences, dtype: str):
        self._names = list(architecture.parameter_shapes())
        self._recurrent = [name for name in self._names if name.endswith(".W_hh")]
        self._limits = _LIMITS.get(architecture.activation) if self._recurrent else None
        rows = slice(0, N_SEQUENCES)
        self._mask = None if valid.mask is None else valid.mask[rows]
        initial = valid.initial if architecture.initial_state == "mapped" else None
        arrays = [valid.inputs[rows], self._mask, None if initial is None else initial[rows]]
        self._arrays = [array.astype(dtype) for array in arrays if array is not None]
        if self._limits is not None:
            n_sequences, n_steps, _ = valid.inputs[rows].shape
            shape = DataShape(n_sequences, n_steps, self._mask is not None)
            self._hidden = _compile_hidden(architecture, shape, dtype)

    def __call__(self, parameters: Arrays) -> dict[str, float]:
        """The measures by metric name, those that this network has."""
        measures: dict[str, float] = {}
        if self._recurrent:
            weights = [np.asarray(parameters[name], np.float64) for name in self._recurrent]
            blocks = [block for W in weights for block in np.split(W, W.shape[1] // W.shape[0], axis=1)]
            measures["recurrent.spectral_radius"] = max(spectral_radius(block) for block in blocks)
            n_weights = sum(W.size for W in weights)
            measures["recurrent.zero_fraction"] = sum(int((W == 0).sum()) for W in weights) / n_weights
        if self._limits is not None:
            low, high = self._limits
            hidden = self._hidden(*(parameters[name] for name in self._names), *self._arrays)
            saturated = [((h < low) | (h > high)).transpose(1, 0, 2) for h in hidden]
            real = saturated if self._mask is None else [each[self._mask] for each in saturated]
            measures["recurrent.saturated"] = float(np.mean([each.mean() for each in real]))
        return measures


@cache
def _compile_hidden(architecture: Architecture, data: DataShape, dtype: str) -> CompiledFunction:
    """(weights, inputs, mask, initial) -> the hidden states of each layer, (n_steps, n_sequences, n_hidden)."""
    return CompiledFunction(
        lambda: _hidden_graph(architecture, data, dtype),
        dtype,
        kept_as=("hidden states", architecture, data),
        built_of=architecture.parts(),
    )


def _hidden_graph(architecture: Architecture, data: DataShape, dtype: str) -> Graph:
    parameters = symbolic_parameters(architecture, dtype)
    given = symbolic_data(architecture, data, dtype)
    del given["targets"]
    built = network(architecture, parameters, given["inputs"], given.get("mask"), given.get("initial"))
    hidden = [layer.recurrence.states[0] for layer in built.layers]
    return [*parameters.values(), *given.values()], hidden
