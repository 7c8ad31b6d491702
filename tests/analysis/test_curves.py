import numpy as np
import pytest

from rnnlab.analysis.curves import extract_learning_curves, mean_curve, run_curve, smoothed
from rnnlab.analysis.groups import AnalysisError
from rnnlab.analysis.statistics import t_interval


def add_curve(runs, steps, values, **more):
    more = {"result": {"best_update": int(steps[int(np.nanargmin(values))])}, **more}
    runs.add(curves={"valid.loss": (steps, values), "seconds": (steps, np.array(steps) / 100.0)}, **more)


def valid_curves(runs, **more):
    return extract_learning_curves(runs.records(), metric="valid.loss", **more)


def test_one_run_has_its_points_its_best_and_its_end_and_no_mean(runs):
    add_curve(runs, [0, 10, 20, 30], [4.0, 2.0, 1.0, 1.5])
    data = valid_curves(runs)
    (group,) = data.curves
    (run,) = group.runs
    assert group.mean is None
    assert run.x.tolist() == [0, 10, 20, 30]
    assert run.y.tolist() == [4.0, 2.0, 1.0, 1.5]
    assert run.best == (20, 1.0)
    assert run.end == (30, 1.5)
    assert data.notes == ()
    assert data.x_label == "updates"


def test_the_x_axis_can_be_seconds(runs):
    add_curve(runs, [0, 10, 20], [4.0, 2.0, 3.0])
    run = valid_curves(runs, x="seconds").curves[0].runs[0]
    assert run.x.tolist() == [0.0, 0.1, 0.2]
    assert run.best == (0.1, 2.0)


def test_values_that_are_not_finite_are_left_out(runs):
    add_curve(runs, [0, 10, 20], [4.0, np.nan, 3.0])
    run = valid_curves(runs).curves[0].runs[0]
    assert run.x.tolist() == [0, 20]


def test_the_mean_and_its_band_are_those_of_the_seeds_at_each_point(runs):
    values = np.array([[4.0, 2.0], [5.0, 1.0], [6.0, 4.5]])
    for seed, row in enumerate(values):
        add_curve(runs, [0, 10], row, seed=seed)
    mean = valid_curves(runs).curves[0].mean
    assert mean.n == 3
    assert mean.mean.tolist() == [5.0, 2.5]
    assert (mean.low[1], mean.high[1]) == pytest.approx(t_interval(values[:, 1]))
    of_sd = valid_curves(runs, band="sd").curves[0].mean
    assert of_sd.high[0] == 6.0
    of_range = valid_curves(runs, band="range").curves[0].mean
    assert (of_range.low[1], of_range.high[1]) == (1.0, 4.5)


def test_the_band_of_two_runs_is_their_range_and_a_note_says_so(runs):
    add_curve(runs, [0, 10], [4.0, 2.0], seed=0)
    add_curve(runs, [0, 10], [2.0, 1.0], seed=1)
    data = valid_curves(runs)
    assert data.curves[0].mean.low.tolist() == [2.0, 1.0]
    assert data.notes == ("of fewer than 3 runs the band is their range",)


def test_runs_of_different_length_are_averaged_where_all_are_present_and_a_note_says_so(runs):
    add_curve(runs, [0, 10, 20, 30], [4.0, 3.0, 2.0, 1.0], seed=0)
    add_curve(runs, [0, 10, 20], [6.0, 5.0, 4.0], seed=1)
    add_curve(runs, [10, 20, 30], [5.0, 4.0, 0.0], seed=2)
    data = valid_curves(runs)
    mean = data.curves[0].mean
    assert mean.x.tolist() == [10, 20]
    assert mean.mean.tolist() == pytest.approx([13 / 3, 10 / 3])
    assert "a mean ends where the shortest run of its group does" in data.notes


def test_runs_with_points_at_different_x_are_interpolated_between_them(runs):
    add_curve(runs, [0, 20], [4.0, 2.0], seed=0)
    add_curve(runs, [0, 10, 20], [0.0, 0.0, 0.0], seed=1)
    mean = valid_curves(runs).curves[0].mean
    assert mean.x.tolist() == [0, 10, 20]
    assert mean.mean.tolist() == [2.0, 1.5, 1.0]


