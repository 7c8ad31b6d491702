import json
import os

import numpy as np
import pytest

from rnnlab.store.copying import run_uid


def test_a_run_is_shown_with_all_there_is(rnnlab, train, address, tracked_store):
    train(20, 3)
    ended = rnnlab("show", "1", "--store", address)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"run 1 of dot_product in {address}: COMPLETED\nstarted ")
    for words in (
        "patience ran out",
        "no validation loss below 0.1 in 3",
        "5 improvements of the validation loss, the last ones to 0.413 in epoch 2,",
        "model.n_hidden  20",
        "valid.loss       5        400  0.1826  1.053  0.1826",
        "weights.npz",
        "threads: 1",
        f"numpy {np.__version__}",
        f"uid: {run_uid(tracked_store.store.get(1))}",
        "output\n  training 20 units\n",
        "make it again\n  python experiments/dot_product.py with ",
    ):
        assert words in ended.out, words
    assert "traceback" not in ended.out
    assert "training 20 units" not in rnnlab("show", "1", "--store", address, "--output", "0").out


def test_what_was_set_by_hand_is_marked_and_comes_first(rnnlab, tracked_store, address):
    from sacred import Experiment

    experiment = Experiment("small", save_git_info=False)
    experiment.add_config({"a": 1, "model": {"n_hidden": 5, "cell": "elman"}, "seed": 0})
    experiment.add_named_config("big", {"a": 100})
    experiment.main(lambda: None)
    experiment.observers.append(tracked_store.observer())
    options = {"--loglevel": "CRITICAL", "--capture": "sys"}
    experiment.run(config_updates={"model": {"n_hidden": 7}}, named_configs=["big"], options=options)
    out = rnnlab("show", "1", "--store", address).out
    assert "config, with big, * set by hand\n* model.n_hidden  7\n" in out
    assert "\n  a               100\n" in out
    facts = json.loads(rnnlab("show", "1", "--store", address, "--json").out)
    assert (facts["set_by_hand"], facts["named_configs"]) == (["model.n_hidden"], ["big"])
    assert facts["command"].endswith("with big model.n_hidden=7 seed=0")


def test_a_failed_run_shows_its_traceback(rnnlab, fail, address):
    fail("no \x1b[31mluck")
    out = rnnlab("show", "1", "--store", address).out
    assert "FAILED" in out
    assert "\ntraceback\n  Traceback (most recent call last):\n" in out
    assert r"RuntimeError: no \x1b[31mluck" in out
    assert "\x1b" not in out


def test_a_resumed_run_says_from_where_it_went_on(rnnlab, tracked_store, track, address):
    def main(_run, _config):
        _run.info["resumed_from"] = {"run_id": "1", "update": 26200} if _config["seed"] else "[somewhere]"

    for seed in (0, 1):
        track(tracked_store.observer(), main, {"seed": seed})
    assert "\ngoes on from run [somewhere]\n" in rnnlab("show", "1", "--store", address).out
    assert "\ngoes on from run 1 at update 26,200\n" in rnnlab("show", "2", "--store", address).out


def test_json_holds_the_curves_and_no_bare_nan(rnnlab, tracked_store, track, address):
    def main(_run):
        for step, value in enumerate([1.0, float("nan")]):
            _run.log_scalar("valid.loss", value, step)

    track(tracked_store.observer(), main)
    out = rnnlab("show", "1", "--store", address, "--json").out
    facts = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert facts["curves"] == {"valid.loss": {"steps": [0, 1], "values": [1.0, None]}}
    assert facts["status"] == "COMPLETED"


def test_the_beginning_of_an_id_is_enough_where_only_one_run_has_it(rnnlab, train, address):
    for _ in range(11):
        train()
    assert rnnlab("show", "2", "--store", address).out.startswith("run 2 of")
    assert rnnlab("show", "11", "--store", address).out.startswith("run 11 of")
    ended = rnnlab("show", "12", "--store", address)
    assert (ended.code, ended.out, ended.err) == (1, "", f"error: no run '12' in {address}\n")


def test_an_ambiguous_beginning_names_the_runs(rnnlab, track, tracked_store, address):
    for name in ("1-a", "1-b"):
        track(tracked_store.observer(), options={"--id": name})
    ended = rnnlab("show", "1", "--store", address)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: run '1' is not one run in {address}: it may be 1-a, 1-b\n"


@pytest.mark.parametrize("tracked_store", ["files"], indirect=True)
def test_a_damaged_run_says_why(rnnlab, train, address):
    train()
    path = os.path.join(address, "1", "config.json")
    with open(path, "w") as file:
        file.write("{")
    os.utime(path, (1, 1))
    ended = rnnlab("show", "1", "--store", address)
    assert (ended.code, "damaged: config.json is damaged: " in ended.out) == (0, True)
    assert json.loads(rnnlab("show", "1", "--store", address, "--json").out)["status"] == "DAMAGED"
