"""A variant: one full config of one experiment, and how its script comes to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Variant:
    """What one run of a sweep is to do.

    experiment:    the experiment's name
    script:        the experiment's script
    named_configs: in the order in which they apply
    updates:       what is set after them, as a nested dict
    config:        the full config that results
    key:           `variant_key(experiment, config)`
    """

    experiment: str
    script: Path
    named_configs: tuple[str, ...]
    updates: dict[str, Any]
    config: dict[str, Any]
    key: str
