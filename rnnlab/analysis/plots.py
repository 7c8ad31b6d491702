"""Pictures of runs: learning curves, a metric against config keys, heat maps, parallel coordinates.

Each function extracts what it shows (`curves`, `metric_data`, `moving_average`) and draws it. Given Axes, it draws
there and returns them; otherwise it makes a `Picture`, which `save_figure` writes and Jupyter shows.
"""

import dataclasses
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from rnnlab.analysis.curve_drawing import (
    LEGEND,
    LEGEND_LETTERS,
    LEGEND_ROW,
    curve_colours,
    draw_curves,
    draw_grid,
    legend_entries,
    legend_rows,
    shown_range,
)
from rnnlab.analysis.curves import LearningCurves, curve_notes, extract_learning_curves
from rnnlab.analysis.groups import (
    AnalysisError,
    group_records,
    legend_labels,
    resolve_keys,
    telling_notes,
)
from rnnlab.analysis.metric_plots import plot_heatmap, plot_metric, plot_parallel
from rnnlab.analysis.moving_average import extract_moving_average
from rnnlab.analysis.picture import HEIGHT, PALETTE, STYLE, WIDTH, Picture, group_colours, new_picture, put_notes
from rnnlab.analysis.picture import save_figure as save_figure
from rnnlab.analysis.reading import story_of
from rnnlab.analysis.selection import usable_records
from rnnlab.store.record import RunRecord
from rnnlab.terminal import visible

__all__ = [
    "plot_heatmap",
    "plot_learning_curves",
    "plot_metric",
    "plot_moving_average",
    "plot_parallel",
    "save_figure",
]

BAND_NAMES = {"interval": "95% interval of the mean (t)", "sd": "one standard deviation", "range": "all runs"}
LOG_AXES = ("", "x", "y", "xy")
PANELS_PER_ROW = 3


def plot_learning_curves(
    records: RunRecord | Sequence[RunRecord],
    by: str | Sequence[str] | None = None,
    metric: str | Sequence[str] = ("train.loss", "valid.loss"),
    x: str = "updates",
    log: str = "y",
    smooth: float | None = None,
    band: str = "interval",
    small_multiples: str | None = None,
    ax: Axes | None = None,
) -> Axes | Picture:
    """Draw the learning curves of one run or of groups of runs; the arguments are those of `extract_learning_curves`.

    One run: its curves, with the best validation and the stopping point marked. Groups: a colour each, the mean of the
    completed runs with its band, single runs faint, and a dot at each one's best validation. With `smooth` the raw
    curves stay visible, faint.

    log:             which axes are logarithmic: "", "x", "y" or "xy"; a y axis with values <= 0 stays linear
    small_multiples: a config key, one panel for each of its values, on common axes

    Raises AnalysisError for what `extract_learning_curves` does, for a bad `log`, and for small multiples within `ax`.
    """
    records = [records] if isinstance(records, RunRecord) else list(records)
    if log not in LOG_AXES:
        raise AnalysisError(f"log {log!r}: must be one of {', '.join(map(repr, LOG_AXES))}")
    if small_multiples is not None and ax is not None:
        raise AnalysisError("small multiples are panels of their own: give small_multiples or ax, not both")
    with matplotlib.rc_context(STYLE):
        if small_multiples is not None:
            return _small_multiples(records, small_multiples, by, metric, x, log, smooth, band)
        data = extract_learning_curves(records, by, metric, x, smooth, band)
        picture = None
        if ax is None:
            picture, (ax,) = new_picture()
        draw_curves(ax, data, log, curve_colours(data), shown_range([data]), _stop_reason(records))
        put_notes(picture or ax, data.notes, _explanation([data], band, smooth, log))
        return picture or ax


def plot_moving_average(record: RunRecord, ax: Axes | None = None) -> Axes | Picture:
    """Draw the moving average (.9/.1) of the absolute error against updates in thousands (`extract_moving_average`).

    Faint, its spread; over it, the mean error in short stretches of the run.
    """
    moving = extract_moving_average(record)
    with matplotlib.rc_context(STYLE):
        picture = None
        if ax is None:
            picture, (ax,) = new_picture()
        ax.plot(moving.updates / 1000, moving.averages, color=PALETTE[5], linewidth=0.5, label="moving average (.9/.1)")
        ax.plot(moving.mean_updates / 1000, moving.means, color=PALETTE[0], linewidth=1.2, label="local mean")
        ax.set_xlabel("updates (thousands)")
        ax.set_ylabel("absolute error")
        ax.set_xlim(0, moving.updates[-1] / 1000)
        # the few updates from the initial weights to predicting the mean would squash all the others
        ax.set_ylim(0, 1.05 * np.quantile(moving.averages, 0.995))
        ax.legend()
        draw_grid(ax)
    return picture or ax


