import math
import subprocess
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rnnlab.processes import this_process
from rnnlab.store.parsing import build_curve, build_record, md5_in, plain, shown_status
from rnnlab.store.record import Contents

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(**changes):
    return {"experiment": {"name": "x"}, "status": "COMPLETED", **changes}


def build(given, config=None):
    return build_record("1", given, {} if config is None else config, Contents(), NOW)


@pytest.mark.parametrize(
    ("status", "last_beat_ago", "started_ago", "options", "shown"),
    [
        ("RUNNING", 29, 100, {}, "RUNNING"),
        ("RUNNING", 31, 100, {}, "LOST"),
        ("RUNNING", None, 29, {}, "RUNNING"),
        ("RUNNING", None, 31, {}, "LOST"),
        ("RUNNING", 31, 100, {"--beat-interval": 20}, "RUNNING"),
        ("RUNNING", 61, 100, {"--beat_interval": "20"}, "LOST"),
        ("RUNNING", 4, 100, {"--beat-interval": 1.0}, "LOST"),
        ("RUNNING", 31, 100, {"--beat-interval": None}, "LOST"),
        ("RUNNING", None, 1000, {"--beat-interval": 0}, "RUNNING"),
        ("COMPLETED", 1000, 1000, {}, "COMPLETED"),
        ("QUEUED", None, None, {}, "QUEUED"),
    ],
)
def test_a_run_without_a_sign_of_life_for_three_heartbeats_is_lost(status, last_beat_ago, started_ago, options, shown):
    heartbeat = None if last_beat_ago is None else NOW - timedelta(seconds=last_beat_ago)
    start = None if started_ago is None else NOW - timedelta(seconds=started_ago)
    assert shown_status(status, start, heartbeat, {}, {"options": options}, NOW) == shown


def test_a_run_is_lost_at_once_when_its_process_is_seen_to_be_gone():
    ended = subprocess.Popen(["true"])
    ended.wait()
    alive = this_process()

    def shown(process, status="RUNNING"):
        return shown_status(status, NOW, NOW, {"hostname": "here", "process": process}, {}, NOW)

    assert shown(alive) == "RUNNING"
    assert shown({**alive, "pid": ended.pid}) == "LOST"
    assert shown({**alive, "started": "1"}) == "LOST"  # the number now belongs to another process
    assert shown({**alive, "pid": ended.pid}, "COMPLETED") == "COMPLETED"
    assert shown({**alive, "pid": ended.pid, "place": "another machine"}) == "RUNNING"
    for damaged in ("text", {}, {**alive, "pid": "12"}, {**alive, "pid": -1}, {**alive, "pid": 10**30}):
        assert shown(damaged) == "RUNNING"


def test_times_are_utc_however_they_were_stored():
    record = build(
        entry(
            start_time="2026-01-01T10:00:00.5",
            heartbeat=datetime(2026, 1, 1, 11),
            stop_time="2026-01-01T12:00:00+01:00",
        )
    )
    assert record.start_time == datetime(2026, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert record.heartbeat == record.stop_time == datetime(2026, 1, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "config", "reason"),
    [
        (None, {}, "the entry is not a mapping"),
        ([], {}, "the entry is not a mapping"),
        ({}, {}, "its experiment is not a mapping"),
        (entry(experiment={"name": 3}), {}, "the experiment's name is not a text"),
        (entry(status=None), {}, "status is not a text"),
        (entry(start_time="yesterday"), {}, "yesterday"),
        (entry(heartbeat=17), {}, "heartbeat is not a text"),
        (entry(host=[1]), {}, "host is not a mapping"),
        (entry(), [], "the config is not a mapping"),
        (entry(artifacts=[3]), {}, "an artifact's name is not a text"),
        (entry(artifacts=[{"nom": 3}]), {}, "no sense"),
        (entry(artifacts=7), {}, "no sense"),
        (entry(resources=[1]), {}, "no sense"),
        (entry(status="RUNNING", meta={"options": 3}, start_time="2026-01-01"), {}, "no sense"),
        (entry(experiment={"name": "x", "dependencies": [[1, 2, 3]]}), {}, "too many values"),
        (entry(experiment={"name": "x", "repositories": ["git"]}), {}, "no sense"),
    ],
)
def test_an_entry_that_makes_no_sense_is_a_damaged_run_with_a_reason(given, config, reason):
    record = build(given, config)
    assert record.status == "DAMAGED"
    assert reason in record.damage


def test_stored_values_are_data_and_never_become_objects(tmp_path):
    canary = tmp_path / "canary"
    payload = {"py/reduce": [{"py/function": "os.mkdir"}, {"py/tuple": [str(canary)]}]}
    record = build(entry(result={"x": payload}), {"model": {"py/object": "os.system"}})
    assert record.config == {"model": {"py/object": "os.system"}}
    assert record.result["x"]["py/reduce"][0] == {"py/function": "os.mkdir"}
    assert not canary.exists()


def test_values_are_plain_json():
    assert plain({"a": (1, math.nan, [math.inf]), 2: {"py/tuple": [1, 2]}}) == {"a": [1, None, [None]], "2": [1, 2]}
    assert plain(datetime(2026, 1, 1)) == "2026-01-01T00:00:00"
    assert plain({"py/tuple": 3}) == {"py/tuple": 3}


def test_a_result_that_is_one_value_becomes_a_flat_dict():
    assert build(entry(result=0.5)).result == {"result": 0.5}
    assert build(entry(result=None)).result is None


def test_packages_repositories_resources_and_artifacts_are_read():
    record = build(
        entry(
            experiment={
                "name": "x",
                "dependencies": ["numpy==2.0", ["jax", "0.10"]],
                "repositories": [{"url": "u", "commit": "c", "dirty": True}],
            },
            resources=[["a.csv", f"_resources/a_{'0' * 32}.csv"], ["b.csv", "1" * 32]],
            artifacts=["b", {"name": "a", "file_id": 3}, "b"],
        )
    )
    assert record.packages == {"numpy": "2.0", "jax": "0.10"}
    assert record.repositories == [{"url": "u", "commit": "c", "dirty": True}]
    assert record.resources == {"a.csv": "0" * 32, "b.csv": "1" * 32}
    assert record.artifacts == ("a", "b")


@pytest.mark.parametrize(
    ("stored", "md5"),
    [
        ("_sources/fit_0123456789abcdef0123456789abcdef.py", "0123456789abcdef0123456789abcdef"),
        ("_sources/Makefile_0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("/somewhere/fit.py", ""),
        (None, ""),
    ],
)
def test_the_md5_of_a_source_is_read_from_its_stored_name(stored, md5):
    assert md5_in(stored) == md5


def test_curves_hold_nan_where_a_value_is_not_finite():
    curve = build_curve([1, 2, 3, 4], [0.5, None, math.inf, 2])
    assert curve.steps.dtype == np.int64
    assert curve.values.dtype == np.float64
    np.testing.assert_array_equal(curve.values, [0.5, np.nan, np.nan, 2])


@pytest.mark.parametrize(
    ("steps", "values"),
    [([1], [1, 2]), ([1], ["x"]), ([None], [1]), (3, 4), ([[1]], [[1]]), ([1e300], [1]), ([1], [{}]), (None, None)],
)
def test_what_is_no_curve_is_refused(steps, values):
    with pytest.raises(ValueError, match=r"."):
        build_curve(steps, values)
