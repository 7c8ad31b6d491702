"""Every config key: its default, what values it takes, and what it means. The section `task` is the task's own."""

import difflib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnlab.compiled import thread_count
from rnnlab.config_values import boolean, fraction, integer, number, one_of, optional, text
from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.memory import GB, bounded_memory, check_memory
from rnnlab.models.activations import ACTIVATIONS
from rnnlab.models.cells import CELLS
from rnnlab.models.initializers import INITIALIZERS
from rnnlab.models.network import INITIAL_STATES, WINDOW
from rnnlab.models.penalties import WEIGHT_GROUPS
from rnnlab.models.readouts import READOUTS
from rnnlab.random_streams import stream
from rnnlab.tasks.sequences import Sequences
from rnnlab.training.early_stopping import RULES
from rnnlab.training.epoch import L1_METHODS
from rnnlab.training.optimizers import OPTIMIZERS
from rnnlab.training.plan import count_validations
from rnnlab.training.schedules import SCHEDULES

Config = dict[str, Any]
Task = Callable[..., Sequences]

MAX_VALIDATIONS = 10_000  # a bound on the points of a curve
MAX_MEMORY_TO_PROBE = 4 * GB  # for one sequence


@dataclass(frozen=True)
class Key:
    """One config key. `check(value)` returns None for a good value and otherwise what would be right."""

    default: Any
    check: Callable[[Any], str | None]
    meaning: str


def _strengths(what: str) -> dict[str, Key]:
    return {group: Key(0.0, number(0.0), f"strength of the {what} on {group}") for group in WEIGHT_GROUPS}


SCHEMA: dict[str, Any] = {
    "seed": Key(0, integer(0, 2**32 - 1), "all random streams derive from it"),
    "dtype": Key("float32", one_of("float32", "float64"), "precision of the network and its training"),
    "data": {
        "n_train": Key(1000, integer(1), "training sequences (of an epoch, if they are drawn anew)"),
        "n_valid": Key(500, integer(1), "validation sequences"),
        "n_test": Key(1000, integer(1), "test sequences"),
        "seed": Key(None, optional(integer(0, 2**32 - 1)), "fixes the data while `seed` varies the rest; None: `seed`"),
        "resample_each_epoch": Key(False, boolean, "draw new training sequences for every epoch"),
        "standardise": Key(False, boolean, "shift and scale every feature by the training split's mean and deviation"),
    },
    "model": {
        "cell": Key("elman", one_of(*CELLS, WINDOW), "recurrent cell; window: feed-forward on a window of past inputs"),
        "window": Key(None, optional(integer(1)), "steps that the cell `window` sees; None: as many as a sequence has"),
        "readout": Key("linear", one_of(*READOUTS), "linear, or probabilities: softmax of classes, or binary"),
        "n_hidden": Key(20, integer(1), "hidden units of every layer"),
        "n_layers": Key(1, integer(1, 100), "stacked recurrent layers"),
        "activation": Key("tanh", one_of(*ACTIVATIONS), "g, the function of the hidden units"),
        "initial_state": Key(
            "zero", one_of(*INITIAL_STATES), "zero, a learned constant, or mapped from the initial condition"
        ),
        "initializer": Key("glorot", one_of(*INITIALIZERS), "initial weights, all but the recurrent ones"),
        "initializer_scale": Key(
            1.0, number(0.0), "normal: deviation; uniform: half width; glorot, orthogonal: gain; sparse: largest gain"
        ),
        "recurrent_initializer": Key("orthogonal", one_of(*INITIALIZERS), "initial recurrent weights W_hh"),
        "recurrent_scale": Key(1.0, number(0.0), "as initializer_scale, for W_hh; sparse: spectral radius"),
        "n_nonzero": Key(15, integer(1), "incoming connections of each unit with the sparse initializer"),
        "forget_bias": Key(1.0, number(-100.0), "initial bias of the LSTM's forget gates"),
        "recurrent_density": Key(1.0, fraction, "share of W_hh's connections that exist, a fixed random choice"),
    },
    "training": {
        "optimizer": Key("sgd", one_of(*OPTIMIZERS), "update rule"),
        "learning_rate": Key(0.01, number(0.0, open_minimum=True), "a, the initial learning rate"),
        "schedule": Key("constant", one_of(*SCHEDULES), "how the learning rate decays"),
        "decay_updates": Key(10_000.0, number(0.0, open_minimum=True), "updates over which it decays"),
        "momentum": Key(0.9, number(0.0, 1.0), "m of momentum and nesterov"),
        "rho": Key(0.9, number(0.0, 1.0), "r of rmsprop"),
        "beta1": Key(0.9, number(0.0, 1.0), "b1 of adam"),
        "beta2": Key(0.999, number(0.0, 1.0), "b2 of adam"),
        "epsilon": Key(1e-8, number(0.0, open_minimum=True), "e of rmsprop and adam"),
        "batch_size": Key(20, integer(1), "sequences of a minibatch"),
        "max_epochs": Key(100, integer(0), "passes over the training sequences, at most"),
        "validate_every": Key(
            None,
            optional(integer(1)),
            "updates between validations; None: once an epoch, with lisa at least every half patience; a number beyond "
            "an epoch is rounded up to whole epochs",
        ),
        "clip_norm": Key(None, optional(number(0.0, open_minimum=True)), "largest gradient norm; None: no clipping"),
        "l1": _strengths("L1 penalty sum |W|"),
        "l2": _strengths("L2 penalty sum W^2"),
        "l1_method": Key("subgradient", one_of(*L1_METHODS), "proximal: soft threshold after each update, exact zeros"),
        "omega": Key(0.0, number(0.0), "strength of the vanishing-gradient penalty on W_hh (Elman cells only)"),
        "log_dynamics": Key(
            False, boolean, "log spectral radius, zero share of W_hh, saturated units, and Omega where it is on"
        ),
        "input_noise_std": Key(
            0.0, number(0.0), "white noise on training inputs and initial conditions as the network sees them"
        ),
        "log_updates": Key(False, boolean, "keep loss, error and gradient norm of every update in updates.npz"),
    },
    "early_stopping": {
        "rule": Key("patience", one_of(*RULES), "plain patience, the LISA rule, or none"),
        "patience": Key(10, integer(1), "patience: validations without improvement"),
        "min_delta": Key(0.0, number(0.0), "patience: smallest decrease of the loss that counts as improvement"),
        "patience_updates": Key(10_000, integer(1), "lisa: updates to make in any case"),
        "patience_increase": Key(2.0, number(1.0), "lisa: factor on the updates made at an improvement"),
        "improvement_threshold": Key(0.995, fraction, "lisa: loss ratio of an improvement"),
    },
    # Nothing here has an effect on what a run computes: the section is no part of a variant's key.
    "checkpoint": {
        "every_seconds": Key(
            30.0, optional(number(0.0)), "what a kill may cost at most; 0: save after every compiled call; None: never"
        ),
        "directory": Key(
            None,
            optional(text),
            "where; None: RNNLAB_CHECKPOINTS, or _checkpoints in the store's directory or results/",
        ),
    },
}


