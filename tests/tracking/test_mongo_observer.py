import hashlib
from datetime import datetime
from pathlib import Path

import pytest
from sacred.observers import MongoObserver

from rnnlab.errors import StoreError
from rnnlab.store import open_store
from rnnlab.store_address import mongo_client, mongo_database, parse_address
from rnnlab.tracking.mongo_observer import MAX_CAPTURED_OUT, RunMongoObserver


@pytest.fixture
def address(mongo_database_address):
    return parse_address(mongo_database_address)


@pytest.fixture
def database(address):
    return mongo_database(address)


def started(observer, sources=(), base_dir=""):
    experiment = {"name": "x", "sources": list(sources), "base_dir": str(base_dir)}
    return observer.started_event(experiment, "main", {}, datetime(2026, 1, 1), {"seed": 1}, {}, None)


def log(observer, info, *names):
    point = {"steps": [1], "values": [0.5], "timestamps": [datetime(2026, 1, 1)]}
    observer.log_metrics(dict.fromkeys(names, point), info)


def whole_run(tmp_path):
    (tmp_path / "data.csv").write_text("1,2\n")

    def main(_config, _run):
        print("hello")
        _run.add_resource(str(tmp_path / "data.csv"))
        _run.log_scalar("valid.loss", 0.5, 1)
        _run.log_scalar("train.loss", 0.5, 1)
        _run.info["best"] = {"epoch": 3}
        _run.add_artifact(__file__, name="code.py")
        return {"loss": 0.5}

    return main


def test_the_documents_are_those_that_sacreds_own_observer_writes(address, database, track, tmp_path):
    def shape(value):
        """The keys and types of a document."""
        if isinstance(value, dict):
            return {key: shape(each) for key, each in value.items()}
        return [shape(each) for each in value] if isinstance(value, list) else type(value)

    track(MongoObserver(client=mongo_client(address), db_name=address.database), whole_run(tmp_path))
    track(RunMongoObserver(address), whole_run(tmp_path))
    sacreds, ours = database.runs.find({}, sort=[("_id", 1)])
    del ours["meta"]["uid"]
    assert shape(ours) == shape(sacreds)
    for name in ("config", "result", "status", "command", "format", "resources"):
        assert ours[name] == sacreds[name]
    sacreds, ours = (database.metrics.find_one({"run_id": run_id, "name": "valid.loss"}) for run_id in (1, 2))
    assert shape(ours) == shape(sacreds)
    sacreds, ours = (open_store(address).get(run_id) for run_id in (1, 2))
    assert ours == sacreds


def test_nothing_is_printed(address, track, tmp_path, capfd):
    track(RunMongoObserver(address), whole_run(tmp_path), options={"--capture": "no"})
    assert capfd.readouterr() == ("hello\n", "")


def test_each_metric_of_a_run_has_one_document_which_info_refers_to(address, database):
    observer = RunMongoObserver(address)
    run_id = started(observer)
    info = {}
    for _ in range(3):
        log(observer, info, "train.loss", "valid.loss")
    log(observer, info, "seconds")
    documents = list(database.metrics.find({"run_id": run_id}))
    assert {document["name"]: len(document["steps"]) for document in documents} == {
        "train.loss": 3,
        "valid.loss": 3,
        "seconds": 1,
    }
    references = {document["name"]: str(document["_id"]) for document in documents}
    assert {reference["name"]: reference["id"] for reference in info["metrics"]} == references
    keys = {tuple(index["key"]): index.get("unique") for index in database.metrics.index_information().values()}
    assert keys[("run_id", 1), ("name", 1)] is True


def test_sources_and_resources_are_stored_once_for_all_runs(address, database, tmp_path, track):
    (tmp_path / "a.py").write_text("x = 1\n")
    md5 = hashlib.md5(b"x = 1\n").hexdigest()
    for _ in range(3):
        started(RunMongoObserver(address), [("a.py", md5)], tmp_path)
    (file,) = database["fs.files"].find()
    assert (file["filename"], file["md5"]) == (str(tmp_path / "a.py"), md5)
    assert [run["experiment"]["sources"] for run in database.runs.find()] == [[["a.py", file["_id"]]]] * 3

    (tmp_path / "a.py").write_text("x = 2\n")
    started(RunMongoObserver(address), [("a.py", hashlib.md5(b"x = 2\n").hexdigest())], tmp_path)
    assert database["fs.files"].count_documents({}) == 2

    for _ in range(2):
        track(RunMongoObserver(address), whole_run(tmp_path))
    assert database["fs.files"].count_documents({"filename": str(tmp_path / "data.csv")}) == 1
    assert database["fs.files"].count_documents({"filename": str(Path(__file__).parents[1] / "conftest.py")}) == 1


def test_a_heartbeat_sends_what_is_new(address, database):
    observer = RunMongoObserver(address)
    run_id = started(observer)
    observer.heartbeat_event({"a": 1}, "out", datetime(2026, 1, 1), None)
    database.runs.update_one({"_id": run_id}, {"$set": {"info": "seen", "captured_out": "seen"}})
    observer.heartbeat_event({"a": 1}, "out", datetime(2026, 1, 2), None)
    run = database.runs.find_one()
    assert (run["info"], run["captured_out"], run["heartbeat"]) == ("seen", "seen", datetime(2026, 1, 2))
    observer.heartbeat_event({"a": 2}, "out!", datetime(2026, 1, 3), {"loss": 1})
    run = database.runs.find_one()
    assert (run["info"], run["captured_out"], run["result"]) == ({"a": 2}, "out!", {"loss": 1})


def test_output_without_end_and_numbers_without_bounds_fit_a_document(address, track):
    def main(_config, _run):
        print("x" * 20_000_000 + "the end")
        _run.info["big"] = 2**70
        assert not _run._failed_observers

    run = track(RunMongoObserver(address), main)
    assert not run._failed_observers
    record = open_store(address).get("1")
    assert (record.status, record.info) == ("COMPLETED", {"big": 2**70})
    assert len(record.captured_out) == MAX_CAPTURED_OUT
    assert record.captured_out.endswith("the end\n")


def test_what_one_broken_connection_kept_back_is_sent_again_at_once(own_mongod, monkeypatch):
    monkeypatch.setattr("rnnlab.tracking.mongo_observer.MAX_SECONDS_TO_ANSWER", 60)  # this machine may be busy
    server = own_mongod("--setParameter", "enableTestCommands=1")
    address = parse_address(f"{server.address}/lab")
    observer = RunMongoObserver(address)
    started(observer)
    failure = {"failCommands": ["update"], "closeConnection": True}
    mongo_client(address).admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=failure)
    observer.heartbeat_event({"a": 1}, "out", datetime(2026, 1, 1), None)
    assert observer.problem == ""
    record = open_store(address).get("1")
    assert (record.info, record.captured_out) == ({"a": 1}, "out")


def test_a_server_that_cannot_be_reached_is_an_error_before_anything_starts():
    with pytest.raises(StoreError, match=r"store mongodb://127\.0\.0\.1:1/lab: no answer from the server"):
        RunMongoObserver(parse_address("mongodb://ada:s3cret@127.0.0.1:1/lab?serverSelectionTimeoutMS=300"))
