"""The only place where PyTensor graphs are compiled and called, with the settings that make this right for each dtype.

PyTensor sets JAX's process-wide 64-bit switch once, when its JAX linker is first imported. A graph of the other
precision would then silently be computed in the wrong one, so every call here sets the switch for itself.
"""

import atexit
import gc
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import ModuleType

import numpy as np

from rnnlab.errors import RnnlabError
from rnnlab.garbage import garbage_kept

# XLA reads the number of threads when its backend starts. The bits of large products depend on it.
os.environ["PJRT_NPROC"] = os.environ.get("PJRT_NPROC") or "1"


def _add_flag(variable: str, separator: str, name: str, flag: str) -> None:
    """Add a flag to those of an environment variable, unless one of that name is set there already."""
    flags = os.environ.get(variable, "")
    if name not in flags:
        os.environ[variable] = separator.join(filter(None, [flags, flag]))


# Each kernel that XLA starts inside a loop costs about 50 ns, and a step of a small network takes no longer. A loop
# without products of two matrices is compiled to one kernel if it reads fewer bytes than this; others never are.
_whole_loops = "xla_cpu_small_while_loop_byte_threshold=1000000000000"
_add_flag("XLA_FLAGS", " ", "xla_backend_extra_options", f"--xla_backend_extra_options={_whole_loops}")
# All graphs go to JAX: PyTensor need not look for a C++ compiler, which takes time, nor have one. Nor need it note for
# each variable which lines of Python made it, which takes a fifth of the time that a graph is built and rewritten.
_add_flag("PYTENSOR_FLAGS", ",", "cxx=", "cxx=")
_add_flag("PYTENSOR_FLAGS", ",", "traceback__limit=", "traceback__limit=0")
_add_flag("PYTENSOR_FLAGS", ",", "traceback__compile_limit=", "traceback__compile_limit=0")
# PyTensor's JAX backend imports JAX's sparse matrices, which takes a sixth of a second. No network has any.
sys.modules.setdefault("pytensor.link.jax.dispatch.sparse", ModuleType("pytensor.link.jax.dispatch.sparse"))

with garbage_kept():
    import jax

    _64_BIT_AT_IMPORT = jax.config.jax_enable_x64
    import pytensor
    import pytensor.link.jax.dispatch  # sets the switch
    from pytensor.compile.mode import get_mode
    from pytensor.graph.basic import Variable

jax.config.update("jax_enable_x64", _64_BIT_AT_IMPORT)
# Every result is waited for at once: another thread would only have to be woken to compute it.
jax.config.update("jax_cpu_enable_async_dispatch", False)

# A process that ends would search all that was imported for garbage, which takes a third of a second.
atexit.register(gc.freeze)

# There is nothing to be moved out of the loops over time, and looking for it takes a seventh of all rewriting.
JAX = get_mode("JAX").excluding("scan_pushout")


class CompiledFunction:
    """A pure function of arrays, compiled from a PyTensor graph.

    dtype: "float32" or "float64", the precision of the whole graph
    mode:  PyTensor's compilation mode; anything but "JAX" is for checking one backend against another
    """

    def __init__(self, inputs: Sequence[Variable], outputs: Sequence[Variable], dtype: str, mode: str = "JAX"):
        self._dtype = dtype
        self._is_traced = False
        with jax.enable_x64(dtype == "float64"):
            self._function = pytensor.function(
                list(inputs),
                list(outputs),
                mode=JAX if mode == "JAX" else mode,
                on_unused_input="ignore",
                trust_input=True,
            )

    def __call__(self, *arguments: np.ndarray | jax.Array) -> list[np.ndarray]:
        """The graph's outputs as NumPy arrays; returns when they have been computed."""
        with jax.enable_x64(self._dtype == "float64"):
            with nullcontext() if self._is_traced else _no_word_of_truncation():
                outputs = self._function(*arguments)
            self._is_traced = True
            return [np.asarray(output) for output in outputs]


@contextmanager
def _no_word_of_truncation() -> Iterator[None]:
    """XLA truncates the 64-bit indices that PyTensor writes in a float32 graph, which changes no result."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Explicitly requested dtype .* is not available")
        yield


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
