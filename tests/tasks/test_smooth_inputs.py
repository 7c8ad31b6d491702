import numpy as np

from rnnlab.tasks.smooth_inputs import draw_amplitudes, draw_frequencies, evaluate

TIMES = np.linspace(-3.0, 9.0, 25)


def process(n_sequences=20_000, timescale=1.5, n_frequencies=64):
    rng = np.random.default_rng(0)
    frequencies = draw_frequencies(rng, n_frequencies, timescale)
    amplitudes = draw_amplitudes(rng, n_sequences, 1, n_frequencies)
    return evaluate(amplitudes, frequencies, TIMES)[:, :, 0], frequencies


def test_values_are_the_sum_of_cosines_and_sines():
    rng = np.random.default_rng(0)
    frequencies = draw_frequencies(rng, 5, 1.0)
    amplitudes = draw_amplitudes(rng, 3, 2, 5)
    values = evaluate(amplitudes, frequencies, TIMES)
    expected = np.zeros((len(TIMES), 3, 2))
    for i, t in enumerate(TIMES):
        for r, w in enumerate(frequencies):
            expected[i] += amplitudes[r] * np.cos(w * t) + amplitudes[5 + r] * np.sin(w * t)
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_the_process_has_mean_0_unit_variance_and_gaussian_values():
    values, _ = process()
    np.testing.assert_allclose(values.mean(axis=1), 0.0, atol=0.05)
    np.testing.assert_allclose(values.var(axis=1), 1.0, atol=0.06)
    np.testing.assert_allclose((values**4).mean(axis=1), 3.0, atol=0.4)


def test_the_covariance_is_the_mean_cosine_of_the_frequencies():
    values, frequencies = process()
    lags = TIMES[:, None] - TIMES
    expected = np.cos(lags[:, :, None] * frequencies).mean(axis=2)
    np.testing.assert_allclose(values @ values.T / values.shape[1], expected, atol=0.06)


def test_many_frequencies_make_the_gaussian_kernel():
    timescale = 1.5
    frequencies = draw_frequencies(np.random.default_rng(0), 20_000, timescale)
    lags = np.linspace(0.0, 6.0, 20)
    kernel = np.exp(-(lags**2) / (2 * timescale**2))
    np.testing.assert_allclose(np.cos(np.outer(lags, frequencies)).mean(axis=1), kernel, atol=0.03)


def test_a_value_does_not_depend_on_the_other_times_asked_for():
    rng = np.random.default_rng(0)
    frequencies, amplitudes = draw_frequencies(rng, 8, 1.0), draw_amplitudes(rng, 2, 1, 8)
    together = evaluate(amplitudes, frequencies, TIMES)
    for i in (0, 7, 24):
        np.testing.assert_allclose(evaluate(amplitudes, frequencies, TIMES[i : i + 1])[0], together[i], atol=1e-14)
