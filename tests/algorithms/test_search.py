"""The search for the best runs, from coarse to fine."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from xvcluster.algorithms import search
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.initialize import k_means_plus_plus
from xvcluster.algorithms.lloyd import Run, fit
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.search import Gist, Search, principal_view
from xvcluster.kernels.search import leave_out

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
    runs, weights = [profiles[:7], profiles[7:13], profiles[13:17]], np.linspace(0.0, 3.0, 80) ** 3
    left = search._leave_out(runs, 4, Block(profiles, weights), metric)
    for centroids, found in zip(runs, left, strict=True):
        expected = list(range(len(centroids)))
        while len(expected) > 4:
            rest = [[i for i in expected if i != out] for out in expected]
            expected = min(
                rest,
                key=lambda r: (
                    weights @ metric.squared_distances(profiles, centroids[r]).min(axis=1)
                ),
            )
        np.testing.assert_array_equal(found, centroids[expected])


def test_leave_out_stands_distances_that_are_no_numbers():
    squared, left = np.full((5, 2000), np.inf, np.float32), np.ones(5, dtype=bool)
    leave_out(squared, np.ones(2000), np.array([0, 5]), 3, left)
    assert left.sum() == 3


def test_search_begins_with_the_gist_and_the_variance_of_a_sample_if_they_are_known():
    profiles, seed = Block.of(make_profiles(500, 6)), np.random.SeedSequence(0)
    few = profiles[np.arange(100)]
    own = Search.of(Sample(profiles, few, 3.5), EUCLIDEAN, 2, seed)
    assert own.profiles is profiles
    assert own.sample is own.coarse is few
    assert own.variance == 3.5
    assert Search.of(Sample(profiles), EUCLIDEAN, 2, seed).sample is profiles


@pytest.mark.parametrize("is_thorough", [True, False])
def test_a_search_that_is_not_thorough_ends_to_breathe_when_that_brings_nothing(
    is_thorough, monkeypatch
):
    groups = np.repeat(np.arange(4) * 100.0, 50)[:, None, None]
    profiles = Block.of(groups + np.random.default_rng(0).normal(size=(200, 5, 1)))
    resting, swell = [], search._swell

    def look(searches, runs, metric, breath, rest):
        resting.append([set(own) for own in rest])
        return swell(searches, runs, metric, breath, rest)

    monkeypatch.setattr(search, "_swell", look)
    seed = np.random.SeedSequence(0)
    own = Search.of(Sample(profiles), EUCLIDEAN, 3, seed, is_thorough=is_thorough)
    search.search([own], [4], EUCLIDEAN, tol=1e-4, max_iter=50)
    assert resting == [[set()], *[[set() if is_thorough else {4}]] * 2]


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_search_ends_with_the_steps_of_the_metric(name, monkeypatch):
    given, metric, fit_groups = [], get_metric(name), search.fit_groups

    def look(groups, metric, **options):
        given.append(options)
        return fit_groups(groups, metric, **options)

    monkeypatch.setattr(search, "fit_groups", look)
    profiles = Sample(Block.of(make_profiles(300, 9)))
    own = Search.of(profiles, metric, 1, np.random.SeedSequence(0))
    search.search([own], [3], metric, tol=1e-4, max_iter=50)
    for option in ("refinements", "stride", "momentum"):
        assert given[-1][option] == getattr(metric, option)
    assert given[-1]["tol"] == 1e-4


@pytest.mark.parametrize("n_levels", [31, 32, 41])
def test_search_under_dtw_finds_profiles_that_are_their_own_centroids(n_levels):
    rng, metric = np.random.default_rng(0), get_metric("dtw")
    kinds = rng.normal(size=(5, n_levels, 1)).cumsum(axis=1)
    for profiles, k in ((kinds[np.arange(60) % 5], 5), (make_profiles(40, n_levels), 40)):
        own = Search.of(Sample(Block.of(profiles)), metric, 1, np.random.SeedSequence(0))
        [found] = search.search([own], [k], metric, tol=1e-4, max_iter=100)
        assert found[k].inertia < 1e-9 * own.variance


def test_search_under_dtw_is_as_good_for_few_members_as_from_all_levels():
    profiles, metric = Block.of(make_profiles(120, 40)), get_metric("dtw")
    seed = np.random.SeedSequence(0)
    sharp = Run(k_means_plus_plus(profiles, metric, 40, seed))
    fit([profiles], [sharp], metric, max_iter=100, tol=1e-4, stride=1.8)
    own = Search.of(Sample(profiles), metric, 1, seed)
    [found] = search.search([own], [40], metric, tol=1e-4, max_iter=100)
    assert found[40].inertia < 1.02 * sharp.inertia


def test_smoothed_centroids_lead_out_of_poor_minima(monkeypatch):
    rng, depth = np.random.default_rng(0), np.linspace(0, 1, 40)
    kinds = 0.5 * np.tanh(8 * (depth - rng.uniform(0.2, 0.8, (12, 1)))) + rng.normal(
        0, 0.2, (12, 1)
    )
    profiles = kinds[rng.integers(12, size=400)] + rng.normal(0, 0.1, (400, 1))
    profiles = Block.of((profiles + rng.normal(0, 0.1, (400, 40)))[..., None])
    metric, inertia = get_metric("dtw"), []
    for smooth in (search.smooth, lambda centroids, width: centroids):
        monkeypatch.setattr(search, "smooth", smooth)
        seeds = map(np.random.SeedSequence, range(3))
        searches = [Search.of(Sample(profiles), metric, 1, seed) for seed in seeds]
        found = search.search(searches, [5], metric, tol=1e-4, max_iter=50)
        inertia.append(np.mean([runs[5].inertia for runs in found]))
    assert inertia[0] < 0.99 * inertia[1]


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
    assert gist.weigh(1.0 - weights) is None  # none of them counts
