import os
import pickle
import signal
import time
import traceback
from pathlib import Path

import mongod  # conftest.py loads it
import pytest

from rnnlab.errors import StoreError
from rnnlab.store_address import MAX_WAIT_MS, mongo_client, mongo_database, parse_address, without_credentials

SECRET = "hunter2-s3cret"


def test_a_text_without_a_scheme_is_a_directory(tmp_path):
    address = parse_address("runs/today")
    assert (address.path, address.is_mongo, str(address)) == (Path("runs/today"), False, "runs/today")
    assert parse_address("runs", folder=tmp_path).path == tmp_path / "runs"
    assert parse_address(tmp_path, folder=Path("/elsewhere")).path == tmp_path


def test_the_default_is_the_environments_store_and_else_results(monkeypatch):
    monkeypatch.delenv("RNNLAB_STORE", raising=False)
    assert parse_address().path == Path("results")
    monkeypatch.setenv("RNNLAB_STORE", "mongodb://localhost:27017/lab")
    assert parse_address().database == "lab"
    assert parse_address("given").path == Path("given")


@pytest.mark.parametrize(
    ("text", "shown", "database"),
    [
        ("mongodb://localhost:27017/lab", "mongodb://localhost:27017/lab", "lab"),
        (f"mongodb://ada:{SECRET}@db.org:27017/lab", "mongodb://db.org:27017/lab", "lab"),
        (f"mongodb+srv://ada:{SECRET}@db.org/lab?tls=true", "mongodb+srv://db.org/lab", "lab"),
        (f"mongodb://db.org/lab?tlsCertificateKeyFilePassword={SECRET}", "mongodb://db.org/lab", "lab"),
        (f"mongodb://ada:{SECRET}@a:1,b:2/lab?replicaSet=x", "mongodb://a:1,b:2/lab", "lab"),
    ],
)
def test_a_database_address_is_shown_without_credentials_and_options(text, shown, database):
    address = parse_address(text)
    assert (address.is_mongo, address.database, address.url) == (True, database, text)
    assert str(address) == shown
    assert SECRET not in f"{address} {address!r}"
    assert pickle.loads(pickle.dumps(address)) == address


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (f"mongodb://ada:{SECRET}@db.org:27017", "names no database; write mongodb://host:port/database"),
        (f"mongodb://ada:{SECRET}@db.org:27017/", "names no database"),
        (f"mongodb://ada:{SECRET}@/lab", "names no database"),
        (f"mongodb://ada:{SECRET}@db.org/lab.runs", "'lab.runs' cannot be a database's name"),
        (f"mongodb://ada:{SECRET}/x@db.org/lab", "%2F"),
        (f"mongodb://ada:{SECRET}?x@db.org/lab", "%3F"),
        (f"mongodb://ada:x@{SECRET}@db.org/lab", "%40"),
        (f"mongo://ada:{SECRET}@db.org/lab", "a store is a directory or mongodb://host:port/database"),
        (f"postgres://ada:{SECRET}@db.org/lab", "a store is a directory or mongodb://host:port/database"),
        (f"mongodb:/ada:{SECRET}@db.org/lab", "a store is a directory or mongodb://host:port/database"),
    ],
)
def test_an_address_that_cannot_be_is_refused_in_one_line_without_its_password(text, right):
    with pytest.raises(StoreError) as refusal:
        parse_address(text)
    assert right in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert SECRET not in "".join(traceback.format_exception(refusal.value))


# Far more than what a server has to answer, on a busy machine too, and less than pymongo would wait by itself.
SECONDS = 20


def test_a_server_has_less_than_five_seconds_to_answer():
    assert MAX_WAIT_MS < 5000


def test_an_unreachable_server_is_one_line_soon(monkeypatch):
    monkeypatch.setattr("rnnlab.store_address.MAX_WAIT_MS", 100)
    started = time.monotonic()
    with pytest.raises(StoreError) as refusal:
        mongo_client(parse_address(f"mongodb://ada:{SECRET}@127.0.0.1:1/lab"))
    assert time.monotonic() - started < SECONDS
    assert str(refusal.value).startswith("store mongodb://127.0.0.1:1/lab: no answer from the server:")
    assert "\n" not in str(refusal.value)
    assert SECRET not in "".join(traceback.format_exception(refusal.value))


def test_a_server_that_is_stopped_in_its_tracks_counts_as_unreachable(own_mongod, monkeypatch):
    server = own_mongod()
    monkeypatch.setattr("rnnlab.store_address.MAX_WAIT_MS", 300)
    mongod.pause(server.pid)
    try:
        started = time.monotonic()
        with pytest.raises(StoreError, match="no answer from the server"):
            mongo_client(parse_address(f"{server.address}/lab"))
        assert time.monotonic() - started < SECONDS
    finally:
        os.kill(server.pid, signal.SIGCONT)


def test_a_wrong_password_is_one_line_without_it(mongo_address):
    host = mongo_address.removeprefix("mongodb://").rpartition("@")[2]
    with pytest.raises(StoreError) as refusal:
        mongo_client(parse_address(f"mongodb://ada:{SECRET}@{host}/lab"))
    assert "the server refuses: Authentication failed" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert SECRET not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_process_has_one_client_for_an_address_and_a_fork_its_own(mongo_database_address):
    address = parse_address(mongo_database_address)
    client = mongo_client(address)
    assert mongo_client(parse_address(mongo_database_address)) is client
    assert mongo_database(address).name == address.database
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # a child that hangs must not hold up the tests
        os._exit(0 if mongo_client(address) is not client and mongo_client(address) is mongo_client(address) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (f"https://ada:{SECRET}@github.com/lab/x.git", "https://github.com/lab/x.git"),
        (f"https://{SECRET}@github.com/lab/x.git", "https://github.com/lab/x.git"),
        (f"https://github.com/lab/x.git?token={SECRET}", "https://github.com/lab/x.git"),
        (f"https://ada:{SECRET}/@github.com/x.git", "https://github.com/x.git"),
        (f"ssh://git:{SECRET}@github.com/lab/x.git", "ssh://github.com/lab/x.git"),
        ("ssh://git@github.com/lab/x.git", "ssh://git@github.com/lab/x.git"),
        ("git@github.com:lab/x.git", "git@github.com:lab/x.git"),
        ("https://github.com/lab/x.git", "https://github.com/lab/x.git"),
        ("/home/ada/x", "/home/ada/x"),
        ("git:/home/ada/x", "git:/home/ada/x"),
    ],
)
def test_a_remote_url_loses_its_credentials_only(url, clean):
    assert without_credentials(url) == clean
