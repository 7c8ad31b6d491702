"""The key of a variant, by which a full config of an experiment is known in every store and on every machine."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from rnnlab.errors import ConfigError

KEY_LENGTH = 16  # 64 bits: among 100,000 variants two share a key with probability 3e-10

# Sections that change nothing in what a run computes.
WITHOUT_EFFECT = ("checkpoint",)


def variant_key(experiment: str, config: Mapping[str, Any]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of `canonical_json([experiment, config])`.

    The section `checkpoint` of the config is left out. The key serves a stored config as well as a fresh one, if that
    is first filled with today's defaults.

    Raises ConfigError for a value that has no canonical form.
    """
    effective = {name: value for name, value in config.items() if name not in WITHOUT_EFFECT}
    return hashlib.sha256(canonical_json([experiment, effective]).encode()).hexdigest()[:KEY_LENGTH]


def canonical_json(value: Any) -> str:
    """JSON text that is equal for values that mean the same to a run.

    Keys are sorted. Numbers are written by value: 1, 1.0 and numpy's 1.0 are all `1` (a store may give an integer back
    as a float, and a config key that takes floats takes integers as well; where only integers are right, the config's
    check has refused the float); other floats are written with the fewest digits that give them back. True is not 1.
    Tuples and arrays are lists, as stores keep them. A number that is not finite is null, again as stores keep it.

    Raises ConfigError for a value that has no such form.
    """
    return json.dumps(_canonical(value, ""), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _canonical(value: Any, key: str) -> Any:
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        value = value.tolist()
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {str(name): _canonical(item, f"{key}.{name}" if key else str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item, key) for item in value]
    raise ConfigError(key, f"{key} = {value!r}: a {type(value).__name__} cannot be stored in a config")
