"""rnnlab: `rnnlab.run.run` on the config of the work."""

import time

import jax

from rnnlab import __version__
from rnnlab.config import merge_config
from rnnlab.run import run
from rnnlab.tasks.dot_product import dot_product

VERSION = f"rnnlab {__version__}, jax {jax.__version__}"


class Program:
    """A run orders its epochs by itself, with the seed in its config."""

    def __init__(self, settings, data, weights):
        self._config = settings["config"]

    def _run(self, n_epochs, stop_requested, log_updates=False):
        training = {"max_epochs": n_epochs, "log_updates": log_updates}
        return run(merge_config(self._config, {"training": training}), dot_product, stop_requested=stop_requested)

    def losses(self, orders, after_first):
        """The losses of all updates of as many epochs."""
        n_calls = 0

        def count():
            nonlocal n_calls
            n_calls += 1
            if n_calls == 1:
                after_first()

        return self._run(len(orders), count, log_updates=True).updates["loss"]

    def seconds(self, n_epochs):
        """The time that epochs take within a run, with all the host's work, between the first one and the last.

        The last one ends with a validation, which the other programs do not have.
        """
        ends = []
        self._run(n_epochs + 2, lambda: ends.append(time.perf_counter()))
        return ends[n_epochs] - ends[0]
