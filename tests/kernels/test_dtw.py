"""DTW kernels against tslearn."""

from itertools import pairwise

import numpy as np
import pytest
from tslearn.metrics import cdist_dtw, dtw_path

from xvcluster.kernels import dtw
from xvcluster.kernels.dtw import LANE, _bound, nearest, squared_distances, warp_and_sum

PLAIN = (
    "_is_beaten _further _lane_distances _load _bound _envelop nearest squared_distances "
    "_lane_paths _follow_paths _add_exactly warp_and_sum _sort settle"
).split()
TSLEARN_BAND = {"global_constraint": "sakoe_chiba"}


def make_pair(n_variables, n=LANE + 5, k=4, n_levels=11, n_columns=11):
    rng = np.random.default_rng(n_variables)
    X = rng.normal(size=(n, n_levels, n_variables)).cumsum(axis=1)
    return X, rng.normal(size=(k, n_columns, n_variables)).cumsum(axis=1)


def make_band(n_levels, window=None, n_columns=None):
    """Where the levels i and j are at most a window apart."""
    n_columns = n_levels if n_columns is None else n_columns
    i = np.arange(n_levels)
    if window is None:
        return np.zeros(n_levels, np.intp), np.full(n_levels, n_columns)
    return np.maximum(i - window, 0), np.minimum(i + window + 1, n_columns)


def tslearn_band(window):
    return {} if window is None else {**TSLEARN_BAND, "sakoe_chiba_radius": window}


def measure(X, centroids, low, high):
    out = np.empty((len(X), len(centroids)), X.dtype)
    squared_distances(X, centroids, low, high, out)
    return out


def search(X, centroids, low, high, guess):
    labels, squared = np.empty(len(X), np.int32), np.empty(len(X), X.dtype)
    nearest(X, centroids, low, high, guess.astype("i4"), labels, squared)
    return labels, squared


def warp(X, centroids, low, high, order, first, weights=None):
    sums, mass = np.zeros(centroids.shape), np.zeros(centroids.shape[:2])
    inertia = np.zeros(len(centroids))
    weights = np.ones(len(X)) if weights is None else weights
    rest, rest_mass = np.zeros(sums.shape), np.zeros(mass.shape)
    warp_and_sum(
        X, weights, centroids, low, high, order, first, sums, mass, inertia, rest, rest_mass
    )
    return sums, mass, inertia


@pytest.mark.parametrize("n", [1, LANE, 2 * LANE + 3])
@pytest.mark.parametrize("n_variables", [1, 2, 3])
def test_squared_distances_equal_tslearn(n, n_variables):
    X, centroids = make_pair(n_variables, n)
    out = measure(X, centroids, *make_band(11))
    np.testing.assert_allclose(out, cdist_dtw(X, centroids) ** 2, rtol=1e-9)


@pytest.mark.parametrize("n_columns", [1, 7, 40])
def test_squared_distances_take_centroids_of_another_length(n_columns):
    X, centroids = make_pair(2, n_columns=n_columns)
    out = measure(X, centroids, *make_band(11, n_columns=n_columns))
    np.testing.assert_allclose(out, cdist_dtw(X, centroids) ** 2, rtol=1e-9)


@pytest.mark.parametrize("n_levels", [1, 2, 16, 37])
@pytest.mark.parametrize("window", [0, 1, 5, 36])
@pytest.mark.parametrize("n_variables", [1, 2])
def test_squared_distances_within_a_window_equal_tslearn(n_levels, window, n_variables):
    X, centroids = make_pair(n_variables, n_levels=n_levels, n_columns=n_levels)
    out = measure(X, centroids, *make_band(n_levels, window))
    expected = cdist_dtw(X, centroids, **tslearn_band(window)) ** 2
    np.testing.assert_allclose(out, expected, rtol=1e-9)


def test_squared_distances_within_a_window_that_widens_at_once_equal_brute_force():
    levels = np.array([0.0, 10, 11, 12, 13, 14, 15, 30, 31, 60])
    reach = np.abs(levels[:, None] - levels) <= 10.0
    X, centroids = make_pair(1, n_levels=10, n_columns=10)
    low, high = reach.argmax(axis=1), 10 - reach[:, ::-1].argmax(axis=1)
    measure(X[::-1] * 1e-3, centroids, *make_band(10))  # leaves small values in fresh memory
    out = measure(X, centroids, low, high)
    for a, x in enumerate(X):
        for b, centroid in enumerate(centroids):
            np.testing.assert_allclose(out[a, b], least_cost(x, centroid, reach), rtol=1e-9)


