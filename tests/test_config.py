import copy

import pytest

from rnnlab.config import SCHEMA, Key, check_config, default_config, merge_config, updates_between_validations
from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.noisy_series import noisy_series
from rnnlab.training.plan import count_validations


def config_with(path, value):
    """The default config of the dot product with one key, given by its dotted name, set or added."""
    config = copy.deepcopy(default_config(dot_product))
    *sections, name = path.split(".")
    section = config
    for key in sections:
        section = section[key]
    section[name] = value
    return config


def error_for(config, task=dot_product):
    with pytest.raises(ConfigError) as caught:
        check_config(config, task)
    assert isinstance(caught.value, RnnlabError)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("task", [dot_product, noisy_series])
def test_every_default_can_be_run(task):
    check_config(default_config(task), task)


def keys(schema=SCHEMA, prefix=""):
    for name, key in schema.items():
        if isinstance(key, Key):
            yield prefix + name, key
        else:
            yield from keys(key, f"{prefix}{name}.")


def test_every_key_has_a_meaning_and_a_default_that_it_takes():
    for name, key in keys():
        assert key.meaning, name
        assert key.check(key.default) is None, name


@pytest.mark.parametrize("name", [name for name, _ in keys()])
def test_no_key_takes_a_list_or_a_section_for_a_value(name):
    for wrong in ([1], {"a": 1}):
        error = error_for(config_with(name, wrong))
        assert error.key == name
        assert str(error).startswith(f"{name} = {wrong!r}: must be ")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("sed", "unknown config key sed: did you mean seed?"),
        ("modle", "unknown config key modle: did you mean model?"),
        ("model.n_hiden", "unknown config key model.n_hiden: did you mean model.n_hidden?"),
        ("training.l1.W_hhh", "unknown config key training.l1.W_hhh: did you mean training.l1.W_hh?"),
        ("task.n_step", "unknown config key task.n_step: did you mean task.n_steps?"),
        (
            "data.qqqq",
            "unknown config key data.qqqq: known here: n_train, n_valid, n_test, seed, resample_each_epoch, ",
        ),
    ],
)
def test_an_unknown_key_at_any_depth_is_an_error_that_names_the_nearest_key(path, message):
    error = error_for(config_with(path, 5))
    assert str(error).startswith(message)
    assert error.key == path


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.n_hidden", "many", "model.n_hidden = 'many': must be a whole number of at least 1"),
        ("model.n_hidden", 2.5, "model.n_hidden = 2.5: must be a whole number of at least 1"),
        ("model.n_hidden", True, "model.n_hidden = True: must be a whole number of at least 1"),
        ("model.n_hidden", -3, "model.n_hidden = -3: must be a whole number of at least 1"),
        ("data.n_train", 0, "data.n_train = 0: must be a whole number of at least 1"),
        ("seed", -1, "seed = -1: must be a whole number of at least 0 and at most 4294967295"),
        ("seed", None, "seed = None: must be a whole number of at least 0 and at most 4294967295"),
        ("data.seed", 1.5, "data.seed = 1.5: must be None or a whole number of at least 0 and at most 4294967295"),
        (
            "model.activation",
            "relo",
            "model.activation = 'relo': must be one of 'sigmoid', 'tanh', 'relu', 'identity' (did you mean 'relu'?)",
        ),
        ("model.activation", 3, "model.activation = 3: must be one of 'sigmoid', 'tanh', 'relu', 'identity'"),
        ("dtype", "float16", "dtype = 'float16': must be one of 'float32', 'float64'"),
        ("training.learning_rate", 0, "training.learning_rate = 0: must be a number above 0"),
        ("training.learning_rate", "0.1", "training.learning_rate = '0.1': must be a number above 0"),
        ("training.learning_rate", float("nan"), "training.learning_rate = nan: must be "),
        ("training.learning_rate", float("inf"), "training.learning_rate = inf: must be "),
        ("training.momentum", 1.0, "training.momentum = 1.0: must be a number of at least 0 and below 1"),
        ("training.clip_norm", 0.0, "training.clip_norm = 0.0: must be None or a number above 0"),
        ("training.l1.W_hh", -0.1, "training.l1.W_hh = -0.1: must be a number of at least 0"),
        ("training.log_updates", 1, "training.log_updates = 1: must be True or False"),
        ("training.validate_every", 0, "training.validate_every = 0: must be None or a whole number of at least 1"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_it_and_what_would_be_right(path, value, message):
    error = error_for(config_with(path, value))
    assert str(error).startswith(message)
    assert error.key == path


@pytest.mark.parametrize("path", ["seed", "model", "model.n_hidden", "training.l1.W_hh", "task"])
def test_a_missing_key_is_an_error(path):
    config = config_with(path, None)
    *sections, name = path.split(".")
    section = config
    for key in sections:
        section = section[key]
    del section[name]
    error = error_for(config)
    assert str(error) == f"config key {path} is missing"
    assert error.key == path


@pytest.mark.parametrize("path", ["model", "training.l1", "task"])
def test_a_section_given_a_value_is_an_error(path):
    assert str(error_for(config_with(path, 5))) == f"{path} = 5: this is a section, not a value"
    *sections, name = path.split(".")
    updates = {name: 5}
    for key in reversed(sections):
        updates = {key: updates}
    with pytest.raises(ConfigError, match=f"{path} = 5: this is a section, not a value"):
        default_config(dot_product, **updates)


@pytest.mark.parametrize(
    ("argument", "value", "named"),
    [("n_steps", -1, "n_steps = -1"), ("noise_std", "loud", "noise_std = 'loud'"), ("high", -2.0, "low = 0.0")],
)
def test_an_argument_that_the_task_refuses_is_a_config_error(argument, value, named):
    error = error_for(config_with(f"task.{argument}", value))
    assert str(error).startswith(f"config section task: {named}: ")
    assert error.key == "task"


def test_a_task_that_cannot_compute_with_its_arguments_is_a_config_error():
    def fragile(rng, n_sequences, *, size=3):
        return dot_product(rng, n_sequences, n_steps=size + 1)

    config = default_config(fragile, task={"size": "three"})
    assert str(error_for(config, fragile)).startswith("config section task, {'size': 'three'}: ")


def test_a_mapped_initial_state_needs_an_observed_initial_condition():
    config = config_with("model.initial_state", "mapped")
    assert str(error_for(config)).startswith("model.initial_state = 'mapped': this task observes no initial condition")
    check_config(default_config(noisy_series, model={"initial_state": "mapped"}), noisy_series)


def test_more_validations_than_a_curve_can_hold_are_an_error():
    settings = {"batch_size": 10, "max_epochs": 101, "validate_every": 1}
    config = default_config(dot_product, data={"n_train": 1000}, training=settings)
    error = error_for(config)
    assert str(error).startswith("training.validate_every = 1 makes 10,100 validations; at most 10,000 can be logged")
    assert error.key == "training.validate_every"
    check_config(merge_config(config, {"training": {"max_epochs": 100}}), dot_product)
    check_config(merge_config(config, {"training": {"validate_every": 2}}), dot_product)


def test_validations_of_the_lisa_rule_are_counted_too():
    lisa = {"rule": "lisa", "patience_updates": 2}
    config = default_config(
        dot_product, data={"n_train": 1000}, training={"batch_size": 10, "max_epochs": 101}, early_stopping=lisa
    )
    assert "makes 10,100 validations" in str(error_for(config))


@pytest.mark.parametrize(
    ("validate_every", "rule", "patience_updates", "expected"),
    [
        (None, "patience", 100, None),
        (7, "patience", 100, 7),
        (7, "lisa", 100, 7),
        (None, "lisa", 100, 13),  # an epoch has ceil(100 / 8) = 13 updates, less than half the patience
        (None, "lisa", 13, 6),
        (None, "lisa", 1, 1),
    ],
)
def test_lisa_validates_after_half_its_patience_or_an_epoch_whichever_is_less(
    validate_every, rule, patience_updates, expected
):
    config = default_config(
        dot_product,
        data={"n_train": 100},
        training={"batch_size": 8, "validate_every": validate_every},
        early_stopping={"rule": rule, "patience_updates": patience_updates},
    )
    assert updates_between_validations(config) == expected
    assert expected is None or count_validations(13, 1, expected) == -(-13 // expected)


def test_sections_given_to_default_config_replace_single_keys_and_leave_the_rest():
    config = default_config(dot_product, seed=4, model={"n_hidden": 7}, training={"l1": {"W_hh": 0.5}})
    expected = copy.deepcopy(default_config(dot_product))
    expected["seed"], expected["model"]["n_hidden"], expected["training"]["l1"]["W_hh"] = 4, 7, 0.5
    assert config == expected


def test_the_task_section_holds_the_tasks_own_arguments():
    defaults = default_config(dot_product)["task"]
    assert defaults == {"n_steps": 10, "n_components": 2, "low": 0.0, "high": 1.0, "noise_std": 0.0}


def test_an_unknown_key_given_to_default_config_is_an_error_at_any_depth():
    with pytest.raises(ConfigError, match=r"unknown config key training\.l1\.W_hhh: did you mean training\.l1\.W_hh\?"):
        default_config(dot_product, training={"l1": {"W_hhh": 1.0}})


def test_merging_changes_no_config_it_was_given():
    config = default_config(dot_product)
    before = copy.deepcopy(config)
    merge_config(config, {"model": {"n_hidden": 3}, "seed": 9})
    assert config == before
