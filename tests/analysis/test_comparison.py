import math

import numpy as np
import pytest

from rnnlab.analysis import AnalysisError, compare, compare_groups
from rnnlab.analysis.metrics import metric_values, outcome


def rows_of(comparison):
    return {row["group"]: row for _, row in comparison.table.iterrows()}


def add_runs(runs, losses, **config):
    """One completed run a seed."""
    for seed, loss in enumerate(losses):
        runs.add(seed=seed, result={"test_loss": loss}, **config)


def test_each_group_has_the_mean_over_its_seeds_and_the_best_group_comes_first(runs):
    add_runs(runs, [3.0, 5.0, 7.0], model__n_hidden=5)
    add_runs(runs, [1.0, 2.0], model__n_hidden=20)
    comparison = compare_groups(runs.records())
    assert comparison.by == ("model.n_hidden",)
    assert list(comparison.table["group"]) == ["n_hidden=20", "n_hidden=5"]
    row = rows_of(comparison)["n_hidden=5"]
    assert (row["runs"], row["n"], row["mean"], row["sd"], row["median"], row["best"]) == (3, 3, 5.0, 2.0, 5.0, 3.0)
    assert row["low"] == pytest.approx(5 - 4.968275, abs=1e-6)
    assert row["model.n_hidden"] == 5
    assert comparison.notes == ()


def test_runs_that_did_not_complete_are_counted_and_never_averaged(runs):
    add_runs(runs, [1.0, 3.0])
    runs.add(seed=2, result={"test_loss": 1e9}, stop_reason="diverged")
    runs.add(seed=3, result={"test_loss": 1e9}, stop_reason="interrupted")
    for seed, status in enumerate(["FAILED", "LOST", "RUNNING", "INTERRUPTED", "QUEUED"], start=4):
        runs.add(seed=seed, status=status)
    row = compare_groups(runs.records()).table.iloc[0]
    assert row["mean"] == 2.0
    assert row["n"] == 2
    counts = {
        name: row[name] for name in ("completed", "diverged", "failed", "interrupted", "lost", "running", "other")
    }
    assert counts == {
        "completed": 2, "diverged": 1, "failed": 1, "interrupted": 2, "lost": 1, "running": 1, "other": 1,
    }  # fmt: skip
    assert row["runs"] == 9


def test_a_group_without_any_completed_run_is_shown_without_a_mean(runs):
    add_runs(runs, [1.0], model__n_hidden=5)
    runs.add(status="FAILED", model__n_hidden=20)
    comparison = compare_groups(runs.records())
    row = rows_of(comparison)["n_hidden=20"]
    assert math.isnan(row["mean"])
    assert row["failed"] == 1
    assert list(comparison.table["group"]) == ["n_hidden=5", "n_hidden=20"]


def test_all_runs_failed_is_a_table_with_a_note(runs):
    runs.add(status="FAILED")
    comparison = compare_groups(runs.records())
    assert comparison.table["failed"].sum() == 1
    assert "no completed run has a value of test_loss" in comparison.notes


def test_damaged_runs_are_left_out_and_named(runs):
    add_runs(runs, [1.0, 2.0])
    (runs.directory / "2" / "config.json").write_text("{")
    comparison = compare_groups(runs.records())
    assert comparison.by == ()
    assert comparison.table["n"].sum() == 1
    assert "damaged runs left out: 2" in comparison.notes


def test_the_same_run_made_twice_counts_once(runs):
    add_runs(runs, [1.0, 3.0])
    runs.add(seed=1, result={"test_loss": 5.0}, checkpoint__every=3)
    comparison = compare_groups(runs.records())
    assert comparison.table.iloc[0]["mean"] == 3.0
    assert any("repeats with the same config and seed: 2" in note for note in comparison.notes)


