"""A kill costs nothing: runs that are killed, interrupted or stopped go on, and end as if nothing had happened."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnnlab.store import open_store
from rnnlab.tracking.conduct import Conduct, conducted

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "experiments" / "dot_product.py"
PROCESSES = Path(__file__).with_name("training_processes.py")
TINY = ["data.n_train=40", "data.n_valid=20", "data.n_test=20", "task.n_steps=5", "model.n_hidden=4"]


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build():
    return load("dot_product_script", SCRIPT).build()


def train(store):
    """The run of training_processes.py, in this process."""
    load("training_processes", PROCESSES).train(store)


def train_in_processes(store, *delays):
    program = [sys.executable, str(PROCESSES), str(store), *map(str, delays)]
    done = subprocess.run(program, capture_output=True, text=True, cwd=store.parent)
    assert done.returncode == 0, done.stderr
    return done


def assert_same_weights_and_updates(one, other):
    for arrays, others in ((one.weights(), other.weights()), (one.updates(), other.updates())):
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            assert array.tobytes() == others[name].tobytes(), name


def assert_same_curves(one, other):
    assert one.curves.keys() == other.curves.keys()
    for name in one.curves.keys() - {"seconds"}:
        np.testing.assert_array_equal(one.curves[name].steps, other.curves[name].steps)
        np.testing.assert_array_equal(one.curves[name].values, other.curves[name].values)


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_bits_of_an_undisturbed_one(tmp_path):
    train(str(tmp_path / "undisturbed"))
    delays = np.random.default_rng(1).uniform(0.0, 0.2, size=3)
    train_in_processes(tmp_path / "killed", *delays)

    (whole,) = open_store(tmp_path / "undisturbed").find()
    *dead, last = open_store(tmp_path / "killed").find()
    assert len(dead) == 3
    assert last.status == whole.status == "COMPLETED"
    assert last.result == whole.result
    assert last.info["early_stopping"] == whole.info["early_stopping"]
    assert_same_curves(last, whole)
    assert_same_weights_and_updates(last, whole)

    # Each went on from the one before it, and from further on.
    origins = [record.info["resumed_from"] for record in (*dead[1:], last) if "resumed_from" in record.info]
    assert [origin["run_id"] for origin in origins][-1] == dead[-1].run_id
    updates = [origin["update"] for origin in origins]
    assert updates == sorted(updates)
    assert 0 < updates[0] < updates[-1] < whole.result["n_updates"]

    for path in (tmp_path / "killed").glob("*/*.json"):
        json.loads(path.read_bytes())
    assert list((tmp_path / "killed" / "_checkpoints").iterdir()) == []


@pytest.mark.slow
def test_variants_of_a_sweep_whose_worker_is_killed_end_with_the_bits_of_undisturbed_ones(tmp_path):
    config = [*TINY, "training.max_epochs=150", "training.log_updates=True", "early_stopping.rule=none"]
    for seed in range(2):
        build().run_commandline(["x", "-F", str(tmp_path / "undisturbed"), "with", *config, f"seed={seed}"])

    settings = [option for each in [*config, "checkpoint.every_seconds=0"] for option in ("--set", each)]
    command = [sys.executable, "-m", "rnnlab", "sweep", str(SCRIPT), "--store", str(tmp_path / "killed")]
    sweep = subprocess.Popen(
        [*command, "--workers", "1", "--seeds", "2", *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    while not list(tmp_path.glob("killed/_checkpoints/*.previous.npz")) and sweep.poll() is None:
        time.sleep(0.01)
    for record in open_store(tmp_path / "killed").find(status="RUNNING"):
        os.kill(record.host["process"]["pid"], signal.SIGKILL)
    said, _ = sweep.communicate(timeout=300)
    assert sweep.returncode == 0, said

    undisturbed = {record.config["seed"]: record for record in open_store(tmp_path / "undisturbed").find()}
    completed = open_store(tmp_path / "killed").find(status="COMPLETED")
    assert sorted(record.config["seed"] for record in completed) == [0, 1]
    assert any("resumed_from" in record.info for record in completed)
    for record in completed:
        assert_same_curves(record, undisturbed[record.config["seed"]])
        assert_same_weights_and_updates(record, undisturbed[record.config["seed"]])


@pytest.mark.slow
def test_sigterm_ends_a_run_as_interrupted_and_the_flag_goes_on_from_there(tmp_path, capfd):
    # So many epochs that it cannot come to its end before the signal comes.
    config = ["with", *TINY, "training.max_epochs=9000", "early_stopping.rule=none", "checkpoint.every_seconds=0"]
    command = [sys.executable, str(SCRIPT), "-F", str(tmp_path), *config]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("_checkpoints/*.npz")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, errors
    assert "Traceback" not in errors
    stopped = open_store(tmp_path).get("1")
    assert stopped.status == "INTERRUPTED"
    assert stopped.info["early_stopping"]["reason"] == "interrupted"
    n_updates, n_epochs = stopped.result["n_updates"], stopped.result["n_epochs"]
    assert stopped.curves["valid.loss"].steps[-1] == n_updates

    stop_at_once = Conduct(by_hand=True, stop_requested=lambda: True)
    with conducted(stop_at_once), pytest.raises(KeyboardInterrupt):
        build().run_commandline(["dot_product.py", "--resume", "-F", str(tmp_path), *config])
    assert f"going on from run 1 at update {n_updates:,}" in capfd.readouterr().err
    resumed = open_store(tmp_path).get("2")
    assert resumed.info["resumed_from"] == {"run_id": "1", "update": n_updates}
    np.testing.assert_array_equal(resumed.curves["epoch"].values, np.arange(n_epochs + 2))


def run(store, *arguments, stop=False, by_hand=True):
    """Run the script in this process; `stop`: it is asked to stop at once."""
    command = ["dot_product.py", *arguments, "-F", str(store), "with", *TINY, "training.max_epochs=4"]
    experiment = build()
    try:
        with conducted(Conduct(by_hand=by_hand, stop_requested=lambda: stop)):
            return experiment.run_commandline(command)
    except KeyboardInterrupt:
        return experiment.current_run


def checkpoint_file(store):
    (path,) = (store / "_checkpoints").glob("*[!s].npz")
    return path


def test_a_stopped_run_keeps_a_checkpoint_and_a_completed_one_none(tmp_path):
    run(tmp_path, stop=True)
    assert checkpoint_file(tmp_path).exists()
    run(tmp_path, "--resume")
    assert list((tmp_path / "_checkpoints").iterdir()) == []
    first, second = open_store(tmp_path).find()
    assert (first.status, second.status) == ("INTERRUPTED", "COMPLETED")
    assert second.info["resumed_from"] == {"run_id": "1", "update": 2}


def test_what_a_resumed_run_went_through_before_is_not_shown_as_its_progress(tmp_path):
    stopped = run(tmp_path, stop=True)
    shown = []
    progress = Conduct(by_hand=True, progress=lambda config: lambda step, metrics: shown.append(step))
    with conducted(progress):
        build().run_commandline(
            ["dot_product.py", "--resume", "-F", str(tmp_path), "with", *TINY, "training.max_epochs=4"]
        )
    steps = list(open_store(tmp_path).get("2").curves["valid.loss"].steps)
    assert steps[0] == 0
    assert shown == [step for step in steps if step >= stopped.result["n_updates"]]


def test_without_the_flag_a_run_starts_at_the_beginning_and_says_that_it_need_not(tmp_path, capfd):
    run(tmp_path, stop=True)
    run(tmp_path)
    assert "--resume goes on from the checkpoint" in capfd.readouterr().err
    assert "resumed_from" not in open_store(tmp_path).get("2").info


def test_the_flag_without_a_checkpoint_starts_at_the_beginning_and_says_so(tmp_path, capfd):
    run(tmp_path, "--resume")
    assert "no checkpoint" in capfd.readouterr().err
    assert open_store(tmp_path).get("1").status == "COMPLETED"


def test_how_often_checkpoints_are_made_does_not_matter_for_which_belong_to_a_run(tmp_path):
    run(tmp_path, stop=True)
    command = ["dot_product.py", "--resume", "-F", str(tmp_path), "with", *TINY, "training.max_epochs=4"]
    build().run_commandline([*command, "checkpoint.every_seconds=5"])
    assert open_store(tmp_path).get("2").info["resumed_from"]["run_id"] == "1"


def test_a_damaged_checkpoint_is_refused_in_one_line_before_anything_is_recorded(tmp_path):
    run(tmp_path, stop=True)
    path = checkpoint_file(tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, "--resume")
    assert ended.value.code.startswith(f"error: checkpoint {path}: is damaged")
    assert ended.value.code.endswith("leave out --resume")
    assert "\n" not in ended.value.code
    assert len(open_store(tmp_path).find()) == 1


def test_a_sweep_starts_such_a_run_at_the_beginning(tmp_path):
    run(tmp_path, stop=True)
    path = checkpoint_file(tmp_path)
    path.write_bytes(b"rubbish")
    with conducted(Conduct(resume=True)):
        build().run_commandline(["dot_product.py", "-F", str(tmp_path), "with", *TINY, "training.max_epochs=4"])
    record = open_store(tmp_path).get("2")
    assert record.status == "COMPLETED"
    assert "resumed_from" not in record.info
    assert not path.exists()


def test_checkpoints_lie_where_the_config_or_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLAB_CHECKPOINTS", str(tmp_path / "from_environment"))
    run(tmp_path / "runs", stop=True)
    assert len(os.listdir(tmp_path / "from_environment")) == 1
    command = ["dot_product.py", "-F", str(tmp_path / "runs"), "with", *TINY, "training.max_epochs=4"]
    with conducted(Conduct(stop_requested=lambda: True)), pytest.raises(KeyboardInterrupt):
        build().run_commandline([*command, f"checkpoint.directory={tmp_path / 'from_config'}"])
    assert len(os.listdir(tmp_path / "from_config")) == 1
    assert not (tmp_path / "runs" / "_checkpoints").exists()


def test_a_run_in_a_database_is_resumed_from_a_checkpoint_in_a_folder(tmp_path, monkeypatch, mongo_database_address):
    monkeypatch.chdir(tmp_path)
    command = ["dot_product.py", "-m", mongo_database_address, "with", *TINY, "training.max_epochs=4"]
    with conducted(Conduct(stop_requested=lambda: True)), pytest.raises(KeyboardInterrupt):
        build().run_commandline(command)
    assert len(list((tmp_path / "results" / "_checkpoints").iterdir())) == 1
    build().run_commandline([*command, "--resume"])
    assert open_store(mongo_database_address).get("2").info["resumed_from"] == {"run_id": "1", "update": 2}
