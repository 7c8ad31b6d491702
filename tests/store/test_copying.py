"""Copies between stores: whole, once, in every direction, and with no half-run that counts as a whole one."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sacred.observers import FileStorageObserver, MongoObserver

from rnnlab.errors import StoreError
from rnnlab.store import copying, open_store
from rnnlab.store.copying import copy_runs, run_uid
from rnnlab.store_address import mongo_client, parse_address
from rnnlab.tracking.storage import make_observer

KINDS = ("files", "mongo")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path, request):
    """Gives empty stores: `place("files", "a")` is an address."""
    made = []

    def new(kind, name):
        if kind == "files":
            return parse_address(tmp_path / name)
        address = parse_address(f"{request.getfixturevalue('mongo_database_address')}_{name}")
        made.append(address)
        return address

    yield new
    for address in made:
        mongo_client(address).drop_database(address.database)


@pytest.fixture(params=[(one, other) for one in KINDS for other in KINDS], ids=lambda kinds: "-to-".join(kinds))
def pair(request, place):
    return place(request.param[0], "from"), place(request.param[1], "to")


def copy(source, target, records=None, **options):
    records = open_store(source).find() if records is None else records
    return [(each.run_id, each.outcome, each.target_id) for each in copy_runs(source, target, records, **options)]


def whole_run(tmp_path):
    """A main function that records something of every kind."""
    np.savez(tmp_path / "weights.npz", W=np.arange(6.0).reshape(2, 3))
    (tmp_path / "data.csv").write_text("1,2\n")

    def main(_config, _run):
        print("hello \x1b[31m")
        _run.add_resource(str(tmp_path / "data.csv"))
        for step, loss in enumerate([1.0, float("nan"), 0.25]):
            _run.log_scalar("valid.loss", loss, 10 * step)
            _run.log_scalar("seconds", step / 7, 10 * step)
        _run.info["early_stopping"] = {"best_epoch": 3, "losses": [0.5, float("nan")]}
        _run.add_artifact(str(tmp_path / "weights.npz"), content_type="application/octet-stream")
        return {"valid_loss": 0.25, "test_loss": float("nan"), "n": 2**62}

    return main


def contents(address, run_id="1"):
    """All that a store gives of a run, times to the millisecond, which is what MongoDB keeps."""
    record = open_store(address).get(run_id)
    times = [getattr(record, name) for name in ("start_time", "stop_time", "heartbeat")]
    stamps = json.dumps(metrics_of(address, run_id), sort_keys=True)
    return {
        "times": [time and time.isoformat(timespec="milliseconds") for time in times],
        "curves": {name: [c.tolist() for c in map(np.nan_to_num, curve)] for name, curve in record.curves.items()},
        "stamps": stamps,
        "artifacts": {name: hashlib.md5(record.artifact(name)).hexdigest() for name in record.artifacts},
        "source texts": {path: record.source(path) for path in record.sources},
        **{
            name: getattr(record, name) for name in ("experiment", "status", "config", "result", "host", "meta", "info")
        },
        **{name: getattr(record, name) for name in ("packages", "resources", "sources", "captured_out", "fail_trace")},
    }


def metrics_of(address, run_id):
    """Each metric's timestamps, to the millisecond."""
    run = copying._copies(address).read(run_id)
    return {name: [stamp[:23] for stamp in columns["timestamps"]] for name, columns in run.metrics.items()}


def test_a_run_is_copied_whole_and_only_once(pair, track, tmp_path):
    source, target = pair
    track(make_observer(source), whole_run(tmp_path), {"odd": {"big": 2**62, "tuple": (1, "a"), "none": None}})
    assert copy(source, target) == [("1", "copied", "1")]
    one, other = contents(source), contents(target)
    assert one == other
    assert len(one["stamps"]) > 100
    assert all(one["source texts"].values())
    assert one["artifacts"]
    assert open_store(source).get(1) == open_store(target).get(1)

    assert copy(source, target) == [("1", "present", "1")]
    assert copy(target, source) == [("1", "present", "1")]
    assert len(open_store(target).find()) == 1


def test_a_resource_is_at_hand_in_the_target(pair, track, tmp_path):
    source, target = pair
    track(make_observer(source), whole_run(tmp_path))
    copy(source, target)
    (tmp_path / "data.csv").unlink()
    (resource,) = copying._copies(target).read("1").resources
    assert (resource.name, resource.read()) == (str(tmp_path / "data.csv"), b"1,2\n")


