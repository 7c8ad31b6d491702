"""The report of a sweep: one HTML file with its pictures inside, readable without network and without scripts."""

import base64
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from rnnlab.analysis.comparison import Comparison, compare_groups
from rnnlab.analysis.comparison_tables import tests_table, tests_title, values_table, values_title
from rnnlab.analysis.curves import run_curve
from rnnlab.analysis.groups import (
    MISSING,
    SEED_KEYS,
    config_of,
    fixed_config,
    format_value,
    group_records,
    sort_key,
    varying_keys,
)
from rnnlab.analysis.metrics import OUTCOMES, outcome
from rnnlab.analysis.picture import Picture, figure_bytes, write_whole
from rnnlab.analysis.plots import plot_heatmap, plot_learning_curves, plot_metric, plot_parallel
from rnnlab.analysis.reading import environment_of, last_lines, story_of
from rnnlab.analysis.reproduce import reproduce_command
from rnnlab.analysis.selection import usable_records
from rnnlab.analysis.tables import format_number, formatted
from rnnlab.store.record import RunRecord

# More groups than colours cannot be told apart in one picture: the best ones are drawn.
MOST_GROUPS = 7
# Beyond this many letters the dots of a picture take less room than its lines.
MOST_SVG = 600_000


def write_report(
    records: Sequence[RunRecord],
    path: str | os.PathLike[str],
    by: str | Sequence[str] | None = None,
    metric: str = "test_loss",
    baseline: str | Mapping[str, Any] | None = None,
    interval: str = "t",
    title: str | None = None,
) -> Path:
    """Write the report of `render_report` to `path`, whole or not at all, and return the path."""
    page = render_report(records, by, metric, baseline, interval, title)
    write_whole(Path(path), page.encode("utf-8", "backslashreplace"))  # JSON may hold halves of characters
    return Path(path)


def render_report(
    records: Sequence[RunRecord],
    by: str | Sequence[str] | None = None,
    metric: str = "test_loss",
    baseline: str | Mapping[str, Any] | None = None,
    interval: str = "t",
    title: str | None = None,
) -> str:
    """The HTML of a report on the runs: what varied and what was fixed, the comparison, learning curves, early-stopping
    decisions, failures with their last lines, the environment, and the command that makes each run again.

    The arguments are those of `compare_groups`, and so are the errors.
    """
    comparison = compare_groups(records, by, metric, baseline, interval)
    usable, _ = usable_records(records)
    experiments = sorted({record.experiment for record in usable})
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rnnlab.analysis", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("report.html.j2").render(
        title=title or f"Report on {', '.join(experiments)}",
        summary=_summary(usable, comparison),
        varied=_varied(usable, comparison.by),
        fixed=[(key, format_value(value)) for key, value in fixed_config(usable).items()],
        tables=_comparison_tables(comparison),
        notes=comparison.notes,
        pictures=_pictures(usable, comparison),
        stopping=_table(_stopping(usable, comparison.by)),
        failures=_failures(usable, comparison.by),
        environment=_environment(usable),
        commands=[(record.run_id, reproduce_command(record, comparison.by)) for record in usable],
    )


def _summary(records: Sequence[RunRecord], comparison: Comparison) -> list[str]:
    found = [outcome(record) for record in records]
    counts = ", ".join(f"{found.count(name)} {name}" for name in OUTCOMES if name in found)
    starts = sorted(record.start_time for record in records if record.start_time is not None)
    dates = sorted({f"{start:%Y-%m-%d}" for start in (starts[:1] + starts[-1:])})
    lines = [f"{len(records)} runs ({counts})" + (f", started {' to '.join(dates)}" if dates else "") + "."]
    groups = comparison.table[(comparison.table["kind"] == "runs") & (comparison.table["n"] > 0)]
    if len(groups) > 1:
        best = groups.iloc[0]
        interval = f", {comparison.interval_name} {best['low']:.4g} to {best['high']:.4g}" if best["n"] > 1 else ""
        lines.append(
            f"Best mean {comparison.metric}: {best['group']} with {best['mean']:.4g}{interval}, n = {best['n']}."
        )
    return lines


def _varied(records: Sequence[RunRecord], keys: Sequence[str]) -> list[tuple[str, str]]:
    configs = [config_of(record) for record in records]
    shown = [*varying_keys(records), *SEED_KEYS]
    shown = [*keys, *(key for key in shown if key not in keys)]
    rows = []
    for key in shown:
        values = sorted({config.get(key, MISSING) for config in configs}, key=sort_key)
        if len(values) > 1 or key in keys:
            rows.append((key, ", ".join(map(format_value, values))))
    return rows


def _comparison_tables(comparison: Comparison) -> list[dict[str, Any]]:
    tables = [_table(values_table(comparison), values_title(comparison))]
    tests = tests_table(comparison)
    return tables if tests is None else [*tables, _table(tests, tests_title(comparison))]


