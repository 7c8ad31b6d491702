"""What observers store of a run's values: plain JSON without NaN, the same in files and in MongoDB."""

import json
import math
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from sacred.serializer import flatten

from rnnlab.store_address import without_credentials

# The names of a run's own files in a directory, which no artifact may take.
_RUN_FILES = ("run.json", "config.json", "info.json", "metrics.json", "cout.txt")


def json_text(value: Any) -> str:
    """A value as compact JSON: non-finite numbers as null, NumPy's as plain ones, tuples as lists, times in ISO 8601.

    What JSON has no word for becomes what Sacred's serializer makes of it, which are data without effect.
    """
    # One call into C: a dict that another thread is changing is taken as it is at one moment.
    try:
        return json.dumps(value, default=_known_to_json, allow_nan=False)
    except TypeError:  # a key that is no text
        return json_text(flatten(value))
    except ValueError:  # a NaN, or a container in itself
        return json.dumps(finite(json.loads(json.dumps(value, default=_known_to_json))), allow_nan=False)


def plain_json(value: Any) -> Any:
    """The value that `json_text` writes; whole numbers beyond the 64 bits of MongoDB's as floats."""
    return json.loads(json_text(value), parse_int=_bounded_int)


def finite(value: Any) -> Any:
    """Plain JSON with None in place of every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return value


def with_uid(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Sacred's `meta` with the run's `uid`, by which it is known when it has been copied to another store."""
    return {"uid": uuid.uuid4().hex, **meta}


def without_remote_credentials(experiment_info: Mapping[str, Any]) -> dict[str, Any]:
    """Sacred's description of an experiment, with no password in the addresses of its repositories."""
    repositories = [
        {**repository, "url": without_credentials(str(repository["url"]))}
        for repository in experiment_info.get("repositories") or []
    ]
    return {**experiment_info, "repositories": repositories}


def is_artifact_name(name: str) -> bool:
    """Whether an artifact of this name can be stored: a plain file name that no file of the record has."""
    return name not in ("", ".", "..", *_RUN_FILES) and not set(name) & set("/\\\0")


def _bounded_int(digits: str) -> int | float:
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else float(number)


def _known_to_json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.isoformat() if isinstance(value, datetime) else flatten(value)
