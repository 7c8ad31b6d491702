import math
import random
import textwrap
from pathlib import Path

import pytest

from rnnlab.config import check_config, default_config, merge_config
from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.sweep.expansion import expand, n_combinations, nest
from rnnlab.sweep.located_yaml import SpecificationError
from rnnlab.sweep.options import specification_from_options
from rnnlab.sweep.specification import parse_specification, read_specification
from rnnlab.tasks.dot_product import dot_product
from rnnlab.variant_key import variant_key

NAMED_CONFIGS = {"wide": {"model": {"n_hidden": 100}}, "slow": {"training": {"learning_rate": 0.001}}}


def resolve(script, named_configs, updates):
    """Resolve as an experiment would, its name being that of its script."""
    if script.name == "broken.py":
        raise RnnlabError("broken.py cannot be imported: SyntaxError")
    config = default_config(dot_product)
    for name in named_configs:
        if name not in NAMED_CONFIGS:
            raise ConfigError(name, f"unknown named config {name}: known are wide, slow")
        config = merge_config(config, NAMED_CONFIGS[name])
    config = merge_config(config, updates)
    check_config(config, dot_product)
    return script.stem, config


@pytest.fixture
def parse(tmp_path):
    for name in ("dot.py", "other.py", "broken.py"):
        (tmp_path / name).write_text("")
    return lambda text: parse_specification(textwrap.dedent(text).lstrip("\n"), "sweep.yaml", (tmp_path,))


def test_the_grid_goes_in_the_given_order_with_seeds_innermost_and_blocks_in_order(parse):
    specification = parse("""
        - experiment: other.py
          seeds: [7]
        - experiment: dot.py
          fixed: {data.n_train: 50}
          grid: {model.n_hidden: [20, 5], model.activation: [tanh, relu]}
          seeds: 2
    """)
    first, *rest = expand(specification, resolve)
    assert (first.experiment, first.updates) == ("other", {"seed": 7})
    assert [(v.config["model"]["n_hidden"], v.config["model"]["activation"], v.config["seed"]) for v in rest] == [
        (n, g, seed) for n in (20, 5) for g in ("tanh", "relu") for seed in (0, 1)
    ]
    assert {v.config["data"]["n_train"] for v in rest} == {50}


def test_a_variant_carries_all_that_a_run_needs(parse, tmp_path):
    (variant,) = expand(parse("experiment: dot.py\nwith: [slow, wide]\nfixed: {training.momentum: 0.5}\n"), resolve)
    assert variant.experiment == "dot"
    assert variant.script == (tmp_path / "dot.py").resolve()
    assert variant.named_configs == ("slow", "wide")
    assert variant.updates == {"training": {"momentum": 0.5}}
    assert variant.config == default_config(
        dot_product, model={"n_hidden": 100}, training={"learning_rate": 0.001, "momentum": 0.5}
    )
    assert variant.key == variant_key("dot", variant.config)


def test_zip_couples_its_parameters(parse):
    variants = expand(
        parse("""
            experiment: dot.py
            zip: {training.optimizer: [sgd, adam], training.learning_rate: [0.1, 0.001]}
            seeds: 2
        """),
        resolve,
    )
    assert [(v.config["training"]["optimizer"], v.config["training"]["learning_rate"]) for v in variants] == [
        ("sgd", 0.1),
        ("sgd", 0.1),
        ("adam", 0.001),
        ("adam", 0.001),
    ]


def test_every_grid_point_meets_the_same_random_points(parse):
    variants = expand(
        parse("""
            experiment: dot.py
            grid: {model.n_hidden: [5, 20]}
            random:
              n: 6
              parameters:
                training.learning_rate: {loguniform: [1e-4, 1e-1]}
                training.momentum: {uniform: [0, 0.9]}
        """),
        resolve,
    )
    points = [(v.config["training"]["learning_rate"], v.config["training"]["momentum"]) for v in variants]
    assert len(set(points)) == 6
    assert points[:6] == points[6:]


def test_duplicates_collapse_to_the_first_by_what_they_resolve_to(parse):
    specification = parse("""
        - experiment: dot.py
          grid: {model.n_hidden: [100, 20, 100], training.learning_rate: [1, 1.0]}
        - experiment: dot.py
          with: wide
          fixed: {training.learning_rate: 1.0}
        - experiment: other.py
          with: wide
          fixed: {training.learning_rate: 1.0}
    """)
    variants = expand(specification, resolve)
    assert n_combinations(specification) == 8
    assert [(v.experiment, v.config["model"]["n_hidden"], v.named_configs) for v in variants] == [
        ("dot", 100, ()),
        ("dot", 20, ()),
        ("other", 100, ("wide",)),
    ]


