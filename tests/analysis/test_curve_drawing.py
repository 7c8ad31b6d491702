"""Legends, marks, limits and explanations of learning curves."""

from rnnlab.analysis.plots import plot_learning_curves


def legend_of(picture):
    (ax,) = picture.axes
    picture.draw_without_rendering()
    return ax.get_legend()


def test_a_legend_reads_row_by_row_and_fits_the_picture(runs):
    for n_hidden in (1, 2, 3, 4, 5, 6, 7):
        runs.add_training(n_hidden, 0, 0.1, n_epochs=4)
    picture = plot_learning_curves(runs.records(), by="model.n_hidden")
    legend = legend_of(picture)
    places = [(round(-t.get_window_extent().y0), t.get_window_extent().x0, t.get_text()) for t in legend.get_texts()]
    assert [text for _, _, text in sorted(places)] == [*"1234567", "training", "validation"]
    assert legend.get_window_extent().x1 <= picture.bbox.x1


def test_long_labels_are_broken_into_lines_and_leave_the_curves_their_room(runs):
    names = ["a name that is long enough to " + "go on " * 20 + end for end in ("here", "there")]
    for name in names:
        runs.add_training(5, 0, 0.1, n_epochs=4, model__note=name)
    picture = plot_learning_curves(runs.records(), by="model.note")
    legend = legend_of(picture)
    assert [text.get_text().replace("\n", " ") for text in legend.get_texts()][:2] == names
    assert legend.get_window_extent().x1 <= picture.bbox.x1
    assert picture.axes[0].get_window_extent().height > 1.2 * picture.dpi


def test_a_legend_of_very_many_groups_names_some_from_first_to_last(runs):
    for n_hidden in range(50):
        runs.add_training(n_hidden, 0, 0.1, n_epochs=2)
    named = [t.get_text() for t in legend_of(plot_learning_curves(runs.records(), metric="valid.loss")).get_texts()]
    assert len(named) <= 21
    assert {"0", "49"} <= set(named)


def test_a_run_that_stopped_at_its_best_shows_both_marks(runs):
    runs.add(result={"best_update": 20}, curves={"valid.loss": ([0, 10, 20], [3.0, 2.0, 1.0])})
    (ax,) = plot_learning_curves(runs.records()[0], metric="valid.loss").axes
    best, end = [line for line in ax.get_lines() if line.get_marker() in ("o", "X")]
    assert best.get_xdata().tolist() == end.get_xdata().tolist() == [20]
    assert best.get_markerfacecolor() == "white"
    assert best.get_markersize() > end.get_markersize()


def test_a_run_that_was_interrupted_late_does_not_set_the_limits(runs):
    for seed in range(2):
        runs.add_training(20, seed, 0.02, n_epochs=10)
    runs.add_training(20, 2, 0.02, n_epochs=1000, stop_reason="interrupted")
    (ax,) = plot_learning_curves(runs.records(), by=()).axes
    assert ax.get_xlim()[1] < 600


def test_lines_bands_and_smoothing_are_explained(runs):
    for seed in range(3):
        runs.add(seed=seed, curves={"valid.loss": ([0, 1, 2], [1.0, 1.0, 0.001 + 10.0 * (seed == 0)])})
    picture = plot_learning_curves(runs.records(), metric="valid.loss", smooth=0.1)
    words = " ".join(picture.get_supxlabel().split())
    assert "mean of 3 runs; each a moving average (0.1) of the faint curves" in words
    assert "bands: 95% interval of the mean (t), off the axis where it reaches 0; thin: single runs" in words
    linear = plot_learning_curves(runs.records(), metric="valid.loss", log="")
    assert "off the axis" not in linear.get_supxlabel()
