"""Named random streams: one independent generator per purpose, all derived from one seed."""

import hashlib
from functools import cache

import numpy as np


def stream(seed: int, name: str, *index: int) -> np.random.Generator:
    """Return the generator of the stream `name`, at `index` (an epoch, say), for a run's `seed`.

    The same arguments give the same draws in every process; different arguments give independent draws
    (`numpy.random.SeedSequence` over the seed, a hash of the name, and the index).
    """
    return np.random.default_rng(np.random.SeedSequence([seed, *_words(name), *index]))


@cache
def _words(name: str) -> tuple[int, ...]:
    digest = hashlib.sha256(name.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