def test_without_duplicates_there_are_as_many_variants_as_combinations(parse):
    keys = ["data.n_train", "data.n_valid", "data.n_test", "model.n_hidden", "model.n_nonzero", "training.batch_size"]
    rng = random.Random(0)
    for _ in range(40):
        chosen = rng.sample(keys, 4)
        sizes = [rng.randint(1, 3) for _ in chosen]
        values = [rng.sample(range(1, 50), size) for size in sizes]
        n_points, n_seeds = rng.randint(1, 3), rng.randint(1, 3)
        specification = parse(f"""
            experiment: dot.py
            grid: {{{chosen[0]}: {values[0]}, {chosen[1]}: {values[1]}}}
            zip: {{{chosen[2]}: {values[2]}, {chosen[3]}: {rng.sample(range(1, 50), sizes[2])}}}
            random: {{n: {n_points}, parameters: {{training.momentum: {{uniform: [0, 0.9]}}}}}}
            seeds: {n_seeds}
        """)
        variants = expand(specification, resolve)
        assert len(variants) == math.prod(sizes[:3]) * n_points * n_seeds == n_combinations(specification)
        assert len({v.key for v in variants}) == len(variants)


def test_expansion_is_a_function_of_the_specification_alone(parse):
    text = "experiment: dot.py\nrandom: {n: 3, parameters: {training.momentum: {uniform: [0, 0.9]}}}\nseeds: 2\n"
    assert expand(parse(text), resolve) == expand(parse(text), resolve)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "grid:\n  model.n_hiden: [5]",
            "sweep.yaml:3: unknown config key model.n_hiden: did you mean model.n_hidden?",
        ),
        (
            "grid:\n  model:\n    n_hidden: [5, 0]",
            "sweep.yaml:4: model.n_hidden = 0: must be a whole number of at least 1",
        ),
        ("fixed: {dtype: float16}", "sweep.yaml:2: dtype = 'float16': must be one of 'float32', 'float64'"),
        ("zip:\n  training.clip_norm: [1, big]", "sweep.yaml:3: training.clip_norm = 'big': must be None or a number"),
        (
            "random:\n  n: 3\n  parameters:\n    training.momentum: {choice: [2]}",
            "sweep.yaml:5: training.momentum = 2: must be a number of at least 0 and below 1",
        ),
        ("with: [wide, slwo]", "sweep.yaml:2: unknown named config slwo: known are wide, slow"),
        ("fixed: {model: 5}", "sweep.yaml:2: model = 5: this is a section, not a value"),
        ("fixed:\n  seed.first: 5", "sweep.yaml:3: seed = {'first': 5}: must be a whole number"),
        (
            "seeds: 1\nfixed:\n  training.max_epochs: 20_000",
            "sweep.yaml:1: training.validate_every = None makes 20,000 validations; at most 10,000 can be logged: "
            "validate less often (training.log_updates keeps every update) "
            "(in the variant with training.max_epochs=20000, seed=0)",
        ),
    ],
)
def test_a_config_that_cannot_run_is_refused_at_the_line_that_sets_it(parse, text, message):
    specification = parse(f"experiment: dot.py\n{text}\n")
    with pytest.raises(SpecificationError) as raised:
        expand(specification, resolve)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_an_error_about_a_section_has_the_line_of_its_first_key_and_says_in_which_variant(parse):
    specification = parse("experiment: dot.py\nfixed:\n  seed: 3\ngrid:\n  task.n_steps: [5, -5]\n")
    with pytest.raises(SpecificationError) as raised:
        expand(specification, resolve)
    assert str(raised.value).startswith("sweep.yaml:5: config section task")
    assert str(raised.value).endswith("(in the variant with seed=3, task.n_steps=-5)")


def test_a_script_that_cannot_be_used_is_refused_at_the_line_that_names_it(parse):
    specification = parse("- experiment: dot.py\n- seeds: 2\n  experiment: broken.py\n")
    with pytest.raises(SpecificationError, match=r"^sweep\.yaml:3: broken\.py cannot be imported: SyntaxError$"):
        expand(specification, resolve)


def test_an_error_in_the_last_variant_of_the_last_block_is_found_before_anything_is_returned(parse):
    specification = parse("- experiment: dot.py\n  seeds: 3\n- experiment: dot.py\n  grid:\n    seed: [0, 1, -1]\n")
    with pytest.raises(SpecificationError, match=r"^sweep\.yaml:5: seed = -1: must be a whole number"):
        expand(specification, resolve)


def test_an_option_that_sets_what_cannot_run_is_named(tmp_path):
    (tmp_path / "dot.py").write_text("")
    specification = specification_from_options("dot.py", grid=["model.n_hidden=5,none"], directory=tmp_path)
    with pytest.raises(SpecificationError, match=r"^--grid model\.n_hidden: model\.n_hidden = 'none': must be a whole"):
        expand(specification, resolve)


def test_nest_joins_dotted_keys_in_sections():
    settings = {"seed": 1, "model.n_hidden": 5, "training.l1.W_hh": 0.1, "model.cell": "lstm", "training.l1.W_hy": 0.2}
    assert nest(settings) == {
        "seed": 1,
        "model": {"n_hidden": 5, "cell": "lstm"},
        "training": {"l1": {"W_hh": 0.1, "W_hy": 0.2}},
    }


@pytest.mark.parametrize(("name", "n_variants"), [("dot_product_widths", 9), ("dot_product_search", 162)])
def test_the_shipped_specifications_expand_to_configs_that_can_run(name, n_variants):
    path = Path(__file__).parents[2] / "experiments" / "sweeps" / f"{name}.yaml"
    assert len(expand(read_specification(path), resolve)) == n_variants
