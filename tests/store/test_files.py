import json
import os
import shutil
import threading
import time

import numpy as np
import pytest

from rnnlab.errors import StoreError
from rnnlab.store import open_store
from rnnlab.store.files import FileStore
from rnnlab.tracking.file_observer import AtomicFileObserver

LONG_AGO = 1_000_000_000


def main(_config, _run):
    print("hello")
    _run.log_scalar("valid.loss", 0.5, 1)
    _run.info["best"] = 1
    _run.add_artifact(__file__, name="code.py")
    return {"loss": 0.5}


@pytest.fixture
def directory(tmp_path, track):
    """A store with the runs 1 and 2."""
    for _ in range(2):
        track(AtomicFileObserver(tmp_path / "results"), main)
    return tmp_path / "results"


def age(path):
    """As if nobody had written there for long."""
    os.utime(path, (LONG_AGO, LONG_AGO))


def spoil(path, content):
    path.write_bytes(content)
    age(path)
    age(path.parent)


def statuses(directory):
    return {record.run_id: record.status for record in FileStore(directory).find()}


def test_a_directory_that_is_not_there_is_an_error_and_an_empty_one_has_no_runs(tmp_path, monkeypatch):
    with pytest.raises(StoreError, match="there is no such directory"):
        open_store(tmp_path / "results")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        open_store(tmp_path / "file")
    (tmp_path / "results").mkdir()
    assert open_store(str(tmp_path / "results")).find() == []
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNNLAB_STORE", raising=False)
    assert open_store().address == "results"


def test_a_directory_that_goes_away_is_an_error(directory):
    store = FileStore(directory)
    shutil.rmtree(directory)
    with pytest.raises(StoreError, match="No such file"):
        store.find()


def test_a_listing_reads_only_what_it_needs(directory):
    for name in ("metrics.json", "info.json", "cout.txt", "code.py"):
        (directory / "1" / name).unlink()
        (directory / "1" / name).mkdir()  # whoever reads it fails
    first, second = FileStore(directory).find()
    assert (first.status, first.result, first.sources == second.sources) == ("COMPLETED", {"loss": 0.5}, True)
    for read in (lambda: first.curves, lambda: first.info, lambda: first.captured_out):
        with pytest.raises(StoreError, match="run 1: Is a directory"):
            read()


def test_foreign_files_and_folders_are_no_runs(directory):
    for name in ("_sources", "_resources", "plots", ".git", "1b"):
        (directory / name).mkdir(exist_ok=True)
    for name in ("README.md", "3", "run.json", "config.json"):
        (directory / name).write_text("hello")
    (directory / "loop").symlink_to(directory / "loop")
    assert statuses(directory) == {"1": "COMPLETED", "2": "COMPLETED"}


def test_a_folder_with_something_elses_run_json_is_shown_as_damaged(directory):
    (directory / "theirs").mkdir()
    spoil(directory / "theirs" / "run.json", b'{"jobs": 3}')
    (directory / "theirs" / "config.json").write_text("{}")
    assert statuses(directory)["theirs"] == "DAMAGED"


def test_a_run_killed_as_it_began_is_shown_as_damaged_and_one_that_begins_now_is_not_yet_there(directory):
    (directory / "3").mkdir()
    assert statuses(directory) == {"1": "COMPLETED", "2": "COMPLETED"}
    with pytest.raises(StoreError, match="only just begun"):
        FileStore(directory).get("3")
    age(directory / "3")
    assert statuses(directory)["3"] == "DAMAGED"
    assert FileStore(directory).get("3").damage == "run.json is missing"


@pytest.mark.parametrize("name", ["run.json", "config.json"])
def test_truncation_at_any_byte_is_shown_as_damage_and_leaves_the_rest_as_usual(directory, name):
    path = directory / "1" / name
    whole = path.read_bytes()
    store = FileStore(directory)
    for length in range(len(whole)):
        spoil(path, whole[:length])
        first, second = store.find()
        assert (first.status, second.status) == ("DAMAGED", "COMPLETED")
        assert first.damage.startswith(f"{name} is damaged: ")
        assert "\n" not in first.damage
    assert store.get("1").status == "DAMAGED"
    assert store.find(where={"seed": 1}) == [store.get("2")]
    spoil(path, whole)
    assert store.get("1").status == "COMPLETED"


@pytest.mark.parametrize("name", ["info.json", "metrics.json"])
def test_truncation_of_what_is_read_later_is_damage_to_get_and_an_error_of_one_line(directory, name):
    path = directory / "1" / name
    whole = path.read_bytes().rstrip()
    for length in range(len(whole)):
        spoil(path, whole[:length])
        record = FileStore(directory).get("1")
        assert record.status == "DAMAGED"
        assert record.damage.startswith(f"run 1: {name} is damaged: ")
        assert record.result == {"loss": 0.5}
        with pytest.raises(StoreError, match=f"run 1: {name} is damaged"):
            _ = record.info, record.curves
    assert statuses(directory) == {"1": "COMPLETED", "2": "COMPLETED"}


