import json
import os
from pathlib import Path

import pytest

from rnnlab.tracking.storage import make_observer


def test_differences_are_shown_by_part(rnnlab, train, address):
    train(5, 0)
    train(20, 0, data={"file": "x"})
    ended = rnnlab("diff", "1", "2", "--store", address)
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["model.n_hidden", "5", "20"] in lines
    assert ["data.file", "-", "x"] in lines
    assert ["test_loss", "0.2", "0.05"] in lines
    assert not any("model.cell" in line for line in lines)
    assert "sources" not in ended.out


def test_a_missing_key_is_not_none(rnnlab, train, address):
    train(data={"seed": None})
    train(data={})
    assert ["data.seed", "None", "-"] in [
        line.split() for line in rnnlab("diff", "1", "2", "--store", address).out.splitlines()
    ]
    assert json.loads(rnnlab("diff", "1", "2", "--store", address, "--json").out)["config"] == {
        "data.seed": [None, None]
    }


def test_two_runs_alike_have_no_differences(rnnlab, train, address):
    train()
    train()
    ended = rnnlab("diff", "1", "2", "--store", address)
    assert ended.out.splitlines()[1:] == ["no differences"]


def test_json_holds_the_pairs(rnnlab, train, fail, address):
    train(5, 1)
    fail("no luck", model={"n_hidden": 5, "cell": "elman"})
    found = json.loads(rnnlab("diff", "1", "2", "--store", address, "--json").out)
    assert found["runs"] == ["1", "2"]
    assert found["about"] == {"status": ["COMPLETED", "FAILED"]}
    assert found["config"] == {}
    assert found["result"]["stop_reason"] == ["patience", None]
    assert found["sources"] == {"only_first": [], "only_second": [], "changed": []}


def run_of(path, tracked_store, text, more=None):
    """A run of a script that holds this text."""
    from sacred import Experiment

    path.mkdir(exist_ok=True)
    for name, content in {"script.py": text, **(more or {})}.items():
        (path / name).write_text(content)
    experiment = Experiment("small", save_git_info=False, base_dir=str(path))
    experiment.add_source_file(str(path / "script.py"))
    for name in more or {}:
        experiment.add_source_file(str(path / name))
    experiment.main(lambda: None)
    experiment.observers.append(tracked_store.observer())
    experiment.run(options={"--loglevel": "CRITICAL", "--capture": "sys"})


def test_sources_are_compared_line_by_line_when_asked_for(rnnlab, tracked_store, address, tmp_path):
    run_of(tmp_path / "lab", tracked_store, "same\nold \x1b[31m\n")
    run_of(tmp_path / "lab", tracked_store, "same\nnew\n", {"more.py": "x = 1\n"})
    out = rnnlab("diff", "1", "2", "--store", address).out
    assert "  changed: script.py\n  only in run 2: more.py\n" in out
    assert "@@" not in out
    out = rnnlab("diff", "1", "2", "--store", address, "--sources").out
    assert "--- script.py\n+++ script.py\n@@ -1,2 +1,2 @@\n same\n-old \\x1b[31m\n+new\n" in out
    assert "--- /dev/null\n+++ more.py\n" in out
    lines = json.loads(rnnlab("diff", "1", "2", "--store", address, "--sources", "--json").out)["source_lines"]
    assert "+new" in lines


@pytest.mark.parametrize("tracked_store", ["files"], indirect=True)
def test_a_source_that_is_not_stored_is_said_to_differ(rnnlab, tracked_store, address, tmp_path):
    run_of(tmp_path / "lab", tracked_store, "old\n")
    run_of(tmp_path / "lab", tracked_store, "new\n")
    for path in Path(address, "_sources").glob("script_*"):
        path.unlink()
    out = rnnlab("diff", "1", "2", "--store", address, "--sources").out
    assert "script.py differs; its text is not stored" in out


def test_the_other_run_may_be_in_another_store(rnnlab, train, track, address, tmp_path):
    train(5)
    from rnnlab.store_address import parse_address

    track(make_observer(parse_address(tmp_path / "other")), config={"model": {"n_hidden": 6, "cell": "elman"}})
    out = rnnlab("diff", "1", "1", "--store", address, "--other-store", tmp_path / "other").out
    assert ["model.n_hidden", "5", "6"] in [line.split() for line in out.splitlines()]
    named = f"run 1 of dot_product in {address}, COMPLETED; run 1 of small in {tmp_path / 'other'}, COMPLETED"
    assert out.splitlines()[0] == named


def test_an_unknown_or_damaged_run_is_one_line(rnnlab, train, address, tmp_path):
    train()
    ended = rnnlab("diff", "1", "7", "--store", address)
    assert (ended.code, ended.out, ended.err) == (1, "", f"error: no run '7' in {address}\n")
    (tmp_path / "bad" / "1").mkdir(parents=True)
    (tmp_path / "bad" / "1" / "run.json").write_text("{")
    os.utime(tmp_path / "bad" / "1" / "run.json", (1, 1))
    ended = rnnlab("diff", "1", "1", "--store", tmp_path / "bad")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: run 1 is damaged: run.json is damaged: ")
