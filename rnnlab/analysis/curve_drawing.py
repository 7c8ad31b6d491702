"""Draw extracted learning curves on Axes."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from rnnlab.analysis.curves import GroupCurves, LearningCurves, RunCurve
from rnnlab.analysis.picture import FAINT, Picture, group_colours

METRIC_LABELS = {"train.loss": "training", "valid.loss": "validation"}
METRIC_LINES = {"train.loss": (0, (3, 1.5)), "valid.loss": "-"}
OTHER_LINES = ("-", (0, (3, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
LEGEND = {"handlelength": 1.8, "labelspacing": 0.25, "columnspacing": 1.2, "borderaxespad": 0.2, "alignment": "left"}
LEGEND_LETTERS = 62  # a row's, over the axes of a picture of the usual width
LEGEND_HANDLE = 5  # letters' room for an entry's line and the space after it
MOST_IN_LEGEND = 20
LEGEND_ROW = 0.14  # inches
NAME_HEIGHT = 0.07  # of the axes' height: what the name of a reference line takes
NOT_AVERAGED_LINE = (0, (1, 1.2))
SPELLED_OUT_DECADES = 0.001, 100_000  # ticks from here to there are written as plain numbers


def curve_colours(data: LearningCurves) -> dict[str, Any]:
    """Group label -> colour; where there is one group only, metric -> colour."""
    names = data.labels if len(data.labels) > 1 else data.metrics
    return dict(zip(names, group_colours(len(names)), strict=True))


def shown_range(data: Sequence[LearningCurves]) -> tuple[float, float]:
    """(least, greatest) value of the curves that decide the limits: those of averaged runs, as long as there are any.

    A run that diverged would otherwise press all the others into a line.
    """
    deciding = _deciding([run for one in data for curve in one.curves for run in curve.runs])
    return min(float(run.y.min()) for run in deciding), max(float(run.y.max()) for run in deciding)


def _deciding(runs: Sequence[RunCurve]) -> Sequence[RunCurve]:
    return [run for run in runs if run.averaged] or runs


def draw_curves(
    ax: Axes,
    data: LearningCurves,
    log: str,
    colours: Mapping[str, Any],
    values: tuple[float, float],
    stop_reason: str | None = None,
    legend: bool = True,
) -> None:
    """Draw the curves, colours by `curve_colours`, limits by `shown_range`; `stop_reason` is that of a single run."""
    n = len(data.metrics)
    for i, curve in enumerate(data.curves):
        label = data.labels[i // n]
        colour = colours.get(label, colours.get(curve.metric))
        _draw_group(ax, curve, colour, _line_style(data, curve.metric), curve.metric == data.metrics[-1])
    alone = _only_run(data)
    if alone is not None:
        _mark_best_and_end(ax, alone, stop_reason)
    _scale_axes(ax, data, log, values)
    ax.set_xlabel(data.x_label)
    if len(data.metrics) == 1:
        name = data.metrics[0]
        ax.set_ylabel(f"{METRIC_LABELS[name]} loss" if name in METRIC_LABELS else name)
    else:
        ax.set_ylabel("loss" if all(name.endswith("loss") for name in data.metrics) else ", ".join(data.metrics))
    draw_grid(ax)
    if legend:
        _draw_legend(ax, data, legend_entries(ax, data, colours))


def draw_grid(ax: Axes) -> None:
    """Faint lines at the major ticks, behind everything."""
    ax.grid(True, which="major", color="#e4e4e4", linewidth=0.5)
    ax.set_axisbelow(True)


def draw_references(ax: Axes, references: Sequence[tuple[str, float]]) -> None:
    """A dashed horizontal line for each (name, value), the name at its right end: above it, or below it where the
    next line is near. The limits of the axes must be set before.
    """
    to_axes = ax.transData + ax.transAxes.inverted()
    heights = [float(to_axes.transform((0, value))[1]) for _, value in references]
    for (label, value), height in zip(references, heights, strict=True):
        crowded = any(0 < other - height < NAME_HEIGHT for other in heights)
        ax.axhline(value, color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
        ax.annotate(
            label,
            (1, value),
            (0, -2 if crowded else 2),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="top" if crowded else "bottom",
            fontsize=7,
            color="#555555",
        )


def plain_number_axis(axis: Any) -> None:
    """Ticks such as 10,000 rather than 1e4, few enough for a narrow picture."""
    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def log_number_axis(axis: Any, low: float, high: float) -> None:
    """Decades, with ticks between them where there are few, as plain numbers (0.02) unless these get long."""
    decades = np.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.2 else (1,), numticks=10))
    axis.set_minor_formatter(NullFormatter())
    short = low >= SPELLED_OUT_DECADES[0] * 0.5 and high <= SPELLED_OUT_DECADES[1] * 2
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}" if short else f"{value:.0e}"))


def _line_style(data: LearningCurves, metric: str) -> Any:
    """Groups have the colours, so metrics differ by line; with one group metrics have the colours."""
    if len(data.labels) == 1 or len(data.metrics) == 1:
        return "-"
    return METRIC_LINES.get(metric, OTHER_LINES[data.metrics.index(metric) % len(OTHER_LINES)])


def _draw_group(ax: Axes, curve: GroupCurves, colour: Any, style: Any, marks: bool) -> None:
    """Single runs faint under their mean; without a mean they are the curves themselves."""
    many = len(curve.runs) > 1
    for averaged in (True, False):
        runs = [run for run in curve.runs if run.averaged == averaged]
        faint = many or any(run.smoothed is not None for run in runs)
        line = style if averaged or not many else NOT_AVERAGED_LINE
        _draw_lines(ax, [(run.x, run.y) for run in runs], colour, line, faint, 1 if marks else 0.5)
        if not many:
            _draw_lines(ax, [(run.x, run.smoothed) for run in runs if run.smoothed is not None], colour, style, False)
    if curve.mean is None:
        return
    mean = curve.mean
    if np.any(mean.high > mean.low):
        ax.fill_between(mean.x, mean.low, mean.high, color=colour, alpha=0.18 if marks else 0.1, linewidth=0)
    ax.plot(mean.x, mean.mean, color=colour, linestyle=style, label=f"{curve.label}: {curve.metric}")
    if marks:
        best = [run.best for run in curve.runs if run.averaged and run.best is not None]
        ax.plot(*zip(*best, strict=True), "o", color=colour, markersize=2.5, markeredgewidth=0, alpha=0.7)


def _draw_lines(
    ax: Axes,
    lines: Sequence[tuple[np.ndarray, np.ndarray]],
    colour: Any,
    style: Any,
    faint: bool,
    strength: float = 1.0,
) -> None:
    if not lines:
        return
    # The more runs, the fainter each: together they must not hide their mean.
    width, alpha = (0.5, strength * max(0.3 * min(1, 8 / len(lines)), 0.03)) if faint else (1.3, 1.0)
    if len(lines) == 1:
        ax.plot(*lines[0], color=colour, linestyle=style, linewidth=width, alpha=alpha)
        return
    segments = [np.column_stack(line) for line in lines]
    ax.add_collection(LineCollection(segments, colors=[colour], linestyles=[style], linewidths=width, alpha=alpha))


def _only_run(data: LearningCurves) -> RunCurve | None:
    """The curve on which a single run's best and last points are marked: validation, where it is drawn."""
    if len(data.labels) != 1 or any(len(curve.runs) > 1 for curve in data.curves):
        return None
    with_runs = [curve for curve in data.curves if curve.runs]
    preferred = [curve for curve in with_runs if curve.metric.startswith("valid")] or with_runs
    return preferred[-1].runs[0]