def _table(frame: pd.DataFrame, caption: str = "") -> dict[str, Any]:
    text, numeric = formatted(frame)
    rows = [list(zip(row, numeric, strict=True)) for row in text.itertuples(index=False)]
    return {"caption": caption, "head": list(zip(text.columns, numeric, strict=True)), "rows": rows}


def _pictures(records: Sequence[RunRecord], comparison: Comparison) -> list[tuple[str, Markup]]:
    pictures = []
    groups = comparison.table[comparison.table["kind"] == "runs"]
    averaged = groups[groups["n"] > 0] if (groups["n"] > 0).any() else groups
    drawn = list(averaged["group"][:MOST_GROUPS])
    members = [r for group in group_records(records, comparison.by) if group.label in drawn for r in group.records]
    metrics = [name for name in ("train.loss", "valid.loss") if any(run_curve(r, name) for r in members)]
    if metrics:
        shown = metrics if len(drawn) <= 3 else metrics[-1:]
        words = "Learning curves" + (f" of the {MOST_GROUPS} best groups" if len(averaged) > MOST_GROUPS else "")
        pictures.append((words, plot_learning_curves(members, comparison.by, shown)))
    keys = comparison.by
    if (groups["n"] > 0).any() and len(groups) > 1:
        words = f"{comparison.metric} against {', '.join(keys)}"
        if len(keys) == 1:
            picture = plot_metric(records, keys[0], comparison.metric, interval=comparison.interval)
        elif len(keys) == 2:
            picture = plot_heatmap(records, keys[0], keys[1], comparison.metric)
        else:
            picture = plot_parallel(records, keys, comparison.metric)
        pictures.append((words, picture))
    return [(words, _embedded(picture, words)) for words, picture in pictures if isinstance(picture, Picture)]


def _embedded(picture: Picture, words: str) -> Markup:
    """An inline SVG, or a PNG where that would be large."""
    svg = figure_bytes(picture, "svg").decode()
    if len(svg) > MOST_SVG:
        data = base64.b64encode(figure_bytes(picture, "png")).decode()
        return Markup('<img alt="{}" src="data:image/png;base64,{}">').format(words, data)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return Markup('<svg role="img" aria-label="{}" ').format(words) + Markup(svg[len("<svg") :])


def _stopping(records: Sequence[RunRecord], by: Sequence[str]) -> pd.DataFrame:
    labels = {id(r): group.label for group in group_records(records, by) for r in group.records}
    rows = []
    for record in records:
        result, story = record.result or {}, story_of(record)
        improvements = story.get("improvements", [])
        rows.append(
            {
                "run": record.run_id,
                "group": labels[id(record)],
                "seed": record.config.get("seed"),
                "ended by": _ended_by(record),
                "best epoch": _best_epoch(result, story),
                "improvements": len(improvements) if isinstance(improvements, list) else None,
                "best valid loss": _number(story.get("best_valid_loss", result.get("valid_loss"))),
                "in words": story.get("message") or "",
            }
        )
    return pd.DataFrame(rows, dtype=object)


def _ended_by(record: RunRecord) -> str:
    found = outcome(record)
    reason = (record.result or {}).get("stop_reason") or story_of(record).get("reason")
    return str(reason).replace("_", " ") if found == "completed" and reason else found


def _best_epoch(result: Mapping[str, Any], story: Mapping[str, Any]) -> str:
    best, total = result.get("best_epoch", story.get("best_epoch")), result.get("n_epochs")
    return "" if best is None else f"{best}" + ("" if total is None else f" of {total}")


def _failures(records: Sequence[RunRecord], by: Sequence[str]) -> list[dict[str, Any]]:
    failures = []
    for group in group_records(records, by):
        for record in group.records:
            found = outcome(record)
            if found not in ("completed", "running"):
                words = story_of(record).get("message") or ""
                failures.append(
                    {"run": record.run_id, "group": group.label, "seed": record.config.get("seed"), "outcome": found,
                     "message": words, "lines": [] if found == "diverged" else last_lines(record)}
                )  # fmt: skip
    return failures


def _environment(records: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """Each fact with its values and, where there are several, the number of runs that had each."""
    facts: dict[str, list[str]] = {}
    for record in records:
        one: dict[str, Any] = {"python": record.host.get("python_version"), "host": record.host.get("hostname")}
        operating_system = record.host.get("os")
        one["system"] = " ".join(map(str, operating_system)) if isinstance(operating_system, list) else operating_system
        one["cpu"] = record.host.get("cpu")
        one["threads"] = environment_of(record).get("threads")
        for repository in record.repositories:
            dirty = ", with uncommitted changes" if repository.get("dirty") else ""
            one["commit"] = f"{repository.get('commit')}{dirty}"
        one |= record.packages
        for name, value in one.items():
            if value is not None:
                facts.setdefault(name, []).append(str(value))
    rows = []
    for name, values in facts.items():
        distinct = list(dict.fromkeys(values))
        several = len(distinct) > 1
        rows.append((name, "; ".join(f"{v} ({values.count(v)} runs)" if several else v for v in distinct)))
    return rows


def _number(value: Any) -> str:
    return format_number(float(value)) if isinstance(value, int | float) else ""
