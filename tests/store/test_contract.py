"""What holds for every kind of store; each test runs over a directory and over a real MongoDB server."""

import hashlib
import os
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sacred.utils import TimeoutInterrupt

from rnnlab.errors import StoreError
from rnnlab.store import open_store


def whole_run(tmp_path):
    """A main function that records something of every kind."""
    np.savez(tmp_path / "weights.npz", W=np.arange(6.0).reshape(2, 3), b=np.float32([1]))
    np.savez(tmp_path / "updates.npz", loss=np.arange(3.0))
    (tmp_path / "data.csv").write_text("1,2\n")

    def main(_config, _run):
        print("hello")
        _run.add_resource(str(tmp_path / "data.csv"))
        for step, loss in enumerate([1.0, np.float64(0.5), float("nan"), float("inf"), 0.25]):
            _run.log_scalar("valid.loss", loss, 10 * step)
            _run.log_scalar("seconds", time.monotonic(), 10 * step)
        _run.info["early_stopping"] = {"best_epoch": 3, "losses": [0.5, float("nan")], "pair": (1, 2)}
        _run.add_artifact(str(tmp_path / "weights.npz"))
        _run.add_artifact(str(tmp_path / "updates.npz"), content_type="application/octet-stream")
        return {"valid_loss": np.float32(0.25), "test_loss": float("nan"), "stop_reason": "patience", "n": 2**40}

    return main


def test_a_run_is_read_back_whole(tracked_store, track, tmp_path):
    before = datetime.now(UTC)
    track(tracked_store.observer(), whole_run(tmp_path), {"task": {"n_steps": (5, 10), "rate": 1e-3}})
    record = tracked_store.store.get("1")

    assert (record.run_id, record.experiment, record.status, record.damage) == ("1", "small", "COMPLETED", None)
    assert record.config == {
        "seed": 1,
        "model": {"n_hidden": 20, "cell": "elman"},
        "task": {"n_steps": [5, 10], "rate": 1e-3},
    }
    assert record.result == {"valid_loss": 0.25, "test_loss": None, "stop_reason": "patience", "n": 2**40}
    assert record.info == {"early_stopping": {"best_epoch": 3, "losses": [0.5, None], "pair": [1, 2]}}
    assert before - timedelta(seconds=1) < record.start_time <= record.stop_time
    assert record.heartbeat.tzinfo is UTC
    assert record.host["python_version"]
    assert record.meta["command"] == "main"
    assert record.packages["numpy"] == np.__version__
    assert record.captured_out == "hello\n"
    assert record.fail_trace is None
    assert list(record.resources.values()) == [hashlib.md5(b"1,2\n").hexdigest()]
    assert all(len(md5) == 32 for md5 in record.sources.values())
    assert "conftest.py" in record.sources

    assert sorted(record.curves) == ["seconds", "valid.loss"]
    steps, values = record.curves["valid.loss"]
    assert (steps.dtype, values.dtype) == (np.int64, np.float64)
    np.testing.assert_array_equal(steps, [0, 10, 20, 30, 40])
    np.testing.assert_array_equal(values, [1, 0.5, np.nan, np.nan, 0.25])

    assert record.artifacts == ("updates.npz", "weights.npz")
    assert record.artifact("weights.npz") == (tmp_path / "weights.npz").read_bytes()
    np.testing.assert_array_equal(record.weights()["W"], [[0, 1, 2], [3, 4, 5]])
    assert record.weights()["b"].dtype == np.float32
    np.testing.assert_array_equal(record.updates()["loss"], [0, 1, 2])


def test_the_same_run_is_equal_in_files_and_in_mongodb(tmp_path, mongo_database_address, track):
    from rnnlab.store_address import parse_address
    from rnnlab.tracking.storage import make_observer

    (tmp_path / "results").mkdir()
    addresses = [str(tmp_path / "results"), mongo_database_address]
    config = {"odd": {"big": 2**62, "tuple": (1, "a"), "none": None, "nan": float("nan")}}
    for address in addresses:
        track(make_observer(parse_address(address)), whole_run(tmp_path), config)
    in_files, in_mongo = (open_store(address).get("1") for address in addresses)
    assert in_files == in_mongo
    for listed in (open_store(address).find()[0] for address in addresses):
        assert listed == in_files


@pytest.mark.parametrize(
    ("raised", "status"),
    [(RuntimeError("no luck"), "FAILED"), (KeyboardInterrupt(), "INTERRUPTED"), (TimeoutInterrupt(), "TIMEOUT")],
)
def test_a_run_that_does_not_complete_says_how_it_ended(tracked_store, track, raised, status):
    def main(_config, _run):
        _run.log_scalar("valid.loss", 1.0, 1)
        raise raised

    track(tracked_store.observer(), main)
    record = tracked_store.store.get("1")
    assert record.status == status
    assert record.result is None
    assert record.stop_time is not None
    np.testing.assert_array_equal(record.curves["valid.loss"].values, [1])
    assert ("no luck" in (record.fail_trace or "")) is (status == "FAILED")


