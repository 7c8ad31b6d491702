"""results.md: tables of what was measured, and what must hold."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.measured import Measured
from benchmarks.must_hold import statements
from benchmarks.programs import PROGRAMS, RNNLAB
from benchmarks.update_times import Row

HOLDS = {True: "holds", False: "**falls short**", None: "absent"}


def write(measured: Measured, pictures: Iterable[Path], path: Path) -> None:
    """Write the report; pictures are linked from where they are."""
    links = [f"![{picture.stem}]({picture.relative_to(path.parent)})" for picture in pictures]
    sections = [
        _head(measured),
        _must_hold(measured),
        "\n\n".join(links),
        *_updates(measured),
        *_first(measured),
        *_growth(measured),
        *_post_run(measured),
        *_own_cost(measured),
        *_sweeps(measured),
        *_listings(measured),
        *_all_numbers(measured),
    ]
    path.write_text("\n\n".join(map(_wrapped, filter(None, sections))) + "\n")


def _wrapped(section: str) -> str:
    """Prose in lines of up to 120; tables, lists and what was printed stay as they are."""
    if "```" in section:
        return section
    paragraphs = section.split("\n\n")
    return "\n\n".join(text if text[:1] in "|-!#" else textwrap.fill(text, 120) for text in paragraphs)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _head(measured: Measured) -> str:
    minutes = f"{sum(measured.minutes.values()):.1f} minutes"
    what = "\n".join(f"- {name}: {words}" for name, words in measured.machine.items())
    return (
        f"# What rnnlab costs, beside what else one would use\n\nWritten by `make bench` in {minutes}. All numbers "
        "are of this one run, on this machine:\n\n"
        f"{what}\n\n"
        "Programs on the same work run in turn, round after round, on one core of their own, so that what changes on "
        "the machine meets all of them. Times are medians over the rounds, ratios are ratios of medians. Every program "
        "is given the same data, the same initial weights and for its first 200 updates the same minibatches, and must "
        "give the same losses to rounding; otherwise the benchmark fails. All of it is in float32 and by plain SGD. "
        "[NOTES.md](NOTES.md) tells what was tried."
    )


def _must_hold(measured: Measured) -> str:
    rows = [(each.promise, each.found, HOLDS[each.holds]) for each in statements(measured)]
    return "## What must hold\n\n" + table(("promise", "found", ""), rows)


def _updates(measured: Measured) -> Iterator[str]:
    if not measured.updates:
        return
    plain = [row for row in measured.updates if row.work.startswith("elman")]
    groups = {
        "Batch size 1": [row for row in plain if row.work.endswith("batch 1")],
        "Minibatches": [row for row in plain if not row.work.endswith("batch 1")],
        "LSTM": [row for row in measured.updates if row not in plain],
    }
    yield (
        "## Time of one update\n\nMicroseconds, and in brackets as a multiple of rnnlab's. rnnlab's is that of an "
        "epoch within a run, with all the work of the host; for the others it is an epoch of their own loop, "
        "drawing the order of its sequences included. `nn.RNN` has no sigmoid units: PyTorch loops over "
        "`torch.addmm` for those. The matrix products alone are `6 T batch H^2` operations at the best rate that "
        "NumPy's BLAS or JAX reach on this core for whole products."
    )
    for title, rows in groups.items():
        if rows:
            yield f"### {title}\n\n{_pivot(rows)}"


def _pivot(rows: Sequence[Row]) -> str:
    works = list(dict.fromkeys(row.work for row in rows))
    found = {(row.work, row.program): row for row in rows}
    lines = []
    for program in PROGRAMS:
        if any((work, program.name) in found for work in works):
            cells = [_cell(found.get((work, program.name)), found[work, RNNLAB.name]) for work in works]
            lines.append((program.name, *cells))
        elif not program.installed:
            lines.append((program.name, *["absent"] * len(works)))
    return table(("", *(work.removeprefix("elman ").replace(", ", ",<br>") for work in works)), lines)


def _cell(row: Row | None, own: Row) -> str:
    return "" if row is None else f"{_digits(row.median)} ({_digits(row.median / own.median)})"


def _digits(value: float) -> str:
    """Three digits, but all those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _spread(values: Sequence[float], digits: str = ".2f") -> str:
    low, median, high = np.quantile(values, [0, 0.5, 1])
    return f"{median:{digits}} ({low:{digits}} to {high:{digits}})"


def _first(measured: Measured) -> Iterator[str]:
    if not measured.first:
        return
    rows = [
        (each.work, each.program, _spread(each.cold), _spread(each.warm) if each.warm else "keeps nothing")
        for each in measured.first
    ]
    yield (
        "## From the start of a process to its first update\n\nSeconds, the median and the range over several "
        "processes, on all cores: with nothing kept from before, and with the compilation cache that an earlier "
        "process filled (rnnlab's and Theano's own, JAX's `JAX_COMPILATION_CACHE_DIR`). For rnnlab it is the first "
        "compiled call of a whole run, after a first validation. Programs with a single start were measured while "
        "Theano compiled on another core.\n\n" + table(("work", "program", "cold", "warm"), rows)
    )


