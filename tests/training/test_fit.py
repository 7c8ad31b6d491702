import dataclasses
import warnings

import numpy as np
import pytest

from rnnlab.evaluation.forward import compile_forward
from rnnlab.models.network import Architecture, initial_parameters
from rnnlab.tasks.sequences import Sequences
from rnnlab.training.early_stopping import StoppingRule
from rnnlab.training.epoch import UpdateRule
from rnnlab.training.fit import Training, fit, mean_loss

ARCHITECTURE = Architecture(
    n_in=1,
    n_out=1,
    n_hidden=2,
    n_layers=1,
    cell="elman",
    activation="identity",
    initial_state="zero",
    n_initial=0,
    every_state=False,
)
NO_STOPPING = StoppingRule("none", 1, 0.0, 1, 1.0, 1.0)

# Ten sequences in minibatches of 6 and 4, so that an epoch is 2 updates and the last minibatch is not full.
TRAINING = Training(
    architecture=ARCHITECTURE,
    rule=UpdateRule("sgd", clip=False, l1_groups=(), l2_groups=()),
    stopping=NO_STOPPING,
    hyper={},
    learning_rate=0.01,
    schedule="constant",
    decay_updates=100.0,
    batch_size=6,
    max_epochs=4,
    validate_every=None,
    log_updates=True,
    dtype="float32",
    seed=0,
)


