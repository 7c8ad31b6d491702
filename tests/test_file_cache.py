import os

import pytest

from rnnlab import file_cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The cache's folder, which is not there yet."""
    path = tmp_path / "new" / "cache"
    monkeypatch.setenv("RNNLAB_CACHE_DIR", str(path))
    return path


def test_what_was_kept_is_found_under_its_own_key_only(folder):
    assert file_cache.load("key") is None
    file_cache.keep("key", b"two\nlines")
    file_cache.keep("other", b"")
    assert file_cache.load("key") == b"two\nlines"
    assert file_cache.load("other") == b""
    file_cache.keep("key", b"new")
    assert file_cache.load("key") == b"new"
    assert len(os.listdir(folder)) == 2


@pytest.mark.parametrize(
    "damage", [lambda old: old[:-1], lambda old: old + b".", lambda old: old[70:], lambda old: b""]
)
def test_a_damaged_file_is_not_found_and_can_be_replaced(folder, damage):
    file_cache.keep("key", b"content of some length")
    (path,) = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert file_cache.load("key") is None
    file_cache.keep("key", b"again")
    assert file_cache.load("key") == b"again"


def test_what_was_not_used_for_longest_makes_room(folder, monkeypatch):
    monkeypatch.setattr(file_cache, "MOST_BYTES", 3 * (64 + 1 + 100))
    for age, key in enumerate(("a", "b", "c")):
        file_cache.keep(key, bytes(100))
        os.utime(max(folder.iterdir(), key=lambda path: path.stat().st_mtime), (0, 1000 + age))
    assert file_cache.load("a") is not None  # and thereby used
    file_cache.keep("d", bytes(100))
    assert [key for key in "abcd" if file_cache.load(key) is not None] == ["a", "c", "d"]
    file_cache.keep("too long", bytes(1000))
    assert [key for key in "abcd" if file_cache.load(key) is not None] == ["a", "c", "d"]


def test_files_of_others_stay_and_are_not_read(folder, monkeypatch):
    monkeypatch.setattr(file_cache, "MOST_BYTES", 200)
    file_cache.keep("key", bytes(100))
    for name in ("notes.txt", "f" * 63, ".tmp"):
        (folder / name).write_bytes(bytes(1000))
    (folder / f".{'f' * 64}.1-2.tmp").write_bytes(bytes(1000))  # of a process that was killed
    file_cache.keep("other", bytes(100))
    assert {path.name for path in folder.iterdir()} >= {"notes.txt", "f" * 63, ".tmp"}
    assert len(list(folder.iterdir())) == 4
    assert file_cache.load("other") == bytes(100)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert file_cache.load("other") is None


def test_a_folder_that_can_only_be_read_is_read(folder, monkeypatch):
    file_cache.keep("key", b"1")

    def refused(*arguments):
        raise PermissionError

    monkeypatch.setattr(os, "utime", refused)
    assert file_cache.load("key") == b"1"


def test_it_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.delenv("RNNLAB_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    file_cache.keep("key", b"1")
    assert len(os.listdir(tmp_path / "home" / ".cache" / "rnnlab")) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    file_cache.keep("key", b"1")
    assert len(os.listdir(tmp_path / "caches" / "rnnlab")) == 1
    monkeypatch.setenv("RNNLAB_CACHE_DIR", "~/own")
    file_cache.keep("key", b"1")
    assert len(os.listdir(tmp_path / "home" / "own")) == 1
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setenv("RNNLAB_CACHE_DIR", "")
    file_cache.keep("key", b"1")
    assert file_cache.load("key") is None
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_made_keeps_nothing_and_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RNNLAB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    file_cache.keep("key", b"1")
    assert file_cache.load("key") is None