def test_flipped_bits_never_break_a_reader(directory):
    rng = np.random.default_rng(0)
    store = FileStore(directory)
    damaged = 0
    for name in ("run.json", "config.json", "info.json", "metrics.json", "cout.txt"):
        path = directory / "1" / name
        whole = path.read_bytes()
        for position in rng.integers(0, len(whole), 150):
            flipped = bytearray(whole)
            flipped[position] ^= 1 << rng.integers(8)
            spoil(path, bytes(flipped))
            record = store.get("1")
            assert len(store.find()) == 2
            assert isinstance(record.captured_out, str)
            damaged += record.status == "DAMAGED"
            assert (record.status == "DAMAGED") is (record.damage is not None)
        spoil(path, whole)
    assert damaged > 100


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"3", b"\xff\xfe\x00", b"[" * 100_000, b"9" * 5000, b'{"a": 1} x', b"\x00" * 100]
)
@pytest.mark.parametrize("name", ["run.json", "config.json", "info.json", "metrics.json"])
def test_whatever_a_file_holds_the_run_is_shown(directory, name, content):
    spoil(directory / "1" / name, content)
    assert len(FileStore(directory).find()) == 2
    assert FileStore(directory).get("1").status == "DAMAGED"


@pytest.mark.parametrize(
    "metrics",
    [
        {"a": {"steps": [1], "values": []}},
        {"a": {"steps": [1]}},
        {"a": [1]},
        {"a": {"steps": [1], "values": [{"py/object": "x"}]}},
        {"a": {"steps": [None], "values": [1]}},
    ],
)
def test_metrics_that_are_no_curves_are_damage(directory, metrics):
    spoil(directory / "1" / "metrics.json", json.dumps(metrics).encode())
    assert "metrics.json is damaged" in FileStore(directory).get("1").damage


def test_a_missing_config_is_damage_and_a_missing_info_or_curve_is_none(directory):
    for name in ("info.json", "metrics.json", "cout.txt"):
        (directory / "1" / name).unlink()
    record = FileStore(directory).get("1")
    assert (record.status, record.info, record.curves, record.captured_out) == ("COMPLETED", {}, {}, "")
    (directory / "1" / "config.json").unlink()
    record = FileStore(directory).get("1")
    assert (record.status, record.damage, record.experiment) == ("DAMAGED", "config.json is missing", "small")


def test_a_file_that_is_being_rewritten_in_place_is_read_once_it_is_whole(directory):
    path = directory / "1" / "run.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    writer = threading.Timer(0.01, path.write_bytes, [whole])
    writer.start()
    assert FileStore(directory).get("1").status == "COMPLETED"
    writer.join()


def test_damaged_runs_do_not_hold_up_a_listing(directory):
    for run_id in range(3, 103):
        shutil.copytree(directory / "1", directory / str(run_id))
        spoil(directory / str(run_id) / "run.json", b"{")
    started = time.perf_counter()
    assert list(statuses(directory).values()).count("DAMAGED") == 100
    whole = time.perf_counter() - started
    assert whole < 100 * 0.02  # the shortest wait for a torn file, for each


@pytest.mark.parametrize("name", ["../2/config.json", "/etc/hostname", "..", "a/../code.py", "code.py\0", "link.txt"])
def test_an_artifacts_name_in_a_record_never_leads_out_of_its_folder(directory, name):
    (directory / "1" / "link.txt").symlink_to("/etc/hostname")
    entry = json.loads((directory / "1" / "run.json").read_text())
    entry["artifacts"] = [name]
    (directory / "1" / "run.json").write_text(json.dumps(entry))
    record = FileStore(directory).get("1")
    with pytest.raises(StoreError, match="is refused"):
        record.artifact(name)


def test_an_artifact_that_was_removed_is_an_error(directory):
    (directory / "1" / "code.py").unlink()
    with pytest.raises(StoreError, match=r"run 1: artifact 'code\.py' is missing"):
        FileStore(directory).get("1").artifact("code.py")


def test_runs_of_plain_sacred_are_read_with_their_nans(tmp_path, track):
    from sacred.observers import FileStorageObserver

    def main(_config, _run):
        _run.log_scalar("valid.loss", float("nan"), 1)
        return float("nan")

    track(FileStorageObserver(tmp_path / "results"), main)
    record = FileStore(tmp_path / "results").get("1")
    assert (record.status, record.result) == ("COMPLETED", None)
    np.testing.assert_array_equal(record.curves["valid.loss"].values, [np.nan])
    FileStore(tmp_path / "results").attach("1", "a.txt", __file__)
    json.loads((tmp_path / "results" / "1" / "run.json").read_text(), parse_constant=pytest.fail)


def test_an_unreadable_run_is_shown_as_damaged(directory):
    if os.geteuid() == 0:  # root may read everything: a folder in place of the file fails as well
        (directory / "1" / "run.json").unlink()
        (directory / "1" / "run.json").mkdir()
    else:
        (directory / "1" / "run.json").chmod(0)
    assert statuses(directory) == {"1": "DAMAGED", "2": "COMPLETED"}
