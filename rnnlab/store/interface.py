"""What every store of runs can do, wherever it keeps them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnlab.store.record import RunRecord
from rnnlab.store.runs import Runs


class Store(ABC):
    """Runs in one place, read back. All methods raise StoreError if the place cannot be reached or read."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the runs are, without credentials."""

    @abstractmethod
    def get(self, run_id: str | int) -> RunRecord:
        """The run with this id, or with the only id that begins so.

        A run that cannot be read comes as one with status DAMAGED. Raises StoreError if no id begins so, and if several
        do, which it then names.
        """

    @abstractmethod
    def find(
        self,
        experiment: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> Runs:
        """The runs that fit, by rising id; None leaves a question out.

        experiment: its name, or several
        status:     as the record shows it (LOST and DAMAGED too), or several
        where:      {dotted config key: value, or a list of values of which one must fit}; numbers compare by value, and
                    a config without the key does not fit. To ask for a value that is a list, give a list of it.

        Raises StoreError for a `where` that is not such a question.
        """

    @abstractmethod
    def ids(self, after: int = 0) -> list[str]:
        """The ids of all runs, in no order, but for the numbers up to `after`."""

    @abstractmethod
    def read(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """The runs with these ids, as `find` reads them; one that is gone or has only just begun is left out."""

    @abstractmethod
    def attach(self, run_id: str | int, name: str, path: str | Path) -> None:
        """Add a file to a run that is over, as the artifact `name`, in place of an earlier one of that name.

        Raises StoreError for a run that may still be going on, and for a name that is not a plain file name.
        """
