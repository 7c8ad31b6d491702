"""The moving average of the error over all updates of a run, thinned for drawing."""

from itertools import pairwise

import numpy as np

from rnnlab.analysis.groups import AnalysisError
from rnnlab.store.record import RunRecord


def extract_moving_average(record: RunRecord, keep: float = 0.9, n_bins: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """(updates, m), each (at most 2 n_bins,): m[k] = keep m[k-1] + (1 - keep) |e[k]|, m[1] = |e[1]|, k = 1, 2, ...

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
    return kept + 1.0, averages[kept]


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
