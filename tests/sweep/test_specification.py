import textwrap
from pathlib import Path

import pytest

from rnnlab.sweep.located_yaml import SpecificationError
from rnnlab.sweep.random_search import Distribution, RandomSearch
from rnnlab.sweep.specification import parse_specification, read_specification


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "dot.py").write_text("")
    return tmp_path


@pytest.fixture
def parse(directory):
    return lambda text: parse_specification(textwrap.dedent(text).lstrip("\n"), "sweep.yaml", (directory,))


FULL = """
    experiment: dot.py
    with: [quick, wide]
    fixed: {training.max_epochs: 20, task.n_steps: [5, 10]}
    grid:
      model.n_hidden: [10, 20]
      model.activation: [tanh, sigmoid]
    zip:
      training.optimizer: [sgd, adam]
      training.learning_rate: [0.1, 1e-3]
    random:
      n: 20
      seed: 7
      parameters:
        training.l2.W_hh: {loguniform: [1e-6, 1e-2]}
        training.batch_size: {integers: [1, 50]}
        model.cell: {choice: [elman, null]}
    seeds: 3
"""


def test_every_part_of_a_block_is_read(parse, directory):
    (block,) = parse(FULL)
    assert block.script == (directory / "dot.py").resolve()
    assert block.named_configs == ("quick", "wide")
    assert block.fixed == {"training.max_epochs": 20, "task.n_steps": [5, 10]}
    assert block.grid == {"model.n_hidden": [10, 20], "model.activation": ["tanh", "sigmoid"]}
    assert block.zipped == {"training.optimizer": ["sgd", "adam"], "training.learning_rate": [0.1, 1e-3]}
    assert block.random == RandomSearch(
        n=20,
        seed=7,
        parameters={
            "training.l2.W_hh": Distribution("loguniform", (1e-6, 1e-2)),
            "training.batch_size": Distribution("integers", (1, 50)),
            "model.cell": Distribution("choice", ("elman", None)),
        },
    )
    assert block.seeds == (0, 1, 2)


def test_config_keys_may_be_nested_or_dotted(parse):
    dotted, nested = parse("""
        - experiment: dot.py
          fixed: {training.l2.W_hh: 0.1}
          grid: {model.n_hidden: [1, 2], model.cell: [elman]}
          random: {n: 2, parameters: {training.learning_rate: {uniform: [0, 1]}}}
        - experiment: dot.py
          fixed: {training: {l2: {W_hh: 0.1}}}
          grid: {model: {n_hidden: [1, 2], cell: [elman]}}
          random: {n: 2, parameters: {training: {learning_rate: {uniform: [0, 1]}}}}
    """)
    assert (dotted.fixed, dotted.grid, dotted.random) == (nested.fixed, nested.grid, nested.random)


def test_only_the_experiment_must_be_there_and_empty_parts_count_as_left_out(parse):
    assert [block.fixed for block in parse("experiment: dot.py\n")] == [{}]
    (block,) = parse("experiment: dot.py\nwith:\nfixed:\ngrid:\nzip:\n")
    assert (block.named_configs, block.fixed, block.grid, block.zipped) == ((), {}, {}, {})
    assert block.seeds is None


def test_one_named_config_needs_no_list_and_seeds_may_be_listed(parse):
    (block,) = parse("experiment: dot.py\nwith: quick\nseeds: [4, 0]\n")
    assert block.named_configs == ("quick",)
    assert block.seeds == (4, 0)


