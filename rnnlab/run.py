"""One run: from a config to its result. Here config keys become work; it knows no Sacred and no store."""

import dataclasses
import logging
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.compiled import thread_count
from rnnlab.config import Config, Task, check_config, updates_between_validations
from rnnlab.evaluation.baselines import naive_outputs
from rnnlab.evaluation.forward import compile_forward
from rnnlab.evaluation.prediction import EVERY_STATE, architecture_for, predict
from rnnlab.evaluation.scores import mean_absolute_error, mean_squared_error
from rnnlab.models.network import Architecture, initial_parameters
from rnnlab.models.penalties import WEIGHT_GROUPS
from rnnlab.models.readouts import READOUTS
from rnnlab.random_streams import stream
from rnnlab.tasks.scaling import Scaling, fit_scaling, identity_scaling
from rnnlab.tasks.sequences import Sequences, Splits
from rnnlab.tasks.splits import generate_splits
from rnnlab.tasks.success import wrong_answers
from rnnlab.training.early_stopping import StoppingRule
from rnnlab.training.epoch import Arrays, UpdateRule
from rnnlab.training.fit import Fitted, Log, Save, Training, fit, keep_none, mean_loss
from rnnlab.training.state import TrainingState, joined_logs

logger = logging.getLogger("rnnlab")


@dataclass(frozen=True)
class Result:
    """What a run leaves behind.

    summary:      the flat result: floats, ints and short strings (docs/architecture.md lists them)
    weights:      the best weights, the scaling and what is read out, by name, as in `weights.npz`
    early_stopping: the decisions: improvements, best epoch, and why the run ended
    updates:      the log of every update, where it was kept
    test_outputs: the network's outputs on the test split, in the targets' own units
    environment:  what the bits depend on besides config and versions, and how long training took
    """

    summary: dict[str, float | int | str]
    weights: Arrays
    early_stopping: dict[str, Any]
    updates: Arrays | None
    test_outputs: np.ndarray
    environment: dict[str, Any]


def ignore(step: int, metrics: Mapping[str, float]) -> None:
    """The default log: nothing."""


def never() -> bool:
    """The default answer to whether the run should stop early."""
    return False


def run(
    config: Config,
    task: Task,
    log: Log = ignore,
    stop_requested: Callable[[], bool] = never,
    start: TrainingState | None = None,
    save: Save = keep_none,
) -> Result:
    """Generate the data, train, and score the best weights once on the test split.

    config:         a full config, as from `default_config(task, ...)`
    log:            called at each validation with the number of updates and the metrics by name
    stop_requested: asked after each compiled call; when true, the run ends as `interrupted`
    start, save:    a state to go on from, and what keeps states for that, as in `fit`

    Raises ConfigError before any work starts if the config cannot be run.
    """
    check_config(config, task)
    started = time.perf_counter()
    splits = _splits(config, task, epoch=0)
    scaling = fit_scaling(splits.train) if config["data"]["standardise"] else identity_scaling(splits.train)
    if READOUTS[config["model"]["readout"]].probabilities:
        scaling = scaling.with_targets_as_they_are()
    architecture = architecture_for(config["model"], splits.train)
    training = _training(config, architecture)
    parameters = _initial_parameters(config, architecture)
    if training.connectivity is not None:
        parameters = {name: array * training.connectivity[name] for name, array in parameters.items()}
    prepared = time.perf_counter()
    fitted = fit(
        training,
        parameters,
        _training_data(config, task, scaling.apply(splits.train), scaling),
        scaling.apply(splits.valid),
        log,
        stop_requested,
        start,
        save,
    )
    trained = time.perf_counter()
    best = fitted.state.best_parameters
    test_outputs = predict(architecture, best, scaling, splits.test, config["dtype"])
    return Result(
        summary={
            **_how_it_ended(fitted, architecture),
            **_losses(architecture, best, scaling, splits, config["dtype"]),
            **_test_scores(test_outputs, splits, task, config["task"]),
        },
        weights={**best, **scaling.to_arrays(), EVERY_STATE: np.array(int(architecture.every_state))},
        early_stopping=_early_stopping_story(fitted),
        updates=joined_logs(fitted.state.update_logs) if fitted.state.update_logs else None,
        test_outputs=test_outputs,
        environment={
            "threads": thread_count(),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
            "seconds_to_prepare": prepared - started,
            "seconds_to_train": trained - prepared,
            "seconds_in_all": time.perf_counter() - started,
        },
    )


def _data_seed(config: Config) -> int:
    return config["seed"] if config["data"]["seed"] is None else config["data"]["seed"]


def _splits(config: Config, task: Task, epoch: int) -> Splits:
    sizes = {name: config["data"][name] for name in ("n_train", "n_valid", "n_test")}
    return generate_splits(task, config["task"], _data_seed(config), **sizes, epoch=epoch)


def _training_data(config: Config, task: Task, first: Sequences, scaling: Scaling) -> Callable[[int], Sequences]:
    """The training sequences of each epoch, as the network sees them."""
    noise_std = config["training"]["input_noise_std"]

    def training_data(epoch: int) -> Sequences:
        sequences = first
        if config["data"]["resample_each_epoch"] and epoch > 0:
            rng = stream(_data_seed(config), "data.train", epoch)
            sequences = scaling.apply(task(rng, config["data"]["n_train"], **config["task"]))
        if noise_std > 0:
            sequences = _with_input_noise(sequences, noise_std, stream(config["seed"], "input_noise", epoch))
        return sequences

    return training_data


