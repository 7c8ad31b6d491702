import hashlib
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from rnnlab.config import default_config
from rnnlab.errors import ConfigError
from rnnlab.random_streams import stream
from rnnlab.run import run
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.sequences import Sequences
from rnnlab.tasks.series import Series

ROOT = Path(__file__).resolve().parents[1]

# One structure for most tests, so that it is compiled once: 12 sequences in minibatches of 5, 5 and 2.
SMALL = {
    "task": {"n_steps": 3},
    "data": {"n_train": 12, "n_valid": 8, "n_test": 10},
    "model": {"n_hidden": 2},
    "training": {"batch_size": 5, "max_epochs": 3},
}


def small(function=dot_product, /, **sections):
    """A full config: the small one with keys of its sections replaced."""
    merged = {**SMALL, **{name: value for name, value in sections.items() if not isinstance(value, dict)}}
    for name, section in sections.items():
        if isinstance(section, dict):
            merged[name] = {**SMALL.get(name, {}), **section}
    return default_config(function, **merged)


def logged_run(config, task=dot_product):
    logged = []
    result = run(config, task, lambda step, metrics: logged.append((step, dict(metrics))))
    return result, logged


def curve(logged, name):
    return [metrics[name] for _, metrics in logged if name in metrics]


def test_the_summary_is_flat_and_has_the_documented_keys():
    result, _ = logged_run(small(task={"noise_std": 0.1}))
    documented = {
        *("stop_reason", "n_epochs", "n_updates", "best_epoch", "best_update"),
        *("train_loss", "valid_loss", "test_loss", "test_mse", "test_mae"),
        *("test_mse_mean_predictor", "test_mse_ridge_predictor", "test_mse_noise_free", "noise_floor"),
    }
    assert documented <= set(result.summary)
    assert all(type(value) in (int, float, str) for value in result.summary.values())
    assert (result.summary["stop_reason"], result.summary["n_updates"]) == ("max_epochs", 9)
    assert set(result.early_stopping) == {
        *("rule", "reason", "message", "best_epoch", "best_update", "best_valid_loss", "improvements"),
    }
    assert {"layer1.W_hh", "readout.b_hy", "scaling.inputs_mean", "scaling.targets_std"} <= set(result.weights)
    assert {"threads", "python", "seconds_to_train"} <= set(result.environment)
    json.dumps([result.summary, result.early_stopping, result.environment], allow_nan=False)


def test_without_known_noise_there_are_no_noise_free_scores():
    result, _ = logged_run(small())
    assert not {"test_mse_noise_free", "noise_floor"} & set(result.summary)


def test_test_scores_are_those_of_the_outputs_against_the_test_split():
    result, logged = logged_run(small(seed=3, task={"noise_std": 0.1}))
    train, test = (
        dot_product(stream(3, f"data.{name}", *index), n, n_steps=3, noise_std=0.1)
        for name, index, n in (("train", (0,), 12), ("test", (), 10))
    )
    summary = result.summary
    assert result.test_outputs.shape == (10, 1)
    assert summary["test_mse"] == pytest.approx(((result.test_outputs - test.targets) ** 2).mean())
    assert summary["test_mae"] == pytest.approx(np.abs(result.test_outputs - test.targets).mean())
    assert summary["test_mse_noise_free"] == pytest.approx(((result.test_outputs - test.clean_targets) ** 2).mean())
    assert summary["noise_floor"] == pytest.approx(((test.targets - test.clean_targets) ** 2).mean())
    assert summary["test_mse_mean_predictor"] == pytest.approx(((train.targets.mean() - test.targets) ** 2).mean())
    assert summary["test_loss"] == pytest.approx(summary["test_mse"], rel=1e-5)
    assert summary["valid_loss"] == min(curve(logged, "valid.loss")) == result.early_stopping["best_valid_loss"]