def task_defaults(task: Task) -> Config:
    """The config section `task`: the task function's own arguments with their defaults."""
    parameters = list(inspect.signature(task).parameters.values())[2:]
    return {parameter.name: parameter.default for parameter in parameters}


def default_config(task: Task, /, **sections: Any) -> Config:
    """A full config for `task`: the defaults of every key, with those given by section replaced.

    Raises ConfigError for an unknown key.
    """
    config = _defaults(SCHEMA)
    config["task"] = task_defaults(task)
    return merge_config(config, sections)


def _defaults(schema: Mapping[str, Any]) -> Config:
    return {name: key.default if isinstance(key, Key) else _defaults(key) for name, key in schema.items()}


def merge_config(config: Config, updates: Mapping[str, Any], prefix: str = "") -> Config:
    """A copy of `config` with nested `updates` put in. Raises ConfigError for a key that `config` does not have."""
    merged = dict(config)
    for name, value in updates.items():
        if name not in config:
            raise unknown_key(prefix + str(name), config, prefix)
        if isinstance(config[name], dict):
            if not isinstance(value, Mapping):
                raise ConfigError(prefix + name, f"{prefix}{name} = {value!r}: this is a section, not a value")
            merged[name] = merge_config(config[name], value, f"{prefix}{name}.")
        else:
            merged[name] = value
    return merged


def unknown_key(key: str, known: Mapping[str, Any], prefix: str) -> ConfigError:
    """The error for a key that is none of `known` in the section `prefix`."""
    nearest = difflib.get_close_matches(key.removeprefix(prefix), [str(name) for name in known], 1, cutoff=0.5)
    hint = f"did you mean {prefix}{nearest[0]}?" if nearest else f"known here: {', '.join(map(str, known))}"
    return ConfigError(key, f"unknown config key {key}: {hint}")


