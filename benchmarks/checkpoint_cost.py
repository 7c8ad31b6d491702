"""What checkpoints cost: the time to save one, and its share of training at the default interval of 30 s.

python benchmarks/checkpoint_cost.py [--folder DIR]     DIR: on the disk to measure; by default the temporary folder

For each size of run, the state as it is at the end of training is saved again and again; the share is that of the
default interval, in which one is saved. What is printed is in milliseconds: the median, and the slowest.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from rnnlab.models.network import Architecture
from rnnlab.training.checkpoint import Checkpoints
from rnnlab.training.early_stopping import EarlyStopping, StoppingRule
from rnnlab.training.epoch import UpdateLog
from rnnlab.training.state import TrainingState

INTERVAL = 30.0  # seconds: the default of checkpoint.every_seconds
REPEATS = 15

# name, hidden units, layers, validations so far, updates in updates.npz
SIZES = [
    ("dot product: 20 units", 20, 1, 200, 0),
    ("the post: every update logged", 20, 1, 100, 500_000),
    ("as many validations as can be", 20, 1, 10_000, 0),
    ("large: 3 layers of 500 units", 500, 3, 1_000, 0),
]
METRICS = ("valid.loss", "train.loss", "train.grad_norm", "learning_rate", "epoch", "examples", "seconds")


def state_of(n_hidden: int, n_layers: int, n_validations: int, n_updates: int) -> TrainingState:
    """A state of that size, trained with Adam, in float32."""
    architecture = Architecture(
        n_in=2,
        n_out=1,
        n_hidden=n_hidden,
        n_layers=n_layers,
        cell="elman",
        activation="tanh",
        initial_state="zero",
        n_initial=0,
        every_state=False,
    )
    rng = np.random.default_rng(0)
    shapes = architecture.parameter_shapes()
    arrays = {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    slots = {f"{slot}.{name}": array for slot in ("mean", "square") for name, array in arrays.items()}
    history = [(step, {name: float(rng.random()) for name in METRICS}) for step in range(n_validations)]
    values = rng.random(n_updates).astype("float32")
    return TrainingState(
        arrays,
        slots,
        best_parameters=arrays,
        stopping=EarlyStopping(StoppingRule("patience", 10, 0.0, 1, 1.0, 1.0)),
        update_logs=[UpdateLog(values, values, values)] if n_updates else [],
        history=history,
    )


def milliseconds_to_save(state: TrainingState, folder: Path) -> list[float]:
    """How long each save took, from arrays in memory to a file that survives a power cut."""
    checkpoints = Checkpoints(folder / "bench.npz", {}, every_seconds=0)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        checkpoints.save(state, stopping=False)
        times.append(1000 * (time.perf_counter() - started))
    return times


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="where to write; default: the system's temporary folder")
    options = parser.parse_args()
    print(f"{'run':32} {'file':>9} {'median':>9} {'slowest':>9} {'share of training':>18}")
    for name, *size in SIZES:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            times = milliseconds_to_save(state_of(*size), Path(folder))
            megabytes = (Path(folder) / "bench.npz").stat().st_size / 1e6
        median = float(np.median(times))
        print(f"{name:32} {megabytes:6.2f} MB {median:6.1f} ms {max(times):6.1f} ms {median / 1000 / INTERVAL:18.3%}")


if __name__ == "__main__":
    main()
