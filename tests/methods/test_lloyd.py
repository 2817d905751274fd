"""The loop of k-means against scikit-learn and tslearn."""

import os

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans
from tslearn.clustering import TimeSeriesKMeans
from tslearn.metrics import cdist_dtw

from xvcluster.methods import METRICS
from xvcluster.methods.assign import assign
from xvcluster.methods.lloyd import BLOCK_BYTES, Run, best_runs, fit, split

EUCLIDEAN, DTW = METRICS["euclidean"], METRICS["dtw"]


def make_profiles(n, n_levels, n_variables=1, seed=0):
    """Random walks, in no clear groups."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n_levels, n_variables)).cumsum(axis=1)


def make_shifted(n, n_levels, n_variables, seed):
    """Profiles of three shapes whose steps lie at different depths."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(0, 1, n_levels)[None, :, None]
    step = rng.uniform(0.3, 0.7, size=(n, 1, 1))
    height = (np.arange(n) % 3 + 1.0)[:, None, None]
    profiles = height * np.tanh((depth - step) / 0.05) + np.sin(6 * (depth - step) * height)
    profiles = np.repeat(profiles, n_variables, axis=2) * np.arange(1, n_variables + 1)
    return profiles + 0.1 * rng.normal(size=(n, n_levels, n_variables))


def variance(profiles):
    return profiles.reshape(len(profiles), -1).var(axis=0).mean()


@pytest.mark.parametrize("seed", range(3))
def test_fit_equals_scikit_learn_from_the_same_centroids(seed):
    profiles = make_profiles(700, 12, 2, seed)
    start, X = profiles[:6], profiles.reshape(700, -1)
    theirs = KMeans(6, init=start.reshape(6, -1), n_init=1, max_iter=300, tol=1e-4).fit(X)
    run = Run(start)
    fit(split(profiles), [run], EUCLIDEAN, max_iter=300, tol=1e-4 * variance(profiles))
    ours = assign(profiles, run.centroids, EUCLIDEAN)
    np.testing.assert_array_equal(ours.labels, theirs.labels_)
    np.testing.assert_allclose(ours.squared.sum(), theirs.inertia_, rtol=1e-6)
    assert run.converged


@pytest.mark.parametrize("n_variables", [1, 2])
def test_fit_equals_tslearn_from_the_same_centroids(n_variables):
    profiles = make_profiles(300, 12, n_variables)
    theirs = TimeSeriesKMeans(5, init=profiles[:5], n_init=1, max_iter=60, tol=0.0).fit(profiles)
    run = Run(profiles[:5])
    fit(split(profiles), [run], EUCLIDEAN, max_iter=60, tol=0.0)
    np.testing.assert_allclose(run.centroids, theirs.cluster_centers_, rtol=1e-9)
    labels = assign(profiles, run.centroids, EUCLIDEAN).labels
    np.testing.assert_array_equal(labels, theirs.labels_)


