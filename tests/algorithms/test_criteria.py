"""Criteria from sums over members, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.criteria import (
    calinski_harabasz,
    davies_bouldin,
    simplified_silhouette,
)
from xvcluster.algorithms.metrics import get_metric
from xvcluster.profiles.statistics import measure

EUCLIDEAN = get_metric("euclidean")


def make_profiles(n=80, n_levels=5, n_variables=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n_levels, n_variables)).cumsum(axis=1)


def settle(profiles, k):
    """Labels and their members' means, which are those profiles' nearest."""
    centroids = profiles[:: len(profiles) // k][:k]  # of repeated profiles, different ones
    for _ in range(200):
        labels = assign(profiles, Assigner(centroids, EUCLIDEAN)).labels
        moved = np.stack([profiles[labels == c].mean(axis=0) for c in range(k)])
        if np.array_equal(moved, centroids):
            return labels, centroids
        centroids = moved
    raise AssertionError("did not settle")


def sums_of(profiles, centroids, weights=None):
    weights = np.ones(len(profiles)) if weights is None else weights
    return measure(assign(profiles, Assigner(centroids, EUCLIDEAN)), weights, len(centroids))


@pytest.mark.parametrize("k", [2, 3, 7])
def test_criteria_are_those_of_scikit_learn(k):
    profiles = make_profiles()
    labels, centroids = settle(profiles, k)
    sums, flat = sums_of(profiles, centroids), profiles.reshape(len(profiles), -1)
    found = davies_bouldin(sums, centroids, EUCLIDEAN)
    assert found == pytest.approx(davies_bouldin_score(flat, labels), rel=1e-9)
    found = calinski_harabasz(sums, centroids)
    assert found == pytest.approx(calinski_harabasz_score(flat, labels), rel=1e-9)


@pytest.mark.parametrize("k", [2, 4])
def test_criteria_of_weights_are_those_of_repeated_profiles(k):
    profiles = make_profiles()
    weights = np.random.default_rng(1).integers(1, 6, len(profiles))
    repeated = np.repeat(profiles, weights, axis=0)
    labels, centroids = settle(repeated, k)
    sums, flat = sums_of(profiles, centroids, weights), repeated.reshape(len(repeated), -1)
    found = davies_bouldin(sums, centroids, EUCLIDEAN)
    assert found == pytest.approx(davies_bouldin_score(flat, labels), rel=1e-9)
    found = calinski_harabasz(sums, centroids)
    assert found == pytest.approx(calinski_harabasz_score(flat, labels), rel=1e-9)
    margin = assign(repeated, Assigner(centroids, EUCLIDEAN)).margin.mean()
    assert simplified_silhouette(sums) == pytest.approx(margin, rel=1e-9)


def test_simplified_silhouette_is_its_formula():
    profiles = make_profiles()
    _, centroids = settle(profiles, 4)
    apart = np.sqrt(((profiles[:, None] - centroids) ** 2).sum(axis=(2, 3)))
    first, second = np.sort(apart, axis=1)[:, :2].T
    found = simplified_silhouette(sums_of(profiles, centroids))
    assert found == pytest.approx(np.mean(1 - first / second), rel=1e-9)


def test_davies_bouldin_takes_the_distances_of_the_metric():
    profiles, metric = make_profiles(30), get_metric("dtw")
    assigner = Assigner(profiles[:3], metric)
    found = assign(profiles, assigner)
    scatter = [np.sqrt(found.squared[found.labels == c]).mean() for c in range(3)]
    apart = np.sqrt(metric.squared_distances(profiles[:3], profiles[:3]))
    worst = [
        max((scatter[i] + scatter[j]) / apart[i, j] for j in range(3) if j != i) for i in range(3)
    ]
    sums = measure(found, np.ones(30), 3)
    assert davies_bouldin(sums, profiles[:3], metric) == pytest.approx(np.mean(worst), rel=1e-9)


def test_criteria_leave_out_clusters_without_members():
    profiles = make_profiles()
    _, centroids = settle(profiles, 3)
    more = np.concatenate([centroids, centroids[:1] + 100.0])
    few, many = sums_of(profiles, centroids), sums_of(profiles, more)
    found = davies_bouldin(many, more, EUCLIDEAN)
    assert found == pytest.approx(davies_bouldin(few, centroids, EUCLIDEAN), rel=1e-12)
    found = calinski_harabasz(many, more)
    assert found == pytest.approx(calinski_harabasz(few, centroids), rel=1e-12)


def test_criteria_of_one_cluster_are_nan():
    profiles = make_profiles()
    centroids = profiles.mean(axis=0)[None]
    sums = sums_of(profiles, centroids)
    assert np.isnan(davies_bouldin(sums, centroids, EUCLIDEAN))
    assert np.isnan(calinski_harabasz(sums, centroids))
    assert np.isnan(simplified_silhouette(sums))
