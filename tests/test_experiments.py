"""The experiment scripts as a user runs them: what they record, and what they say to bad input."""

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
from sacred import Experiment

from rnnlab import script
from rnnlab.store import open_store
from rnnlab.tracking.conduct import Conduct, conducted
from rnnlab.tracking.file_observer import AtomicFileObserver

ROOT = Path(__file__).resolve().parents[1]
TINY = [
    "data.n_train=40",
    "data.n_valid=20",
    "data.n_test=20",
    "task.n_steps=5",
    "model.n_hidden=4",
    "training.max_epochs=3",
]


def build(name, script=None):
    """A fresh experiment from the script of that name, or from another place."""
    spec = importlib.util.spec_from_file_location(f"experiment_{name}", script or ROOT / "experiments" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build()


def run_script(name, *arguments, env=None, check=True):
    """Run a script in a process of its own, in the folder that `arguments` name nothing of."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "experiments" / f"{name}.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        cwd=ROOT,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def error_line(name, *arguments):
    """What a script started by hand says to bad input, which must be one line."""
    with conducted(Conduct(by_hand=True)), pytest.raises(SystemExit) as ended:
        build(name).run_commandline([f"{name}.py", *map(str, arguments)])
    message = ended.value.code
    assert isinstance(message, str)
    assert message.startswith("error: ")
    assert "\n" not in message
    return message


@pytest.mark.slow
def test_dot_product_beats_predicting_the_mean_tenfold_and_records_everything(tmp_path):
    done = run_script("dot_product", "-F", tmp_path)
    (record,) = open_store(tmp_path).find()
    assert record.status == "COMPLETED"
    assert record.result["stop_reason"] == "patience"
    assert record.result["test_mse_mean_predictor"] > 10 * record.result["test_mse"]
    assert "times less than predicting the mean" in " ".join(done.stdout.split())
    assert f"picture: {tmp_path}/1/learning_curve.png" in done.stdout
    assert {"weights.npz", "learning_curve.png"} <= set(record.artifacts)
    assert {"experiments/dot_product.py", "rnnlab/run.py", "rnnlab/tasks/dot_product.py"} <= set(record.sources)
    assert {"pytensor", "jax", "numpy", "sacred"} <= set(record.packages)
    assert record.config["seed"] == 0
    story = record.info["early_stopping"]
    assert story["best_epoch"] == record.result["best_epoch"] == story["improvements"][-1]["epoch"]
    curves = record.curves
    assert {"train.loss", "valid.loss", "train.grad_norm", "learning_rate", "epoch", "examples", "seconds"} <= set(
        curves
    )
    assert np.nanmin(curves["valid.loss"].values) == record.result["valid_loss"]


@pytest.mark.slow
def test_noisy_series_keeps_the_best_epoch_and_gets_well_under_the_noise(tmp_path):
    run_script("noisy_series", "-F", tmp_path, "with", "early_stopping.patience=4")  # 10 takes twice as long
    (record,) = open_store(tmp_path).find()
    assert record.result["stop_reason"] == "patience"
    assert record.result["best_epoch"] < record.result["n_epochs"]
    assert record.result["test_mse_noise_free"] < 0.5 * record.result["noise_floor"]


def test_sea_surface_beats_every_naive_predictor_but_ridge_and_keeps_its_data(tmp_path):
    few = ["training.max_epochs=20", "model.n_hidden=10"]
    run = build("sea_surface").run_commandline(["sea_surface.py", "-F", str(tmp_path), "with", *few])
    assert run.status == "COMPLETED"
    (record,) = open_store(tmp_path).find()
    result, naive = record.result, ("mean", "persistence", "seasonal_persistence")
    assert all(result["test_mse"] < 0.7 * result[f"test_mse_{name}_predictor"] for name in naive)
    assert [Path(path).name for path in record.resources] == ["pacific_sea_surface_temperature.csv"]


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "experiments").glob("*.py")))
def test_every_experiment_runs_tiny_with_each_of_its_named_configs(name, tmp_path):
    # long enough for the tasks that need 10 steps, and batches that fit
    tiny = ["data.n_train=8", "data.n_valid=4", "data.n_test=4", "training.max_epochs=1", "training.batch_size=4"]
    for named in [[], *([config] for config in build(name).named_configs)]:
        run = build(name).run_commandline([f"{name}.py", "-u", "with", *named, *tiny])
        assert run.status == "COMPLETED"
        assert run.result["n_epochs"] == 1


def test_the_git_commit_and_what_is_not_committed_are_recorded(tmp_path):
    project = tmp_path / "project"
    (project / "experiments").mkdir(parents=True)
    script = project / "experiments" / "dot_product.py"
    script.write_text((ROOT / "experiments" / "dot_product.py").read_text())
    git = ["git", "-C", str(project), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", "https://someone:xq7-token@host/rnn.git"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    script.write_text(script.read_text() + "# changed\n")
    build("dot_product", script).run_commandline(["dot_product.py", "-F", str(tmp_path / "runs"), "with", *TINY])
    (record,) = open_store(tmp_path / "runs").find()
    (repository,) = record.repositories
    assert repository == {"url": "https://host/rnn.git", "commit": commit, "dirty": True}
    assert b"+# changed" in record.artifact("uncommitted.patch")
    assert not [path for path in (tmp_path / "runs").rglob("*") if path.is_file() and b"xq7-token" in path.read_bytes()]


def test_rnnlab_store_names_the_store_and_no_warning_is_printed_but_of_a_batch_larger_than_the_data(tmp_path):
    done = run_script("dot_product", "with", *TINY, "training.batch_size=1000", env={"RNNLAB_STORE": str(tmp_path)})
    (record,) = open_store(tmp_path).find()
    assert record.result["n_updates"] == 3
    lines = [line for line in done.stderr.splitlines() if not line.startswith("epoch ")]
    too_large = "training.batch_size = 1000 exceeds the 40 training sequences: using all of them in every minibatch"
    assert lines == [f"WARNING: {too_large}"], done.stderr


def test_a_run_goes_to_the_database_that_m_names_and_its_record_does_not_hold_the_address(mongo_database_address):
    run = build("dot_product").run_commandline(["dot_product.py", "-m", mongo_database_address, "with", *TINY])
    assert run.status == "COMPLETED"
    (record,) = open_store(mongo_database_address).find()
    assert record.result["n_epochs"] == 3
    assert "mongodb://" not in json.dumps([record.meta, record.config, record.info, record.host])


def test_the_same_run_in_files_and_in_mongodb_gives_equal_records(tmp_path, mongo_database_address):
    build("dot_product").run_commandline(["dot_product.py", "-F", str(tmp_path), "with", *TINY])
    build("dot_product").run_commandline(["dot_product.py", "-m", mongo_database_address, "with", *TINY])
    (in_files,), (in_mongo,) = open_store(tmp_path).find(), open_store(mongo_database_address).find()
    assert in_files == in_mongo
    for name, array in in_files.weights().items():
        np.testing.assert_array_equal(array, in_mongo.weights()[name])


def test_an_unknown_key_at_any_depth_names_the_nearest(tmp_path):
    assert "did you mean model.n_hidden?" in error_line("dot_product", "-F", tmp_path, "with", "model.n_hiden=5")
    assert "did you mean training?" in error_line("dot_product", "-F", tmp_path, "with", "trainig.l1=5")
    assert "training.l1.W_hx" in error_line("dot_product", "-F", tmp_path, "with", "training.l1.W_hx=5")
    assert "did you mean task.n_steps?" in error_line("dot_product", "-F", tmp_path, "with", "task.n_step=5")
    assert open_store(tmp_path).find() == []


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ("model.n_hidden=-1", "model.n_hidden = -1: must be a whole number of at least 1"),
        ("model.n_hidden=2.5", "model.n_hidden = 2.5: must be a whole number"),
        ("model.activation=tahn", "did you mean 'tanh'?"),
        ("training.learning_rate=fast", "training.learning_rate = 'fast': must be a number above 0"),
        ("model=3", "model = 3: this is a section"),
        ("task.n_steps=0", "n_steps = 0"),
        ("model.initial_state=mapped", "observes no initial condition"),
        ("seed=None", "seed = None"),
    ],
)
def test_a_bad_value_is_one_line_and_no_record(update, said, tmp_path):
    assert said in error_line("dot_product", "-F", tmp_path, "with", update)
    assert open_store(tmp_path).find() == []


def test_an_unreachable_database_is_one_line_without_the_password(tmp_path):
    message = error_line("dot_product", "-m", "mongodb://user:secret@127.0.0.1:1/runs?serverSelectionTimeoutMS=100")
    assert "mongodb://127.0.0.1:1/runs" in message
    assert "secret" not in message


def test_a_store_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in error_line("dot_product", "-F", tmp_path / "file")


def test_two_stores_at_once_are_refused(tmp_path):
    assert "a run has one store" in error_line("dot_product", "-F", tmp_path, "-m", "127.0.0.1:1:runs")


@pytest.mark.slow
def test_ctrl_c_ends_a_run_at_its_next_validation_with_all_it_has(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "experiments" / "dot_product.py"), "-F", str(tmp_path), "with", "post", "seed=3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "1" / "run.json").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping at the next validation" in errors
    assert "Traceback" not in errors
    record = open_store(tmp_path).get("1")
    assert record.status == "INTERRUPTED"
    assert record.info["early_stopping"]["reason"] == "interrupted"
    assert set(record.weights()) >= {"layer1.W_hh", "readout.W_hy"}


def test_a_record_without_curves_gets_no_picture_and_says_why(tmp_path, monkeypatch, capsys):
    experiment = Experiment("bare", save_git_info=False)
    experiment.main(lambda: {"stop_reason": "max_epochs"})
    experiment.observers.append(AtomicFileObserver(tmp_path))
    monkeypatch.setattr(sys, "argv", ["bare.py"])
    script.run_script(experiment)
    assert "no picture: the record holds no learning curves" in capsys.readouterr().out
