"""What runs can be listed by: names for their own entries, their config and their result, and which of them vary."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rnnlab.store.record import RunRecord, config_value

OWN_FIELDS = ("id", "experiment", "status", "started", "stopped", "seconds")
# The results that say most, in this order; other results come after them.
MAIN_RESULTS = ("test_loss", "valid_loss", "best_epoch", "n_epochs", "stop_reason")

_SEEDS = ("seed", "data.seed")


class _Missing:
    def __repr__(self) -> str:
        return "-"


MISSING = _Missing()


def flat_items(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of a nested config; an empty section has no keys."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from flat_items(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def run_field(record: RunRecord, name: str) -> Any:
    """What a run has under a name, or `MISSING`.

    name: one of `OWN_FIELDS`, of which `started` and `stopped` are datetimes and `seconds` is the time between them, or
          until the last heartbeat; else a dotted config key; else a result. `config.KEY` and `result.KEY` are the
          config's and the result's in any case. A section of the config is no field.
    """
    if name in OWN_FIELDS:
        value = _own(record, name)
        return MISSING if value is None or value == "" else value
    if name.startswith("result."):
        return (record.result or {}).get(name.removeprefix("result."), MISSING)
    for key in (name.removeprefix("config."), name):
        try:
            value = config_value(record.config, key)
        except KeyError:
            continue
        if not isinstance(value, dict):
            return value
    return (record.result or {}).get(name, MISSING)


def field_names(records: Iterable[RunRecord]) -> list[str]:
    """All the names that `run_field` knows for some of the runs."""
    names: dict[str, None] = dict.fromkeys(OWN_FIELDS)
    for record in records:
        names |= dict.fromkeys(key for key, _ in flat_items(record.config))
        names |= dict.fromkeys(record.result or {})
    return list(names)


def varying_keys(records: Sequence[RunRecord]) -> list[str]:
    """The dotted config keys whose values differ between the runs that have them, seeds last; damaged runs do not
    count.
    """
    first: dict[str, Any] = {}
    varying: set[str] = set()
    for record in records:
        if record.status != "DAMAGED":
            _note_varying(record.config, first, "", varying)
    order = [key for key, _ in flat_items(first) if key in varying]
    return [*(key for key in order if key not in _SEEDS), *(key for key in order if key in _SEEDS)]


def main_results(records: Iterable[RunRecord]) -> list[str]:
    """The result keys worth a column: those of `MAIN_RESULTS` that are there, or else the first three that are."""
    found = dict.fromkeys(key for record in records for key in record.result or {})
    return [key for key in MAIN_RESULTS if key in found] or list(found)[:3]


def short_names(keys: Sequence[str]) -> list[str]:
    """Each key's last part, or the whole key where two would be called the same."""
    last = [key.rpartition(".")[2] for key in keys]
    return [name if last.count(name) == 1 else key for key, name in zip(keys, last, strict=True)]


def _own(record: RunRecord, name: str) -> Any:
    if name == "seconds":
        end = record.stop_time or record.heartbeat
        return None if record.start_time is None or end is None else (end - record.start_time).total_seconds()
    attributes = {"id": "run_id", "started": "start_time", "stopped": "stop_time"}
    return getattr(record, attributes.get(name, name))


def _note_varying(section: dict[str, Any], first: dict[str, Any], prefix: str, varying: set[str]) -> None:
    """Add the keys whose values are not those in `first`, where the first value of each key is noted."""
    if section == first:  # most sections are, and whole sections compare fast
        return
    for name, value in section.items():
        known = first.get(name, MISSING)
        if isinstance(value, dict) and (known is MISSING or isinstance(known, dict)):
            _note_varying(value, first.setdefault(name, {}), f"{prefix}{name}.", varying)
        elif known is MISSING:
            first[name] = value
        elif known != value:
            varying.add(prefix + name)
