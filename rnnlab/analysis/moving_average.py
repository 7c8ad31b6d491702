"""The moving average of the error over all updates of a run, thinned for drawing."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnnlab.analysis.groups import AnalysisError
from rnnlab.store.record import RunRecord


@dataclass(frozen=True)
class MovingAverage:
    """What is drawn: the extremes of the moving average, and its mean in as many equal stretches of the run.

    updates, averages:   (at most 2 n_bins,), the least and the greatest average of each stretch
    mean_updates, means: (n_stretches,), the middle of each stretch and the mean error in it
    """

    updates: np.ndarray
    averages: np.ndarray
    mean_updates: np.ndarray
    means: np.ndarray


def extract_moving_average(
    record: RunRecord, keep: float = 0.9, n_bins: int = 1500, n_stretches: int = 250
) -> MovingAverage:
    """The moving average m[k] = keep m[k-1] + (1 - keep) |e[k]|, m[1] = |e[1]|, at the updates k = 1, 2, ...

    |e[k]| is the mean absolute error of the minibatch of update k, as kept in `updates.npz`. The average is as in the
    figure of T. Ramalho, "Implementing a recurrent neural network in python" (2013). Raises AnalysisError for a run
    that kept no log of its updates.
    """
    if "updates.npz" not in record.artifacts:
        raise AnalysisError(f"run {record.run_id} kept no log of every update: run it with training.log_updates=True")
    errors = np.asarray(record.updates()["absolute_error"], dtype=float)
    if len(errors) == 0:
        raise AnalysisError(f"run {record.run_id} made no update: there is nothing to draw")
    from scipy.signal import lfilter  # loads slowly, and few pictures need it

    averages, _ = lfilter([1 - keep], [1, -keep], errors, zi=[keep * errors[0]])
    kept = extremes(averages, n_bins)
    stretches = np.array_split(np.arange(1.0, len(errors) + 1), min(n_stretches, len(errors)))
    return MovingAverage(
        updates=kept + 1.0,
        averages=averages[kept],
        mean_updates=np.array([stretch.mean() for stretch in stretches]),
        means=np.array([part.mean() for part in np.array_split(errors, len(stretches))]),
    )


def extremes(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Indices, ascending, of the least and the greatest value in each of `n_bins` equal stretches, and of both ends.

    Drawn as a line they cover what all the values would: thinning by every n-th one would hide the spread. All indices
    are kept where there are not more than two a bin.
    """
    if len(values) <= 2 * n_bins:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), n_bins + 1).astype(int)
    kept = {0, len(values) - 1}
    for start, end in pairwise(edges):
        kept.add(start + int(np.argmin(values[start:end])))
        kept.add(start + int(np.argmax(values[start:end])))
    return np.array(sorted(kept))