def sums(seed, n_sequences=10):
    """Three random numbers, whose noisy sum is the target."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n_sequences, 3, 1))
    return Sequences(inputs=inputs, targets=inputs.sum(axis=1) + rng.normal(0, 0.5, (n_sequences, 1)))


TRAIN, VALID = sums(1), sums(2)
PARAMETERS = initial_parameters(ARCHITECTURE, np.random.default_rng(3), "glorot", 1.0, "orthogonal", 0.5, 1)


def train(training_data=lambda epoch: TRAIN, stop_requested=lambda: False, parameters=PARAMETERS, **changes):
    """Fit with the settings above but for `changes`; returns how it ended, and the log as (step, metrics) pairs."""
    logged = []
    fitted = fit(
        dataclasses.replace(TRAINING, **changes),
        parameters,
        training_data,
        VALID,
        lambda step, metrics: logged.append((step, dict(metrics))),
        stop_requested,
    )
    return fitted, logged


def loss_of(parameters, sequences):
    return mean_loss(compile_forward(ARCHITECTURE, 3, False, "float32"), parameters, sequences)


def test_training_ends_after_the_last_epoch_and_lowers_the_loss():
    fitted, logged = train()
    assert (fitted.reason, fitted.message) == ("max_epochs", "all 4 epochs were made")
    assert (fitted.state.n_epochs, fitted.state.n_updates, fitted.state.n_examples) == (4, 8, 40)
    assert [step for step, _ in logged] == [0, 2, 4, 6, 8]
    assert logged[-1][1]["valid.loss"] < logged[0][1]["valid.loss"]
    assert all(array.dtype == np.float32 for array in fitted.state.parameters.values())


def test_every_validation_logs_the_same_metrics_as_python_numbers():
    _, logged = train()
    always = {"valid.loss", "learning_rate", "epoch", "examples", "seconds", "early_stopping.waited"}
    assert set(logged[0][1]) == always  # before the first update
    for _, metrics in logged[1:]:
        assert set(metrics) == always | {"train.loss", "train.grad_norm"}
        assert all(type(value) in (int, float) for value in metrics.values())
    assert [metrics["epoch"] for _, metrics in logged] == [0, 1, 2, 3, 4]
    assert [metrics["examples"] for _, metrics in logged] == [0, 10, 20, 30, 40]
    seconds = [metrics["seconds"] for _, metrics in logged]
    assert seconds == sorted(seconds)


def test_the_logged_training_loss_counts_every_sequence_once():
    # So small a rate leaves the weights as they are: then the loss of the epoch is that of the data set.
    _, logged = train(learning_rate=1e-30)
    expected = loss_of({name: array.astype("float32") for name, array in PARAMETERS.items()}, TRAIN)
    assert [metrics["train.loss"] for _, metrics in logged[1:]] == pytest.approx([expected] * 4, rel=1e-6)


def test_the_logged_gradient_norm_is_the_mean_over_updates_since_the_last_validation():
    fitted, logged = train()
    norms = np.concatenate([update_log.grad_norm for update_log in fitted.state.update_logs])
    assert [metrics["train.grad_norm"] for _, metrics in logged[1:]] == pytest.approx(norms.reshape(4, 2).mean(axis=1))


def test_validate_every_changes_when_validation_comes_and_no_bit_of_the_training():
    often, logged = train(validate_every=1)
    rarely, logged_rarely = train(validate_every=4)
    assert [step for step, _ in logged] == list(range(9))
    assert [metrics["examples"] for _, metrics in logged] == [0, 6, 10, 16, 20, 26, 30, 36, 40]
    assert [metrics["epoch"] for _, metrics in logged[:4]] == [0, 0, 1, 1]
    assert [step for step, _ in logged_rarely] == [0, 4, 8]
    for name, array in often.state.parameters.items():
        np.testing.assert_array_equal(array, rarely.state.parameters[name])
    assert dict(logged)[8]["valid.loss"] == dict(logged_rarely)[8]["valid.loss"]


def test_patience_ends_training_and_says_so():
    stopping = StoppingRule("patience", 3, 1e9, 1, 1.0, 1.0)  # no decrease is large enough
    fitted, logged = train(stopping=stopping, max_epochs=100)
    assert fitted.reason == "patience"
    assert "in 3 validations" in fitted.message
    assert fitted.state.n_updates == 6
    assert [metrics["early_stopping.waited"] for _, metrics in logged] == [0, 1, 2, 3]


def test_best_weights_are_those_of_the_lowest_validation_loss():
    fitted, logged = train(learning_rate=0.08, max_epochs=12)
    losses = [metrics["valid.loss"] for _, metrics in logged]
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 1, "the lowest loss should come in between"
    stopping = fitted.state.stopping
    assert (stopping.best_update, stopping.best_epoch, stopping.best_loss) == (2 * best, best, losses[best])
    assert loss_of(fitted.state.best_parameters, VALID) == losses[best]
    until_best, _ = train(learning_rate=0.08, max_epochs=best)
    for name, array in until_best.state.parameters.items():
        np.testing.assert_array_equal(array, fitted.state.best_parameters[name])
        assert not np.array_equal(array, fitted.state.parameters[name])


def test_divergence_ends_training_with_the_best_finite_weights_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted, logged = train(learning_rate=1e6, max_epochs=50)
    assert fitted.reason == "diverged"
    assert "no longer finite" in fitted.message
    assert fitted.state.n_epochs < 50
    assert not np.isfinite(logged[-1][1]["valid.loss"])
    assert all(np.isfinite(array).all() for array in fitted.state.best_parameters.values())
    assert loss_of(fitted.state.best_parameters, VALID) == min(metrics["valid.loss"] for _, metrics in logged)


def test_initial_weights_that_give_no_finite_loss_end_training_at_once():
    huge = {name: np.full_like(array, 1e30) for name, array in PARAMETERS.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted, logged = train(parameters=huge)
    assert fitted.reason == "diverged"
    assert fitted.state.n_updates == 0
    assert len(logged) == 1


def test_a_request_to_stop_ends_training_at_the_next_validation():
    answers = iter([False, False, True])
    fitted, logged = train(stop_requested=lambda: next(answers))
    assert (fitted.reason, fitted.state.n_updates) == ("interrupted", 6)
    assert [step for step, _ in logged] == [0, 2, 4, 6]


def test_every_epoch_asks_for_its_own_training_sequences_and_uses_them():
    # With so small a rate the training losses are those of each epoch's own data.
    epochs = {epoch: sums(10 + epoch) for epoch in range(3)}
    asked = []

    def training_data(epoch):
        asked.append(epoch)
        return epochs[epoch]

    _, logged = train(training_data, learning_rate=1e-30, max_epochs=3)
    assert sorted(set(asked)) == [0, 1, 2]
    typed = {name: array.astype("float32") for name, array in PARAMETERS.items()}
    expected = [loss_of(typed, epochs[epoch]) for epoch in range(3)]
    assert [metrics["train.loss"] for _, metrics in logged[1:]] == pytest.approx(expected, rel=1e-6)


def test_every_epoch_has_an_order_of_its_own_which_the_seed_decides():
    def update_losses(seed):
        fitted, _ = train(learning_rate=1e-30, seed=seed)
        return [tuple(update_log.loss) for update_log in fitted.state.update_logs]

    assert len(set(update_losses(0))) == 4
    assert update_losses(0) == update_losses(0)
    assert update_losses(0) != update_losses(1)


def test_the_schedule_sets_the_rate_of_every_update():
    # After update 0 this rate is 0 to all digits, so that the first update is the only one that moves the weights.
    _, logged = train(schedule="exponential", decay_updates=1e-3, validate_every=1)
    assert [metrics["learning_rate"] for _, metrics in logged] == [0.01] + [0.0] * 8
    assert len({metrics["valid.loss"] for _, metrics in logged}) == 2
    _, logged = train(schedule="inverse", decay_updates=2.0)
    rates = [metrics["learning_rate"] for _, metrics in logged]
    assert rates == pytest.approx([0.01, 0.005, 0.01 / 3, 0.0025, 0.002])


def test_no_epochs_leave_the_initial_weights():
    fitted, logged = train(max_epochs=0)
    assert (fitted.reason, fitted.state.n_updates) == ("max_epochs", 0)
    for name, array in PARAMETERS.items():
        np.testing.assert_array_equal(fitted.state.best_parameters[name], array.astype("float32"))
    assert [step for step, _ in logged] == [0]


def test_update_logs_are_kept_only_when_asked_for():
    assert train(log_updates=False)[0].state.update_logs == []
    assert sum(len(update_log.loss) for update_log in train()[0].state.update_logs) == 8
