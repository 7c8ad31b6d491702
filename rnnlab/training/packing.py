"""Named arrays end to end in one vector, and back."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np


class Packing:
    """A vector of arrays of the given shapes, by name and in that order. Works on NumPy arrays and on symbols."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]):
        ends = list(accumulate((prod(shape) for shape in shapes.values()), initial=0))
        self._places = [(name, slice(*ends[i : i + 2]), shape) for i, (name, shape) in enumerate(shapes.items())]
        self.size = ends[-1]

    def pack(self, arrays: Mapping[str, Any], concatenate: Callable[[Sequence[Any]], Any] = np.concatenate) -> Any:
        """The vector (size,); `concatenate` joins vectors."""
        return concatenate([arrays[name].reshape((-1,)) for name, _, _ in self._places])

    def unpack(self, vector: Any) -> dict[str, Any]:
        """The arrays by name: the inverse of `pack`."""
        return {name: vector[place].reshape(shape) for name, place, shape in self._places}
