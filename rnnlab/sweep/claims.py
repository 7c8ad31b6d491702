"""Claims: which variant is being run, by whom, so that sweeps that share a store share the work.

A claim is taken atomically and kept alive by a heartbeat. It dies with its owner: `LEASE` seconds after the last
heartbeat by the store's own clock, or at once where the owner's process can be seen to be gone. While a store is away
nobody can take a claim in it, so that a claim outlives any absence, unless somebody takes it before its owner is back.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rnnlab.errors import StoreError
from rnnlab.store_address import Address

LEASE = 30.0  # seconds
HEARTBEAT = 5.0  # seconds


class Claims(ABC):
    """The claims in one store. All methods raise StoreError if the store cannot be reached or written."""

    @abstractmethod
    def take(self, key: str, owner: dict[str, Any]) -> str | None:
        """Claim a variant for a live owner, `this_process()` and more; the claim's token, or None if it is claimed."""

    @abstractmethod
    def renew(self, key: str, token: str) -> bool:
        """Show that the owner is alive; False if the claim is no longer its own."""

    @abstractmethod
    def release(self, key: str, token: str) -> None:
        """Give up a claim; one that is no longer one's own is left alone."""

    @abstractmethod
    def owner(self, key: str) -> dict[str, Any] | None:
        """The owner of the claim on a variant, dead or alive; None if there is no claim."""


def open_claims(address: Address) -> Claims:
    """The claims that belong to the store at an address."""
    if address.is_mongo:
        from rnnlab.sweep.mongo_claims import MongoClaims

        return MongoClaims(address)
    from rnnlab.sweep.file_claims import FileClaims

    return FileClaims(address.path)


@contextmanager
def kept(claims: Claims, key: str, token: str) -> Iterator[Callable[[], bool]]:
    """Keep a claim alive inside the `with` block, and release it at the end.

    Gives a function that says whether the claim was lost: somebody took this process for dead, and runs the variant. A
    store that is away is no loss, however long: when it is back, the claim is renewed, if nobody has it.
    """
    ended, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            with suppress(StoreError):  # a store that is away
                if not claims.renew(key, token):
                    lost.set()
                    return

    thread = threading.Thread(target=beat, name=f"claim {key}", daemon=True)
    thread.start()
    try:
        yield lost.is_set
    finally:
        ended.set()
        thread.join()
        with suppress(StoreError):  # without heartbeats it dies by itself
            claims.release(key, token)