def least_cost(x, centroid, reach):
    """The recurrence in plain Python, where `reach` (n_levels, n_levels) allows."""
    cost = np.full((len(x) + 1, len(centroid) + 1), np.inf)
    cost[0, 0] = 0.0
    for i, j in np.argwhere(reach):
        before = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
        cost[i + 1, j + 1] = before + ((x[i] - centroid[j]) ** 2).sum()
    return cost[-1, -1]


def test_squared_distances_in_float32_are_those_of_float64_rounded():
    X, centroids = (a.astype("float32") for a in make_pair(2))
    out = measure(X, centroids, *make_band(11))
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, cdist_dtw(X, centroids) ** 2, rtol=1e-4)


def test_squared_distances_of_a_profile_to_itself_are_zero():
    X, _ = make_pair(1)
    out = measure(X, X, *make_band(11))
    assert np.all(np.diag(out) == 0.0)
    np.testing.assert_allclose(out, out.T, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("window", [None, 0, 3])
@pytest.mark.parametrize("n_variables", [1, 2, 3])
@pytest.mark.parametrize("n_levels", [1, 16, 35])
def test_nearest_equals_the_least_of_all_distances_for_any_guess(
    dtype, window, n_variables, n_levels
):
    X, centroids = make_pair(n_variables, 2 * LANE + 9, 6, n_levels, n_levels)
    X, centroids = X.astype(dtype), centroids.astype(dtype)
    band = make_band(n_levels, window)
    every = measure(X, centroids, *band)
    best, worst = every.argmin(axis=1), every.argmax(axis=1)
    mixed = np.random.default_rng(0).integers(-1, 6, size=len(X))
    for guess in (best, worst, mixed, np.full(len(X), -1), np.full(len(X), 5)):
        labels, squared = search(X, centroids, *band, guess)
        np.testing.assert_array_equal(labels, best)
        np.testing.assert_array_equal(squared, every.min(axis=1))


@pytest.mark.parametrize("n_levels", [15, 31, 47])
@pytest.mark.parametrize("n", [1, 3])
def test_nearest_of_few_profiles_is_not_given_up_before_the_last_level(n, n_levels):
    for seed in range(150):
        rng = np.random.default_rng(seed)
        X, centroids = rng.normal(size=(n, n_levels, 1)), rng.normal(size=(3, n_levels, 1))
        every = measure(X, centroids, *make_band(n_levels))
        labels, squared = search(X, centroids, *make_band(n_levels), np.full(n, -1))
        np.testing.assert_array_equal(labels, every.argmin(axis=1))
        np.testing.assert_array_equal(squared, every.min(axis=1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_levels", [5, 16, 33])
def test_nearest_of_equal_centroids_is_the_first_whatever_the_guess(dtype, n_levels):
    X, centroids = make_pair(1, n_levels=n_levels, n_columns=n_levels)
    centroids = np.concatenate([centroids, X[:3], centroids, X[:3]]).astype(dtype)
    X = X.astype(dtype)
    first = measure(X, centroids, *make_band(n_levels)).argmin(axis=1)
    assert first.max() < 7
    for guess in (first + 7, first, np.full(len(X), 13)):
        labels, _ = search(X, centroids, *make_band(n_levels), guess)
        np.testing.assert_array_equal(labels, first)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nearest_of_ties_among_rounded_profiles_is_the_first(dtype):
    rng = np.random.default_rng(0)
    X, centroids = rng.integers(0, 2, (200, 20, 1)), rng.integers(0, 2, (7, 20, 1))
    X, centroids = X.astype(dtype), centroids.astype(dtype)
    for window in (None, 2):
        every = measure(X, centroids, *make_band(20, window))
        for guess in (rng.integers(-1, 7, size=200), every.argmax(axis=1)):
            labels, squared = search(X, centroids, *make_band(20, window), guess)
            np.testing.assert_array_equal(labels, every.argmin(axis=1))
            np.testing.assert_array_equal(squared, every.min(axis=1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("window", [None, 0, 2])
@pytest.mark.parametrize("n_levels", [1, 2, 40])
def test_bound_never_exceeds_the_distance(dtype, window, n_levels):
    X, centroids = make_pair(2, 60, 6, n_levels, n_levels)
    X = np.concatenate([X, centroids, 0 * X + np.array([0.1, 0.7])]).astype(dtype)
    centroids = np.concatenate([centroids, 0 * centroids + 0.3]).astype(dtype)
    low, high = make_band(n_levels, window)
    every = measure(X, centroids, low, high)
    for k, centroid in enumerate(centroids):
        hull = [centroid[a:b] for a, b in zip(low, high, strict=True)]
        lower, upper = np.stack([h.min(0) for h in hull]), np.stack([h.max(0) for h in hull])
        bounds = np.array([_bound(x, centroid, lower, upper) for x in X])
        assert np.all(bounds <= every[:, k])
        if window == 0:
            rtol = 1e-4 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(bounds, every[:, k], rtol=rtol)


@pytest.mark.parametrize("n_variables", [1, 2])
@pytest.mark.parametrize("rounded", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("window", [None, 0, 3])
@pytest.mark.parametrize(("n", "n_levels"), [(23, 11), (90, 13), (200, 40)])
def test_warp_and_sum_follows_the_paths_of_tslearn(n_variables, rounded, window, n, n_levels):
    X, centroids = make_pair(n_variables, n, 4, n_levels, n_levels)
    X, centroids = (X.round(), centroids.round()) if rounded else (X, centroids)
    labels = np.random.default_rng(0).integers(-1, 3, size=n)
    labels[labels == 1] = 3  # cluster 1 is empty, most others fill several lanes
    expected, paired = np.zeros(centroids.shape), np.zeros(centroids.shape[:2])
    squared = np.zeros(len(centroids))
    for x, label in zip(X, labels, strict=True):
        if label < 0:
            continue
        path, distance = dtw_path(x, centroids[label], **tslearn_band(window))
        squared[label] += distance**2
        for i, j in path:
            expected[label, j] += x[i]
            paired[label, j] += 1
    order = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[order], np.arange(5))
    sums, mass, inertia = warp(X, centroids, *make_band(n_levels, window), order, first)
    np.testing.assert_array_equal(mass, paired)
    np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(inertia, squared, rtol=1e-9)


def test_warp_and_sum_takes_the_members_of_a_cluster_in_any_order():
    X, centroids = make_pair(2, n=3 * LANE)
    first = np.array([0, 40, 40, 50, 90])
    order = np.random.default_rng(0).permutation(3 * LANE)
    mixed = np.concatenate([np.sort(order[a:b])[::-1] for a, b in pairwise(first)])
    found = warp(X, centroids, *make_band(11), order, first)
    for own, other in zip(found, warp(X, centroids, *make_band(11), mixed, first), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-12)


def test_warp_and_sum_by_weights_is_as_of_profiles_that_are_repeated():
    X, centroids = make_pair(2, n=90)
    weights = np.random.default_rng(0).integers(0, 4, size=90)
    edges = np.array([0, 40, 40, 50, 90])
    found = warp(X, centroids, *make_band(11), np.arange(90), edges, weights.astype(float))
    repeated, own_edges = np.repeat(X, weights, axis=0), np.append(0, weights.cumsum())[edges]
    expected = warp(repeated, centroids, *make_band(11), np.arange(len(repeated)), own_edges)
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-12)


def test_warp_and_sum_in_float32_keeps_every_move_of_many_levels():
    X, centroids = (a.round().astype("float32") for a in make_pair(1, 70, 2, 60, 60))
    order, first = np.arange(70), np.array([0, 40, 70])
    found = warp(X, centroids, *make_band(60), order, first)
    exact = warp(X.astype(float), centroids.astype(float), *make_band(60), order, first)
    for own, other in zip(found, exact, strict=True):
        np.testing.assert_array_equal(own, other)


def test_kernels_equal_the_plain_python_that_they_are_compiled_from(monkeypatch):
    X, centroids = make_pair(2, n=3, k=2, n_levels=17, n_columns=17)
    band, order, first = make_band(17, 2), np.array([2, 0, 1]), np.array([0, 1, 3])
    weights, found = np.array([1.0, 0.5, 3.0]), []
    monkeypatch.setattr(dtw, "LANE", 2)
    for plain in (False, True):
        for name in PLAIN if plain else ():
            monkeypatch.setattr(dtw, name, getattr(dtw, name).py_func)
        squared, labels, least = np.empty((3, 2)), np.empty(3, np.int32), np.empty(3)
        sums, mass, inertia = np.zeros((2, 17, 2)), np.zeros((2, 17)), np.zeros(2)
        dtw.squared_distances(X, centroids, *band, squared)
        dtw.nearest(X, centroids, *band, np.array([1, -1, 0], np.int32), labels, least)
        rest, rest_mass = np.zeros(sums.shape), np.zeros(mass.shape)
        dtw.warp_and_sum(
            X, weights, centroids, *band, order, first, sums, mass, inertia, rest, rest_mass
        )
        own, held, shift = centroids.copy(), np.full((1, 3), -1, np.int32), np.full(1, np.inf)
        settled, paired, n_iter = np.zeros(sums.shape), np.zeros(mass.shape), np.zeros(1, np.intp)
        within = np.empty(1)
        dtw.settle(
            X, weights, own, np.array([0, 2]), *band, 1e-9, 3, 1.8,
            held, settled, paired, within, n_iter, shift,
        )  # fmt: skip
        found.append((squared, labels, least, sums, mass, inertia, rest, rest_mass))
        found[-1] += (own, held, settled, paired, within, n_iter, shift)
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-12)
