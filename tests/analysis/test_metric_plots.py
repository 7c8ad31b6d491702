import numpy as np
import pytest
from matplotlib.collections import LineCollection

from rnnlab.analysis.groups import AnalysisError
from rnnlab.analysis.metric_data import extract_heatmap, extract_metric, extract_parallel
from rnnlab.analysis.plots import plot_heatmap, plot_metric, plot_parallel
from rnnlab.analysis.statistics import t_interval


@pytest.fixture
def grid(runs):
    """Two widths, three rates, three seeds; (50, .1) failed. test_loss = rate * n_hidden + seed / 100, + 0.2 at 50."""
    for n_hidden in (50, 5):
        for rate in (0.1, 0.01, 0.001):
            for seed in range(3):
                status = "FAILED" if (n_hidden, rate) == (50, 0.1) else "COMPLETED"
                mse = rate * n_hidden + seed / 100 + 0.2 * (n_hidden == 50)
                result = {"test_loss": mse, "test_mse": mse, "test_mse_mean_predictor": 0.5}
                runs.add(seed=seed, model__n_hidden=n_hidden, training__rate=rate, result=result, status=status)
    return runs.records()


def test_a_metric_against_a_key_has_means_intervals_single_runs_and_naive_baselines(grid):
    at_small_rate = [record for record in grid if record.config["training"]["rate"] == 0.001]
    data = extract_metric(at_small_rate, "model.n_hidden")
    (series,) = data.series
    assert series.values == (5, 50)
    assert [s.mean for s in series.summaries] == pytest.approx([0.015, 0.26])
    assert data.naive == (("predict the mean", 0.5),)
    (ax,) = plot_metric(at_small_rate, "model.n_hidden").axes
    (bars,) = ax.containers
    line, _, (vertical,) = bars.lines
    assert line.get_xdata().tolist() == [5, 50]
    assert line.get_ydata() == pytest.approx([0.015, 0.26])
    low, high = t_interval(np.array([0.005, 0.015, 0.025]))
    assert vertical.get_segments()[0][:, 1] == pytest.approx([low, high])
    dots = ax.get_lines()[0]
    assert dots.get_ydata() == pytest.approx([0.005, 0.015, 0.025, 0.25, 0.26, 0.27])
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["5", "50"]
    assert "predict the mean" in [text.get_text() for text in ax.texts]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("model.n_hidden", "test_loss")


def test_other_keys_make_series_of_their_own_or_a_note(grid):
    data = extract_metric(grid, "training.rate", by="model.n_hidden")
    assert [series.label for series in data.series] == ["5", "50"]
    assert data.series[1].values == (0.001, 0.01)
    assert "not averaged: 3 failed" in data.notes
    together = extract_metric(grid, "training.rate")
    assert len(together.series) == 1
    assert any("of different model.n_hidden (5, 50)" in note for note in together.notes)


def test_words_on_the_axis_stand_side_by_side(runs):
    for name, loss in (("sgd", 1.0), ("adam", 2.0)):
        runs.add(training__optimizer=name, result={"test_loss": loss})
    (ax,) = plot_metric(runs.records(), "training.optimizer").axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["adam", "sgd"]
    assert ax.containers[0].lines[0].get_ydata().tolist() == [2.0, 1.0]


def test_a_heat_map_has_the_mean_of_each_cell_and_crosses_out_the_empty_ones(grid):
    data = extract_heatmap(grid, "model.n_hidden", "training.rate")
    assert data.values_x == (5, 50)
    assert data.values_y == (0.001, 0.01, 0.1)
    assert data.mean == pytest.approx(np.array([[0.015, 0.26], [0.06, 0.71], [0.51, np.nan]]), nan_ok=True)
    assert data.n.tolist() == [[3, 3], [3, 3], [3, 0]]
    ax = plot_heatmap(grid, "model.n_hidden", "training.rate").axes[0]
    assert [text.get_text() for text in ax.texts] == ["0.0150", "0.260", "0.0600", "0.710", "0.510", "\u00d7"]
    assert ax.images[0].get_array().filled(np.nan) == pytest.approx(data.mean, nan_ok=True)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0.001", "0.01", "0.1"]


def test_parallel_coordinates_have_a_line_for_each_run_in_place_on_each_axis(grid):
    data = extract_parallel(grid)
    assert [axis.name for axis in data.axes] == ["model.n_hidden", "training.rate", "test_loss"]
    width, rate, loss = data.axes
    assert set(width.places) == {0.0, 1.0}
    assert sorted(set(rate.places)) == pytest.approx([0.0, 0.5, 1.0])
    assert np.isnan(loss.places).sum() == 3
    assert [label for _, label in rate.ticks] == ["0.001", "0.01", "0.1"]
    (ax,) = plot_parallel(grid).axes
    failed, measured = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert len(measured.get_segments()) == 15
    assert len(failed.get_segments()) == 3
    assert all(len(segment) == 2 for segment in failed.get_segments())
    assert len({tuple(colour) for colour in measured.get_colors()}) > 5


def test_questions_without_an_answer_say_why(grid, runs):
    with pytest.raises(AnalysisError, match=r"unknown config key 'model.n_hiden'"):
        plot_metric(grid, "model.n_hiden")
    with pytest.raises(AnalysisError, match="unknown metric 'test_los'"):
        plot_heatmap(grid, "model.n_hidden", "training.rate", "test_los")
    with pytest.raises(AnalysisError, match="no config key varies"):
        plot_parallel(grid[:3])
    failed = [record for record in grid if record.status == "FAILED"]
    for draw in (
        lambda: plot_metric(failed, "model.n_hidden"),
        lambda: plot_heatmap(failed, "model.n_hidden", "training.rate"),
        lambda: plot_parallel(failed, ["model.n_hidden"]),
    ):
        with pytest.raises(AnalysisError, match="nothing to draw"):
            draw()
