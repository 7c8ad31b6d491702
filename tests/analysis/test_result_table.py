from rnnlab.analysis.result_table import result_lines, result_rows

RESULT = {
    "stop_reason": "patience",
    "n_epochs": 51,
    "n_updates": 25_500,
    "best_epoch": 31,
    "best_update": 15_500,
    "train_loss": 0.00123456,
    "valid_loss": 0.00130001,
    "test_loss": 0.00140002,
    "test_mse": 0.00140002,
    "test_mae": 0.0301,
    "test_mse_mean_predictor": 0.4871,
}
STORY = {"early_stopping": {"reason": "patience", "message": "no validation loss below 0.0013 in 20 validations"}}


def rows(*arguments):
    return {what.strip(): (value, remark) for what, value, remark in result_rows(*arguments)}


def test_the_table_says_why_the_run_stopped_and_which_epoch_was_best():
    found = rows(RESULT, STORY)
    assert found["stopped"] == ("patience ran out", "no validation loss below 0.0013 in 20 validations")
    assert found["best epoch"][0] == "31 of 51"
    assert found["best update"][0] == "15,500 of 25,500"
    assert found["test loss"] == ("0.001400", "scored once")


def test_the_test_error_is_set_against_predicting_the_mean():
    assert rows(RESULT)["test MSE"] == ("0.001400", "348 times less than predicting the mean (0.4871)")
    worse = rows({**RESULT, "test_mse": 2 * 0.4871})
    assert worse["test MSE"][1] == "2 times predicting the mean (0.4871)"


def test_noise_is_mentioned_where_it_is_known():
    found = rows({**RESULT, "test_mse_noise_free": 0.0004, "noise_floor": 0.001})
    assert found["without noise"][0] == "0.0004000"
    assert found["noise floor"][0] == "0.001000"
    assert "noise floor" not in rows(RESULT)


def test_every_stop_reason_has_words_even_without_a_story():
    assert rows({"stop_reason": "diverged"})["stopped"] == ("diverged", "the loss or the weights were no longer finite")
    assert rows({"stop_reason": "max_epochs"})["stopped"][0] == "last epoch"


def test_a_story_of_another_shape_than_rnnlab_writes_plays_no_part():
    for odd in ([], ["a"], 5, "x"):
        assert rows({"stop_reason": "patience"}, {"early_stopping": odd}) == rows({"stop_reason": "patience"})
    assert rows({}, {"early_stopping": {"reason": ["a"]}})["stopped"] == ("['a']", "")


def test_what_is_missing_or_not_finite_is_left_out_and_a_run_without_result_says_so():
    assert "valid loss" not in rows({**RESULT, "valid_loss": None})
    assert "valid loss" not in rows({**RESULT, "valid_loss": float("nan")})
    assert rows(None) == {"result": ("none", "the run ended without one")}


def test_the_plain_lines_fit_80_columns_and_hold_every_row():
    lines = result_lines(RESULT, STORY, "run 1 of dot_product")
    assert max(map(len, lines)) <= 80
    assert lines[0] == "run 1 of dot_product"
    text = "\n".join(lines)
    assert all(what in text for what in ("patience ran out", "31 of 51", "348 times less than"))