def _mark_best_and_end(ax: Axes, run: RunCurve, stop_reason: str | None) -> None:
    if run.best is not None:
        x, y = run.best
        ax.axvline(x, color="#555555", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0.9)
        # Hollow, so that the cross of a run that stopped right there shows in it.
        label = f"best validation: {y:.3g} at {x:,.6g}"
        ax.plot([x], [y], "o", color="black", markerfacecolor="white", markersize=5.5, zorder=5, label=label)
    if run.end is not None:
        x, y = run.end
        label = f"stopped at {x:,.6g}" + (f" ({stop_reason})" if stop_reason else "")
        ax.plot([x], [y], "X", color="black", markersize=4, markeredgewidth=0, zorder=5, label=label)


def _scale_axes(ax: Axes, data: LearningCurves, log: str, values: tuple[float, float]) -> None:
    """Limits that hold the averaged runs, as far as there are any; an axis with values <= 0 stays linear.

    Updates start at 0, with the initial weights: a logarithmic x axis starts at the first positive x instead.
    """
    xs = np.concatenate([run.x for run in _deciding([run for curve in data.curves for run in curve.runs])])
    positive = xs[xs > 0]
    if "x" in log and len(positive) and positive.min() < xs.max():
        ax.set_xscale("log")
        ax.set_xlim(positive.min(), xs.max() * 1.05)
        log_number_axis(ax.xaxis, positive.min(), xs.max())
    else:
        span = xs.max() - xs.min() or 1.0
        ax.set_xlim(xs.min() - 0.01 * span, xs.max() + 0.02 * span)
        plain_number_axis(ax.xaxis)
    low, high = values
    if "y" in log and low > 0:
        ax.set_yscale("log")
        margin = max((high / low) ** 0.05, 1.05)
        ax.set_ylim(low / margin, high * margin)
        log_number_axis(ax.yaxis, low, high)
    else:
        span = high - low or abs(high) or 1.0
        ax.set_ylim(low - 0.05 * span, high + 0.05 * span)


