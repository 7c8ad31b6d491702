from pathlib import Path

from rnnlab.sweep.expansion import nest
from rnnlab.sweep.labels import briefly, own_settings, short_names, varying_settings
from rnnlab.sweep.variant import Variant


def variant(updates, named_configs=(), experiment="sums", **config):
    key = f"{experiment} {named_configs} {updates}"
    return Variant(experiment, Path("sums.py"), named_configs, nest(updates), nest({**updates, **config}), key)


def words(variants):
    return [briefly(settings) for settings in own_settings(variants).values()]


def test_what_a_named_config_sets_is_told_by_its_name():
    plain = [variant({"model.n_hidden": n, "seed": 0}, **{"training.max_epochs": 20}) for n in (5, 10)]
    post = [variant({"training.l2.W_hh": 0.1, "seed": n}, ("post",), **{"training.max_epochs": 500}) for n in (0, 7)]
    assert words(plain + post) == ["n_hidden=5", "n_hidden=10", "with=post, seed=0", "with=post, seed=7"]
    assert "training.max_epochs" in varying_settings(plain + post)[plain[0].key]


def test_variants_of_several_experiments_are_told_apart_by_its_name():
    assert words([variant({"seed": 0}), variant({"seed": 0}, experiment="products")]) == [
        "experiment=sums",
        "experiment=products",
    ]


def test_variants_that_what_they_set_does_not_tell_apart_show_the_configs_that_differ():
    one = variant({"model.n_hidden": 5}, **{"training.max_epochs": 20})
    other = variant({"model.n_hidden": 5, "training.max_epochs": 30})
    assert words([one, other]) == ["max_epochs=20", "max_epochs=30"]


def test_a_name_loses_its_section_unless_that_tells_it_from_another():
    names = ["seed", "data.seed", "training.l2.W_hh", "model.n_hidden"]
    assert list(short_names(names).values()) == ["seed", "data.seed", "l2.W_hh", "n_hidden"]
