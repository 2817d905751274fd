"""Euclidean kernels against broadcast NumPy."""

import numpy as np
import pytest

from xvcluster.kernels.euclidean import assign_and_sum, squared_distances


def accumulate(X, centroids):
    """What assign_and_sum gives for several runs of centroids (k, F)."""
    C = np.concatenate(centroids).astype(X.dtype)
    first = np.cumsum([0] + [len(c) for c in centroids])
    sums, counts, inertia = np.zeros(C.shape), np.zeros(len(C)), np.zeros(len(C))
    farthest = np.zeros(len(centroids), dtype=np.intp)
    half_norms = (0.5 * (C.astype(float) ** 2).sum(axis=1)).astype(X.dtype)
    distance = assign_and_sum(X, X @ C.T, half_norms, first, sums, counts, inertia, farthest)
    return first, sums, counts, inertia, farthest, distance


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-10), ("float32", 1e-4)])
def test_assign_and_sum_equals_brute_force_in_every_run(dtype, rtol):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(101, 7)).astype(dtype)
    centroids = [rng.normal(size=(k, 7)) for k in (1, 4, 3)]
    first, sums, counts, inertia, farthest, distance = accumulate(X, centroids)
    for r, own in enumerate(centroids):
        squared = ((X[:, None].astype(float) - own) ** 2).sum(axis=2)
        labels, part = squared.argmin(axis=1), slice(first[r], first[r + 1])
        for j in range(len(own)):
            members = labels == j
            assert counts[part][j] == members.sum()
            np.testing.assert_allclose(sums[part][j], X[members].sum(axis=0), rtol=rtol, atol=1e-4)
            np.testing.assert_allclose(inertia[part][j], squared[members, j].sum(), rtol=rtol)
        assert farthest[r] == squared.min(axis=1).argmax()
        np.testing.assert_allclose(distance[r], squared.min(axis=1).max(), rtol=rtol)


def test_assign_and_sum_takes_the_first_of_equally_near_centroids():
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    _, _, counts, inertia, _, _ = accumulate(X, [np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])])
    assert counts.tolist() == [1, 1, 0]
    assert inertia.sum() == 0.0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_squared_distances_equal_brute_force_far_from_the_origin(dtype):
    rng = np.random.default_rng(0)
    X = (1e4 + rng.normal(size=(40, 9))).astype(dtype)
    centroid = 1e4 + rng.normal(size=9)
    out = np.empty(len(X))
    squared_distances(X, centroid, out)
    np.testing.assert_allclose(out, ((X.astype(float) - centroid) ** 2).sum(axis=1), rtol=1e-12)


def test_kernels_equal_the_plain_python_that_they_are_compiled_from(monkeypatch):
    rng = np.random.default_rng(1)
    X, centroids = rng.normal(size=(9, 3)), [rng.normal(size=(2, 3)), rng.normal(size=(3, 3))]
    compiled = accumulate(X, centroids)
    monkeypatch.setitem(globals(), "assign_and_sum", assign_and_sum.py_func)
    for own, plain in zip(compiled, accumulate(X, centroids), strict=True):
        np.testing.assert_allclose(own, plain, rtol=1e-12)
    out, expected = np.empty(9), np.empty(9)
    squared_distances(X, centroids[0][0], out)
    squared_distances.py_func(X, centroids[0][0], expected)
    np.testing.assert_allclose(out, expected, rtol=1e-12)
