"""The table that a run prints at its end, from its result and its early-stopping story."""

import math
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rnnlab.analysis.tables import format_number

# stop_reason -> the same in short words, and a remark for a run that recorded no message of its own.
STOP_REASONS = {
    "patience": ("patience ran out", "no improvement for too long"),
    "max_epochs": ("last epoch", "all epochs were made"),
    "diverged": ("diverged", "the loss or the weights were no longer finite"),
    "interrupted": ("interrupted", "it was asked to stop"),
}
# naive predictor -> how it predicts
NAIVE_REMARKS = {
    "persistence": "nothing changes after the initial condition",
    "ridge": "linear regression on the inputs' window",
}
WIDTH = 80


def result_rows(result: Mapping[str, Any] | None, info: Mapping[str, Any] | None = None) -> list[tuple[str, str, str]]:
    """(what, value, remark) for each thing to say; only what the result holds is said.

    The factor between the test MSE and that of predicting the mean is `test_mse_mean_predictor / test_mse`.
    """
    result, story = result or {}, (info or {}).get("early_stopping")
    story = story if isinstance(story, Mapping) else {}
    rows = []
    reason = str(result.get("stop_reason") or story.get("reason") or "")
    if reason:
        words, remark = STOP_REASONS.get(reason, (reason, ""))
        rows.append(("stopped", words, str(story.get("message") or remark)))
    if _number(result, "best_epoch") is not None:
        rows.append(("best epoch", _of(result, "best_epoch", "n_epochs"), "the weights that are kept and scored"))
    if _number(result, "best_update") is not None:
        rows.append(("best update", _of(result, "best_update", "n_updates"), ""))
    for split in ("train", "valid", "test"):
        loss = _number(result, f"{split}_loss")
        if loss is not None:
            rows.append((f"{split} loss", format_number(loss), "scored once" if split == "test" else ""))
    rows += _test_rows(result)
    return rows or [("result", "none", "the run ended without one")]


def result_table(
    result: Mapping[str, Any] | None, info: Mapping[str, Any] | None = None, title: str | None = None
) -> Table:
    """The rows as a table for a terminal of 80 columns."""
    table = Table(
        title=None if title is None else Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE,
        show_header=False,
        pad_edge=False,
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(min_width=9)
    table.add_column(style="dim")
    for what, value, remark in result_rows(result, info):
        table.add_row(Text(what), Text(value, style="bold"), Text(remark))
    return table


def result_lines(
    result: Mapping[str, Any] | None, info: Mapping[str, Any] | None = None, title: str | None = None
) -> list[str]:
    """The table as plain lines of at most 80 characters, for logs and files."""
    console = Console(width=WIDTH, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(result_table(result, info, title))
    return [line.rstrip() for line in capture.get().strip("\n").splitlines()]


def _test_rows(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Errors in the targets' own units, each with what gives it a scale."""
    rows = []
    mse, constant = _number(result, "test_mse"), _number(result, "test_mse_mean_predictor")
    if mse is not None:
        rows.append(("test MSE", format_number(mse), _against_mean(mse, constant)))
    for name, remark in NAIVE_REMARKS.items():
        value = _number(result, f"test_mse_{name}_predictor")
        if value is not None:
            rows.append((f"  {name}", format_number(value), remark))
    noise_free, floor = _number(result, "test_mse_noise_free"), _number(result, "noise_floor")
    if noise_free is not None:
        rows.append(("  without noise", format_number(noise_free), "against the targets without observation noise"))
    if floor is not None:
        rows.append(("  noise floor", format_number(floor), "the least that any prediction could reach on average"))
    mae = _number(result, "test_mae")
    if mae is not None:
        rows.append(("test MAE", format_number(mae), ""))
    return rows


def _against_mean(mse: float, constant: float | None) -> str:
    if constant is None:
        return ""
    if mse <= 0 or constant <= 0:
        return f"predicting the mean: {format_number(constant)}"
    factor = constant / mse
    words = f"{factor:.3g} times less than" if factor > 1 else f"{1 / factor:.3g} times"
    return f"{words} predicting the mean ({format_number(constant)})"


def _of(result: Mapping[str, Any], part: str, whole: str) -> str:
    value, total = _number(result, part), _number(result, whole)
    return f"{value:,.0f}" + ("" if total is None else f" of {total:,.0f}")


def _number(result: Mapping[str, Any], key: str) -> float | None:
    value = result.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
