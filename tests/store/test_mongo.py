import hashlib
import traceback
from pathlib import Path

import gridfs
import numpy as np
import pytest
from bson import ObjectId
from pymongo import MongoClient

from rnnlab.errors import StoreError
from rnnlab.store import open_store
from rnnlab.store.mongo import MongoStore
from rnnlab.store_address import mongo_database, parse_address
from rnnlab.tracking.mongo_observer import RunMongoObserver


@pytest.fixture
def database(mongo_database_address):
    return mongo_database(parse_address(mongo_database_address))


def main(_config, _run):
    print("hello")
    _run.log_scalar("valid.loss", 0.5, 1)
    _run.info["best"] = 1
    _run.add_artifact(__file__, name="code.py")
    return {"loss": 0.5}


def test_a_listing_reads_neither_curves_nor_info_nor_output(mongo_database_address, database, track):
    track(RunMongoObserver(parse_address(mongo_database_address)), main)
    store = open_store(mongo_database_address)
    database.command("profile", 2)
    (record,) = store.find()
    database.command("profile", 0)
    assert record.result == {"loss": 0.5}
    commands = [entry["command"] for entry in database["system.profile"].find({"op": "query"})]
    assert [command["find"] for command in commands] == ["runs"]
    assert not {"info", "captured_out", "fail_trace", "experiment", "experiment.sources"} & set(
        commands[0]["projection"]
    )


def test_a_question_is_narrowed_on_the_server_by_literal_values(mongo_database_address, database, track):
    track(RunMongoObserver(parse_address(mongo_database_address)), main)
    store = open_store(mongo_database_address)
    database.command("profile", 2)
    found = store.find(experiment="small", where={"model.n_hidden": [20, 30], "model.cell": "elman", "seed": [None, 1]})
    database.command("profile", 0)
    assert len(found) == 1
    (entry,) = database["system.profile"].find({"op": "query"})
    assert entry["command"]["filter"] == {
        "experiment.name": {"$in": ["small"]},
        "config.model.n_hidden": {"$in": [20, 30]},
        "config.model.cell": {"$in": ["elman"]},
    }


def test_a_user_who_may_only_read_reads_everything_and_changes_nothing(own_mongod, track):
    server = own_mongod("--auth")
    host = server.address.removeprefix("mongodb://")
    root = MongoClient(server.address)
    root.admin.command("createUser", "root", pwd="root-pw", roles=["root"])
    root.close()
    root_address = f"mongodb://root:root-pw@{host}/lab?authSource=admin"
    track(RunMongoObserver(parse_address(root_address)), main)
    database = mongo_database(parse_address(root_address))
    database.metrics.drop_indexes()
    database.command("createUser", "reader", pwd="reader-pw", roles=["read"])

    store = MongoStore(f"mongodb://reader:reader-pw@{host}/lab")
    record = store.get("1")
    assert [each.run_id for each in store.find()] == ["1"]
    assert (list(record.curves), record.info, record.captured_out) == (["valid.loss"], {"best": 1}, "hello\n")
    assert record.artifact("code.py") == Path(__file__).read_bytes()
    assert record == MongoStore(root_address).get("1")
    with pytest.raises(StoreError, match="the server refuses: not authorized") as refusal:
        store.attach("1", "a.txt", __file__)
    assert "reader-pw" not in "".join(traceback.format_exception(refusal.value))
    assert "reader-pw" not in f"{store!r} {store.address}"
    with pytest.raises(StoreError, match="the server refuses"):
        RunMongoObserver(parse_address(f"mongodb://reader:reader-pw@{host}/lab")).started_event(
            {"name": "x", "sources": [], "base_dir": ""}, "main", {}, None, {}, {}, None
        )
    with pytest.raises(StoreError, match=r"the server refuses: .*requires authentication"):
        MongoStore(f"mongodb://{host}/lab")


