import pytest

from rnnlab.config import default_config, merge_config
from rnnlab.sweep.ledger import Ledger, filled
from rnnlab.tasks.dot_product import dot_product
from rnnlab.variant_key import variant_key

DEFAULTS = default_config(dot_product)


def key(**updates):
    return variant_key("dot", merge_config(DEFAULTS, updates))


@pytest.fixture
def run(tracked_store, track):
    """Records a run of the experiment `dot`."""
    return lambda config=DEFAULTS, main=None, name="dot": track(tracked_store.observer(), main, config, name)


@pytest.fixture
def ledger(tracked_store):
    return Ledger(tracked_store.store, {"dot": DEFAULTS})


def ids(entries):
    return [(entry.run_id, entry.status) for entry in entries]


def test_finished_runs_are_known_by_their_variants(run, ledger):
    def fail(_config):
        raise ValueError

    run()
    run(merge_config(DEFAULTS, {"seed": 7}))
    run(main=fail)
    run(name="another")
    assert [(found, record.run_id) for found, record in ledger.refresh()] == [
        (key(), "1"),
        (key(seed=7), "2"),
        (key(), "3"),
    ]
    assert ids(ledger.runs(key())) == [("1", "COMPLETED"), ("3", "FAILED")]
    assert ids(ledger.runs(key(seed=8))) == []
    assert ledger.refresh() == []
    assert ledger.settled_up_to() == 4


def test_a_run_of_a_release_that_knew_fewer_keys_is_the_same_variant(run, ledger):
    old = {name: section for name, section in DEFAULTS.items() if name not in ("checkpoint", "dtype")}
    old["training"] = {name: value for name, value in DEFAULTS["training"].items() if name != "log_updates"}
    run(old)
    run({**old, "key_of_old": 5})
    ledger.refresh()
    assert ids(ledger.runs(key())) == [("1", "COMPLETED")]


def test_what_is_still_going_on_is_looked_at_again(run, ledger, tracked_store):
    seen = []

    def look(_config):
        seen.extend((ledger.refresh(), ledger.settled_up_to()))

    run()
    run(main=look)
    assert ([record.run_id for _, record in seen[0]], seen[1]) == (["1"], 1)
    assert [record.run_id for _, record in ledger.refresh()] == ["2"]
    later = Ledger(tracked_store.store, {"dot": DEFAULTS}, after=1)
    assert [record.run_id for _, record in later.refresh()] == ["2"]


def test_filled_keeps_what_is_stored():
    assert filled({"a": {"x": 1}, "b": 2}, {"a": {"x": 5, "y": 6}, "c": {"z": 7}}) == {
        "a": {"x": 1, "y": 6},
        "b": 2,
        "c": {"z": 7},
    }
