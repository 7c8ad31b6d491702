import numpy as np
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.models.initializers import INITIALIZERS
from rnnlab.models.network import Architecture, initial_parameters, network

BATCH, N_STEPS, N_IN, N_OUT, N_INITIAL = 3, 4, 2, 2, 2

G = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "identity": lambda x: x,
}


def architecture(**changes):
    settings = {
        "n_in": N_IN,
        "n_out": N_OUT,
        "n_hidden": 3,
        "n_layers": 1,
        "cell": "elman",
        "activation": "tanh",
        "initial_state": "zero",
        "n_initial": 0,
        "every_state": False,
    }
    return Architecture(**(settings | changes))


def draw_everything(arch, rng, batch=BATCH, n_steps=N_STEPS):
    """Random weights (biases too), inputs, a mask of unequal lengths, and an initial condition."""
    parameters = {name: rng.normal(0, 0.7, shape) for name, shape in arch.parameter_shapes().items()}
    lengths = np.array([n_steps, max(1, n_steps - 2), 1])[:batch]
    mask = (np.arange(n_steps) < lengths[:, None]).astype(float)
    return parameters, rng.normal(size=(batch, n_steps, arch.n_in)), mask, rng.normal(size=(batch, arch.n_initial))


def compiled_network(arch, masked, batch=BATCH, n_steps=N_STEPS):
    """(parameters, inputs, mask, initial) -> outputs, in float64."""
    shapes = {"inputs": (batch, n_steps, arch.n_in), "mask": (batch, n_steps), "initial": (batch, arch.n_initial)}
    symbols = {
        name: pt.tensor(name, dtype="float64", shape=shape)
        for name, shape in (arch.parameter_shapes() | shapes).items()
    }
    inputs, mask, initial = (symbols[name] for name in shapes)
    outputs = network(arch, symbols, inputs, mask if masked else None, initial).outputs
    function = CompiledFunction(lambda: (list(symbols.values()), [outputs]), "float64")
    return lambda parameters, *arrays: function(*parameters.values(), *arrays)[0]


def loop(arch, parameters, inputs, mask, initial):
    """The network as plain loops over sequences, layers and steps. Masked steps are simply not made."""
    g = G[arch.activation]
    outputs = []
    for b in range(len(inputs)):
        length = int(mask[b].sum())
        below = inputs[b, :length]
        for layer in range(1, arch.n_layers + 1):
            p = {name: parameters.get(f"layer{layer}.{name}") for name in ("W_uh", "W_hh", "b_hh", "W_init", "b_init")}
            h = np.zeros(arch.n_hidden)
            if arch.initial_state == "learned":
                h = g(p["b_init"])
            if arch.initial_state == "mapped":
                h = g(initial[b] @ p["W_init"] + p["b_init"])
            states = []
            for u in below:
                h = g(u @ p["W_uh"] + h @ p["W_hh"] + p["b_hh"])
                states.append(h)
            below = np.array(states)
        read_out = below @ parameters["readout.W_hy"] + parameters["readout.b_hy"]
        outputs.append(read_out if arch.every_state else read_out[-1])
    return outputs


# Every activation meets every initial state. Each activation and each initial state is tried with and without a mask,
# with both readouts, and with one, two and three layers.
FORWARD_CASES = [
    # activation, initial state, every state, masked, layers
    ("sigmoid", "zero", False, False, 1),
    ("sigmoid", "learned", True, True, 2),
    ("sigmoid", "mapped", False, True, 3),
    ("tanh", "zero", True, True, 3),
    ("tanh", "learned", False, False, 2),
    ("tanh", "mapped", True, False, 1),
    ("relu", "zero", False, True, 2),
    ("relu", "learned", True, False, 3),
    ("relu", "mapped", False, False, 1),
    ("identity", "zero", True, False, 2),
    ("identity", "learned", False, True, 1),
    ("identity", "mapped", True, True, 3),
]


@pytest.mark.parametrize(("activation", "initial_state", "every_state", "masked", "n_layers"), FORWARD_CASES)
def test_forward_pass_equals_a_plain_loop(activation, initial_state, every_state, masked, n_layers):
    arch = architecture(
        activation=activation,
        initial_state=initial_state,
        n_initial=N_INITIAL if initial_state == "mapped" else 0,
        every_state=every_state,
        n_layers=n_layers,
    )
    parameters, inputs, mask, initial = draw_everything(arch, np.random.default_rng(n_layers))
    if not masked:
        mask = np.ones_like(mask)
    outputs = compiled_network(arch, masked)(parameters, inputs, mask, initial)
    assert outputs.shape == ((BATCH, N_STEPS, N_OUT) if every_state else (BATCH, N_OUT))
    for row, expected in zip(outputs, loop(arch, parameters, inputs, mask, initial), strict=True):
        real = row[: len(expected)] if every_state else row
        np.testing.assert_allclose(real, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("every_state", [False, True])
def test_one_sequence_of_one_step_into_one_hidden_unit_works(every_state):
    arch = architecture(n_in=1, n_out=1, n_hidden=1, initial_state="mapped", n_initial=1, every_state=every_state)
    parameters, inputs, mask, initial = draw_everything(arch, np.random.default_rng(0), batch=1, n_steps=1)
    outputs = compiled_network(arch, True, batch=1, n_steps=1)(parameters, inputs, mask, initial)
    assert outputs.shape == ((1, 1, 1) if every_state else (1, 1))
    np.testing.assert_allclose(outputs[0], loop(arch, parameters, inputs, mask, initial)[0], atol=1e-12)


def test_parameters_are_named_by_layer_and_shaped_by_the_architecture():
    arch = architecture(n_layers=2, n_hidden=5, initial_state="mapped", n_initial=4)
    assert arch.parameter_shapes() == {
        "layer1.W_uh": (2, 5),
        "layer1.W_hh": (5, 5),
        "layer1.b_hh": (5,),
        "layer1.W_init": (4, 5),
        "layer1.b_init": (5,),
        "layer2.W_uh": (5, 5),
        "layer2.W_hh": (5, 5),
        "layer2.b_hh": (5,),
        "layer2.W_init": (4, 5),
        "layer2.b_init": (5,),
        "readout.W_hy": (5, 2),
        "readout.b_hy": (2,),
    }
    assert "layer1.b_init" not in architecture().parameter_shapes()
    assert "layer1.W_init" not in architecture(initial_state="learned").parameter_shapes()


def draw_initial(arch, seed=0, recurrent="orthogonal", initializer="glorot"):
    return initial_parameters(arch, np.random.default_rng(seed), initializer, 1.0, recurrent, 0.9, 2)


def test_recurrent_matrices_use_their_own_initializer_and_biases_start_at_0():
    arch = architecture(n_layers=2, n_hidden=4, initial_state="learned")
    parameters = draw_initial(arch)
    assert {name: array.shape for name, array in parameters.items()} == arch.parameter_shapes()
    for name, array in parameters.items():
        assert array.dtype == np.float64
        if ".b_" in name:
            assert not array.any()
        elif name.endswith(".W_hh"):
            np.testing.assert_allclose(array @ array.T, 0.81 * np.eye(4), atol=1e-12)
        else:
            assert 0 < np.abs(array).max() <= np.sqrt(6 / sum(array.shape))
    assert not np.array_equal(parameters["layer1.W_hh"], parameters["layer2.W_hh"])


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_every_initializer_serves_every_matrix_and_follows_the_generator(initializer):
    arch = architecture(n_hidden=4)
    first, again, other = (draw_initial(arch, seed, initializer, initializer) for seed in (0, 0, 1))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        if ".W_" in name:
            assert not np.array_equal(first[name], other[name])
