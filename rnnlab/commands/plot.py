"""`rnnlab plot`: pictures of runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnlab.commands.compare import IntervalOption
from rnnlab.commands.selection import ExperimentOption, RunOption, StatusOption, StoreOption, WhereOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from rnnlab.analysis.picture import Picture
    from rnnlab.store.record import RunRecord

KINDS = ("curves", "metric", "heatmap", "parallel")


def plot(
    kind: Annotated[
        str, typer.Argument(metavar="[curves|metric|heatmap|parallel]", show_default=False, help="What to draw.")
    ] = "curves",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to: a .png, .pdf or .svg.  [default: the screen]"),
    ] = None,
    store: StoreOption = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY", help="Config key to group by, or to draw against; repeatable.  [default: all that vary]"
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC", help="What to draw.  [default: train.loss and valid.loss as curves, else test_loss]"
        ),
    ] = None,
    x: Annotated[
        str, typer.Option("--x", metavar="updates|epoch|examples|seconds", help="The curves' x axis.")
    ] = "updates",
    log: Annotated[str, typer.Option(metavar="none|x|y|xy", help="Which of the curves' axes are logarithmic.")] = "y",
    smooth: Annotated[
        float | None,
        typer.Option(metavar="S", help="Smooth the curves: 0 not at all, 0.9 much. The raw ones stay, faint."),
    ] = None,
    band: Annotated[
        str, typer.Option(metavar="interval|sd|range|none", help="What the bands around mean curves are.")
    ] = "interval",
    small_multiples: Annotated[
        str | None, typer.Option(metavar="KEY", help="A panel of curves for each value of this config key.")
    ] = None,
    interval: IntervalOption = "t",
    experiment: ExperimentOption = None,
    status: StatusOption = None,
    where: WhereOption = None,
    run: RunOption = None,
) -> None:
    """Draw runs: learning curves, or a metric against one config key, over two (heatmap) or over many (parallel).

    Without -o the picture is shown on the screen, where there is one.
    """
    if kind not in KINDS:
        raise typer.BadParameter(f"a picture is one of {', '.join(KINDS)}, not {kind!r}")
    from rnnlab.analysis.picture import Picture, save_figure
    from rnnlab.commands.output import put
    from rnnlab.commands.screen import check_screen, show_picture
    from rnnlab.commands.selection import select_runs, split_names
    from rnnlab.store import open_store

    if output is None:
        check_screen()
    records = select_runs(open_store(store), experiment, status, where, run)
    keys, metrics = split_names(by), split_names(metric)
    if kind == "curves":
        from rnnlab.analysis.plots import plot_learning_curves

        drawn = plot_learning_curves(
            records[0] if len(records) == 1 else records,
            keys or None,
            metrics or ("train.loss", "valid.loss"),
            x,
            "" if log == "none" else log,
            smooth,
            band,
            small_multiples,
        )
    else:
        drawn = _metric_picture(kind, records, keys, metrics, interval)
    assert isinstance(drawn, Picture), "no axes were given"
    if output is None:
        show_picture(drawn)
    else:
        put(f"picture: {save_figure(drawn, output)}")


def _metric_picture(
    kind: str, records: "Sequence[RunRecord]", keys: list[str], metrics: list[str], interval: str
) -> "Axes | Picture":
    from rnnlab.analysis.groups import AnalysisError, resolve_keys
    from rnnlab.analysis.plots import plot_heatmap, plot_metric, plot_parallel
    from rnnlab.analysis.selection import usable_records

    if len(metrics) > 1:
        raise AnalysisError(f"this picture shows one metric, not {' and '.join(metrics)}")
    metric = metrics[0] if metrics else "test_loss"
    if kind == "parallel":
        return plot_parallel(records, keys or None, metric)
    found = keys or list(resolve_keys(usable_records(records)[0], None))
    if kind == "heatmap":
        if len(found) != 2:
            varied = "named are" if keys else "what varies is"
            raise AnalysisError(
                f"a heat map is over two keys, give --by twice; {varied} {', '.join(found) or 'nothing'}"
            )
        return plot_heatmap(records, found[0], found[1], metric)
    if not found:
        raise AnalysisError("no config key varies over these runs: name the one to draw against with --by")
    return plot_metric(records, found[0], metric, found[1:], interval)
