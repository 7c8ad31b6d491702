"""The only place where PyTensor graphs are compiled and called, with the settings that make this right for each dtype.

PyTensor sets JAX's process-wide 64-bit switch once, when its JAX linker is first imported. A graph of the other
precision would then silently be computed in the wrong one, so every call here sets the switch for itself.
"""

import gc
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

# XLA reads the number of threads when its backend starts. The bits of large products depend on it.
os.environ["PJRT_NPROC"] = os.environ.get("PJRT_NPROC") or "1"
# Each kernel that XLA starts inside a loop costs about 50 ns, and a step of a small network takes no longer. A loop
# without products of two matrices is compiled to one kernel if it reads fewer bytes than this; others never are.
if "xla_backend_extra_options" not in os.environ.get("XLA_FLAGS", ""):
    whole_loops = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000000"
    os.environ["XLA_FLAGS"] = " ".join(filter(None, [os.environ.get("XLA_FLAGS"), whole_loops]))
# All graphs go to JAX: PyTensor need not look for a C++ compiler, which takes time, nor have one.
if "cxx=" not in os.environ.get("PYTENSOR_FLAGS", ""):
    os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, [os.environ.get("PYTENSOR_FLAGS"), "cxx="]))

import jax
import pytensor
from pytensor.graph.basic import Variable

from rnnlab.errors import RnnlabError

_64_BIT_AT_IMPORT = jax.config.jax_enable_x64
import pytensor.link.jax.dispatch  # noqa: E402  (sets the switch)

jax.config.update("jax_enable_x64", _64_BIT_AT_IMPORT)


class CompiledFunction:
    """A pure function of arrays, compiled from a PyTensor graph.

    dtype: "float32" or "float64", the precision of the whole graph
    mode:  PyTensor's compilation mode; anything but "JAX" is for checking one backend against another
    """

    def __init__(self, inputs: Sequence[Variable], outputs: Sequence[Variable], dtype: str, mode: str = "JAX"):
        self._dtype = dtype
        with jax.enable_x64(dtype == "float64"):
            self._function = pytensor.function(
                list(inputs), list(outputs), mode=mode, on_unused_input="ignore", trust_input=True
            )

    def __call__(self, *arguments: np.ndarray | jax.Array) -> list[np.ndarray]:
        """The graph's outputs as NumPy arrays; returns when they have been computed."""
        with jax.enable_x64(self._dtype == "float64"), warnings.catch_warnings():
            # XLA truncates the 64-bit indices that PyTensor writes in a float32 graph, which changes no result.
            warnings.filterwarnings("ignore", message="Explicitly requested dtype .* is not available")
            return [np.asarray(output) for output in self._function(*arguments)]


@contextmanager
def garbage_kept() -> Iterator[None]:
    """Keep Python's collector from searching a graph while it is built and rewritten, which takes it 1.4 times as long.

    A graph is a great many small objects that refer to each other, and hardly any of them is garbage before the end.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def to_device(array: np.ndarray, dtype: str) -> jax.Array:
    """An array in the given precision, handed to the device once for the many calls that share it."""
    with jax.enable_x64(dtype == "float64"):
        return jax.device_put(np.asarray(array, dtype))


def thread_count() -> int:
    """The number of threads that XLA uses in this process; raises RnnlabError if PJRT_NPROC names none."""
    threads = os.environ["PJRT_NPROC"]
    if not (threads.isascii() and threads.isdigit() and int(threads) >= 1):
        raise RnnlabError(f"PJRT_NPROC = {threads!r}: the number of threads must be a whole number of at least 1")
    return int(threads)
