import pytest


@pytest.fixture
def runs(tracked_store, track):
    for options in ({}, {}, {"--id": "named"}, {}):
        track(tracked_store.observer(), options=options)
    return tracked_store.store


def test_ids_are_those_of_all_runs(runs):
    assert sorted(runs.ids()) == ["1", "2", "3", "named"]


def test_ids_after_a_number_leave_out_the_numbers_up_to_it_but_no_name(runs):
    assert sorted(runs.ids(after=2)) == ["3", "named"]
    assert runs.ids(after=99) == ["named"]


def test_runs_are_read_by_their_ids_and_those_that_are_gone_are_left_out(runs):
    assert {record.run_id for record in runs.read(["3", "named", "77", "lost"])} == {"3", "named"}
    assert runs.read([]) == []
    (one,) = runs.read(["2"])
    assert one == runs.get("2")