@pytest.mark.parametrize("n_variables", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_fit_under_dtw_reaches_the_inertia_of_tslearn(seed, n_variables):
    profiles = make_shifted(150, 25, n_variables, seed)
    start = profiles[np.random.default_rng(seed).choice(150, 4, replace=False)]
    theirs = TimeSeriesKMeans(4, metric="dtw", init=start, n_init=1, max_iter=50).fit(profiles)
    run = Run(start)
    fit(split(profiles), [run], DTW, max_iter=50, tol=1e-4 * variance(profiles))
    inertia, reference = (
        (cdist_dtw(profiles, centroids) ** 2).min(axis=1).sum()
        for centroids in (run.centroids, theirs.cluster_centers_)
    )
    assert inertia <= 1.001 * reference


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_fit_advances_runs_together_as_if_alone(name, order):
    profiles, metric = make_shifted(200, 15, 1, 0), METRICS[name]
    starts = [profiles[:3], profiles[10:15], profiles[20:21]]
    starts = [starts[i] for i in order]
    together = [Run(start) for start in starts]
    fit(split(profiles), together, metric, max_iter=20, tol=1e-6)
    for start, run in zip(starts, together, strict=True):
        alone = Run(start)
        fit(split(profiles), [alone], metric, max_iter=20, tol=1e-6)
        np.testing.assert_allclose(run.centroids, alone.centroids, rtol=1e-12)
        assert (run.n_iter, run.converged) == (alone.n_iter, alone.converged)


def test_fit_reports_every_pass_and_stops_at_max_iter():
    profiles, seen = make_profiles(200, 8), []
    run = Run(profiles[:9])
    fit(split(profiles), [run], EUCLIDEAN, max_iter=3, tol=0.0, report=seen.append)
    assert seen == [[run]] * 3
    assert run.n_iter == 3
    assert not run.converged


def test_fit_never_raises_the_inertia_from_pass_to_pass():
    profiles = make_profiles(300, 8)
    run, inertia = Run(profiles[:7]), []
    fit(
        split(profiles), [run], EUCLIDEAN,
        max_iter=40, tol=0.0, report=lambda runs: inertia.append(runs[0].inertia),
    )  # fmt: skip
    assert np.all(np.diff(inertia) <= 1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_fit_moves_an_empty_cluster_to_the_farthest_profile(name):
    profiles = np.repeat([[0.0], [1.0], [9.0]], [5, 5, 1], axis=0)[..., None]
    run = Run(np.array([[[0.0]], [[100.0]]]))
    fit(split(profiles), [run], METRICS[name], max_iter=20, tol=0.0)
    assert sorted(run.centroids.ravel()) == [0.5, 9.0]


def test_fit_leaves_an_empty_cluster_where_every_profile_has_its_own():
    profiles = np.array([[[0.0]], [[1.0]], [[1.0]]])
    run = Run(np.array([[[0.0]], [[1.0]], [[5.0]]]))
    fit(split(profiles), [run], EUCLIDEAN, max_iter=20, tol=0.0)
    assert run.centroids.ravel().tolist() == [0.0, 1.0, 5.0]
    assert run.converged


def test_split_cuts_whole_profiles_that_fit_a_cache():
    profiles = make_profiles(5000, 40)
    blocks = split(profiles)
    np.testing.assert_array_equal(np.concatenate(blocks), profiles)
    assert max(block.nbytes for block in blocks) <= BLOCK_BYTES
    assert len(blocks) > 1


def test_best_runs_keep_the_best_start_of_every_k():
    profiles = make_profiles(200, 8)
    options = {"max_iter": 100, "tol": 1e-6, "seed": np.random.SeedSequence(3)}
    many = best_runs(profiles, [2, 6, 4], EUCLIDEAN, n_init=8, **options)
    options["seed"] = np.random.SeedSequence(3)
    one = best_runs(profiles, [2, 6, 4], EUCLIDEAN, n_init=1, **options)
    assert list(many) == [2, 6, 4]
    for k, run in many.items():
        assert run.centroids.shape == (k, 8, 1)
        assert run.inertia <= one[k].inertia
    assert many[2].inertia > many[4].inertia > many[6].inertia


def test_best_runs_of_a_k_do_not_depend_on_smaller_ones():
    profiles = make_profiles(200, 8)
    options = {"n_init": 3, "max_iter": 100, "tol": 1e-6}
    alone = best_runs(profiles, [5], EUCLIDEAN, seed=np.random.SeedSequence(1), **options)
    swept = best_runs(profiles, [2, 3, 5], EUCLIDEAN, seed=np.random.SeedSequence(1), **options)
    np.testing.assert_allclose(swept[5].centroids, alone[5].centroids, rtol=1e-12)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_best_runs_do_not_depend_on_the_number_of_threads(name):
    profiles = make_profiles(1500, 20).astype("float32")
    found, threads = [], numba.get_num_threads()
    try:
        for n in (1, min(2, threads)):
            numba.set_num_threads(n)
            seed = np.random.SeedSequence(0)
            runs = best_runs(
                profiles, [4], METRICS[name], n_init=2, max_iter=5, tol=1e-4, seed=seed
            )
            found.append(runs[4].centroids)
    finally:
        numba.set_num_threads(threads)
    np.testing.assert_array_equal(*found)


@settings(deadline=None, max_examples=30)
@given(
    profiles=arrays(np.float64, st.tuples(st.integers(1, 40), st.just(3), st.just(1)),
                    elements=st.integers(-5, 5).map(float)),
    n_clusters=st.integers(1, 6),
)  # fmt: skip
def test_best_runs_stay_finite_and_improve_on_their_seeds(profiles, n_clusters):
    n_clusters = min(n_clusters, len(np.unique(profiles, axis=0)))
    options = {"n_init": 1, "tol": 0.0, "seed": np.random.SeedSequence(0)}
    run = best_runs(profiles, [n_clusters], EUCLIDEAN, max_iter=50, **options)[n_clusters]
    options["seed"] = np.random.SeedSequence(0)
    first = best_runs(profiles, [n_clusters], EUCLIDEAN, max_iter=1, **options)[n_clusters]
    assert np.isfinite(run.centroids).all()
    assert run.inertia <= first.inertia + 1e-9
    reached = assign(profiles, run.centroids, EUCLIDEAN).squared.sum()
    assert reached <= run.inertia + 1e-9
