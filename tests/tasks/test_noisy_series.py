import os
import subprocess
import sys

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.random_streams import stream
from rnnlab.tasks import noisy_series as module
from rnnlab.tasks.noisy_series import make_system, noisy_series, run_system
from rnnlab.tasks.oscillators import simulate
from rnnlab.tasks.smooth_inputs import draw_amplitudes, evaluate

DEFAULTS = {
    "n_in": 2,
    "n_out": 16,
    "n_oscillators": 4,
    "damping": 0.3,
    "coupling": 0.5,
    "nonlinearity": 2.0,
    "input_timescale": 1.5,
    "dt": 0.5,
    "system_seed": 0,
}


def sequences(name, n_sequences, **arguments):
    return noisy_series(stream(0, name), n_sequences, **arguments)


def linear_errors(train, test, steps):
    """Noise-free squared error at each of `steps` of ridge regression on inputs so far and initial condition."""

    def features(data, step):
        window = data.inputs[:, : step + 1].reshape(data.n_sequences, -1)
        return np.concatenate([window, data.initial, np.ones((data.n_sequences, 1))], axis=1)

    errors = []
    for step in steps:
        A = features(train, step)
        W = np.linalg.solve(A.T @ A + 10.0 * np.eye(A.shape[1]), A.T @ train.targets[:, step])
        errors.append(((features(test, step) @ W - test.clean_targets[:, step]) ** 2).mean())
    return np.array(errors)


def outputs_from(system, amplitudes, states, n_steps):
    """The clean outputs of a system that is put into the given states at time 0."""
    substeps = 4
    times = np.arange(2 * substeps * n_steps + 1) * system.dt / (2 * substeps)
    x, v = np.split(states * system.state_std, 2, axis=1)
    drive = evaluate(amplitudes, system.frequencies, times)
    x, v = simulate(system.oscillators, x, v, drive, system.dt, substeps)
    return (np.concatenate([x, v], axis=2).swapaxes(0, 1) / system.state_std) @ system.mixing


def test_shapes_are_as_documented():
    data = sequences("data.train", 7, n_steps=9, n_in=3, n_out=5, n_oscillators=2)
    assert data.inputs.shape == (7, 9, 3)
    assert data.targets.shape == data.clean_targets.shape == (7, 9, 5)
    assert data.initial.shape == (7, 4)
    assert data.mask is None


def test_defaults_observe_sixteen_outputs_for_fifty_steps():
    data = sequences("data.train", 2)
    assert data.inputs.shape == (2, 50, 2)
    assert data.targets.shape == (2, 50, 16)


def test_outputs_and_initial_condition_have_unit_variance_at_all_times():
    data = sequences("data.train", 2000, n_steps=60, noise_std=0.0)
    np.testing.assert_allclose(data.clean_targets.std(axis=(0, 2)), 1.0, atol=0.06)
    np.testing.assert_allclose(data.clean_targets.std(axis=(0, 1)), 1.0, atol=0.1)
    np.testing.assert_allclose(data.initial.std(axis=0), 1.0, atol=0.1)


def test_noise_on_targets_and_initial_condition_has_the_deviation_asked_for():
    clean, noisy = (sequences("data.train", 800, noise_std=noise_std) for noise_std in (0.0, 0.3))
    np.testing.assert_array_equal(noisy.clean_targets, clean.targets)
    np.testing.assert_array_equal(noisy.inputs, clean.inputs)
    np.testing.assert_allclose((noisy.targets - clean.targets).std(axis=(0, 1)), 0.3, rtol=0.03)
    np.testing.assert_allclose((noisy.initial - clean.initial).std(axis=0), 0.3, rtol=0.1)
    noise = (noisy.targets - clean.targets).reshape(-1, 16)
    assert np.abs(np.corrcoef(noise.T) - np.eye(16)).max() < 0.03


def test_the_initial_condition_is_the_state_from_which_the_targets_follow():
    system = make_system(**DEFAULTS)
    amplitudes = draw_amplitudes(np.random.default_rng(0), 20, 2, len(system.frequencies))
    inputs, initial, states = run_system(system, amplitudes, 30)
    np.testing.assert_allclose(outputs_from(system, amplitudes, initial, 30), states @ system.mixing, atol=1e-8)
    at_steps = evaluate(amplitudes, system.frequencies, system.dt * np.arange(1, 31)).swapaxes(0, 1)
    np.testing.assert_allclose(inputs, at_steps, atol=1e-12)


def test_the_initial_condition_is_remembered_for_over_ten_steps_and_then_forgotten():
    system = make_system(**DEFAULTS)
    amplitudes = draw_amplitudes(np.random.default_rng(0), 300, 2, len(system.frequencies))
    _, initial, _ = run_system(system, amplitudes, 1)
    own, others = (outputs_from(system, amplitudes, states, 60) for states in (initial, np.roll(initial, 1, axis=0)))
    apart = ((own - others) ** 2).mean(axis=(0, 2))
    assert apart[:5].min() > 0.5
    assert apart[10] > 0.3
    assert apart[59] < 0.02


