"""`rnnlab report`: one HTML file about runs."""

from pathlib import Path
from typing import Annotated

import typer

from rnnlab.commands.compare import BaselineOption, IntervalOption, MetricOption
from rnnlab.commands.selection import ByOption, ExperimentOption, RunOption, StatusOption, StoreOption, WhereOption


def report(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to: an .html file.")] = Path(
        "report.html"
    ),
    store: StoreOption = None,
    by: ByOption = None,
    metric: MetricOption = "test_loss",
    baseline: BaselineOption = None,
    interval: IntervalOption = "t",
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="The report's title.")] = None,
    experiment: ExperimentOption = None,
    status: StatusOption = None,
    where: WhereOption = None,
    run: RunOption = None,
) -> None:
    """Write a report on runs as one HTML file, with its pictures inside and nothing loaded from elsewhere.

    It holds what was varied and what was fixed, the comparison, learning curves, early-stopping decisions, failures
    with their last lines, the environment, and the command that makes each run again.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"a report is an .html file, not {output}")
    from rnnlab.analysis.report import write_report
    from rnnlab.commands.output import put
    from rnnlab.commands.selection import select_runs, split_names
    from rnnlab.store import open_store

    records = select_runs(open_store(store), experiment, status, where, run)
    path = write_report(records, output, split_names(by) or None, metric, baseline, interval, title)
    put(f"report: {path}")