def _growth(measured: Measured) -> Iterator[str]:
    if not measured.growth:
        return
    rows = []
    for each in measured.growth:
        cells = [
            f"{x:,}: {ms:.3g} ms, {mb:.0f} MB"
            for x, ms, mb in zip(each.x, each.milliseconds, each.megabytes, strict=True)
        ]
        rows.append(
            (each.x_name, each.program, "<br>".join(cells), f"{each.last_slope:.2f}", f"{each.memory_slope:.2f}")
        )
    yield (
        "## Growth\n\nTime of one update (50 units, batch 20) by the number of steps, and of one epoch (20 units, 10 "
        "steps, batch 20) by the number of sequences. The slopes are those of log time and of log memory between the "
        "last two values: 1 is proportional.\n\n"
        + table(("", "program", "time and peak memory", "slope of time", "of memory"), rows)
    )


def _post_run(measured: Measured) -> Iterator[str]:
    if not measured.post_run:
        return
    (first, n_updates), *warm = measured.post_run
    micro = [1e6 * seconds / n for seconds, n in warm]
    yield (
        "## The blog post's experiment as a whole run\n\n`experiments/dot_product.py with post`, shortened to "
        f"{n_updates:,} updates: `rnnlab.run.run` with fresh sequences in every epoch, a validation every 5,000 "
        f"updates and the log of every update. {_spread(micro)} microseconds of training per update in a process "
        f"that has compiled before; the first run trained for {first:.1f} s in all, compilation included."
    )


def _own_cost(measured: Measured) -> Iterator[str]:
    if measured.starts:
        rows = [(f"`{name}`", _spread(times, ".3f")) for name, times in measured.starts.items()]
        yield "## Starting\n\nSeconds of a whole process.\n\n" + table(("", "median (range)"), rows)
    if measured.tracked:
        rows = [(place, _spread(times, ".1f")) for place, times in measured.tracked.items()]
        yield (
            "## What tracking adds to a run\n\nMilliseconds of a run of a script beyond those of `rnnlab.run.run` "
            "itself: Sacred's, and those of the record (10 hidden units, 40 validations).\n\n"
            + table(("recorded", "median (range)"), rows)
        )


def _sweeps(measured: Measured) -> Iterator[str]:
    if not measured.sweeps:
        return
    yield (
        "## The same sweeps\n\nOver seeds: 2,000 updates, a validation after every 50, two processes at a time, "
        "everything in files. The sustained rate leaves out start and first compilation: it counts from the end of the "
        "second run on. Memory is the sum over all processes."
    )
    header = ("", "runs", "seconds in all", "runs/s in all", "sustained runs/s", "rnnlab's rate / this", "peak MB")
    for training in dict.fromkeys(sweep.training for sweep in measured.sweeps):
        sweeps = [sweep for sweep in measured.sweeps if sweep.training == training]
        own = sweeps[0].sustained
        rows = [
            (
                sweep.name,
                f"{len(sweep.ends)}",
                f"{sweep.seconds:.1f}",
                f"{len(sweep.ends) / sweep.seconds:.2f}",
                f"{sweep.sustained:.2f}",
                f"{own / sweep.sustained:.1f}",
                f"{sweep.megabytes:.0f}",
            )
            for sweep in sweeps
        ]
        yield f"### {training}\n\n{table(header, rows)}"


def _listings(measured: Measured) -> Iterator[str]:
    if measured.listings:
        yield "## Stores and checkpoints"
        for command, printed in measured.listings.items():
            yield f"`{command}`:\n\n```\n{printed.rstrip()}\n```"


def _all_numbers(measured: Measured) -> Iterator[str]:
    if not measured.updates:
        return
    rows = []
    for row in measured.updates:
        low, high = np.quantile(row.microseconds, [0.25, 0.75])
        deviation = "" if row.deviation is None else f"{row.deviation:.0e}"
        memory = "" if row.megabytes is None else f"{row.megabytes:.0f}"
        rows.append(
            (row.work, row.program, _digits(row.median), f"{_digits(low)} to {_digits(high)}", memory, deviation)
        )
    versions = sorted({row.version for row in measured.updates})
    yield (
        f"## All times of updates\n\nWith {'; '.join(versions)}. The deviation is the largest difference of the first "
        "200 losses from rnnlab's, as a part of their mean.\n\n"
        + table(("work", "program", "us", "quartiles", "peak MB", "deviation"), rows)
    )