def test_standardised_data_is_scaled_back_for_the_test_scores():
    result, logged = logged_run(small(task={"high": 10.0}, data={"standardise": True}))
    train, test = (
        dot_product(stream(0, f"data.{name}", *index), n, n_steps=3, high=10.0)
        for name, index, n in (("train", (0,), 12), ("test", (), 10))
    )
    np.testing.assert_allclose(result.weights["scaling.inputs_mean"], train.inputs.mean(axis=(0, 1)))
    np.testing.assert_allclose(result.weights["scaling.targets_std"], train.targets.std(axis=0))
    summary = result.summary
    assert summary["test_mse"] == pytest.approx(((result.test_outputs - test.targets) ** 2).mean())
    assert summary["test_loss"] == pytest.approx(summary["test_mse"] / train.targets.var(), rel=1e-5)
    assert curve(logged, "train.loss")[0] < 10  # in units of the deviation; in their own units it would be hundreds


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_and_update_logs_have_the_dtype_of_the_config(dtype):
    result, _ = logged_run(small(dtype=dtype, training={"log_updates": True}))
    weights = {name: array for name, array in result.weights.items() if ".W_" in name or ".b_" in name}
    assert {array.dtype for array in weights.values()} == {np.dtype(dtype)}
    assert {array.dtype for array in result.updates.values()} == {np.dtype(dtype)}


def test_updates_are_logged_when_asked_for():
    result, logged = logged_run(small(training={"log_updates": True}))
    assert set(result.updates) == {"loss", "absolute_error", "grad_norm"}
    assert all(array.shape == (9,) and np.isfinite(array).all() for array in result.updates.values())
    losses = result.updates["loss"].reshape(3, 3)
    assert curve(logged, "train.loss") == pytest.approx(losses @ np.array([5, 5, 2]) / 12, rel=1e-6)
    assert logged_run(small())[0].updates is None


def bits(result):
    return {name: array.tobytes() for name, array in result.weights.items()}


def without_time(logged):
    return [(step, {name: value for name, value in metrics.items() if name != "seconds"}) for step, metrics in logged]


def test_another_seed_changes_data_weights_and_curves():
    first, first_log = logged_run(small(seed=0))
    other, other_log = logged_run(small(seed=1))
    assert bits(first) != bits(other)
    assert first.summary["test_mse_mean_predictor"] != other.summary["test_mse_mean_predictor"]
    assert set(curve(first_log, "valid.loss")).isdisjoint(curve(other_log, "valid.loss"))


def test_a_data_seed_keeps_the_data_while_the_seed_changes_the_weights():
    results = [logged_run(small(seed=seed, data={"seed": 7}))[0] for seed in (0, 1)]
    assert results[0].summary["test_mse_mean_predictor"] == results[1].summary["test_mse_mean_predictor"]
    assert bits(results[0]) != bits(results[1])
    by_seed, _ = logged_run(small(seed=7))
    assert by_seed.summary["test_mse_mean_predictor"] == results[0].summary["test_mse_mean_predictor"]


def untrained(**sections):
    """Initial weights, outputs and losses: a run of no epochs."""
    training = {**sections.pop("training", {}), "max_epochs": 0}
    return logged_run(small(training=training, **sections))[0]


def test_the_batch_size_changes_neither_the_data_nor_the_initial_weights():
    first, other = untrained(), untrained(training={"batch_size": 3})
    assert bits(first) == bits(other)
    assert first.summary == other.summary
    assert np.array_equal(first.test_outputs, other.test_outputs)


@pytest.mark.parametrize(
    "sections",
    [
        {"data": {"n_train": 7}},
        {"data": {"seed": 5}},
        {"data": {"resample_each_epoch": True}, "training": {"optimizer": "adam", "input_noise_std": 0.5}},
        {"task": {"noise_std": 0.3}},
    ],
)
def test_nothing_but_the_model_and_the_seed_changes_the_initial_weights(sections):
    assert bits(untrained(**sections)) == bits(untrained())


def test_more_training_sequences_leave_the_other_splits_as_they_are():
    first, other = untrained(), untrained(data={"n_train": 30})
    assert first.summary["valid_loss"] == other.summary["valid_loss"]
    assert first.summary["test_loss"] == other.summary["test_loss"]
    assert first.summary["train_loss"] != other.summary["train_loss"]


def frozen(**sections):
    """The training losses of three epochs in which the weights do not move."""
    training = {**sections.pop("training", {}), "learning_rate": 1e-30}
    return curve(logged_run(small(training=training, **sections))[1], "train.loss")


def test_resampling_draws_new_training_sequences_after_the_first_epoch():
    fixed, resampled = frozen(), frozen(data={"resample_each_epoch": True})
    assert fixed == pytest.approx([fixed[0]] * 3, rel=1e-6)
    assert resampled[0] == fixed[0]
    assert len(set(resampled)) == 3
    assert min(abs(loss - fixed[0]) for loss in resampled[1:]) > 1e-3 * fixed[0]
    assert frozen(data={"resample_each_epoch": True}) == resampled