def test_a_run_is_running_while_it_gives_signs_of_life_and_lost_when_they_end(tracked_store, track):
    seen = []

    def wait_for(status):
        deadline = time.monotonic() + 60
        while tracked_store.store.get("1").status != status and time.monotonic() < deadline:
            time.sleep(0.02)
        seen.append(tracked_store.store.get("1").status)

    def main(_config, _run):
        wait_for("RUNNING")  # at once, unless the machine is so busy that a heartbeat is late
        _run._stop_heartbeat()  # as a killed process does
        wait_for("LOST")
        seen.append([record.run_id for record in tracked_store.store.find(status="LOST")])
        seen.append(tracked_store.store.find(status="running"))

    track(tracked_store.observer(), main, options={"--beat-interval": 0.3})
    assert seen == ["RUNNING", "LOST", ["1"], []]
    assert tracked_store.store.get("1").status == "COMPLETED"


def test_curves_grow_with_every_heartbeat(tracked_store, track):
    def main(_config, _run):
        for step in range(6):
            _run.log_scalar("valid.loss", float(step), step)
            if step % 2:
                _run.log_scalar("train.loss", float(step), step)
            time.sleep(0.03)

    track(tracked_store.observer(), main, options={"--beat-interval": 0.02})
    curves = tracked_store.store.get("1").curves
    np.testing.assert_array_equal(curves["valid.loss"].steps, np.arange(6))
    np.testing.assert_array_equal(curves["valid.loss"].values, np.arange(6))
    np.testing.assert_array_equal(curves["train.loss"].steps, [1, 3, 5])


def test_runs_are_found_by_experiment_status_and_config(tracked_store, track):
    store = tracked_store.store
    assert store.find() == []
    for n_hidden, rate in ((10, 0.1), (20, 1), (20, 0.1)):
        track(tracked_store.observer(), config={"model": {"n_hidden": n_hidden}, "rate": rate, "flag": rate == 1})
    track(tracked_store.observer(), lambda _config, _run: 1 / 0, name="other")

    def ids(**question):
        return [record.run_id for record in store.find(**question)]

    assert ids() == ["1", "2", "3", "4"]
    assert ids(experiment="small") == ["1", "2", "3"]
    assert ids(experiment=["small", "other"]) == ["1", "2", "3", "4"]
    assert ids(experiment="sma") == []
    assert ids(status="FAILED") == ["4"]
    assert ids(status=("failed", "completed"), experiment="other") == ["4"]
    assert ids(where={"model.n_hidden": 20}) == ["2", "3", "4"]
    assert ids(where={"model.n_hidden": 20.0, "rate": 0.1}) == ["3"]
    assert ids(where={"rate": [1.0, 0.5]}) == ["2"]
    assert ids(where={"rate": True}) == []
    assert ids(where={"flag": True}) == ["2"]
    assert ids(where={"flag": 1}) == []
    assert ids(where={"flag": [False, None]}) == ["1", "3"]
    assert ids(where={"model.cell": "elman", "seed": 10**30}) == []
    assert ids(where={"no.such.key": 1}) == []


@pytest.mark.parametrize(
    "question",
    [
        {"where": {"seed": {"$gt": 0}}},
        {"where": {"seed": [{"$ne": None}]}},
        {"where": {"$where": "true"}},
        {"where": {"$or": [1]}},
        {"where": {"model.$elemMatch": 1}},
        {"experiment": {"$ne": ""}},
        {"status": {"$exists": True}},
    ],
)
def test_operators_are_refused_and_never_reach_a_query(tracked_store, track, question):
    track(tracked_store.observer())
    with pytest.raises(StoreError):
        tracked_store.store.find(**question)


def test_regular_expressions_and_odd_keys_in_a_question_match_literally(tracked_store, track):
    track(tracked_store.observer(), config={"odd key": 1})
    assert tracked_store.store.find(where={"model.cell": ".*"}) == []
    assert tracked_store.store.find(experiment=".*") == []
    assert len(tracked_store.store.find(where={"odd key": 1})) == 1


