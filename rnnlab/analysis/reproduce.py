"""The shell command that makes a run again."""

import ast
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from rnnlab.analysis.reading import sources_of
from rnnlab.store.record import RunRecord, flatten_config


def reproduce_command(record: RunRecord, keys: Sequence[str] = ()) -> str:
    """`python experiments/dot_product.py with post model.n_hidden=50 seed=3`: named configs, updates, and the seed.

    keys: config keys to name in any case. Where the record does not say which values were set by hand, all are named.
    """
    meta = record.meta
    named = [str(name) for name in meta.get("named_configs") or []]
    updates = meta.get("config_updates")
    flat = flatten_config(updates if isinstance(updates, dict) else record.config)
    config = flatten_config(record.config)
    flat |= {key: config[key] for key in (*keys, "seed") if key in config}
    arguments = [*named, *(f"{key}={_literal(value)}" for key, value in flat.items())]
    command = ["python", script_of(record)] + (["with", *arguments] if arguments else [])
    return shlex.join(command)


def script_of(record: RunRecord) -> str:
    """The path of the experiment's script: the source file that has its name, by default `experiments/<name>.py`."""
    named = [path for path in sources_of(record) if PurePosixPath(path).stem == record.experiment]
    scripts = sorted(named, key=lambda path: (PurePosixPath(path).parts[0] != "experiments", path))
    return scripts[0] if scripts else f"experiments/{record.experiment}.py"


def _literal(value: Any) -> str:
    """A value as Sacred's command line reads it: a Python literal, or bare text that is none."""
    if isinstance(value, tuple):
        return repr(list(value))
    if not isinstance(value, str):
        return repr(value)
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return repr(value)
