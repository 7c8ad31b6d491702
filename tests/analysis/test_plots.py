import subprocess
import sys
import warnings

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from rnnlab.analysis.groups import AnalysisError
from rnnlab.analysis.picture import PALETTE, Picture
from rnnlab.analysis.plots import plot_learning_curves, plot_moving_average, save_figure


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def bands(ax):
    return [c for c in ax.collections if isinstance(c, PolyCollection)]


def means(ax):
    """The lines of means, by their label."""
    return {
        line.get_label(): line
        for line in ax.get_lines()
        if str(line.get_label())[0] != "_" and len(line.get_xdata()) > 2
    }


@pytest.fixture
def sweep(runs):
    """Two widths of four seeds, of different lengths; one run diverged."""
    for n_hidden in (5, 20):
        for seed in range(4):
            runs.add_training(n_hidden, seed, 0.2 / n_hidden, n_epochs=10 + seed)
    runs.add_training(20, 4, 5000.0, n_epochs=10, stop_reason="diverged")
    return runs.records()


def test_one_run_shows_both_losses_the_best_validation_and_the_stopping_point(runs):
    runs.add_training(20, 0, 0.02, n_epochs=24)
    (record,) = runs.records()
    (ax,) = plot_learning_curves(record).axes
    train, valid = [line for line in ax.get_lines() if len(line.get_xdata()) > 2]
    assert train.get_ydata().tolist() == record.curves["train.loss"].values.tolist()
    assert valid.get_ydata().tolist() == record.curves["valid.loss"].values.tolist()
    assert train.get_color() != valid.get_color()
    best, end = [line for line in ax.get_lines() if line.get_marker() in ("o", "X")]
    update = record.result["best_update"]
    assert best.get_xdata()[0] == update
    assert best.get_ydata()[0] == record.curves["valid.loss"].values.min()
    assert end.get_xdata()[0] == 1200 > update
    assert texts(ax)[:2] == ["training", "validation"]
    assert texts(ax)[3] == "stopped at 1,200 (patience)"
    assert ax.get_xlabel() == "updates"
    assert ax.get_ylabel() == "loss"
    assert ax.get_yscale() == "log"
    low, high = ax.get_ylim()
    assert low < record.curves["valid.loss"].values.min()
    assert high > record.curves["valid.loss"].values.max()


def test_groups_have_a_colour_each_a_mean_with_a_band_and_faint_single_runs(sweep):
    picture = plot_learning_curves(sweep, by="model.n_hidden")
    (ax,) = picture.axes
    lines = means(ax)
    assert set(lines) == {f"n_hidden={n}: {m}" for n in (5, 20) for m in ("train.loss", "valid.loss")}
    assert lines["n_hidden=5: valid.loss"].get_color() == PALETTE[0]
    assert lines["n_hidden=20: valid.loss"].get_color() == PALETTE[1]
    assert lines["n_hidden=5: valid.loss"].get_linestyle() != lines["n_hidden=5: train.loss"].get_linestyle()
    assert len(bands(ax)) == 4
    faint = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert sum(len(c.get_segments()) for c in faint) == 2 * 4 * 2
    assert all(c.get_alpha() < 0.5 for c in faint)
    assert texts(ax) == ["5", "20", "training", "validation"]
    assert ax.get_legend().get_title().get_text() == "n_hidden"
    mean = lines["n_hidden=5: valid.loss"]
    of_group = [r.curves["valid.loss"].values for r in sweep if r.config["model"]["n_hidden"] == 5]
    assert mean.get_ydata()[3] == pytest.approx(np.mean([v[3] for v in of_group]))
    assert mean.get_xdata()[-1] == 500


def test_a_run_that_diverged_neither_enters_the_mean_nor_sets_the_limits_and_is_mentioned(sweep):
    picture = plot_learning_curves(sweep, by="model.n_hidden")
    assert picture.axes[0].get_ylim()[1] < 10
    assert "drawn dotted and not averaged: 1 diverged" in picture.notes
    assert "1 diverged" in picture.get_supxlabel()


def test_an_axes_of_ones_own_is_drawn_on_and_notes_become_warnings(sweep):
    ax = Figure().add_subplot()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert plot_learning_curves(sweep, by="model.n_hidden", ax=ax) is ax
    assert len(means(ax)) == 4
    assert [str(warning.message) for warning in caught] == [
        "drawn dotted and not averaged: 1 diverged",
        "a mean ends where the shortest run of its group does",
    ]


def test_axes_are_linear_or_logarithmic_as_asked_and_linear_where_values_are_not_positive(sweep, runs):
    for log, scales in (("", ("linear", "linear")), ("x", ("log", "linear")), ("xy", ("log", "log"))):
        (ax,) = plot_learning_curves(sweep[0], log=log).axes
        assert (ax.get_xscale(), ax.get_yscale()) == scales
    runs.add(seed=50, curves={"score": ([0, 1, 2], [-1.0, 0.0, 2.0])})
    (ax,) = plot_learning_curves(runs.records()[-1], metric="score", log="y").axes
    assert ax.get_yscale() == "linear"
    with pytest.raises(AnalysisError, match="log 'z': must be one of"):
        plot_learning_curves(sweep, log="z")


def test_smoothing_keeps_the_raw_curve_visible(sweep):
    (ax,) = plot_learning_curves(sweep[0], metric="valid.loss", smooth=0.9).axes
    raw, smooth = [line for line in ax.get_lines() if len(line.get_xdata()) > 2]
    assert raw.get_ydata().tolist() == sweep[0].curves["valid.loss"].values.tolist()
    assert raw.get_alpha() < 1 == smooth.get_alpha()


