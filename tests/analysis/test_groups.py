import pytest

from rnnlab.analysis.groups import (
    MISSING,
    AnalysisError,
    fixed_config,
    group_label,
    group_records,
    mixing_notes,
    varying_keys,
)
from rnnlab.store.record import flatten_config


def test_a_nested_config_becomes_dotted_keys_and_lists_become_tuples():
    config = {"seed": 1, "model": {"n_hidden": 20, "l1": {"W_hh": 0.1}}, "task": {"n_steps": [5, 10]}}
    assert flatten_config(config) == {"seed": 1, "model.n_hidden": 20, "model.l1.W_hh": 0.1, "task.n_steps": (5, 10)}


def test_seeds_and_checkpoint_settings_do_not_vary_and_a_key_in_some_runs_only_does(runs):
    runs.add(seed=0, data__seed=1, checkpoint__every=10)
    runs.add(seed=1, data__seed=2, checkpoint__every=20)
    runs.add(seed=2, data__seed=2, checkpoint__every=20, model__n_layers=2)
    records = runs.records()
    assert varying_keys(records) == ["model.n_layers"]
    assert varying_keys(records[:2]) == []
    assert fixed_config(records)["model.n_hidden"] == 20


def test_groups_are_in_the_order_of_numbers_with_missing_and_none_first(runs):
    for value in (100, 5, None, 20.5):
        runs.add(model__n_hidden=value)
    runs.add(config={"seed": 0, "model": {"cell": "elman"}})
    groups = group_records(runs.records(), "model.n_hidden")
    assert [group.key["model.n_hidden"] for group in groups] == [MISSING, None, 5, 20.5, 100]


def test_one_and_one_point_zero_are_the_same_value(runs):
    runs.add(training__learning_rate=1)
    runs.add(training__learning_rate=1.0)
    assert varying_keys(runs.records()) == []
    assert len(group_records(runs.records(), "training.learning_rate")) == 1


def test_different_experiments_vary_in_their_name(runs):
    runs.add(experiment="dot_product")
    runs.add(experiment="noisy_series")
    assert varying_keys(runs.records()) == ["experiment"]


def test_an_unknown_key_names_the_nearest_ones(runs):
    runs.add()
    with pytest.raises(AnalysisError, match=r"unknown config key 'model.n_hiden': did you mean model.n_hidden\?"):
        group_records(runs.records(), ["model.n_hiden"])
    with pytest.raises(AnalysisError, match=r"'n_hidden': did you mean model.n_hidden"):
        group_records(runs.records(), "n_hidden")


def test_labels_are_short_unless_two_keys_end_alike():
    assert group_label({"model.n_hidden": 20, "training.optimizer": "adam"}) == "n_hidden=20, optimizer=adam"
    assert group_label({"training.l1.W_hh": 0.1, "training.l2.W_hh": 0.0}) == "training.l1.W_hh=0.1, training.l2.W_hh=0"
    assert group_label({}) == "all runs"


def notes_of(runs, by=()):
    return mixing_notes(group_records(runs.records(), by))


def test_runs_that_are_alike_but_for_their_seed_raise_no_note(runs):
    runs.add(seed=0)
    runs.add(seed=1, commit="b" * 40)
    assert notes_of(runs) == []


def test_a_group_of_several_code_versions_names_the_files(runs):
    runs.add(seed=0, sources={"rnnlab/run.py": "1" * 32, "rnnlab/config.py": "2" * 32})
    runs.add(seed=1, sources={"rnnlab/run.py": "3" * 32, "rnnlab/config.py": "2" * 32})
    assert notes_of(runs) == ["the mean is over runs of different code: 1 source file: rnnlab/run.py"]


def test_code_that_differs_between_groups_raises_a_note_too(runs):
    runs.add(seed=0, model__n_hidden=5, sources={"rnnlab/run.py": "1" * 32})
    runs.add(seed=0, model__n_hidden=9, sources={"rnnlab/run.py": "3" * 32})
    assert notes_of(runs, "model.n_hidden") == [
        "the groups of dot_product differ in their code too: 1 source file: rnnlab/run.py"
    ]


def test_different_data_other_keys_and_package_versions_in_a_group_raise_notes(runs):
    runs.add(seed=0, data__seed=1, task__n_steps=10, training__optimizer="sgd", packages={"jax": "0.10.2"})
    runs.add(seed=1, data__seed=2, task__n_steps=20, training__optimizer="adam", packages={"jax": "0.12.0"})
    notes = "\n".join(notes_of(runs))
    assert "different versions of jax (0.10.2, 0.12.0)" in notes
    assert "on different data: data.seed (1, 2)" in notes
    assert "on different data: task.n_steps (10, 20)" in notes
    assert "of different training.optimizer (adam, sgd)" in notes


def test_a_note_that_concerns_every_group_is_said_once(runs):
    for n_hidden in (5, 20, 50):
        for rate in (0.1, 0.01):
            runs.add(model__n_hidden=n_hidden, training__learning_rate=rate)
    assert notes_of(runs, "model.n_hidden") == [
        "every group averages runs of different training.learning_rate (0.01, 0.1)"
    ]


def test_labels_hold_nothing_that_a_font_cannot_draw():
    assert group_label({"model.note\ud800": "\x00\ud800", "seeds": ("\x1b",)}) == r"note\ud800=\x00\ud800, seeds=[\x1b]"