def test_a_failed_run_keeps_its_traceback(pair, track):
    source, target = pair

    def main(_run):
        raise RuntimeError("no luck")

    track(make_observer(source), main)
    copy(source, target)
    record = open_store(target).get(1)
    assert record.status == "FAILED"
    assert "no luck" in record.fail_trace


def test_an_id_is_kept_where_it_is_free_and_otherwise_the_next_free_one(pair, track):
    source, target = pair
    for _ in range(3):
        track(make_observer(source))
    track(make_observer(target), name="native")
    records = open_store(source).find()
    assert copy(source, target, records[2:]) == [("3", "copied", "3")]
    assert copy(source, target) == [("1", "copied", "4"), ("2", "copied", "2"), ("3", "present", "3")]
    assert open_store(target).get(1).experiment == "native"
    uids = {record.run_id: run_uid(record) for record in open_store(target).find()}
    assert [uids[each] for each in ("4", "2", "3")] == [run_uid(record) for record in records]


def test_a_run_that_goes_on_is_copied_only_when_asked_for_and_brought_up_to_date_later(pair, track, tmp_path):
    source, target = pair
    seen = []

    def main(_run):
        for step in range(2):
            _run.log_scalar("valid.loss", 1.0, step)
        _run._emit_heartbeat()
        seen.append(copy(source, target))
        seen.append(copy(source, target, running=True))
        seen.append(open_store(target).get(1).status)
        for step in range(2, 5):
            _run.log_scalar("valid.loss", 0.5, step)
        whole_run(tmp_path)({}, _run)
        return {"valid_loss": 0.5}

    track(make_observer(source), main)
    assert seen == [[("1", "running", None)], [("1", "copied", "1")], "RUNNING"]
    assert len(open_store(target).get(1).curves["valid.loss"].steps) == 2
    assert copy(source, target) == [("1", "updated", "1")]
    assert contents(source) == contents(target)
    assert copy(source, target) == [("1", "present", "1")]


def test_points_alone_make_a_run_grow(pair, track):
    source, target = pair

    def main(_run):
        _run.log_scalar("valid.loss", 1.0, 1)
        _run._emit_heartbeat()
        copy(source, target, running=True)
        _run.log_scalar("valid.loss", 0.5, 2)

    track(make_observer(source), main)
    assert copy(source, target) == [("1", "updated", "1")]
    assert contents(source) == contents(target)


def test_a_half_copy_is_completed_whatever_its_times(place, track):
    source, target = place("files", "from"), place("mongo", "to")
    track(make_observer(source))
    copy(source, target)
    path = source.path / "1" / "run.json"
    times = dict.fromkeys(("start_time", "stop_time", "heartbeat"))
    path.write_text(json.dumps({**json.loads(path.read_text()), **times}))
    runs = mongo_client(target)[target.database].runs
    runs.update_one({}, {"$set": {"status": "COPYING"}})
    assert copy(source, target) == [("1", "updated", "1")]
    assert open_store(target).get(1).status == "COMPLETED"


def test_an_artifact_attached_later_follows_and_one_attached_to_the_copy_stays(pair, track, tmp_path):
    source, target = pair
    track(make_observer(source), whole_run(tmp_path))
    copy(source, target)
    open_store(target).attach(1, "mine.txt", __file__)
    assert copy(source, target) == [("1", "present", "1")]
    open_store(source).attach(1, "theirs.txt", __file__)
    assert copy(source, target) == [("1", "updated", "1")]
    record = open_store(target).get(1)
    assert record.artifacts == ("mine.txt", "theirs.txt", "weights.npz")
    assert {record.artifact(name) for name in ("mine.txt", "theirs.txt")} == {Path(__file__).read_bytes()}


def sacreds_own(address):
    if address.is_mongo:
        return MongoObserver(client=mongo_client(address), db_name=address.database)
    return FileStorageObserver(address.path)