def test_missing_and_infinite_values_are_left_out_with_a_note(runs):
    add_runs(runs, [1.0, 3.0, None])
    runs.add(seed=3, result={"test_loss": math.inf})
    comparison = compare_groups(runs.records())
    row = comparison.table.iloc[0]
    assert (row["completed"], row["n"], row["mean"]) == (4, 2, 2.0)
    assert "all runs: completed runs without a finite test_loss, left out: 3, 4" in comparison.notes


def test_a_metric_can_be_a_result_or_a_place_on_a_curve(runs):
    curve = ([0, 10, 20, 30], [4.0, 1.0, 2.0, math.nan])
    runs.add(result={"test_loss": 0.5, "best_update": 20}, curves={"valid.loss": curve})
    records = runs.records()
    assert metric_values(records, "test_loss") == [0.5]
    assert metric_values(records, "valid.loss") == [2.0]
    assert metric_values(records, "valid.loss@best") == [2.0]
    assert metric_values(records, "valid.loss@min") == [1.0]
    assert metric_values(records, "valid.loss@max") == [4.0]
    assert np.isnan(metric_values(records, "valid.loss@last"))


def test_an_unknown_metric_names_the_nearest_ones_and_words_are_no_metric(runs):
    runs.add(result={"test_loss": 0.5}, curves={"valid.loss": ([0], [1.0])})
    records = runs.records()
    with pytest.raises(AnalysisError, match=r"unknown metric 'test_los': did you mean test_loss"):
        compare_groups(records, metric="test_los")
    with pytest.raises(AnalysisError, match=r"unknown metric 'valid.los@last': did you mean valid.loss"):
        compare_groups(records, metric="valid.los@last")
    with pytest.raises(AnalysisError, match="after @ comes one of best, last, min, max"):
        compare_groups(records, metric="valid.loss@first")
    with pytest.raises(AnalysisError, match="'stop_reason' is 'patience' in run 1: not a number"):
        compare_groups(records, metric="stop_reason")


def test_a_metric_that_only_one_group_lacks_is_no_error(runs):
    add_runs(runs, [1.0], model__n_hidden=5)
    runs.add(model__n_hidden=20)
    assert list(compare_groups(runs.records()).table["n"]) == [1, 0]


def test_no_runs_one_run_and_bad_options_say_so(runs):
    with pytest.raises(AnalysisError, match="no runs match"):
        compare_groups([])
    add_runs(runs, [1.0])
    records = runs.records()
    assert any(note.startswith("one run only") for note in compare_groups(records).notes)
    with pytest.raises(AnalysisError, match="interval 'z': must be one of t, bootstrap"):
        compare_groups(records, interval="z")
    with pytest.raises(AnalysisError, match="test 'u': must be one of permutation, wilcoxon"):
        compare_groups(records, test="u")
    with pytest.raises(AnalysisError, match="level 95: must be between 0 and 1"):
        compare_groups(records, level=95)


def test_a_bootstrap_interval_of_few_values_comes_with_a_warning(runs):
    add_runs(runs, [float(value) for value in range(9)])
    words = "bootstrap intervals of fewer than 10 values are too narrow: t is safer there"
    assert words in compare_groups(runs.records(), interval="bootstrap").notes
    assert words not in compare_groups(runs.records()).notes
    runs.add(seed=9, result={"test_loss": 9.0})
    assert words not in compare_groups(runs.records(), interval="bootstrap").notes


def test_a_group_that_failed_altogether_raises_no_bar_for_the_others(runs):
    for seed in range(6):
        for n_hidden in (5, 20):
            runs.add(seed=seed, model__n_hidden=n_hidden, result={"test_loss": seed + n_hidden * (1 + seed / 100)})
    for n_hidden in (50, 100):
        runs.add(model__n_hidden=n_hidden, status="FAILED")
    rows = rows_of(compare_groups(runs.records(), baseline="model.n_hidden=5"))
    assert rows["n_hidden=20"]["verdict"] == "worse (6 seeds)"
    assert rows["n_hidden=50"]["verdict"] == "no seed in common with the baseline"


