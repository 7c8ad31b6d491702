import pytest

from rnnlab.commands.selection import parse_condition, select_runs, split_names
from rnnlab.errors import RnnlabError

RUNS = [(5, 0), (20, 0), (20, 1), (50, 0)]


@pytest.fixture
def store(tracked_store, train, fail):
    for n_hidden, seed in RUNS:
        train(n_hidden, seed, task={"n_steps": [5, 10], "rate": 1e-3, "clip": None, "odd": "007"})
    fail("no luck", model={"n_hidden": 100, "cell": "elman"})
    return tracked_store.store


def chosen(store, *where, **options):
    return [record.run_id for record in select_runs(store, where=where, **options)]


CONDITIONS = [
    ("model.n_hidden=20", "23"),
    ("model.n_hidden=20.0", "23"),
    ("model.n_hidden=5,50", "14"),
    ("model.n_hidden = 5, 50", "14"),
    ("model.n_hidden!=20", "145"),
    ("model.n_hidden>=20", "2345"),
    ("model.n_hidden<20", "1"),
    ("config.model.n_hidden>20", "45"),
    ("test_loss<0.051", "24"),
    ("result.test_loss<=0.05", "24"),
    ("model.cell=elman", "12345"),
    ("task.n_steps=[5,10]", "1234"),
    ("task.n_steps=5", ""),
    ("task.rate=1e-3", "1234"),
    ("task.clip=null", "1234"),
    ("task.clip=none", ""),
    ("task.clip!=1", "1234"),
    ("task.odd='007'", "1234"),
    ("task.odd=7", ""),
    ("task.odd<1", ""),
    ("seed=true", ""),
    ("id=3,4", "34"),
    ("status=FAILED", "5"),
    ("status!=FAILED", "1234"),
    ("experiment=dot_product", "12345"),
    ("started>=2020-01-01", "12345"),
    ("started<2020-01-01", ""),
    ("seconds<1000", "12345"),
]


def test_a_condition_is_on_config_result_or_the_runs_own_fields(store):
    assert {condition: "".join(chosen(store, condition)) for condition, _ in CONDITIONS} == dict(CONDITIONS)


def test_all_of_several_conditions_must_hold_and_combine_with_the_other_options(store):
    assert chosen(store, "model.n_hidden=20", "seed=1") == ["3"]
    assert chosen(store, "model.n_hidden>=20", status=["failed"]) == ["5"]
    assert chosen(store, "model.n_hidden>=20", run=["3", "1"]) == ["3"]
    assert chosen(store, run=["3", "1"], status=["FAILED"]) == []
    assert chosen(store, experiment=["dot_product", "other"]) == list("12345")


REFUSED = [
    ({"where": ["n_hidden=3"]}, "unknown key 'n_hidden': did you mean model.n_hidden?"),
    ({"where": ["model=3"]}, "unknown key 'model': "),
    ({"where": ["tset_loss<3"]}, "unknown key 'tset_loss': did you mean test_loss"),
    ({"where": ["seed"]}, "--where seed: write KEY=VALUE, such as model.n_hidden=20; also != < <= > >="),
    ({"where": ["=3"]}, "--where =3: write KEY=VALUE"),
    ({"where": ["seed<1,2"]}, "--where seed<1,2: write one value after <"),
    ({"where": ['seed={"$gt": 1}']}, "a value is a number, a text, true, false, null or a list, not {"),
    ({"where": ["seed=[{a: 1}]"]}, "a value is a number, a text, true, false, null or a list, not [{"),
    ({"experiment": ["dot_prodcut"]}, "unknown experiment 'dot_prodcut': did you mean dot_product?"),
    ({"status": ["complete"]}, "unknown status 'COMPLETE': did you mean COMPLETED?"),
    ({"run": ["9"]}, "no run '9' in "),
]


def test_what_no_run_can_fit_names_the_nearest(store):
    for options, message in REFUSED:
        with pytest.raises(RnnlabError) as raised:
            select_runs(store, **options)
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)


def test_in_an_empty_store_nothing_is_unknown(tracked_store):
    assert select_runs(tracked_store.store, ["x"], ["LOST"], ["y=1"]) == []


def test_a_text_with_the_letters_of_an_operator_in_it_is_a_value():
    assert parse_condition("a=b<c").values == ["b<c"]
    assert parse_condition("a='x, y'").values == ["x, y"]
    assert parse_condition("a=").values == [""]
    assert parse_condition("a=[b").values == ["[b"]


def test_names_come_several_in_one_option_or_in_several():
    assert split_names(["a,b", " c ", ","]) == ["a", "b", "c"]
    assert split_names(None) == []
