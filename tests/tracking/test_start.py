"""Runs whose record cannot even begin: one line, and nothing left of them."""

import errno
import os
from datetime import datetime

import pytest
from pymongo.errors import AutoReconnect

from rnnlab.errors import StoreError
from rnnlab.store import open_store
from rnnlab.store_address import parse_address
from rnnlab.tracking.conduct import Conduct, conducted
from rnnlab.tracking.mongo_documents import RunDocuments
from rnnlab.tracking.spool import Snapshot, Spool

START = datetime(2026, 1, 1)
EXPERIMENT = {"name": "x", "sources": [], "base_dir": ""}


def start(observer, run_id=None):
    return observer.started_event(EXPERIMENT, "main", {}, START, {}, {}, run_id)


@pytest.fixture
def unwritable(tracked_store, monkeypatch):
    """The observer of a store that takes no run."""
    observer = tracked_store.observer()

    def full(*arguments, **named):
        if parse_address(tracked_store.address).is_mongo:
            raise AutoReconnect("connection refused")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RunDocuments, "insert", full)
    monkeypatch.setattr("rnnlab.tracking.file_observer.write_atomically", full)
    return observer


def test_an_error_of_one_line_and_no_run(unwritable, tracked_store, track):
    with pytest.raises(StoreError, match=r"No space left on device|no answer from the server") as error:
        start(unwritable)
    assert "\n" not in str(error.value)
    assert tracked_store.store.ids() == []
    run = track(unwritable, lambda: pytest.fail("it must not run"))  # Sacred still tells the observer of the failure
    assert run._failed_observers == []
    assert tracked_store.store.ids() == []


def test_a_script_ends_with_that_line(unwritable, tracked_store):
    with conducted(Conduct(by_hand=True)), pytest.raises(SystemExit) as ended:
        start(unwritable)
    assert ended.value.code.startswith(f"error: store {tracked_store.address}: ")
    assert "\n" not in ended.value.code


def test_a_name_that_is_taken_is_an_error_and_the_run_of_that_name_stays(tracked_store, track):
    track(tracked_store.observer())
    observer = tracked_store.observer()
    taken = 1 if parse_address(tracked_store.address).is_mongo else "1"
    with pytest.raises(StoreError, match=r"has a run '?1'? already"):
        start(observer, taken)
    observer.failed_event(START, ["trace"])
    (record,) = tracked_store.store.find()
    assert (record.experiment, record.status) == ("small", "COMPLETED")


def test_a_spool_whose_number_is_taken_gets_the_next_one_whoever_started_the_run(tmp_path):
    started = {"ex_info": EXPERIMENT, "command": "main", "host_info": {}, "start_time": START, "config": {}}
    started |= {"meta_info": {"uid": "a"}, "_id": "1"}
    entry = {"info": {}, "heartbeat": None, "status": "RUNNING", "resources": []}
    with conducted(Conduct(by_hand=True)):
        for _ in range(2):
            Spool(tmp_path, Snapshot(started, entry, {}, {}))
    assert sorted(open_store(tmp_path).ids()) == ["1", "2"]
