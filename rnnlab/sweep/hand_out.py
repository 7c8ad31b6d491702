"""The order in which variants are handed out: to each worker those that its compiled functions already serve."""

from collections import Counter, deque
from collections.abc import Iterable

from rnnlab.sweep.structure import structure
from rnnlab.sweep.variant import Variant


class VariantQueue:
    """Variants that wait for a worker, grouped by what is compiled for them."""

    def __init__(self, variants: Iterable[Variant]):
        self._groups: dict[str, deque[Variant]] = {}
        self._last: dict[str, str] = {}
        for variant in variants:
            self._group(variant).append(variant)

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def put_back(self, variant: Variant) -> None:
        """Let a variant be handed out before all others of its group."""
        self._group(variant).appendleft(variant)

    def next_for(self, worker: str) -> Variant | None:
        """The next variant for a worker; None if there is none left.

        It stays in its group as long as that has variants. Then it takes the group that has most of them for each
        worker that it would keep busy, the first such one.
        """
        group = self._last.get(worker)
        if group is None or not self._groups.get(group):
            workers = Counter(self._last.values())
            waiting = {name: len(variants) / (1 + workers[name]) for name, variants in self._groups.items() if variants}
            if not waiting:
                return None
            group = max(waiting, key=lambda name: waiting[name])
        self._last[worker] = group
        return self._groups[group].popleft()

    def _group(self, variant: Variant) -> deque[Variant]:
        return self._groups.setdefault(structure(variant.experiment, variant.config), deque())
