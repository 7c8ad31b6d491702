"""A model in hand: the outputs of a finished run again, from either store, and what it refuses."""

import dataclasses
import re

import numpy as np
import pytest

from rnnlab.config import default_config
from rnnlab.errors import RnnlabError
from rnnlab.evaluation.prediction import EVERY_STATE, load_model
from rnnlab.run import run
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.sequences import Sequences
from rnnlab.tasks.splits import generate_splits


def echo(rng, n_sequences, *, n_steps=4):
    """At every step the initial condition plus the input, in sequences of unequal lengths."""
    mask = np.arange(n_steps) < rng.integers(1, n_steps, (n_sequences, 1), endpoint=True)
    inputs = rng.normal(3, 2, size=(n_sequences, n_steps, 1)) * mask[:, :, None]
    initial = rng.normal(size=(n_sequences, 1))
    targets = (inputs + initial[:, None]) * mask[:, :, None]
    return Sequences(inputs=inputs, targets=targets, mask=mask, initial=initial)


SIZES = {"n_train": 40, "n_valid": 20, "n_test": 300}
FEW = {"max_epochs": 3, "batch_size": 10}
CONFIGS = {
    "last step, float32": (dot_product, {"task": {"n_steps": 5}, "model": {"n_hidden": 7, "n_layers": 2}}),
    "last step, float64": (dot_product, {"task": {"n_steps": 5}, "model": {"n_hidden": 3}, "dtype": "float64"}),
    "every step, masked, mapped": (echo, {"model": {"n_hidden": 5, "initial_state": "mapped"}}),
    "an initial condition that the network does not use": (echo, {"model": {"n_hidden": 5}}),
}


def finished(task, sections, standardise=True):
    config = default_config(task, **sections, data={**SIZES, "standardise": standardise}, training=FEW)
    test = generate_splits(task, config["task"], config["seed"], **SIZES).test
    return config, run(config, task), test


@pytest.mark.parametrize("case", CONFIGS)
def test_from_either_store_the_outputs_are_the_runs_own_bit_for_bit(tracked_store, track, tmp_path, case):
    task, sections = CONFIGS[case]
    config, result, test = finished(task, sections)
    np.savez(tmp_path / "weights.npz", allow_pickle=False, **result.weights)
    track(tracked_store.observer(), lambda _run: _run.add_artifact(str(tmp_path / "weights.npz")), config)
    model = load_model(tracked_store.store.get(1))
    outputs = model.predict(test.inputs, test.initial, test.mask)
    assert outputs.dtype == result.test_outputs.dtype
    assert outputs.tobytes() == result.test_outputs.tobytes()
    assert outputs.std() > 0


@dataclasses.dataclass
class Record:
    config: dict
    arrays: dict
    run_id: str = "12"

    def weights(self):
        return dict(self.arrays)


@pytest.fixture(scope="module")
def record():
    config, result, _ = finished(*CONFIGS["every step, masked, mapped"])
    return Record(config, result.weights)


def changed(record, arrays=None, dropped=(), **sections):
    config = {**record.config, **{name: {**record.config[name], **values} for name, values in sections.items()}}
    return Record(config, {name: a for name, a in {**record.arrays, **(arrays or {})}.items() if name not in dropped})


def test_a_sequence_may_be_of_another_length_than_in_training_and_lists_will_do(record):
    model = load_model(record)
    assert repr(model) == "Model(elman, 1 inputs, 5 hidden, 1 outputs)"
    longer = model.predict(np.zeros((2, 9, 1)).tolist(), [[0.5], [1]])
    assert longer.shape == (2, 9, 1)
    np.testing.assert_array_equal(model.predict(np.zeros((2, 4, 1)), [[0.5], [1]]), longer[:, :4])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 4, 3)), np.zeros((2, 1))), "inputs has shape (2, 4, 3): must be (n_sequences, n_steps, 1), as"),
        ((np.zeros((4, 1)), np.zeros((2, 1))), "inputs has shape (4, 1): must be (n_sequences, n_steps, 1), as"),
        ((np.zeros((2, 4, 1)),), "initial is missing: this network starts from an initial condition of shape (2, 1)"),
        ((np.zeros((2, 4, 1)), np.zeros((2, 3))), "initial has shape (2, 3): must be (2, 1), as inputs"),
        ((np.zeros((2, 4, 1)), np.zeros((3, 1))), "initial has shape (3, 1): must be (2, 1), as inputs"),
        ((np.full((2, 4, 1), np.nan), np.zeros((2, 1))), "inputs[0, 0, 0] = nan: must be finite"),
        ((np.zeros((0, 4, 1)), np.zeros((0, 1))), "inputs has shape (0, 4, 1): must be"),
        (("what", np.zeros((2, 1))), "inputs cannot be made an array of numbers: must be (n_sequences, n_steps, n_in)"),
        ((np.zeros((2, 4, 1)), np.zeros((2, 1)), np.ones((2, 3), bool)), "mask has shape (2, 3): must be (2, 4)"),
        ((np.zeros((2, 4, 1)), np.zeros((2, 1)), np.ones((2, 4))), "mask has dtype float64: must be a NumPy array"),
    ],
)
def test_arrays_that_do_not_fit_are_one_clear_line(record, arguments, message):
    with pytest.raises(RnnlabError, match=re.escape(message)) as raised:
        load_model(record).predict(*arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"cell": "gru9"}}, "run 12: model.cell = 'gru9' is unknown here; known are elman"),
        ({"model": {"n_hidden": 6}}, "run 12: layer1.W_uh has shape (1, 5) in the weights, but its config makes (1, 6"),
        ({"model": {"n_layers": 10**12}}, "run 12: model.n_layers = 1000000000000, but there are only"),
        ({"dropped": [EVERY_STATE]}, f"run 12: no network without '{EVERY_STATE}' in config or weights"),
        ({"dropped": ["layer1.W_hh"]}, "run 12: no network without 'layer1.W_hh' in config or weights"),
        ({"dropped": ["scaling.inputs_mean"]}, "run 12: the arrays ["),
        ({"arrays": {"layer1.W_uh": np.float32(1)}}, "run 12: its config and weights make no network: "),
    ],
)
def test_a_network_that_cannot_be_built_here_is_refused_in_one_line(record, change, message):
    with pytest.raises(RnnlabError, match=re.escape(message)) as raised:
        load_model(changed(record, **change))
    assert "\n" not in str(raised.value)


def test_an_unknown_precision_is_refused_in_one_line(record):
    with pytest.raises(RnnlabError, match="run 12: dtype = '2026-01-01' is unknown here; known are float32"):
        load_model(Record({**record.config, "dtype": "2026-01-01"}, record.arrays))


def test_a_run_without_weights_is_refused(tracked_store, track):
    track(tracked_store.observer())
    with pytest.raises(RnnlabError, match=re.escape("run 1 has no artifact 'weights.npz'; it has: none")):
        load_model(tracked_store.store.get(1))
