"""The loop of k-means against scikit-learn and tslearn."""

import os
from threading import Thread, get_ident
from time import sleep

import numpy as np
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info, threadpool_limits
from tslearn.clustering import TimeSeriesKMeans
from tslearn.metrics import cdist_dtw

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import (
    BLOCK_ROWS,
    Group,
    Run,
    fit,
    fit_each,
    fit_groups,
    one_blas_thread,
    split,
    threads,
)
from xvcluster.algorithms.metrics import get_metric

EUCLIDEAN, DTW = get_metric("euclidean"), get_metric("dtw")


def make_profiles(n, n_levels, n_variables=1, seed=0):
    """Random walks, which have no clear clusters."""
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


def blocks_of(profiles):
    return split(Block.of(profiles), EUCLIDEAN)


def variance(profiles):
    return profiles.reshape(len(profiles), -1).var(axis=0).mean()


@pytest.mark.parametrize("seed", range(3))
def test_fit_equals_scikit_learn_from_the_same_centroids(seed):
    profiles = make_profiles(700, 12, 2, seed)
    start, X = profiles[:6], profiles.reshape(700, -1)
    theirs = KMeans(6, init=start.reshape(6, -1), n_init=1, max_iter=300, tol=1e-4).fit(X)
    run = Run(start)
    fit(blocks_of(profiles), [run], EUCLIDEAN, max_iter=300, tol=1e-4 * variance(profiles))
    ours = assign(profiles, Assigner(run.centroids, EUCLIDEAN))
    np.testing.assert_array_equal(ours.labels, theirs.labels_)
    np.testing.assert_allclose(ours.squared.sum(), theirs.inertia_, rtol=1e-6)
    assert run.converged


@pytest.mark.parametrize("n_variables", [1, 2])
def test_fit_equals_tslearn_from_the_same_centroids(n_variables):
    profiles = make_profiles(300, 12, n_variables)
    theirs = TimeSeriesKMeans(5, init=profiles[:5], n_init=1, max_iter=60, tol=0.0).fit(profiles)
    run = Run(profiles[:5])
    fit(blocks_of(profiles), [run], EUCLIDEAN, max_iter=60, tol=0.0)
    np.testing.assert_allclose(run.centroids, theirs.cluster_centers_, rtol=1e-9)
    labels = assign(profiles, Assigner(run.centroids, EUCLIDEAN)).labels
    np.testing.assert_array_equal(labels, theirs.labels_)


