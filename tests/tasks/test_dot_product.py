import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.dot_product import dot_product


def naive_targets(inputs, lengths):
    targets = np.zeros((len(inputs), 1))
    for sequence, length in enumerate(lengths):
        for step in range(length):
            product = 1.0
            for value in inputs[sequence, step]:
                product *= value
            targets[sequence, 0] += product
    return targets


@pytest.mark.parametrize("n_components", [1, 2, 3])
@pytest.mark.parametrize("n_steps", [1, 10, [2, 9]])
def test_targets_are_the_sum_over_steps_of_the_product_of_components(n_steps, n_components):
    data = dot_product(np.random.default_rng(0), 30, n_steps=n_steps, n_components=n_components, low=-1.0, high=2.0)
    longest = n_steps if isinstance(n_steps, int) else n_steps[1]
    assert data.inputs.shape == (30, longest, n_components)
    assert data.targets.shape == (30, 1)
    np.testing.assert_allclose(data.targets, naive_targets(data.inputs, data.lengths), rtol=1e-13, atol=1e-13)


def test_inputs_fill_the_interval_uniformly():
    data = dot_product(np.random.default_rng(0), 2000, low=-3.0, high=5.0)
    counts, _ = np.histogram(data.inputs, bins=8, range=(-3.0, 5.0))
    assert counts.sum() == data.inputs.size
    np.testing.assert_allclose(counts / data.inputs.size, 1 / 8, rtol=0.05)


def test_defaults_are_the_posts():
    data = dot_product(np.random.default_rng(0), 100_000)
    assert data.inputs.shape == (100_000, 10, 2)
    assert data.mask is None
    assert data.clean_targets is None
    # The mean of sum_t u v is 10 / 4, its variance 10 (1 / 9 - 1 / 16).
    assert data.targets.mean() == pytest.approx(2.5, abs=0.01)
    assert data.targets.var() == pytest.approx(10 * 7 / 144, rel=0.02)
    assert np.abs(data.targets - 2.5).mean() == pytest.approx(0.559, abs=0.004)


def test_noise_has_the_deviation_asked_for_and_leaves_the_clean_targets():
    data = dot_product(np.random.default_rng(0), 20_000, noise_std=0.5)
    noise = data.targets - data.clean_targets
    assert noise.std() == pytest.approx(0.5, rel=0.03)
    assert abs(noise.mean()) < 0.015
    np.testing.assert_allclose(data.clean_targets, naive_targets(data.inputs, data.lengths), rtol=1e-13)


def test_noise_does_not_change_the_inputs():
    clean = dot_product(np.random.default_rng(0), 20)
    noisy = dot_product(np.random.default_rng(0), 20, noise_std=0.5)
    np.testing.assert_array_equal(clean.inputs, noisy.inputs)
    np.testing.assert_array_equal(clean.targets, noisy.clean_targets)


def test_masked_steps_are_zero():
    data = dot_product(np.random.default_rng(0), 200, n_steps=[3, 12], low=1.0, high=2.0)
    np.testing.assert_array_equal((data.inputs != 0).all(axis=2), data.mask)
    assert set(data.lengths) == set(range(3, 13))


def test_the_same_stream_gives_the_same_sequences():
    first, again = (dot_product(np.random.default_rng(3), 20, noise_std=0.1) for _ in range(2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    assert (dot_product(np.random.default_rng(4), 20).inputs != first.inputs).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_steps": 0}, "n_steps = 0: must be a whole number of at least 1"),
        ({"n_components": 0}, "n_components = 0: must be a whole number of at least 1"),
        ({"n_components": 1.5}, "n_components = 1.5: must be"),
        ({"low": 2.0}, "low = 2.0: must be below high = 1.0"),
        ({"low": 1.0}, "low = 1.0: must be below high = 1.0"),
        ({"high": float("nan")}, "high = nan: must be a finite number"),
        ({"noise_std": -0.1}, "noise_std = -0.1: must be a finite number of at least 0"),
        ({"noise_std": "loud"}, "noise_std = 'loud': must be"),
    ],
)
def test_arguments_out_of_range_are_named_with_their_value(arguments, message):
    with pytest.raises(RnnlabError, match=message):
        dot_product(np.random.default_rng(0), 5, **arguments)


def test_no_sequences_are_refused():
    with pytest.raises(RnnlabError, match="n_sequences = 0: must be a whole number of at least 1"):
        dot_product(np.random.default_rng(0), 0)
