import json
from pathlib import Path

import numpy as np
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.models.network import Architecture, network

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "cell_values.json").read_text())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_step(z, states, W):
    (h,) = states
    (z_s, z_p, z_n), (r_s, r_p, r_n) = np.split(z, 3), np.split(h @ W, 3)
    keep = sigmoid(z_p + r_p)
    return ((1 - keep) * np.tanh(z_n + sigmoid(z_s + r_s) * r_n) + keep * h,)


def lstm_step(z, states, W):
    h, c = states
    i, f, g, o = np.split(z + h @ W, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


STEPS = {"gru": gru_step, "lstm": lstm_step}


def outputs_of(arch, parameters, inputs, mask=None, initial=None):
    arrays = {"inputs": inputs, "mask": mask, "initial": initial}
    symbols = {
        name: None if array is None else pt.tensor(name, dtype="float64", shape=array.shape)
        for name, array in arrays.items()
    }
    weights = {name: pt.tensor(name, dtype="float64", shape=array.shape) for name, array in parameters.items()}
    outputs = network(arch, weights, *symbols.values()).outputs
    given = [symbol for symbol in symbols.values() if symbol is not None]
    function = CompiledFunction(lambda: ([*weights.values(), *given], [outputs]), "float64")
    return function(*parameters.values(), *(array for array in arrays.values() if array is not None))[0]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_cell_gives_the_hidden_states_of_another_implementation(cell):
    golden = {name: np.array(value) for name, value in GOLDEN[cell].items()}
    n_in, n_hidden = golden["inputs"].shape[2], golden["states"].shape[2]
    arch = Architecture(n_in, n_hidden, n_hidden, 1, cell, "tanh", "zero", 0, every_state=True)
    parameters = {f"layer1.{name}": golden[name] for name in ("W_uh", "W_hh", "b_hh")}
    parameters |= {"readout.W_hy": np.eye(n_hidden), "readout.b_hy": np.zeros(n_hidden)}
    np.testing.assert_allclose(outputs_of(arch, parameters, golden["inputs"]), golden["states"], rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_masked_and_stacked_gated_layers_from_a_mapped_start_equal_a_plain_loop(cell):
    rng = np.random.default_rng(3)
    n_hidden, n_states = 3, {"gru": 1, "lstm": 2}[cell]
    arch = Architecture(2, 2, n_hidden, 2, cell, "tanh", "mapped", 2, every_state=False)
    parameters = {name: rng.normal(0, 0.7, shape) for name, shape in arch.parameter_shapes().items()}
    inputs, initial = rng.normal(size=(3, 5, 2)), rng.normal(size=(3, 2))
    lengths = [5, 2, 1]
    mask = (np.arange(5) < np.array(lengths)[:, None]).astype(float)
    expected = []
    for b, length in enumerate(lengths):
        below = inputs[b, :length]
        for layer in ("layer1", "layer2"):
            W_uh, W_hh, b_hh, W_init, b_init = (
                parameters[f"{layer}.{name}"] for name in ("W_uh", "W_hh", "b_hh", "W_init", "b_init")
            )
            states = tuple(np.split(np.tanh(initial[b] @ W_init + b_init), n_states))
            hidden = []
            for u in below:
                states = STEPS[cell](u @ W_uh + b_hh, states, W_hh)
                hidden.append(states[0])
            below = np.array(hidden)
        expected.append(below[-1] @ parameters["readout.W_hy"] + parameters["readout.b_hy"])
    np.testing.assert_allclose(outputs_of(arch, parameters, inputs, mask, initial), expected, rtol=1e-12)


@pytest.mark.parametrize("every_state", [False, True])
def test_a_feed_forward_network_sees_the_last_real_steps_and_nothing_before_them(every_state):
    rng = np.random.default_rng(4)
    arch = Architecture(2, 1, 3, 1, "window", "tanh", "zero", 0, every_state, window=3)
    parameters = {name: rng.normal(0, 0.7, shape) for name, shape in arch.parameter_shapes().items()}
    inputs = rng.normal(size=(2, 5, 2))
    mask = (np.arange(5) < np.array([5, 2])[:, None]).astype(float)

    def at(b, t):
        steps = [inputs[b, s] if s >= 0 else np.zeros(2) for s in range(t - 2, t + 1)]
        hidden = np.tanh(np.concatenate(steps) @ parameters["layer1.W_uh"] + parameters["layer1.b_hh"])
        return hidden @ parameters["readout.W_hy"] + parameters["readout.b_hy"]

    outputs = outputs_of(arch, parameters, inputs, mask)
    expected = [[at(b, t) for t in range(5)] for b in range(2)] if every_state else [at(0, 4), at(1, 1)]
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
