"""Learn the dot product of two streams: a recurrent network reads u[1], ..., u[T] and ends with sum_t prod_k u[t, k].

python experiments/dot_product.py                       splits, minibatches, early stopping
python experiments/dot_product.py with post             the 2013 blog post: batch size 1, 500,000 fresh sequences
python experiments/dot_product.py with model.n_hidden=50 training.optimizer=adam seed=1
python experiments/dot_product.py print_config          every key and its value
"""

from pathlib import Path

from sacred import Experiment

from rnnlab.script import run_script
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tracking import track

ROOT = Path(__file__).resolve().parents[1]

POST = {
    "data": {"n_train": 1000, "resample_each_epoch": True},
    "model": {
        "n_hidden": 20,
        "activation": "sigmoid",
        "initial_state": "zero",
        "initializer": "normal",
        "initializer_scale": 0.01,
        "recurrent_initializer": "normal",
        "recurrent_scale": 0.01,
    },
    "training": {
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "batch_size": 1,
        "max_epochs": 500,
        "validate_every": 5000,
        "log_updates": True,
    },
    "early_stopping": {"rule": "none"},
}


def build() -> Experiment:
    """A fresh Sacred experiment."""
    experiment = Experiment("dot_product", base_dir=ROOT, save_git_info=False)
    track(
        experiment,
        dot_product,
        data={"n_train": 2000, "n_valid": 500, "n_test": 1000},
        model={"n_hidden": 20, "activation": "tanh"},
        training={"optimizer": "adam", "learning_rate": 0.005, "batch_size": 20, "max_epochs": 200},
        early_stopping={"patience": 15},
    )
    experiment.add_named_config("post", POST)
    return experiment


if __name__ == "__main__":
    run_script(build())
