"""Remember over long times: adding, multiplication, XOR, temporal order, memorisation, random permutation.

python experiments/long_memory.py                          temporal order, lengths 20 to 50: clipping and Omega
python experiments/long_memory.py with adding_lstm         adding at T = 100 with an LSTM
python experiments/long_memory.py with temporal_order_200  the published setting, lengths 50 to 200; takes hours
python experiments/long_memory.py with task.name=xor task.n_steps=50 model.readout=binary
python experiments/long_memory.py print_config             every key and its value
"""

from pathlib import Path

from sacred import Experiment

from rnnlab.script import run_script
from rnnlab.tasks.long_memory import long_memory
from rnnlab.tracking import track

ROOT = Path(__file__).resolve().parents[1]

# Hochreiter & Schmidhuber (1997, section 5.4) have T = 100, one to two memory blocks, and an error under 0.04.
ADDING_LSTM = {
    "task": {"name": "adding", "version": "hochreiter1997", "n_steps": [100, 110]},
    "model": {
        "cell": "lstm",
        "n_hidden": 30,
        "forget_bias": 5.0,  # a gate that at first forgets 1 in 150 keeps something over 100 steps
        "readout": "linear",
        "recurrent_initializer": "orthogonal",
    },
    "training": {"optimizer": "adam", "learning_rate": 0.003, "omega": 0.0, "max_epochs": 200},
    "early_stopping": {"patience": 30},
}

# Pascanu, Mikolov & Bengio (2013, section 4.1): 50 units, N(0, 0.1) weights, learning rate 0.01, clipping at 1, Omega
# with strength 4, batches of 20, at most 5 million updates.
TEMPORAL_ORDER_200 = {
    "task": {"name": "temporal_order", "n_steps": [50, 200]},
    "training": {"optimizer": "sgd", "learning_rate": 0.01, "clip_norm": 1.0, "omega": 4.0, "max_epochs": 50_000},
    "early_stopping": {"rule": "none"},
}


def build() -> Experiment:
    """A fresh Sacred experiment."""
    experiment = Experiment("long_memory", base_dir=ROOT, save_git_info=False)
    track(
        experiment,
        long_memory,
        data={"n_train": 2000, "n_valid": 1000, "n_test": 10_000, "resample_each_epoch": True},
        model={
            "n_hidden": 50,
            "activation": "tanh",
            "readout": "softmax",
            "initializer": "normal",
            "initializer_scale": 0.1,
            "recurrent_initializer": "normal",
            "recurrent_scale": 0.1,
        },
        training={
            "optimizer": "sgd",
            "learning_rate": 0.01,
            "batch_size": 20,
            "clip_norm": 1.0,
            "omega": 4.0,
            "max_epochs": 1000,
            "log_dynamics": True,
        },
        early_stopping={"patience": 200},
    )
    experiment.add_named_config("adding_lstm", ADDING_LSTM)
    experiment.add_named_config("temporal_order_200", TEMPORAL_ORDER_200)
    return experiment


if __name__ == "__main__":
    run_script(build())