def test_no_linear_model_comes_near_the_noise_floor_unless_the_system_is_linear():
    steps = [0, 9, 29, 49]
    for nonlinearity, check in ((2.0, lambda e: (e[1:] > 0.2).all()), (0.0, lambda e: (e[1:] < 0.03).all())):
        train, test = (sequences(name, 1000, nonlinearity=nonlinearity) for name in ("data.train", "data.test"))
        assert check(linear_errors(train, test, steps))


def test_the_outputs_are_accurate_solutions(monkeypatch):
    coarse = sequences("data.train", 100)
    monkeypatch.setattr(module, "LONGEST_SUBSTEP", 0.125 / 4)
    fine = sequences("data.train", 100)
    assert np.sqrt(((coarse.clean_targets - fine.clean_targets) ** 2).mean()) < 1e-3


def test_sequences_do_not_depend_on_the_block_they_are_integrated_in(monkeypatch):
    whole = sequences("data.train", 10)
    monkeypatch.setattr(module, "BLOCK_SIZE", 4 * 700)
    blocks = sequences("data.train", 10)
    np.testing.assert_allclose(blocks.clean_targets, whole.clean_targets, atol=1e-9)
    np.testing.assert_allclose(blocks.inputs, whole.inputs, atol=1e-12)


def test_lengths_are_drawn_from_a_range_and_masked_steps_are_zero():
    data = sequences("data.train", 200, n_steps=[3, 8])
    assert set(data.lengths) == set(range(3, 9))
    for array in (data.inputs, data.targets, data.clean_targets):
        np.testing.assert_array_equal((array != 0).all(axis=2), data.mask)


def test_one_step_works():
    assert sequences("data.train", 3, n_steps=1).targets.shape == (3, 1, 16)


def test_the_same_stream_gives_the_same_sequences():
    first, again = (sequences("data.train", 5) for _ in range(2))
    for name in ("inputs", "targets", "initial", "clean_targets"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert (sequences("data.valid", 5).inputs != first.inputs).all()


def test_all_streams_share_the_system_that_its_own_seed_draws():
    # Input amplitudes come from the stream, input frequencies and everything else from the system.
    first, other = (sequences("data.train", 5, system_seed=system_seed) for system_seed in (0, 1))
    assert (first.targets != other.targets).all()
    systems = [make_system(**{**DEFAULTS, "system_seed": system_seed}) for system_seed in (0, 1)]
    assert (systems[0].mixing != systems[1].mixing).all()
    assert make_system(**DEFAULTS) is systems[0]


def test_another_number_of_outputs_observes_the_same_motion():
    few, many = (sequences("data.train", 5, n_out=n_out, noise_std=0.0) for n_out in (3, 16))
    np.testing.assert_array_equal(few.inputs, many.inputs)
    np.testing.assert_array_equal(few.initial, many.initial)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_steps": 0}, "n_steps = 0: must be a whole number of at least 1"),
        ({"n_in": 0}, "n_in = 0: must be a whole number of at least 1"),
        ({"n_in": [2]}, r"n_in = \[2\]: must be a whole number"),
        ({"n_out": -1}, "n_out = -1: must be"),
        ({"n_oscillators": 2.0}, "n_oscillators = 2.0: must be"),
        ({"noise_std": -0.3}, "noise_std = -0.3: must be a finite number of at least 0"),
        ({"damping": 0.0}, "damping = 0.0: must be a finite number above 0"),
        ({"coupling": -1.0}, "coupling = -1.0: must be a finite number of at least 0"),
        ({"nonlinearity": float("inf")}, "nonlinearity = inf: must be a finite number of at least 0"),
        ({"input_timescale": 0}, "input_timescale = 0: must be a finite number above 0"),
        ({"dt": -0.5}, "dt = -0.5: must be a finite number above 0"),
        ({"system_seed": -1}, "system_seed = -1: must be a whole number of at least 0"),
        ({"nonlinearity": 1e9}, "integration diverged: .* must be smaller"),
        ({"damping": 1e-9}, "dt = 0.5 and n_steps = .* must be at most 50,000"),
        ({"dt": 1e5}, "dt = 100000 and n_steps = .* must be at most 50,000"),
        ({"n_steps": 20_000}, "dt = 0.5 and n_steps = 20000, .* must be at most 50,000"),
    ],
)
def test_arguments_out_of_range_are_named_with_their_value(arguments, message):
    with pytest.raises(RnnlabError, match=message):
        noisy_series(np.random.default_rng(0), 5, **arguments)


def test_bits_do_not_depend_on_the_number_of_threads():
    code = (
        "import hashlib; from rnnlab.random_streams import stream; from rnnlab.tasks.noisy_series import noisy_series; "
        "print(hashlib.sha256(noisy_series(stream(0, 'data.train'), 300).targets.tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(digests) == 1
