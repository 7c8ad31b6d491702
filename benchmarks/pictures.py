"""Pictures of what was measured, in benchmarks/pictures/."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks.growth import Growth
from benchmarks.measured import Measured
from benchmarks.programs import PROGRAMS, RNNLAB
from benchmarks.update_times import MIDDLE, POST
from benchmarks.work import Work

COLORS = {program.name: f"C{i}" for i, program in enumerate(PROGRAMS)}


def draw_all(measured: Measured, folder: Path) -> list[Path]:
    """Draw every picture for which there are numbers; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, tuple[bool, Callable[[Measured], Figure]]] = {
        "ratios.png": (bool(measured.updates), ratios),
        "updates.png": (len({row.work for row in measured.updates}) > 2, updates),
        "growth.png": (bool(measured.growth), growth),
        "sweeps.png": (bool(measured.sweeps), sweeps),
    }
    drawn = []
    for name, (there, draw) in pictures.items():
        if there:
            draw(measured).savefig(folder / name, dpi=110)
            drawn.append(folder / name)
    return drawn


def ratios(measured: Measured) -> Figure:
    """Bars: the time of one update as a multiple of rnnlab's, for the post's network and for a larger one."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    for axes, work in zip(figure.subplots(1, 2), (POST, MIDDLE), strict=True):
        rows = [row for row in measured.updates if row.work == work.name]
        own = next((row.median for row in rows if row.program == RNNLAB.name), np.nan)
        rows.sort(key=lambda row: -row.median)
        values = [row.median / own for row in rows]
        bars = axes.barh([row.program for row in rows], values, color=[COLORS[row.program] for row in rows])
        axes.axvline(1, color="black", linewidth=0.8, zorder=0)
        labels = [f"{value:.2f}" if value < 10 else f"{value:.0f}" for value in values]
        axes.bar_label(bars, labels, padding=3, bbox={"color": "white", "pad": 0.5})
        axes.set_xscale("log")
        lowest, highest = min(values) / 1.5, max(values)
        axes.set_xlim(lowest, highest * (highest / lowest) ** 0.2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1,) if highest > 100 * lowest else (1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_title(work.name, fontsize=10)
        axes.set_xlabel("time of one update / rnnlab's")
    return figure


def updates(measured: Measured) -> Figure:
    """Lines: the time of one update by the number of units, of steps, and by the batch size."""
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    panels: Sequence[tuple[str, Callable[[int], Work]]] = (
        ("hidden units (10 steps, batch 1)", lambda x: Work(x)),
        ("steps (20 units, batch 1)", lambda x: Work(20, n_steps=x)),
        ("hidden units (10 steps, batch 128)", lambda x: Work(x, batch_size=128)),
    )
    for axes, (label, work_of) in zip(figure.subplots(1, 3), panels, strict=True):
        for program in PROGRAMS:
            rows = [(x, measured.row(work_of(x).name, program.name)) for x in (10, 20, 50, 100, 256, 1000)]
            points = [(x, row.median) for x, row in rows if row is not None]
            if points:
                axes.plot(
                    *zip(*points, strict=True), "o-", color=COLORS[program.name], label=program.name, markersize=4
                )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(label)
        axes.set_ylabel("microseconds of one update")
    found = {label: line for axes in figure.axes for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=4, fontsize=8)
    return figure


def growth(measured: Measured) -> Figure:
    """Lines on log-log axes: time and memory by the number of steps and of sequences, beside slope 1."""
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    names = list(dict.fromkeys(each.x_name for each in measured.growth))
    all_axes = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        for each in (growth for growth in measured.growth if growth.x_name == name):
            _line(all_axes[0, column], each, each.milliseconds)
            _line(all_axes[1, column], each, each.megabytes)
        own = next(each for each in measured.growth if each.x_name == name)
        x = np.array(own.x, float)
        all_axes[0, column].plot(x, own.milliseconds[-1] * x / x[-1], ":", color="gray", label="proportional")
        all_axes[0, column].set_ylabel("milliseconds of one " + ("update" if name == "steps" else "epoch"))
        all_axes[1, column].set_ylabel("peak memory in MB")
        all_axes[1, column].set_xlabel(f"number of {name}")
        all_axes[1, column].yaxis.set_major_formatter("{x:g}")
        all_axes[1, column].yaxis.set_minor_formatter("{x:g}")
        all_axes[0, column].legend(fontsize=8)
    return figure


def _line(axes: Axes, growth: Growth, values: Sequence[float]) -> None:
    axes.loglog(growth.x, values, "o-", color=COLORS[growth.program], label=growth.program, markersize=4)


def sweeps(measured: Measured) -> Figure:
    """Lines: runs finished by the time since the sweep's start, for each training."""
    trainings = list(dict.fromkeys(sweep.training for sweep in measured.sweeps))
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    for axes, training in zip(figure.subplots(1, len(trainings), squeeze=False)[0], trainings, strict=True):
        for sweep in (each for each in measured.sweeps if each.training == training):
            axes.step(sorted(sweep.ends), np.arange(1, len(sweep.ends) + 1), where="post", label=sweep.name)
        axes.set_title(training, fontsize=10)
        axes.set_xlabel("seconds since the start")
        axes.set_ylabel("runs finished")
        axes.set_yscale("log")
        axes.legend(fontsize=8)
    return figure
