"""Runs that settle in one call, against scikit-learn and brute force."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from xvcluster.algorithms.blocks import Block, Settling
from xvcluster.algorithms.lloyd import Run, fit
from xvcluster.algorithms.metrics import get_metric
from xvcluster.kernels.euclidean import TILE

EUCLIDEAN = get_metric("euclidean")


def settle(values, starts, weights=None, *, metric=EUCLIDEAN, max_iter=300, tol=1e-12):
    block = Block.of(values, weights)
    state = Settling.of([start.astype(np.float64) for start in starts], len(values))
    metric.settle(block, state, max_iter=max_iter, tol=tol)
    return state


@pytest.mark.parametrize("max_iter", [1, 2, 7, 300])
@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_runs_under_dtw_settle_as_they_do_pass_by_pass(dtype, window, max_iter):
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(size=(150, 9, 2)), axis=1).astype(dtype)
    weights = rng.uniform(0.0, 2.0, 150)
    metric, starts = get_metric("dtw", window, np.arange(9.0)), [values[:4], values[20:23]]
    state = settle(values, starts, weights, metric=metric, max_iter=max_iter, tol=1e-4)
    runs = [Run(start.astype(np.float64)) for start in starts]
    options = {"max_iter": max_iter, "tol": 1e-4, "refinements": 0, "stride": metric.stride}
    fit([Block.of(values, weights)], runs, metric, **options)
    for r, (run, part) in enumerate(zip(runs, state.clusters.parts(), strict=True)):
        np.testing.assert_allclose(state.clusters.centroids[part], run.centroids, rtol=1e-12)
        np.testing.assert_allclose(state.mass[part], run.mass, rtol=1e-12)
        np.testing.assert_allclose(state.inertia[r], run.inertia, rtol=1e-12)
        assert state.n_iter[r] == run.n_iter
        assert (state.shift[r] <= 1e-4) == run.converged


@pytest.mark.parametrize("n", [TILE - 1, TILE, 3 * TILE + 1])
@pytest.mark.parametrize(("levels", "variables"), [(1, 1), (4, 1), (5, 3), (7, 1)])
def test_settled_runs_equal_scikit_learn(n, levels, variables):
    rng = np.random.default_rng(n + levels)
    values, weights = rng.normal(size=(n, levels, variables)), rng.uniform(0.1, 3.0, n)
    starts = [values[:5].copy(), values[40:47].copy(), values[10:12].copy()]
    state = settle(values, starts, weights)
    flat = values.reshape(n, -1)
    for r, (start, part) in enumerate(zip(starts, state.clusters.parts(), strict=True)):
        k = len(start)
        theirs = KMeans(k, init=start.reshape(k, -1), n_init=1, max_iter=300, tol=0.0)
        theirs.fit(flat, sample_weight=weights)
        own = state.clusters.centroids[part].reshape(k, -1)
        np.testing.assert_allclose(own, theirs.cluster_centers_, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(state.held[r], theirs.labels_)
        np.testing.assert_allclose(state.inertia[r], theirs.inertia_, rtol=1e-9)
        mass = np.bincount(theirs.labels_, weights, minlength=k)
        np.testing.assert_allclose(state.mass[part], np.repeat(mass[:, None], levels, 1), rtol=1e-9)


def test_one_pass_is_that_of_brute_force_in_float32():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1000, 11, 1)).astype(np.float32)
    state = settle(values, [values[:9].astype(float)], max_iter=1)
    squared = ((values[:, None, :, 0] - values[:9, :, 0].astype(float)) ** 2).sum(axis=2)
    labels = squared.argmin(axis=1)
    np.testing.assert_array_equal(state.held[0], labels)
    means = [values[labels == c].astype(float).mean(axis=0) for c in range(9)]
    np.testing.assert_allclose(state.clusters.centroids, means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(state.inertia, squared.min(axis=1).sum(), rtol=1e-5)
    assert state.n_iter.tolist() == [1]


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_a_run_with_an_empty_cluster_ends_and_others_go_on(name):
    values = np.repeat([0.0, 1.0, 8.0, 9.0], 3)[:, None, None]
    starts = [np.array([0.0, 100.0])[:, None, None], np.array([0.0, 1.0])[:, None, None]]
    state = settle(values, starts, metric=get_metric(name))
    assert state.mass.ravel().tolist() == [12.0, 0.0, 6.0, 6.0]
    assert state.n_iter[0] == 1
    np.testing.assert_allclose(state.clusters.centroids[2:].ravel(), [0.5, 8.5], rtol=1e-5)
