"""Checkpoints: training goes on from each of them as if it had never ended, and damage is never taken for a state."""

import dataclasses
import logging
import random

import numpy as np
import pytest

from rnnlab.errors import CheckpointError
from rnnlab.models.network import Architecture, initial_parameters
from rnnlab.tasks.sequences import Sequences
from rnnlab.training.checkpoint import Checkpoints, from_bytes, to_bytes
from rnnlab.training.early_stopping import EarlyStopping, StoppingRule
from rnnlab.training.epoch import UpdateRule
from rnnlab.training.fit import Training, fit
from rnnlab.training.state import TrainingState

ARCHITECTURE = Architecture(
    n_in=1,
    n_out=1,
    n_hidden=2,
    n_layers=1,
    cell="elman",
    activation="tanh",
    initial_state="zero",
    n_initial=0,
    every_state=False,
)

# Twenty sequences in minibatches of 6, so that an epoch is 4 updates; validation after every second epoch.
TRAINING = Training(
    architecture=ARCHITECTURE,
    rule=UpdateRule("adam", clip=False, l1_groups=(), l2_groups=()),
    stopping=StoppingRule("patience", 3, 0.0, 1, 1.0, 1.0),
    hyper={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    learning_rate=0.1,
    schedule="inverse",
    decay_updates=50.0,
    batch_size=6,
    max_epochs=30,
    validate_every=8,
    log_updates=True,
    dtype="float32",
    seed=0,
)
PARAMETERS = initial_parameters(ARCHITECTURE, np.random.default_rng(3), "glorot", 1.0, "orthogonal", 0.5, 1)
IDENTITY = {
    "variant": "abc",
    "threads": 1,
    "packages": {"jax": "0.10.0", "numpy": "2.0"},
    "code": {"rnnlab/training/fit.py": "1", "task.py": "2"},
}


def sums(seed, n_sequences=20):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n_sequences, 3, 1))
    return Sequences(inputs=inputs, targets=inputs.sum(axis=1) + rng.normal(0, 0.5, (n_sequences, 1)))


VALID = sums(2)


def train(training=TRAINING, start=None, save=lambda state, stopping: None):
    """Train on new sequences in each epoch; returns how it ended and what was logged, without the seconds."""
    logged = []

    def log(step, metrics):
        logged.append((step, {name: value for name, value in metrics.items() if name != "seconds"}))

    epochs = [sums(10 + epoch) for epoch in range(training.max_epochs)]
    return fit(training, PARAMETERS, epochs.__getitem__, VALID, log, lambda: False, start, save), logged


def arrays_of(state):
    """All bits of a state's arrays, by name."""
    updates = {
        field: np.concatenate([getattr(log, field) for log in state.update_logs])
        for field in ("loss", "absolute_error", "grad_norm")
        if state.update_logs
    }
    parts = {"parameters": state.parameters, "slots": state.slots, "best": state.best_parameters, "updates": updates}
    return {(part, name): array.tobytes() for part, arrays in parts.items() for name, array in arrays.items()}


@pytest.mark.parametrize("rule", ["patience", "lisa", "none"])
@pytest.mark.parametrize("log_updates", [True, False])
def test_from_every_checkpoint_training_ends_with_the_same_bits(rule, log_updates):
    stopping = StoppingRule(rule, 3, 0.0, 40, 1.5, 0.995)
    training = dataclasses.replace(TRAINING, stopping=stopping, log_updates=log_updates)
    kept = []
    whole, logged = train(training, save=lambda state, stopping: kept.append(to_bytes(state, IDENTITY, "7")))
    assert len(kept) > 5
    assert any(from_bytes(content, IDENTITY).state.pending for content in kept), "some lie between two validations"
    for content in kept:
        checkpoint = from_bytes(content, IDENTITY)
        assert checkpoint.run_id == "7"
        resumed, logged_again = train(training, start=checkpoint.state)
        assert arrays_of(resumed.state) == arrays_of(whole.state)
        assert (resumed.reason, resumed.message) == (whole.reason, whole.message)
        assert resumed.state.stopping == whole.state.stopping
        assert logged_again == logged
        assert resumed.state.n_examples == whole.state.n_examples


def test_the_seconds_of_training_go_on_where_they_were():
    kept = []
    train(save=lambda state, stopping: kept.append(to_bytes(state, IDENTITY, None)))
    state = from_bytes(kept[3], IDENTITY).state
    state.seconds = 1000.0
    assert train(start=state)[0].state.seconds > 1000.0


def small_state(n_updates=3):
    weights = {"W": np.full((2, 3), n_updates, "float32")}
    stopping = EarlyStopping(StoppingRule("patience", 3, 0.0, 1, 1.0, 1.0))
    history = [(0, {"valid.loss": float("nan")})]
    return TrainingState(weights, {}, weights, stopping, n_updates, history=history)


