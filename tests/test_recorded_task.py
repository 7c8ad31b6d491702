"""A run's task in hand again: from the script that the record names."""

import hashlib
import re
from pathlib import Path

import pytest

from rnnlab.errors import RnnlabError
from rnnlab.recorded_task import recorded_task
from rnnlab.store.record import Contents, RunRecord
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.series import Series

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"n_train": 20, "n_valid": 10, "n_test": 5}


def record(experiment="dot_product", sources=None, **task):
    sources = {f"experiments/{experiment}.py": "0" * 32} if sources is None else sources
    config = {"task": task, "data": {**SIZES, "seed": None}}
    return RunRecord("12", experiment, "COMPLETED", config, contents=Contents(sources=lambda: sources))


def test_it_is_the_scripts_task_with_the_runs_arguments_and_todays_defaults(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # found beside rnnlab
    found = recorded_task(record(n_steps=7, high=2.0))
    assert found.task is dot_product
    assert found.arguments == {"n_steps": 7, "n_components": 2, "low": 0.0, "high": 2.0, "noise_std": 0.0}
    assert found.sizes == SIZES
    assert isinstance(recorded_task(record("sea_surface")).task, Series)


def test_a_script_of_ones_own_is_found_where_one_stands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = (
        (ROOT / "experiments" / "dot_product.py").read_text().replace('Experiment("dot_product"', 'Experiment("mine"')
    )
    (tmp_path / "mine.py").write_text(text)
    for found in (
        recorded_task(record("mine", {"mine.py": "0" * 32}, n_steps=7)),
        recorded_task(record("mine", {}, n_steps=7), tmp_path / "mine.py"),
    ):
        assert found.task is dot_product
        assert found.arguments["n_steps"] == 7


def test_what_has_changed_since_the_run_is_named():
    script = "experiments/dot_product.py"
    assert recorded_task(record(sources={script: "0" * 32})).changed == (script,)
    digests = {
        path: hashlib.md5((ROOT / path).read_bytes()).hexdigest() for path in (script, "rnnlab/tasks/dot_product.py")
    }
    assert recorded_task(record(sources=digests)).changed == ()
    gone = {**digests, "rnnlab/tasks/gone.py": "0" * 32, "rnnlab/run.py": "0" * 32}  # what is no task plays no part
    assert recorded_task(record(sources=gone)).changed == ("rnnlab/tasks/gone.py",)


@pytest.mark.parametrize(
    ("run", "script", "message"),
    [
        (record("mine"), None, "run 12: its script experiments/mine.py is not here, nor is"),
        (record(), "no.py", "run 12: there is no script no.py"),
        (record("mine"), "experiments/dot_product.py", "makes the experiment 'dot_product', but run 12 is of another,"),
        (record(n_step=7), None, "run 12: its task had an argument 'n_step'; today's has n_steps, n_components, low"),
        (RunRecord("12", "dot_product", "COMPLETED", {"data": SIZES}), None, "its config has no good sections task"),
        (
            RunRecord("12", "dot_product", "COMPLETED", {"data": {**SIZES, "n_valid": "x"}, "task": {}}),
            None,
            "run 12: data.n_valid = 'x': must be a whole number of at least 1",
        ),
    ],
)
def test_a_task_that_cannot_be_had_is_one_line(run, script, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(RnnlabError, match=re.escape(message)) as raised:
        recorded_task(run, script)
    assert "\n" not in str(raised.value)


def test_an_experiment_that_was_handed_no_task_is_told(tmp_path):
    script = tmp_path / "bare.py"
    script.write_text(
        "from sacred import Experiment\ndef build():\n    return Experiment('bare', save_git_info=False)\n"
    )
    with pytest.raises(RnnlabError, match="its experiment has no task: must hand one to"):
        recorded_task(record("bare"), script)
