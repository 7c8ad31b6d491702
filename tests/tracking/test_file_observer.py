import hashlib
import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sacred.observers import FileStorageObserver

from rnnlab.errors import StoreError
from rnnlab.store import open_store
from rnnlab.tracking.file_observer import AtomicFileObserver

PROCESSES = str(Path(__file__).with_name("run_processes.py"))
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1)


def run_processes(tmp_path, *arguments):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-W", "ignore", PROCESSES, *arguments], env=environment, check=True, timeout=120)


def started(observer, sources=(), base_dir="", **info):
    experiment = {"name": "x", "sources": list(sources), "base_dir": str(base_dir), **info}
    observer.started_event(experiment, "main", {}, datetime(2026, 1, 1), {"seed": 1}, {}, None)
    return Path(observer.dir)


def strict_json(path):
    return json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} in {path}"))


def log(observer, *values, name="loss", first=0):
    steps = list(range(first, first + len(values)))
    point = {"steps": steps, "values": list(values), "timestamps": [datetime(2026, 1, 1)] * len(values), "name": name}
    observer.log_metrics({name: point}, {})


def whole_run(tmp_path):
    (tmp_path / "data.csv").write_text("1,2\n")

    def main(_config, _run):
        print("hello")
        _run.add_resource(str(tmp_path / "data.csv"))
        for step in range(3):
            _run.log_scalar('valid "loss"', 0.5, step)
        _run.info["best"] = {"epoch": 3}
        _run.add_artifact(__file__, name="code.py")
        return {"loss": 0.5}

    return main


def test_the_files_are_those_that_sacreds_own_observer_writes(tmp_path, track):
    def written(directory):
        folder = directory / "1"
        contents = {path.name: strict_json(path) for path in folder.glob("*.json")}
        for time_of in ("start_time", "stop_time", "heartbeat"):
            datetime.fromisoformat(contents["run.json"].pop(time_of))
        contents["run.json"]["meta"].pop("uid", None)
        for curve in contents["metrics.json"].values():
            assert all(datetime.fromisoformat(stamp) for stamp in curve.pop("timestamps"))
        ((name, kept),) = contents["run.json"].pop("resources")
        others = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".json"}
        shared = sorted(str(path.relative_to(directory)) for path in directory.glob("_*/*"))
        return contents, others, shared, name, Path(kept).relative_to(directory)

    track(FileStorageObserver(tmp_path / "sacred"), whole_run(tmp_path))
    track(AtomicFileObserver(tmp_path / "rnnlab"), whole_run(tmp_path))
    assert written(tmp_path / "rnnlab") == written(tmp_path / "sacred")


def test_files_are_indented_and_sorted_for_readers_whatever_is_in_them(tmp_path):
    observer = AtomicFileObserver(tmp_path)
    run = started(observer)
    observer.heartbeat_event({"b": ["line\nbreak", {"y": {}, "x": []}], "a": {"é\t": 1.5}, "c": None}, "", NOW, None)
    for name in ("info.json", "run.json", "config.json"):
        text = (run / name).read_text()
        assert text == json.dumps(json.loads(text), indent=2, sort_keys=True)


def test_every_run_has_a_uid_of_its_own(tracked_store, track):
    for _ in range(2):
        track(tracked_store.observer())
    one, other = (record.meta["uid"] for record in tracked_store.store.find())
    assert len(one) == len(other) == 32
    assert one != other


def test_no_file_holds_a_bare_nan(tmp_path, track):
    def main(_config, _run):
        for step, value in enumerate([float("nan"), float("inf"), np.float32("nan"), 1.0]):
            _run.log_scalar("loss", value, step)
        _run.info["losses"] = [float("nan"), {"a": np.array([1, np.inf])}]
        return {"loss": float("nan"), "best": np.float64("-inf"), "n": np.int64(3)}

    track(AtomicFileObserver(tmp_path), main, {"rate": float("inf")})
    contents = {path.name: strict_json(path) for path in (tmp_path / "1").glob("*.json")}
    assert contents["metrics.json"]["loss"]["values"] == [None, None, None, 1.0]
    assert contents["info.json"] == {"losses": [None, {"a": [1.0, None]}]}
    assert contents["run.json"]["result"] == {"loss": None, "best": None, "n": 3}
    assert contents["config.json"]["rate"] is None


def test_runs_that_start_at_the_same_instant_have_ids_of_their_own(tracked_store, tmp_path):
    run_processes(tmp_path, "together", tracked_store.address, "20", "1")
    records = tracked_store.store.find()
    assert [record.run_id for record in records] == [str(n) for n in range(1, 21)]
    assert {record.status for record in records} == {"COMPLETED"}
    assert len({record.result["pid"] for record in records}) == 20
    for record in records:
        assert record.curves["pid"].values == record.result["pid"] == record.config["seed"]


