"""The rnnlab command in this process, and runs to use it on."""

import sys
from dataclasses import dataclass

import numpy as np
import pytest

from rnnlab.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def rnnlab(monkeypatch, capsys):
    """Runs the command as the console does: `rnnlab("ls", "--json")`; lines are 80 letters wide."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["rnnlab", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def train(tracked_store, track, tmp_path):
    """Records a run that looks like a training: `train(n_hidden=20, seed=1)`."""

    def one(n_hidden=20, seed=0, loss=None, name="dot_product", **config):
        loss = 1 / n_hidden + seed / 1000 if loss is None else loss
        np.savez(tmp_path / "weights.npz", W=np.zeros(2))

        def main(_run):
            print(f"training {n_hidden} units")
            for epoch in range(5):
                _run.log_scalar("train.loss", loss + 0.5**epoch, 100 * epoch)
                _run.log_scalar("valid.loss", loss + 0.6**epoch, 100 * epoch)
            _run.info["early_stopping"] = {
                "rule": "patience",
                "reason": "patience",
                "message": "no validation loss below 0.1 in 3 validations",
                "improvements": [{"update": 100 * i, "epoch": i, "valid_loss": loss + 0.6**i} for i in range(5)],
            }
            _run.info["environment"] = {"threads": 1}
            _run.add_artifact(str(tmp_path / "weights.npz"))
            return {
                "stop_reason": "patience",
                "test_loss": loss,
                "valid_loss": loss + 0.01,
                "best_epoch": 4,
                "n_epochs": 4,
                "test_mse_mean_predictor": 0.5,
            }

        model = {"model": {"n_hidden": n_hidden, "cell": "elman"}, "seed": seed, **config}
        return track(tracked_store.observer(), main, model, name)

    return one


@pytest.fixture
def address(tracked_store):
    return tracked_store.address


@pytest.fixture
def fail(tracked_store, track):
    """Records a run that fails: `fail("no luck")`."""

    def one(words, **config):
        def main(_run):
            raise RuntimeError(words)

        return track(tracked_store.observer(), main, config, "dot_product")

    return one
