"""Draw a metric against one config key, over two, or over many."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize

from rnnlab.analysis.curve_drawing import draw_grid, draw_references, log_number_axis
from rnnlab.analysis.groups import format_value, short_names
from rnnlab.analysis.metric_data import MetricData, extract_heatmap, extract_metric, extract_parallel
from rnnlab.analysis.picture import (
    COLOUR_MAP,
    FAINT,
    STYLE,
    WIDTH,
    Picture,
    group_colours,
    new_picture,
    put_notes,
)
from rnnlab.analysis.tables import format_number
from rnnlab.store.record import RunRecord

# From this ratio of the largest to the smallest value on, a scale is logarithmic.
LOG_RATIO = 10


def plot_metric(
    records: Sequence[RunRecord],
    key: str,
    metric: str = "test_loss",
    by: str | Sequence[str] | None = (),
    interval: str = "t",
    ax: Axes | None = None,
) -> Axes | Picture:
    """Draw `metric` against the config key: means with 95% intervals, faint single runs, naive baselines dashed.

    by: keys whose combinations have a line each (None: all others that vary). Raises as `extract_metric` does.
    """
    data = extract_metric(records, key, metric, by, interval)
    with matplotlib.rc_context(STYLE):
        picture = None
        if ax is None:
            picture, (ax,) = new_picture()
        _draw_metric(ax, data, key, metric)
        explanation = f"Points: means of the completed runs with 95% interval ({interval}); faint dots: single runs"
        put_notes(picture or ax, data.notes, explanation)
        return picture or ax


def plot_heatmap(
    records: Sequence[RunRecord], key_x: str, key_y: str, metric: str = "test_loss", ax: Axes | None = None
) -> Axes | Picture:
    """Draw the mean of `metric` over two config keys, the number in each cell; cells without a value are crossed out.

    Raises as `extract_heatmap` does.
    """
    data = extract_heatmap(records, key_x, key_y, metric)
    n_rows, n_columns = data.mean.shape
    with matplotlib.rc_context(STYLE):
        picture = None
        if ax is None:
            picture, (ax,) = new_picture(width=max(WIDTH, 1.6 + 0.55 * n_columns), height=max(2.4, 1.1 + 0.36 * n_rows))
        finite = data.mean[np.isfinite(data.mean)]
        norm = _norm(finite)
        image = ax.imshow(data.mean, cmap=COLOUR_MAP, norm=norm, aspect="auto", origin="lower", interpolation="nearest")
        for (row, column), value in np.ndenumerate(data.mean):
            if np.isfinite(value):
                colour = "black" if norm(value) > 0.55 else "white"
                ax.text(column, row, format_number(value, 3), ha="center", va="center", fontsize=7, color=colour)
            else:
                ax.text(column, row, "\u00d7", ha="center", va="center", fontsize=9, color=FAINT)
        ax.set_xticks(range(n_columns), [format_value(v) for v in data.values_x])
        ax.set_yticks(range(n_rows), [format_value(v) for v in data.values_y])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xlabel(key_x)
        ax.set_ylabel(key_y)
        bar = ax.figure.colorbar(image, ax=ax, label=metric, pad=0.02)
        bar.outline.set_visible(False)
        if isinstance(norm, LogNorm):
            log_number_axis(bar.ax.yaxis, finite.min(), finite.max())
        counts = data.n[data.n > 0]
        n = str(counts.min()) if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
        empty = "; \u00d7: no value" if np.isnan(data.mean).any() else ""
        put_notes(picture or ax, data.notes, f"Cells: mean of {n} completed run{'s' * (n != '1')}{empty}")
        return picture or ax


def plot_parallel(
    records: Sequence[RunRecord],
    keys: Sequence[str] | None = None,
    metric: str = "test_loss",
    ax: Axes | None = None,
) -> Axes | Picture:
    """Draw a line for each run over the axes `keys` (default: all that vary), coloured by the metric on the last axis.

    Raises as `extract_parallel` does.
    """
    data = extract_parallel(records, keys, metric)
    places = np.array([axis.places for axis in data.axes]).T
    with matplotlib.rc_context(STYLE):
        picture = None
        if ax is None:
            picture, (ax,) = new_picture(width=max(WIDTH, 1.15 * len(data.axes)))
        measured = np.isfinite(data.values)
        norm = _norm(data.values[measured])
        _draw_parallel_lines(ax, places[~measured][:, :-1], None, None)
        _draw_parallel_lines(ax, places[measured], data.values[measured], norm)
        for i, axis in enumerate(data.axes):
            ax.axvline(i, color="black", linewidth=0.7, zorder=3)
            for place, label in axis.ticks:
                _put_tick(ax, i, place, label)
        names = short_names([axis.name for axis in data.axes])
        ax.set_xticks(range(len(data.axes)), [names[axis.name] for axis in data.axes])
        ax.tick_params(length=0, pad=8)
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        ax.set_xlim(-0.1, len(data.axes) - 0.6)
        ax.set_ylim(-0.05, 1.05)
        put_notes(picture or ax, data.notes, f"A line for each run, its colour by {metric}")
        return picture or ax


def _draw_metric(ax: Axes, data: MetricData, key: str, metric: str) -> None:
    values = sorted({v for one in data.series for v in one.values if _is_number(v)})
    numeric = all(_is_number(v) for one in data.series for v in one.values) and len(values) > 1
    names = list(dict.fromkeys(format_value(v) for one in data.series for v in one.values))
    colours = group_colours(len(data.series))
    for i, one in enumerate(data.series):
        x = np.array([float(v) if numeric else names.index(format_value(v)) for v in one.values])
        if not len(x):
            continue
        if not numeric:
            x = x + 0.12 * (i - (len(data.series) - 1) / 2)
        mean = np.array([s.mean for s in one.summaries])
        # A single run has no interval: its bar has no length.
        low = np.array([s.mean - s.low if s.n > 1 else 0.0 for s in one.summaries])
        high = np.array([s.high - s.mean if s.n > 1 else 0.0 for s in one.summaries])
        runs_x = np.concatenate([np.full(len(runs), at) for at, runs in zip(x, one.runs, strict=True)])
        ax.plot(runs_x, np.concatenate(one.runs), "o", color=colours[i], markersize=2.5, markeredgewidth=0, alpha=0.35)
        ax.errorbar(
            x, mean, yerr=[low, high], color=colours[i], marker="o", markersize=4, linewidth=1.2 if numeric else 0,
            elinewidth=1, capsize=2, label=one.label,
        )  # fmt: skip
    numbers = np.concatenate([runs for one in data.series for runs in one.runs])
    references = [value for _, value in data.naive if np.isfinite(value)]
    ends = [end for one in data.series for s in one.summaries for end in (s.low, s.high)]
    everything = np.concatenate([numbers, references, [end for end in ends if np.isfinite(end)]])
    if everything.min() > 0 and everything.max() >= LOG_RATIO * everything.min():
        ax.set_yscale("log")
        margin = (everything.max() / everything.min()) ** 0.08
        ax.set_ylim(everything.min() / margin, everything.max() * margin)
        log_number_axis(ax.yaxis, everything.min(), everything.max())
    else:
        span = everything.max() - everything.min() or 1.0
        ax.set_ylim(everything.min() - 0.05 * span, everything.max() + 0.08 * span)
    draw_references(ax, data.naive)
    if numeric:
        if values[0] > 0 and values[-1] >= LOG_RATIO * values[0]:
            ax.set_xscale("log")
            ax.minorticks_off()
        ax.set_xticks(values, [format_value(v) for v in values])
    else:
        ax.set_xticks(range(len(names)), names)
        ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_xlabel(key)
    ax.set_ylabel(metric)
    draw_grid(ax)
    if len(data.series) > 1:
        ax.legend(title=data.legend_title or None, loc="best", labelspacing=0.25, alignment="left")


def _draw_parallel_lines(ax: Axes, places: np.ndarray, values: np.ndarray | None, norm: Any) -> None:
    if not len(places):
        return
    segments = [np.column_stack([np.arange(len(line)), line]) for line in places]
    if values is None:
        ax.add_collection(LineCollection(segments, colors=[FAINT], linewidths=0.6, alpha=0.5, linestyles=[(0, (2, 2))]))
        return
    # The best-known palette for magnitudes ends in a light yellow, hard to see as a line: stay below its end.
    colours = matplotlib.colormaps[COLOUR_MAP](0.9 * np.asarray(norm(values)))
    ax.add_collection(LineCollection(segments, colors=colours, linewidths=0.9, alpha=0.75))


def _put_tick(ax: Axes, i: int, place: float, label: str) -> None:
    ax.annotate(
        label,
        (i, place),
        (3, 0),
        textcoords="offset points",
        va="center",
        fontsize=6.5,
        zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
    )


def _norm(values: np.ndarray) -> Normalize:
    low, high = float(values.min()), float(values.max())
    if low > 0 and high >= LOG_RATIO * low:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1.0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
