"""Profiles are shifted and scaled so that they can be compared, and back."""

from typing import get_args

import numpy as np
import pytest

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.moments import moments_of
from xvcluster.profiles.scaling import Normalization, check_normalize, fit_moments, fit_scaling


def fit(values, normalize=None, **options):
    block = Block.of(values)
    return fit_scaling(block.mean(), lambda: block.moments()[1], normalize, **options)


@pytest.fixture
def values():
    """Temperature and salinity, say: two variables of quite different spread."""
    rng = np.random.default_rng(0)
    return rng.normal([10.0, 35.0], [5.0, 0.1], (50, 8, 2))


def test_fit_scaling_takes_the_spread_of_several_variables_about_the_mean_of_each_level(values):
    values = values + 100.0 * np.arange(8.0)[:, None]
    scaling = fit(values)
    np.testing.assert_allclose(scaling.offset, [values[..., v].mean() for v in (0, 1)])
    pooled = np.sqrt(values.var(axis=0).mean(axis=0))
    np.testing.assert_allclose(scaling.scale, pooled)


def test_fit_scaling_keeps_the_units_of_one_variable(values):
    np.testing.assert_array_equal(fit(values[..., :1]).scale, [1.0])


def test_fit_scaling_leaves_a_constant_variable_alone(values):
    values[..., 1] = 7.0
    scaling = fit(values)
    assert scaling.scale[1] == 1.0
    np.testing.assert_array_equal(scaling.apply(values)[..., 1], 0.0)


def test_apply_gives_mean_0_and_spread_1(values):
    scaled = fit(values).apply(values)
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), 0.0, atol=1e-12)
    np.testing.assert_allclose(scaled.var(axis=0).mean(axis=0), 1.0)


@pytest.mark.parametrize("n_variables", [1, 2])
def test_undo_reverts_apply(values, n_variables):
    values = values[..., :n_variables]
    scaling = fit(values)
    np.testing.assert_allclose(scaling.undo(scaling.apply(values)), values, rtol=1e-14)


def test_apply_keeps_float32_and_its_input(values):
    values = values.astype(np.float32)
    before = values.copy()
    scaling = fit(values)
    assert scaling.apply(values).dtype == np.float32
    assert scaling.undo(scaling.apply(values)).dtype == np.float64
    np.testing.assert_array_equal(values, before)


def test_apply_keeps_float32_exact_around_a_large_mean():
    values = (5000.0 + np.linspace(0, 0.5, 64).reshape(8, 8, 1)).astype(np.float32)
    scaled = fit(values).apply(values)
    exact = values.astype(np.float64) - values.mean(dtype=np.float64)
    np.testing.assert_allclose(scaled - scaled[0, 0, 0], exact - exact[0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("n_variables", [1, 2])
def test_apply_into_its_input_gives_the_same(values, n_variables):
    values = values[..., :n_variables].astype(np.float32)
    scaling = fit(values)
    expected = scaling.apply(values)
    found = scaling.apply(values, out=values)
    assert found is values
    np.testing.assert_array_equal(values, expected)


def test_fit_scaling_by_level_shifts_every_level_by_its_own_mean(values):
    values = values + np.arange(8.0)[:, None]
    scaling = fit(values, by_level=True)
    np.testing.assert_allclose(scaling.offset, values.mean(axis=0))
    np.testing.assert_allclose(scaling.scale, fit(values).scale)
    scaled = scaling.apply(values)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(scaling.undo(scaled), values, rtol=1e-14)
    whole = fit(values).apply(values)
    np.testing.assert_allclose(scaled[3] - scaled[9], whole[3] - whole[9], atol=1e-12)


def test_check_normalize_gives_what_is_recorded_and_refuses_the_unknown():
    assert check_normalize(None) == {}
    assert check_normalize("level") == {"normalize": "level"}
    with pytest.raises(ValueError, match="unknown normalize 'z-score'; choose one of 'anomaly'"):
        check_normalize("z-score")


@pytest.mark.parametrize(("normalize", "n_variables"), [(None, 1), ("anomaly", 1), ("profile", 2)])
def test_fit_scaling_computes_no_variance_that_it_does_not_need(values, normalize, n_variables):
    def refuse():
        raise AssertionError("computed")

    fit_scaling(Block.of(values[..., :n_variables]).mean(), refuse, normalize)


@pytest.mark.parametrize("normalize", [None, *get_args(Normalization)])
def test_of_clusters_undoes_the_scaling_of_each_member(values, normalize):
    weights = np.linspace(0.5, 2.0, 8)
    scaling = fit(values + 100.0, normalize, level_weights=weights)
    scaled = scaling.apply(values)  # every profile is a cluster of its own
    undone = scaling.of_clusters(lambda: scaling.moments(values)).undo(scaled)
    np.testing.assert_allclose(undone, values, rtol=1e-12)


def test_moments_are_of_profiles_that_are_scaled_each_by_its_own(values):
    assert fit(values).moments(values).shape == (50, 0, 2)
    moments = fit(values, "profile").moments(values)
    np.testing.assert_allclose(moments[:, 0], values.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(moments[:, 1], values.std(axis=1), rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e5])
def test_profiles_in_float32_are_scaled_as_in_float64_around_any_offset(offset):
    rng = np.random.default_rng(0)
    values = (offset + rng.normal(0.0, 2.0, (40, 12, 1))).astype(np.float32)
    found = fit(values, "profile").apply(values)
    exact = values.astype(np.float64)
    shapes = (exact - exact.mean(axis=1, keepdims=True)) / exact.std(axis=1, keepdims=True)
    np.testing.assert_allclose(found, shapes, rtol=2e-7, atol=2e-7)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_profiles_whose_squares_float64_does_not_hold_are_scaled(values, factor):
    expected = fit(values, "profile").apply(values)
    scaled = fit(values * factor, "profile").apply(values * factor)
    np.testing.assert_allclose(scaled, expected, rtol=1e-12, atol=1e-12)


def moments(values):
    return moments_of(Block.of(values))


@pytest.mark.parametrize("factor", [1e-9, 1.0, 1e7])
def test_fit_moments_leaves_ordinary_values_in_their_units(values, factor):
    found = fit_moments(moments(values[..., :1] * factor))
    np.testing.assert_array_equal(found.scale, 1.0)
    assert found.unit == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factor", [1e-38, 1e-20, 1e20, 1e36])
def test_fit_moments_scales_by_a_power_of_two_where_squares_are_not_safe(values, dtype, factor):
    values = (values[..., :1] * factor).astype(dtype)
    found = fit_moments(moments(values), by_level=True)
    assert np.frexp(found.unit)[0] == 0.5
    np.testing.assert_array_equal(found.scale, found.unit)
    assert 0.5 < np.abs(found.apply(values)).max() <= 2.0
    undone = found.undo(found.apply(values))
    np.testing.assert_allclose(undone / factor, values / factor, atol=1e-5)
    assert fit_moments(moments(values), "level").unit == 1.0
