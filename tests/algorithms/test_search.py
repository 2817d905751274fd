"""The search for the best runs, from coarse to fine."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from xvcluster.algorithms import search
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import Run
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.search import Gist, principal_view

EUCLIDEAN = get_metric("euclidean")


def make_profiles(n, n_levels, n_variables=1, seed=0):
    """Random walks, which have no clear clusters."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n_levels, n_variables)).cumsum(axis=1)


def test_contenders_are_the_best_few_that_differ_and_are_not_clearly_beaten():
    inertia = [100.5, 100.0, 100.7, 101.5, 100.001, 100.5001, 103.0]
    runs = [Run(np.zeros((1, 1, 1)), inertia=i) for i in inertia]
    assert [run.inertia for run in search._contenders(runs)] == [100.0, 100.5, 100.7]
    assert [run.inertia for run in search._contenders(runs[3:4])] == [101.5]
    many = [Run(np.zeros((1, 1, 1)), inertia=100 + 0.05 * i) for i in range(15)]
    assert len(search._contenders(many)) == search._CONTENDERS


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_leave_out_takes_the_centroids_whose_loss_costs_least(name):
    profiles, metric = make_profiles(80, 6), get_metric(name)
    runs = [profiles[:7], profiles[7:13], profiles[13:17]]
    left = search._leave_out(runs, 4, Block.of(profiles), metric)
    for centroids, found in zip(runs, left, strict=True):
        expected = list(range(len(centroids)))
        while len(expected) > 4:
            rest = [[i for i in expected if i != out] for out in expected]
            expected = min(
                rest, key=lambda r: metric.squared_distances(profiles, centroids[r]).min(1).sum()
            )
        np.testing.assert_array_equal(found, centroids[expected])


def test_principal_view_keeps_the_distances_of_profiles_that_lie_in_it():
    rng = np.random.default_rng(0)
    profiles = (3.0 + rng.normal(size=(200, 9)) @ rng.normal(size=(9, 40))).reshape(200, 20, 2)
    view = principal_view(profiles)
    seen = view.look(Block.of(profiles)).values
    assert seen.shape == (200, 16, 1)
    np.testing.assert_allclose(view.axes.T @ view.axes, np.eye(16), atol=1e-12)
    expected = EUCLIDEAN.squared_distances(profiles, profiles[:5])
    np.testing.assert_allclose(EUCLIDEAN.squared_distances(seen, seen[:5]), expected, atol=1e-9)
    np.testing.assert_allclose(view.back(seen, (20, 2)), profiles, atol=1e-9)


def test_principal_view_takes_the_components_of_most_variance():
    rng = np.random.default_rng(0)
    profiles = (rng.normal(size=(300, 40)) * np.arange(1, 41)[::-1]).reshape(300, 40, 1)
    seen = principal_view(profiles).look(Block.of(profiles)).values[:, :, 0]
    theirs = PCA(16, svd_solver="full").fit_transform(profiles[:, :, 0])
    np.testing.assert_allclose(np.abs(seen), np.abs(theirs), rtol=1e-6, atol=1e-6)


def test_principal_view_of_float32_stays_in_float32():
    profiles = make_profiles(100, 40).astype("float32")
    seen = principal_view(profiles).look(Block.of(profiles))
    assert seen.values.dtype == np.float32


def test_principal_view_of_few_levels_is_none():
    assert principal_view(make_profiles(100, 31)) is None
    assert principal_view(make_profiles(100, 16, 2)) is not None


def test_gist_is_the_means_of_groups_of_like_profiles():
    profiles = make_profiles(5000, 40)
    block = Block(profiles, np.random.default_rng(1).uniform(0.5, 2.0, 5000))
    gist = Gist.of(block, EUCLIDEAN)
    assert 1000 < len(gist.means) < 2048
    for group in (0, 17, len(gist.means) - 1):
        own = profiles[gist.rows[gist.groups == group]]
        np.testing.assert_allclose(gist.means[group], own.mean(axis=0), rtol=1e-9)
    within = ((profiles[gist.rows] - gist.means[gist.groups]) ** 2).sum()
    assert within < 0.2 * ((profiles - profiles.mean(axis=0)) ** 2).sum()
    weighed = gist.weigh(block.weights)
    np.testing.assert_allclose(weighed.weights.sum(), block.weights[gist.rows].sum(), rtol=1e-12)


def test_gist_of_few_profiles_or_under_a_warping_metric_is_none():
    assert Gist.of(Block.of(make_profiles(2000, 5)), EUCLIDEAN) is None
    assert Gist.of(Block.of(make_profiles(3000, 5)), get_metric("dtw")) is None


def test_profiles_without_a_weight_are_not_in_a_gist():
    weights = np.ones(4000)
    weights[::2] = 0.0
    gist = Gist.of(Block(make_profiles(4000, 5), weights), EUCLIDEAN)
    assert np.all(gist.rows % 2 == 1)