def _small_multiples(
    records: Sequence[RunRecord],
    key: str,
    by: str | Sequence[str] | None,
    metric: str | Sequence[str],
    x: str,
    log: str,
    smooth: float | None,
    band: str,
) -> Picture:
    usable, notes = usable_records(records)
    notes += telling_notes(usable, by)
    keys = [name for name in resolve_keys(usable, by) if name != key]
    panels = group_records(usable, key)
    data = [extract_learning_curves(panel.records, keys, metric, x, smooth, band) for panel in panels]
    _, labels = legend_labels(group_records(usable, keys))
    colours = dict(zip(labels, group_colours(len(labels)), strict=True))
    n_columns = {1: 1, 2: 2, 4: 2}.get(len(panels), PANELS_PER_ROW)
    n_rows = -(-len(panels) // n_columns)
    width = WIDTH if n_columns == 1 else 2.4 * n_columns
    picture, axes = new_picture(n_rows, n_columns, width, 0.3 + 0.85 * HEIGHT * n_rows, share=True)
    widest = [float("inf"), float("-inf")]
    for i, (panel, curves) in enumerate(zip(panels, data, strict=True)):
        panel_colours = (
            curve_colours(curves) if len(labels) == 1 else {label: colours[label] for label in curves.labels}
        )
        draw_curves(axes[i], curves, log, panel_colours, shown_range(data), legend=False)
        axes[i].set_title(panel.label, loc="left")
        axes[i].label_outer()
        if i + n_columns >= len(panels):  # nothing below it, though there may be another row
            axes[i].xaxis.set_tick_params(labelbottom=True)
            axes[i].set_xlabel(curves.x_label)
        widest = [min(widest[0], axes[i].get_xlim()[0]), max(widest[1], axes[i].get_xlim()[1])]
    axes[0].set_xlim(*widest)
    # Marks of single runs are the panels' own; the legend has what they share.
    every_label = dataclasses.replace(data[0], labels=tuple(labels))
    entries = legend_entries(None, every_label, curve_colours(data[0]) if len(labels) == 1 else colours)
    title = data[0].legend_title if len(labels) > 1 else ""
    entries, n_legend = legend_rows(entries, int(LEGEND_LETTERS * width / WIDTH))
    picture.legend(handles=entries, title=title or None, loc="outside upper left", ncols=n_legend, **LEGEND)
    picture.set_figheight(picture.get_figheight() + LEGEND_ROW * (-(-len(entries) // n_legend) - 1))
    for unused in axes[len(panels) :]:
        unused.set_visible(False)
    notes += curve_notes(group_records(usable, (key, *keys)), [curve for curves in data for curve in curves.curves])
    put_notes(picture, notes, _explanation(data, band, smooth, log))
    return picture


def _explanation(data: Sequence[LearningCurves], band: str, smooth: float | None, log: str) -> str:
    """What lines and bands are, where it is not plain from the legend."""
    means = [curve.mean for one in data for curve in one.curves if curve.mean is not None]
    averaging = f"moving average ({smooth:g}) of the faint curves" if smooth else ""
    if not means:
        return f"Lines: {averaging}" if averaging else ""
    least, most = min(mean.n for mean in means), max(mean.n for mean in means)
    parts = [f"Lines: mean of {least if least == most else f'{least} to {most}'} runs"]
    parts += [f"each a {averaging}"] * bool(averaging)
    if band in BAND_NAMES:
        cut = "y" in log and shown_range(data)[0] > 0 and any((mean.low <= 0).any() for mean in means)
        parts.append(f"bands: {BAND_NAMES[band]}{', off the axis where it reaches 0' if cut else ''}")
    return "; ".join([*parts, "thin: single runs, until they stopped; dots: their best validation"])


def _stop_reason(records: Sequence[RunRecord]) -> str | None:
    """Why a single run stopped, in a word."""
    if len(records) != 1:
        return None
    record = records[0]
    reason = (record.result or {}).get("stop_reason") or story_of(record).get("reason")
    return visible(str(reason or record.status.lower())).replace("_", " ")