def test_input_noise_is_fresh_in_every_epoch_and_on_the_training_inputs_alone():
    noisy = frozen(training={"input_noise_std": 0.5})
    assert len({*noisy, *frozen()}) == 3 + len(set(frozen()))
    assert frozen(training={"input_noise_std": 0.5}) == noisy
    clean, with_noise = untrained(), untrained(training={"input_noise_std": 0.5})
    assert clean.summary == with_noise.summary


def test_divergence_ends_the_run_as_diverged_with_finite_results_and_no_warning():
    config = small(model={"activation": "identity"}, training={"learning_rate": 1e6, "max_epochs": 50})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result, _ = logged_run(config)
    assert result.summary["stop_reason"] == "diverged"
    assert "no longer finite" in result.early_stopping["message"]
    assert all(np.isfinite(array).all() for array in result.weights.values())
    assert np.isfinite(result.test_outputs).all()
    assert all(np.isfinite(value) for value in result.summary.values() if not isinstance(value, str))


def test_a_request_to_stop_ends_the_run_as_interrupted_with_a_full_result():
    result = run(small(), dot_product, stop_requested=lambda: True)
    assert (result.summary["stop_reason"], result.summary["n_epochs"]) == ("interrupted", 1)
    assert np.isfinite(result.summary["test_mse"])


def test_the_lisa_rule_validates_at_least_every_epoch_and_every_half_patience():
    lisa = {"rule": "lisa", "patience_increase": 1.0}
    _, logged = logged_run(small(early_stopping={**lisa, "patience_updates": 1000}))
    assert [step for step, _ in logged] == [0, 3, 6, 9]
    result, logged = logged_run(small(early_stopping={**lisa, "patience_updates": 3}))
    assert [step for step, _ in logged] == [0, 1, 2, 3]
    assert result.summary["stop_reason"] == "patience"


def one_update(**training):
    """The best weights after one full-batch update, where it improved the validation loss."""
    result, _ = logged_run(small(training={"batch_size": 12, "max_epochs": 1, "learning_rate": 0.01, **training}))
    assert result.summary["best_update"] == 1
    return result.weights


def test_a_batch_larger_than_the_data_is_a_full_batch_and_a_warning(caplog):
    caplog.set_level("WARNING", logger="rnnlab")  # Sacred sets that of all loggers, if a test before has run it
    full = one_update()
    assert not caplog.records
    larger = one_update(batch_size=50)
    assert [record.getMessage() for record in caplog.records] == [
        "training.batch_size = 50 exceeds the 12 training sequences: using all of them in every minibatch"
    ]
    for name in full:
        np.testing.assert_array_equal(full[name], larger[name])


def test_penalties_and_clipping_of_the_config_reach_the_update():
    initial = untrained().weights
    plain = one_update()
    changed = one_update(l1={"W_hh": 0.5}, l2={"W_uh": 0.25}, clip_norm=1e6)
    for name in initial:
        pull = np.zeros_like(initial[name])
        if name == "layer1.W_hh":
            pull = 0.5 * np.sign(initial[name])
        if name == "layer1.W_uh":
            pull = 0.25 * 2 * initial[name]
        np.testing.assert_allclose(plain[name] - changed[name], 0.01 * pull, atol=1e-6, err_msg=name)
    clipped = one_update(l1={"W_hh": 0.5}, l2={"W_uh": 0.25}, clip_norm=0.1)
    moved = np.concatenate([(clipped[name] - initial[name]).ravel() for name in initial])
    assert np.linalg.norm(moved) == pytest.approx(0.01 * 0.1, rel=1e-3)


def echo(rng, n_sequences, *, n_steps=4):
    """At every step the initial condition plus the input, in sequences of unequal lengths."""
    mask = np.arange(n_steps) < rng.integers(1, n_steps, (n_sequences, 1), endpoint=True)
    inputs = rng.normal(size=(n_sequences, n_steps, 1)) * mask[:, :, None]
    initial = rng.normal(size=(n_sequences, 1))
    targets = (inputs + initial[:, None]) * mask[:, :, None]
    return Sequences(inputs=inputs, targets=targets, mask=mask, initial=initial)


