"""What checkpoints are of is tested with rnnlab.store.checkpoints; here is what the command shows and removes."""

import json
import os
import time

import numpy as np
import pytest

from rnnlab.training.checkpoint_file import pack
from rnnlab.variant_key import variant_key

DAY = 86_400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where runs have their checkpoints."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv("RNNLAB_CHECKPOINTS", str(folder))
    return folder


@pytest.fixture
def keep(folder):
    """Writes the checkpoint of a run's variant, so many days ago; gives its key."""

    def one(run, days=0.0):
        key = variant_key(run.experiment_info["name"], run.config)
        counters = {"n_updates": 600, "n_epochs": 12}
        path = folder / f"{key}.npz"
        path.write_bytes(pack({"parameters/W": np.zeros(1000)}, {"run_id": str(run._id), "counters": counters}))
        os.utime(path, (time.time() - days * DAY,) * 2)
        return key

    return one


def test_checkpoints_are_listed_with_what_became_of_their_runs(rnnlab, train, fail, keep, address, folder):
    completed, failed = keep(train()), keep(fail("no luck", seed=5), days=3)
    ended = rnnlab("checkpoints", "--store", address)
    assert (ended.code, ended.err) == (0, "")
    head, first, second, _, total = ended.out.splitlines()
    assert head.split() == ["key", "experiment", "run", "state", "epoch", "update", "age", "MB"]
    assert first.split()[:6] == [completed, "dot_product", "1", "completed", "by", "1"]
    assert second.split() == [failed, "dot_product", "2", "FAILED", "12", "600", "3", "d", "0.01"]
    assert total == f"2 checkpoints (0.02 MB) in {folder}"
    assert len(list(folder.iterdir())) == 2

    (one,) = json.loads(rnnlab("checkpoints", failed[:6], "--store", address, "--json").out)
    told = ("key", "run", "status", "completed_by", "update", "removed")
    assert [one[name] for name in told] == [failed, "2", "FAILED", None, 600, False]


def test_those_of_completed_variants_are_cleared_and_old_or_named_ones_on_request(
    rnnlab, train, fail, keep, address, folder
):
    completed = keep(train())
    old, new, named = (keep(fail("no luck", seed=5 + i), days) for i, days in enumerate((40, 3, 3)))

    def left():
        return {path.name.removesuffix(".npz") for path in folder.iterdir()}

    ended = rnnlab("checkpoints", "--store", address, "--clear")
    assert ended.out == f"1 checkpoint (0.01 MB) removed from {folder}, 3 checkpoints (0.03 MB) left\n"
    assert left() == {old, new, named}
    assert completed not in left()
    rnnlab("checkpoints", "--store", address, "--clear", "--days", 30)
    assert left() == {new, named}
    rnnlab("checkpoints", named, "--store", address, "--clear")
    assert left() == {new}
    rnnlab("checkpoints", "--store", address, "--clear", "--days", 0)
    assert left() == set()
    assert rnnlab("checkpoints", "--store", address).out == f"no checkpoints in {folder}\n"


def test_the_checkpoint_of_a_variant_that_is_running_is_never_removed(rnnlab, track, keep, tracked_store, folder):
    seen = []

    def main(_run):
        key = keep(_run)
        seen.append(rnnlab("checkpoints", key, "--store", tracked_store.address, "--clear", "--days", 0))
        seen.append(rnnlab("checkpoints", "--store", tracked_store.address))
        assert len(list(folder.iterdir())) == 1

    run = track(tracked_store.observer(), main)
    assert run.status == "COMPLETED"
    assert "0 checkpoints (0.00 MB) removed" in seen[0].out
    assert "is not removed: a run of its variant is going on" in seen[0].err
    assert "RUNNING" in seen[1].out


def test_what_makes_no_sense_is_one_line(rnnlab, train, keep, address, folder, tmp_path):
    keep(train())
    ended = rnnlab("checkpoints", "zzz", "--store", address)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: checkpoints {folder}: none has a key that begins with 'zzz'\n"
    assert rnnlab("checkpoints", "--store", address, "--days", 3).code == 2
    (tmp_path / "file").write_text("")
    ended = rnnlab("checkpoints", "--store", address, "--directory", tmp_path / "file")
    assert ended.err == f"error: checkpoints {tmp_path / 'file'}: Not a directory\n"
