import json
import random
import subprocess
import sys

import numpy as np
import pytest

from rnnlab.errors import ConfigError
from rnnlab.variant_key import canonical_json, variant_key

CONFIG = {"seed": 0, "model": {"n_hidden": 20, "cell": "elman"}, "training": {"learning_rate": 0.01, "clip_norm": None}}


def test_a_key_is_16_hexadecimal_digits_of_the_sha256_of_the_canonical_json():
    """Value: `printf '["dot_product",{"model":{"n_hidden":20},"seed":0}]' | sha256sum`."""
    assert variant_key("dot_product", {"seed": 0, "model": {"n_hidden": 20}}) == "2d003e0cb42693bb"


def test_the_order_of_keys_does_not_matter_and_values_and_names_do():
    key = variant_key("dot_product", CONFIG)
    assert variant_key("dot_product", dict(reversed(CONFIG.items()))) == key
    assert variant_key("noisy_series", CONFIG) != key
    assert variant_key("dot_product", {**CONFIG, "seed": 1}) != key
    assert variant_key("dot_product", {**CONFIG, "extra": None}) != key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0, -0.0),
        (10**22, 1e22),
        (2, np.int64(2)),
        (0.1, np.float64(0.1)),
        (True, np.bool_(True)),
        ((50, 200), [50, 200]),
        ([1, 2], np.array([1.0, 2.0])),
        (float("nan"), None),
        (float("inf"), None),
        ({1: "a"}, {"1": "a"}),
    ],
)
def test_values_that_mean_the_same_have_one_form(one, other):
    assert canonical_json({"a": [one]}) == canonical_json({"a": [other]})


def test_values_that_differ_have_different_forms():
    values = [None, True, False, 0, 1, "1", "true", "null", "", 0.1, 0.1 + 2**-56, 2**53, 2**53 + 1, [], [1], [[1]], {}]
    values += [[1, 2], [2, 1], {"a": 1}, {"a": {"b": 1}}, {"a.b": 1}, -1, 1e-300, 1e300]
    assert len({canonical_json(value) for value in values}) == len(values)


def test_a_config_keeps_its_key_through_json():
    rng = random.Random(0)
    for _ in range(300):
        config = _random_config(rng, depth=3)
        stored = json.loads(json.dumps(config))
        assert canonical_json(stored) == canonical_json(config)
        assert canonical_json(json.loads(canonical_json(config))) == canonical_json(config)


def _random_config(rng, depth):
    leaves = [
        None,
        True,
        rng.randint(-(10**6), 10**6),
        rng.gauss(0, 10 ** rng.randint(-8, 8)),
        float(rng.randint(0, 9)),
        rng.choice(["elman", "\u00e9", 'a"b']),
        (1, rng.random()),
    ]
    names = rng.sample(["a", "b", "c", "W_hh", "n_hidden"], rng.randint(0, 5))
    return {
        name: _random_config(rng, depth - 1) if depth and rng.random() < 0.4 else rng.choice(leaves) for name in names
    }


def test_a_key_is_the_same_in_another_process():
    program = f"from rnnlab.variant_key import variant_key; print(variant_key('dot_product', {CONFIG!r}))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == variant_key("dot_product", CONFIG)


def test_a_value_that_no_store_can_keep_is_refused_by_its_key():
    with pytest.raises(ConfigError, match=r"^model\.cell = <object .*>: a object cannot be stored") as raised:
        canonical_json({"model": {"cell": object()}})
    assert raised.value.key == "model.cell"
