"""What runs can be listed by: names for their own entries, their config and their result, and which of them vary."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rnnlab.store.record import RunRecord

OWN_FIELDS = ("id", "experiment", "status", "started", "stopped", "seconds")
# The results that say most, in this order; other results come after them.
MAIN_RESULTS = ("test_loss", "valid_loss", "best_epoch", "n_epochs", "stop_reason")

_SEEDS = ("seed", "data.seed")


def flat_items(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of a nested config; an empty section has no keys."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from flat_items(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def run_fields(record: RunRecord) -> dict[str, Any]:
    """Everything a run can be listed by.

    `OWN_FIELDS`, with `started` and `stopped` as datetimes and `seconds` between them; then the config by dotted keys;
    then the result. Where two have the same name the first has it; `config.KEY` and `result.KEY` always work.
    """
    config, result = dict(flat_items(record.config)), record.result or {}
    own = {
        "id": record.run_id,
        "experiment": record.experiment,
        "status": record.status,
        "started": record.start_time,
        "stopped": record.stop_time,
        "seconds": _seconds(record),
    }
    return {
        **{f"config.{key}": value for key, value in config.items()},
        **{f"result.{key}": value for key, value in result.items()},
        **result,
        **config,
        **{name: value for name, value in own.items() if value is not None},
    }


def varying_keys(records: Sequence[RunRecord]) -> list[str]:
    """The dotted config keys whose values differ between the runs, seeds last; damaged runs do not count."""
    first: dict[str, Any] = {}
    varying: dict[str, None] = {}
    configs = [dict(flat_items(record.config)) for record in records if record.status != "DAMAGED"]
    for config in configs:
        for key, value in config.items():
            if key not in varying and not _same(first.setdefault(key, value), value):
                varying[key] = None
    if any(config.keys() != first.keys() for config in configs):
        varying |= {key: None for key in first if not all(key in config for config in configs)}
    order = [key for key in first if key in varying]
    return [*(key for key in order if key not in _SEEDS), *(key for key in order if key in _SEEDS)]


def main_results(records: Iterable[RunRecord]) -> list[str]:
    """The result keys worth a column: those of `MAIN_RESULTS` that are there, or else the first three that are."""
    found = dict.fromkeys(key for record in records for key in record.result or {})
    return [key for key in MAIN_RESULTS if key in found] or list(found)[:3]


def short_names(keys: Sequence[str]) -> list[str]:
    """Each key's last part, or the whole key where two would be called the same."""
    last = [key.rpartition(".")[2] for key in keys]
    return [name if last.count(name) == 1 else key for key, name in zip(keys, last, strict=True)]


def _seconds(record: RunRecord) -> float | None:
    end = record.stop_time or record.heartbeat
    return None if record.start_time is None or end is None else (end - record.start_time).total_seconds()


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON: 1 is 1.0, but it is not true."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
