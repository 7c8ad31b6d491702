"""Prediction: the outputs of a network for given sequences, and the network of a finished run, in hand again."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.evaluation.forward import Arrays, compile_forward
from rnnlab.models.activations import ACTIVATIONS
from rnnlab.models.cells import CELLS
from rnnlab.models.network import INITIAL_STATES, WINDOW, Architecture
from rnnlab.models.readouts import READOUTS
from rnnlab.tasks.scaling import Scaling
from rnnlab.tasks.sequences import Sequences

# The array beside the weights that says whether every state is read out (1) or the last one only (0).
EVERY_STATE = "readout.every_state"

_KNOWN: dict[str, Collection[str]] = {
    "cell": (*CELLS, WINDOW),
    "activation": ACTIVATIONS,
    "initial_state": INITIAL_STATES,
    "readout": READOUTS,
}
_DTYPES = ("float32", "float64")


class Record(Protocol):
    """What a model needs of a run's record."""

    @property
    def run_id(self) -> str:
        """What the run is called in an error."""
        ...

    @property
    def config(self) -> dict[str, Any]:
        """The run's config."""
        ...

    def weights(self) -> dict[str, np.ndarray]:
        """The arrays of `weights.npz`; raises RnnlabError if there is none."""
        ...


class Model:
    """A trained network with its scaling: from inputs to outputs, both in their own units. `load_model` makes it.

    architecture: the network's structure
    parameters:   its weights by name
    scaling:      what training made of the data's units
    dtype:        the precision in which it was trained, and computes
    """

    def __init__(self, architecture: Architecture, parameters: Arrays, scaling: Scaling, dtype: str):
        self.architecture = architecture
        self.parameters = parameters
        self.scaling = scaling
        self.dtype = dtype

    def __repr__(self) -> str:
        network = self.architecture
        return f"Model({network.cell}, {network.n_in} inputs, {network.n_hidden} hidden, {network.n_out} outputs)"

    def predict(
        self, inputs: np.ndarray, initial: np.ndarray | None = None, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """The outputs for sequences of any length.

        inputs:  (n_sequences, n_steps, n_in)
        initial: (n_sequences, n_initial), the observed initial condition; only for a network that starts from one,
                 elsewhere it changes nothing
        mask:    (n_sequences, n_steps) bool, True on the real steps, which come first; None: all are real
        returns: (n_sequences, n_out), or (n_sequences, n_steps, n_out) if the network was trained on every step;
                 float64, and for the run's own test sequences to the last bit what the run itself computed

        Raises RnnlabError for arrays of another shape, and for values that are not finite.
        """
        network = self.architecture
        inputs = _numbers("inputs", inputs, "(n_sequences, n_steps, n_in)")
        if inputs.ndim != 3 or inputs.shape[2] != network.n_in:
            wanted = f"(n_sequences, n_steps, {network.n_in})"
            raise RnnlabError(f"inputs has shape {inputs.shape}: must be {wanted}, as the network was trained")
        if initial is None and network.initial_state == "mapped":
            wanted = f"({len(inputs)}, {network.n_initial})"
            raise RnnlabError(f"initial is missing: this network starts from an initial condition of shape {wanted}")
        if network.initial_state != "mapped":
            initial = None
        else:
            initial = _numbers("initial", initial, "(n_sequences, n_initial)")
            if initial.shape != (len(inputs), network.n_initial):
                wanted = f"({len(inputs)}, {network.n_initial}), as inputs and the network have"
                raise RnnlabError(f"initial has shape {initial.shape}: must be {wanted}")
        shape = (*inputs.shape[: 1 + network.every_state], network.n_out)
        sequences = Sequences(inputs, np.zeros(shape), None if mask is None else np.asarray(mask), initial)
        return predict(network, self.parameters, self.scaling, sequences, self.dtype)


def load_model(record: Record) -> Model:
    """The network of a finished run, with its best weights.

    record: as a store gives it: `load_model(open_store("results").get("12"))`

    Raises RnnlabError for a run without weights, and for one whose network this version cannot build.
    """
    arrays = record.weights()
    try:
        # Runs of releases that knew no other readout do not name theirs.
        model, dtype = {"readout": "linear", **record.config["model"]}, str(record.config["dtype"])
        for key, known in _KNOWN.items():
            if model[key] not in known:
                raise RnnlabError(f"model.{key} = {model[key]!r} is unknown here; known are {', '.join(known)}")
        if dtype not in _DTYPES:
            raise RnnlabError(f"dtype = {dtype!r} is unknown here; known are {', '.join(_DTYPES)}")
        if model["n_layers"] > len(arrays):  # before shapes are made for all of them
            raise RnnlabError(
                f"model.n_layers = {model['n_layers']}, but there are only {len(arrays)} arrays of weights"
            )
        scaling = Scaling.from_arrays(arrays)
        n_in, n_out = len(scaling.inputs_mean), arrays["readout.W_hy"].shape[1]
        n_initial = None if scaling.initial_mean is None else len(scaling.initial_mean)
        window = (arrays["layer1.W_uh"].shape[0] - (n_initial or 0) * (model["initial_state"] == "mapped")) // n_in
        architecture = architecture_of(model, n_in, n_out, n_initial, bool(arrays[EVERY_STATE]), window)
        parameters = {name: _fitting(arrays, name, shape) for name, shape in architecture.parameter_shapes().items()}
        return Model(architecture, parameters, scaling, dtype)
    except KeyError as error:
        raise RnnlabError(f"run {record.run_id}: no network without {error.args[0]!r} in config or weights") from None
    except RnnlabError as error:
        raise RnnlabError(f"run {record.run_id}: {error}") from None
    except (IndexError, TypeError, ValueError) as error:
        raise RnnlabError(f"run {record.run_id}: its config and weights make no network: {error}") from None


def architecture_of(
    model: Mapping[str, Any], n_in: int, n_out: int, n_initial: int | None, every_state: bool, n_steps: int
) -> Architecture:
    """The network that the config section `model` asks for, on data of the given features.

    n_initial: size of the observed initial condition, None where there is none
    n_steps:   the window of a feed-forward network for which the config names none
    """
    return Architecture(
        n_in=n_in,
        n_out=n_out,
        n_hidden=model["n_hidden"],
        n_layers=model["n_layers"],
        cell=model["cell"],
        activation=model["activation"],
        initial_state=model["initial_state"],
        n_initial=n_initial or 0 if model["initial_state"] == "mapped" else 0,
        every_state=every_state,
        readout=model["readout"],
        window=(model.get("window") or n_steps) if model["cell"] == WINDOW else 0,
    )


def architecture_for(model: Mapping[str, Any], sequences: Sequences) -> Architecture:
    """The network that the config section `model` asks for, on sequences like these."""
    n_initial = None if sequences.initial is None else sequences.initial.shape[1]
    n_in, n_out, n_steps = sequences.n_in, sequences.n_out, sequences.n_steps
    return architecture_of(model, n_in, n_out, n_initial, sequences.every_state, n_steps)


def predict(
    architecture: Architecture, parameters: Arrays, scaling: Scaling, sequences: Sequences, dtype: str
) -> np.ndarray:
    """The network's outputs for sequences in their own units, in the targets' own units."""
    scaled = scaling.apply(sequences)
    forward = compile_forward(architecture, scaled.n_steps, scaled.mask is not None, dtype)
    outputs, _ = forward(parameters, scaled.inputs, None, scaled.mask, scaled.initial)
    return scaling.unscale_targets(outputs)


def _fitting(arrays: Arrays, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if arrays[name].shape != shape:
        raise RnnlabError(f"{name} has shape {arrays[name].shape} in the weights, but its config makes {shape}")
    return arrays[name]


def _numbers(name: str, values: Any, wanted: str) -> np.ndarray:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise RnnlabError(f"{name} cannot be made an array of numbers: must be {wanted}") from None