def test_masked_sequences_with_an_initial_condition_are_learned_at_every_step():
    config = small(
        echo,
        task={"n_steps": 4},
        data={"n_train": 100, "n_test": 300, "standardise": True},
        model={"initial_state": "mapped", "n_hidden": 6},
        training={"batch_size": 10, "optimizer": "adam", "learning_rate": 0.02, "max_epochs": 40, "clip_norm": 1.0},
    )
    result, _ = logged_run(config, echo)
    assert {"layer1.W_init", "layer1.b_init", "scaling.initial_mean"} <= set(result.weights)
    assert result.test_outputs.shape == (300, 4, 1)
    assert result.summary["test_mse"] < 0.1 * result.summary["test_mse_mean_predictor"]


def test_one_of_everything_runs():
    config = default_config(
        dot_product,
        task={"n_steps": 1, "n_components": 1},
        data={"n_train": 1, "n_valid": 1, "n_test": 1},
        model={"n_hidden": 1},
        training={"batch_size": 1, "max_epochs": 2},
    )
    result, logged = logged_run(config)
    assert result.test_outputs.shape == (1, 1)
    assert np.isfinite(curve(logged, "valid.loss")).all()


def test_a_config_that_cannot_be_run_is_an_error_before_any_work():
    calls = []

    def task(rng, n_sequences, *, n_steps=3):
        calls.append(n_sequences)
        return dot_product(rng, n_sequences, n_steps=n_steps)

    with pytest.raises(ConfigError, match=r"model\.n_hidden = 0"):
        run(default_config(task, model={"n_hidden": 0}), task)
    assert calls == []


SCRIPT = """
import hashlib, json, sys
from rnnlab.run import run
from rnnlab.tasks.dot_product import dot_product
curves = []
result = run(json.loads(sys.argv[1]), dot_product, lambda step, metrics: curves.append([step, dict(metrics)]))
for _, metrics in curves:
    del metrics["seconds"]
digest = hashlib.sha256(b"".join(array.tobytes() for array in result.weights.values())).hexdigest()
print(json.dumps({"curves": curves, "weights": digest, "summary": result.summary}))
"""


@pytest.mark.slow
def test_a_fresh_process_without_a_c_compiler_gives_the_bits_of_this_one_and_prints_nothing_else():
    config = small(model={"n_hidden": 20}, task={"n_steps": 10}, training={"input_noise_std": 0.1})
    # An empty PATH: no compiler is found, nor anything else that could be started by name.
    environment = {name: value for name, value in os.environ.items() if name != "PYTENSOR_FLAGS"} | {"PATH": ""}
    environment["RNNLAB_CACHE_DIR"] = ""  # it compiles for itself
    command = [sys.executable, "-W", "default", "-c", SCRIPT, json.dumps(config)]
    process = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=300)
    assert (process.returncode, process.stderr) == (0, "")
    there = json.loads(process.stdout)
    result, logged = logged_run(config)
    weights = hashlib.sha256(b"".join(array.tobytes() for array in result.weights.values())).hexdigest()
    curves = [[step, metrics] for step, metrics in without_time(logged)]
    assert there == {"curves": curves, "weights": weights, "summary": result.summary}
    assert len(curves) == 4


@pytest.fixture
def series(tmp_path):
    """A series of 60 steps with a season of 4."""
    path = tmp_path / "seasons.csv"
    path.write_text("a\n" + "".join(f"{(0, 5, 1, -2)[step % 4] + step / 10}\n" for step in range(60)))
    return Series(path, ("a",), season=4)


def test_a_fixed_series_is_trained_on_as_it_was_cut_beside_all_its_naive_predictors(series):
    config = small(series, task={"n_steps": 4}, seed=3)
    result, _ = logged_run(config, series)
    test = series.splits(12, 8, 10, n_steps=4).test
    assert result.summary["test_mse"] == pytest.approx(((result.test_outputs - test.targets) ** 2).mean())
    assert result.summary["test_mse_seasonal_persistence_predictor"] == pytest.approx(0.4**2)
    assert result.summary["test_mse_persistence_predictor"] > 1
    assert {"test_mse_mean_predictor", "test_mse_ridge_predictor"} <= set(result.summary)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"data": {"resample_each_epoch": True}}, "data.resample_each_epoch = True: this task's data are fixed"),
        ({"data": {"n_train": 40}}, "config section data: n_train + n_valid + n_test = 58: must be at most 48"),
        ({"task": {"n_steps": 0}}, "config section task: n_steps = 0: must be a whole number of at least 1"),
    ],
)
def test_what_a_fixed_series_cannot_give_is_refused_before_any_work(series, sections, message):
    config = small(series, **{"task": {"n_steps": 4}, **sections})
    with pytest.raises(ConfigError, match=re.escape(message)):
        run(config, series)
