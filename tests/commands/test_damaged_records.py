"""Every file of a record damaged at random, and every command that reads it: no traceback, and no other run is lost.

RNNLAB_FUZZ_CASES says how many cases of each kind are tried (default: 4); the seeds are fixed.
"""

import json
import os
import random
import shutil

import numpy as np
import pytest

from rnnlab.store import open_store
from rnnlab.tracking.file_observer import AtomicFileObserver

N_CASES = int(os.environ.get("RNNLAB_FUZZ_CASES", "4"))
LONG_AGO = 1e9
ODD_VALUES = (
    *(None, True, -1, 1e308, 2**70, float("nan"), "", "x", [], {}, [[]], ["a", "b"], {"a": 1}, "9" * 50),
    *({"py/tuple": [1]}, {"py/object": "os.system"}, {"$gt": 1}, "2026-01-01T00:00:00+99:99"),
    *("\x1b[31m", "<script>", "[red]x[/red]", "[/]", "$\\frac{1$", "\ud800", "\x00"),
)


@pytest.fixture
def directory(tmp_path, track):
    """Runs 1 to 4, with all kinds of files; 4 has failed."""

    def main(_config, _run):
        for name in ("weights.npz", "updates.npz"):
            np.savez(tmp_path / name, **{"readout.W_hy": np.arange(3.0), "loss": np.arange(3.0)})
            _run.add_artifact(str(tmp_path / name))
        for step in range(3):
            for name in ("train.loss", "valid.loss"):
                _run.log_scalar(name, 1 / (1 + step), step)
        improvements = [{"update": 1, "epoch": 1, "valid_loss": 0.5}]
        _run.info["early_stopping"] = {"reason": "patience", "message": "no better", "improvements": improvements}
        _run.info["resumed_from"] = {"run_id": "1", "update": 3}
        print("hello")
        if _config["seed"] == 9:
            raise RuntimeError("no luck")
        return {"stop_reason": "patience", "test_loss": 0.5, "valid_loss": 0.25, "test_mse_mean_predictor": 1.0}

    for n_hidden, seed in ((5, 0), (5, 1), (20, 0), (20, 9)):
        config = {"model": {"n_hidden": n_hidden, "cell": "elman"}, "seed": seed}
        track(AtomicFileObserver(tmp_path / "results"), main, config, "dot_product")
    return tmp_path / "results"


def commands(store, folder, with_pictures):
    """Every way to read runs."""
    yield from (("ls",), ("ls", "--json"), ("ls", "--csv"), ("show", "1"), ("show", "1", "--json"), ("show", "4"))
    yield from (("diff", "1", "3"), ("compare", "--by", "model.n_hidden"), ("compare", "--metric", "valid.loss@min"))
    yield from (("checkpoints",), ("copy", store, folder / "copy"))
    if with_pictures:
        yield ("plot", "-o", folder / "plot.png")
        yield ("plot", "metric", "--by", "model.n_hidden", "-o", folder / "plot.png")
        yield ("report", "-o", folder / "report.html")


def cut_or_flipped(rng, content):
    if rng.random() < 0.4:
        return content[: rng.randrange(len(content) + 1)]
    damaged = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 20])):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def with_an_odd_value(rng, content):
    """The JSON with one value, anywhere in it, replaced or taken out."""
    whole = json.loads(content)
    *path, last = rng.choice([path for path in places(whole) if path])
    holder = whole
    for key in path:
        holder = holder[key]
    if rng.random() < 0.2:
        del holder[last]
    else:
        holder[last] = rng.choice(ODD_VALUES)
    return json.dumps(whole).encode()


@pytest.mark.parametrize("damage", [cut_or_flipped, with_an_odd_value])
def test_no_damage_breaks_a_command_or_hides_the_other_runs(rnnlab, directory, tmp_path, damage):
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.stat().st_size)
    if damage is with_an_odd_value:
        files = [path for path in files if path.suffix == ".json"]
    for seed in range(N_CASES):
        rng = random.Random(seed)
        store, folder = tmp_path / f"store{seed}", tmp_path / f"out{seed}"
        shutil.copytree(directory, store)
        folder.mkdir()
        path = store / rng.choice(files).relative_to(directory)
        path.write_bytes(damage(rng, path.read_bytes()))
        for aged in (path, path.parent):  # what was written just now is read again
            os.utime(aged, (LONG_AGO, LONG_AGO))
        for command in commands(store, folder, with_pictures=seed % 5 == 0):
            options = () if command[0] == "copy" else ("--store", store)
            ended = rnnlab(*command, *options)
            case = f"seed {seed}, {path.relative_to(store)}, {' '.join(map(str, command))}:\n{ended.err}"
            assert ended.code in (0, 1), case
            assert "Traceback" not in ended.err, case
            assert "\x1b" not in ended.out + ended.err, case
        damaged = path.relative_to(store).parts[0]
        whole = {record.run_id: record for record in open_store(directory).find() if record.run_id != damaged}
        assert {record.run_id: record for record in open_store(store).find() if record.run_id in whole} == whole
