"""Where a run is said to be while its database is away."""

import numpy as np
from pymongo.errors import AutoReconnect

from rnnlab.store import open_store
from rnnlab.store_address import parse_address
from rnnlab.tracking.mongo_documents import RunDocuments
from rnnlab.tracking.mongo_observer import RunMongoObserver
from rnnlab.tracking.storage import recorded_at


def away(*arguments, **named):
    raise AutoReconnect("connection refused")


def test_a_run_that_ended_while_the_server_was_away_is_where_it_was_kept(
    mongo_database_address, track, tmp_path, monkeypatch
):
    monkeypatch.setenv("RNNLAB_SPOOL", str(tmp_path / "spool"))
    address = parse_address(mongo_database_address)

    def main(_run):
        _run.log_scalar("loss", 1.0, 1)
        for name in ("ping", "push", "set_entries"):
            monkeypatch.setattr(RunDocuments, name, away)

    run = track(RunMongoObserver(address), main)
    place, run_id = recorded_at(run)
    assert place.path.parent == tmp_path / "spool"
    record = open_store(place).get(run_id)
    assert record.status == "COMPLETED"
    np.testing.assert_array_equal(record.curves["loss"].values, [1.0])


def test_any_other_run_is_in_its_store(tracked_store, track):
    run = track(tracked_store.observer())
    assert recorded_at(run) == (parse_address(tracked_store.address), "1")
    run.observers.clear()
    assert recorded_at(run) is None
