"""How much memory a run needs at least, and whether there is so much: if not, it is an error before any work starts."""

import math
import os
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.evaluation.prediction import architecture_for
from rnnlab.models.network import Architecture
from rnnlab.tasks.sequences import Sequences
from rnnlab.training.optimizers import OPTIMIZERS

LIMIT_VARIABLE = "RNNLAB_MEMORY_GB"
GB = 10**9

# Where Linux says how much a container may use, in its two generations.
_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_limit() -> int:
    """How many bytes a run may need: what RNNLAB_MEMORY_GB says, or else all that this machine or container has.

    Raises RnnlabError if RNNLAB_MEMORY_GB is no positive number.
    """
    given = os.environ.get(LIMIT_VARIABLE)
    if given:
        try:
            gigabytes = float(given)
        except ValueError:
            gigabytes = 0.0
        if not 0 < gigabytes < float("inf"):
            raise RnnlabError(f"{LIMIT_VARIABLE} = {given!r}: must be a number of gigabytes above 0")
        return int(gigabytes * GB)
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CONTAINER_LIMITS:
        with suppress(OSError, ValueError):  # not there, or "max"
            limits.append(int(path.read_text()))
    return min(limits)


def check_memory(config: Mapping[str, Any], one: Sequences) -> None:
    """Raise ConfigError, naming the config key that asks for most, if the run needs more memory than `memory_limit()`.

    one: a single sequence of the task

    Counted is only what is there at the same time in any case: the sequences, the weights with what training keeps
    beside them, and the hidden states of one minibatch. A run that passes may still need more than there is.
    """
    needs = [_weights(config, one), _data(config, one), _states(config, one)]
    total, limit = sum(n_bytes for n_bytes, _, _ in needs), memory_limit()
    if total > limit:
        n_bytes, key, what = max(needs)
        section, name = key.split(".")
        raise ConfigError(
            key,
            f"{key} = {config[section][name]}: the run needs at least {_gigabytes(total)} of memory, "
            f"{_gigabytes(n_bytes)} of it for {what}; "
            f"here it may take {_gigabytes(limit)} ({LIMIT_VARIABLE} sets that)",
        )


@contextmanager
def bounded_memory(n_bytes: int) -> Iterator[None]:
    """Inside the `with` block no more than so many bytes can be added to what the process has: MemoryError then.

    Only on Linux, which tells how much a process has; elsewhere there is no bound.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        yield
        return
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    bound = pages * os.sysconf("SC_PAGE_SIZE") + n_bytes
    bounds = [bound, *(each for each in (before, most) if each != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(bounds), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


def _weights(config: Mapping[str, Any], one: Sequences) -> tuple[int, str, str]:
    """Initial weights in float64; and in the run's precision those before and after the update, the gradient, the best
    ones, and the optimizer's state.
    """
    model = config["model"]
    architecture = architecture_for(model, one)
    # Every layer above the first has as many parameters as the second.
    first, second = (_n_parameters(replace(architecture, n_layers=n_layers)) for n_layers in (1, 2))
    n_parameters = first + (model["n_layers"] - 1) * (second - first)
    copies = 4 + len(OPTIMIZERS[config["training"]["optimizer"]].slots)
    n_bytes = n_parameters * (8 + copies * np.dtype(config["dtype"]).itemsize)
    name = "n_layers" if model["n_layers"] > model["n_hidden"] else "n_hidden"
    return n_bytes, f"model.{name}", f"{n_parameters:,} parameters and the state of training"


def _n_parameters(architecture: Architecture) -> int:
    # Python's whole numbers: NumPy's would overflow.
    return sum(math.prod(shape) for shape in architecture.parameter_shapes().values())


def _data(config: Mapping[str, Any], one: Sequences) -> tuple[int, str, str]:
    """The sequences of all splits, as the task makes them, and the training ones in the run's precision."""
    sizes = {name: config["data"][name] for name in ("n_train", "n_valid", "n_test")}
    arrays = [one.inputs, one.targets, one.mask, one.initial, one.clean_targets]
    each = sum(array.nbytes for array in arrays if array is not None)
    trained_on = (one.inputs.size + one.targets.size) * np.dtype(config["dtype"]).itemsize
    n_bytes = sum(sizes.values()) * each + sizes["n_train"] * trained_on
    largest = max(sizes, key=lambda name: sizes[name])
    return n_bytes, f"data.{largest}", f"{sum(sizes.values()):,} sequences of {one.n_steps:,} steps"


def _states(config: Mapping[str, Any], one: Sequences) -> tuple[int, str, str]:
    """The hidden states of a minibatch, which the way back through time needs."""
    model, batch_size = config["model"], min(config["training"]["batch_size"], config["data"]["n_train"])
    n_states = batch_size * one.n_steps * model["n_layers"] * model["n_hidden"]
    what = f"the hidden states of a minibatch over {one.n_steps:,} steps"
    return n_states * np.dtype(config["dtype"]).itemsize, "training.batch_size", what


def _gigabytes(n_bytes: int) -> str:
    return "more than a million GB" if n_bytes > 10**6 * GB else f"{n_bytes / GB:,.1f} GB"
