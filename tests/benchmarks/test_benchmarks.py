"""The parts of the benchmark that need nothing but rnnlab, at sizes that take seconds."""

import json

import numpy as np
import pytest

from benchmarks import first_update, pictures, post_run, report, tracked_runs, update_times
from benchmarks.first_update import FirstUpdate
from benchmarks.growth import Growth
from benchmarks.measured import Measured, load
from benchmarks.must_hold import statements
from benchmarks.processes import ProgramError
from benchmarks.programs import JAX_EPOCH, JAX_TUNED, PLAIN_C, RNNLAB, THEANO, TORCH
from benchmarks.sweeps import MLFLOW, POST_TRAINING, RNNLAB_SWEEP, Sweep
from benchmarks.update_times import LARGE, MIDDLE, POST, POST_TANH, Row
from benchmarks.work import Work
from rnnlab.store import open_store

TINY = Work(3, n_steps=4, n_minibatches=200)


def test_rnnlab_jax_by_hand_and_plain_c_give_the_same_losses(tmp_path):
    rows = update_times.measure(TINY, (RNNLAB, PLAIN_C, JAX_TUNED), 1, 0.001, tmp_path)
    with_c = [PLAIN_C.name] if PLAIN_C.installed else []
    assert [row.program for row in rows] == [RNNLAB.name, *with_c, JAX_TUNED.name]
    assert all(row.deviation < 1e-4 for row in rows)
    assert all(len(row.microseconds) == 1 and row.microseconds[0] > 0 and row.megabytes > 1 for row in rows)


def test_a_program_that_computes_something_else_is_refused():
    same, other = [1.0, 2.0, 3.0], [1.0, 2.0, 3.1]
    assert update_times.check([("rnnlab", same), ("same", same), ("nothing", None)]) == [0.0, 0.0, None]
    with pytest.raises(ProgramError, match=r"wrong computes something else: .* 0\.05 of their mean"):
        update_times.check([("rnnlab", same), ("wrong", other)])
    with pytest.raises(ProgramError, match="lost computes something else"):
        update_times.check([("rnnlab", same), ("lost", [1.0, np.nan, 3.0])])


def test_a_program_that_fails_is_named_with_what_it_said(tmp_path):
    work = Work(3, n_steps=4, cell="unheard of", n_minibatches=200)
    with pytest.raises(Exception, match="unheard of"):
        first_update.measure(work, [RNNLAB], 1, tmp_path)


def row(work, program, microseconds):
    return Row(work.name, program.name, "1.0", [microseconds] * 3, 1e-6, 100.0)


def measured():
    """Numbers that make every statement hold but two."""
    rows = [row(POST, RNNLAB, 5), row(POST, THEANO, 120), row(POST, TORCH, 400), row(POST, PLAIN_C, 1)]
    rows += [row(POST, JAX_EPOCH, 6), row(POST, JAX_TUNED, 5.5), row(POST_TANH, RNNLAB, 5), row(POST_TANH, TORCH, 310)]
    rows += [row(MIDDLE, RNNLAB, 700), row(MIDDLE, JAX_EPOCH, 710), row(MIDDLE, TORCH, 1500), row(LARGE, RNNLAB, 5000)]
    return Measured(
        machine={"processor": "made up"},
        updates=rows,
        first=[FirstUpdate(POST.name, RNNLAB.name, [2.0, 2.5], [1.0])],
        growth=[Growth("steps", RNNLAB.name, [10, 100], [1.0, 10.0], [100.0, 120.0])],
        post_run=[[3.0, 1000], [0.006, 1000]],
        starts={"rnnlab --help": [0.35]},
        tracked={"unrecorded": [5.0], "files": [30.0]},
        sweeps=[
            Sweep(RNNLAB_SWEEP, POST_TRAINING.name, 10.0, [1.0, 1.0, *np.linspace(1.1, 10, 198)], 500.0),
            Sweep(MLFLOW, POST_TRAINING.name, 20.0, [2.0, 2.0, 11.0, 20.0], 400.0),
        ],
        listings={"python benchmarks/checkpoint_cost.py": "a table"},
        minutes={"all": 1.0},
    )


def test_what_must_hold_is_judged_by_ratios_of_medians():
    found = {each.promise: each for each in statements(measured())}
    by_theano = next(each for promise, each in found.items() if "Theano" in promise)
    assert (by_theano.found, by_theano.holds) == ("24.00 times", True)
    assert next(each for promise, each in found.items() if "PyTorch eager" in promise).found == "62.00 times"
    falls_short = [promise for promise, each in found.items() if each.holds is False]
    assert len(falls_short) == 2
    assert "plain C" in falls_short[0]
    assert "--help" in falls_short[1]
    absent = [promise for promise, each in found.items() if each.holds is None]
    assert any("matrix-product rate" in promise for promise in absent)


def test_the_report_has_every_number_and_draws_its_pictures(tmp_path):
    measured().save(tmp_path / "measured.json")
    kept = load(tmp_path / "measured.json")
    drawn = pictures.draw_all(kept, tmp_path / "pictures")
    report.write(kept, drawn, tmp_path / "results.md")
    text = (tmp_path / "results.md").read_text()
    assert [path.name for path in drawn] == ["ratios.png", "updates.png", "growth.png", "sweeps.png"]
    assert "![ratios](pictures/ratios.png)" in text
    assert "120 (24)" in text
    assert text.count("**falls short**") == 2


def printed(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_posts_run_is_timed_by_its_own_record(capsys):
    post_run.main(1, 2)
    runs = printed(capsys)
    assert [n_updates for _, n_updates in runs] == [1000, 1000]
    assert all(seconds > 0 for seconds, _ in runs)


def test_runs_are_recorded_where_they_are_said_to_be(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RNNLAB_STORE", "")
    monkeypatch.setitem(tracked_runs.SETTINGS, "training", {"batch_size": 20, "max_epochs": 1})
    tracked_runs.main(2, str(tmp_path))
    times = printed(capsys)
    assert {place: len(own) for place, own in times.items()} == {"": 2, str(tmp_path): 2}
    assert len(open_store(tmp_path).find(status="COMPLETED")) == 3
