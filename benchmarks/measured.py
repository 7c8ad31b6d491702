"""All that was measured, and how it is kept in a file, so that tables and pictures can be made anew."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.first_update import FirstUpdate
from benchmarks.growth import Growth
from benchmarks.sweeps import Sweep
from benchmarks.update_times import Row

CLASSES: dict[str, Any] = {"updates": Row, "first": FirstUpdate, "growth": Growth, "sweeps": Sweep}


@dataclass
class Measured:
    """What each part of the benchmark found; a part that was not measured is empty.

    post_run: (seconds of training, updates) of each run of the post's experiment in one process, the first one cold
    starts:   seconds of each command
    tracked:  milliseconds of each run beyond the run itself, by where it was recorded
    listings: what the programs about stores and checkpoints printed, by their command line
    minutes:  of each part
    """

    machine: dict[str, str] = field(default_factory=dict)
    updates: list[Row] = field(default_factory=list)
    first: list[FirstUpdate] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    post_run: list[list[float]] = field(default_factory=list)
    starts: dict[str, list[float]] = field(default_factory=dict)
    tracked: dict[str, list[float]] = field(default_factory=dict)
    sweeps: list[Sweep] = field(default_factory=list)
    listings: dict[str, str] = field(default_factory=dict)
    minutes: dict[str, float] = field(default_factory=dict)

    def row(self, work: str, program: str) -> Row | None:
        """The row of a program on a work, if there is one."""
        return next((row for row in self.updates if (row.work, row.program) == (work, program)), None)

    def save(self, path: Path) -> None:
        """Keep it."""
        path.write_text(json.dumps(asdict(self), indent=1))


def load(path: Path) -> Measured:
    """What `Measured.save` kept."""
    stored = json.loads(path.read_text())
    for name, kind in CLASSES.items():
        stored[name] = [kind(**each) for each in stored[name]]
    return Measured(**stored)
