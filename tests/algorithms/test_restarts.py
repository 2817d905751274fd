"""Restarts for many k, of which the best is kept."""

import copy
import os

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans

from xvcluster.algorithms import restarts
from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.initialize import k_means_plus_plus
from xvcluster.algorithms.lloyd import Run, fit, split
from xvcluster.algorithms.metrics import DynamicTimeWarping, Euclidean, get_metric
from xvcluster.algorithms.restarts import best_runs, best_runs_of_samples
from xvcluster.algorithms.search import Gist
from xvcluster.algorithms.source import InMemory

EUCLIDEAN, DTW = get_metric("euclidean"), get_metric("dtw")


class SmallSample(Euclidean):
    sample_size = 60


class SmallWarpedSample(DynamicTimeWarping):
    sample_size = 60


class EarlySettled(Euclidean):
    """Settles on 200 profiles before it sees all."""

    sample_size = 60
    settled_size = 200


class EarlyWarped(DynamicTimeWarping):
    sample_size = 60
    settled_size = 200


EARLY = {"euclidean": EarlySettled(), "dtw": EarlyWarped()}
SMALL = {"euclidean": SmallSample(), "dtw": SmallWarpedSample()}


def make_profiles(n, n_levels, n_variables=1, seed=0):
    """Random walks, which have no clear clusters."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n_levels, n_variables)).cumsum(axis=1)


def find(profiles, ks, metric=EUCLIDEAN, seed=0, **options):
    options = {"n_init": 3, "max_iter": 100, "tol": 1e-6} | options
    source = InMemory.of(Block.of(profiles))
    return best_runs(source, ks, metric, seed=np.random.SeedSequence(seed), **options)


def inertia_of(profiles, run, metric):
    return assign(profiles, Assigner(run.centroids, metric)).squared.sum()


def test_best_runs_keep_the_best_start_of_every_k():
    profiles = make_profiles(200, 8)
    many, one = (find(profiles, [2, 4, 6], n_init=n, seed=3) for n in (8, 1))
    assert list(many) == [2, 4, 6]
    for k, run in many.items():
        assert run.centroids.shape == (k, 8, 1)
        assert run.inertia <= one[k].inertia
    assert many[2].inertia > many[4].inertia > many[6].inertia


def test_best_runs_of_a_sweep_are_at_least_as_good_as_those_of_one_k():
    profiles = make_profiles(200, 8)
    swept = find(profiles, [2, 3, 5], seed=1)
    for k in (2, 3, 5):
        assert swept[k].inertia <= find(profiles, [k], seed=1)[k].inertia * (1 + 1e-12)


class Breathless(Euclidean):
    """Never given more clusters."""

    breaths = 0


def test_best_runs_of_one_k_are_as_good_as_the_best_of_separate_fits():
    profiles = make_profiles(300, 8)
    block, seeds = Block.of(profiles), np.random.SeedSequence(7).spawn(20)
    runs = [Run(k_means_plus_plus(block, EUCLIDEAN, 5, seed)) for seed in seeds]
    fit(split(block, EUCLIDEAN), runs, EUCLIDEAN, max_iter=100, tol=1e-9)
    separate = [inertia_of(profiles, run, EUCLIDEAN) for run in runs]
    for metric, expected in ((EUCLIDEAN, min(separate)), (Breathless(), np.median(separate))):
        found = find(profiles, [5], metric, n_init=10, tol=1e-9)[5]
        assert inertia_of(profiles, found, EUCLIDEAN) <= 1.001 * expected
        again = Run(found.centroids.copy())
        fit(split(block, EUCLIDEAN), [again], EUCLIDEAN, max_iter=100, tol=1e-9)
        np.testing.assert_allclose(again.centroids, found.centroids, rtol=1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("small", [False, True], ids=["all at once", "sample first"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("max_iter", [1, 2, 60])
def test_best_runs_never_let_the_inertia_rise_with_k(name, small, seed, max_iter):
    profiles = make_profiles(250, 6, 1, seed)
    metric, ks = SMALL[name] if small else get_metric(name), [1, 2, 3, 4, 5, 6, 7, 8, 9, 12]
    found = find(profiles, ks, metric, seed, n_init=1, max_iter=max_iter, tol=1e-4)
    inertia = np.array([inertia_of(profiles, found[k], metric) for k in ks])
    assert [len(found[k].centroids) for k in ks] == ks
    assert np.all(np.diff(inertia) <= 0)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_best_runs_that_settle_on_a_sample_see_all_profiles_in_the_end(name):
    profiles, metric = make_profiles(500, 6), SMALL[name]
    seen = []
    found = find(profiles, [3, 5], metric, n_init=6, report=lambda runs: seen.append(len(runs)))
    whole = find(profiles, [3, 5], get_metric(name), n_init=6)
    assert seen[0] == 2 * 6 * metric.draws  # all starts of both k
    assert seen[-1] < seen[0]
    for k in (3, 5):
        assert found[k].converged
        assert found[k].mass[:, 0].sum() >= 500
        reached = inertia_of(profiles, found[k], metric)
        np.testing.assert_allclose(found[k].inertia, reached, rtol=1e-3)
        assert reached <= 1.05 * inertia_of(profiles, whole[k], metric)


def test_best_runs_find_clusters_that_the_sample_has_not_seen():
    profiles = np.zeros((3000, 2, 1))
    profiles[:4] = np.arange(1.0, 5.0)[:, None, None] * 100
    found = find(profiles, [5], SmallSample())[5]
    assert np.all(found.mass[:, 0] > 0)
    assert sorted(found.centroids[:, 0, 0]) == [0.0, 100.0, 200.0, 300.0, 400.0]


@pytest.mark.parametrize(
    ("name", "ks"), [("euclidean", [5]), ("euclidean", [3, 4, 7]), ("dtw", [4])]
)
@pytest.mark.parametrize("seed", range(3))
def test_best_runs_of_more_profiles_than_settle_early_are_settled_on_all(name, ks, seed):
    profiles, metric = make_profiles(900, 6, 1, seed), EARLY[name]
    found = find(profiles, ks, metric, seed, max_iter=300, tol=1e-9)
    for k in ks:
        assert found[k].converged
        again = Run(found[k].centroids.copy())
        variance = profiles.reshape(900, -1).var(axis=0).mean()
        blocks = split(Block.of(profiles), metric)
        fit(blocks, [again], metric, max_iter=300, tol=1e-9 * variance)
        reached, expected = (inertia_of(profiles, run, metric) for run in (found[k], again))
        assert reached <= expected * (1 + 1e-6)
        np.testing.assert_allclose(found[k].inertia, reached, rtol=1e-6)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_best_runs_of_more_profiles_than_settle_early_are_nearly_as_good(name):
    profiles = make_profiles(900, 6)
    early, whole = (find(profiles, [3, 5], m, n_init=6) for m in (EARLY[name], get_metric(name)))
    for k in (3, 5):
        reached, best = (inertia_of(profiles, runs[k], EARLY[name]) for runs in (early, whole))
        assert reached <= 1.05 * best


@pytest.mark.parametrize("max_iter", [1, 2, 60])
@pytest.mark.parametrize("seed", range(3))
def test_best_runs_that_settle_early_never_let_the_inertia_rise_with_k(seed, max_iter):
    profiles, ks = make_profiles(500, 6, 1, seed), list(range(1, 13))
    found = find(profiles, ks, EARLY["euclidean"], seed, n_init=1, max_iter=max_iter, tol=1e-4)
    inertia = np.array([inertia_of(profiles, found[k], EUCLIDEAN) for k in ks])
    assert np.all(np.diff(inertia) <= 0)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_best_runs_that_are_resumed_end_at_the_same_centroids(name):
    profiles, saved = make_profiles(900, 6), []

    def save(runs):
        saved.append({k: copy.copy(run) for k, run in runs.items()})

    options = {"max_iter": 100, "tol": 1e-9}
    whole = find(profiles, [3, 5], EARLY[name], save=save, **options)
    passes = max(run.n_iter for run in whole.values())
    assert len(saved) >= passes + 2 > 4  # before, after each pass, and at the end
    assert {run.n_iter for run in saved[0].values()} == {0}
    for state in (saved[0], saved[1], saved[passes // 2], saved[-1]):
        resumed = {k: copy.copy(run) for k, run in state.items()}
        again = find(profiles, [3, 5], EARLY[name], resumed=resumed, **options)
        for k in (3, 5):
            np.testing.assert_array_equal(again[k].centroids, whole[k].centroids)
            assert again[k].converged
            assert again[k].n_iter == whole[k].n_iter


def test_best_runs_that_are_resumed_explore_nothing_anew():
    profiles, seen = make_profiles(900, 6), []
    whole = find(profiles, [5], EARLY["euclidean"])
    find(profiles, [5], EARLY["euclidean"], resumed=whole, report=seen.append)
    assert seen == []


def test_best_runs_of_a_sample_alone_in_memory_see_all_profiles():
    profiles = make_profiles(900, 6)
    source = InMemory(Block.of(profiles), Block.of(profiles[::3].copy()))
    options = {"n_init": 3, "max_iter": 300, "tol": 1e-9, "seed": np.random.SeedSequence(0)}
    run = best_runs(source, [4], EUCLIDEAN, **options)[4]
    assert run.converged
    again = Run(run.centroids.copy())
    fit(split(Block.of(profiles), EUCLIDEAN), [again], EUCLIDEAN, max_iter=300, tol=1e-9)
    reached, expected = (inertia_of(profiles, r, EUCLIDEAN) for r in (run, again))
    assert reached <= expected * (1 + 1e-6)


def test_grow_adds_the_farthest_profiles_one_by_one():
    profiles = np.array([0.0, 1.0, 5.0, 20.0, 21.0])[:, None, None]
    source = InMemory.of(Block.of(profiles))
    grown = restarts._grow(np.zeros((1, 1, 1)), 3, source, EUCLIDEAN)
    assert grown.ravel().tolist() == [0.0, 21.0, 5.0]


def test_grow_repeats_a_profile_where_none_is_off_the_centroids():
    profiles = np.array([0.0, 1.0])[:, None, None]
    grown = restarts._grow(profiles, 4, InMemory.of(Block.of(profiles)), EUCLIDEAN)
    assert grown.ravel().tolist() == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("seed", [1, 5, 6, 9])
def test_best_runs_that_are_cut_short_never_let_the_inertia_rise_with_k(seed):
    profiles = np.random.default_rng(seed).normal(size=(80, 4, 1)).astype("float32")
    ks = list(range(1, 50))
    found = find(profiles, ks, SMALL["euclidean"], seed, n_init=1, max_iter=2)
    inertia = np.array([inertia_of(profiles, found[k], EUCLIDEAN) for k in ks])
    assert np.all(np.diff(inertia) <= 0)


@pytest.mark.parametrize("n", [80, 600])
@pytest.mark.parametrize("max_iter", [1, 60])
def test_best_runs_of_many_levels_never_let_the_inertia_rise_with_k(n, max_iter):
    profiles = np.random.default_rng(n).normal(size=(n, 20, 2)).astype("float32")
    ks = list(range(1, 30))
    found = find(profiles, ks, n_init=1, max_iter=max_iter)
    inertia = np.array([inertia_of(profiles, found[k], EUCLIDEAN) for k in ks])
    assert np.all(np.diff(inertia) <= 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(3))
def test_best_runs_of_many_levels_are_as_good_as_scikit_learn(dtype, seed):
    profiles = make_profiles(900, 40, 2, seed).astype(dtype)
    X = profiles.reshape(900, -1).astype(float)
    found = find(profiles, [2, 6], n_init=10, seed=seed, tol=1e-4)
    for k, run in found.items():
        theirs = KMeans(k, n_init=10, random_state=seed).fit(X)
        assert run.centroids.shape == (k, 40, 2)
        assert inertia_of(profiles, run, EUCLIDEAN) <= 1.001 * theirs.inertia_
        np.testing.assert_allclose(run.inertia, inertia_of(profiles, run, EUCLIDEAN), rtol=1e-3)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_best_runs_of_a_seed_are_always_the_same(name):
    profiles = make_profiles(300, 6)
    first, again = (find(profiles, [2, 4], SMALL[name], 7) for _ in range(2))
    other = find(profiles, [2, 4], SMALL[name], 8)
    for k in (2, 4):
        np.testing.assert_array_equal(first[k].centroids, again[k].centroids)
    assert not np.array_equal(first[4].centroids, other[4].centroids)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_best_runs_do_not_depend_on_the_number_of_threads(name):
    profiles = make_profiles(1500, 41).astype("float32")
    found, threads = [], numba.get_num_threads()
    try:
        for n in (1, min(2, threads)):
            numba.set_num_threads(n)
            options = {"n_init": 2, "max_iter": 5, "tol": 1e-4}
            found.append(find(profiles, [4], SMALL[name], **options)[4].centroids)
    finally:
        numba.set_num_threads(threads)
    np.testing.assert_array_equal(*found)


@settings(deadline=None, max_examples=30)
@given(
    profiles=arrays(np.float64, st.tuples(st.integers(1, 40), st.just(3), st.just(1)),
                    elements=st.integers(-5, 5).map(float)),
    n_clusters=st.integers(1, 6),
)  # fmt: skip
def test_best_runs_stay_finite_and_are_no_worse_than_one_cluster(profiles, n_clusters):
    n_clusters = min(n_clusters, len(np.unique(profiles, axis=0)))
    run = find(profiles, [n_clusters], max_iter=50, n_init=1, tol=0.0)[n_clusters]
    assert np.isfinite(run.centroids).all()
    assert run.inertia <= inertia_of(profiles, Run(profiles.mean(axis=0)[None]), EUCLIDEAN) + 1e-9
    assert inertia_of(profiles, run, EUCLIDEAN) <= run.inertia + 1e-9


def draw_samples(profiles, n):
    """Bootstrap samples, with the gist of all profiles."""
    gist = Gist.of(Block.of(profiles), EUCLIDEAN)
    for rng in map(np.random.default_rng, range(n)):
        times = np.bincount(rng.integers(0, len(profiles), len(profiles)), minlength=len(profiles))
        times = times.astype(float)
        block = Block(profiles, times).counted()
        yield Sample(block, None if gist is None else gist.weigh(times))


@pytest.mark.parametrize("n", [700, 3000])
def test_best_runs_of_samples_are_the_same_together_and_one_by_one(n):
    profiles, ks = make_profiles(n, 9), [2, 3, 6]
    samples, seeds = list(draw_samples(profiles, 4)), np.random.SeedSequence(3).spawn(4)
    options = {"n_init": 1, "max_iter": 100, "tol": 1e-4}
    together = best_runs_of_samples(samples, ks, EUCLIDEAN, seeds=seeds, **options)
    seeds = np.random.SeedSequence(3).spawn(4)
    for sample, seed, found in zip(samples, seeds, together, strict=True):
        [alone] = best_runs_of_samples([sample], ks, EUCLIDEAN, seeds=[seed], **options)
        for k in ks:
            np.testing.assert_allclose(found[k].centroids, alone[k].centroids, rtol=1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("ks", [[4], [3, 4]])
def test_best_runs_of_samples_settle_on_all_profiles_although_a_search_sees_some(name, ks):
    profiles, metric = make_profiles(900, 8), EARLY[name]
    options = {"n_init": 1, "max_iter": 100, "tol": 1e-4}
    seeds = np.random.SeedSequence(3).spawn(2)
    found = best_runs_of_samples(
        [Sample(Block.of(profiles))] * 2, ks, metric, seeds=seeds, **options
    )
    for seed, runs in zip(np.random.SeedSequence(3).spawn(2), found, strict=True):
        alone = best_runs(InMemory.of(Block.of(profiles)), ks, metric, seed=seed, **options)
        for k in ks:
            assert runs[k].inertia < 1.01 * alone[k].inertia
            assert inertia_of(profiles, runs[k], metric) <= 1.0001 * runs[k].inertia


@pytest.mark.parametrize("n", [3000, 20_000])
def test_best_runs_of_samples_do_not_depend_on_the_number_of_threads(n):
    profiles, found, threads = make_profiles(n, 41).astype("float32"), [], numba.get_num_threads()
    options = {"n_init": 1, "max_iter": 20, "tol": 1e-4}
    try:
        for n_threads in (1, min(2, threads)):
            numba.set_num_threads(n_threads)
            samples, seeds = list(draw_samples(profiles, 5)), np.random.SeedSequence(3).spawn(5)
            runs = best_runs_of_samples(samples, [4], EUCLIDEAN, seeds=seeds, **options)
            found.append([own[4].centroids for own in runs])
    finally:
        numba.set_num_threads(threads)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("ks", [[6], [5, 6, 7]])
@pytest.mark.parametrize("n", [700, 5000])
def test_best_runs_of_samples_are_nearly_as_good_as_thorough_ones(n, ks):
    profiles, ratios = make_profiles(n, 9), []
    options = {"n_init": 1, "max_iter": 100, "tol": 1e-4}
    for i, sample in enumerate(draw_samples(profiles, 5)):
        source, seeds = InMemory.of(sample.profiles), np.random.SeedSequence(i).spawn(2)
        thorough = best_runs(source, ks, EUCLIDEAN, seed=seeds[0], **options)[6]
        [found] = best_runs_of_samples([sample], ks, EUCLIDEAN, seeds=seeds[1:], **options)
        inertia = [
            sample.profiles.weights
            @ EUCLIDEAN.squared_distances(sample.profiles.values, run.centroids).min(axis=1)
            for run in (found[6], thorough)
        ]
        ratios.append(inertia[0] / inertia[1])
    assert np.mean(ratios) < 1.003