@pytest.mark.parametrize("n_variables", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_fit_under_dtw_reaches_the_inertia_of_tslearn(seed, n_variables):
    profiles = make_shifted(150, 25, n_variables, seed)
    start = profiles[np.random.default_rng(seed).choice(150, 4, replace=False)]
    theirs = TimeSeriesKMeans(4, metric="dtw", init=start, n_init=1, max_iter=50).fit(profiles)
    run = Run(start)
    options = {"max_iter": 50, "tol": 1e-4 * variance(profiles), "refinements": 29}
    fit(blocks_of(profiles), [run], DTW, **options)
    inertia, reference = (
        (cdist_dtw(profiles, centroids) ** 2).min(axis=1).sum()
        for centroids in (run.centroids, theirs.cluster_centers_)
    )
    assert inertia <= 1.001 * reference


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_fit_advances_runs_together_as_if_alone(name, order):
    profiles, metric = make_shifted(200, 15, 1, 0), get_metric(name)
    starts = [profiles[:3], profiles[10:15], profiles[20:21]]
    starts = [starts[i] for i in order]
    together = [Run(start) for start in starts]
    fit(blocks_of(profiles), together, metric, max_iter=20, tol=1e-6)
    for start, run in zip(starts, together, strict=True):
        alone = Run(start)
        fit(blocks_of(profiles), [alone], metric, max_iter=20, tol=1e-6)
        np.testing.assert_allclose(run.centroids, alone.centroids, rtol=1e-12)
        assert (run.n_iter, run.converged) == (alone.n_iter, alone.converged)


def test_fit_reports_every_pass_and_stops_at_max_iter():
    profiles, seen = make_profiles(200, 8), []
    run = Run(profiles[:9])
    fit(blocks_of(profiles), [run], EUCLIDEAN, max_iter=3, tol=0.0, report=seen.append)
    assert seen == [[run]] * 3
    assert run.n_iter == 3
    assert not run.converged


def test_fit_never_raises_the_inertia_from_pass_to_pass():
    profiles = make_profiles(300, 8)
    run, inertia = Run(profiles[:7]), []
    fit(
        blocks_of(profiles), [run], EUCLIDEAN,
        max_iter=40, tol=0.0, report=lambda runs: inertia.append(runs[0].inertia),
    )  # fmt: skip
    assert np.all(np.diff(inertia) <= 1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_fit_moves_an_empty_cluster_to_the_farthest_profile(name):
    profiles = np.repeat([[0.0], [1.0], [9.0]], [5, 5, 1], axis=0)[..., None]
    run = Run(np.array([[[0.0]], [[100.0]]]))
    fit(blocks_of(profiles), [run], get_metric(name), max_iter=20, tol=0.0)
    assert sorted(run.centroids.ravel()) == [0.5, 9.0]


def test_fit_leaves_an_empty_cluster_where_every_profile_has_its_own():
    profiles = np.array([[[0.0]], [[1.0]], [[1.0]]])
    run = Run(np.array([[[0.0]], [[1.0]], [[5.0]]]))
    fit(blocks_of(profiles), [run], EUCLIDEAN, max_iter=20, tol=0.0)
    assert run.centroids.ravel().tolist() == [0.0, 1.0, 5.0]
    assert run.converged


@pytest.mark.parametrize("n", [1, 100, 5000, 100_001])
def test_split_cuts_whole_profiles_into_blocks_of_one_size(n):
    profiles = np.arange(float(n))[:, None, None]
    blocks = split(profiles, EUCLIDEAN)
    np.testing.assert_array_equal(np.concatenate(blocks), profiles)
    sizes = [len(block) for block in blocks]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= BLOCK_ROWS
    assert len(blocks) >= min(n // 2048, 16)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_moves_several_empty_clusters_at_once(name, dtype):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(5) * 100.0, [30, 20, 10, 5, 1])[:, None, None]
    profiles = (groups + rng.normal(size=(66, 4, 1))).astype(dtype)
    start = np.concatenate([profiles[:1], 1e4 + np.zeros((4, 4, 1))]).astype(float)
    run = Run(start)
    fit(blocks_of(profiles), [run], get_metric(name), max_iter=50, tol=0.0)
    assert run.converged
    assert np.all(run.mass[:, 0] > 0)
    found = assign(profiles, Assigner(run.centroids, get_metric(name)))
    assert len(np.unique(found.labels)) == 5
    np.testing.assert_allclose(found.squared.sum(), run.inertia, rtol=1e-3)


def test_fit_keeps_the_sums_of_the_members_that_summing_anew_gives():
    profiles = make_profiles(3000, 12, 2).astype("float32")
    starts = [profiles[:k].astype(float) for k in (7, 4, 11)]
    before, after = ([Run(start) for start in starts] for _ in range(2))
    fit(blocks_of(profiles), before, EUCLIDEAN, max_iter=14, tol=0.0)
    fit(blocks_of(profiles), after, EUCLIDEAN, max_iter=15, tol=0.0)
    for held, run in zip(before, after, strict=True):
        labels = assign(profiles, Assigner(held.centroids, EUCLIDEAN)).labels
        for j in range(len(run.centroids)):
            members = profiles[labels == j]
            expected = members.sum(axis=0, dtype=float)
            assert np.all(run.mass[j] == len(members))
            np.testing.assert_allclose(run.sums[j], expected, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(run.centroids[j], expected / len(members), atol=1e-9)


def test_fit_under_dtw_with_a_window_reaches_the_inertia_of_tslearn():
    profiles = make_shifted(150, 25, 1, 0)
    start, band = profiles[:4], {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": 4}
    theirs = TimeSeriesKMeans(
        4, metric="dtw", init=start, n_init=1, max_iter=50, metric_params=band
    ).fit(profiles)
    run = Run(start)
    metric = get_metric("dtw", 4, np.arange(25.0))
    options = {"max_iter": 50, "tol": 1e-4 * variance(profiles), "refinements": 29}
    fit(blocks_of(profiles), [run], metric, **options)
    inertia, reference = (
        (cdist_dtw(profiles, centroids, **band) ** 2).min(axis=1).sum()
        for centroids in (run.centroids, theirs.cluster_centers_)
    )
    assert inertia <= 1.001 * reference


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_fits_in_several_threads_leave_blas_as_it_was():
    profiles, before = make_profiles(2000, 3), blas_threads()
    inside = []

    def fit_some(n):
        for _ in range(n):
            with threads() as map_blocks:
                inside.append(blas_threads())
                list(map_blocks(np.sum, np.array_split(profiles, 3)))

    workers = [Thread(target=fit_some, args=(n,)) for n in (40, 10, 30, 20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set().union(*inside) == {1}
    assert blas_threads() == before


def test_blas_is_limited_and_released_by_whichever_thread():
    with threadpool_limits(2, "blas"):  # of this thread
        before, seen = blas_threads(), []
        first, last = one_blas_thread(), one_blas_thread()

        def enter_and_leave():
            first.__enter__()
            last.__enter__()
            seen.append(blas_threads())
            first.__exit__(None, None, None)

        worker = Thread(target=enter_and_leave)
        worker.start()
        worker.join()
        seen.append(blas_threads())
        last.__exit__(None, None, None)
        assert seen == [{1}, {1}]
        assert blas_threads() == before


def test_little_work_is_done_by_this_thread():
    with threads(work=10) as map_blocks:
        assert set(map_blocks(lambda _: get_ident(), range(5))) == {get_ident()}


@pytest.mark.parametrize("wrong", [0, 7, 39])
def test_an_error_in_any_thread_is_raised_and_ends_the_others(wrong):
    called = []

    def fail(i):
        called.append(i)
        sleep(1e-3)
        if i == wrong:
            raise ValueError(f"no {i}")

    with threads() as map_blocks:
        with pytest.raises(ValueError, match=f"no {wrong}"):
            list(map_blocks(fail, range(40)))
        assert len(called) <= wrong + 1 + 2 * (os.cpu_count() or 1)
        assert list(map_blocks(abs, range(-5, 5))) == [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]


def test_outcomes_are_given_in_order_although_some_take_longer():
    def wait(i):
        sleep(2e-3 if i % 3 == 0 else 0.0)
        return i

    with threads() as map_blocks:
        assert list(map_blocks(wait, range(30))) == list(range(30))
        assert next(iter(map_blocks(wait, range(30)))) == 0  # the rest is not needed


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
def test_threads_within_threads_are_the_same_and_none_wait_for_each_other():
    def begin(_):
        with threads() as map_within:  # a pool of its own, or two such tasks would block it
            return list(map_within(lambda i: i, range(3)))

    with threads() as map_outside:
        outside = set(map_outside(lambda _: get_ident(), range(50)))
        with threads() as map_inside:
            inside = set(map_inside(lambda _: get_ident(), range(50)))
        assert len(outside | inside) <= (os.cpu_count() or 1)
        assert list(map_outside(begin, range(20))) == [[0, 1, 2]] * 20


@pytest.mark.parametrize("momentum", [0.0, 0.8])
@pytest.mark.parametrize("stride", [1.0, 1.5, 1.9])
@pytest.mark.parametrize("window", [None, 2])
def test_fit_under_dtw_never_lets_the_inertia_rise_from_pass_to_pass(stride, window, momentum):
    profiles, seen = make_shifted(200, 17, 2, 0), []
    metric, run = get_metric("dtw", window, np.arange(17.0)), Run(profiles[:4])
    options = {"max_iter": 12, "tol": 0.0, "refinements": 2, "stride": stride, "momentum": momentum}
    report = lambda runs: seen.append(runs[0].inertia)  # noqa: E731
    fit(blocks_of(profiles), [run], metric, report=report, **options)
    assert len(seen) > 3
    assert np.all(np.diff(seen) <= 1e-9 * seen[0])


@pytest.mark.parametrize("options", [{"stride": 1.5}, {"momentum": 0.8}])
def test_fit_with_long_strides_or_momentum_ends_at_the_means_of_the_members(options):
    profiles = make_profiles(300, 6)
    run = Run(profiles[:3])
    fit(blocks_of(profiles), [run], EUCLIDEAN, max_iter=300, tol=1e-20, **options)
    again = Run(run.centroids.copy())
    fit(blocks_of(profiles), [again], EUCLIDEAN, max_iter=1, tol=0.0)
    np.testing.assert_allclose(again.centroids, run.centroids, rtol=1e-6, atol=1e-8)


def test_fit_with_momentum_ends_lower_in_about_as_many_passes():
    profiles, metric, passes, inertia = make_shifted(400, 20, 1, 1), get_metric("dtw"), [], []
    for momentum in (0.0, 0.8):
        runs = [Run(profiles[i : i + 4]) for i in range(0, 48, 4)]
        options = {"max_iter": 300, "tol": 1e-4, "refinements": 1, "stride": 1.8}
        fit(blocks_of(profiles), runs, metric, momentum=momentum, **options)
        passes.append(sum(run.n_iter for run in runs))
        inertia.append(np.mean([run.inertia for run in runs]))
    assert passes[1] < 1.2 * passes[0]
    assert inertia[1] < 0.995 * inertia[0]


@pytest.mark.parametrize("max_iter", range(2, 12))
def test_fit_with_momentum_that_is_ended_early_gives_where_the_last_pass_led(max_iter):
    profiles, metric = make_shifted(200, 17, 1, 0), get_metric("dtw")
    run, seen = Run(profiles[:4]), []

    def look(runs):
        seen.append((runs[0].centroids, runs[0].led_to))

    fit(blocks_of(profiles), [run], metric, max_iter=max_iter, tol=0.0, momentum=0.9, report=look)
    carried, led_to = seen[-1]
    if led_to is None:  # the inertia has risen, so they are back already
        led_to = seen[-2][1]
    else:
        assert np.any(carried != led_to)
    np.testing.assert_array_equal(run.centroids, led_to)
    assert run.led_to is None


def test_a_cluster_that_was_moved_has_no_momentum():
    profiles = np.repeat([[0.0], [1.0], [9.0]], [5, 5, 1], axis=0)[..., None]
    run = Run(np.array([[[0.0]], [[100.0]]]), led_to=np.array([[[0.0]], [[200.0]]]))
    seen = []
    look = lambda runs: seen.append(runs[0].centroids.ravel().tolist())  # noqa: E731
    fit(blocks_of(profiles), [run], EUCLIDEAN, max_iter=1, tol=0.0, momentum=0.8, report=look)
    assert seen == [[14.0 / 11.0, 9.0]]


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_runs_that_settle_in_one_call_fill_empty_clusters(name):
    groups = np.repeat(np.arange(5) * 100.0, [30, 20, 10, 5, 1])[:, None, None]
    profiles = groups + np.random.default_rng(0).normal(size=(66, 4, 1))
    far = 1e4 + np.zeros((2, 4, 1))
    runs = [Run(np.concatenate([profiles[[0, 31, 51]], far])), Run(profiles[[0, 31, 51, 61, 65]])]
    settle = fit_groups if name == "euclidean" else fit_each
    settle([Group(Block.of(profiles), runs, 1.0)], get_metric(name), max_iter=300, tol=1e-9)
    for run in runs:
        assert run.converged
        np.testing.assert_allclose(np.sort(run.centroids[:, 0, 0]) // 50, [0, 2, 4, 6, 8], atol=1)
    np.testing.assert_allclose(runs[0].inertia, runs[1].inertia, rtol=0.01)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_runs_that_settle_in_one_call_fill_empty_clusters_although_others_have_converged(name):
    profiles = np.repeat([[0.0], [1.0], [9.0]], [5, 5, 1], axis=0)[..., None]
    run = Run(np.array([[[14.0 / 11.0]], [[100.0]]]))
    settle = fit_groups if name == "euclidean" else fit_each
    settle([Group(Block.of(profiles), [run], 1.0)], get_metric(name), max_iter=300, tol=1e-12)
    np.testing.assert_allclose(np.sort(run.centroids.ravel()), [0.5, 9.0], atol=1e-5)
