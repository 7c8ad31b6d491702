"""`rnnlab compare`: groups of runs by their means over seeds."""

from typing import Annotated

import typer

from rnnlab.commands.selection import ByOption, ExperimentOption, RunOption, StatusOption, StoreOption, WhereOption

MetricOption = Annotated[
    str,
    typer.Option(
        metavar="METRIC",
        help="A result, or a curve at the best validation: valid.loss; or at valid.loss@last, @min, @max.",
    ),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(metavar="KEY=VALUE,...", help="Test every group against the one with these values, paired by seed."),
]
IntervalOption = Annotated[str, typer.Option(metavar="t|bootstrap", help="How the interval of a mean is made.")]


def compare(
    store: StoreOption = None,
    by: ByOption = None,
    metric: MetricOption = "test_loss",
    baseline: BaselineOption = None,
    interval: IntervalOption = "t",
    level: Annotated[float, typer.Option(metavar="P", help="How much the interval is to cover.")] = 0.95,
    test: Annotated[
        str, typer.Option(metavar="permutation|wilcoxon", help="The paired test against the baseline.")
    ] = "permutation",
    higher_is_better: Annotated[
        bool, typer.Option("--higher-is-better", help="The best value of the metric is the largest.")
    ] = False,
    experiment: ExperimentOption = None,
    status: StatusOption = None,
    where: WhereOption = None,
    run: RunOption = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the whole table as CSV, with every digit.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print the tables as LaTeX, for booktabs.")] = False,
) -> None:
    """Compare groups of runs by a metric: mean over seeds, interval, median, best, beside the naive baselines.

    Only completed runs enter a mean; the others are counted. With --baseline, differences paired by seed are tested,
    and their p-values corrected by Holm's method.
    """
    outputs = {"csv": csv, "json": json_, "markdown": markdown, "latex": latex}
    asked = [name for name, wanted in outputs.items() if wanted]
    if len(asked) > 1:
        raise typer.BadParameter(f"give one of {', '.join(f'--{name}' for name in asked)}")
    from rnnlab.analysis.comparison import compare_groups
    from rnnlab.analysis.comparison_tables import comparison_text, rich_comparison
    from rnnlab.commands.output import put, put_rich, terminal_width
    from rnnlab.commands.selection import select_runs, split_names
    from rnnlab.store import open_store

    records = select_runs(open_store(store), experiment, status, where, run)
    keys = split_names(by) or None
    found = compare_groups(records, keys, metric, baseline, interval, test, level, not higher_is_better)
    if asked:
        put(comparison_text(found, asked[0]))
    else:
        put_rich(rich_comparison(found, terminal_width()))
