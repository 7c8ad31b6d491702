"""Compiled functions kept from one process to the next: a function is built, rewritten and compiled once.

The key holds all that the compiled code depends on: what determines the graph, the sources of rnnlab, the versions of
the packages, the settings of JAX, XLA and PyTensor, and the processor. Imported by `rnnlab.compiled`, which makes these
settings.
"""

import hashlib
import os
import pickle
import platform
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import jax
import jaxlib
import numpy as np
import pytensor
from jax.experimental.serialize_executable import deserialize_and_load, serialize
from jax.stages import Compiled

import rnnlab
from rnnlab import file_cache

_SETTINGS = ("PJRT_NPROC", "XLA_FLAGS", "PYTENSOR_FLAGS")


def key(determined_by: object, built_of: Iterable[Callable]) -> str | None:
    """The key of a function whose graph is determined by what `repr` tells of an object, and of the functions in it.

    None, so that nothing is kept, where one of the functions comes from elsewhere than rnnlab or PyTensor, or where
    rnnlab's sources changed since this process began to import them.
    """
    sources = _sources()
    if sources is None or not all(map(_is_known, built_of)):
        return None
    packages = (sys.version, jax.__version__, jaxlib.__version__, pytensor.__version__, np.__version__)
    settings = [os.environ.get(name) for name in _SETTINGS]
    rewrites = (pytensor.config.optimizer, pytensor.config.optimizer_including, pytensor.config.optimizer_excluding)
    switches = sorted(jax.config.values.items())
    return repr((determined_by, sources, packages, settings, rewrites, switches, _processor()))


def load(key: str | None) -> Compiled | None:
    """The function kept under a key, None if there is none."""
    content = None if key is None else file_cache.load(key)
    return None if content is None else deserialize_and_load(*pickle.loads(content))


def keep(key: str | None, compiled: Compiled) -> Compiled:
    """Keep a function under a key, and return it."""
    if key is not None:
        file_cache.keep(key, pickle.dumps(serialize(compiled)))
    return compiled


def _is_known(function: Callable) -> bool:
    module = getattr(function, "__module__", None) or type(function).__module__
    return module.partition(".")[0] in ("rnnlab", "pytensor")


def _sources() -> str | None:
    """The checksum of all sources of rnnlab, None if they are not those that this process imported."""
    checksum = hashlib.sha256()
    for path in sorted(Path(rnnlab.__file__).parent.rglob("*.py")):
        status = path.stat()
        if max(status.st_mtime, status.st_ctime) >= rnnlab.IMPORTED_AT:
            return None
        checksum.update(path.read_bytes())
    return checksum.hexdigest()


def _processor() -> str:
    """The kind of processor with the instructions that it has, as far as the system says so."""
    try:
        with open("/proc/cpuinfo") as file:
            described = file.read(8192).split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(line for line in described if line.startswith(("model", "flags", "Features", "CPU")))
