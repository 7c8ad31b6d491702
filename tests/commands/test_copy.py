"""What the copies hold is tested with rnnlab.store.copying; here is what the command takes and says."""

import json
import os
import shutil

import pytest

from rnnlab.store import open_store


def test_all_runs_or_those_that_are_chosen_are_copied(rnnlab, train, fail, address, tmp_path):
    for seed in range(3):
        train(20, seed)
    fail("no luck")
    target = tmp_path / "to"
    ended = rnnlab("copy", address, target, "2")
    assert (ended.code, ended.out, ended.err) == (0, f"1 run copied to {target}\n", "")
    ended = rnnlab("copy", address, target, "--where", "seed=0", "--status", "completed")
    assert ended.out == f"1 run copied to {target}\n"
    assert [record.run_id for record in open_store(target).find()] == ["1", "2"]
    ended = rnnlab("copy", address, target)
    assert ended.out == f"2 runs copied to {target}\n2 runs there already\n"
    assert open_store(target).find() == open_store(address).find()
    assert rnnlab("copy", target, address).out == "4 runs there already\n"


def test_runs_that_get_another_number_and_those_that_go_on_are_named(rnnlab, train, track, tracked_store, tmp_path):
    address, target = tracked_store.address, tmp_path / "to"
    train()
    rnnlab("copy", address, target)
    shutil.move(target / "1", target / "native")
    path = target / "native" / "run.json"
    entry = json.loads(path.read_text())
    path.write_text(json.dumps({**entry, "meta": {"uid": "another"}}))
    shutil.copytree(target / "native", target / "1")
    (target / "1" / "run.json").write_text(json.dumps({**entry, "meta": {"uid": "a third"}}))
    seen = []

    def main():
        seen.append(rnnlab("copy", address, target).out)
        seen.append(json.loads(rnnlab("copy", address, target, "--running", "--json").out))

    track(tracked_store.observer(), main)
    assert seen[0].splitlines() == [
        f"1 run copied to {target}",
        "1 run still running and left out (--running copies what there is)",
        "under other numbers, theirs being taken: 1 as 2",
    ]
    assert [(each["run_id"], each["outcome"], each["target_id"]) for each in seen[1]] == [
        ("1", "present", "2"),
        ("2", "copied", "3"),
    ]


@pytest.mark.parametrize("tracked_store", ["files"], indirect=True)
def test_a_run_that_cannot_be_copied_is_named_and_the_exit_code_says_so(rnnlab, train, address, tmp_path):
    for _ in range(2):
        train()
    os.remove(os.path.join(address, "1", "weights.npz"))
    ended = rnnlab("copy", address, tmp_path / "to")
    assert (ended.code, ended.out) == (1, f"1 run copied to {tmp_path / 'to'}\n1 run not copied\n")
    assert ended.err == "run 1 is not copied: run 1: artifact 'weights.npz': No such file or directory\n"


def test_bad_stores_are_one_line(rnnlab, address, tmp_path):
    (tmp_path / "file").write_text("")
    for arguments, words in [
        ([tmp_path / "missing", address], f"store {tmp_path}/missing: there is no such directory"),
        ([address, address], f"cannot copy {address} to itself"),
        ([address, tmp_path / "file"], f"store {tmp_path}/file: it cannot be written: File exists"),
        ([address, tmp_path / "file" / "deeper"], f"store {tmp_path}/file/deeper: it cannot be written: "),
        (
            [address, "mongodb://127.0.0.1:9/lab?serverSelectionTimeoutMS=100"],
            "store mongodb://127.0.0.1:9/lab: no answer from the server",
        ),
        ([address, tmp_path / "to", "7"], f"no run '7' in {address}"),
    ]:
        ended = rnnlab("copy", *arguments)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith(f"error: {words}")
        assert ended.err.count("\n") == 1


def test_an_empty_store_has_no_runs_to_copy(rnnlab, address, tmp_path):
    assert rnnlab("copy", address, tmp_path / "to").out == "no runs to copy\n"
