"""Compare runs and draw them. Each part is loaded when asked for: a plot needs matplotlib, a table does not."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlab.analysis.comparison import Comparison, compare, compare_groups
    from rnnlab.analysis.groups import AnalysisError, group_records, varying_keys
    from rnnlab.analysis.picture import save_figure
    from rnnlab.analysis.plots import (
        plot_heatmap,
        plot_learning_curves,
        plot_metric,
        plot_moving_average,
        plot_parallel,
    )
    from rnnlab.analysis.report import render_report, write_report

__all__ = [
    "AnalysisError",
    "Comparison",
    "compare",
    "compare_groups",
    "group_records",
    "plot_heatmap",
    "plot_learning_curves",
    "plot_metric",
    "plot_moving_average",
    "plot_parallel",
    "render_report",
    "save_figure",
    "varying_keys",
    "write_report",
]

_MODULES = {
    "AnalysisError": "groups",
    "Comparison": "comparison",
    "compare": "comparison",
    "compare_groups": "comparison",
    "group_records": "groups",
    "plot_heatmap": "plots",
    "plot_learning_curves": "plots",
    "plot_metric": "plots",
    "plot_moving_average": "plots",
    "plot_parallel": "plots",
    "render_report": "report",
    "save_figure": "picture",
    "varying_keys": "groups",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
