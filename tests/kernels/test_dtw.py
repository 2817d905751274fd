"""DTW kernels against tslearn."""

import numpy as np
import pytest
from tslearn.metrics import cdist_dtw, dtw_path

from xvcluster.kernels import dtw
from xvcluster.kernels.dtw import LANE, squared_distances, warp_and_sum

PLAIN = ("_lane_distances", "squared_distances", "sum_along_path", "warp_and_sum")


def make_pair(n_variables, n=LANE + 5, k=4, n_levels=11, n_columns=11):
    rng = np.random.default_rng(n_variables)
    X = rng.normal(size=(n, n_levels, n_variables)).cumsum(axis=1)
    return X, rng.normal(size=(k, n_columns, n_variables)).cumsum(axis=1)


@pytest.mark.parametrize("n", [1, LANE, 2 * LANE + 3])
@pytest.mark.parametrize("n_variables", [1, 2, 3])
def test_squared_distances_equal_tslearn(n, n_variables):
    X, centroids = make_pair(n_variables, n)
    out = np.empty((n, len(centroids)))
    squared_distances(X, centroids, out)
    np.testing.assert_allclose(out, cdist_dtw(X, centroids) ** 2, rtol=1e-9)


def test_squared_distances_take_centroids_of_another_length():
    X, centroids = make_pair(2, n_columns=7)
    out = np.empty((len(X), len(centroids)))
    squared_distances(X, centroids, out)
    np.testing.assert_allclose(out, cdist_dtw(X, centroids) ** 2, rtol=1e-9)


def test_squared_distances_in_float32_are_those_of_float64_rounded():
    X, centroids = (a.astype("float32") for a in make_pair(2))
    out = np.empty((len(X), len(centroids)), "float32")
    squared_distances(X, centroids, out)
    np.testing.assert_allclose(out, cdist_dtw(X, centroids) ** 2, rtol=1e-4)


def test_squared_distances_of_a_profile_to_itself_are_zero():
    X, _ = make_pair(1)
    out = np.empty((len(X), len(X)))
    squared_distances(X, X, out)
    assert np.all(np.diag(out) == 0.0)
    np.testing.assert_allclose(out, out.T, rtol=1e-12)


@pytest.mark.parametrize("n_variables", [1, 2])
@pytest.mark.parametrize("rounded", [False, True], ids=["distinct", "ties"])
def test_warp_and_sum_follows_the_paths_of_tslearn(n_variables, rounded):
    X, centroids = make_pair(n_variables, n=23)
    X, centroids = (X.round(), centroids.round()) if rounded else (X, centroids)
    labels = (np.arange(len(X)) % len(centroids)).astype("int32")
    labels[::5] = -1
    expected, paired = np.zeros(centroids.shape), np.zeros(centroids.shape[:2])
    squared = np.zeros(len(centroids))
    for x, label in zip(X, labels, strict=True):
        if label < 0:
            continue
        path, distance = dtw_path(x, centroids[label])
        squared[label] += distance**2
        for i, j in path:
            expected[label, j] += x[i]
            paired[label, j] += 1
    sums, mass = np.zeros(centroids.shape), np.zeros(centroids.shape[:2])
    inertia = np.zeros(len(centroids))
    warp_and_sum(X, centroids, labels, sums, mass, inertia)
    np.testing.assert_array_equal(mass, paired)
    np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(inertia, squared, rtol=1e-9)


def test_kernels_equal_the_plain_python_that_they_are_compiled_from(monkeypatch):
    X, centroids = make_pair(2, n=3, k=2, n_levels=4, n_columns=4)
    labels = np.array([1, -1, 0], dtype="int32")
    found = []
    for plain in (False, True):
        for name in PLAIN if plain else ():
            monkeypatch.setattr(dtw, name, getattr(dtw, name).py_func)
        squared, sums, mass = np.empty((3, 2)), np.zeros((2, 4, 2)), np.zeros((2, 4))
        inertia = np.zeros(2)
        dtw.squared_distances(X, centroids, squared)
        dtw.warp_and_sum(X, centroids, labels, sums, mass, inertia)
        found.append((squared, sums, mass, inertia))
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-12)
