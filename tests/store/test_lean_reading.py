"""What files are read without, and what runs share, changes nothing of what is found."""

import json

import numpy as np
import pytest

from rnnlab.store.files import FileStore


def write_run(folder, metrics, sources=(("fit.py", "_sources/fit_0123456789abcdef0123456789abcdef.py"),)):
    folder.mkdir(parents=True)
    experiment = {"name": "x", "sources": [list(each) for each in sources]}
    (folder / "run.json").write_text(json.dumps({"experiment": experiment, "status": "COMPLETED"}))
    (folder / "config.json").write_text("{}")
    (folder / "metrics.json").write_text(metrics if isinstance(metrics, str) else json.dumps(metrics))


def curve(values, timestamps):
    return {"steps": list(range(len(values))), "timestamps": timestamps, "values": values}


@pytest.mark.parametrize(
    "timestamps",
    [
        ["2026-01-01T00:00:00", "2026-01-01T00:00:01"],
        [],
        ["a ] in it", '"timestamps": ['],
        None,
        [[1, 2], {"a": []}],
        "text",
    ],
)
def test_curves_are_found_whatever_stands_for_their_times(tmp_path, timestamps):
    metrics = {"timestamps": curve([1.0, 2.0], timestamps), 'a"timestamps": [b': curve([3.0, None], timestamps)}
    write_run(tmp_path / "1", metrics)
    found = FileStore(tmp_path).get("1").curves
    assert list(found) == sorted(metrics)
    assert found["timestamps"].values.tolist() == [1.0, 2.0]
    assert np.isnan(found['a"timestamps": [b'].values[1])


def test_a_file_that_breaks_off_within_the_times_is_damage(tmp_path):
    write_run(tmp_path / "1", '{"loss": {"steps": [1], "timestamps": ["2026-01-01T')
    record = FileStore(tmp_path).get("1")
    assert record.status == "DAMAGED"
    assert "metrics.json is damaged" in record.damage


def test_runs_of_the_same_sources_share_them_and_others_have_their_own(tmp_path):
    for run_id in ("1", "2"):
        write_run(tmp_path / run_id, {})
    write_run(tmp_path / "3", {}, [("fit.py", "_sources/fit_fedcba9876543210fedcba9876543210.py")])
    first, second, third = FileStore(tmp_path).find()
    assert first.sources is second.sources
    assert first.sources == {"fit.py": "0123456789abcdef0123456789abcdef"}
    assert third.sources == {"fit.py": "fedcba9876543210fedcba9876543210"}