def test_small_multiples_have_a_panel_for_each_value_on_common_axes(sweep):
    picture = plot_learning_curves(sweep, small_multiples="model.n_hidden")
    assert [ax.get_title(loc="left") for ax in picture.axes] == ["n_hidden=5", "n_hidden=20"]
    assert len({ax.get_ylim() for ax in picture.axes}) == 1
    assert len({ax.get_xlim() for ax in picture.axes}) == 1
    assert [len(means(ax)) for ax in picture.axes] == [2, 2]
    with pytest.raises(AnalysisError, match="not both"):
        plot_learning_curves(sweep, small_multiples="model.n_hidden", ax=Figure().add_subplot())


def test_more_groups_than_colours_still_have_one_each(runs):
    for n_hidden in range(1, 11):
        runs.add_training(n_hidden, 0, 0.1, n_epochs=4)
    (ax,) = plot_learning_curves(runs.records(), metric="valid.loss").axes
    colours = {line.get_color() for line in ax.get_legend().get_lines()}
    assert len(colours) == 10


def test_the_moving_average_is_that_of_the_post_over_thousands_of_updates(runs):
    errors = np.abs(np.random.default_rng(0).normal(size=20_000)) * np.linspace(1, 0.1, 20_000)
    runs.add(updates={"loss": errors**2, "absolute_error": errors, "grad_norm": errors})
    (record,) = runs.records()
    (ax,) = plot_moving_average(record).axes
    line, local_mean = ax.get_lines()
    m, by_hand = errors[0], []
    for error in errors:
        m = 0.9 * m + 0.1 * error
        by_hand.append(m)
    x, y = line.get_xdata(), line.get_ydata()
    assert len(x) <= 3002
    assert (x[0], x[-1]) == (0.001, 20.0)
    assert y == pytest.approx(np.array(by_hand)[np.round(x * 1000).astype(int) - 1])
    # Thinning hides none of the spread.
    assert (y.min(), y.max()) == pytest.approx((min(by_hand), max(by_hand)))
    assert ax.get_xlabel() == "updates (thousands)"
    # 250 stretches of 80 updates
    assert local_mean.get_ydata() == pytest.approx(errors.reshape(250, 80).mean(axis=1))
    assert local_mean.get_xdata()[0] == pytest.approx(0.0405)


def test_the_moving_average_needs_a_log_of_every_update(runs):
    runs.add()
    with pytest.raises(
        AnalysisError, match=r"run 1 kept no log of every update: run it with training.log_updates=True"
    ):
        plot_moving_average(runs.records()[0])


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_picture_is_written_in_the_format_of_its_ending_the_same_each_time(sweep, tmp_path, ending, magic):
    contents = []
    for name in ("a", "deep/b"):
        path = save_figure(plot_learning_curves(sweep[:4]), tmp_path / "pictures" / f"{name}.{ending}")
        contents.append(path.read_bytes())
    assert contents[0].startswith(magic)
    assert contents[0] == contents[1]
    assert sorted(p.name for p in (tmp_path / "pictures").iterdir()) == [f"a.{ending}", "deep"]


def test_an_unknown_ending_or_an_unwritable_path_is_a_clear_error(sweep, tmp_path):
    picture = plot_learning_curves(sweep[0])
    with pytest.raises(AnalysisError, match=r"picture 'a\.gif': the file's ending must be one of \.png, \.pdf, \.svg"):
        save_figure(picture, "a.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(AnalysisError, match="cannot write"):
        save_figure(picture, tmp_path / "file" / "a.png")


def test_a_config_value_that_no_font_can_draw_is_written_out(runs):
    for note in ("plain", "half a letter: \ud800"):
        runs.add_training(20, 0, 0.1, 5, model__note=note)
    picture = plot_learning_curves(runs.records(), by="model.note")
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_jupyter_shows_a_picture_and_dollar_signs_are_no_mathematics(runs):
    for value in (r"$\nonsense$", "plain"):
        runs.add_training(20, 0, 0.02, n_epochs=4, model__note=value)
    picture = plot_learning_curves(runs.records(), by="model.note")
    assert isinstance(picture, Picture)
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_no_plot_touches_pyplot_or_global_settings_and_no_table_loads_matplotlib(sweep, tmp_path):
    code = """
import sys
import warnings
import rnnlab.analysis
assert not {"matplotlib", "pandas", "pytensor", "jax"} & set(sys.modules), "import rnnlab.analysis"
from rnnlab.analysis import compare
assert callable(compare) and callable(rnnlab.analysis.compare)
assert not {"matplotlib", "pytensor", "jax"} & set(sys.modules), "compare"
import matplotlib
before = matplotlib.rcParams.copy()
from rnnlab.analysis import plot_heatmap, plot_learning_curves, plot_metric, plot_parallel, save_figure, write_report
from rnnlab.store.files import FileStore
runs = FileStore(sys.argv[1]).find()
save_figure(plot_learning_curves(runs), sys.argv[1] + "/picture.png")
plot_metric(runs, "model.n_hidden"), plot_heatmap(runs, "model.n_hidden", "seed"), plot_parallel(runs)
write_report(runs, sys.argv[1] + "/report.html")
assert not {"matplotlib.pyplot", "pytensor", "jax"} & set(sys.modules), "plots"
assert matplotlib.rcParams.copy() == before
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "runs")], check=True)
