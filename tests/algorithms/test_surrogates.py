"""Smooth fields that keep what neighbours share."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.surrogates import exceedance, jumps, nearest_neighbours, smooth_fields

SEED = np.random.SeedSequence(0)


def make_points(n=500):
    rng = np.random.default_rng(0)
    points = rng.normal([4.0, 0.0, 0.0], 1.0, (n, 3))
    return 6371.0 * points / np.linalg.norm(points, axis=1)[:, None]


def make_profiles(points):
    """A step, a wave and noise along six levels of two variables."""
    rng = np.random.default_rng(1)
    modes = np.stack([points[:, 1] > 300, np.sin(points[:, 2] / 400)], axis=1)
    values = modes @ rng.normal(size=(2, 12)) + rng.normal(0, 0.05, (len(points), 12))
    return Block.of(values.reshape(-1, 6, 2).astype(np.float32))


def flat(profiles):
    return profiles.reshape(len(profiles), -1).astype(float)


def test_smooth_fields_keep_the_covariance_of_the_levels():
    points = make_points()
    own, *drawn = smooth_fields(make_profiles(points), points, 3, SEED)
    assert len(drawn) == 3
    for field in drawn:
        assert (field.shape, field.dtype) == (own.shape, own.dtype)
        np.testing.assert_allclose(np.cov(flat(field).T), np.cov(flat(own).T), atol=1e-4)
        np.testing.assert_allclose(flat(field).mean(0), flat(own).mean(0), atol=1e-4)
        assert not np.allclose(field, own, atol=0.1)


def test_smooth_fields_first_give_the_leading_components_of_the_profiles():
    points = make_points()
    profiles = make_profiles(points)
    own = next(smooth_fields(profiles, points, 1, SEED))
    left = flat(profiles.values - own).var(axis=0).sum()
    assert 0 < left < 0.05 * flat(profiles.values).var(axis=0).sum()


def test_smooth_fields_keep_what_neighbours_share():
    points = make_points()
    neighbours = nearest_neighbours(points)
    covariance = np.exp(-0.5 * squareform(pdist(points, "sqeuclidean")) / 300.0**2)
    root = np.linalg.cholesky(covariance + 0.01 * np.eye(len(points)))

    def unlike(profiles):
        values = flat(profiles)
        return ((values[:, None] - values[neighbours]) ** 2).sum(axis=2).mean()

    ratios = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        values = root @ rng.normal(size=(len(points), 3)) @ rng.normal(size=(3, 8))
        own, *drawn = smooth_fields(Block.of(values[:, :, None]), points, 5, SEED)
        ratios += [unlike(field) / unlike(own) for field in drawn]
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)


def test_smooth_fields_keep_a_trend():
    points = make_points()
    north = points[:, 2:] / 3000
    trend = np.concatenate([north, north**2], axis=1) @ np.array([[1.0, 0.5, 0], [0.0, 1.0, 2.0]])
    profiles = Block.of(trend[:, :, None])
    own, drawn = smooth_fields(profiles, points, 1, SEED)
    np.testing.assert_allclose(drawn, own, atol=1e-9)


def test_smooth_fields_of_profiles_that_are_all_alike():
    points = make_points(40)
    own, drawn = smooth_fields(Block.of(np.ones((40, 3, 1))), points, 1, SEED)
    np.testing.assert_allclose(own, 1.0)
    np.testing.assert_allclose(drawn, 1.0)


def test_jumps_are_the_logarithm_of_a_ratio():
    profiles = np.array([0.0, 1.0, 4.0, 5.0]).reshape(4, 1, 1)
    beside = np.array([[1], [2], [1], [2]])
    labels = [np.array([0, 0, 1, 1]), np.zeros(4, int), np.arange(4)]
    np.testing.assert_allclose(jumps(profiles, beside, labels), [np.log(9.0 / 1.0), 0.0, 0.0])


def test_jumps_between_provinces_that_do_not_vary_are_the_sharpest():
    """Nothing differs within a cluster: the largest jump, and not none."""
    step = np.array([0.0, 0.0, 3.0, 3.0]).reshape(4, 1, 1)
    beside = np.array([[1], [2], [1], [2]])
    sharp, noisy = jumps(step, beside, [np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])])
    assert sharp == pytest.approx(np.log(1e4))
    assert sharp > noisy


def test_nearest_neighbours_are_others():
    points = make_points(60)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    expected = np.argsort(distances, axis=1)[:, 1:5]
    np.testing.assert_array_equal(np.sort(nearest_neighbours(points)), np.sort(expected))


def test_exceedance_counts_surrogates_at_least_as_large():
    expected = np.arange(19.0)[:, None] * [1.0, -1.0]
    assert exceedance(np.array([100.0, 0.0]), expected)[0] == 1 / 20
    p, of_each = exceedance(np.array([17.0, -18.0]), expected)
    np.testing.assert_allclose(of_each, [3 / 20, 1.0])
    assert p > 3 / 20
    assert np.isnan(exceedance(np.empty(0), np.empty((19, 0)))[0])


def test_exceedance_is_even_where_nothing_differs():
    """The p-values of observations drawn as the surrogates are: uniform."""
    rng = np.random.default_rng(3)
    p = [exceedance(own[0], own[1:])[0] for own in rng.normal(size=(2000, 20, 4))]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(p) == pytest.approx(0.525, abs=0.03)
