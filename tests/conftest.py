"""What tests share: what was compiled, a real MongoDB server, databases, and a store with what writes to it."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

# The rest of rnnlab and Sacred are imported by the fixtures that need them: most tests need neither.
from rnnlab.processes import usable_cores
from rnnlab.store_address import mongo_client, parse_address

if TYPE_CHECKING:
    from sacred.run import Run

    from rnnlab.store import Store


def _load_mongod() -> ModuleType:
    """`mongod.py` beside this file, which is in no package."""
    spec = importlib.util.spec_from_file_location("mongod", Path(__file__).with_name("mongod.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["mongod"] = module
    spec.loader.exec_module(module)
    return module


mongod = _load_mongod()


COMPILED = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Let all processes of this session share what was compiled, which has the same bits as compiled anew.

    And let Ctrl-C reach those that tests send it to: a shell starts what is to run in the background deaf to it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        config.stash[COMPILED] = os.environ["RNNLAB_CACHE_DIR"] = tempfile.mkdtemp(prefix="rnnlab-compiled-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was compiled, in the process that made the folder."""
    if COMPILED in config.stash:
        shutil.rmtree(config.stash[COMPILED], ignore_errors=True)


def pytest_xdist_auto_num_workers() -> int:
    """One worker of pytest-xdist more than there are cores: many tests wait for processes or servers."""
    return usable_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests, so that no worker of pytest-xdist is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def unavailable(reason: str) -> None:
    """Skip what cannot be had, or fail where everything must run."""
    if os.environ.get("RNNLAB_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def mongo_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`mongodb://host:port` of a real server: RNNLAB_TEST_MONGO's, or one started for this session.

    The workers of pytest-xdist share one, which ends with the process that started them.
    """
    given = os.environ.get("RNNLAB_TEST_MONGO")
    if given:
        yield given.rstrip("/")
        return
    if "PYTEST_XDIST_WORKER" in os.environ:
        yield _shared_address(tmp_path_factory.getbasetemp().parent)
        return
    server = _started(tmp_path_factory.mktemp("mongod"))
    yield server.address
    server.stop()


def _shared_address(folder: Path) -> str:
    """The address of the server of all workers; the first one to ask starts it."""
    shared = folder / "mongod-address"
    with (folder / "mongod-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            shared.write_text(_started(folder / "mongod", owner=os.getppid()).address)
        return shared.read_text()


def _started(folder: Path, *options: str, owner: int | None = None) -> Any:
    try:
        return mongod.Server(folder, *options, owner=owner)
    except mongod.NoServerError as problem:
        return unavailable(str(problem))


@pytest.fixture
def own_mongod(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts servers that a test may stop, or give options to: `own_mongod("--auth")` has `address` and `pid`."""
    servers = []

    def start(*options: str) -> Any:
        servers.append(_started(tmp_path / f"mongod{len(servers)}", *options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def mongo_database_address(mongo_address: str) -> Iterator[str]:
    """The address of a database that is this test's own, and gone afterwards."""
    address = parse_address(f"{mongo_address}/test_{uuid.uuid4().hex[:12]}")
    yield address.url
    mongo_client(address).drop_database(address.database)


@dataclass(frozen=True)
class TrackedStore:
    """A place for runs: its address, the observer that writes there, and the store that reads there."""

    address: str

    def observer(self) -> Any:
        """A new observer, for one run."""
        from rnnlab.tracking.storage import make_observer

        return make_observer(parse_address(self.address))

    @property
    def store(self) -> Store:
        from rnnlab.store import open_store

        return open_store(self.address)


@pytest.fixture(params=["files", "mongo"])
def tracked_store(request: pytest.FixtureRequest, tmp_path: Path) -> TrackedStore:
    """Each kind of store in turn, empty."""
    if request.param == "mongo":
        return TrackedStore(request.getfixturevalue("mongo_database_address"))
    (tmp_path / "results").mkdir()
    return TrackedStore(str(tmp_path / "results"))


@pytest.fixture
def store_and_observer(tracked_store: TrackedStore) -> tuple[Store, Any]:
    """Each kind of store in turn, empty, and an observer that writes to it."""
    return tracked_store.store, tracked_store.observer()


@pytest.fixture
def track() -> Callable[..., Run]:
    """Runs a small Sacred experiment under an observer: `track(observer, main, config=..., name=...)`.

    main: `main(_config, _run)`; config: merged into a small default. Returns Sacred's run; an exception in main is
    recorded and then dropped.
    """

    from sacred import Experiment

    def run(
        observer: Any,
        main: Callable[..., Any] | None = None,
        config: dict[str, Any] | None = None,
        name: str = "small",
        options: dict[str, Any] | None = None,
    ) -> Run:
        experiment = Experiment(name, save_git_info=False, base_dir=str(Path(__file__).parent))
        experiment.add_config({"seed": 1, "model": {"n_hidden": 20, "cell": "elman"}, **(config or {})})
        experiment.observers.append(observer)
        experiment.main(main or (lambda _config, _run: {"loss": 0.5}))
        try:
            return experiment.run(options={"--loglevel": "CRITICAL", "--capture": "sys", **(options or {})})
        except (Exception, KeyboardInterrupt):  # noqa: BLE001
            return experiment.current_run

    return run