def test_a_unique_prefix_of_an_id_is_enough(tracked_store, track):
    for _ in range(11):
        track(tracked_store.observer())
    track(tracked_store.observer(), options={"--id": "pilot"})
    store = tracked_store.store
    assert [record.run_id for record in store.find()] == [str(n) for n in range(1, 12)] + ["pilot"]
    assert store.get("1").run_id == store.get(1).run_id == "1"
    assert store.get("11").run_id == "11"
    assert store.get("pi").run_id == "pilot"
    for wrong in ("12", "", "01", "../1", "$where"):
        with pytest.raises(StoreError, match="no run"):
            store.get(wrong)


def test_a_prefix_of_several_ids_is_an_error_that_names_them(tracked_store, track):
    for name in ("pilot-b", "pilot-a"):
        track(tracked_store.observer(), options={"--id": name})
    with pytest.raises(StoreError, match=r"it may be pilot-a, pilot-b$"):
        tracked_store.store.get("pi")


def test_a_number_goes_on_after_the_greatest_and_names_do_not_disturb_it(tracked_store, track):
    track(tracked_store.observer(), options={"--id": "pilot"})
    track(tracked_store.observer())
    track(tracked_store.observer())
    assert [record.run_id for record in tracked_store.store.find()] == ["1", "2", "pilot"]


def test_an_id_that_is_taken_is_an_error_and_leaves_the_first_run_alone(tracked_store, track):
    track(tracked_store.observer(), options={"--id": "pilot"})
    first = tracked_store.store.get("pilot")
    with pytest.raises(StoreError, match="has a run 'pilot' already"):
        tracked_store.observer().started_event(
            {"name": "x", "sources": [], "base_dir": ""}, "main", {}, datetime.now(), {}, {}, "pilot"
        )
    assert tracked_store.store.get("pilot").start_time == first.start_time


def test_a_file_is_attached_to_a_run_that_is_over_and_replaced(tracked_store, track, tmp_path):
    track(tracked_store.observer(), whole_run(tmp_path))
    store = tracked_store.store
    picture = tmp_path / "drawn.png"
    for content in (b"first", b"second"):
        picture.write_bytes(content)
        store.attach("1", "curve.png", picture)
    record = store.get("1")
    assert record.artifacts == ("curve.png", "updates.npz", "weights.npz")
    assert record.artifact("curve.png") == b"second"
    assert record.status == "COMPLETED"
    assert list(record.curves) == ["seconds", "valid.loss"]
    np.testing.assert_array_equal(record.weights()["b"], [1])


@pytest.mark.parametrize("name", ["../out.png", "/out.png", "a/b.png", "..", "", "run.json", "metrics.json", "a\\b"])
def test_a_file_is_never_attached_or_stored_outside_of_its_run(tracked_store, track, tmp_path, name, capsys):
    file = tmp_path / "file"
    file.write_text("x")

    def main(_config, _run):
        _run.add_artifact(str(file), name=name)
        _run.log_scalar("valid.loss", 1.0, 1)

    track(tracked_store.observer(), main)
    record = tracked_store.store.get("1")
    assert record.artifacts == ()
    assert record.status == "COMPLETED"
    assert list(record.curves) == ["valid.loss"]
    with pytest.raises(StoreError, match="artifact name"):
        tracked_store.store.attach("1", name, file)
    assert sorted(os.listdir(tmp_path)) in (["file"], ["file", "results"])


def test_nothing_is_attached_to_a_run_that_goes_on_or_from_a_file_that_is_missing(tracked_store, track, tmp_path):
    refusals = []

    def main(_config, _run):
        with pytest.raises(StoreError, match="run 1 is RUNNING") as refusal:
            tracked_store.store.attach("1", "a.png", __file__)
        refusals.append(refusal)

    track(tracked_store.observer(), main)
    assert len(refusals) == 1
    with pytest.raises(StoreError, match="No such file"):
        tracked_store.store.attach("1", "a.png", tmp_path / "missing.png")
    assert tracked_store.store.get("1").artifacts == ()


def test_nothing_in_a_record_is_ever_unpickled_or_decoded_into_objects(tracked_store, track, tmp_path):
    canary = tmp_path / "canary"
    payload = {"py/reduce": [{"py/function": "os.mkdir"}, {"py/tuple": [str(canary)]}]}

    def main(_config, _run):
        _run.info["payload"] = payload
        return {"payload": payload}

    track(tracked_store.observer(), main)
    record = tracked_store.store.get("1")
    for value in (record.info["payload"], record.result["payload"]):
        assert value["py/reduce"][0] == {"py/function": "os.mkdir"}
    assert not canary.exists()


def test_a_question_does_not_change_the_runs(tracked_store, track):
    track(tracked_store.observer())
    store = tracked_store.store
    record = store.get("1")
    record.config["model"]["n_hidden"] = 7
    assert store.get("1").config["model"]["n_hidden"] == 20
