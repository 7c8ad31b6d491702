"""Where runs are stored: the address of a store, and this process's one client of each database.

Both halves use it, the one that writes runs and the one that reads them back. An address may hold a password; whatever
is shown, stored or raised here is free of it.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from rnnlab.errors import StoreAwayError, StoreError

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database

DEFAULT_STORE = "results"
CHECKPOINTS = "_checkpoints"
MAX_WAIT_MS = 3_000  # for a server to answer

_MONGO_SCHEMES = ("mongodb", "mongodb+srv")
_CLIENTS: "dict[tuple[int, str], MongoClient]" = {}
_CLIENTS_LOCK = threading.Lock()


@dataclass(frozen=True)
class Address:
    """A directory, or a MongoDB database. `str` and `repr` show it without user, password and options.

    shown: the address for people
    path:  the directory; of a database, its name under the server's, which is no path to open
    """

    shown: str
    path: Path
    database: str = ""
    url: str = field(default="", repr=False)

    @property
    def is_mongo(self) -> bool:
        """Whether it is a database rather than a directory."""
        return bool(self.database)

    def __str__(self) -> str:
        return self.shown


def parse_address(text: "str | Path | Address | None" = None, folder: Path | None = None) -> Address:
    """The address behind a text: `mongodb://[user:password@]host:port/database[?options]`, or else a directory.

    None stands for the environment's RNNLAB_STORE, or where that is empty for `results`. A relative directory is taken
    from `folder` (default: the current one). Raises StoreError for a database address without a database, with one that
    cannot be, or of another kind of server.
    """
    if isinstance(text, Address):
        return text
    text = str(text or os.environ.get("RNNLAB_STORE") or DEFAULT_STORE)
    scheme, separator, rest = text.partition("://")
    if not separator and not re.match(r"mongodb(\+srv)?:", text):
        path = Path(text).expanduser()
        path = path if folder is None else folder / path
        return Address(str(path), path)
    if scheme not in _MONGO_SCHEMES:
        raise StoreError(f"a store is a directory or mongodb://host:port/database, not {text.partition(':')[0]}:...")
    # The last @ of all: a password with an unescaped / or ? in it must not be shown either.
    credentials, _, place = rest.rpartition("@")
    hosts, _, name = place.partition("?")[0].partition("/")
    shown = f"{scheme}://{hosts}/{name}"
    if re.search(r"[/?@]", credentials):
        raise StoreError(f"store address {shown}: write / ? @ : in the user name or password as %2F %3F %40 %3A")
    if not hosts or not name:
        raise StoreError(f"store address {shown}: names no database; write {scheme}://host:port/database")
    if re.search(r'[/\\. "$*<>:|]', name) or len(name) > 63:
        raise StoreError(f"store address {shown}: {name!r} cannot be a database's name; write host:port/database")
    return Address(shown, Path(name), name, text)


def checkpoint_folder(address: Address | None) -> Path:
    """Where the runs of a store, or of none, have their checkpoints, unless their config says otherwise.

    That is RNNLAB_CHECKPOINTS, or else beside the runs where these are in a directory, or else `results/_checkpoints`.
    """
    beside = Path(DEFAULT_STORE) if address is None or address.is_mongo else address.path
    return Path(os.environ.get("RNNLAB_CHECKPOINTS") or beside / CHECKPOINTS).expanduser()


def mongo_client(address: Address) -> "MongoClient":
    """The one client of this process for a database address; made, and tried, when first asked for.

    A forked process gets a client of its own. Raises StoreError within 5 s if no server answers or it refuses.
    """
    from pymongo import MongoClient

    key = (os.getpid(), address.url)
    with _CLIENTS_LOCK:
        client = _CLIENTS.get(key)
    if client is not None:
        return client
    with mongo_errors(address):
        waits = dict.fromkeys(("serverSelectionTimeoutMS", "connectTimeoutMS"), MAX_WAIT_MS)
        client = MongoClient(address.url, **_shortened(waits, address.url), appname="rnnlab")  # type: ignore[arg-type]
        try:
            # Reading a run, unlike a ping, also needs the permission to.
            client[address.database]["runs"].find_one({}, {"_id": 1})
        except BaseException:
            client.close()
            raise
    with _CLIENTS_LOCK:
        kept = _CLIENTS.setdefault(key, client)
    if kept is not client:
        client.close()
    return kept


def mongo_database(address: Address) -> "Database[dict[str, Any]]":
    """The database of an address; raises StoreError as `mongo_client` does."""
    return mongo_client(address)[address.database]


@contextmanager
def mongo_errors(address: Address) -> Iterator[None]:
    """Turns what pymongo raises inside the `with` block into a StoreError of one line without credentials.

    It is a StoreAwayError where the server did not answer, or not in time.
    """
    from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

    kind = StoreError
    try:
        yield
    except (PyMongoError, ValueError, TypeError) as error:
        problem = _first_words(error, address)
        if isinstance(error, ConnectionFailure) or (isinstance(error, PyMongoError) and error.timeout):
            kind, problem = StoreAwayError, f"no answer from the server: {problem}"
        elif isinstance(error, OperationFailure):
            problem = f"the server refuses: {problem}"
            if error.code == 18:
                problem += " (user and password are looked up in the named database, unless ?authSource=admin follows)"
    else:
        return
    raise kind(f"store {address}: {problem}") from None


def without_credentials(url: str) -> str:
    """A URL, such as a git remote's, without user, password and query. A bare `git@` of SSH stays, being no secret."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    authority, slash, path = rest.partition("?")[0].rpartition("@")[2].partition("/")
    user = "git@" if rest.startswith("git@") and "ssh" in scheme else ""
    return f"{scheme}://{user}{authority}{slash}{path}"


def _shortened(waits: dict[str, int], url: str) -> dict[str, int]:
    """The waits, or the shorter ones that the address asks for."""
    asked = {name.lower(): value[-1] for name, value in parse_qs(url.partition("?")[2]).items()}
    given = {name: asked.get(name.lower(), "") for name in waits}
    return {name: min(wait, int(given[name])) if given[name].isdigit() else wait for name, wait in waits.items()}


def _first_words(error: Exception, address: Address) -> str:
    """What an error says before its technical details, on one line and without the address's credentials."""
    text = re.split(r" \(configured timeouts|, full error:|, Timeout: ", str(error))[0]
    text = " ".join(text.split())[:200] or type(error).__name__
    credentials = address.url.partition("://")[2].rpartition("@")[0]
    for secret in (credentials, *credentials.split(":", 1)[1:]):
        if secret:
            text = text.replace(secret, "***")
    return text
