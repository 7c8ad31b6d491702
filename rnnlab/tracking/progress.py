"""How a run goes on, shown to the person who started it: a bar on a terminal, a line now and then elsewhere."""

import math
import sys
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from rnnlab.config import Config
from rnnlab.training.fit import Log

SECONDS_BETWEEN_LINES = 5.0


class ShownProgress:
    """Shows the runs inside a `with` block, on stderr past Sacred's capture, so that no record holds it."""

    def __init__(self):
        self._console = Console(file=sys.__stderr__)
        self._bar: Progress | None = None

    def __enter__(self) -> "ShownProgress":
        return self

    def __exit__(self, *error) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, config: Config) -> Log:
        """The function to call at each validation of a run with this config."""
        if self._console.is_terminal:
            return self._show_bar(config)
        return self._show_lines(config)

    def _show_bar(self, config: Config) -> Log:
        bar = Progress(
            TextColumn("epoch {task.completed}/{task.total}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[losses]}"),
            console=self._console,
            transient=True,
        )
        task = bar.add_task("", total=config["training"]["max_epochs"], losses="compiling ...")
        bar.start()
        self._bar = bar

        def show(step: int, metrics: Mapping[str, float]) -> None:
            bar.update(task, completed=metrics["epoch"], losses=_losses(metrics))

        return show

    def _show_lines(self, config: Config) -> Log:
        shown = -math.inf

        def show(step: int, metrics: Mapping[str, float]) -> None:
            nonlocal shown
            if time.monotonic() - shown >= SECONDS_BETWEEN_LINES:
                shown = time.monotonic()
                total = config["training"]["max_epochs"]
                self._console.print(
                    f"epoch {metrics['epoch']}/{total}, update {step:,}: {_losses(metrics)}", highlight=False
                )

        return show


def _losses(metrics: Mapping[str, float]) -> str:
    text = f"valid {metrics['valid.loss']:.4g}"
    if "train.loss" in metrics:
        text = f"train {metrics['train.loss']:.4g} {text}"
    return f"{text} waited {metrics['early_stopping.waited']}"