def test_many_different_x_do_not_multiply_the_points_of_the_mean(runs):
    rng = np.random.default_rng(0)
    for seed in range(10):
        x = np.unique(np.sort(rng.integers(0, 10_000, size=50)))
        add_curve(runs, x, np.ones(len(x)), seed=seed)
    assert len(valid_curves(runs).curves[0].mean.x) <= 50


def test_runs_that_did_not_complete_are_drawn_and_not_averaged_and_a_note_says_so(runs):
    for seed in range(3):
        add_curve(runs, [0, 10], [2.0, 1.0], seed=seed)
    add_curve(runs, [0, 10], [2.0, 1e9], seed=3, stop_reason="diverged")
    add_curve(runs, [0, 10], [2.0, 9.0], seed=4, status="FAILED")
    data = valid_curves(runs)
    (group,) = data.curves
    assert [run.averaged for run in group.runs] == [True, True, True, False, False]
    assert group.mean.mean.tolist() == [2.0, 1.0]
    assert "drawn dotted and not averaged: 1 diverged, 1 failed" in data.notes


def test_runs_without_the_metric_are_counted_in_a_note(runs):
    add_curve(runs, [0, 10], [2.0, 1.0], seed=0)
    runs.add(seed=1)
    assert "1 of 2 runs have no valid.loss" in valid_curves(runs).notes


def test_groups_have_their_own_curves_and_labels(runs):
    for n_hidden in (20, 5):
        for seed in range(2):
            add_curve(runs, [0, 10], [2.0, n_hidden], seed=seed, model__n_hidden=n_hidden)
    data = valid_curves(runs)
    assert data.legend_title == "n_hidden"
    assert data.labels == ("5", "20")
    assert [group.mean.mean[-1] for group in data.curves] == [5.0, 20.0]


def test_smoothing_is_an_unbiased_moving_average_and_keeps_the_raw_curve(runs):
    # m1 = .5 * 4 / .5; m2 = (.5 * 2 + .5 * 2) / .75; m3 = (.5 * 2 + .5 * 0) / .875
    assert smoothed(np.array([4.0, 2.0, 0.0]), 0.5) == pytest.approx([4.0, 2.0 / 0.75, 1.0 / 0.875])
    assert smoothed(np.full(5, 3.0), 0.9) == pytest.approx(np.full(5, 3.0))
    add_curve(runs, [0, 10, 20], [4.0, 2.0, 0.0])
    run = valid_curves(runs, smooth=0.5).curves[0].runs[0]
    assert run.y.tolist() == [4.0, 2.0, 0.0]
    assert run.line == pytest.approx([4.0, 2.0 / 0.75, 1.0 / 0.875])


def test_runs_with_no_common_stretch_have_no_mean(runs):
    add_curve(runs, [0, 10], [2.0, 1.0], seed=0)
    add_curve(runs, [20, 30], [2.0, 1.0], seed=1)
    curves = [run_curve(record, "valid.loss") for record in runs.records()]
    assert mean_curve(curves) is None


def test_bad_questions_get_clear_answers(runs):
    add_curve(runs, [0, 10], [2.0, 1.0])
    records = runs.records()
    with pytest.raises(AnalysisError, match=r"no run logged the metric 'valid.los': did you mean valid.loss"):
        extract_learning_curves(records, metric="valid.los")
    with pytest.raises(AnalysisError, match="x axis 'steps': must be one of updates, epoch, examples, seconds"):
        valid_curves(runs, x="steps")
    with pytest.raises(AnalysisError, match="run 1 did not log 'epoch'"):
        valid_curves(runs, x="epoch")
    with pytest.raises(AnalysisError, match=r"smooth 1\.5: must be at least 0 and below 1"):
        valid_curves(runs, smooth=1.5)
    with pytest.raises(AnalysisError, match="band 'ci': must be one of"):
        valid_curves(runs, band="ci")
    with pytest.raises(AnalysisError, match="no runs match"):
        extract_learning_curves([])


def test_only_values_that_are_not_finite_leave_nothing_to_draw(runs):
    runs.add(curves={"valid.loss": ([0], [np.nan])})
    with pytest.raises(AnalysisError, match=r"no run has a finite value of valid.loss"):
        valid_curves(runs)
