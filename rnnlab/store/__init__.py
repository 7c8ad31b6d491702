"""The reading half: runs read back from where Sacred stored them."""

from pathlib import Path

from rnnlab.store.files import FileStore
from rnnlab.store.interface import Store
from rnnlab.store.record import Curve, RunRecord
from rnnlab.store_address import Address, parse_address

__all__ = ["Curve", "FileStore", "RunRecord", "Store", "open_store"]


def open_store(address: str | Path | Address | None = None) -> Store:
    """The store at an address: a directory, or `mongodb://host:port/database`.

    The default is the environment's RNNLAB_STORE, or else `results`. Raises StoreError if there is no such directory,
    or if the server does not answer.
    """
    parsed = parse_address(address)
    if parsed.is_mongo:
        from rnnlab.store.mongo import MongoStore  # only those with a database wait for pymongo's import

        return MongoStore(parsed)
    return FileStore(parsed.path)
