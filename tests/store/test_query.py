import pytest

from rnnlab.errors import StoreError
from rnnlab.store.query import by_number, is_plain_name, make_query, resolve_id
from rnnlab.store.record import RunRecord

RECORD = RunRecord(
    "1",
    "dot_product",
    "COMPLETED",
    {"seed": 1, "model": {"n_hidden": 20, "bias": True, "decay": None}, "task": {"n_steps": [5, 10]}},
)


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({}, True),
        ({"model.n_hidden": 20}, True),
        ({"model.n_hidden": 20.0}, True),
        ({"model.n_hidden": "20"}, False),
        ({"model.n_hidden": [10, 20]}, True),
        ({"model.n_hidden": (10, 30)}, False),
        ({"model.n_hidden": []}, False),
        ({"model.n_hidden": 20, "seed": 2}, False),
        ({"seed": True}, False),
        ({"model.bias": True}, True),
        ({"model.bias": 1}, False),
        ({"model.decay": None}, True),
        ({"model.missing": None}, False),
        ({"model": 20}, False),
        ({"model.n_hidden.x": 20}, False),
        ({"task.n_steps": [[5, 10]]}, True),
        ({"task.n_steps": [[5.0, 10.0]]}, True),
        ({"task.n_steps": [5, 10]}, False),
        ({"task.n_steps": [[5, True]]}, False),
    ],
)
def test_a_config_fits_by_value(where, fits):
    assert make_query(None, None, where).fits(RECORD) is fits


@pytest.mark.parametrize(
    "where",
    [
        {"$where": "sleep(1000)"},
        {"model.$n_hidden": 1},
        {"model.": 1},
        {"": 1},
        {1: 1},
        {"seed": {"$gt": 0}},
        {"seed": [{"$gt": 0}]},
        {"seed": [[{"$gt": 0}]]},
        {"seed": object()},
        {"seed": b"1"},
    ],
)
def test_what_is_no_question_about_a_config_is_refused(where):
    with pytest.raises(StoreError, match=r"^where: "):
        make_query(None, None, where)


def test_names_of_experiments_and_statuses_are_one_or_several():
    assert make_query("dot_product", "completed", None).fits(RECORD)
    assert make_query(["x", "dot_product"], ("FAILED", "COMPLETED"), None).fits(RECORD)
    assert not make_query("dot", None, None).fits(RECORD)
    assert not make_query(None, [], None).fits(RECORD)
    for wrong in ({"$ne": ""}, 1, [1]):
        with pytest.raises(StoreError, match="must be a name"):
            make_query(wrong, None, None)


def test_an_id_or_a_unique_prefix_of_one_is_found():
    assert resolve_id("1", ["1", "10", "12"], "results") == "1"
    assert resolve_id(12, ["1", "10", "12"], "results") == "12"
    assert resolve_id("ab", ["1", "abc"], "results") == "abc"


def test_a_prefix_of_several_ids_names_them_in_their_order():
    with pytest.raises(StoreError, match=r"run '1' is not one run in results: it may be 10, 12, 100$"):
        resolve_id("1", ["100", "12", "10"], "results")
    with pytest.raises(StoreError, match=r"108, 109 and 90 more$"):
        resolve_id("1", [str(i) for i in range(100, 200)], "results")


@pytest.mark.parametrize("run_id", ["7", "", "..", "1/../2"])
def test_an_id_that_no_run_has_is_an_error(run_id):
    with pytest.raises(StoreError, match=r"no run .* in results"):
        resolve_id(run_id, ["1", "2"], "results")


def test_ids_are_ordered_as_numbers_and_names_come_last():
    assert sorted(["10", "9", "b", "a", "1"], key=by_number) == ["1", "9", "10", "a", "b"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a.png", True), ("..a", True), ("", False), (".", False), ("..", False)]
    + [(name, False) for name in ("a/b", "/a", "../a", "a\\b", "a\0b")],
)
def test_only_names_that_stay_in_their_folder_are_plain(name, plain):
    assert is_plain_name(name) is plain