def test_metrics_of_plain_sacred_get_an_index_by_run_and_an_empty_database_is_left_empty(
    mongo_database_address, database, track
):
    store = open_store(mongo_database_address)
    assert store.find() == []
    with pytest.raises(StoreError, match="no run '1'"):
        store.get("1")
    assert database.list_collection_names() == []

    database.runs.insert_one({"_id": 1, "experiment": {"name": "x"}, "status": "COMPLETED", "config": {}})
    assert store.get("1").curves == {}
    assert database.list_collection_names() == ["runs"]

    # Two processes that logged for one run at once may leave two documents of a metric.
    for k in range(2):
        database.metrics.insert_one({"run_id": 1, "name": "a.b", "steps": [k], "values": [k + 0.5], "timestamps": []})
    steps, values = open_store(mongo_database_address).get("1").curves["a.b"]
    np.testing.assert_array_equal(steps, [0, 1])
    np.testing.assert_array_equal(values, [0.5, 1.5])
    assert [("run_id", 1)] in [index["key"] for index in database.metrics.index_information().values()]


def test_sources_of_plain_sacred_get_the_md5_that_gridfs_no_longer_keeps(mongo_database_address, database):
    file_id = gridfs.GridFS(database).put(b"x = 1\n", filename="a.py")
    experiment = {"name": "x", "sources": [["a.py", file_id], ["gone.py", ObjectId()]]}
    database.runs.insert_one({"_id": 1, "experiment": experiment, "status": "COMPLETED", "config": {}})
    sources = open_store(mongo_database_address).get("1").sources
    assert sources == {"a.py": hashlib.md5(b"x = 1\n").hexdigest(), "gone.py": ""}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config": None}, "the config is not a mapping"),
        ({"experiment": 3}, "its experiment is not a mapping"),
        ({"status": ["x"]}, "status is not a text"),
        ({"start_time": "soon"}, "soon"),
        ({"artifacts": [1]}, "an artifact's name"),
    ],
)
def test_a_document_that_makes_no_sense_is_shown_as_damaged_and_the_rest_as_usual(
    mongo_database_address, database, changes, reason
):
    good = {"experiment": {"name": "x"}, "status": "COMPLETED", "config": {"oid": ObjectId(), "bytes": b"x"}}
    database.runs.insert_many([{"_id": 1, **good, **changes}, {"_id": 2, **good}])
    first, second = open_store(mongo_database_address).find()
    assert (first.status, second.status) == ("DAMAGED", "COMPLETED")
    assert reason in first.damage
    assert set(map(type, second.config.values())) == {str}


def test_parts_that_make_no_sense_are_errors_of_one_line(mongo_database_address, database):
    entry = {"experiment": {"name": "x", "sources": [1]}, "status": "COMPLETED", "config": {}, "info": [1]}
    database.runs.insert_one({"_id": 1, **entry, "artifacts": [{"name": "a", "file_id": ObjectId()}]})
    database.metrics.insert_one({"run_id": 1, "name": "a", "steps": [1]})
    record = open_store(mongo_database_address).get("1")
    reads = (
        lambda: record.info,
        lambda: record.sources,
        lambda: record.curves,
        lambda: record.artifact("a"),
    )
    for read in reads:
        with pytest.raises(StoreError, match=r"^run 1: ") as error:
            read()
        assert "\n" not in str(error.value)


def test_replacing_an_artifact_leaves_no_old_file_behind(mongo_database_address, database, track):
    track(RunMongoObserver(parse_address(mongo_database_address)), main)
    store = open_store(mongo_database_address)
    for _ in range(3):
        store.attach("1", "code.py", __file__)
    assert database["fs.files"].count_documents({"filename": "artifact://runs/1/code.py"}) == 1
    assert database["fs.files"].find_one({"filename": "artifact://runs/1/code.py"})["contentType"] == "text/x-python"


def test_a_server_that_goes_away_is_an_error_of_one_line(own_mongod, track):
    server = own_mongod()
    address = f"{server.address}/lab?serverSelectionTimeoutMS=300"
    track(RunMongoObserver(parse_address(address)), main)
    store = open_store(address)
    record = store.get("1")
    server.stop()
    for read in (store.find, lambda: store.get("1"), lambda: record.curves, lambda: record.artifact("code.py")):
        with pytest.raises(StoreError, match="no answer from the server") as error:
            read()
        assert "\n" not in str(error.value)


def test_a_directory_is_no_database(tmp_path):
    with pytest.raises(StoreError, match="mongodb://host:port/database"):
        MongoStore(str(tmp_path))
