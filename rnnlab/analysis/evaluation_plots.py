"""Draw an evaluation: errors against the length of sequences, by step, and by the horizon of forecasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from rnnlab.analysis.curve_drawing import draw_grid, log_number_axis
from rnnlab.analysis.groups import AnalysisError
from rnnlab.analysis.picture import FAINT, HEIGHT, PALETTE, STYLE, WIDTH, Picture, new_picture

if TYPE_CHECKING:
    from rnnlab.evaluation.closed_loop import ForecastErrors
    from rnnlab.evaluation.lengths import LengthScore

# name -> (label, colour, line); each has the same looks in every panel.
_LINES = {
    "mse": ("network", PALETTE[0], "-"),
    "closed_loop": ("network, closed loop", PALETTE[0], "-"),
    "one_step": ("network, one step ahead", PALETTE[1], "-"),
    "noise_free_mse": ("network, against noise-free targets", PALETTE[1], "-"),
    "noise_floor": ("noise floor", PALETTE[6], ":"),
    "mean": ("predict the mean", PALETTE[2], "--"),
    "ridge": ("ridge regression", PALETTE[3], "--"),
    "persistence": ("persistence", PALETTE[4], "--"),
    "seasonal_persistence": ("seasonal persistence", PALETTE[5], "--"),
}
_LENGTHS = "length of sequences (steps)"
_WRONG = "share of wrong answers"
_LOG_RATIO = 10  # from this ratio of the largest to the smallest value on, an axis is logarithmic


@dataclass(frozen=True)
class Panel:
    """One panel: {name: values} against x, and the interval of x on which the network was trained, if that is there."""

    x_label: str
    y_label: str
    x: np.ndarray
    lines: dict[str, np.ndarray]
    trained: tuple[int, int] | None = None


def extract_panels(
    scores: "Sequence[LengthScore]", forecasts: "ForecastErrors | None" = None, trained_on: Any = None
) -> list[Panel]:
    """What there is to draw: errors by length where there are several; the share of wrong answers; by step; by horizon.

    trained_on: the length of training, or its range [low, high]

    Raises AnalysisError where one length alone was scored, and so there is nothing to draw.
    """
    panels = []
    trained = None
    if trained_on is not None:
        trained = tuple(trained_on) if isinstance(trained_on, list | tuple) else (trained_on, trained_on)
    if len(scores) > 1:
        in_order = sorted(scores, key=lambda score: score.n_steps)
        x = np.array([score.n_steps for score in in_order])
        lines = {"mse": np.array([score.mse for score in in_order])}
        for name in ("noise_free_mse", "noise_floor"):
            if getattr(in_order[0], name) is not None:
                lines[name] = np.array([getattr(score, name) for score in in_order])
        for name in dict.fromkeys(name for score in in_order for name in score.naive_mse):
            lines[name] = np.array([score.naive_mse.get(name, np.nan) for score in in_order])
        panels.append(Panel(_LENGTHS, "mean squared error", x, lines, trained))
        if in_order[0].wrong is not None:
            wrong = np.array([score.wrong for score in in_order])
            panels.append(Panel(_LENGTHS, _WRONG, x, {"mse": wrong}, trained))
    longest = max(scores, key=lambda score: 0 if score.by_step is None else len(score.by_step["mse"]))
    if longest.by_step is not None:
        x = np.arange(1, len(longest.by_step["mse"]) + 1)
        span = None if trained is None or trained[1] >= len(x) else (trained[1], trained[1])
        panels.append(Panel("step", "mean squared error", x, longest.by_step, span))
    if forecasts is not None:
        x = np.arange(1, len(forecasts.mse["closed_loop"]) + 1)
        panels.append(Panel("steps ahead", "mean squared error", x, forecasts.mse))
    if not panels:
        raise AnalysisError("there is one length only, which makes no picture: name several with --lengths")
    return panels


def plot_evaluation(
    scores: "Sequence[LengthScore]", forecasts: "ForecastErrors | None" = None, trained_on: Any = None
) -> Picture:
    """Draw the panels of `extract_panels` side by side; naive predictors dashed, the length of training marked."""
    panels = extract_panels(scores, forecasts, trained_on)
    with matplotlib.rc_context(STYLE):
        picture, axes = new_picture(1, len(panels), WIDTH * len(panels), HEIGHT + 0.6)
        for ax, panel in zip(axes, panels, strict=True):
            _draw(ax, panel)
    return picture


def _draw(ax: Axes, panel: Panel) -> None:
    draw_grid(ax)
    for name in sorted(panel.lines, key=list(_LINES).index):
        label, colour, line = _LINES[name]
        marker = "o" if line == "-" and len(panel.x) <= 20 else None
        width = 1.3 if line == "-" else 1.0
        ax.plot(
            panel.x, panel.lines[name], line, color=colour, label=label, marker=marker, markersize=3, linewidth=width
        )
    if panel.trained is not None:
        low, high = panel.trained
        if low == high:
            ax.axvline(low, color=FAINT, linewidth=1.4, label=f"length of training: {low}", zorder=0)
        else:
            ax.axvspan(low, high, color=FAINT, alpha=0.2, linewidth=0, label=f"lengths of training: {low} to {high}")
    values = np.concatenate([line[np.isfinite(line) & (line > 0)] for line in panel.lines.values()])
    if panel.y_label != _WRONG and len(values) and values.max() >= _LOG_RATIO * values.min():
        ax.set_yscale("log")
        log_number_axis(ax.yaxis, values.min(), values.max())
    else:
        ax.set_ylim(bottom=0)
    if panel.x_label == _LENGTHS:
        if panel.x.max() >= _LOG_RATIO * panel.x.min():
            ax.set_xscale("log")
            ax.minorticks_off()
        if len(panel.x) <= 8:
            ax.set_xticks(panel.x, [str(x) for x in panel.x])
    ax.set_xlabel(panel.x_label)
    ax.set_ylabel(panel.y_label)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)
