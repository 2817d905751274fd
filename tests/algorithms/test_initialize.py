"""First centroids by k-means++."""

import numpy as np
import pytest

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.initialize import has_distinct, k_means_plus_plus
from xvcluster.algorithms.metrics import get_metric

EUCLIDEAN = get_metric("euclidean")


def draw(profiles, n_clusters, metric=EUCLIDEAN, seed=0):
    seed = np.random.SeedSequence(seed)
    return k_means_plus_plus(Block.of(profiles), metric, n_clusters, seed)


@pytest.mark.parametrize("name", ["euclidean", "dtw", "softdtw"])
def test_k_means_plus_plus_draws_from_the_profiles(name):
    profiles = np.random.default_rng(0).normal(size=(60, 4, 2))
    drawn = draw(profiles, 5, get_metric(name))
    assert drawn.shape == (5, 4, 2)
    assert all((profiles == centroid).all(axis=(1, 2)).any() for centroid in drawn)


def test_k_means_plus_plus_takes_one_profile_of_every_far_group():
    groups = np.repeat(np.arange(6) * 1000.0, 20)
    profiles = (groups + np.random.default_rng(0).normal(size=120))[:, None, None]
    for seed in range(5):
        drawn = draw(profiles, 6, seed=seed).ravel()
        assert sorted(np.round(drawn, -3)) == [0, 1000, 2000, 3000, 4000, 5000]


def test_k_means_plus_plus_draws_every_distinct_profile_once():
    profiles = np.repeat(np.arange(7.0), 9)[:, None, None]
    assert sorted(draw(profiles, 7).ravel()) == list(range(7))


def test_k_means_plus_plus_draws_the_same_first_profiles_for_every_k():
    profiles = np.random.default_rng(0).normal(size=(60, 4, 1))
    np.testing.assert_array_equal(draw(profiles, 9)[:4], draw(profiles, 4))


def test_k_means_plus_plus_fills_up_where_there_are_too_few_distinct_profiles():
    profiles = np.zeros((500, 4, 1))
    profiles[0] = 1.0
    drawn = draw(profiles, 8)
    assert drawn.shape == (8, 4, 1)
    assert len(np.unique(drawn, axis=0)) == 2


def test_has_distinct_counts_whole_profiles():
    profiles = np.array([[0, 0], [0, 1], [1, 0], [1, 0]], float)[..., None]
    assert has_distinct(profiles, 3)
    assert not has_distinct(profiles, 4)
    assert not has_distinct(profiles, 5)


def test_has_distinct_needs_one_level_that_differs_enough():
    assert has_distinct(np.arange(9.0)[:, None, None], 9)