def test_a_state_before_any_validation_and_values_that_are_not_finite_come_back():
    state = from_bytes(to_bytes(small_state(), IDENTITY, None), IDENTITY).state
    assert state.stopping == small_state().stopping  # its best loss is infinite
    assert np.isnan(state.history[0][1]["valid.loss"])
    assert state.pending == state.update_logs == []


def test_no_flipped_bit_and_no_truncation_goes_unseen():
    content = to_bytes(small_state(), IDENTITY, None)
    rng = random.Random(0)
    damaged = [content[: rng.randrange(len(content))] for _ in range(200)] + [b"", content + b"\0"]
    for _ in range(2000):
        flipped = bytearray(content)
        flipped[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        damaged.append(bytes(flipped))
    for each in damaged:
        with pytest.raises(CheckpointError, match="damaged"):
            from_bytes(each, IDENTITY)


def test_a_checkpoint_is_an_archive_without_pickles_that_numpy_reads(tmp_path):
    (tmp_path / "file.npz").write_bytes(to_bytes(small_state(), IDENTITY, None))
    with np.load(tmp_path / "file.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["parameters/W"], small_state().parameters["W"])


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"variant": "xyz"}, "belongs to another config, abc"),
        ({"threads": 2}, "PJRT_NPROC=1, now it is 2"),
        ({"packages": {"jax": "0.12.1", "numpy": "2.0"}}, "made with jax 0.10.0, now it is 0.12.1"),
        ({"code": {"rnnlab/training/fit.py": "9", "task.py": "2"}}, "other code: rnnlab/training/fit.py has changed"),
        ({"code": {}}, "rnnlab/training/fit.py and 1 more have changed"),
    ],
)
def test_what_was_made_otherwise_is_refused_in_words(now, said):
    with pytest.raises(CheckpointError, match=said):
        from_bytes(to_bytes(small_state(), IDENTITY, None), {**IDENTITY, **now})


def checkpoints(folder, every_seconds=0.0):
    return Checkpoints(folder / "made" / "abc.npz", IDENTITY, every_seconds, "7")


def test_the_newest_two_are_kept_and_the_newest_is_loaded(tmp_path):
    kept = checkpoints(tmp_path)
    assert kept.load() is None
    assert not kept.exist()
    for n_updates in (1, 2, 3):
        kept.save(small_state(n_updates), stopping=False)
    assert sorted(path.name for path in tmp_path.rglob("*.npz")) == ["abc.npz", "abc.previous.npz"]
    found = kept.load()
    assert (found.state.n_updates, found.run_id, found.problem) == (3, "7", "")
    kept.remove()
    assert list((tmp_path / "made").iterdir()) == []


def test_where_the_newest_is_damaged_or_missing_the_one_before_it_is_loaded(tmp_path):
    kept = checkpoints(tmp_path)
    for n_updates in (1, 2):
        kept.save(small_state(n_updates), stopping=False)
    newest = tmp_path / "made" / "abc.npz"
    newest.write_bytes(newest.read_bytes()[:-1])
    found = kept.load()
    assert found.state.n_updates == 1
    assert str(newest) in found.problem
    assert "damaged" in found.problem
    newest.unlink()
    assert kept.load().state.n_updates == 1


def test_where_no_checkpoint_can_be_used_the_newest_one_is_named(tmp_path):
    kept = checkpoints(tmp_path)
    for n_updates in (1, 2):
        kept.save(small_state(n_updates), stopping=False)
    for path in (tmp_path / "made").iterdir():
        path.write_bytes(b"rubbish")
    with pytest.raises(CheckpointError, match=r"abc\.npz: is damaged"):
        kept.load()


def test_a_state_is_saved_when_it_is_time_or_training_stops(tmp_path):
    seldom, never = checkpoints(tmp_path, every_seconds=1e6), checkpoints(tmp_path, every_seconds=None)
    seldom.save(small_state(), stopping=False)
    never.save(small_state(), stopping=True)
    assert not seldom.exist()
    seldom.save(small_state(), stopping=True)
    assert seldom.exist()


def test_a_folder_that_cannot_be_made_is_one_warning_and_training_goes_on(tmp_path, monkeypatch):
    (tmp_path / "made").write_text("a file where the folder should be")
    kept = checkpoints(tmp_path)
    warnings = []
    monkeypatch.setattr(logging.getLogger("rnnlab"), "warning", lambda text, *values: warnings.append(text % values))
    for n_updates in (1, 2):
        kept.save(small_state(n_updates), stopping=False)
    (warning,) = warnings
    assert "no checkpoint can be written" in warning
    assert str(tmp_path / "made") in warning


def test_what_a_kill_in_the_middle_of_a_save_left_goes_with_the_checkpoints(tmp_path):
    kept = checkpoints(tmp_path)
    kept.save(small_state(), stopping=False)
    (tmp_path / "made" / ".abc.npz.123-456.tmp").write_bytes(b"half")
    (tmp_path / "made" / "other.npz").write_bytes(b"another variant's")
    kept.remove()
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["other.npz"]
