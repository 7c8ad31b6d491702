"""How a sweep is shown: its variants beforehand, its progress while it runs, its failures at the end."""

import math
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rnnlab.sweep.execution import Progress
from rnnlab.sweep.labels import (
    briefly,
    in_words,
    own_settings,
    printable,
    short_names,
    value_in_words,
    varying_settings,
)
from rnnlab.sweep.plan import Plan
from rnnlab.terminal import visible

SECONDS_BETWEEN_LINES = 5.0
_BESIDE = 26  # letters of a table's line beside the settings: number, state, run


class Display:
    """Shows progress on stderr: live on a terminal, elsewhere as lines now and then.

    It keeps the stream that stderr is when it is made, so that no run in this process captures what is shown.
    """

    def __init__(self, plan: Plan):
        self._console = Console(file=sys.stderr, highlight=False)
        self._settings = own_settings(plan.variants)
        self._live = Live(console=self._console, transient=True, refresh_per_second=4)
        self._shown = -math.inf
        self._line = ""
        self._last_line = ""

    def __enter__(self) -> "Display":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()
        if self._console.is_terminal and self._line:
            self.say(self._line)

    def say(self, words: str) -> None:
        """Print a line of its own."""
        self._console.print(Text(visible(words)), soft_wrap=True)

    def show(self, progress: Progress) -> None:
        """Show how far the sweep is."""
        counts = ", ".join(filter(None, (_counts(progress), _speed(progress))))
        self._line = ", ".join(filter(None, (counts, self._best(progress))))
        if self._console.is_terminal:
            self._live.update(self._picture(progress, counts))
            return
        over = progress.running == 0 and (progress.left == 0 or progress.stopping)
        if (over or time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES) and self._line != self._last_line:
            self._shown, self._last_line = time.monotonic(), self._line
            self.say(self._line)

    def _picture(self, progress: Progress, counts: str) -> Table:
        total = max(1, len(progress.plan.todo))
        # A bar does not end its line: in a table it has a row of its own.
        picture = Table.grid()
        picture.add_row(ProgressBar(total=total, completed=total - progress.left, width=min(60, self._console.width)))
        for line in (counts, self._best(progress)):
            if line:
                picture.add_row(Text(visible(line), overflow="ellipsis", no_wrap=True))
        return picture

    def _best(self, progress: Progress) -> str:
        if progress.best is None:
            return ""
        loss, variant = progress.best
        settings = briefly(self._settings[variant.key])
        return f"best valid_loss {loss:.4g}" + (f" ({settings})" if settings else "")


def counted(n: int, noun: str) -> str:
    """A number with its noun: `1 variant`, `2 variants`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _counts(progress: Progress) -> str:
    done = len(progress.plan.done) + len(progress.completed) + len(progress.elsewhere)
    waiting = f" ({progress.waiting} claimed by another sweep)" if progress.waiting and not progress.away else ""
    words = f"{done} done, {progress.running} running, {len(progress.failures)} failed, {progress.left} left{waiting}"
    if progress.away:
        words = f"{words}; waiting for the {progress.away}"
    if progress.stopping:
        return f"stopping: {words}"
    return words if progress.n_workers else f"{words}, waiting for workers"


def _speed(progress: Progress) -> str:
    n = len(progress.completed)
    if not n or progress.first_start is None:
        return ""
    rate = n / max(1e-9, time.monotonic() - progress.first_start)
    per = f"{rate:.1f} runs/s" if rate >= 1 else f"{60 * rate:.1f} runs/min"
    if progress.stopping or not progress.left:
        return per
    return f"{per}, {timedelta(seconds=round(progress.left / rate))} left"


def state_of(plan: Plan, key: str) -> tuple[str, str | None]:
    """The state of a variant before the sweep runs: done, failed or left, and the run that says so."""
    if key in plan.done:
        return "done", plan.done[key].run_id
    todo = key in plan.discounted
    if key in plan.failed:
        return "left" if todo else "failed", plan.failed[key].run_id
    return "left", None


def variant_table(plan: Plan, width: int) -> Table:
    """The variants of a sweep, by what tells them apart, with their states.

    A column for each setting, or if these are too many for the width, one for all.
    """
    settings = own_settings(plan.variants)
    names = list(dict.fromkeys(name for each in settings.values() for name in each))
    short = short_names(names)
    cells = {
        key: [value_in_words(each[name]) if name in each else "" for name in names] for key, each in settings.items()
    }
    columns = [short[name] for name in names]
    if sum(max(map(len, column)) + 2 for column in zip(columns, *cells.values(), strict=True)) > width - _BESIDE:
        columns, cells = ["settings"], {key: [briefly(each)] for key, each in settings.items()}
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("#", justify="right")
    for column in columns:
        table.add_column(column, overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("run", justify="right", no_wrap=True)
    for number, variant in enumerate(plan.variants, start=1):
        state, run_id = state_of(plan, variant.key)
        if variant.key in plan.changed:
            state += ", other code" if state == "done" else " (other code)"
        table.add_row(str(number), *map(Text, cells[variant.key]), state, run_id or "")
    return table


def failure_table(progress: Progress) -> Table:
    """The variants that failed, with the first line of why."""
    settings = own_settings(progress.plan.variants)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("run", justify="right")
    table.add_column("variant", overflow="fold")
    table.add_column("failed with", overflow="fold")
    for failure in progress.failures:
        words = in_words(settings[failure.variant.key]) or failure.variant.experiment
        table.add_row(failure.run_id or "-", Text(words), Text(printable(failure.message)))
    return table


def ways_to_retry(progress: Progress) -> list[str]:
    """How the variants that failed are run again: those with a FAILED run, and those that have none."""
    recorded = [failure.run_id is not None for failure in progress.failures]
    ways = []
    if any(recorded):
        ways.append("rnnlab show RUN has the traceback; the same command with --retry-failed runs them again")
    if not all(recorded):
        ways.append(f"the same command runs {'those without a run' if any(recorded) else 'them'} again")
    return ways


def plan_as_json(plan: Plan) -> list[dict[str, Any]]:
    """The variants and their states, for programs."""
    settings = varying_settings(plan.variants)
    return [_variant_as_json(plan, variant, settings[variant.key]) for variant in plan.variants]


def _variant_as_json(plan: Plan, variant: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    state, run_id = state_of(plan, variant.key)
    return {
        "key": variant.key,
        "experiment": variant.experiment,
        "settings": dict(settings),
        "state": state,
        "run": run_id,
        "changed": plan.changed.get(variant.key, []),
    }


def progress_as_json(progress: Progress) -> dict[str, Any]:
    """What a sweep has done, for programs."""
    settings = varying_settings(progress.plan.variants)
    return {
        "variants": len(progress.plan.variants),
        "done_before": len(progress.plan.done),
        "failed_before": len(progress.plan.failed.keys() - progress.plan.discounted.keys()),
        "completed": len(progress.completed),
        "completed_elsewhere": len(progress.elsewhere),
        "failed": [
            {"run": each.run_id, "settings": settings[each.variant.key], "message": each.message}
            for each in progress.failures
        ],
        "interrupted": progress.interrupted,
        "left": progress.left,
        "best_valid_loss": None if progress.best is None else progress.best[0],
        "best_settings": None if progress.best is None else settings[progress.best[1].key],
        "seconds": progress.seconds,
    }
