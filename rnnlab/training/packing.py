"""How an epoch carries arrays from update to update: each by itself, or all end to end in one vector."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


class Packing:
    """Named arrays in blocks: one for each array, or, with `together`, a single vector of all of them.

    `shapes` are those of the blocks by name. Works on NumPy arrays and on symbols.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], together: bool):
        self._arrays = shapes
        self._together = together
        size = sum(int(np.prod(shape)) for shape in shapes.values())
        self.shapes = {"all": (size,)} if together else dict(shapes)

    def pack(self, arrays: Mapping[str, Any], concatenate: Callable[[Sequence[Any]], Any] = np.concatenate) -> dict:
        """The blocks of arrays by name; `concatenate` joins vectors."""
        if not self._together:
            return {name: arrays[name] for name in self._arrays}
        return {"all": concatenate([arrays[name].reshape((-1,)) for name in self._arrays])}

    def unpack(self, blocks: Mapping[str, Any]) -> dict:
        """The inverse of `pack`."""
        if not self._together:
            return dict(blocks)
        arrays, start = {}, 0
        for name, shape in self._arrays.items():
            stop = start + int(np.prod(shape))
            arrays[name] = blocks["all"][start:stop].reshape(shape)
            start = stop
        return arrays
