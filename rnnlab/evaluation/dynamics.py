"""What becomes of a network's memory while it learns: its recurrent weights, and how saturated its units are."""

import numpy as np
import pytensor.tensor as pt

from rnnlab.compiled import CompiledFunction
from rnnlab.evaluation.forward import Arrays
from rnnlab.models.initializers import spectral_radius
from rnnlab.models.network import Architecture, network
from rnnlab.tasks.sequences import Sequences

N_SEQUENCES = 64  # of the validation split, at most

# (low, high): a unit beyond them is saturated, within a tenth of its range to an end of it.
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
        self._limits = _LIMITS.get(architecture.activation)
        self._dtype = dtype
        rows = slice(0, N_SEQUENCES)
        mapped = architecture.initial_state == "mapped"
        arrays = {
            "inputs": valid.inputs[rows],
            "mask": None if valid.mask is None else valid.mask[rows],
            "initial": valid.initial[rows] if mapped and valid.initial is not None else None,
        }
        self._arrays = [array.astype(dtype) for array in arrays.values() if array is not None]
        self._mask = arrays["mask"]
        symbols = {
            name: None if array is None else pt.tensor(name, dtype=dtype, shape=array.shape)
            for name, array in arrays.items()
        }
        parameters = {
            name: pt.tensor(name, dtype=dtype, shape=shape) for name, shape in architecture.parameter_shapes().items()
        }
        built = network(architecture, parameters, symbols["inputs"], symbols["mask"], symbols["initial"])
        hidden = [layer.recurrence.states[0] for layer in built.layers]
        self._function = None
        if hidden and self._limits is not None:
            inputs = [*parameters.values(), *(symbol for symbol in symbols.values() if symbol is not None)]
            self._function = CompiledFunction(inputs, hidden, dtype)

    def __call__(self, parameters: Arrays) -> dict[str, float]:
        """The measures by metric name, those that this network has."""
        measures: dict[str, float] = {}
        if self._recurrent:
            weights = [np.asarray(parameters[name], np.float64) for name in self._recurrent]
            blocks = [block for W in weights for block in np.split(W, W.shape[1] // W.shape[0], axis=1)]
            measures["recurrent.spectral_radius"] = max(spectral_radius(block) for block in blocks)
            n_weights = sum(W.size for W in weights)
            measures["recurrent.zero_fraction"] = sum(int((W == 0).sum()) for W in weights) / n_weights
        if self._function is not None and self._limits is not None:
            low, high = self._limits
            hidden = self._function(*(parameters[name] for name in self._names), *self._arrays)
            saturated = [((h < low) | (h > high)).transpose(1, 0, 2) for h in hidden]
            real = saturated if self._mask is None else [each[self._mask] for each in saturated]
            measures["recurrent.saturated"] = float(np.mean([each.mean() for each in real]))
        return measures
