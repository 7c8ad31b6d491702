import os

import pytest

from rnnlab.atomic_file import copy_atomically, write_atomically, write_last


def test_a_file_is_written_and_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "run.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new", durable=True)
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["run.json"]


def test_a_copy_that_fails_leaves_the_old_content_and_no_rest(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        copy_atomically(tmp_path / "missing", path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["weights.npz"]


def test_an_open_reader_keeps_the_content_it_began_with(tmp_path):
    path = tmp_path / "run.json"
    write_atomically(path, b"old content")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old content"


def test_a_last_file_takes_its_place_only_when_it_and_the_others_are_on_the_disk(tmp_path, monkeypatch):
    (tmp_path / "weights.npz").write_bytes(b"weights")
    events = []

    def noted(kind, function):
        def call(*arguments):
            path = os.readlink(f"/proc/self/fd/{arguments[0]}") if kind == "sync" else str(arguments[1])
            events.append((kind, os.path.basename(path).split(".")[0 if not path.endswith(".tmp") else 1]))
            function(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", noted("sync", os.fsync))
    monkeypatch.setattr(os, "replace", noted("replace", os.replace))
    write_last(tmp_path / "run.json", b"COMPLETED", [tmp_path / "weights.npz"])
    assert sorted(events[:2]) == [("sync", "run"), ("sync", "weights")]
    assert events[2:] == [("replace", "run"), ("sync", tmp_path.name)]
    assert (tmp_path / "run.json").read_bytes() == b"COMPLETED"
    assert sorted(os.listdir(tmp_path)) == ["run.json", "weights.npz"]