def test_a_script_is_looked_for_beside_the_file_and_then_in_the_current_directory(tmp_path, monkeypatch):
    for folder in ("sweeps", "here"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "both.py").write_text("")
    (tmp_path / "here" / "mine.py").write_text("")
    path = tmp_path / "sweeps" / "sweep.yaml"
    path.write_text("- experiment: both.py\n- experiment: mine.py\n")
    monkeypatch.chdir(tmp_path / "here")
    assert [block.script for block in read_specification(path)] == [
        (tmp_path / "sweeps" / "both.py").resolve(),
        (tmp_path / "here" / "mine.py").resolve(),
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"experiment: \xff\n")
    for name, message in [("nowhere.yaml", "No such file"), ("", "Is a directory"), ("latin.yaml", "no text in UTF-8")]:
        with pytest.raises(SpecificationError) as raised:
            read_specification(tmp_path / name)
        assert str(raised.value).startswith(f"{tmp_path / name}: ")
        assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gird: {seed: [1]}", 'sweep.yaml:2: unknown key "gird"; did you mean "grid"?'),
        ("qqq: 1", 'sweep.yaml:2: unknown key "qqq"; known are experiment, with, fixed, grid, zip, random, seeds'),
        ("seeds: 0", 'sweep.yaml:2: "seeds" is 0: must be a whole number of at least 1'),
        ("seeds: true", 'sweep.yaml:2: "seeds" is True: must be a whole number of at least 1'),
        ("seeds: [1,\n  two]", "sweep.yaml:3: a seed is 'two': must be a whole number from 0 to 4294967295"),
        ("seeds: []", 'sweep.yaml:2: "seeds" is empty'),
        ("seeds:", 'sweep.yaml:2: "seeds" is empty'),
        ("seeds: {n: 3}", "sweep.yaml:2: \"seeds\" is {'n': 3}: must be a whole number"),
        ("with: [quick, 3]", 'sweep.yaml:2: "with" has 3: must be names of named configs'),
        ("fixed: [1, 2]", 'sweep.yaml:2: "fixed" must be a mapping from config keys'),
        ("fixed:\n  model..n_hidden: 1", 'sweep.yaml:3: "model..n_hidden" is no config key'),
        ("fixed:\n  model: {}", "sweep.yaml:3: model is empty"),
        ("fixed:\n  a: [{b: 1}]", "sweep.yaml:3: a has a mapping among its values"),
        ("grid:\n  seed: 3", "sweep.yaml:3: seed = 3: must be a list of values; one goes in fixed"),
        ("grid:\n  seed: []", "sweep.yaml:3: seed has no values"),
        ("zip:\n  a: [1, 2]\n  b: [1]", "sweep.yaml:4: zip couples a with 2 values to b with 1: must be equally many"),
        ("fixed: {a: 1}\ngrid:\n  a: [1]", "sweep.yaml:4: a is set twice in one block; first at sweep.yaml:2"),
        ("fixed:\n  m: {n: 1}\n  m.n: 2", "sweep.yaml:4: m.n is set twice in one block; first at sweep.yaml:3"),
        ("fixed:\n  m: 1\n  m.n: 2", "sweep.yaml:4: m.n is set twice in one block; first as m at sweep.yaml:3"),
        ("fixed:\n  m.n: 1\n  m: 2", "sweep.yaml:4: m is set twice in one block; first as m.n at sweep.yaml:3"),
        ("grid: {seed: [1]}\nseeds: 2", "sweep.yaml:3: seed is set twice in one block; first at sweep.yaml:2"),
        ("random: 5", 'sweep.yaml:2: "random" must be a mapping with some of the keys n, seed, parameters'),
        ("random: {n: 5}", 'sweep.yaml:2: "random" has no parameters'),
        ("random: {parameters: {a: {uniform: [0, 1]}}}", 'sweep.yaml:2: the key "n" is missing in "random"'),
        ("random:\n  n: 0\n  parameters: {a: {uniform: [0, 1]}}", 'sweep.yaml:3: "n" is 0: must be a whole number'),
        ("random:\n  n: 5\n  seeds: 1", 'sweep.yaml:4: unknown key "seeds"; did you mean "seed"?'),
    ],
)
def test_what_is_wrong_in_a_block_is_said_in_one_line_with_its_line_number(parse, text, message):
    with pytest.raises(SpecificationError) as raised:
        parse(f"experiment: dot.py\n{text}\n")
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("distribution", "message"),
    [
        ("{loguniforn: [1, 2]}", 'a.b: unknown distribution "loguniforn"; did you mean "loguniform"?'),
        ("0.1", "a.b = 0.1: must be such as {loguniform: [1e-4, 1e-1]}"),
        ("{uniform: [0, 1], choice: [1]}", "a.b has uniform and choice: must have one distribution"),
        ("{uniform: [1, 0]}", "a.b: uniform [1, 0]: must be [low, high] with low below high"),
        ("{uniform: [0, 1, 2]}", "a.b: uniform [0, 1, 2]: must be [low, high], two numbers"),
        ("{uniform: [0, true]}", "a.b: uniform [0, True]: must be [low, high], two numbers"),
        ("{uniform: 1}", "a.b: uniform 1: must be [low, high], two numbers"),
        ("{loguniform: [0, 1]}", "a.b: loguniform [0, 1]: must be [low, high] with low above 0"),
        ("{integers: [0, 1.5]}", "a.b: integers [0, 1.5]: must be [low, high], two whole numbers"),
        ("{integers: [0, 9223372036854775808]}", "a.b: integers [0, 9223372036854775808]: must be [low, high] within"),
        ("{choice: []}", "a.b: choice []: must be a list of at least one value"),
        ("{choice: x}", "a.b: choice 'x': must be a list of at least one value"),
        ("{choice: [{c: 1}]}", "a.b has a mapping among its values"),
    ],
)
def test_a_wrong_distribution_is_named_with_its_line(parse, distribution, message):
    with pytest.raises(SpecificationError) as raised:
        parse(f"experiment: dot.py\nrandom:\n  n: 3\n  parameters:\n    a.b: {distribution}\n")
    assert str(raised.value).startswith(f"sweep.yaml:5: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "sweep.yaml: empty"),
        ("# nothing\n", "sweep.yaml: empty"),
        ("[]", "sweep.yaml: empty"),
        ("seeds: 3", 'sweep.yaml:1: the key "experiment" is missing'),
        ("3", "sweep.yaml:1: a block must be a mapping with some of the keys experiment, with,"),
        ("- experiment: dot.py\n- dot.py", "sweep.yaml:2: a block must be a mapping"),
        ("experiment: 3", 'sweep.yaml:1: "experiment" is 3: must be the path of a script'),
        ("seeds: 3\nexperiment: dto.py", 'sweep.yaml:2: there is no experiment script "dto.py" in '),
        ("experiment: .", 'sweep.yaml:1: there is no experiment script "." in '),
    ],
)
def test_a_specification_without_a_usable_experiment_is_refused(parse, text, message):
    with pytest.raises(SpecificationError) as raised:
        parse(text)
    assert str(raised.value).startswith(message)


def test_an_error_in_a_later_block_has_its_own_line(parse):
    with pytest.raises(SpecificationError, match=r"^sweep.yaml:5: seed has no values"):
        parse("- experiment: dot.py\n  grid: {seed: [1]}\n- experiment: dot.py\n  grid:\n    seed: []\n")


def test_the_shipped_specifications_are_good_and_find_their_script():
    sweeps = Path(__file__).parents[2] / "experiments" / "sweeps"
    paths = sorted(sweeps.glob("*.yaml"))
    assert paths
    for path in paths:
        assert {block.script for block in read_specification(path)} <= set(sweeps.resolve().parent.glob("*.py"))