def test_a_run_of_plain_sacred_is_known_again_in_every_store(pair, place, track, tmp_path):
    source, target = pair
    track(sacreds_own(source), whole_run(tmp_path))
    track(sacreds_own(source), whole_run(tmp_path))
    assert copy(source, target) == [("1", "copied", "1"), ("2", "copied", "2")]
    assert copy(source, target) == [("1", "present", "1"), ("2", "present", "2")]
    assert copy(target, source) == [("1", "present", "1"), ("2", "present", "2")]
    third = place("files", "third")
    copy(source, third)
    assert copy(third, target) == [("1", "present", "1"), ("2", "present", "2")]


def test_a_damaged_run_is_said_to_be_so_and_the_others_are_copied(tmp_path, place, track):
    source, target = place("files", "from"), place("files", "to")
    for _ in range(3):
        track(make_observer(source), whole_run(tmp_path))
    (source.path / "1" / "run.json").write_text("{")
    os.utime(source.path / "1" / "run.json", (1, 1))
    (source.path / "2" / "weights.npz").unlink()
    outcomes = list(copy_runs(source, target, open_store(source).find()))
    assert [each.outcome for each in outcomes] == ["failed", "failed", "copied"]
    assert "run.json is damaged" in outcomes[0].reason
    assert "weights.npz" in outcomes[1].reason
    assert [record.run_id for record in open_store(target).find()] == ["3"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "odd", ["x", 5, [1], {"steps": [0], "values": ["x"]}, {"steps": [0], "values": [1.0], "timestamps": 5}]
)
def test_a_run_whose_curves_are_none_is_said_to_be_damaged_and_leaves_nothing_in_the_target(place, track, kind, odd):
    source, target = place("files", "from"), place(kind, "to")
    track(make_observer(source), lambda _run: _run.log_scalar("valid.loss", 1.0, 0))
    (source.path / "1" / "metrics.json").write_text(json.dumps({"valid.loss": odd}))
    (outcome,) = copy_runs(source, target, open_store(source).find())
    assert (outcome.outcome, outcome.target_id) == ("failed", None)
    assert "metrics.json is damaged" in outcome.reason
    assert open_store(target).find() == []


def test_sources_are_stored_once_for_all_runs_and_a_missing_one_stays_missing(pair, track, tmp_path):
    source, target = pair
    for _ in range(2):
        track(make_observer(source))
    (path,) = [path for path in open_store(source).get(1).sources if path.endswith("conftest.py")]
    if source.is_mongo:
        database = mongo_client(source)[source.database]
        for file in list(database["fs.files"].find({"filename": {"$regex": "conftest.py"}})):
            database["fs.chunks"].update_many({"files_id": file["_id"]}, {"$set": {"data": b""}})
            database["fs.files"].update_one({"_id": file["_id"]}, {"$set": {"length": 0}})
    else:
        for file in source.path.glob("_sources/conftest_*.py"):
            file.unlink()
    copy(source, target)
    one, other = (open_store(target).get(run_id) for run_id in (1, 2))
    assert one.sources == other.sources == open_store(source).get(1).sources
    assert one.source(path) is None
    if target.is_mongo:
        files = mongo_client(target)[target.database]["fs.files"]
        assert files.count_documents({}) == len(one.sources)
    else:
        assert len(list(target.path.glob("_sources/*"))) == len(one.sources) - 1


def test_nothing_leads_out_of_the_store(tmp_path, place, track):
    (tmp_path / "secret.txt").write_text("secret")
    source = place("files", "from")
    track(make_observer(source))
    for name, value in [("artifacts", ["../../secret.txt"]), ("resources", [["x", "../secret.txt"]])]:
        path = source.path / "1" / "run.json"
        entry = json.loads(path.read_text())
        path.write_text(json.dumps({**entry, name: value}))
        (outcome,) = copy_runs(source, place("files", f"to-{name}"), open_store(source).find())
        path.write_text(json.dumps(entry))
        if name == "artifacts":
            assert "may lead out of the run's folder" in outcome.reason
        assert not list(tmp_path.glob("to-*/**/*secret*"))


def test_an_artifact_that_is_no_file_name_gets_one_and_is_known_again(place, track, tmp_path):
    source, target = place("mongo", "from"), place("files", "to")

    def main(_run):
        for name in ("plots/a.png", "run.json"):
            MongoObserver.artifact_event(_run.observers[0], name, __file__)

    track(sacreds_own(source), main)
    copy(source, target)
    assert open_store(target).get(1).artifacts == ("artifact_run.json", "plots_a.png")
    assert open_store(target).get(1).status == "COMPLETED"


