"""The only place where PyTensor graphs are compiled and called, with the settings that make this right for each dtype.

PyTensor sets JAX's process-wide 64-bit switch once, when its JAX linker is first imported. A graph of the other
precision would then silently be computed in the wrong one, so every call here sets the switch for itself.
"""

import atexit
import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import TypeVar

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
    from jax.stages import Lowered
    from pytensor.compile.mode import get_mode
    from pytensor.graph.basic import Variable
    from pytensor.graph.fg import FunctionGraph
    from pytensor.link.jax.dispatch import jax_funcify

    from rnnlab import kept_functions

jax.config.update("jax_enable_x64", _64_BIT_AT_IMPORT)
# Every result is waited for at once: another thread would only have to be woken to compute it.
jax.config.update("jax_cpu_enable_async_dispatch", False)

# A process that ends would search all that was imported for garbage, which takes a third of a second.
atexit.register(gc.freeze)

# There is nothing to be moved out of the loops over time, and looking for it takes a seventh of all rewriting.
JAX = get_mode("JAX").excluding("scan_pushout")

_IN_BACKGROUND = ThreadPoolExecutor(1, thread_name_prefix="rnnlab-compile")

Graph = tuple[Sequence[Variable], Sequence[Variable]]
Result = TypeVar("Result")


class CompiledFunction:
    """A pure function of arrays, compiled from a PyTensor graph.

    graph:    makes the symbolic inputs, all of static shapes, and outputs
    dtype:    "float32" or "float64", the precision of the whole graph
    mode:     PyTensor's compilation mode; anything but "JAX" is for checking one backend against another
    kept_as:  what determines the graph, besides the code of rnnlab and of its packages. What was compiled is then kept
              for other processes (`rnnlab.kept_functions`), and `graph` is called only if nothing has been there
              before. None: nothing is kept
    built_of: what was looked up by name to build the graph: functions, or dataclasses of functions and plain values.
              With a function from elsewhere than rnnlab and PyTensor nothing is kept
    """

    def __init__(
        self,
        graph: Callable[[], Graph],
        dtype: str,
        mode: str = "JAX",
        kept_as: object = None,
        built_of: Iterable[object] = (),
    ):
        self._dtype = dtype
        with jax.enable_x64(dtype == "float64"), garbage_kept():
            if mode != "JAX":
                self._function: Future[Callable] = _done(_by_pytensor(*graph(), mode))
                return
            key = None if kept_as is None else kept_functions.key_of((dtype, kept_as), built_of)
            kept = kept_functions.load(key)
            if kept is not None:
                self._function = _done(kept)
                return
            lowered = _lowered(*graph())
        # XLA needs nothing of Python: meanwhile, the next graph can be built.
        self._function = _in_background(lowered.compile)
        _in_background(lambda: kept_functions.keep(key, self._function.result()))

    def __call__(self, *arguments: np.ndarray | jax.Array) -> list[np.ndarray]:
        """The graph's outputs as NumPy arrays; returns when they have been computed."""
        with jax.enable_x64(self._dtype == "float64"):
            return [np.asarray(output) for output in self._function.result()(*arguments)]


def _by_pytensor(inputs: Sequence[Variable], outputs: Sequence[Variable], mode: str) -> Callable:
    return pytensor.function(list(inputs), list(outputs), mode=mode, on_unused_input="ignore", trust_input=True)


def _lowered(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Lowered:
    """The program for XLA."""
    graph = FunctionGraph(list(inputs), list(outputs), clone=True)
    JAX.optimizer.rewrite(graph)
    shapes = [jax.ShapeDtypeStruct(variable.type.shape, variable.type.dtype) for variable in graph.inputs]
    with warnings.catch_warnings():
        # XLA truncates the 64-bit indices that PyTensor writes in a float32 graph, which changes no result.
        warnings.filterwarnings("ignore", message="Explicitly requested dtype .* is not available")
        return jax.jit(jax_funcify(graph)).lower(*shapes)


def _in_background(job: Callable[[], Result]) -> Future[Result]:
    try:
        return _IN_BACKGROUND.submit(job)
    except RuntimeError:  # in a thread that goes on after the main one has ended
        return _done(job())


def _done(result: Result) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(result)
    return future


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
