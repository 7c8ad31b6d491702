"""Synthetic runs: written to disk as Sacred's FileStorageObserver does, read back through the store."""

import datetime
import json
from pathlib import Path

import numpy as np
import pytest

from rnnlab.store.files import FileStore

START = datetime.datetime(2024, 5, 1, 12, 0, 0)


class Runs:
    """A directory of runs that grows by `add`; `records()` reads all of them back."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.n = 0

    def add(
        self,
        config=None,
        result=None,
        curves=None,
        status="COMPLETED",
        stop_reason="patience",
        experiment="dot_product",
        info=None,
        sources=None,
        packages=None,
        commit="a" * 40,
        fail_trace=None,
        captured_out="",
        updates=None,
        meta=None,
        **config_values,
    ):
        """Write one run. `config_values` are config keys with `__` for a dot; `curves` is name -> (steps, values)."""
        self.n += 1
        folder = self.directory / str(self.n)
        folder.mkdir(parents=True)
        config = json.loads(json.dumps(config or {"seed": 0, "model": {"n_hidden": 20}, "data": {"seed": None}}))
        for name, value in config_values.items():
            section, _, key = name.rpartition("__")
            (config.setdefault(section, {}) if section else config)[key] = value
        done = status == "COMPLETED"
        if done:
            result = {"stop_reason": stop_reason, **(result or {})}
        start, stop = START + datetime.timedelta(minutes=self.n), START + datetime.timedelta(minutes=self.n + 1)
        recent = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        beat = start if status == "LOST" else recent
        artifacts = []
        if updates is not None:
            np.savez(folder / "updates.npz", **updates)
            artifacts.append("updates.npz")
        sources = sources or {"experiments/dot_product.py": "0" * 32, "rnnlab/run.py": "1" * 32}
        run = {
            "experiment": {
                "name": experiment,
                "base_dir": "/project",
                "mainfile": f"experiments/{experiment}.py",
                "sources": [[path, f"_sources/{Path(path).stem}_{md5}.py"] for path, md5 in sources.items()],
                "dependencies": [f"{k}=={v}" for k, v in (packages or {"numpy": "2.1.0", "jax": "0.10.2"}).items()],
                "repositories": [{"url": "https://example.org/rnnlab.git", "commit": commit, "dirty": False}],
            },
            "command": "main",
            "host": {"hostname": "node1", "os": ["Linux", "Linux-6.1"], "python_version": "3.11.7", "cpu": "a CPU"},
            "meta": {"command": "main", "options": {}, "named_configs": [], "config_updates": {}, **(meta or {})},
            "start_time": start.isoformat(),
            "stop_time": stop.isoformat() if status in ("COMPLETED", "FAILED", "INTERRUPTED") else None,
            "heartbeat": beat.isoformat(),
            "status": "RUNNING" if status == "LOST" else status,
            "resources": [],
            "artifacts": artifacts,
            "result": result if done else None,
        }
        if fail_trace:
            run["fail_trace"] = fail_trace.splitlines(keepends=True)
        _write(folder / "run.json", run)
        _write(folder / "config.json", config)
        _write(folder / "info.json", info or {})
        _write(
            folder / "metrics.json",
            {
                name: {
                    "steps": [int(step) for step in steps],
                    "timestamps": [START.isoformat()] * len(steps),
                    "values": [None if v is None or not np.isfinite(v) else float(v) for v in values],
                }
                for name, (steps, values) in (curves or {}).items()
            },
        )
        (folder / "cout.txt").write_text(captured_out)

    def add_training(self, n_hidden, seed, level, n_epochs=30, batches=50, stop_reason="patience", noise=0.08, **more):
        """A run whose curves look like a real one's: from 0.6 down to `level`, the best some epochs before the end."""
        rng = np.random.default_rng([n_hidden, seed])
        epochs = np.arange(n_epochs + 1)
        wobble = np.exp(noise * rng.normal(size=(2, n_epochs + 1)))
        own = level * np.exp(0.15 * rng.normal())
        train = (0.9 * own + 0.6 * np.exp(-epochs / (2 + rng.random()))) * wobble[0]
        valid = (own + 0.6 * np.exp(-epochs / (2 + rng.random())) + own * (epochs / n_epochs) ** 4 * 0.4) * wobble[1]
        steps = epochs * batches
        best = int(np.argmin(valid))
        curves = {
            "train.loss": (steps[1:], train[1:]),
            "valid.loss": (steps, valid),
            "epoch": (steps, epochs),
            "examples": (steps, steps * 20),
            "seconds": (steps, epochs * (0.1 + 0.02 * rng.random())),
        }
        test = float(valid[best] * np.exp(0.05 * rng.normal()))
        result = {
            "n_epochs": n_epochs,
            "n_updates": int(steps[-1]),
            "best_epoch": best,
            "best_update": int(steps[best]),
            "train_loss": float(train[best]),
            "valid_loss": float(valid[best]),
            "test_loss": test,
            "test_mse": test,
            "test_mae": float(np.sqrt(test) * 0.8),
            "test_mse_mean_predictor": 0.487 * float(np.exp(0.01 * rng.normal())),
        }
        improvements = [
            {"update": int(steps[i]), "epoch": int(i), "valid_loss": float(valid[i])}
            for i in range(n_epochs + 1)
            if valid[i] == valid[: i + 1].min()
        ]
        info = {
            "early_stopping": {
                "rule": "patience",
                "reason": stop_reason,
                "message": f"no validation loss below {valid[best]:.6g} in {n_epochs - best} validations",
                "best_epoch": best,
                "best_update": int(steps[best]),
                "best_valid_loss": float(valid[best]),
                "improvements": improvements,
            },
            "environment": {"threads": 1, "python": "3.11.7", "cpus": 2},
        }
        config = {
            "seed": seed,
            "data": {"seed": None, "n_train": 1000},
            "task": {"n_steps": 10, "n_components": 2},
            "model": {"n_hidden": n_hidden, "activation": "tanh"},
            "training": {"optimizer": "sgd", "learning_rate": 0.01},
        }
        more = {"config": config, "result": result, "curves": curves, "info": info, **more}
        self.add(stop_reason=stop_reason, **more)

    def records(self):
        return FileStore(self.directory).find()


def _write(path: Path, value) -> None:
    path.write_text(json.dumps(value))


@pytest.fixture
def runs(tmp_path):
    """An empty store to add runs to."""
    return Runs(tmp_path / "runs")
