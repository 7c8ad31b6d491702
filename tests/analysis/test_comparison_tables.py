"""Comparisons on narrow terminals: nothing is cut off, and what is left out is said."""

import pytest
from rich.console import Console

from rnnlab.analysis.comparison import compare_groups
from rnnlab.analysis.comparison_tables import rich_comparison
from rnnlab.analysis.tables import to_latex


def lines_of(comparison, width):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(rich_comparison(comparison, width))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in capture.get()
    return [" ".join(line.split()) for line in lines]


@pytest.fixture
def comparison(runs):
    for n_hidden in (5, 20):
        for optimizer in ("sgd", "adam"):
            for seed in range(8):
                loss = 0.01 * n_hidden + 0.001 * seed + 0.05 * (optimizer == "sgd")
                result = {"test_loss": loss, "test_mse": loss, "test_mse_mean_predictor": 0.5}
                runs.add(seed=seed, model__n_hidden=n_hidden, training__optimizer=optimizer, result=result)
    runs.add(seed=9, model__n_hidden=20, training__optimizer="adam", status="FAILED")
    return compare_groups(runs.records(), baseline="training.optimizer=adam", interval="bootstrap")


def test_a_wide_terminal_shows_every_column(comparison):
    lines = lines_of(comparison, 120)
    assert "n_hidden optimizer runs mean sd 95% interval (bootstrap) median best" in lines
    assert "n_hidden optimizer pairs difference 95% interval (bootstrap) p p (Holm) verdict" in lines
    assert not any("too wide" in line for line in lines)


def test_a_narrow_one_leaves_out_what_says_least_and_says_so(comparison):
    lines = lines_of(comparison, 80)
    assert "too wide to show: median (--csv has every column)" in lines
    assert any(line.startswith("20 adam 8 of 9 0.2035") for line in lines)
    assert any(line.endswith("worse (8 seeds)") for line in lines)


def test_where_keys_leave_no_room_groups_have_numbers_that_are_listed(comparison):
    lines = lines_of(comparison, 50)
    assert "1: n_hidden=5, optimizer=adam" in lines
    assert "4: n_hidden=20, optimizer=sgd" in lines
    assert any(line.startswith("1 8 0.05350") for line in lines)
    assert any(line.startswith("predict the 0.5") for line in lines)
    assert "not averaged: group 3: 1 failed" in lines


def test_latex_has_minus_signs_and_powers_of_ten(comparison):
    frame = comparison.table[["group", "mean"]].head(2).assign(mean=[-1.5e-9, 0.25], interval=["[-0.1, 2e-05]", ""])
    assert r"adam & $-1.500 \times 10^{-9}$ & [$-$0.1, $2 \times 10^{-5}$] \\" in to_latex(frame)
