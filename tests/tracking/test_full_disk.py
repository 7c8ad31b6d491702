"""A file system with no space left: the run says so, goes on to its end, and is stored when there is space again."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnnlab.store import open_store
from rnnlab.tracking.file_observer import AtomicFileObserver

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "dot_product.py"


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own, of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        reason = f"no file system can be mounted: {mounted.stderr.decode().strip()}"
        (pytest.fail if os.environ.get("RNNLAB_REQUIRE_ALL") == "1" else pytest.skip)(reason)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    """Leave no more than a page free, so that some files are begun and none gets whole; return the file that does."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break
    os.truncate(filler, filler.stat().st_size - 4096)
    return filler


@pytest.fixture
def warnings(monkeypatch):
    """What is told to the user."""
    said = []
    monkeypatch.setattr(logging.getLogger("rnnlab"), "warning", lambda text, *values: said.append(text % values))
    return said


def log_in_two_parts(folder, between):
    """A `main` that logs, calls `between`, and logs again, with heartbeats all the while; the disk gets full first."""

    def main(_config, _run):
        for step in range(1000):
            _run.log_scalar("loss", float(step), step)
            if step == 300:
                filler = fill(folder)
                print("x" * 10_000)
            if step == 700:
                between(filler)
            time.sleep(0.0005)
        weights = folder.parent / "weights.npz"
        np.savez(weights, W=np.arange(1000))
        _run.add_artifact(str(weights))
        return {"loss": 0.5}

    return main


def test_when_there_is_space_again_everything_is_stored(small_disk, track, warnings):
    observer = AtomicFileObserver(small_disk / "results")
    main = log_in_two_parts(small_disk, between=lambda filler: filler.unlink())
    run = track(observer, main, options={"--beat-interval": 0.01})
    assert run._failed_observers == []
    record = open_store(small_disk / "results").get("1")
    assert record.status == "COMPLETED"
    np.testing.assert_array_equal(record.curves["loss"].values, np.arange(1000))
    np.testing.assert_array_equal(record.weights()["W"], np.arange(1000))
    assert record.captured_out == "x" * 10_000 + "\n"
    first, last = warnings
    assert "cannot be stored: No space left on device" in first
    assert "stored again" in last


def test_without_space_to_the_end_the_run_completes_and_its_record_does_not_say_so(small_disk, track, warnings):
    observer = AtomicFileObserver(small_disk / "results")
    main = log_in_two_parts(small_disk, between=lambda filler: None)
    run = track(observer, main, options={"--beat-interval": 0.01})
    assert run.result == {"loss": 0.5}
    assert run._failed_observers == [observer]
    record = open_store(small_disk / "results").get("1")
    assert record.status in ("RUNNING", "LOST")
    steps = record.curves["loss"].steps  # what was logged before is whole
    np.testing.assert_array_equal(steps, np.arange(len(steps)))
    assert len(steps) > 100


@pytest.mark.slow
def test_a_script_on_a_full_disk_ends_with_its_result_clear_words_and_an_exit_code(small_disk):
    tiny = ["data.n_train=40", "data.n_valid=20", "data.n_test=20", "task.n_steps=5", "model.n_hidden=4"]
    long = ["training.max_epochs=150", "early_stopping.rule=none", "checkpoint.every_seconds=0"]
    store = small_disk / "results"
    command = [sys.executable, str(SCRIPT), "-F", str(store), "--beat-interval", "0.1", "with", *tiny, *long]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(store.glob("_checkpoints/*.npz")) and process.poll() is None:
        time.sleep(0.01)
    fill(small_disk)
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "cannot be stored: No space left on device" in errors
    assert "no checkpoint can be written: No space left on device" in errors
    assert "error: the record of this run is incomplete" in errors
    assert "test loss" in said