def test_compare_gives_a_frame_and_its_notes_as_warnings(runs):
    add_runs(runs, [1.0])
    with pytest.warns(UserWarning, match="one run only"):
        table = compare(runs.records())
    assert table["mean"].tolist() == [1.0]
    assert table.attrs["notes"][0].startswith("one run only")


def test_naive_baselines_stand_as_rows_with_each_data_set_counted_once(runs):
    for n_hidden in (5, 20):
        for seed in range(3):
            mse = 0.1 * (seed + 1) / n_hidden
            more = {"test_mse_mean_predictor": 0.4 + 0.1 * seed, "test_mse_persistence_predictor": 0.3}
            runs.add(seed=seed, model__n_hidden=n_hidden, result={"test_loss": mse, "test_mse": mse, **more})
    comparison = compare_groups(runs.records())
    naive = comparison.table[comparison.table["kind"] == "naive"]
    assert list(naive["group"]) == ["persistence", "predict the mean"]
    assert naive["mean"].tolist() == pytest.approx([0.3, 0.5])
    assert naive["n"].tolist() == [3, 3]
    assert list(comparison.table["kind"]) == ["runs", "runs", "naive", "naive"]


def test_with_fixed_data_the_naive_baseline_is_one_number(runs):
    for seed in range(3):
        runs.add(seed=seed, data__seed=7, result={"test_mse": 0.1, "test_mse_mean_predictor": 0.5})
    naive = compare_groups(runs.records(), metric="test_mse").table.iloc[1]
    assert (naive["group"], naive["n"]) == ("predict the mean", 1)


def test_a_seed_that_is_no_number_stops_no_comparison(runs):
    for seed in (0, {"$gt": 1}, [1]):
        runs.add(seed=seed, result={"test_mse": 0.1, "test_mse_mean_predictor": 0.5}, data__seed=None)
    assert compare_groups(runs.records(), (), metric="test_mse").table["n"].tolist() == [3, 3]


def test_naive_baselines_of_another_unit_are_not_shown_beside_the_loss(runs):
    runs.add(result={"test_loss": 0.2, "test_mse": 0.1, "test_mse_mean_predictor": 0.5})
    comparison = compare_groups(runs.records())
    assert list(comparison.table["kind"]) == ["runs"]
    assert any("compare by test_mse" in note for note in comparison.notes)
    assert list(compare_groups(runs.records(), metric="test_mse").table["kind"]) == ["runs", "naive"]


def test_naive_baselines_belong_to_their_task(runs):
    for n_steps in (10, 20):
        runs.add(task__n_steps=n_steps, result={"test_mse": 0.1, "test_mse_mean_predictor": n_steps / 100})
    rows = rows_of(compare_groups(runs.records(), metric="test_mse"))
    assert rows["predict the mean (n_steps=10)"]["mean"] == 0.1
    assert rows["predict the mean (n_steps=20)"]["mean"] == 0.2


def test_differences_from_the_baseline_are_paired_by_seed(runs):
    for seed in range(8):
        runs.add(seed=seed, model__n_hidden=5, result={"test_loss": 10.0 * seed})
        if seed != 3:
            runs.add(seed=seed, model__n_hidden=20, result={"test_loss": 10.0 * seed - 1.0 - 0.01 * seed})
    runs.add(seed=99, model__n_hidden=20, result={"test_loss": -1e6})
    rows = rows_of(compare_groups(runs.records(), baseline="model.n_hidden=5"))
    row = rows["n_hidden=20"]
    assert row["pairs"] == 7
    assert row["difference"] == pytest.approx(-1.0 - 0.01 * np.mean([0, 1, 2, 4, 5, 6, 7]))
    assert row["p_value"] == 2 / 2**7
    assert row["verdict"] == "better (7 seeds)"
    assert rows["n_hidden=5"]["verdict"] == "baseline"
    assert math.isnan(rows["n_hidden=5"]["p_value"])


