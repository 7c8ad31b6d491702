"""Which variants have been run: the runs of a store by variant key, read once and then kept up to date."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnlab.errors import ConfigError
from rnnlab.store import Store
from rnnlab.store.query import by_number, is_number_up_to
from rnnlab.store.record import RunRecord
from rnnlab.variant_key import variant_key

# What such a run is, it stays. (A LOST run may come back, but its claim is gone then, and it stops.)
_NOT_SETTLED = ("RUNNING", "QUEUED", "COPYING")


@dataclass(frozen=True)
class LedgerEntry:
    """A run that is over, COMPLETED or FAILED."""

    run_id: str
    status: str


class Ledger:
    """The runs of a store that are over, by variant key.

    defaults: {experiment name: today's default config}; runs of other experiments are passed over
    after:    runs whose id is a number up to it are passed over
    """

    def __init__(self, store: Store, defaults: Mapping[str, Mapping[str, Any]], after: int = 0):
        self._store = store
        self._defaults = defaults
        self._after = after
        self._settled: set[str] = set()
        self._entries: dict[str, list[LedgerEntry]] = {}

    def refresh(self) -> list[tuple[str, RunRecord]]:
        """Read what is new in the store; gives the runs that are over now and were not before, with their keys."""
        new = [run_id for run_id in self._store.ids(self._after) if run_id not in self._settled]
        found = []
        for record in sorted(self._store.read(new), key=lambda record: by_number(record.run_id)):
            if record.status in _NOT_SETTLED:
                continue
            self._settled.add(record.run_id)
            key = self._key(record)
            if key is not None and record.status in ("COMPLETED", "FAILED"):
                self._entries.setdefault(key, []).append(LedgerEntry(record.run_id, record.status))
                found.append((key, record))
        return found

    def runs(self, key: str) -> list[LedgerEntry]:
        """The runs of a variant that are over, as of the last refresh."""
        return self._entries.get(key, [])

    def settled_up_to(self) -> int:
        """The largest number such that no run with an id up to it is still to be watched."""
        open_ids = [run_id for run_id in self._store.ids(self._after) if run_id not in self._settled]
        numbers = [int(run_id) for run_id in open_ids if is_number_up_to(run_id, 2**63)]
        settled = [int(run_id) for run_id in self._settled if is_number_up_to(run_id, 2**63)]
        return max((number for number in settled if number < min(numbers, default=2**63)), default=self._after)

    def _key(self, record: RunRecord) -> str | None:
        defaults = self._defaults.get(record.experiment)
        if defaults is None:
            return None
        try:
            return variant_key(record.experiment, filled(record.config, defaults))
        except ConfigError:
            return None


def filled(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A stored config with the defaults of the keys that it does not have: of a release that knew fewer."""
    merged = dict(config)
    for name, default in defaults.items():
        if name not in config:
            merged[name] = default
        elif isinstance(default, Mapping) and isinstance(config[name], Mapping):
            merged[name] = filled(config[name], default)
    return merged
