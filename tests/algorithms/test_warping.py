"""Half of the levels, and smoothed centroids, with which runs under DTW begin."""

import numpy as np
import pytest

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.warping import Halves, halves, smooth


def make_profiles(n, n_levels, n_variables=2):
    return np.random.default_rng(0).normal(size=(n, n_levels, n_variables)).cumsum(axis=1)


def test_halves_are_means_of_pairs_and_a_last_level_alone():
    profiles, weights = make_profiles(3, 5), np.array([1.0, 2.0, 0.0])
    seen = Halves(5).look(Block(profiles, weights))
    expected = [(profiles[:, 0] + profiles[:, 1]) / 2, (profiles[:, 2] + profiles[:, 3]) / 2]
    np.testing.assert_allclose(seen.values, np.stack([*expected, profiles[:, 4]], axis=1))
    np.testing.assert_array_equal(seen.weights, weights)


def test_halves_keep_the_dtype_and_are_contiguous():
    seen = Halves(7).look(Block.of(make_profiles(4, 7).astype("float32")))
    assert seen.values.dtype == np.float32
    assert seen.values.flags.c_contiguous


@pytest.mark.parametrize("n_levels", [32, 33])
def test_halves_of_straight_lines_come_back_as_they_were_but_for_the_ends(n_levels):
    lines = np.arange(n_levels)[None, :, None] * np.array([[[1.0, -3.0]], [[0.5, 2.0]]])
    back = Halves(n_levels).back(Halves(n_levels).look(Block.of(lines)).values, (n_levels, 2))
    assert back.shape == lines.shape
    np.testing.assert_allclose(back[:, 1:-1], lines[:, 1:-1], atol=1e-12)


def test_few_levels_are_not_halved():
    assert halves(31) is None
    assert halves(32).n_levels == 32


@pytest.mark.parametrize("n_levels", [10, 11])
@pytest.mark.parametrize("window", [0, 2, 3, 20])
def test_halves_may_be_paired_where_any_of_their_levels_may(n_levels, window):
    metric = get_metric("dtw", window, np.arange(n_levels))
    seen = metric.seen_as(Halves(n_levels)).reach
    for a in range(len(seen)):
        for b in range(len(seen)):
            pairs = metric.reach[2 * a : 2 * a + 2, 2 * b : 2 * b + 2]
            assert seen[a, b] == pairs.any()


def test_the_metric_of_halves_without_a_window_has_none():
    assert get_metric("dtw").seen_as(Halves(10)).reach is None


@pytest.mark.parametrize("width", [3, 5])
def test_smoothed_centroids_are_means_over_neighbouring_levels(width):
    centroids, beyond = make_profiles(4, 12), width // 2
    smoothed = smooth(centroids, width)
    for level in range(12):
        at = np.clip(np.arange(level - beyond, level + beyond + 1), 0, 11)
        np.testing.assert_allclose(smoothed[:, level], centroids[:, at].mean(axis=1))


def test_smoothing_leaves_one_level_as_it_is():
    centroids = make_profiles(3, 1)
    np.testing.assert_allclose(smooth(centroids, 5), centroids)
