import numpy as np
import pytest

from rnnlab.tasks.oscillators import Oscillators, draw_oscillators, energy, simulate


def network(damping=0.3, n_oscillators=3, nonlinearity=2.0):
    return draw_oscillators(np.random.default_rng(0), n_oscillators, 2, damping, 0.5, nonlinearity)


def times(n_steps, dt, substeps):
    return np.arange(2 * substeps * n_steps + 1) * dt / (2 * substeps)


def smooth_drive(n_steps, dt, substeps):
    """Two inputs for four sequences: sinusoids of different frequencies and phases."""
    phases = np.arange(8.0).reshape(4, 2)
    return np.sin(times(n_steps, dt, substeps)[:, None, None] * (0.5 + phases / 8) + phases)


def start(n_oscillators=3, seed=0):
    return np.random.default_rng(seed).normal(size=(2, 4, n_oscillators))


def test_an_undamped_linear_oscillator_answers_a_sinusoid_in_closed_form():
    natural, driving, force, dt, n_steps = 1.3, 0.7, 0.9, 0.5, 60
    one = Oscillators(
        stiffness=np.array([[natural**2]]), damping=np.zeros(1), cubic=np.zeros(1), drive=np.array([[force]])
    )
    drive = np.cos(driving * times(n_steps, dt, 20))[:, None, None]
    x, v = simulate(one, np.zeros((1, 1)), np.zeros((1, 1)), drive, dt, 20)
    t = dt * np.arange(1, n_steps + 1)
    gain = force / (natural**2 - driving**2)
    np.testing.assert_allclose(x[:, 0, 0], gain * (np.cos(driving * t) - np.cos(natural * t)), atol=1e-6)
    expected_v = gain * (natural * np.sin(natural * t) - driving * np.sin(driving * t))
    np.testing.assert_allclose(v[:, 0, 0], expected_v, atol=1e-6)


def test_a_free_damped_linear_oscillator_decays_in_closed_form():
    one = Oscillators(np.array([[1.0]]), np.array([0.3]), np.zeros(1), np.ones((1, 1)))
    x, _ = simulate(one, np.ones((1, 1)), np.full((1, 1), -0.15), np.zeros((2 * 20 * 40 + 1, 1, 1)), 0.5, 20)
    t = 0.5 * np.arange(1, 41)
    expected = np.exp(-0.15 * t) * np.cos(np.sqrt(1.0 - 0.15**2) * t)
    np.testing.assert_allclose(x[:, 0, 0], expected, atol=1e-6)


def test_halving_the_step_divides_the_error_by_16():
    def end(substeps):
        x, v = simulate(network(), *start(), smooth_drive(8, 0.5, substeps), 0.5, substeps)
        return np.concatenate([x[-1], v[-1]])

    reference = end(128)
    coarse, fine = (np.abs(end(substeps) - reference).max() for substeps in (8, 16))
    assert 13 < coarse / fine < 19
    assert fine < 1e-5


def test_the_energy_of_a_free_damped_network_only_falls():
    x, v = simulate(network(), *start(), np.zeros((2 * 8 * 100 + 1, 4, 2)), 0.5, 8)
    initial = energy(network(), *start())
    energies = np.concatenate([initial[None], energy(network(), x, v)])
    assert (np.diff(energies, axis=0) < 0).all()
    assert (energies[-1] < 1e-4 * energies[0]).all()


def test_the_energy_of_a_free_undamped_network_stays():
    undamped = network(damping=0.0)
    x, v = simulate(undamped, *start(), np.zeros((2 * 40 * 50 + 1, 4, 2)), 0.5, 40)
    initial = energy(undamped, *start())
    np.testing.assert_allclose(energy(undamped, x, v), np.broadcast_to(initial, (50, 4)), rtol=1e-6)


def test_the_energy_falls_at_the_rate_of_the_damping():
    dt = 1e-4
    (x0, v0), damped = start(), network()
    x, v = simulate(damped, x0, v0, np.zeros((3, 4, 2)), dt, 1)
    rate = (energy(damped, x[0], v[0]) - energy(damped, x0, v0)) / dt
    np.testing.assert_allclose(rate, -(damped.damping * v0**2).sum(axis=1), rtol=1e-3)


def test_responses_add_up_only_without_the_cubic_term():
    drive = smooth_drive(20, 0.5, 4)
    rest = np.zeros((4, 3))

    def response(oscillators, inputs):
        return simulate(oscillators, rest, rest, inputs, 0.5, 4)[0]

    for nonlinearity, adds_up in ((0.0, True), (2.0, False)):
        oscillators = network(nonlinearity=nonlinearity)
        apart = response(oscillators, drive) + response(oscillators, drive[:, ::-1])
        together = response(oscillators, drive + drive[:, ::-1])
        assert (np.abs(together - apart).max() < 1e-9) == adds_up


def test_sequences_do_not_touch_each_other():
    drive = smooth_drive(10, 0.5, 4)
    x0, v0 = start()
    together, _ = simulate(network(), x0, v0, drive, 0.5, 4)
    alone, _ = simulate(network(), x0[2:3], v0[2:3], drive[:, 2:3], 0.5, 4)
    np.testing.assert_allclose(alone[:, 0], together[:, 2], rtol=1e-10, atol=1e-12)


def test_drawn_networks_are_stable_and_as_described():
    oscillators = draw_oscillators(np.random.default_rng(1), 6, 3, 0.3, 0.5, 2.0)
    np.testing.assert_array_equal(oscillators.stiffness, oscillators.stiffness.T)
    assert np.linalg.eigvalsh(oscillators.stiffness).min() > 0.5
    springs = np.diag(np.diag(oscillators.stiffness)) - oscillators.stiffness
    assert springs.min() >= 0
    assert springs.max() < 2 * 0.5 / 6
    own = np.diag(oscillators.stiffness) - springs.sum(axis=1)
    assert ((own > 0.5) & (own < 1.5)).all()
    assert ((oscillators.damping > 0.75 * 0.3) & (oscillators.damping < 1.25 * 0.3)).all()
    assert oscillators.drive.shape == (3, 6)
    np.testing.assert_array_equal(oscillators.cubic, 2.0)


@pytest.mark.parametrize("coupling", [0.0, 0.5])
def test_a_kick_spreads_only_through_the_springs(coupling):
    oscillators = draw_oscillators(np.random.default_rng(1), 3, 1, 0.3, coupling, 2.0)
    kick = np.array([[1.0, 0.0, 0.0]])
    x, _ = simulate(oscillators, np.zeros((1, 3)), kick, np.zeros((2 * 4 * 20 + 1, 1, 1)), 0.5, 4)
    assert np.abs(x[:, 0, 0]).max() > 0.3
    assert (np.abs(x[:, 0, 1:]).max() > 0.01) == (coupling > 0)
