"""Claims, over both kinds of store."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from rnnlab.errors import StoreError
from rnnlab.processes import this_process
from rnnlab.store_address import mongo_database, parse_address
from rnnlab.sweep.claims import LEASE, kept, open_claims

KEY = "0123456789abcdef"


@pytest.fixture
def address(tracked_store):
    return parse_address(tracked_store.address)


@pytest.fixture
def claims(address):
    return open_claims(address)


@pytest.fixture
def dead_process():
    """A process of this machine that is no more."""
    code = "import json; from rnnlab.processes import this_process; print(json.dumps(this_process()))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return __import__("json").loads(process.stdout)


def let_time_pass(address, seconds):
    """Set the clock of a claim's last heartbeat back."""
    if address.is_mongo:
        beat = datetime.now(UTC) - timedelta(seconds=seconds)
        mongo_database(address).claims.update_one({"_id": KEY}, {"$set": {"beat": beat}})
        return
    for path in (address.path / "_claims").iterdir():
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))


def elsewhere():
    """A process of a machine that cannot be seen from here."""
    return {**this_process(), "host": "far", "place": "another boot"}


def test_a_claim_is_held_by_one_until_it_is_released(claims, address):
    token = claims.take(KEY, this_process())
    assert open_claims(address).take(KEY, this_process()) is None
    assert claims.take("another", this_process())
    assert claims.owner(KEY) == this_process()
    claims.release(KEY, token)
    assert claims.owner(KEY) is None
    assert claims.take(KEY, this_process())


def test_the_claim_of_a_dead_process_of_this_machine_is_free_at_once(claims, dead_process):
    claims.take(KEY, dead_process)
    token = claims.take(KEY, this_process())
    assert token
    assert claims.take(KEY, this_process()) is None
    claims.release(KEY, token)
    assert claims.owner(KEY) is None


def test_the_claim_of_an_unseen_process_is_free_once_its_lease_is_over(claims, address):
    claims.take(KEY, elsewhere())
    let_time_pass(address, LEASE - 5)
    assert claims.take(KEY, this_process()) is None
    let_time_pass(address, LEASE + 5)
    assert claims.take(KEY, this_process())


def test_heartbeats_keep_a_claim_alive(claims, address):
    token = claims.take(KEY, elsewhere())
    let_time_pass(address, LEASE + 5)
    assert claims.renew(KEY, token)
    assert claims.take(KEY, this_process()) is None


def test_who_lost_a_claim_learns_of_it_and_cannot_take_it_from_the_new_owner(claims, address):
    old = claims.take(KEY, elsewhere())
    let_time_pass(address, LEASE + 5)
    new = claims.take(KEY, this_process())
    assert not claims.renew(KEY, old)
    claims.release(KEY, old)
    assert claims.owner(KEY) == this_process()
    assert claims.renew(KEY, new)


@pytest.mark.parametrize("dead_before", [False, True])
def test_of_many_that_claim_at_the_same_instant_one_wins(claims, address, dead_process, dead_before):
    n = 8
    for round_ in range(10):
        key = f"{KEY}{round_}"
        if dead_before:
            claims.take(key, dead_process)
        barrier = threading.Barrier(n)

        def take(_, key=key, barrier=barrier):
            barrier.wait()
            return claims.take(key, this_process())

        with ThreadPoolExecutor(n) as threads:
            tokens = [token for token in threads.map(take, range(n)) if token]
        assert len(tokens) <= 1
        if not tokens:  # those that collide in files may all step back, and try again later
            tokens = [claims.take(key, this_process())]
        assert tokens != [None]


def test_a_takeover_whose_winner_died_can_be_taken_over_in_turn(claims, dead_process):
    for _ in range(3):
        assert claims.take(KEY, dead_process)
    token = claims.take(KEY, this_process())
    assert token
    claims.release(KEY, token)
    assert claims.owner(KEY) is None


def test_a_kept_claim_is_renewed_and_released_and_its_loss_is_told(claims, address, monkeypatch):
    monkeypatch.setattr("rnnlab.sweep.claims.HEARTBEAT", 0.02)
    token = claims.take(KEY, this_process())
    renewed = threading.Event()
    renew = claims.renew

    def noted(key, token):
        held = renew(key, token)
        renewed.set()
        return held

    monkeypatch.setattr(claims, "renew", noted)
    with kept(claims, KEY, token) as lost:
        assert renewed.wait(10)
        assert not lost()
        claims.release(KEY, token)
        claims.take(KEY, this_process())
        for _ in range(500):
            if lost():
                break
            threading.Event().wait(0.01)
        assert lost()
    assert claims.owner(KEY) is not None


def test_a_damaged_claim_counts_as_alive_until_its_lease_is_over(tmp_path):
    claims = open_claims(parse_address(tmp_path))
    (tmp_path / "_claims" / f"{KEY}.0").write_text('{"tok')
    assert claims.take(KEY, this_process()) is None
    let_time_pass(parse_address(tmp_path), LEASE + 5)
    assert claims.take(KEY, this_process())


def test_a_file_system_without_links_will_do(tmp_path, monkeypatch):
    def link(source, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    claims = open_claims(parse_address(tmp_path))
    token = claims.take(KEY, this_process())
    assert token
    assert claims.take(KEY, this_process()) is None
    claims.release(KEY, token)
    assert claims.take(KEY, this_process())


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file.*: (Not a directory|File exists)"):
        open_claims(parse_address(tmp_path / "file"))
