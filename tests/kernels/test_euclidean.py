"""Euclidean kernels against broadcast NumPy."""

import math

import numpy as np
import pytest

from xvcluster.kernels import euclidean
from xvcluster.kernels.euclidean import assign_and_move, squared_distances

PLAIN = ("_square", "_nearest", "_add", "_move", "_sum_exactly", "assign_and_move")


def accumulate(
    X, centroids, held=None, active=None, kernel=assign_and_move, weights=None, rest=None
):
    """What the kernel adds for several runs of centroids (k, F), and the labels that it holds."""
    C = np.concatenate(centroids).astype(X.dtype)
    first = np.cumsum([0] + [len(c) for c in centroids])
    sums, counts, inertia = np.zeros(C.shape), np.zeros(len(C)), np.zeros(len(C))
    half_norms = (0.5 * (C.astype(float) ** 2).sum(axis=1)).astype(X.dtype)
    groups = np.unique([0, len(centroids) // 2, len(centroids)])
    active = np.arange(len(centroids)) if active is None else np.asarray(active)
    held = np.full((len(centroids), len(X)), -1, np.int32) if held is None else held
    weights = np.ones(len(X)) if weights is None else weights
    rest = np.zeros((0, X.shape[1])) if rest is None else rest
    kernel(
        X, weights, C, half_norms, first, groups, active, held, sums, counts, inertia,
        rest, np.zeros(len(rest)),
    )  # fmt: skip
    return first, sums, counts, inertia, held


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-10), ("float32", 1e-4)])
def test_assign_and_move_equals_brute_force_in_every_run(dtype, rtol):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(101, 7)).astype(dtype)
    centroids = [rng.normal(size=(k, 7)) for k in (1, 4, 3)]
    first, sums, counts, inertia, held = accumulate(X, centroids)
    for r, own in enumerate(centroids):
        squared = ((X[:, None].astype(float) - own) ** 2).sum(axis=2)
        labels, part = squared.argmin(axis=1), slice(first[r], first[r + 1])
        np.testing.assert_array_equal(held[r], labels)
        for j in range(len(own)):
            members = labels == j
            assert counts[part][j] == members.sum()
            np.testing.assert_allclose(sums[part][j], X[members].sum(axis=0), rtol=rtol, atol=1e-4)
            np.testing.assert_allclose(inertia[part][j], squared[members, j].sum(), rtol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_assign_and_move_keeps_the_sums_that_summing_anew_gives(dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 6)).astype(dtype)
    held, kept, mass = np.full((2, 150), -1, np.int32), 0.0, 0.0
    for _ in range(12):
        centroids = [rng.normal(size=(k, 6)) for k in (5, 3)]
        _, change, moved, inertia, held = accumulate(X, centroids, held)
        kept, mass = kept + change, mass + moved
        _, sums, counts, fresh, labels = accumulate(X, centroids)
        np.testing.assert_array_equal(held, labels)
        np.testing.assert_array_equal(mass, counts)
        np.testing.assert_allclose(kept, sums, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(inertia, fresh)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_assign_and_move_by_weights_is_as_of_profiles_that_are_repeated(dtype):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(101, 7)).astype(dtype), rng.integers(0, 4, size=101)
    centroids = [rng.normal(size=(k, 7)) for k in (1, 4, 3)]
    _, *found, held = accumulate(X, centroids, weights=weights.astype(float))
    _, *expected, labels = accumulate(np.repeat(X, weights, axis=0), centroids)
    np.testing.assert_array_equal(np.repeat(held, weights, axis=1), labels)
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_assign_and_move_of_the_same_centroids_again_changes_nothing():
    rng = np.random.default_rng(0)
    X, centroids = rng.normal(size=(50, 4)), [rng.normal(size=(3, 4))]
    *_, held = accumulate(X, centroids)
    _, sums, counts, _, _ = accumulate(X, centroids, held.copy())
    assert not sums.any()
    assert not counts.any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_assign_and_move_keeps_what_rounding_leaves_out(dtype):
    rng = np.random.default_rng(4)
    X, centroids = rng.normal(3.0, 1.0, (700, 5)).astype(dtype), [rng.normal(size=(3, 5))]
    weights, rest = rng.uniform(0.1, 2.0, 700), np.zeros((3, 5))
    _, sums, _, _, held = accumulate(X, centroids, weights=weights, rest=rest)
    for k, f in np.ndindex(3, 5):
        own = held[0] == k
        assert sums[k, f] + rest[k, f] == math.fsum(weights[own] * X[own, f])


def test_assign_and_move_lets_the_labels_of_other_runs_rest():
    rng = np.random.default_rng(0)
    X, centroids = rng.normal(size=(50, 4)), [rng.normal(size=(k, 4)) for k in (3, 2)]
    held = np.full((4, 50), -1, np.int32)
    accumulate(X, centroids, held, active=[3, 1])
    assert np.all(held[[0, 2]] == -1)
    for row, own in zip((3, 1), centroids, strict=True):
        squared = ((X[:, None] - own) ** 2).sum(axis=2)
        np.testing.assert_array_equal(held[row], squared.argmin(axis=1))


def test_assign_and_move_takes_the_first_of_equally_near_centroids():
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    _, _, counts, inertia, _ = accumulate(X, [np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])])
    assert counts.tolist() == [1, 1, 0]
    assert inertia.sum() == 0.0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_squared_distances_equal_brute_force_far_from_the_origin(dtype):
    rng = np.random.default_rng(0)
    X = (1e4 + rng.normal(size=(40, 9))).astype(dtype)
    centroids = 1e4 + rng.normal(size=(3, 9))
    out = np.empty((40, 3))
    squared_distances(X, centroids, out)
    expected = ((X[:, None].astype(float) - centroids) ** 2).sum(axis=2)
    np.testing.assert_allclose(out, expected, rtol=1e-12)


def test_kernels_equal_the_plain_python_that_they_are_compiled_from(monkeypatch):
    rng = np.random.default_rng(1)
    X, centroids = rng.normal(size=(9, 3)), [rng.normal(size=(2, 3)), rng.normal(size=(3, 3))]
    held = rng.integers(-1, 2, size=(2, 9)).astype("int32")
    compiled = accumulate(X, centroids, held.copy())
    for name in PLAIN:
        monkeypatch.setattr(euclidean, name, getattr(euclidean, name).py_func)
    plain = accumulate(X, centroids, held.copy(), kernel=euclidean.assign_and_move)
    for own, expected in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-12)
    rests = np.zeros((2, 5, 3))
    accumulate(X, centroids, rest=rests[0])
    accumulate(X, centroids, kernel=euclidean.assign_and_move, rest=rests[1])
    np.testing.assert_array_equal(*rests)
    out, expected = np.empty((9, 2)), np.empty((9, 2))
    squared_distances(X, centroids[0], out)
    squared_distances.py_func(X, centroids[0], expected)
    np.testing.assert_allclose(out, expected, rtol=1e-12)
