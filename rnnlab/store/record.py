"""A run read back from a store: what it was asked to do, how it went, and what it made."""

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnnlab.errors import StoreError

# Metrics that say how fast the machine was, not what the run did.
WALL_CLOCK_METRICS = ("seconds",)

# Parts of `info` that say where a run was made and in how many goes, not what it did.
NO_DEEDS = ("environment", "resumed_from")

# What zipfile and numpy raise for a damaged .npz, depending on where it is damaged.
_DAMAGED_ARRAYS = (
    *(ValueError, TypeError, KeyError, EOFError, OSError, SyntaxError, ArithmeticError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


class Curve(NamedTuple):
    """One metric over a run: `steps` (n,) int64 and `values` (n,) float64, NaN where the value was not finite."""

    steps: np.ndarray
    values: np.ndarray


def _no_artifact(name: str) -> bytes:
    raise StoreError(f"artifact {name!r} is not at hand")


@dataclass(frozen=True)
class Contents:
    """How to read what a record leaves in its store until somebody asks; each raises StoreError for what is damaged."""

    info: Callable[[], dict[str, Any]] = dict
    sources: Callable[[], dict[str, str]] = dict
    fail_trace: Callable[[], str | None] = lambda: None
    curves: Callable[[], dict[str, Curve]] = dict
    captured_out: Callable[[], str] = str
    artifact: Callable[[str], bytes] = _no_artifact
    source: Callable[[str], bytes | None] = lambda path: None


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A run as its store holds it. Values are plain JSON: numbers (a NaN reads as None), texts, lists, dicts.

    status:       RUNNING, COMPLETED, FAILED, INTERRUPTED, QUEUED, or another of Sacred's; LOST for a run that says
                  RUNNING but gave no sign of life for three heartbeats; DAMAGED if it cannot be read, and then `damage`
                  says why
    config:       nested; result: flat, or None if there is none yet
    start_time, stop_time, heartbeat: in UTC, timezone-aware
    packages:     {name: version}; repositories: [{"url", "commit", "dirty"}]; resources: {path: md5}
    artifacts:    the names, sorted

    The rest is read from the store when first asked for, and raises StoreError if it is damaged there: `info`,
    `sources` ({path: md5}), `source(path)`, `fail_trace`, `curves`, `captured_out`, `artifact(name)`, `weights()` and
    `updates()`.

    Records are equal if the runs did the same: experiment, status, config, result, info, sources, packages, names of
    artifacts and curves, the metric `seconds` apart. When, where and under which id they ran does not count.
    """

    run_id: str
    experiment: str
    status: str
    config: dict[str, Any]
    result: dict[str, Any] | None = None
    start_time: datetime | None = None
    stop_time: datetime | None = None
    heartbeat: datetime | None = None
    host: dict[str, Any] = field(default_factory=dict, repr=False)
    meta: dict[str, Any] = field(default_factory=dict, repr=False)
    packages: dict[str, str] = field(default_factory=dict, repr=False)
    repositories: list[dict[str, Any]] = field(default_factory=list, repr=False)
    resources: dict[str, str] = field(default_factory=dict, repr=False)
    artifacts: tuple[str, ...] = ()
    damage: str | None = None
    contents: Contents = field(default_factory=Contents, repr=False)

    @cached_property
    def flat_config(self) -> dict[str, Any]:
        """The config by dotted key, such as `model.n_hidden`; lists are tuples, so that every value can be compared."""
        return flatten_config(self.config)

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the run noted besides its curves, such as `early_stopping`."""
        return self.contents.info()

    @cached_property
    def sources(self) -> dict[str, str]:
        """{path of a source file: md5 of its content}."""
        return self.contents.sources()

    @cached_property
    def fail_trace(self) -> str | None:
        """The traceback of a failed run."""
        return self.contents.fail_trace()

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """{metric: curve}, the names sorted."""
        return self.contents.curves()

    @cached_property
    def captured_out(self) -> str:
        """What the run printed."""
        return self.contents.captured_out()

    def artifact(self, name: str) -> bytes:
        """The content of an artifact; raises StoreError if the run has none of that name."""
        if name not in self.artifacts:
            there = ", ".join(self.artifacts) or "none"
            raise StoreError(f"run {self.run_id} has no artifact {name!r}; it has: {there}")
        return self.contents.artifact(name)

    def source(self, path: str) -> bytes | None:
        """The content of a source file as it ran, by its path in `sources`; None where the store does not hold it."""
        return self.contents.source(path)

    def weights(self) -> dict[str, np.ndarray]:
        """The run's best weights and its scaling, by name."""
        return self._arrays("weights.npz")

    def updates(self) -> dict[str, np.ndarray]:
        """What was logged at every update, by name, each (n_updates,)."""
        return self._arrays("updates.npz")

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        content = self.artifact(name)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return dict(arrays)
        except _DAMAGED_ARRAYS as error:
            problem = str(error) or type(error).__name__
            raise StoreError(f"run {self.run_id}: artifact {name!r} is damaged: {problem}") from None

    def _repr_html_(self) -> str:
        from rnnlab.store.runs import run_html  # it needs records itself

        return run_html(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RunRecord):
            return NotImplemented
        return self._deeds() == other._deeds() and _same_curves(self.curves, other.curves)

    def _deeds(self) -> tuple:
        return (
            self.experiment,
            self.status,
            self.config,
            self.result,
            self.artifacts,
            self.packages,
            {name: value for name, value in self.info.items() if name not in NO_DEEDS},
            self.sources,
        )


def flatten_config(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested config as one dict of dotted keys; lists become tuples."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            flat.update(flatten_config(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = _hashable(value)
    return flat


def config_value(config: Mapping[str, Any], key: str) -> Any:
    """The value of a dotted key, such as `model.n_hidden`; raises KeyError if the config has none."""
    value: Any = config
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise KeyError(key)
        value = value[part]
    return value


def _same_curves(one: dict[str, Curve], other: dict[str, Curve]) -> bool:
    names = one.keys() - WALL_CLOCK_METRICS
    return names == other.keys() - WALL_CLOCK_METRICS and all(
        np.array_equal(one[name].steps, other[name].steps)
        and np.array_equal(one[name].values, other[name].values, equal_nan=True)
        for name in names
    )


def _hashable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return tuple((str(key), _hashable(item)) for key, item in sorted(value.items()))
    return value
