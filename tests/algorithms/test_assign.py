"""Assignment to given centroids against brute force."""

import numpy as np
import pytest
from tslearn.metrics import cdist_dtw, cdist_soft_dtw

from xvcluster.algorithms.assign import Assigner, assign, assign_given, squared_to_each
from xvcluster.algorithms.metrics import get_metric


def make_profiles(n=90, dtype="float64"):
    rng = np.random.default_rng(0)
    profiles = rng.normal(size=(n, 6, 2)).cumsum(axis=1)
    return profiles.astype(dtype), rng.normal(size=(5, 6, 2)).cumsum(axis=1)


def brute_force(name, profiles, centroids):
    if name == "dtw":
        return cdist_dtw(profiles, centroids) ** 2
    return ((profiles[:, None] - centroids) ** 2).sum(axis=(2, 3))


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_assign_takes_the_nearest_centroid(name):
    profiles, centroids = make_profiles()
    squared = brute_force(name, profiles, centroids)
    found = assign(profiles, Assigner(centroids, get_metric(name)))
    np.testing.assert_array_equal(found.labels, squared.argmin(axis=1))
    np.testing.assert_array_equal(found.nearest, found.labels)
    np.testing.assert_allclose(found.squared, squared.min(axis=1), rtol=1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_assign_gives_the_margin_to_the_second_nearest(name):
    profiles, centroids = make_profiles()
    first, second = np.sort(np.sqrt(brute_force(name, profiles, centroids)), axis=1)[:, :2].T
    found = assign(profiles, Assigner(centroids, get_metric(name)))
    np.testing.assert_allclose(found.margin, 1 - first / second, atol=1e-9)


def test_assign_labels_the_groups_and_measures_the_margin_between_them():
    profiles, centroids = make_profiles()
    groups = np.array([0, 0, 1, 1, 2])
    distance = np.sqrt(brute_force("euclidean", profiles, centroids))
    nearest = distance.argmin(axis=1)
    other = np.where(groups == groups[nearest][:, None], np.inf, distance).min(axis=1)
    found = assign(profiles, Assigner(centroids, get_metric("euclidean"), groups))
    np.testing.assert_array_equal(found.labels, groups[nearest])
    np.testing.assert_array_equal(found.nearest, nearest)
    np.testing.assert_allclose(found.margin, 1 - distance.min(axis=1) / other, atol=1e-12)


def test_assign_to_one_centroid_is_certain():
    profiles, centroids = make_profiles()
    found = assign(profiles, Assigner(centroids[:1], get_metric("euclidean")))
    assert np.all(found.margin == 1.0)


def test_assign_between_equal_centroids_is_ambiguous():
    profiles, centroids = make_profiles()
    twice = centroids[[0, 0]]
    found = assign(np.concatenate([profiles, twice]), Assigner(twice, get_metric("euclidean")))
    assert np.all(found.margin == 0.0)
    assert np.all(found.labels == 0)


def test_assign_of_float32_is_done_in_float64():
    profiles, centroids = make_profiles(dtype="float32")
    squared = brute_force("euclidean", profiles.astype(float), centroids)
    found = assign(profiles, Assigner(centroids, get_metric("euclidean")))
    np.testing.assert_allclose(found.squared, squared.min(axis=1), rtol=1e-12)


def test_assign_under_soft_dtw_takes_the_least_value_and_gives_divergences():
    profiles, centroids = make_profiles(30)
    found = assign(profiles, Assigner(centroids, get_metric("softdtw")))
    values = cdist_soft_dtw(profiles, centroids, gamma=1.0)
    np.testing.assert_array_equal(found.labels, values.argmin(axis=1))
    assert np.all(found.squared >= 0.0)
    own = assign(centroids, Assigner(centroids, get_metric("softdtw")))
    np.testing.assert_allclose(own.squared, 0.0, atol=1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_assign_to_groups_measures_to_their_centroids_where_these_are_given(name):
    profiles, nodes = make_profiles()
    groups, centroids = np.array([0, 0, 1, 1, 2]), profiles[:3]
    assigner = Assigner(nodes, get_metric(name), groups, centroids)
    found, without = (
        assign(profiles, a) for a in (assigner, Assigner(nodes, assigner.metric, groups))
    )
    squared = brute_force(name, profiles, centroids)
    expected = squared[np.arange(len(profiles)), found.labels]
    np.testing.assert_allclose(found.squared, expected, rtol=1e-9, atol=1e-12)
    for kept in ("labels", "nearest", "margin"):
        np.testing.assert_array_equal(getattr(found, kept), getattr(without, kept))


def test_assigner_knows_how_many_clusters_there_are():
    nodes, metric = make_profiles()[1], get_metric("euclidean")
    groups = np.array([0, 0, 1, 1, 2])
    assert Assigner(nodes, metric).n_clusters == 5
    assert Assigner(nodes, metric, groups).n_clusters == 3
    assert Assigner(nodes, metric, groups, nodes[:4]).n_clusters == 4


def test_labels_of_the_nearest_centroid_are_described_as_when_assigned():
    rng = np.random.default_rng(0)
    profiles, centroids = rng.normal(size=(9000, 6, 2)), rng.normal(size=(4, 6, 2))
    metric = get_metric("euclidean")
    wanted = assign(profiles, Assigner(centroids, metric))
    found = assign_given(profiles, wanted.labels, centroids, metric)
    for name in ("labels", "squared", "margin"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name))


def test_a_label_of_a_farther_centroid_has_a_negative_margin():
    profiles = np.array([[[1.0]], [[1.0]], [[5.0]]])
    centroids = np.array([[[0.0]], [[4.0]], [[np.nan]]])
    found = assign_given(profiles, np.array([0, 1, 1]), centroids, get_metric("euclidean"))
    np.testing.assert_array_equal(found.squared, [1.0, 9.0, 1.0])
    np.testing.assert_allclose(found.margin, [2 / 3, -2 / 3, 4 / 5])


@pytest.mark.parametrize("name", ["euclidean", "dtw", "softdtw"])
def test_distances_to_centroids_that_are_missing_are_infinite(name):
    metric, rng = get_metric(name), np.random.default_rng(1)
    profiles, centroids = rng.normal(size=(5, 4, 1)), rng.normal(size=(3, 4, 1))
    found = squared_to_each(profiles, np.insert(centroids, 1, np.nan, axis=0), metric)
    assert np.isinf(found[:, 1]).all()
    np.testing.assert_allclose(found[:, [0, 2, 3]] ** 0.5, metric.distances(profiles, centroids))


def test_a_single_cluster_is_certain():
    found = assign_given(
        np.ones((3, 1, 1)), np.zeros(3, int), np.ones((1, 1, 1)), get_metric("euclidean")
    )
    np.testing.assert_array_equal(found.margin, 1.0)