def test_a_kill_at_any_moment_leaves_every_file_whole_and_what_was_logged_before_the_last_heartbeat(tmp_path):
    delays = np.random.default_rng(0).uniform(0.0, 0.4, size=10)
    run_processes(tmp_path, "killed", str(tmp_path / "results"), *map(str, delays))
    beats = 0
    for path in tmp_path.glob("results/*/*.json"):
        strict_json(path)
    time.sleep(0.01)
    for record in open_store(tmp_path / "results").find():
        assert record.status == "LOST"
        for curve in record.curves.values():
            np.testing.assert_array_equal(curve.steps, np.arange(len(curve.steps)))
            np.testing.assert_array_equal(curve.values, curve.steps)
            beats += 1
        if "weights.npz" in record.artifacts:
            assert len(set(record.weights()["W"])) == 1
    assert beats >= 10


def test_metrics_are_added_to_what_was_written_before_without_reading_it_again(tmp_path):
    observer = AtomicFileObserver(tmp_path)
    folder = started(observer)
    log(observer, 1.0, 2.0)
    (folder / "metrics.json").write_text("gone")
    log(observer, 3.0, first=2)
    log(observer, 4.0, name="other")
    curves = strict_json(folder / "metrics.json")
    assert curves["loss"]["values"] == [1.0, 2.0, 3.0]
    assert curves["loss"]["steps"] == [0, 1, 2]
    assert len(curves["loss"]["timestamps"]) == 3
    assert curves["other"]["values"] == [4.0]


def test_a_heartbeat_without_news_writes_no_more_than_the_time(tmp_path):
    observer = AtomicFileObserver(tmp_path)
    folder = started(observer)
    log(observer, 1.0)
    observer.heartbeat_event({"a": 1}, "out", datetime(2026, 1, 1), None)
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    observer.log_metrics({}, {})
    observer.heartbeat_event({"a": 1}, "out", datetime(2026, 1, 2), None)
    after = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert [name for name in before if before[name] != after[name]] == ["run.json"]
    assert (folder / "cout.txt").read_text() == "out"


def test_a_second_run_of_one_observer_begins_anew(tmp_path, track):
    observer = AtomicFileObserver(tmp_path)
    for _ in range(2):
        track(observer, lambda _config, _run: _run.log_scalar("loss", 1.0, 1))
    assert [len(record.curves["loss"].steps) for record in open_store(tmp_path).find()] == [1, 1]


def test_info_may_grow_while_a_heartbeat_stores_it(tmp_path, track):
    def main(_config, _run):
        for step in range(20_000):
            _run.info[str(step)] = (step, np.float32(step))
        assert not _run._failed_observers

    track(AtomicFileObserver(tmp_path), main, options={"--beat-interval": 0.001})
    assert open_store(tmp_path).get("1").status == "COMPLETED"
    assert len(open_store(tmp_path).get("1").info) == 20_000


def test_sources_are_stored_once_under_their_md5(tmp_path):
    (tmp_path / "fit.py").write_text("x = 1\n")
    md5 = hashlib.md5(b"x = 1\n").hexdigest()
    for _ in range(2):
        folder = started(AtomicFileObserver(tmp_path / "results"), [("fit.py", md5)], tmp_path)
        assert strict_json(folder / "run.json")["experiment"]["sources"] == [["fit.py", f"_sources/fit_{md5}.py"]]
    assert os.listdir(tmp_path / "results" / "_sources") == [f"fit_{md5}.py"]
    assert (tmp_path / "results" / "_sources" / f"fit_{md5}.py").read_text() == "x = 1\n"


def test_a_source_that_was_edited_since_is_not_stored_as_what_ran(tracked_store, tmp_path, capsys):
    (tmp_path / "fit.py").write_text("x = 2\n")
    ran = hashlib.md5(b"x = 1\n").hexdigest()
    experiment = {"name": "x", "sources": [("fit.py", ran)], "base_dir": str(tmp_path)}
    tracked_store.observer().started_event(experiment, "main", {}, datetime(2026, 1, 1), {}, {}, None)
    assert "fit.py was edited after the run's start" in capsys.readouterr().err
    assert tracked_store.store.get("1").sources == {"fit.py": ran}
    assert not any(path.read_text() == "x = 2\n" for path in tmp_path.glob("results/_sources/*"))


def test_credentials_of_a_remote_repository_are_not_stored(tracked_store):
    repositories = [{"url": "https://ada:s3cret@github.com/lab/x.git", "commit": "c", "dirty": False}]
    experiment = {"name": "x", "sources": [], "base_dir": "", "repositories": repositories}
    tracked_store.observer().started_event(experiment, "main", {}, datetime(2026, 1, 1), {}, {}, None)
    (stored,) = tracked_store.store.get("1").repositories
    assert stored == {"url": "https://github.com/lab/x.git", "commit": "c", "dirty": False}
    assert "s3cret" in repositories[0]["url"]


def test_a_directory_that_cannot_be_written_is_an_error_of_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Not a directory") as error:
        started(AtomicFileObserver(tmp_path / "file" / "results"))
    assert "\n" not in str(error.value)


def test_nothing_but_the_records_is_left_in_a_store(tmp_path, track):
    track(AtomicFileObserver(tmp_path / "results"), whole_run(tmp_path))
    names = {"run.json", "config.json", "info.json", "metrics.json", "cout.txt", "code.py"}
    assert set(os.listdir(tmp_path / "results" / "1")) == names
    assert set(os.listdir(tmp_path / "results")) == {"1", "_sources", "_resources"}