def legend_entries(ax: Axes | None, data: LearningCurves, colours: Mapping[str, Any]) -> list[Line2D]:
    """Groups by colour and, where it takes both to tell curves apart, metrics by line style; the marks on `ax` last."""
    entries: list[Line2D] = []
    if len(data.labels) > 1:
        step = -(-len(data.labels) // MOST_IN_LEGEND)
        shown = [label for i, label in enumerate(data.labels) if i % step == 0 or label == data.labels[-1]]
        entries += [Line2D([], [], color=colours[label], label=label) for label in shown]
        if len(data.metrics) > 1:
            entries += [
                Line2D(
                    [], [], color="#444444", linewidth=1, linestyle=_line_style(data, m), label=METRIC_LABELS.get(m, m)
                )
                for m in data.metrics
            ]
    else:
        entries += [Line2D([], [], color=colours[m], label=METRIC_LABELS.get(m, m)) for m in data.metrics]
    lines = ax.get_lines() if ax is not None else []
    entries += [line for line in lines if line.get_marker() in ("o", "X") and str(line.get_label())[0] != "_"]
    return entries


def _draw_legend(ax: Axes, data: LearningCurves, entries: Sequence[Line2D]) -> None:
    title = data.legend_title if len(data.labels) > 1 else ""
    if _only_run(data) is not None:
        ax.legend(handles=entries, loc="best", **LEGEND)
        return
    # Above the axes, where it hides no curve, in as many columns as fit.
    entries, n_columns = legend_rows(entries, LEGEND_LETTERS)
    lines = sum(str(entry.get_label()).count("\n") for entry in entries) + -(-len(entries) // n_columns) + bool(title)
    ax.legend(
        handles=entries, title=title or None, loc="lower left", bbox_to_anchor=(0, 1.01), ncols=n_columns, **LEGEND
    )
    if isinstance(ax.figure, Picture) and lines > 2:
        ax.figure.set_figheight(ax.figure.get_figheight() + LEGEND_ROW * (lines - 2))


def legend_rows(entries: Sequence[Line2D], letters: int) -> tuple[list[Line2D], int]:
    """The entries in the order in which matplotlib, column by column, makes rows of them; and how many columns fit.

    letters: that fit into a row. A longer label is broken into lines.
    """
    for entry in entries:
        entry.set_label("\n".join(textwrap.wrap(str(entry.get_label()), letters - LEGEND_HANDLE)))
    for n_columns in range(len(entries), 0, -1):
        columns = [entries[i::n_columns] for i in range(n_columns)]
        widths = [LEGEND_HANDLE + max(len(str(entry.get_label())) for entry in column) for column in columns]
        if sum(widths) <= letters:
            return [entry for column in columns for entry in column], n_columns
    return list(entries), 1
