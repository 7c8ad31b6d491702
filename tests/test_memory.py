import os
import resource

import numpy as np
import pytest

from rnnlab.config import check_config, default_config
from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.memory import GB, bounded_memory, check_memory, memory_limit
from rnnlab.tasks.dot_product import dot_product
from rnnlab.tasks.noisy_series import noisy_series


def error_for(**sections):
    with pytest.raises(ConfigError) as caught:
        check_config(default_config(dot_product, **sections), dot_product)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("sections", "key", "said"),
    [
        ({"model": {"n_hidden": 10_000_000}}, "model.n_hidden", "100,000,040,000,001 parameters"),
        ({"data": {"n_train": 10**12}}, "data.n_train", "1,000,000,001,500 sequences of 10 steps"),
        ({"data": {"n_test": 10**400}}, "data.n_test", "at least more than a million GB"),
        (
            {"task": {"n_steps": 100_000}, "model": {"n_hidden": 5_000}, "training": {"batch_size": 1000}},
            "training.batch_size",
            "2,000.0 GB of it for the hidden states of a minibatch over 100,000 steps",
        ),
    ],
)
def test_a_run_that_no_machine_can_hold_is_an_error_that_names_the_key_that_asks_for_most(sections, key, said):
    error = error_for(**sections)
    assert error.key == key
    assert str(error).startswith(f"{key} = ")
    assert said in str(error)


def test_a_sequence_that_cannot_be_made_is_an_error_too():
    assert "Unable to allocate" in str(error_for(task={"n_steps": 10**9}))


def test_what_is_needed_at_least_is_counted_to_the_byte(monkeypatch):
    config = default_config(
        noisy_series,
        dtype="float64",
        data={"n_train": 30, "n_valid": 20, "n_test": 10},
        model={"n_hidden": 3, "n_layers": 4, "initial_state": "mapped"},
        training={"optimizer": "adam", "batch_size": 50},
    )
    one = noisy_series(np.random.default_rng(0), 1, **config["task"])
    n_in, n_out, n_initial, n_steps = one.n_in, one.n_out, one.initial.shape[1], one.n_steps
    n_parameters = (n_in * 3 + 9 + 3 + n_initial * 3 + 3) + 3 * (9 + 9 + 3 + n_initial * 3 + 3) + 3 * n_out + n_out
    weights = n_parameters * 8 * 7  # as drawn, before and after an update, gradient, best ones, two for adam
    numbers = one.inputs.size + one.targets.size
    data = 60 * 8 * (numbers + one.initial.size + one.clean_targets.size) + 30 * 8 * numbers
    states = 8 * 30 * n_steps * 4 * 3  # the minibatch has no more sequences than there are
    needed = weights + data + states

    monkeypatch.setattr("rnnlab.memory.memory_limit", lambda: needed)
    check_memory(config, one)
    monkeypatch.setattr("rnnlab.memory.memory_limit", lambda: needed - 1)
    with pytest.raises(ConfigError, match=r"data\.n_train = 30: the run needs at least"):
        check_memory(config, one)


def test_the_limit_is_the_environments_or_else_that_of_the_machine(monkeypatch):
    monkeypatch.delenv("RNNLAB_MEMORY_GB", raising=False)
    assert 10**7 < memory_limit() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    monkeypatch.setenv("RNNLAB_MEMORY_GB", "0.0001")
    assert memory_limit() == 100_000
    assert "here it may take 0.0 GB (RNNLAB_MEMORY_GB sets that)" in str(error_for())
    for wrong in ("much", "0", "-1", "nan", "inf"):
        monkeypatch.setenv("RNNLAB_MEMORY_GB", wrong)
        with pytest.raises(RnnlabError, match=f"RNNLAB_MEMORY_GB = '{wrong}': must be a number of gigabytes above 0"):
            memory_limit()


def test_what_goes_beyond_a_bound_is_a_memory_error_and_the_bound_goes_with_the_block():
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), bounded_memory(GB // 2):
        np.zeros(GB // 8 + 1)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
