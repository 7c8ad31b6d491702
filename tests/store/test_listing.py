from datetime import UTC, datetime, timedelta

import pytest

from rnnlab.store.listing import MISSING, field_names, main_results, run_field, short_names, varying_keys
from rnnlab.store.record import RunRecord

START = datetime(2026, 1, 1, tzinfo=UTC)


def record(config, result=None, run_id="1", status="COMPLETED", **more):
    return RunRecord(run_id, "x", status, config, result, START, START + timedelta(seconds=90), **more)


def test_a_field_is_the_runs_own_or_the_configs_or_the_results():
    one = record({"seed": 3, "status": "mine", "model": {"n": 5, "clip": None}}, {"loss": 0.5, "seed": 9})
    wanted = {
        "id": "1",
        "experiment": "x",
        "status": "COMPLETED",
        "started": START,
        "seconds": 90.0,
        "seed": 3,
        "model.n": 5,
        "model.clip": None,
        "loss": 0.5,
        "config.seed": 3,
        "result.seed": 9,
        "config.status": "mine",
        **dict.fromkeys(("model", "model.m", "config.loss", "result.model.n", "what", ""), MISSING),
    }
    assert {name: run_field(one, name) for name in wanted} == wanted
    assert set(field_names([one])) == {"stopped"} | {name for name in wanted if wanted[name] is not MISSING} - {
        *("config.seed", "result.seed", "config.status"),
    }


def test_a_run_that_has_not_begun_or_not_ended_has_no_such_fields():
    running = RunRecord("1", "x", "RUNNING", {}, None, START, None, START + timedelta(seconds=5))
    assert run_field(running, "seconds") == 5
    assert run_field(running, "stopped") is MISSING
    assert run_field(RunRecord("1", "", "DAMAGED", {}), "experiment") is MISSING


def test_keys_vary_if_runs_that_have_them_differ_and_seeds_come_last():
    configs = [
        {"seed": 0, "model": {"n": 5, "kind": "a"}, "data": {"seed": 1}, "list": [1, 2]},
        {"seed": 1, "model": {"n": 5.0, "kind": "b"}, "data": {"seed": 2}, "list": [1, 2], "only": 1},
        {"seed": 1, "model": {"n": 5, "kind": "b"}, "data": {"seed": 2}, "list": [1, 3]},
    ]
    records = [record(config) for config in configs]
    assert varying_keys(records) == ["model.kind", "list", "seed", "data.seed"]
    assert varying_keys([*records[:1], record({"seed": 7}, status="DAMAGED")]) == []
    assert varying_keys([]) == []


def test_a_value_in_one_run_and_a_section_in_another_is_no_error():
    assert varying_keys([record({"a": 1}), record({"a": {"b": 1}})]) == ["a"]
    assert varying_keys([record({"a": {"b": 1}}), record({"a": 1}), record({"a": {"b": 2}})]) == ["a.b"]


def test_the_main_results_are_the_known_ones_or_else_the_first():
    assert main_results([record({}, {"n_epochs": 3, "x": 1, "test_loss": 2})]) == ["test_loss", "n_epochs"]
    assert main_results([record({}, dict.fromkeys("abcd", 1)), record({}, None)]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("keys", "short"),
    [(["model.n", "seed"], ["n", "seed"]), (["data.seed", "seed"], ["data.seed", "seed"]), ([], [])],
)
def test_names_are_short_where_that_is_unique(keys, short):
    assert short_names(keys) == short
