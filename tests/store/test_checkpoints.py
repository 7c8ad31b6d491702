"""Checkpoints in a folder, seen beside the runs of a store."""

import hashlib
import os
from datetime import UTC, datetime

import numpy as np
import pytest

from rnnlab.store.checkpoints import find_checkpoints
from rnnlab.store.record import RunRecord
from rnnlab.training.checkpoint_file import pack
from rnnlab.variant_key import variant_key


def key_of(seed):
    return variant_key("small", {"seed": seed})


def run(run_id, seed, status):
    return RunRecord(run_id, "small", status, {"seed": seed})


def write(folder, seed, run_id="1", n_updates=20, name="{}.npz", content=None):
    counters = {"n_updates": n_updates, "n_epochs": 2, "n_examples": 3, "seconds": 4.0}
    path = folder / name.format(key_of(seed))
    packed = pack({"parameters/W": np.zeros(3)}, {"run_id": run_id, "counters": counters})
    path.write_bytes(packed if content is None else content)
    return path


def test_each_checkpoint_is_told_with_its_run_and_how_far_that_was(tmp_path):
    files = [write(tmp_path, 0, n_updates=20), write(tmp_path, 0, n_updates=10, name="{}.previous.npz")]
    (found,) = find_checkpoints(tmp_path, [run("1", 0, "LOST"), run("2", 5, "COMPLETED")])
    assert (found.key, found.run_id, found.n_updates, found.n_epochs) == (key_of(0), "1", 20, 2)
    assert (found.record.status, found.completed, found.running, found.damage) == ("LOST", None, False, "")
    assert sorted(found.files) == sorted(files)
    assert found.n_bytes == sum(path.stat().st_size for path in files)
    assert (datetime.now(UTC) - found.changed).total_seconds() < 60


def test_whether_the_variant_was_completed_or_is_running_is_told_whichever_run_did_it(tmp_path):
    for seed in range(3):
        write(tmp_path, seed)
        os.utime(tmp_path / f"{key_of(seed)}.npz", (seed, seed))
    records = [run("1", 0, "LOST"), run("2", 0, "COMPLETED"), run("3", 1, "RUNNING"), run("4", 9, "FAILED")]
    found = find_checkpoints(tmp_path, records)
    assert [each.key for each in found] == [key_of(2), key_of(1), key_of(0)], "the last written one comes first"
    assert [(each.completed, each.running) for each in found] == [(None, False), (None, True), ("2", False)]
    assert found[0].record is None


def test_a_run_of_the_same_number_but_another_variant_is_not_taken_for_the_checkpoints(tmp_path):
    write(tmp_path, 0, run_id="1")
    (found,) = find_checkpoints(tmp_path, [run("1", 7, "COMPLETED")])
    assert (found.record, found.completed) == (None, None)


def test_where_the_newest_is_damaged_the_one_before_it_is_told_and_else_the_damage(tmp_path):
    write(tmp_path, 0, content=b"rubbish")
    write(tmp_path, 0, n_updates=10, name="{}.previous.npz")
    write(tmp_path, 1, content=b"rubbish")
    write(tmp_path, 2, name=".{}.npz.12-34.tmp", content=b"half")
    found = {each.key: each for each in find_checkpoints(tmp_path, [])}
    assert (found[key_of(0)].n_updates, found[key_of(0)].damage) == (10, "")
    assert found[key_of(1)].damage == "is damaged: its checksum is wrong"
    assert found[key_of(2)].damage == "is only half written"


@pytest.mark.parametrize("rest", [{}, {"run_id": 5}, {"run_id": "1", "counters": [1]}, {"counters": {}}])
def test_a_file_that_only_looks_like_a_checkpoint_is_damaged(tmp_path, rest):
    write(tmp_path, 0, content=pack({}, rest))
    (found,) = find_checkpoints(tmp_path, [])
    assert found.damage.startswith("is no checkpoint")
    body = b"no archive"
    write(tmp_path, 0, content=body + hashlib.sha256(body).hexdigest().encode())
    (found,) = find_checkpoints(tmp_path, [])
    assert found.damage.startswith("is no checkpoint")


def test_other_files_are_left_alone_and_a_missing_folder_is_an_empty_one(tmp_path):
    for name in ("notes.npz", "0123456789abcdef.txt", "0123456789abcdeX.npz", "0123456789abcdef.npz.bak"):
        (tmp_path / name).write_bytes(b"mine")
    assert find_checkpoints(tmp_path, []) == []
    assert find_checkpoints(tmp_path / "missing", []) == []


def test_removing_takes_all_files_of_a_variant_and_no_others(tmp_path):
    for name in ("{}.npz", "{}.previous.npz", ".{}.npz.12-34.tmp"):
        write(tmp_path, 0, name=name)
    other = write(tmp_path, 1)
    found = {each.key: each for each in find_checkpoints(tmp_path, [])}
    found[key_of(0)].remove()
    found[key_of(0)].remove()  # they may have gone meanwhile
    assert list(tmp_path.iterdir()) == [other]
