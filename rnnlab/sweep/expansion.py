"""From a sweep specification to its variants, every one of them checked before anything runs."""

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.sweep.located_yaml import SpecificationError
from rnnlab.sweep.random_search import draw_points
from rnnlab.sweep.specification import Block, Specification
from rnnlab.sweep.variant import Variant
from rnnlab.variant_key import variant_key

Resolve = Callable[[Path, tuple[str, ...], dict[str, Any]], tuple[str, dict[str, Any]]]


def expand(specification: Specification, resolve: Resolve) -> list[Variant]:
    """The variants of a specification, in order and without duplicates.

    Blocks come in their order; within one, the grid's keys as given (the last one changes fastest), then the rows of
    `zip`, then the random points, then the seeds innermost. Of variants with the same key the first is kept.

    resolve: gives (experiment name, full config) for (script, named configs, nested updates). It raises ConfigError
             for a config that cannot be run, its `key` being the config key or the named config at fault, and any
             other RnnlabError for a script that cannot be used.

    Raises SpecificationError, which names the place in the specification, for the first variant that `resolve`
    refuses.
    """
    variants: dict[str, Variant] = {}
    for block in specification:
        for settings in block_settings(block):
            variant = _variant(block, settings, resolve)
            variants.setdefault(variant.key, variant)
    return list(variants.values())


def n_combinations(specification: Specification) -> int:
    """How many variants the specification has, duplicates included."""
    return sum(_n_combinations(block) for block in specification)


def _n_combinations(block: Block) -> int:
    rows = len(next(iter(block.zipped.values()))) if block.zipped else 1
    points = block.random.n if block.random else 1
    seeds = 1 if block.seeds is None else len(block.seeds)
    return math.prod(len(values) for values in block.grid.values()) * rows * points * seeds


def block_settings(block: Block) -> Iterator[dict[str, Any]]:
    """What each variant of a block sets, by dotted config key, in order."""
    grid = [[{key: value} for value in values] for key, values in block.grid.items()]
    rows = [dict(zip(block.zipped, row, strict=True)) for row in zip(*block.zipped.values(), strict=True)]
    points = draw_points(block.random) if block.random else []
    seeds = [{}] if block.seeds is None else [{"seed": seed} for seed in block.seeds]
    for parts in itertools.product(*grid, rows or [{}], points or [{}], seeds):
        settings = dict(block.fixed)
        for part in parts:
            settings.update(part)
        yield settings


def nest(settings: dict[str, Any]) -> dict[str, Any]:
    """A nested dict of values by dotted key: {"model.n_hidden": 5} gives {"model": {"n_hidden": 5}}."""
    nested: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, name = key.split(".")
        target = nested
        for section in sections:
            target = target.setdefault(section, {})
        target[name] = value
    return nested


def _variant(block: Block, settings: dict[str, Any], resolve: Resolve) -> Variant:
    updates = nest(settings)
    try:
        experiment, config = resolve(block.script, block.named_configs, updates)
        key = variant_key(experiment, config)
    except RnnlabError as error:
        raise SpecificationError(_place(block, error), f"{error}{_context(block, settings, error)}") from error
    return Variant(experiment, block.script, block.named_configs, updates, config, key)


def _place(block: Block, error: RnnlabError) -> str:
    """Where the block sets what the error is about."""
    if not isinstance(error, ConfigError):
        return block.places["experiment"]
    if error.key in block.key_places:
        return block.key_places[error.key]
    if error.key in block.named_configs:
        return block.places["with"]
    # An error about a whole section, or about a key within what the block takes for a value
    for key, place in block.key_places.items():
        if key.startswith(f"{error.key}.") or error.key.startswith(f"{key}."):
            return place
    return block.where


def _context(block: Block, settings: dict[str, Any], error: RnnlabError) -> str:
    """The variant's settings, where the error's own message does not name what the block sets."""
    if not isinstance(error, ConfigError) or error.key in block.key_places or error.key in block.named_configs:
        return ""
    in_words = ", ".join(f"{key}={value}" for key, value in settings.items())
    return f" (in the variant with {in_words})" if settings else ""
