"""Parts of many runs in few questions: what is read of one run after another is soon read of many at once."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_RUNS = 256  # in one question
MOST_VALUES = 2_000_000  # that wait to be asked for


class ReadAhead(Generic[T]):
    """One part of the runs of a listing.

    The first run's is read alone. Whoever asks for a second one's is likely to go on: it is read together with the next
    one's, then with the next three's, and so on, up to `MOST_RUNS` or about `MOST_VALUES` values at a time. What was
    read ahead waits until it is asked for, once.

    keys:  of the runs, in the order of the listing
    read:  gives the part of each of the runs with these keys
    weigh: how many values a part holds
    """

    def __init__(
        self, keys: Sequence[Hashable], read: Callable[[list], Mapping[Hashable, T]], weigh: Callable[[T], int]
    ):
        self._read, self._weigh = read, weigh
        self._keys = list(keys)
        self._place = {key: i for i, key in enumerate(self._keys)}
        self._waiting: dict[Hashable, T] = {}
        self._seen: set[Hashable] = set()
        self._n_next = 1

    def take(self, key: Hashable) -> T:
        """The part of the run with this key; raises whatever `read` does."""
        if key in self._waiting:
            return self._waiting.pop(key)
        following = (each for each in islice(self._keys, self._place[key] + 1, None) if each not in self._seen)
        chosen = [key, *islice(following, self._n_next - 1)]
        found = dict(self._read(chosen))
        self._seen.update(chosen)
        values = max(sum(map(self._weigh, found.values())), 1)
        self._n_next = max(1, min(2 * self._n_next, MOST_RUNS, MOST_VALUES * len(chosen) // values))
        mine = found.pop(key)
        self._waiting.update(found)
        return mine
