import random
import sys

import pytest

from rnnlab.sweep.located_yaml import SpecificationError, parse_yaml


def parse(text):
    return parse_yaml(text, lambda line: f"sweep.yaml:{line}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("-3", -3),
        ("500_000", 500_000),
        ("010", 10),
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("+.5", 0.5),
        ("2.", 2.0),
        ("null", None),
        ("None", None),
        ("~", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("2020-01-01", "2020-01-01"),
        ("1:30", "1:30"),
        ("1.2.3", "1.2.3"),
        ("'10'", "10"),
        ('"null"', "null"),
        ("'a, b'", "a, b"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2_and_python(text, value):
    parsed = parse(f"key: {text}").plain()["key"]
    assert parsed == value
    assert type(parsed) is type(value)


def test_every_value_has_its_line():
    root = parse("# comment\ngrid:\n  model.n_hidden:\n    - 10\n    - 20\nseeds: 3\n")
    grid = root.value["grid"]
    assert grid.where == "sweep.yaml:2"
    assert grid.value["model.n_hidden"].where == "sweep.yaml:3"
    assert [item.where for item in grid.value["model.n_hidden"].value] == ["sweep.yaml:4", "sweep.yaml:5"]
    assert root.value["seeds"].where == "sweep.yaml:6"


def test_an_alias_stands_for_its_value_at_the_line_where_it_is_used():
    root = parse("- &common\n  a: [1, 2]\n- *common\n- x: *common\n")
    assert root.plain() == [{"a": [1, 2]}, {"a": [1, 2]}, {"x": {"a": [1, 2]}}]
    assert root.value[2].value["x"].where == "sweep.yaml:4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 'sweep.yaml:3: key "a" is given twice; first at sweep.yaml:1'),
        ("a: 1\nb:\n  c: [1, 2\nd: 3\n", "sweep.yaml:4: not YAML: "),
        ("a: 1\n\tb: 2\n", "sweep.yaml:2: not YAML: "),
        ("a: 1\n---\nb: 2\n", "sweep.yaml:2: not YAML: "),
        ("a: 1\nb: *unknown\n", "sweep.yaml:2: not YAML: found undefined alias"),
        ("a: 1\nb: .nan\n", "sweep.yaml:2: .nan is not a finite number"),
        ("a: 1\nb: -.inf\n", "sweep.yaml:2: -.inf is not a finite number"),
        ("a: 1\nb: 1e999\n", "sweep.yaml:2: 1e999 is not a finite number"),
        ("a: 1\nb: " + "9" * 5000, "sweep.yaml:2: 99999999999999999999 is not a finite number"),
        ("a: 1\nb: (50, 200)\n", "sweep.yaml:2: (50, 200): write a list as [1, 2]"),
        ("a: 1\nb: !!python/object/apply:os.getcwd []\n", "sweep.yaml:2: the tag tag:yaml.org,2002:python/object/"),
        ("a: 1\nb: !!python/name:os.system ''\n", "sweep.yaml:2: the tag tag:yaml.org,2002:python/name:os.system"),
        ("a: 1\nb: &b [1, *b]\n", "sweep.yaml:2: an alias to what it is itself a part of"),
        ("a: &a\n  b: *a\n", "an alias to what it is itself a part of"),
        ("a: 1\n? [1, 2]\n: 3\n", "sweep.yaml:2: a key must be a word"),
        ("a: 1\nb: \x07\n", "sweep.yaml:2: the character '\\x07' cannot be in YAML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_line_number(text, message):
    with pytest.raises(SpecificationError) as raised:
        parse(text)
    assert message in str(raised.value)
    assert str(raised.value).startswith("sweep.yaml:")
    assert "\n" not in str(raised.value)


def test_endless_nesting_is_refused():
    with pytest.raises(SpecificationError, match=r"^sweep\.yaml:1: nested too deeply$"):
        parse("- " * sys.getrecursionlimit())


def test_no_text_gives_anything_but_a_value_or_a_specification_error():
    fragments = ["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&x ", "*x", "!!map ", "'", '"', "#", "1e9", "?"]
    rng = random.Random(0)
    messages = []
    for _ in range(3000):
        try:
            parse("".join(rng.choices(fragments, k=rng.randint(1, 12)))).plain()
        except SpecificationError as error:
            messages.append(str(error))
    assert 100 < len(messages) < 2900
    assert not any("\n" in message for message in messages)