def _with_input_noise(sequences: Sequences, std: float, rng: np.random.Generator) -> Sequences:
    """White noise on the inputs of the real steps, and on the initial condition, which is an input too."""
    noise = rng.normal(0.0, std, sequences.inputs.shape)
    if sequences.mask is not None:
        noise *= sequences.mask[:, :, None]
    initial = sequences.initial
    if initial is not None:
        initial = initial + rng.normal(0.0, std, initial.shape)
    return dataclasses.replace(sequences, inputs=sequences.inputs + noise, initial=initial)


def _initial_parameters(config: Config, architecture: Architecture) -> Arrays:
    model = config["model"]
    return initial_parameters(
        architecture,
        stream(config["seed"], "weights"),
        model["initializer"],
        model["initializer_scale"],
        model["recurrent_initializer"],
        model["recurrent_scale"],
        model["n_nonzero"],
        model["forget_bias"],
    )


def _connectivity(config: Config, architecture: Architecture) -> Arrays | None:
    """By parameter name, 1 where a weight exists: in each W_hh a random choice of its entries, the same for each gate.

    Every unit gets the same number of connections, `recurrent_density * n_hidden` rounded, at least one.
    """
    if config["model"]["recurrent_density"] == 1:
        return None
    rng = stream(config["seed"], "connectivity")
    n_hidden = architecture.n_hidden
    n_kept = max(1, round(config["model"]["recurrent_density"] * n_hidden))
    masks = {}
    for name, shape in architecture.parameter_shapes().items():
        masks[name] = np.ones(shape)
        if name.endswith(".W_hh"):
            kept = rng.permuted(np.tile(np.arange(n_hidden)[:, None] < n_kept, n_hidden), axis=0)
            masks[name] = np.tile(kept, shape[1] // n_hidden).astype(float)
    return masks


def _training(config: Config, architecture: Architecture) -> Training:
    settings, n_train = config["training"], config["data"]["n_train"]
    batch_size = settings["batch_size"]
    if batch_size > n_train:
        logger.warning(
            "training.batch_size = %d exceeds the %d training sequences: using all of them in every minibatch",
            batch_size,
            n_train,
        )
        batch_size = n_train
    penalised = {kind: tuple(group for group in WEIGHT_GROUPS if settings[kind][group] > 0) for kind in ("l1", "l2")}
    connectivity = _connectivity(config, architecture)
    rule = UpdateRule(
        optimizer=settings["optimizer"],
        clip=settings["clip_norm"] is not None,
        l1_groups=penalised["l1"],
        l2_groups=penalised["l2"],
        l1_method=settings["l1_method"] if penalised["l1"] else "subgradient",
        omega=settings["omega"] > 0,
        connectivity=connectivity is not None,
    )
    values = {**settings, **{f"{kind}.{group}": settings[kind][group] for kind in penalised for group in WEIGHT_GROUPS}}
    return Training(
        architecture=architecture,
        rule=rule,
        stopping=StoppingRule(**config["early_stopping"]),
        hyper={name: values[name] for name in rule.hyper_names()},
        learning_rate=settings["learning_rate"],
        schedule=settings["schedule"],
        decay_updates=settings["decay_updates"],
        batch_size=batch_size,
        max_epochs=settings["max_epochs"],
        validate_every=updates_between_validations(config),
        log_updates=settings["log_updates"],
        log_dynamics=settings["log_dynamics"],
        connectivity=connectivity,
        dtype=config["dtype"],
        seed=config["seed"],
    )


def _how_it_ended(fitted: Fitted, architecture: Architecture) -> dict[str, float | int | str]:
    state = fitted.state
    sizes = [int(np.prod(shape)) for shape in architecture.parameter_shapes().values()]
    return {
        "stop_reason": fitted.reason,
        "n_epochs": state.n_epochs,
        "n_updates": state.n_updates,
        "best_epoch": state.stopping.best_epoch,
        "best_update": state.stopping.best_update,
        "n_parameters": sum(sizes),
    }


def _losses(architecture, parameters, scaling, splits, dtype) -> dict[str, float]:
    """The loss of each split with the best weights, in the units in which it was minimised."""
    forward = compile_forward(architecture, splits.train.n_steps, splits.train.mask is not None, dtype)
    return {
        f"{name}_loss": mean_loss(forward, parameters, scaling.apply(getattr(splits, name)))
        for name in ("train", "valid", "test")
    }


def _test_scores(test_outputs: np.ndarray, splits: Splits, task: Task, arguments: Config) -> dict[str, float]:
    """Errors on the test split in the targets' own units, beside those of naive predictors."""
    test = splits.test
    scores = {
        "test_mse": mean_squared_error(test_outputs, test.targets, test.mask),
        "test_mae": mean_absolute_error(test_outputs, test.targets, test.mask),
    }
    wrong = wrong_answers(task, arguments, test_outputs, test.targets)
    if wrong is not None:
        scores["test_wrong"] = float(wrong.mean())
    for name, outputs in naive_outputs(task, arguments, splits.train, test).items():
        # Six digits: the last bits of a least-squares fit depend on how many threads NumPy computes with.
        scores[f"test_mse_{name}_predictor"] = float(f"{mean_squared_error(outputs, test.targets, test.mask):.6g}")
    if test.clean_targets is not None:
        scores["test_mse_noise_free"] = mean_squared_error(test_outputs, test.clean_targets, test.mask)
        scores["noise_floor"] = mean_squared_error(test.clean_targets, test.targets, test.mask)
    return scores


def _early_stopping_story(fitted: Fitted) -> dict[str, Any]:
    stopping = fitted.state.stopping
    return {
        "rule": stopping.rule.rule,
        "reason": fitted.reason,
        "message": fitted.message,
        "best_epoch": stopping.best_epoch,
        "best_update": stopping.best_update,
        "best_valid_loss": stopping.best_loss,
        "improvements": stopping.improvements,
    }
