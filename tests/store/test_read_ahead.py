"""Parts of many runs are read in few questions, each once, and damage stays with the run that has it."""

import pytest

from rnnlab.errors import StoreError
from rnnlab.store import open_store, read_ahead
from rnnlab.store.read_ahead import ReadAhead
from rnnlab.store_address import mongo_database, parse_address


def reader_of(n, weight=1):
    questions = []

    def read(keys):
        questions.append(list(keys))
        return {key: f"part {key}" for key in keys}

    return ReadAhead(range(n), read, lambda part: weight), questions


def test_the_first_is_read_alone_and_those_after_it_with_ever_more_of_the_next():
    ahead, questions = reader_of(1000)
    assert [ahead.take(key) for key in range(1000)] == [f"part {key}" for key in range(1000)]
    assert [len(each) for each in questions] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 233]
    assert sorted(key for asked in questions for key in asked) == list(range(1000))


def test_in_any_order_every_part_is_read_once():
    ahead, questions = reader_of(100)
    for key in [*range(90, 100), *range(0, 90, 3), *range(1, 90, 3), *range(2, 90, 3)]:
        assert ahead.take(key) == f"part {key}"
    assert sorted(key for asked in questions for key in asked) == list(range(100))


def test_large_parts_are_read_few_at_a_time(monkeypatch):
    monkeypatch.setattr(read_ahead, "MOST_VALUES", 40)
    ahead, questions = reader_of(30, weight=10)
    for key in range(30):
        ahead.take(key)
    assert max(map(len, questions)) == 4


def test_a_part_can_be_asked_for_again():
    ahead, questions = reader_of(3)
    assert [ahead.take(key) for key in (0, 1, 2, 0)] == ["part 0", "part 1", "part 2", "part 0"]
    assert questions == [[0], [1, 2], [0]]


@pytest.fixture
def address(mongo_database_address):
    """Forty runs, of which the 30th has info, sources and metrics that make no sense."""
    database = mongo_database(parse_address(mongo_database_address))
    for n in range(1, 41):
        experiment = {"name": "x", "sources": [1] if n == 30 else []}
        entry = {"experiment": experiment, "status": "COMPLETED", "config": {}, "info": [1] if n == 30 else {"n": n}}
        database.runs.insert_one({"_id": n, **entry})
        values = ["text"] if n == 30 else [n / 2]
        database.metrics.insert_one({"run_id": n, "name": "loss", "steps": [n], "values": values, "timestamps": []})
    return mongo_database_address


def test_the_curves_of_many_runs_in_a_database_take_few_questions(address):
    database = mongo_database(parse_address(address))
    records = open_store(address).find()
    database.command("profile", 2)
    found = [record.curves["loss"].values[0] for record in records if record.run_id != "30"]
    database.command("profile", 0)
    assert found == [n / 2 for n in range(1, 41) if n != 30]
    assert database["system.profile"].count_documents({"op": "query"}) <= 6


def test_damage_stays_with_its_run(address):
    records = open_store(address).find()
    for part in ("info", "curves", "sources"):
        for record in records:
            if record.run_id != "30":
                assert getattr(record, part) is not None
        with pytest.raises(StoreError, match=r"^run 30: "):
            getattr(records[29], part)
    assert records[34].info == {"n": 35}
