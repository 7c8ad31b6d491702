from dataclasses import replace

import numpy as np
import pytest

from rnnlab.errors import StoreError
from rnnlab.store.record import Contents, Curve, RunRecord, config_value


def curve(*values):
    return Curve(np.arange(len(values)), np.array(values, dtype=float))


def record(curves=None, info=None, sources=None, **changes):
    contents = Contents(
        curves=lambda: curves or {"valid.loss": curve(1, np.nan, 3), "seconds": curve(0.1, 0.2, 0.3)},
        info=lambda: info or {},
        sources=lambda: sources or {"a.py": "0"},
    )
    given = {"result": {"loss": 1.0}, "packages": {"jax": "1"}, "artifacts": ("w",), "contents": contents}
    return RunRecord(
        **{"run_id": "1", "experiment": "x", "status": "COMPLETED", "config": {"seed": 1}, **given, **changes}
    )


def test_runs_that_did_the_same_are_equal_whenever_and_wherever_they_ran():
    other_time = record(curves={"valid.loss": curve(1, np.nan, 3), "seconds": curve(1, 2, 3)})
    assert record() == replace(other_time, run_id="2", host={"hostname": "b"}, meta={"command": "c"})


@pytest.mark.parametrize(
    "changes",
    [
        {"experiment": "y"},
        {"status": "FAILED"},
        {"config": {"seed": 2}},
        {"result": None},
        {"packages": {}},
        {"artifacts": ()},
        {"info": {"a": 1}},
        {"sources": {"a.py": "1"}},
        {"curves": {"valid.loss": curve(1, np.nan, 4)}},
        {"curves": {"valid.loss": curve(1, np.nan)}},
        {"curves": {"valid.loss": Curve(np.array([1, 2, 3]), np.array([1, np.nan, 3]))}},
        {"curves": {"train.loss": curve(1, np.nan, 3)}},
    ],
)
def test_runs_that_differ_in_what_they_did_are_not_equal(changes):
    assert record() != record(**changes)


def test_a_record_reads_what_it_left_in_the_store_once_and_only_when_asked():
    asked = []
    lazy = replace(record(), contents=Contents(curves=lambda: asked.append(1) or {}))
    repr(lazy)
    assert not asked
    assert lazy.curves is lazy.curves
    assert asked == [1]


def test_an_artifact_that_the_run_does_not_have_is_an_error_that_lists_what_it_has():
    with pytest.raises(StoreError, match=r"run 1 has no artifact 'weights\.npz'; it has: w"):
        record().weights()
    with pytest.raises(StoreError, match="it has: none"):
        record(artifacts=()).updates()


def test_arrays_that_need_a_pickle_are_refused(tmp_path):
    np.savez(tmp_path / "weights.npz", a=np.array([{"x": 1}], dtype=object))
    content = (tmp_path / "weights.npz").read_bytes()
    given = record(artifacts=("weights.npz",), contents=Contents(artifact=lambda name: content))
    with pytest.raises(StoreError, match=r"artifact 'weights\.npz' is damaged"):
        given.weights()


def test_damaged_arrays_are_an_error_of_one_line_wherever_they_are_damaged(tmp_path):
    np.savez(tmp_path / "weights.npz", W=np.arange(4.0), b=np.arange(2.0))
    whole = (tmp_path / "weights.npz").read_bytes()
    rng = np.random.default_rng(0)
    broken = [whole[:n] for n in range(0, len(whole), 7)]
    for position in rng.integers(0, len(whole), 200):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << rng.integers(8)
        broken.append(bytes(flipped))
    messages = []
    for content in broken:
        given = record(artifacts=("weights.npz",), contents=Contents(artifact=lambda name, content=content: content))
        try:
            given.weights()
        except StoreError as error:
            messages.append(str(error))
    assert len(messages) > len(broken) / 2
    assert not any("\n" in message for message in messages)


def test_a_config_value_is_found_by_its_dotted_key():
    config = {"model": {"n_hidden": 20}, "seed": None}
    assert config_value(config, "model.n_hidden") == 20
    assert config_value(config, "seed") is None
    for missing in ("model.n", "model.n_hidden.x", "x", ""):
        with pytest.raises(KeyError):
            config_value(config, missing)
