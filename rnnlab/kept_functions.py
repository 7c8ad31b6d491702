"""Compiled functions kept from one process to the next: a function is built, rewritten and compiled once.

The key holds all that the compiled code depends on: what determines the graph, the sources of rnnlab, the versions of
the packages, the settings of JAX, XLA and PyTensor, and the processor. Not noticed is only what a program replaces in
rnnlab's modules while it runs. Imported by `rnnlab.compiled`, which makes these settings.
"""

import hashlib
import logging
import os
import pickle
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np
import pytensor
import pytensor.tensor as pt
from jax.experimental.serialize_executable import deserialize_and_load, serialize
from jax.stages import Compiled

import rnnlab
from rnnlab import file_cache

_SECONDS_OF_DOUBT = 2  # about the clock by which files are dated

logger = logging.getLogger("rnnlab")


def key_of(determined_by: object, built_of: Iterable[object]) -> str | None:
    """The key of a function whose graph is determined by what `repr` tells of an object, and of what it is built of.

    built_of: functions, or dataclasses of functions and plain values

    None, so that nothing is kept, where one of the functions comes from elsewhere than rnnlab or PyTensor, or where
    rnnlab's sources changed since this process began to import them.
    """
    sources = _sources()
    parts = [_described(part) for part in built_of]
    if sources is None or None in parts:
        return None
    packages = (sys.version, jax.__version__, jaxlib.__version__, pytensor.__version__, np.__version__)
    settings = (
        [os.environ.get(name) for name in ("PJRT_NPROC", "XLA_FLAGS")],
        sorted(jax.config.values.items()),
        [(name, getattr(pytensor.config, name)) for name in _pytensor_settings()],
    )
    devices = [(device.platform, device.device_kind) for device in jax.devices()]
    return repr((determined_by, parts, sources, packages, settings, devices, _processor()))


def load(key: str | None) -> Compiled | None:
    """The function kept under a key, None if there is none that can be loaded.

    JAX keeps a function by pickling it, and to load it runs what it finds: `file_cache` finds only this user's files.
    """
    content = None if key is None else file_cache.load(key)
    if content is None:
        return None
    try:
        return deserialize_and_load(*pickle.loads(content))
    except Exception as error:  # noqa: BLE001  (whatever JAX may raise, it can be compiled anew)
        logger.debug("a compiled function that was kept cannot be loaded: %s", error)
        return None


def keep(key: str | None, compiled: Compiled) -> None:
    """Keep a function under a key, if it can be kept."""
    if key is None:
        return
    try:
        file_cache.keep(key, pickle.dumps(serialize(compiled)))
    except Exception as error:  # noqa: BLE001  (whatever JAX may raise, this process has the function)
        logger.debug("a compiled function cannot be kept: %s", error)


def _pytensor_settings() -> list[str]:
    # Those of a BLAS, which no function here is linked to, are looked for when they are read, with a warning.
    return sorted(name for name in pytensor.config._config_var_dict if not name.startswith("blas__"))


def _described(part: Any) -> str | None:
    """A function's name, or that of a dataclass's functions with its values; None if one is known by no name."""
    if is_dataclass(part):
        values = [_described(getattr(part, field.name)) for field in fields(part)]
        return None if None in values else repr((type(part).__name__, values))
    return _name(part) if callable(part) else repr(part)


def _name(function: Callable) -> str | None:
    """The name by which a module of rnnlab, or `pytensor.tensor`, has this very function."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    homes = [pt] if module is None or module.__name__.partition(".")[0] != "rnnlab" else [module]
    for home in homes:
        for name, value in vars(home).items():
            if value is function:
                return f"{home.__name__}.{name}"
    return None


def _sources() -> str | None:
    """The checksum of all sources of rnnlab, None if they are not those that this process imported."""
    root = Path(rnnlab.__file__).parent
    try:
        paths = sorted(root.rglob("*.py"))
        if not paths or os.stat(root).st_ino != rnnlab.IMPORTED_FROM:
            return None
        for path in paths:
            status = path.stat()
            if max(status.st_mtime, status.st_ctime) > rnnlab.IMPORTED_AT - _SECONDS_OF_DOUBT:
                return None
        return _checksum(tuple(paths))
    except OSError:  # they change at this very moment
        return None


@cache
def _checksum(paths: tuple[Path, ...]) -> str:
    checksum = hashlib.sha256()
    for path in paths:
        checksum.update(path.read_bytes())
    return checksum.hexdigest()


@cache
def _processor() -> str:
    """The kind of processor with the instructions that it has, as far as the system says so."""
    try:
        with open("/proc/cpuinfo") as file:
            described = file.read(8192).split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(line for line in described if line.startswith(("model", "flags", "Features", "CPU")))
