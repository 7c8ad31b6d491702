"""Small networks with random weights and data, for tests of training."""

import numpy as np

from rnnlab.models.network import Architecture


def architecture(**changes):
    settings = {
        "n_in": 2,
        "n_out": 2,
        "n_hidden": 3,
        "n_layers": 1,
        "cell": "elman",
        "activation": "tanh",
        "initial_state": "zero",
        "n_initial": 0,
        "every_state": False,
    }
    return Architecture(**(settings | changes))


def draw(arch, shape, seed=0):
    """Random weights (biases too), and data of unequal lengths: inputs, targets, mask, initial."""
    rng = np.random.default_rng(seed)
    parameters = {name: rng.normal(0, 0.6, size) for name, size in arch.parameter_shapes().items()}
    n, n_steps = shape.n_sequences, shape.n_steps
    targets = rng.normal(size=(n, n_steps, arch.n_out) if arch.every_state else (n, arch.n_out))
    lengths = 1 + np.arange(n) % n_steps
    mask = (np.arange(n_steps) < lengths[:, None]).astype(float) if shape.masked else None
    initial = rng.normal(size=(n, arch.n_initial)) if arch.initial_state == "mapped" else None
    return parameters, (rng.normal(size=(n, n_steps, arch.n_in)), targets, mask, initial)
