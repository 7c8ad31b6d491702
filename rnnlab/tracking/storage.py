"""Where a run is recorded: Sacred's storage options, the default store, and the one observer of each run."""

import tempfile
from collections.abc import Sequence
from typing import Any

from sacred import Experiment
from sacred.observers import RunObserver
from sacred.observers.mongo import parse_mongo_db_arg
from sacred.run import Run

from rnnlab.errors import StoreError
from rnnlab.store_address import Address, parse_address, without_credentials
from rnnlab.tracking.file_observer import AtomicFileObserver
from rnnlab.tracking.mongo_observer import RunMongoObserver

FILES, MONGO = "--file_storage", "--mongo_db"
LEFT_TO_SACRED = ("--sql", "--s3", "--tiny_db")
QUIET_COMMANDS = ("print_config", "print_dependencies", "print_named_configs", "save_config")


def take_over_storage(experiment: Experiment, options: dict[str, Any]) -> None:
    """Give the experiment its one observer, as Sacred's command-line options, RNNLAB_STORE or the default say.

    `-F DIR` and `-m ADDRESS` are taken out of the options, because Sacred stores these in the record and an address
    may hold a password. Raises StoreError for two stores at once, or a database that cannot be reached.
    """
    experiment.observers = [
        observer for observer in experiment.observers if not isinstance(observer, AtomicFileObserver | RunMongoObserver)
    ]
    files, mongo = options.get(FILES), options.get(MONGO)
    options[FILES] = options[MONGO] = None
    others = [name for name in LEFT_TO_SACRED if options.get(name)]
    named = [name for name, value in ((FILES, files), (MONGO, mongo)) if value] + others
    if len(named) > 1 or (named and experiment.observers):
        raise StoreError(
            f"a run has one store, but {' and '.join(named + ['the script'] * bool(experiment.observers))} "
            "each name one; record it in one and copy it to the other"
        )
    for name in others:
        if without_credentials(str(options[name])) != str(options[name]):
            raise StoreError(f"{name} names a user or a password, which Sacred would write into every record")
    if experiment.observers or others or options.get("--unobserved") or options.get("COMMAND") in QUIET_COMMANDS:
        return
    address = _mongo_address(mongo) if mongo else parse_address(files)
    experiment.observers.append(make_observer(address))


def make_observer(address: Address) -> AtomicFileObserver | RunMongoObserver:
    """The observer that records runs at a store address.

    Raises StoreError if the database cannot be reached, or if the directory cannot be made or written.
    """
    if address.is_mongo:
        return RunMongoObserver(address)
    try:
        address.path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=address.path):
            pass
    except OSError as error:
        raise StoreError(f"store {address}: cannot be written: {error.strerror}") from None
    return AtomicFileObserver(address.path)


def _mongo_address(option: str) -> Address:
    """The address behind `-m`: a URL, or Sacred's own form `[host:port:]database`."""
    if option.startswith(("mongodb://", "mongodb+srv://")):
        return parse_address(option)
    try:
        parts = parse_mongo_db_arg(option)
    except AttributeError:
        parts = {}
    if not parts or set(parts) - {"url", "db_name"}:
        raise StoreError("-m takes mongodb://host:port/database, or host:port:database")
    return parse_address(f"mongodb://{parts.get('url', 'localhost:27017')}/{parts.get('db_name', 'sacred')}")


def recorded_at(run: Run) -> tuple[Address, str] | None:
    """The store that holds a Sacred run as a whole, if it is one of rnnlab's, and the run's id there.

    While a database is away this is the local directory in which the run is kept.
    """
    for observer in run.observers:
        if isinstance(observer, RunMongoObserver) and observer.kept_in is not None:
            return parse_address(observer.kept_in.parent), observer.kept_in.name
    address = store_of(run.observers)
    return None if address is None else (address, str(run._id))


def store_of(observers: Sequence[RunObserver]) -> Address | None:
    """The store that the first of rnnlab's observers among these writes to."""
    for observer in observers:
        if isinstance(observer, RunMongoObserver):
            return observer.address
        if isinstance(observer, AtomicFileObserver):
            return parse_address(observer.directory)
    return None
