"""The file of a checkpoint; damage of every kind is tried in test_checkpoint.py."""

import hashlib

import numpy as np
import pytest

from rnnlab.errors import CheckpointError
from rnnlab.training.checkpoint import from_bytes
from rnnlab.training.checkpoint_file import pack, unpack


def with_digest(body):
    """Any content, as if it had been written as a checkpoint."""
    return body + hashlib.sha256(body).hexdigest().encode()


def test_arrays_and_the_rest_come_back():
    arrays, rest = unpack(pack({"a/b": np.arange(3), "c": np.zeros((2, 0))}, {"run_id": None, "n": [1, 2.5]}))
    np.testing.assert_array_equal(arrays["a/b"], np.arange(3))
    assert arrays["c"].shape == (2, 0)
    assert rest == {"format": 1, "run_id": None, "n": [1, 2.5]}


def test_another_format_is_refused_in_words():
    with pytest.raises(CheckpointError, match="is in format 2, not 1, that of this release"):
        unpack(pack({}, {"format": 2}))


def test_what_has_the_right_checksum_but_is_no_checkpoint_is_an_error_of_its_own():
    pickled = pack({}, {})[:-64].replace(b"rest.npy", b"rost.npy")
    for content in (with_digest(b""), with_digest(b"no archive"), with_digest(pickled)):
        with pytest.raises(CheckpointError, match="is no checkpoint"):
            unpack(content)
    identity = {"variant": "abc", "threads": 1, "packages": {}, "code": {}}
    for rest in ({}, {"identity": [1]}, {"identity": identity}, {"identity": identity, "stopping": {"rule": 3}}):
        with pytest.raises(CheckpointError, match="is no checkpoint"):
            from_bytes(pack({}, rest), identity)


def test_pickles_are_never_loaded():
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        pack({"a": np.array([object()])}, {})
