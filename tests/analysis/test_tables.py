import json
import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from rnnlab.analysis.comparison import compare_groups
from rnnlab.analysis.comparison_tables import comparison_text, rich_comparison
from rnnlab.analysis.tables import (
    format_column,
    format_number,
    format_numbers,
    format_p_value,
    rich_table,
    to_csv,
    to_json,
    to_latex,
    to_markdown,
)


def printed(renderable, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_numbers_of_a_column_share_their_decimals_and_the_smallest_has_four_digits():
    assert format_numbers([0.012345, 0.5, -1.25]) == ["0.01235", "0.50000", "-1.25000"]
    assert format_numbers([12.3456, 100.0]) == ["12.35", "100.00"]
    assert format_numbers([0.5, math.nan, math.inf]) == ["0.5000", "", ""]
    assert format_numbers([1234.6, 99999.0]) == ["1235", "99999"]
    # Seven digits of the second would say no more.
    assert format_numbers([0.00065, 0.4871]) == ["0.000650", "0.487100"]
    assert format_numbers([0.0]) == ["0"]


def test_a_column_over_many_orders_of_magnitude_has_four_digits_each():
    assert format_numbers([0.000001, 0.25, 1234.6]) == ["1.000e-06", "0.2500", "1235"]
    assert format_numbers([1e-9, 0.25]) == ["1.000e-09", "0.2500"]
    assert format_number(1234.6) == "1235"
    assert format_number(0.0) == "0"


def test_p_values_are_never_zero():
    assert [format_p_value(p) for p in (0.0001, 0.0312, math.nan)] == ["<0.001", "0.031", ""]


def test_numbers_intervals_and_counts_stand_to_the_right_and_words_to_the_left():
    assert format_column([1, None, 20])[1]
    assert format_column(["4 of 5", "5"])[1]
    assert format_column(["[-0.1, 2e-05]", ""])[1]
    assert not format_column([20, "predict the mean"])[1]
    assert not format_column([True, False])[1]


FRAME = pd.DataFrame({"key_name": ["a|b", "50% & $x_1$"], "mean": [0.5, np.nan], "n": [3, 4]})


def test_json_has_null_for_what_is_not_a_number():
    frame = pd.DataFrame({"a": [1.5, np.nan, np.inf], "b": [np.int64(1), None, (1, 2)]}, dtype=object)
    assert json.loads(to_json(frame, {"metric": "test_loss"})) == {
        "metric": "test_loss",
        "rows": [{"a": 1.5, "b": 1}, {"a": None, "b": None}, {"a": None, "b": [1, 2]}],
    }


def test_csv_keeps_every_digit_and_whole_numbers_whole():
    frame = pd.DataFrame({"x": [0.1 + 0.2, np.nan], "n": [20, None]}, dtype=object)
    assert to_csv(frame) == "x,n\n0.30000000000000004,20\n,\n"


def test_latex_escapes_and_draws_the_rules_of_booktabs():
    text = to_latex(FRAME, caption="a_b")
    assert r"key\_name & mean & n \\" in text
    assert r"50\% \& \$x\_1\$ &  & 4 \\" in text
    assert r"\begin{tabular}{lrr}" in text
    assert r"\caption{a\_b}" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


def test_markdown_escapes_and_aligns():
    assert to_markdown(FRAME) == (
        "| key_name    |   mean |   n |\n"
        "| ----------- | -----: | --: |\n"
        "| a\\|b        | 0.5000 |   3 |\n"
        "| 50% & $x_1$ |        |   4 |\n"
    )


def test_a_terminal_table_reads_no_markup_from_the_data_and_keeps_numbers_in_one_piece():
    frame = pd.DataFrame({"name": ["[red]" + "long words " * 9], "interval": ["[0.012345, 0.023456]"]})
    text = printed(rich_table(frame, "[bold]t"), width=50)
    assert "[red]" in text
    assert "[bold]t" in text
    assert "[0.012345, 0.023456]" in text
    assert max(map(len, text.splitlines())) <= 50


@pytest.fixture
def comparison(runs):
    for n_hidden in (5, 20):
        for seed in range(7):
            mse = 0.01 * (1 + 0.1 * seed) / n_hidden
            result = {"test_loss": mse, "test_mse": mse, "test_mse_mean_predictor": 0.4871}
            runs.add(seed=seed, model__n_hidden=n_hidden, result=result)
    runs.add(seed=9, model__n_hidden=20, status="FAILED")
    return compare_groups(runs.records(), baseline="model.n_hidden=5")


def test_a_comparison_on_a_terminal_of_80_columns_says_everything_on_whole_lines(comparison):
    text = printed(rich_comparison(comparison))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "test_loss by n_hidden, best first" in lines
    assert "20 7 of 8 0.000650 0.000108 [0.00055, 0.00075] 0.000650 0.000500" in lines
    assert any(line.startswith("predict the 0.487100 0.000000") for line in lines)
    assert "not averaged: n_hidden=20: 1 failed" in lines
    assert any("0.016 better (7" in line for line in lines)
    assert max(map(len, text.splitlines())) <= 80


def test_a_comparison_is_written_whole_in_every_format(comparison):
    facts = json.loads(comparison_text(comparison, "json"))
    assert facts["metric"] == "test_loss"
    assert facts["by"] == ["model.n_hidden"]
    assert facts["baseline"] == "model.n_hidden=5"
    assert [row["model.n_hidden"] for row in facts["rows"]] == [20, 5, None]
    assert facts["rows"][0]["failed"] == 1
    assert facts["rows"][2]["sd"] == 0.0
    assert comparison_text(comparison, "csv").splitlines()[0].startswith("group,kind,model.n_hidden,runs,completed,")
    assert "| better (7 seeds) |" in comparison_text(comparison, "markdown")
    assert r"& better (7 seeds) \\" in comparison_text(comparison, "latex")


def test_notes_are_part_of_what_is_written(runs):
    runs.add(result={"test_loss": 1.0})
    comparison = compare_groups(runs.records())
    for output, mark in (("markdown", "Note: one run"), ("latex", "% note: one run"), ("json", '"one run')):
        assert mark in comparison_text(comparison, output)
    assert "note: one run only" in printed(rich_comparison(comparison))
