"""A run as a whole, apart from how a store keeps it: what is read from one store and written into another."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

# The status of a run that has only half arrived in a database.
COPYING = "COPYING"


@dataclass(frozen=True)
class StoredFile:
    """A file of a run.

    name:         an artifact's name, or the path of a source or resource
    md5:          as noted when the run began; "" for artifacts
    read:         gives its content, None where the store does not hold it; raises StoreError if it cannot be read
    content_type: such as image/png, if known
    metadata:     what Sacred keeps with an artifact in a database
    """

    name: str
    md5: str
    read: Callable[[], bytes | None]
    content_type: str | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True)
class WholeRun:
    """Everything that a store holds of a run; plain JSON, with times as ISO 8601 texts.

    entry:   Sacred's `run.json` without the parts below
    metrics: {name: {"steps": [...], "timestamps": [...], "values": [...]}}
    """

    entry: dict[str, Any]
    config: dict[str, Any]
    info: dict[str, Any]
    metrics: dict[str, dict[str, list]]
    captured_out: str
    artifacts: tuple[StoredFile, ...]
    sources: tuple[StoredFile, ...]
    resources: tuple[StoredFile, ...]

    @property
    def uid(self) -> str:
        """The run's own id, the same in every store."""
        return str(self.entry["meta"]["uid"])

    @property
    def base_dir(self) -> str:
        """The directory that the paths of the sources are relative to."""
        return str(self.entry["experiment"].get("base_dir") or "")

    def with_uid(self, uid: str) -> "WholeRun":
        """The run with its own id written into its `meta`."""
        return replace(self, entry={**self.entry, "meta": {**(self.entry.get("meta") or {}), "uid": uid}})


class RunCopies(ABC):
    """Whole runs, read from and written into one store. All methods raise StoreError for what cannot be done."""

    @abstractmethod
    def exclusive(self) -> AbstractContextManager[None]:
        """Keeps other copies into this store away; raises StoreError if one is going on."""

    @abstractmethod
    def read(self, run_id: str) -> WholeRun:
        """The run with exactly this id."""

    @abstractmethod
    def add(self, run: WholeRun, preferred_id: str) -> str:
        """Store a run under the preferred id, or the next free number where that is taken; return the id.

        If it ends before its time, nothing is there that counts as a whole run.
        """

    @abstractmethod
    def update(self, run_id: str, run: WholeRun) -> None:
        """Bring the run that was stored under this id up to date; artifacts that only it has stay."""
