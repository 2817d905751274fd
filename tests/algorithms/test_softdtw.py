"""Soft-DTW, which tslearn computes."""

import numpy as np
import pytest
from tslearn.metrics import cdist_soft_dtw, cdist_soft_dtw_normalized

from xvcluster.algorithms.metrics import SoftDTW, fit_soft_dtw


def make_profiles(n=24):
    rng = np.random.default_rng(0)
    level = (np.arange(n) % 2 * 5.0)[:, None, None]
    return level + rng.normal(size=(n, 6, 1))


def test_squared_distances_equal_tslearn():
    profiles = make_profiles()
    found = SoftDTW().squared_distances(profiles.astype("float32"), profiles[:3])
    expected = cdist_soft_dtw(profiles.astype("float32").astype(float), profiles[:3], gamma=1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_divergences_equal_the_normalized_values_of_tslearn():
    profiles = make_profiles()
    metric, centroids = SoftDTW(), profiles[:3]
    values = metric.squared_distances(profiles, centroids)
    found = metric.divergences(values, profiles, centroids)
    both = cdist_soft_dtw_normalized(profiles, centroids, gamma=1.0)
    np.testing.assert_allclose(found, both, atol=1e-9)


def test_fit_soft_dtw_finds_the_groups():
    profiles = make_profiles()
    centroids, n_iter = fit_soft_dtw(profiles, 2, n_init=1, max_iter=5, tol=1e-4, seed=0)
    assert centroids.shape == (2, 6, 1)
    assert 1 <= n_iter <= 5
    np.testing.assert_allclose(sorted(centroids.mean(axis=(1, 2))), [0, 5], atol=0.5)


@pytest.mark.parametrize("call", ["accumulate", "refine"])
def test_the_own_loop_is_not_for_soft_dtw(call):
    arguments = {"accumulate": (None,) * 3, "refine": (None, None, None)}
    with pytest.raises(NotImplementedError):
        getattr(SoftDTW(), call)(*arguments[call])
