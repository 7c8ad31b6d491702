"""The keys that groups are named by: of keys that go together one is enough."""

from rnnlab.analysis.comparison import compare_groups
from rnnlab.analysis.groups import group_records, telling_keys, telling_notes
from rnnlab.analysis.metric_data import extract_parallel


def add_grid(runs):
    """Two widths by three rates; the optimizer and the number of epochs go with the rate."""
    for n_hidden in (5, 20):
        for rate, optimizer, epochs in ((0.1, "sgd", 50), (0.2, "sgd", 40), (0.01, "adam", 30)):
            runs.add(
                model__n_hidden=n_hidden,
                training__learning_rate=rate,
                training__optimizer=optimizer,
                training__max_epochs=epochs,
                result={"test_loss": rate * n_hidden},
            )
    return runs.records()


def test_of_keys_that_go_together_one_is_kept_and_the_groups_are_the_same(runs):
    records = add_grid(runs)
    kept, with_others = telling_keys(records)
    assert kept == ("model.n_hidden", "training.learning_rate")
    assert with_others == {
        "training.optimizer": "training.learning_rate",
        "training.max_epochs": "training.learning_rate",
    }
    every_key = ["model.n_hidden", "training.learning_rate", "training.optimizer", "training.max_epochs"]
    members = [[record.run_id for record in group.records] for group in group_records(records, every_key)]
    assert [[record.run_id for record in group.records] for group in group_records(records)] == members
    note = "with training.learning_rate also training.optimizer, training.max_epochs vary"
    assert telling_notes(records, None) == [note]
    assert telling_notes(records, every_key) == []
    assert note in compare_groups(records).notes


def test_keys_are_kept_where_every_combination_has_values_of_its_own(runs):
    for n_hidden, rate in ((5, 0.13), (20, 0.027), (20, 0.31), (5, 0.0044)):
        runs.add(model__n_hidden=n_hidden, training__learning_rate=rate)
    assert telling_keys(runs.records()) == (("model.n_hidden", "training.learning_rate"), {})


def test_a_baseline_and_parallel_coordinates_can_have_keys_that_go_with_others(runs):
    records = add_grid(runs)
    comparison = compare_groups(records, baseline="training.optimizer=adam")
    assert "training.optimizer" in comparison.by
    assert "training.optimizer" in [axis.name for axis in extract_parallel(records).axes]