def test_p_values_are_corrected_over_all_comparisons(runs):
    for seed in range(9):
        for n_hidden, shift in ((5, 0.0), (20, -1.0), (50, -2.0), (100, 1.0)):
            runs.add(seed=seed, model__n_hidden=n_hidden, result={"test_loss": seed + shift * (1 + 0.01 * seed)})
    rows = rows_of(compare_groups(runs.records(), baseline={"model.n_hidden": 5}))
    assert rows["n_hidden=20"]["p_value"] == 2 / 2**9
    assert rows["n_hidden=20"]["p_corrected"] == pytest.approx(3 * 2 / 2**9)
    assert rows["n_hidden=100"]["verdict"] == "worse (9 seeds)"


def test_where_other_keys_vary_each_group_has_its_own_baseline(runs):
    for rate in (0.1, 0.01):
        for n_hidden in (5, 20):
            for seed in range(2):
                loss = rate + n_hidden
                runs.add(seed=seed, model__n_hidden=n_hidden, training__rate=rate, result={"test_loss": loss})
    rows = rows_of(compare_groups(runs.records(), baseline="model.n_hidden=5"))
    assert rows["n_hidden=20, rate=0.1"]["difference"] == pytest.approx(15.0)
    assert rows["n_hidden=20, rate=0.01"]["difference"] == pytest.approx(15.0)
    assert rows["n_hidden=5, rate=0.01"]["verdict"] == "baseline"
    assert rows["n_hidden=20, rate=0.1"]["verdict"] == "too few seeds for a test: 2, at least 7 needed"


def test_a_bad_baseline_names_what_there_is(runs):
    add_runs(runs, [1.0], model__n_hidden=5)
    add_runs(runs, [1.0], model__n_hidden=20)
    records = runs.records()
    with pytest.raises(
        AnalysisError, match=r"baseline 'model.n_hidden=6' matches no group; there are: n_hidden=5; n_h"
    ):
        compare_groups(records, baseline="model.n_hidden=6")
    with pytest.raises(AnalysisError, match=r"baseline key 'n_hidden' .* did you mean model.n_hidden"):
        compare_groups(records, baseline="n_hidden=5")
    with pytest.raises(AnalysisError, match="write it as KEY=VALUE"):
        compare_groups(records, baseline="model.n_hidden")


def test_baseline_values_are_read_as_on_the_command_line(runs):
    for rate in (0.001, 0.01):
        add_runs(runs, [1.0], training__rate=rate)
    rows = rows_of(compare_groups(runs.records(), baseline="training.rate=1e-3"))
    assert rows["rate=0.001"]["verdict"] == "baseline"


def test_a_resumed_run_that_was_lost_is_still_counted_and_said(runs):
    runs.add(seed=0, status="LOST")
    runs.add(seed=0, result={"test_loss": 1.0}, info={"resumed_from": {"run_id": "1", "update": 40}})
    comparison = compare_groups(runs.records())
    assert comparison.table.iloc[0]["lost"] == 1
    assert "runs that a later one resumed still count as lost or interrupted: 1" in comparison.notes


def test_outcomes_come_from_status_and_stop_reason(runs):
    runs.add()
    runs.add(stop_reason="diverged")
    runs.add(status="LOST")
    assert [outcome(record) for record in runs.records()] == ["completed", "diverged", "lost"]


def test_one_unreadable_curve_file_does_not_stop_a_comparison(runs):
    for seed in range(3):
        runs.add(seed=seed, result={"best_update": 0}, curves={"valid.loss": ([0], [seed])})
    (runs.directory / "3" / "metrics.json").write_text("{")
    comparison = compare_groups(runs.records(), metric="valid.loss")
    assert comparison.table.iloc[0]["n"] == 2
    assert any("without a finite valid.loss, left out: 3" in note for note in comparison.notes)
