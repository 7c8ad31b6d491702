import dataclasses

import numpy as np
import pytest

from rnnlab.errors import RnnlabError
from rnnlab.tasks.scaling import Scaling, fit_scaling, identity_scaling
from rnnlab.tasks.sequences import Sequences, real_steps


def masked_sequences(seed, n_sequences=200):
    """Sequences of 2 to 5 steps with a target at every step, an initial condition, and far from standardised."""
    rng = np.random.default_rng(seed)
    mask = np.arange(5) < rng.integers(2, 6, n_sequences)[:, None]
    clean = rng.normal(-4.0, 0.5, (n_sequences, 5, 3)) * mask[:, :, None]
    return Sequences(
        inputs=rng.normal(7.0, 3.0, (n_sequences, 5, 2)) * mask[:, :, None],
        targets=clean + rng.normal(0.0, 0.1, clean.shape) * mask[:, :, None],
        mask=mask,
        initial=rng.normal(100.0, 20.0, (n_sequences, 4)),
        clean_targets=clean,
    )


def test_training_features_have_mean_0_and_deviation_1_over_real_steps():
    train = masked_sequences(0)
    scaled = fit_scaling(train).apply(train)
    for values in (real_steps(scaled.inputs, scaled.mask), real_steps(scaled.targets, scaled.mask), scaled.initial):
        np.testing.assert_allclose(values.mean(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(values.std(axis=0), 1.0, rtol=1e-12)


def test_masked_steps_stay_zero():
    train = masked_sequences(0)
    scaled = fit_scaling(train).apply(train)
    for array in (scaled.inputs, scaled.targets, scaled.clean_targets):
        assert not array[~train.mask].any()
    np.testing.assert_array_equal(scaled.mask, train.mask)


def test_other_splits_get_the_training_splits_scaling():
    train, test = masked_sequences(0), masked_sequences(1)
    scaling = fit_scaling(train)
    expected = (test.inputs - scaling.inputs_mean) / scaling.inputs_std
    np.testing.assert_allclose(scaling.apply(test).inputs[test.mask], expected[test.mask], rtol=1e-14)


def test_last_state_targets_are_scaled_over_all_sequences():
    rng = np.random.default_rng(0)
    mask = np.array([[True, False], [True, True], [True, True]])
    train = Sequences(rng.normal(size=(3, 2, 1)) * mask[:, :, None], rng.normal(5.0, 2.0, (3, 2)), mask)
    scaled = fit_scaling(train).apply(train)
    np.testing.assert_allclose(scaled.targets.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose(scaled.targets.std(axis=0), 1.0)


def test_unscaling_predictions_undoes_the_targets_scaling():
    train = masked_sequences(0)
    scaling = fit_scaling(train)
    scaled = scaling.apply(train)
    for name in ("targets", "clean_targets"):
        restored = scaling.unscale_targets(getattr(scaled, name))
        np.testing.assert_allclose(restored[train.mask], getattr(train, name)[train.mask], rtol=1e-13)


def test_float32_predictions_are_unscaled_in_float64():
    outputs = fit_scaling(masked_sequences(0)).unscale_targets(np.zeros((4, 3), np.float32))
    assert outputs.dtype == np.float64


def test_a_constant_feature_is_shifted_and_not_divided():
    inputs = np.full((50, 3, 1), 0.1)  # its computed deviation is not exactly 0
    train = Sequences(inputs, np.zeros((50, 1)))
    scaling = fit_scaling(train)
    assert scaling.inputs_std == 1.0
    np.testing.assert_array_equal(scaling.apply(train).inputs, 0.0)


def test_the_identity_changes_nothing():
    train = masked_sequences(0)
    scaled = identity_scaling(train).apply(train)
    for field in dataclasses.fields(Sequences):
        np.testing.assert_array_equal(getattr(scaled, field.name), getattr(train, field.name))


@pytest.mark.parametrize("has_initial", [True, False])
def test_arrays_bring_the_scaling_back(has_initial):
    train = masked_sequences(0)
    train = train if has_initial else dataclasses.replace(train, initial=None)
    scaling = fit_scaling(train)
    arrays = scaling.to_arrays()
    assert all(name.startswith("scaling.") for name in arrays)
    restored = Scaling.from_arrays({**arrays, "readout.b_hy": np.zeros(3)})
    for field in dataclasses.fields(Scaling):
        np.testing.assert_array_equal(getattr(restored, field.name), getattr(scaling, field.name))
    assert (restored.initial_mean is not None) == has_initial


def test_missing_arrays_are_named():
    arrays = fit_scaling(masked_sequences(0)).to_arrays()
    del arrays["scaling.targets_std"]
    with pytest.raises(RnnlabError, match="targets_std"):
        Scaling.from_arrays(arrays)


def test_sequences_of_other_features_are_refused():
    scaling = fit_scaling(masked_sequences(0))
    with pytest.raises(RnnlabError, match="inputs have 3 features: must be 2"):
        scaling.apply(Sequences(np.ones((2, 5, 3)), np.ones((2, 5, 3))))


def test_an_initial_condition_that_was_not_fitted_is_refused():
    train = masked_sequences(0)
    with pytest.raises(RnnlabError, match="fitted on sequences without one"):
        fit_scaling(dataclasses.replace(train, initial=None)).apply(train)
