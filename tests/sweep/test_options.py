import pytest

from rnnlab.sweep.located_yaml import SpecificationError
from rnnlab.sweep.options import specification_from_options
from rnnlab.sweep.random_search import Distribution, RandomSearch
from rnnlab.sweep.specification import parse_specification


@pytest.fixture
def block(tmp_path):
    (tmp_path / "dot.py").write_text("")

    def from_options(**options):
        (one,) = specification_from_options("dot.py", directory=tmp_path, **options)
        return one

    return from_options


def test_options_say_what_a_file_says(block, tmp_path):
    text = """
        experiment: dot.py
        with: [quick]
        fixed: {training.max_epochs: 20}
        grid: {model.n_hidden: [10, 20, 50], model.cell: [elman, lstm]}
        zip: {training.optimizer: [sgd, adam], training.learning_rate: [0.1, 1e-3]}
        random: {n: 4, seed: 1, parameters: {training.clip_norm: {loguniform: [1e-1, 10]}}}
        seeds: 5
    """
    (expected,) = parse_specification(text, "sweep.yaml", (tmp_path,))
    given = block(
        with_=["quick"],
        set_=["training.max_epochs=20"],
        grid=["model.n_hidden=10,20,50", "model.cell=elman, lstm"],
        zip_=["training.optimizer=sgd,adam", "training.learning_rate=0.1,1e-3"],
        random=["training.clip_norm=loguniform:1e-1,10"],
        random_n=4,
        random_seed=1,
        seeds="5",
    )
    for field in ("script", "named_configs", "fixed", "grid", "zipped", "random", "seeds"):
        assert getattr(given, field) == getattr(expected, field), field


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1e-3,0.1", [1e-3, 0.1]),
        ("None,null,1.0", [None, None, 1.0]),
        ("True,false", [True, False]),
        ("'a,b',\"c\",d e", ["a,b", "c", "d e"]),
        ("'10',10", ["10", 10]),
        ("[50, 200],[5,10]", [[50, 200], [5, 10]]),
        ("mongodb://x", ["mongodb://x"]),
        ("a=b", ["a=b"]),
    ],
)
def test_values_are_literals_and_commas_separate_them_outside_quotes_and_brackets(block, text, values):
    assert block(grid=[f"key={text}"]).grid == {"key": values}


def test_one_value_is_set_and_a_list_needs_brackets(block):
    assert block(set_=["a=[5,10]", "b=x", "c=None"]).fixed == {"a": [5, 10], "b": "x", "c": None}
    with pytest.raises(SpecificationError, match=r"^--set a: '5,10' must be one value; .* \[5,10\]$"):
        block(set_=["a=5,10"])


@pytest.mark.parametrize(
    ("seeds", "expected"), [("3", (0, 1, 2)), (3, (0, 1, 2)), ("0,7", (0, 7)), ("[7]", (7,)), (None, None)]
)
def test_a_number_counts_the_seeds_and_several_are_the_seeds(block, seeds, expected):
    assert block(seeds=seeds).seeds == expected


def test_the_seed_of_the_random_search_is_0_unless_given(block):
    assert block(random=["a=integers:1,5"], random_n=2).random == RandomSearch(
        2, 0, {"a": Distribution("integers", (1, 5))}
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": ["model.n_hidden"]}, "--grid model.n_hidden: must be KEY=VALUE, as model.n_hidden=20"),
        ({"grid": ["=3"]}, "--grid =3: must be KEY=VALUE"),
        ({"grid": ["a="]}, "--grid a: a has no values: must have at least one"),
        ({"grid": ["a=1", "a=2"]}, "--grid a: given twice"),
        ({"grid": ["a=1,,2"]}, "--grid a: cannot read '1,,2' as values: not YAML: "),
        ({"grid": ["a=1],[2"]}, "--grid a: cannot read '1],[2' as values: "),
        ({"grid": ["a=(1,2)"]}, "--grid a: cannot read '(1,2)' as values: (1: write a list as [1, 2]"),
        ({"grid": ["a={b: 1}"]}, "--grid a: a has a mapping among its values"),
        ({"grid": ["a..b=1"]}, '--grid a..b: "a..b" is no config key'),
        ({"set_": ["a=1"], "grid": ["a=1"]}, "--grid a: a is set twice in one block; first at --set a"),
        ({"grid": ["seed=1,2"], "seeds": 2}, "--seeds: seed is set twice in one block; first at --grid seed"),
        ({"zip_": ["a=1,2", "b=1"]}, "--zip b: zip couples a with 2 values to b with 1"),
        ({"random": ["a=0,1"], "random_n": 2}, "--random a: '0,1' must be DISTRIBUTION:ARGUMENTS"),
        ({"random": ["a=normal:0,1"], "random_n": 2}, '--random a: unknown distribution "normal"; '),
        ({"random": ["a=uniform:1,0"], "random_n": 2}, "--random a: a: uniform [1, 0]: must be [low, high] with low"),
        ({"random": ["a=uniform:0,1"]}, "--random: the number of points is missing: --random-n"),
        ({"random": ["a=uniform:0,1"], "random_n": 0}, '--random-n: "n" is 0: must be a whole number of at least 1'),
        ({"random_n": 3}, "--random: must name at least one parameter"),
        ({"seeds": "many"}, "--seeds: \"seeds\" is 'many': must be a whole number of at least 1"),
        ({"seeds": "1,-2"}, "--seeds: a seed is -2: must be a whole number from 0 to"),
    ],
)
def test_a_wrong_option_is_named_in_one_line(block, options, message):
    with pytest.raises(SpecificationError) as raised:
        block(**options)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_a_missing_script_is_named(tmp_path):
    with pytest.raises(SpecificationError, match=r'there is no experiment script "nope.py" in '):
        specification_from_options("nope.py", directory=tmp_path)
