"""Claims in a MongoDB database: documents of the collection `claims`, whose unique `_id` is the variant's key."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
from pymongo.errors import DuplicateKeyError

from rnnlab.errors import StoreAwayError
from rnnlab.processes import is_gone
from rnnlab.store_address import Address, mongo_database, mongo_errors
from rnnlab.sweep.claims import HEARTBEAT, LEASE, Claims

MAX_SECONDS_TO_ANSWER = 10.0


class MongoClaims(Claims):
    """The claims in a database. All times are the server's."""

    def __init__(self, address: Address):
        self._address = address
        self._claims = mongo_database(address)["claims"]
        self._is_away = False
        self._patient_until = 0.0
        self._unanswered: dict[str, str] = {}  # the token of a claim that was asked for, by key, if no answer came

    def take(self, key: str, owner: dict[str, Any]) -> str | None:
        """Claim a variant; the claim's token, or None if it is claimed."""
        token = uuid.uuid4().hex
        claim = [{"$set": {"token": token, "owner": {"$literal": owner}, "beat": "$$NOW"}}]
        with self._at_the_server():
            seen = self._find(key)
        # A server that went away in the middle may have done what it was asked for: such a claim has no other owner.
        unanswered = self._unanswered.pop(key, None)
        is_own = seen is not None and unanswered is not None and seen.get("token") == unanswered
        if seen is not None and not is_own:
            # Owners could show no life while the server was away: they get the time to.
            is_old = seen["age"] > 1000 * LEASE and time.monotonic() >= self._patient_until
            if not is_old and not is_gone(seen["owner"]):
                return None
        try:
            with self._at_the_server():
                if seen is None:
                    try:
                        self._claims.update_one({"_id": key, "token": {"$exists": False}}, claim, upsert=True)
                    except DuplicateKeyError:
                        return None
                    return token
                # Only in place of the very claim that was found free.
                taken = self._claims.update_one({"_id": key, "token": seen["token"]}, claim).matched_count
                return token if taken else None
        except StoreAwayError:
            self._unanswered[key] = token
            raise

    def renew(self, key: str, token: str) -> bool:
        """Show that the owner is alive; False if the claim is no longer its own."""
        with self._at_the_server():
            own = {"_id": key, "token": token}
            return bool(self._claims.update_one(own, [{"$set": {"beat": "$$NOW"}}]).matched_count)

    def release(self, key: str, token: str) -> None:
        """Give up a claim; one that is no longer one's own is left alone."""
        with self._at_the_server():
            self._claims.delete_one({"_id": key, "token": token})

    def owner(self, key: str) -> dict[str, Any] | None:
        """The owner of the claim on a variant, dead or alive; None if there is no claim."""
        with self._at_the_server():
            seen = self._find(key)
        return None if seen is None else seen["owner"]

    @contextmanager
    def _at_the_server(self) -> Iterator[None]:
        """Does what is in the `with` block within bounded time, and notes whether the server is there."""
        try:
            with mongo_errors(self._address), pymongo.timeout(MAX_SECONDS_TO_ANSWER):
                yield
        except StoreAwayError:
            self._is_away = True
            raise
        if self._is_away:
            self._is_away, self._patient_until = False, time.monotonic() + 2 * HEARTBEAT

    def _find(self, key: str) -> dict[str, Any] | None:
        """A claim, with its `age` in milliseconds."""
        age = {"$addFields": {"age": {"$subtract": ["$$NOW", "$beat"]}}}
        return next(self._claims.aggregate([{"$match": {"_id": key}}, age]), None)
