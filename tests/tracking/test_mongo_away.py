"""A MongoDB server that goes away in the middle of a run: the run is not disturbed, and nothing of it is lost."""

import logging
import os
import signal
import subprocess
import time

import mongod  # conftest.py loads it
import numpy as np
import pytest
from pymongo import MongoClient

from rnnlab.store import open_store
from rnnlab.store.copying import copy_runs
from rnnlab.store_address import parse_address
from rnnlab.tracking.mongo_observer import RunMongoObserver

N_STEPS = 600


class UnsteadyServer:
    """A server that can be paused, killed and started again with its data and its address."""

    def __init__(self, folder):
        self.folder = folder
        self.port = mongod._free_port()
        self.address = parse_address(f"mongodb://127.0.0.1:{self.port}/lab")
        self.start()

    def start(self):
        self.folder.mkdir(exist_ok=True)
        program = mongod.find_mongod(self.folder.parent)
        command = [program, "--dbpath", self.folder, "--port", str(self.port), *mongod.SERVER_OPTIONS]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=mongod._end_with_parent
        )
        while not mongod._answers(self.port):
            assert self.process.poll() is None
            time.sleep(0.02)

    def pause(self):
        mongod.pause(self.process.pid)

    def go_on(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLAB_SPOOL", str(tmp_path / "spool"))
    monkeypatch.chdir(tmp_path)
    try:
        server = UnsteadyServer(tmp_path / "data")
    except mongod.NoServerError as problem:
        (pytest.fail if os.environ.get("RNNLAB_REQUIRE_ALL") == "1" else pytest.skip)(str(problem))
    yield server
    server.kill()


@pytest.fixture
def said(monkeypatch):
    """What is told to the user."""
    said = []
    monkeypatch.setattr(logging.getLogger("rnnlab"), "warning", lambda text, *values: said.append(text % values))
    return said


@pytest.fixture
def away_to_the_end(monkeypatch):
    """Nothing is waited for long where the server does not come back."""
    monkeypatch.setattr("rnnlab.tracking.mongo_observer.MAX_SECONDS_TO_STORE", 1.0)
    monkeypatch.setattr("rnnlab.tracking.mongo_observer.MAX_SECONDS_TO_ANSWER", 0.1)


def logging_main(tmp_path, events, gaps=None):
    """A `main` that logs, with an artifact at the start and one at the end; events: {step: what to call there}."""
    (tmp_path / "early.txt").write_text("early")
    np.savez(tmp_path / "weights.npz", W=np.arange(100))

    def main(_config, _run):
        _run.add_artifact(str(tmp_path / "early.txt"))
        last = time.monotonic()
        for step in range(N_STEPS):
            _run.log_scalar("loss", float(step), step)
            _run.log_scalar("other", float("nan"), step)
            _run.info["step"] = step
            if step in events:
                events[step]()
                last = time.monotonic()
            time.sleep(0.002)
            if gaps is not None:
                gaps.append(time.monotonic() - last)
            last = time.monotonic()
        print("the end")
        _run.add_artifact(str(tmp_path / "weights.npz"))
        return {"loss": 0.5}

    return main


def assert_whole(record):
    assert (record.status, record.result) == ("COMPLETED", {"loss": 0.5})
    for name in ("loss", "other"):
        np.testing.assert_array_equal(record.curves[name].steps, np.arange(N_STEPS))
    np.testing.assert_array_equal(record.curves["loss"].values, np.arange(N_STEPS))
    assert record.info == {"step": N_STEPS - 1}
    assert record.captured_out == "the end\n"
    assert record.artifacts == ("early.txt", "weights.npz")
    assert record.artifact("early.txt") == b"early"
    np.testing.assert_array_equal(record.weights()["W"], np.arange(100))


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def spooled(tmp_path):
    """The one directory of runs in the spool."""
    (folder,) = (tmp_path / "spool").iterdir()
    return folder


BEATS = {"--beat-interval": 0.05}


def test_a_server_killed_and_started_again_has_the_run_as_if_nothing_had_happened(server, track, tmp_path, said):
    def restart():
        wait_until(lambda: said)
        server.start()

    main = logging_main(tmp_path, {200: server.kill, 300: restart})
    run = track(RunMongoObserver(server.address), main, options=BEATS)
    assert run._failed_observers == []
    record = open_store(server.address).get("1")
    assert_whole(record)
    went, came = said
    assert "no answer from the server" in went
    assert f"is kept in {tmp_path}/spool/127.0.0.1_{server.port}_lab" in went
    assert "run 1 is there again, with nothing lost" in came
    assert list((tmp_path / "spool").iterdir()) == []
    # The same as a run that was left alone.
    track(RunMongoObserver(server.address), logging_main(tmp_path, {}), options=BEATS)
    assert open_store(server.address).get("2") == record


def test_a_paused_server_does_not_hold_up_the_run(server, track, tmp_path, said):
    pause, gaps = 4.0, []
    resumed = []

    def wait_for_the_end_of_the_pause():
        # The run goes on meanwhile: this is the rest of what it does until then.
        time.sleep(max(0.0, pause - (time.monotonic() - resumed[0])))
        server.go_on()

    def stop():
        resumed.append(time.monotonic())
        server.pause()

    main = logging_main(tmp_path, {100: stop, 500: wait_for_the_end_of_the_pause}, gaps)
    run = track(RunMongoObserver(server.address), main, options=BEATS)
    assert run._failed_observers == []
    assert max(gaps) < pause / 2
    assert_whole(open_store(server.address).get("1"))


def test_without_a_server_to_the_end_the_run_is_in_the_spool_and_can_be_copied_once_and_again(
    server, track, tmp_path, said, away_to_the_end
):
    observer = RunMongoObserver(server.address)
    run = track(observer, logging_main(tmp_path, {200: server.kill}), options=BEATS)
    assert run.result == {"loss": 0.5}
    assert run._failed_observers == [observer]
    with pytest.raises(Exception, match=r"when the server is back: rnnlab copy .*spool/127.0.0.1_\d+_lab mongodb://"):
        observer.join()
    folder = spooled(tmp_path)
    (kept,) = open_store(folder).find()
    assert_whole(kept)

    server.start()
    half = open_store(server.address).get("1")
    assert half.status in ("RUNNING", "LOST")
    assert len(half.curves["loss"].steps) < N_STEPS
    for outcome in ("updated", "present"):
        (copied,) = copy_runs(parse_address(folder), server.address, [kept])
        assert (copied.outcome, copied.target_id) == (outcome, "1")
        (record,) = open_store(server.address).find()
        assert_whole(record)


def test_a_run_killed_while_the_server_is_away_leaves_what_it_had_in_the_spool(
    server, track, tmp_path, said, away_to_the_end
):
    seen = []

    def look():
        wait_until(lambda: said)
        (record,) = open_store(spooled(tmp_path)).find()
        wait_until(lambda: len(open_store(spooled(tmp_path)).get("1").curves["loss"].steps) == 401)
        seen.append(record.status)

    track(RunMongoObserver(server.address), logging_main(tmp_path, {200: server.kill, 400: look}), options=BEATS)
    assert seen in (["RUNNING"], ["LOST"])  # the heartbeats are late: each looks for the server


def test_curves_of_two_runs_are_never_mixed_when_a_database_was_made_anew(server, track, tmp_path, said):
    def begin_anew():
        client = MongoClient(server.address.url)
        client.drop_database("lab")
        client["lab"]["runs"].insert_one({"_id": 1, "meta": {"uid": "other"}, "experiment": {"name": "other"}})
        client.close()

    observer = RunMongoObserver(server.address)
    run = track(observer, logging_main(tmp_path, {300: begin_anew}), options=BEATS)
    assert run._failed_observers == [observer]
    client = MongoClient(server.address.url)
    assert client["lab"]["runs"].find_one({"_id": 1})["meta"] == {"uid": "other"}
    client.close()
    (kept,) = open_store(spooled(tmp_path)).find()
    assert_whole(kept)