def check_config(config: Config, task: Task) -> None:
    """Raise ConfigError, naming key and value, unless every key is known and every value is one it can take.

    The task's own arguments are tried out on one sequence. A run that cannot fit into memory is such an error as well.
    """
    thread_count()  # refuses what is not a number of threads
    _check_section(config, {**SCHEMA, "task": None}, "")
    _check_task(config["task"], task)
    probe = _probe_task(config["task"], task)
    _check_initial_state(config, probe)
    _check_readout(config, probe)
    _check_recurrence(config)
    _check_own_splits(config, task)
    check_memory(config, probe)
    interval = updates_between_validations(config)
    n_validations = count_validations(_updates_per_epoch(config), config["training"]["max_epochs"], interval)
    if n_validations > MAX_VALIDATIONS:
        raise ConfigError(
            "training.validate_every",
            f"training.validate_every = {config['training']['validate_every']} makes {n_validations:,} validations; "
            f"at most {MAX_VALIDATIONS:,} can be logged: validate less often (training.log_updates keeps every update)",
        )


def updates_between_validations(config: Config) -> int | None:
    """`training.validate_every`; where it is None, once an epoch, and with the LISA rule `min(updates per epoch,
    patience / 2)`. None stands for once an epoch.
    """
    every, stopping = config["training"]["validate_every"], config["early_stopping"]
    if every is None and stopping["rule"] == "lisa":
        return max(1, min(_updates_per_epoch(config), stopping["patience_updates"] // 2))
    return every


def _updates_per_epoch(config: Config) -> int:
    return math.ceil(config["data"]["n_train"] / config["training"]["batch_size"])


def _check_section(config: Mapping[str, Any], schema: Mapping[str, Any], prefix: str) -> None:
    for name in config:
        if name not in schema:
            raise unknown_key(f"{prefix}{name}", schema, prefix)
    for name, key in schema.items():
        if name not in config:
            raise ConfigError(prefix + name, f"config key {prefix}{name} is missing")
        value = config[name]
        if key is None:
            continue
        if isinstance(key, Key):
            if wanted := key.check(value):
                raise ConfigError(prefix + name, f"{prefix}{name} = {value!r}: must be {wanted}")
        elif not isinstance(value, Mapping):
            raise ConfigError(prefix + name, f"{prefix}{name} = {value!r}: this is a section, not a value")
        else:
            _check_section(value, key, f"{prefix}{name}.")


def _check_task(arguments: Mapping[str, Any], task: Task) -> None:
    defaults = task_defaults(task)
    if not isinstance(arguments, Mapping):
        raise ConfigError("task", f"task = {arguments!r}: this is a section, not a value")
    for name in arguments:
        if name not in defaults:
            raise unknown_key(f"task.{name}", defaults, "task.")


def _probe_task(arguments: Mapping[str, Any], task: Task) -> Sequences:
    """One sequence of the task, to find out whether it takes its arguments."""
    try:
        with bounded_memory(MAX_MEMORY_TO_PROBE):
            return task(stream(0, "config"), 1, **arguments)
    except RnnlabError as error:
        raise ConfigError("task", f"config section task: {error}") from error
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise ConfigError("task", f"config section task, {dict(arguments)}: {error}") from error


def _check_initial_state(config: Config, sequences: Sequences) -> None:
    if config["model"]["initial_state"] == "mapped" and sequences.initial is None:
        raise ConfigError(
            "model.initial_state",
            "model.initial_state = 'mapped': this task observes no initial condition; use 'zero' or 'learned'",
        )


def _check_readout(config: Config, sequences: Sequences) -> None:
    readout, targets = config["model"]["readout"], sequences.targets
    if READOUTS[readout].probabilities and ((targets < 0) | (targets > 1)).any():
        raise ConfigError(
            "model.readout", f"model.readout = {readout!r}: this task's targets are no probabilities; use 'linear'"
        )


def _check_recurrence(config: Config) -> None:
    """Settings that only some cells can have."""
    model, training = config["model"], config["training"]
    if training["omega"] > 0 and model["cell"] != "elman":
        raise ConfigError(
            "training.omega",
            f"training.omega = {training['omega']!r}: only model.cell = 'elman' has it, not {model['cell']!r}",
        )
    if model["cell"] == WINDOW and model["initial_state"] == "learned":
        raise ConfigError(
            "model.initial_state", "model.initial_state = 'learned': a feed-forward network has no state; use 'zero'"
        )
    if model["cell"] == WINDOW and model["recurrent_density"] < 1:
        raise ConfigError(
            "model.recurrent_density",
            f"model.recurrent_density = {model['recurrent_density']!r}: a feed-forward network has no W_hh; use 1.0",
        )


def _check_own_splits(config: Config, task: Task) -> None:
    """For a task with fixed data, which has splits of its own: whether they can be had."""
    if not hasattr(task, "splits"):
        return
    if config["data"]["resample_each_epoch"]:
        raise ConfigError(
            "data.resample_each_epoch", "data.resample_each_epoch = True: this task's data are fixed; must be False"
        )
    try:
        task.splits(*(config["data"][name] for name in ("n_train", "n_valid", "n_test")), **config["task"])
    except RnnlabError as error:
        raise ConfigError("data", f"config section data: {error}") from error
