from collections import Counter
from pathlib import Path

import pytest

from rnnlab.config import default_config, merge_config
from rnnlab.sweep.hand_out import VariantQueue
from rnnlab.sweep.structure import structure
from rnnlab.sweep.variant import Variant
from rnnlab.tasks.dot_product import dot_product
from rnnlab.variant_key import variant_key

DEFAULTS = default_config(dot_product)


def variant(n_hidden, seed):
    config = merge_config(DEFAULTS, {"model": {"n_hidden": n_hidden}, "seed": seed})
    return Variant("dot", Path("dot.py"), (), {}, config, variant_key("dot", config))


def width(variant):
    return variant.config["model"]["n_hidden"]


def hand_out_in_turn(queue, workers):
    """What each worker gets if all take one after another."""
    given = {worker: [] for worker in workers}
    while queue:
        for worker in workers:
            if (one := queue.next_for(worker)) is not None:
                given[worker].append(one)
    return given


def test_each_worker_stays_with_what_is_compiled_for_it():
    queue = VariantQueue(variant(n_hidden, seed) for seed in range(4) for n_hidden in (5, 10))
    given = hand_out_in_turn(queue, "ab")
    assert {worker: {width(one) for one in got} for worker, got in given.items()} == {"a": {5}, "b": {10}}
    assert [one.config["seed"] for one in given["a"]] == [0, 1, 2, 3]


def test_all_workers_are_used_even_with_one_structure_only():
    given = hand_out_in_turn(VariantQueue(variant(5, seed) for seed in range(9)), "abc")
    assert {worker: len(got) for worker, got in given.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_worker_whose_group_is_empty_helps_with_the_largest():
    queue = VariantQueue(
        [variant(5, 0), *(variant(10, seed) for seed in range(6)), *(variant(20, s) for s in range(3))]
    )
    assert width(queue.next_for("a")) == 10
    # Five of the largest are left, but one worker is there already.
    assert width(queue.next_for("b")) == 20
    assert [width(queue.next_for("b")) for _ in range(3)] == [20, 20, 10]


def test_nothing_is_lost_and_nothing_given_twice():
    variants = [variant(n_hidden, seed) for seed in range(5) for n_hidden in (5, 10, 20)]
    queue = VariantQueue(variants)
    first = queue.next_for("a")
    queue.put_back(first)
    given = hand_out_in_turn(queue, "ab")
    assert Counter(one.key for got in given.values() for one in got) == Counter(one.key for one in variants)
    assert queue.next_for("a") is None


@pytest.mark.parametrize(
    "updates",
    [
        {"seed": 7, "data": {"seed": 3}},
        {"training": {"learning_rate": 0.5, "momentum": 0.1, "max_epochs": 3}},
        {"model": {"initializer": "sparse", "recurrent_scale": 2.0}},
        {"early_stopping": {"patience": 3}},
        {"checkpoint": {"every_seconds": 1.0}},
    ],
)
def test_values_are_no_structure(updates):
    assert structure("dot", merge_config(DEFAULTS, updates)) == structure("dot", DEFAULTS)


@pytest.mark.parametrize(
    "updates",
    [
        {"model": {"n_hidden": 21}},
        {"model": {"cell": "lstm"}},
        {"dtype": "float64"},
        {"training": {"batch_size": 7}},
        {"training": {"optimizer": "adam"}},
        {"training": {"clip_norm": 1.0}},
        {"training": {"l1": {"W_hh": 0.1}}},
        {"data": {"n_train": 999}},
        {"task": {"n_steps": 11}},
    ],
)
def test_what_is_compiled_anew_is_structure(updates):
    assert structure("dot", merge_config(DEFAULTS, updates)) != structure("dot", DEFAULTS)


def test_how_strong_a_penalty_or_a_clip_is_is_no_structure():
    one, other = (
        merge_config(DEFAULTS, {"training": {"clip_norm": clip, "l2": {"W_hh": l2}}})
        for clip, l2 in ((1.0, 0.1), (2.0, 0.2))
    )
    assert structure("dot", one) == structure("dot", other)