KILLED = """
import os, sys
from rnnlab.store import copying, file_copies, mongo_copies, open_store
from rnnlab.store_address import parse_address
import rnnlab.atomic_file, pymongo.collection
source, target, kill_after = parse_address(sys.argv[1]), parse_address(sys.argv[2]), int(sys.argv[3])
calls = 0
def counted(function):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls > kill_after:
            os.kill(os.getpid(), 9)
        return function(*args, **kwargs)
    return call
records = open_store(source).find()
file_copies.write_atomically = counted(file_copies.write_atomically)
file_copies.os.rename = counted(os.rename)
for name in ("insert_one", "replace_one", "bulk_write", "update_one"):
    setattr(pymongo.collection.Collection, name, counted(getattr(pymongo.collection.Collection, name)))
print([copied.outcome for copied in copying.copy_runs(source, target, records)], calls)
"""


def test_a_copy_killed_at_any_instant_leaves_nothing_that_counts_as_whole_and_the_next_one_completes_it(
    place, track, tmp_path
):
    source = place("files", "from")
    track(make_observer(source), whole_run(tmp_path))
    whole = contents(source)
    for kind in KINDS:
        kills = 0
        # At every other write in turn, each into a target of its own, until the script comes to its end.
        for kill_after in range(1, 60, 2):
            target = place(kind, f"to{kill_after}")
            address = target.url or str(target.path)
            command = [sys.executable, "-c", KILLED, str(source.path), address, str(kill_after)]
            process = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )
            if process.returncode == 0:
                break
            assert process.returncode == -signal.SIGKILL, process.stderr
            kills += 1
            left = open_store(target).find()
            assert [record.status for record in left] in ([], ["COPYING"])
            ((_, outcome, run_id),) = copy(source, target)
            assert outcome == ("updated" if left else "copied")
            # Between taking a number and moving there, a kill leaves an empty folder, and the next number is taken.
            assert run_id == "1" or (kind == "files" and not list((target.path / "1").iterdir()))
            assert contents(target, run_id) == whole
            assert copy(source, target) == [("1", "present", run_id)]
            if kind == "files":
                assert not (target.path / "_copying").exists()
            else:
                database = mongo_client(target)[target.database]
                assert database["fs.files"].count_documents({"filename": {"$regex": "^artifact://"}}) == 1
                assert database.metrics.count_documents({}) == len(open_store(target).get(run_id).curves)
        assert kills > 3


@pytest.mark.parametrize("kind", KINDS)
def test_two_copies_into_one_store_at_once_are_refused(place, track, kind):
    source, target = place("files", "from"), place(kind, "to")
    track(make_observer(source))
    first = copy_runs(source, target, open_store(source).find())
    next(first)
    if kind == "mongo":  # as another process would see it
        locks = mongo_client(target)[target.database]["rnnlab.copying"]
        locks.update_one({}, {"$set": {"host": "elsewhere"}})
    with pytest.raises(StoreError, match="another copy into it is going on"):
        copy(source, target)
    first.close()
    if kind == "mongo":
        assert locks.count_documents({}) == 0
    assert copy(source, target) == [("1", "present", "1")]


def test_a_silent_copy_elsewhere_loses_its_lock(place, track):
    source, target = place("files", "from"), place("mongo", "to")
    track(make_observer(source))
    locks = mongo_client(target)[target.database]["rnnlab.copying"]
    now = mongo_client(target)[target.database].command("hello")["localTime"]
    locks.insert_one({"_id": "lock", "token": "x", "host": "elsewhere", "pid": 1, "until": now})
    time.sleep(0.01)
    assert copy(source, target) == [("1", "copied", "1")]


def test_runs_that_start_in_the_target_meanwhile_get_ids_of_their_own(place, track, tmp_path):
    source, target = place("files", "from"), place("files", "to")
    for _ in range(3):
        track(make_observer(source))
    copies = copy_runs(source, target, open_store(source).find())
    next(copies)
    track(make_observer(target), name="native")
    assert [(each.run_id, each.target_id) for each in copies] == [("2", "3"), ("3", "4")]
    assert open_store(target).get(2).experiment == "native"
