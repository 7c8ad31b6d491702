"""From an input series and an observed initial condition, predict a driven nonlinear system's outputs at all steps.

python experiments/noisy_series.py                      early stopping on a validation split
python experiments/noisy_series.py with small           too few sequences, no early stopping: overtraining
python experiments/noisy_series.py with small noisy_inputs      white noise on the inputs against it
"""

from pathlib import Path

from sacred import Experiment

from rnnlab.script import run_script
from rnnlab.tasks.noisy_series import noisy_series
from rnnlab.tracking import track

ROOT = Path(__file__).resolve().parents[1]

SMALL = {
    "task": {"noise_std": 0.6},
    "data": {"n_train": 20},
    "training": {"batch_size": 10, "max_epochs": 500},
    "early_stopping": {"rule": "none"},
}


def build() -> Experiment:
    """A fresh Sacred experiment."""
    experiment = Experiment("noisy_series", base_dir=ROOT, save_git_info=False)
    track(
        experiment,
        noisy_series,
        data={"n_train": 1000, "n_valid": 300, "n_test": 500, "standardise": True},
        model={"n_hidden": 64, "activation": "tanh", "initial_state": "mapped"},
        training={"optimizer": "adam", "learning_rate": 0.003, "batch_size": 20, "max_epochs": 200, "clip_norm": 1.0},
        early_stopping={"patience": 10},
    )
    experiment.add_named_config("small", SMALL)
    experiment.add_named_config("noisy_inputs", {"training": {"input_noise_std": 0.1}})
    return experiment


if __name__ == "__main__":
    run_script(build())
