"""From the past months' sea surface temperatures of four regions of the Pacific, predict next month's of all four.

python experiments/sea_surface.py                       windows of 12 months, early stopping
python experiments/sea_surface.py with task.n_steps=24 data.n_train=420
"""

from pathlib import Path

from sacred import Experiment

from rnnlab.script import run_script
from rnnlab.tasks.series import Series
from rnnlab.tracking import track

ROOT = Path(__file__).resolve().parents[1]

SEA_SURFACE = Series(
    ROOT / "datasets" / "pacific_sea_surface_temperature.csv", ("nino1+2", "nino3", "nino4", "nino3.4"), season=12
)


def build() -> Experiment:
    """A fresh Sacred experiment."""
    experiment = Experiment("sea_surface", base_dir=ROOT, save_git_info=False)
    track(
        experiment,
        SEA_SURFACE,
        task={"n_steps": 12},
        data={"n_train": 456, "n_valid": 120, "n_test": 120, "standardise": True},
        model={"n_hidden": 20, "activation": "tanh"},
        training={
            "optimizer": "adam",
            "learning_rate": 0.003,
            "batch_size": 20,
            "max_epochs": 300,
            "clip_norm": 1.0,
            "l2": {"W_uh": 0.001, "W_hh": 0.001, "W_hy": 0.001},
        },
        early_stopping={"patience": 20},
    )
    return experiment


if __name__ == "__main__":
    run_script(build())
