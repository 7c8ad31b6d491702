"""What is drawn of an evaluation, and that it can be drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnnlab.analysis.evaluation_plots import extract_panels, plot_evaluation
from rnnlab.analysis.groups import AnalysisError


def score(n_steps, wrong=None, by_step=False, floor=None):
    steps = {"mse": np.full(n_steps, 0.1), "mean": np.ones(n_steps)} if by_step else None
    return SimpleNamespace(
        n_steps=n_steps,
        mse=n_steps / 100,
        naive_mse={"mean": 1.0, "ridge": 0.5},
        wrong=wrong,
        noise_free_mse=floor,
        noise_floor=floor,
        by_step=steps,
    )


def test_errors_are_drawn_by_rising_length_with_the_length_of_training():
    (panel,) = extract_panels([score(20), score(5), score(100)], None, 10)
    assert panel.x.tolist() == [5, 20, 100]
    assert panel.lines["mse"].tolist() == [0.05, 0.2, 1.0]
    assert set(panel.lines) == {"mse", "mean", "ridge"}
    assert panel.trained == (10, 10)


def test_wrong_answers_steps_and_horizons_have_panels_of_their_own():
    forecasts = SimpleNamespace(mse={"closed_loop": np.ones(3), "persistence": np.ones(3)})
    scores = [score(5, 0.5, True, 0.1), score(8, 0.7, True, 0.1)]
    lengths, wrong, steps, horizons = extract_panels(scores, forecasts, [2, 6])
    assert lengths.trained == wrong.trained == (2, 6)
    assert {"noise_free_mse", "noise_floor"} <= set(lengths.lines)
    assert wrong.lines["mse"].tolist() == [0.5, 0.7]
    assert steps.x.tolist() == list(range(1, 9))  # of the longest
    assert horizons.x.tolist() == [1, 2, 3]


def test_one_length_alone_is_no_picture():
    with pytest.raises(AnalysisError, match="there is one length only, which makes no picture: name several"):
        extract_panels([score(5)])


def test_a_picture_marks_training_names_every_line_and_scales_what_spans_decades():
    picture = plot_evaluation([score(5, 0.2), score(100, 0.9)], None, 10)
    errors, wrong = picture.axes
    assert {text.get_text() for text in errors.get_legend().get_texts()} == {
        *("network", "predict the mean", "ridge regression", "length of training: 10"),
    }
    assert (errors.get_xscale(), errors.get_yscale(), wrong.get_yscale()) == ("log", "log", "linear")
    picture = plot_evaluation([score(5), score(9)], None, (6, 8))
    assert "lengths of training: 6 to 8" in [text.get_text() for text in picture.axes[0].get_legend().get_texts()]
