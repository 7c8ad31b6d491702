"""One program on one piece of work, in a process of its own: `python serve.py PROGRAM WORK.npz`.

PROGRAM names a module of this folder with `VERSION` and `Program(settings, data, weights)`, whose method `train(order)`
makes one update for each row of `order` (n_minibatches, batch_size) and returns their losses. A program that orders its
epochs by itself has the methods of `Epochs` instead. The process prints one JSON object a line: when the first call has
returned `{"first": true}`; then the losses of the first updates, or null where there are none; and from then on the
answer to each line N that it reads: the seconds that N epochs took, each in a fresh order.

Written for Python 3.8 and later.
"""

import importlib
import json
import sys
import time

import numpy as np


def say(**words):
    """One line to the process that started this one."""
    print(json.dumps(words), flush=True)


def peak_megabytes():
    """The largest resident set of this process so far; None where the system does not say."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


class Epochs:
    """Epochs of a program that is told the order of each."""

    def __init__(self, program, n_sequences):
        self._program, self._n_sequences = program, n_sequences
        self._rng = np.random.default_rng(1)

    def losses(self, orders, after_first):
        """The losses of all updates in these orders; `after_first` is called when the first call has returned."""
        losses = []
        for order in orders:
            losses.append(np.asarray(self._program.train(order), dtype=float).ravel())
            if len(losses) == 1:
                after_first()
        self._shape = orders[0].shape
        return np.concatenate(losses)

    def seconds(self, n_epochs):
        """The time that this many epochs take."""
        started = time.perf_counter()
        for _ in range(n_epochs):
            self._program.train(self._rng.permutation(self._n_sequences).astype("int32").reshape(self._shape))
        return time.perf_counter() - started


def main(name, path):
    """Build the program, make the updates that are checked, and then time what is asked for."""
    module = importlib.import_module(name)
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    settings, orders = json.loads(str(arrays.pop("settings"))), arrays.pop("orders")
    data = (arrays.pop("inputs"), arrays.pop("targets"))
    program = module.Program(settings, data, arrays)
    epochs = program if hasattr(program, "seconds") else Epochs(program, len(data[0]))
    losses = epochs.losses(orders, lambda: say(first=True))
    checked = None if losses is None else losses[: settings["checked"]].tolist()
    say(losses=checked, version=module.VERSION)
    for line in sys.stdin:
        say(seconds=epochs.seconds(int(line)), megabytes=peak_megabytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
