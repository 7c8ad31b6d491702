"""Stores that go away while a sweep is on: its claims outlive that, and what cannot be started waits."""

import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import mongod  # conftest.py loads it
import pytest
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect, NetworkTimeout

from rnnlab.errors import StoreAwayError, StoreError
from rnnlab.processes import this_process
from rnnlab.store_address import mongo_database, parse_address
from rnnlab.sweep.claims import HEARTBEAT, LEASE, kept, open_claims
from rnnlab.sweep.execution import StopRequest, execute
from rnnlab.sweep.expansion import expand
from rnnlab.sweep.mongo_claims import MongoClaims
from rnnlab.sweep.options import specification_from_options
from rnnlab.sweep.plan import make_plan
from rnnlab.sweep.pools import OwnProcess
from rnnlab.sweep.resolve import resolve
from rnnlab.sweep.worker import Outcome

KEY = "0123456789abcdef"


class ClaimsOfAStoreThatIsAway:
    """Renewals that fail until `back` is set, and then say `held`."""

    def __init__(self, held):
        self.held, self.back = held, threading.Event()
        self.failures, self.answers = 0, 0

    def renew(self, key, token):
        if not self.back.is_set():
            self.failures += 1
            raise StoreError("away")
        self.answers += 1
        return self.held

    def release(self, key, token):
        pass


@pytest.mark.parametrize("held", [True, False])
def test_a_claim_is_not_lost_by_an_absence_of_the_store_but_only_to_somebody_else(held, monkeypatch, wait_until):
    monkeypatch.setattr("rnnlab.sweep.claims.HEARTBEAT", 0.001)
    monkeypatch.setattr("rnnlab.sweep.claims.LEASE", 0.01)
    claims = ClaimsOfAStoreThatIsAway(held)
    with kept(claims, KEY, "token") as lost:
        wait_until(lambda: claims.failures > 20)
        assert not lost()
        claims.back.set()
        wait_until(lambda: claims.answers >= (5 if held else 1))
        assert held or wait_until(lost)
        assert lost() is not held


def test_after_an_absence_of_the_server_owners_have_time_to_show_that_they_live(mongo_database_address, monkeypatch):
    address = parse_address(mongo_database_address)
    claims, elsewhere = open_claims(address), {**this_process(), "place": "another boot"}
    claims.take(KEY, elsewhere)
    beat = datetime.now(UTC) - timedelta(seconds=LEASE + 5)
    mongo_database(address).claims.update_one({"_id": KEY}, {"$set": {"beat": beat}})

    def away(*arguments):
        raise AutoReconnect("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(claims, "_find", away)
        with pytest.raises(StoreAwayError, match="no answer from the server"):
            claims.take(KEY, this_process())
    assert claims.take(KEY, this_process()) is None
    assert open_claims(address).take(KEY, this_process()), "who saw no absence has no reason to wait"

    mongo_database(address).claims.update_one({"_id": KEY}, {"$set": {"beat": beat, "owner": elsewhere}})
    claims._patient_until -= 2 * HEARTBEAT
    assert claims.take(KEY, this_process())


def test_variants_that_cannot_be_claimed_because_the_server_is_away_wait_for_it(script, own_mongod, monkeypatch):
    monkeypatch.setattr("rnnlab.sweep.mongo_claims.MAX_SECONDS_TO_ANSWER", 0.3)
    monkeypatch.setattr("rnnlab.sweep.execution.SECONDS_BETWEEN_TRIES", 0.1)
    monkeypatch.setattr("rnnlab.sweep.worker._run", lambda task, stop_requested: Outcome("completed"))
    server = own_mongod()
    address = parse_address(f"{server.address}/lab")
    kinds, shown = [], set()

    class PausedAtTheSecond(OwnProcess):
        def submit(self, worker, task):
            super().submit(worker, task)
            if kinds == ["completed"]:
                mongod.pause(server.pid)

        def collect(self, seconds):
            collected = super().collect(seconds)
            kinds.extend(outcome.kind for _, _, outcome in collected)
            if kinds.count("away") == 2:
                os.kill(server.pid, signal.SIGCONT)
            return collected

    plan = make_plan(expand(specification_from_options(script, seeds=2), resolve), address)
    progress = execute(plan, PausedAtTheSecond(), address, 0, StopRequest(), lambda progress: shown.add(progress.away))
    assert kinds == ["completed", "away", "away", "completed"]
    assert (progress.left, progress.failures, progress.problem, progress.away) == (0, [], "", "")
    assert mongo_database(address).claims.find_one() is None
    assert any(f"store {address}: no answer from the server" in words for words in shown)


def test_a_claim_that_the_server_made_but_did_not_answer_for_is_the_askers_own(own_mongod, monkeypatch):
    address = parse_address(f"{own_mongod().address}/lab")
    claims, others = MongoClaims(address), MongoClaims(address)
    update = Collection.update_one

    def without_answer(*arguments, **options):
        update(*arguments, **options)
        raise NetworkTimeout("timed out")

    with monkeypatch.context() as at_first:
        at_first.setattr(Collection, "update_one", without_answer)
        with pytest.raises(StoreAwayError):
            claims.take("variant", this_process())
    assert others.take("variant", this_process()) is None
    token = claims.take("variant", this_process())
    assert token is not None
    assert claims.renew("variant", token)
    assert claims.take("variant", this_process()) is None
