import numpy as np
import pytensor.tensor as pt
import pytest

from rnnlab.compiled import CompiledFunction
from rnnlab.models.symbols import DataShape, symbolic_data
from rnnlab.training.epoch import UpdateRule
from rnnlab.training.objective import minibatch_loss, objective_gradient
from tests.training.small_networks import architecture, draw

PLAIN = UpdateRule("sgd", clip=False, l1_groups=(), l2_groups=())

# Every activation, readout, initial state, penalty and group, with and without mask, one and two layers.
GRADIENT_CASES = [
    # activation, initial state, every state, masked, layers, l1 groups, l2 groups
    ("sigmoid", "zero", False, False, 1, ("W_hh",), ()),
    ("tanh", "learned", True, True, 2, (), ("W_uh", "W_hh", "W_hy")),
    ("relu", "mapped", False, True, 1, ("W_uh", "W_hh", "W_hy", "W_init"), ()),
    ("identity", "mapped", True, False, 1, (), ("W_init",)),
    ("sigmoid", "learned", False, True, 1, (), ()),
    ("relu", "zero", True, False, 1, (), ("W_hh",)),
]

# Every other cell and readout, with and without mask, one and two layers.
OTHER_NETWORKS = [
    # cell, readout, initial state, every state, masked, layers
    ("gru", "linear", "mapped", True, True, 2),
    ("gru", "softmax", "zero", False, False, 1),
    ("lstm", "binary", "learned", False, False, 1),
    ("lstm", "softmax", "mapped", True, True, 2),
    ("window", "linear", "mapped", True, True, 1),
    ("window", "binary", "zero", False, True, 2),
]


@pytest.mark.parametrize(("cell", "readout", "initial_state", "every_state", "masked", "n_layers"), OTHER_NETWORKS)
def test_gradients_of_every_cell_and_readout_match_central_differences(
    cell, readout, initial_state, every_state, masked, n_layers
):
    arch = architecture(
        cell=cell,
        readout=readout,
        window=2 if cell == "window" else 0,
        initial_state=initial_state,
        n_initial=2 if initial_state == "mapped" else 0,
        every_state=every_state,
        n_layers=n_layers,
        n_hidden=2,
    )
    shape = DataShape(n_sequences=3, n_steps=3, masked=masked)
    parameters, (inputs, targets, mask, initial) = draw(arch, shape)
    data = (inputs, np.eye(arch.n_out)[targets.argmax(axis=-1)], mask, initial)
    weight = np.array([1.0, 1.0, 0.0])
    evaluate = compiled_objective(arch, PLAIN, shape)
    _, gradients = evaluate(parameters, data, weight, {})
    for name, gradient in gradients.items():
        differences = central_differences(lambda moved: evaluate(moved, data, weight, {})[0], parameters, name)
        np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    ("activation", "initial_state", "every_state", "masked", "n_layers", "l1_groups", "l2_groups"), GRADIENT_CASES
)
def test_gradients_of_the_whole_objective_match_central_differences(
    activation, initial_state, every_state, masked, n_layers, l1_groups, l2_groups
):
    arch = architecture(
        activation=activation,
        initial_state=initial_state,
        n_initial=2 if initial_state == "mapped" else 0,
        every_state=every_state,
        n_layers=n_layers,
    )
    rule = UpdateRule("sgd", False, l1_groups, l2_groups)
    shape = DataShape(n_sequences=3, n_steps=3, masked=masked)
    parameters, data = draw(arch, shape)
    weight = np.array([1.0, 1.0, 0.0])  # the last sequence is padding
    strengths = {name: 0.05 * (1 + k) for k, name in enumerate(rule.hyper_names())}
    evaluate = compiled_objective(arch, rule, shape)

    def objective(parameters):
        loss, _ = evaluate(parameters, data, weight, strengths)
        penalty = {"l1": lambda w: np.abs(w).sum(), "l2": lambda w: (w**2).sum()}
        for name, strength in strengths.items():
            kind, group = name.split(".")
            loss += strength * sum(penalty[kind](w) for key, w in parameters.items() if key.endswith("." + group))
        return loss

    _, gradients = evaluate(parameters, data, weight, strengths)
    for name, gradient in gradients.items():
        differences = central_differences(objective, parameters, name)
        assert np.abs(gradient).max() > 1e-4, f"{name} has no gradient to compare"
        error = np.linalg.norm(gradient - differences) / np.linalg.norm(differences)
        assert error < 1e-6, f"{name}: relative error {error:.1e}"


def compiled_objective(arch, rule, shape):
    """(parameters, data, weight, hyper) -> the minibatch loss and the objective's gradients by name, in float64."""

    def symbols(shapes):
        return {name: pt.tensor(name, dtype="float64", shape=size) for name, size in shapes.items()}

    parameters, hyper = symbols(arch.parameter_shapes()), symbols(dict.fromkeys(rule.hyper_names(), ()))
    data = symbolic_data(arch, shape, "float64")
    weight = pt.tensor("weight", dtype="float64", shape=(shape.n_sequences,))
    built, loss, _ = minibatch_loss(arch, parameters, data, weight)
    gradients, *_ = objective_gradient(rule, parameters, built, loss, hyper)
    inputs = [*parameters.values(), *data.values(), weight, *hyper.values()]
    function = CompiledFunction(lambda: (inputs, [loss, *(gradients[name] for name in parameters)]), "float64")

    def evaluate(values, arrays, weight, strengths):
        given = [array for array in arrays if array is not None]
        loss, *gradients = function(*values.values(), *given, weight, *map(np.asarray, strengths.values()))
        return float(loss), dict(zip(values, gradients, strict=True))

    return evaluate


def central_differences(objective, parameters, name, h=1e-5):
    differences = np.zeros_like(parameters[name])
    for index in np.ndindex(differences.shape):
        values = []
        for sign in (1, -1):
            moved = parameters[name].copy()
            moved[index] += sign * h
            values.append(objective(parameters | {name: moved}))
        differences[index] = (values[0] - values[1]) / (2 * h)
    return differences
