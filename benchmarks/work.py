"""The work that all programs are given: one network on the dot product, with its data and initial weights."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.config import Config, default_config, merge_config
from rnnlab.random_streams import stream
from rnnlab.run import run
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.minibatches import minibatch_order
from rnnlab.tasks.splits import generate_splits

NAMES = ("W_uh", "W_hh", "b_hh", "W_hy", "b_hy")
CHECKED_UPDATES = 200
N_MINIBATCHES = 40  # at batch sizes above 1


@dataclass(frozen=True)
class Work:
    """Updates by SGD in float32 on the squared error of the last state's readout, two inputs, one output.

    An epoch has `n_minibatches` updates, each with sequences of its own.
    """

    n_hidden: int
    n_steps: int = 10
    batch_size: int = 1
    cell: str = "elman"
    activation: str = "tanh"
    n_minibatches: int = N_MINIBATCHES

    @property
    def name(self) -> str:
        """Such as `elman tanh, H=20, T=10, batch 1`."""
        kind = self.cell if self.cell != "elman" else f"elman {self.activation}"
        return f"{kind}, H={self.n_hidden}, T={self.n_steps}, batch {self.batch_size}"

    @property
    def learning_rate(self) -> float:
        """The post's 0.01 for its network; less for more steps, whose sums are larger, and for more units."""
        return 2 / (self.n_steps * self.n_hidden)

    def config(self) -> Config:
        """The same work as a config of rnnlab; it validates at the beginning and at the end only."""
        return default_config(
            dot_product,
            task={"n_steps": self.n_steps},
            data={"n_train": self.n_minibatches * self.batch_size, "n_valid": 1, "n_test": 1},
            model={"cell": self.cell, "n_hidden": self.n_hidden, "activation": self.activation},
            training={
                "optimizer": "sgd",
                "learning_rate": self.learning_rate,
                "batch_size": self.batch_size,
                "validate_every": 10**9,
            },
            early_stopping={"rule": "none"},
        )


def initial_weights(config: Config) -> dict[str, np.ndarray]:
    """The weights with which a run of this config begins, by name without the layer: W_uh, W_hh, b_hh, W_hy, b_hy.

    The columns of an LSTM's W_uh, W_hh and b_hh are those of its gates i, f, g, o.
    """
    weights = run(merge_config(config, {"training": {"max_epochs": 0}}), dot_product).weights
    return {name.split(".")[1]: weights[name] for name in weights if name.split(".")[1] in NAMES}


def checked_orders(work: Work, seed: int) -> np.ndarray:
    """The minibatches of the first epochs of a run, until CHECKED_UPDATES updates are made.

    Shape (n_epochs, n_minibatches, batch_size), int32.
    """
    n_sequences = work.n_minibatches * work.batch_size
    n_epochs = -(-CHECKED_UPDATES // work.n_minibatches)
    streams = [stream(seed, "minibatches", epoch) for epoch in range(n_epochs)]
    return np.stack([minibatch_order(rng, n_sequences, work.batch_size) for rng in streams])


def write(work: Work, path: Path) -> None:
    """Write all that a program needs to one file, which any version of Python can read with NumPy."""
    config = work.config()
    train = generate_splits(dot_product, config["task"], config["seed"], config["data"]["n_train"], 1, 1).train
    settings: dict[str, Any] = {
        "cell": work.cell,
        "activation": work.activation,
        "n_hidden": work.n_hidden,
        "n_steps": work.n_steps,
        "batch_size": work.batch_size,
        "learning_rate": work.learning_rate,
        "checked": CHECKED_UPDATES,
        "config": config,
    }
    np.savez(
        path,
        settings=np.array(json.dumps(settings)),
        inputs=train.inputs.astype("float32"),
        targets=train.targets.astype("float32"),
        orders=checked_orders(work, config["seed"]),
        **initial_weights(config),
    )
