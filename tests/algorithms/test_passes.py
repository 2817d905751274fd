"""The loop over a source, against the loop over blocks and brute force."""

import numpy as np
import pytest

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block, Stack
from xvcluster.algorithms.lloyd import BLOCK_ROWS, Run, fit, split
from xvcluster.algorithms.metrics import DynamicTimeWarping, get_metric
from xvcluster.algorithms.passes import farthest, measure, pass_over, settle
from xvcluster.algorithms.source import InMemory

EUCLIDEAN = get_metric("euclidean")


class Unrefined(DynamicTimeWarping):
    """One step towards the barycenters a pass, as `settle` takes it."""

    max_refinements = 0


METRICS = {"euclidean": EUCLIDEAN, "dtw": Unrefined()}


def make_profiles(n, n_levels=8, n_variables=1, seed=0):
    """Random walks, which have no clear clusters."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n_levels, n_variables)).cumsum(axis=1)


def source_of(profiles):
    return InMemory(Block.of(profiles), Block.of(profiles[:1]))


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("seed", range(3))
def test_settle_reaches_the_centroids_of_fit_from_the_same_start(name, seed):
    profiles, metric = make_profiles(500, 6, 2, seed), METRICS[name]
    ours, theirs = ([Run(profiles[:k]) for k in (5, 3)] for _ in range(2))
    settle(source_of(profiles), ours, metric, max_iter=300, tol=1e-9)
    fit(split(Block.of(profiles), metric), theirs, metric, max_iter=300, tol=1e-9)
    for run, other in zip(ours, theirs, strict=True):
        assert run.converged
        assert (run.n_iter, run.converged) == (other.n_iter, other.converged)
        np.testing.assert_allclose(run.centroids, other.centroids, rtol=0, atol=1e-10)
        np.testing.assert_allclose(run.inertia, other.inertia, rtol=1e-10)


def test_settle_over_several_blocks_reaches_the_centroids_of_fit():
    profiles = make_profiles(2 * BLOCK_ROWS + 77, 4)
    ours, theirs = Run(profiles[:6]), Run(profiles[:6])
    settle(source_of(profiles), [ours], EUCLIDEAN, max_iter=25, tol=0.0)
    fit(split(Block.of(profiles), EUCLIDEAN), [theirs], EUCLIDEAN, max_iter=25, tol=0.0)
    np.testing.assert_allclose(ours.centroids, theirs.centroids, rtol=0, atol=1e-10)


def test_settle_under_dtw_ends_as_well_as_fit_which_refines():
    profiles, metric = make_profiles(300, 8), get_metric("dtw")
    ours, theirs = Run(profiles[:4]), Run(profiles[:4])
    settle(source_of(profiles), [ours], metric, max_iter=300, tol=1e-9)
    fit(split(Block.of(profiles), metric), [theirs], metric, max_iter=300, tol=1e-9)
    measure(source_of(profiles), [ours, theirs], metric)
    assert ours.inertia <= 1.02 * theirs.inertia


@pytest.mark.parametrize("seed", range(3))
def test_settle_that_follows_a_sample_needs_fewer_passes_and_ends_as_well(seed):
    profiles = make_profiles(20_000, 6, seed=seed)
    sample = Block.of(profiles[::4].copy())
    start = Run(profiles[:5])
    fit(split(sample, EUCLIDEAN), [start], EUCLIDEAN, max_iter=300, tol=1e-6)
    guided, plain = Run(start.centroids), Run(start.centroids)
    options = {"max_iter": 300, "tol": 1e-6}
    settle(source_of(profiles), [guided], EUCLIDEAN, sample=sample, **options)
    settle(source_of(profiles), [plain], EUCLIDEAN, **options)
    assert guided.converged
    assert plain.converged
    assert guided.n_iter < plain.n_iter
    measure(source_of(profiles), [guided, plain], EUCLIDEAN)
    assert guided.inertia <= (1 + 1e-6) * plain.inertia


def test_settle_that_follows_a_misleading_sample_goes_on_without_it():
    profiles = make_profiles(2000, 6)
    sample = Block.of(profiles[:20] + 5.0)
    misled, plain = Run(profiles[:5]), Run(profiles[:5])
    options = {"max_iter": 300, "tol": 1e-9}
    settle(source_of(profiles), [misled], EUCLIDEAN, sample=sample, **options)
    settle(source_of(profiles), [plain], EUCLIDEAN, **options)
    assert misled.converged
    measure(source_of(profiles), [misled, plain], EUCLIDEAN)
    assert misled.inertia <= 1.05 * plain.inertia


def test_settle_reports_and_saves_after_every_pass_and_stops_at_max_iter():
    profiles, seen, saved = make_profiles(200), [], []
    run = Run(profiles[:9])
    settle(
        source_of(profiles), [run], EUCLIDEAN,
        max_iter=3, tol=0.0, report=seen.append, save=lambda: saved.append(run.n_iter),
    )  # fmt: skip
    assert seen == [[run]] * 3
    assert saved == [1, 2, 3]
    assert run.n_iter == 3
    assert not run.converged


def test_settle_goes_on_where_it_was_stopped():
    profiles = make_profiles(400)
    whole, halted = Run(profiles[:7]), Run(profiles[:7])
    settle(source_of(profiles), [whole], EUCLIDEAN, max_iter=300, tol=0.0)
    settle(source_of(profiles), [halted], EUCLIDEAN, max_iter=4, tol=0.0)
    assert whole.n_iter > 4
    again = Run(halted.centroids, n_iter=halted.n_iter)
    settle(source_of(profiles), [again], EUCLIDEAN, max_iter=300, tol=0.0)
    np.testing.assert_array_equal(again.centroids, whole.centroids)
    assert (again.n_iter, again.converged) == (whole.n_iter, True)


def test_settle_lets_runs_that_have_converged_rest():
    profiles, seen = make_profiles(200), []
    settled, moving = Run(profiles[:3], converged=True), Run(profiles[:5])
    settle(source_of(profiles), [settled, moving], EUCLIDEAN, max_iter=50, tol=0.0,
           report=lambda runs: seen.append(len(runs)))  # fmt: skip
    np.testing.assert_array_equal(settled.centroids, profiles[:3])
    assert settled.n_iter == 0
    assert moving.converged
    assert set(seen) == {2}


def test_settle_never_raises_the_inertia_from_pass_to_pass():
    profiles, inertia = make_profiles(300), []
    settle(
        source_of(profiles), [Run(profiles[:7])], EUCLIDEAN,
        max_iter=40, tol=0.0, report=lambda runs: inertia.append(runs[0].inertia),
    )  # fmt: skip
    assert np.all(np.diff(inertia) <= 1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_settle_moves_an_empty_cluster_to_the_farthest_profile(name):
    profiles = np.repeat([[0.0], [1.0], [9.0]], [5, 5, 1], axis=0)[..., None]
    run = Run(np.array([[[0.0]], [[100.0]]]))
    settle(source_of(profiles), [run], get_metric(name), max_iter=20, tol=0.0)
    assert sorted(run.centroids.ravel()) == [0.5, 9.0]
    assert run.converged


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_settle_moves_several_empty_clusters_at_once(name, dtype):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(5) * 100.0, [30, 20, 10, 5, 1])[:, None, None]
    profiles = (groups + rng.normal(size=(66, 4, 1))).astype(dtype)
    run = Run(np.concatenate([profiles[:1], 1e4 + np.zeros((4, 4, 1))]).astype(float))
    settle(source_of(profiles), [run], get_metric(name), max_iter=50, tol=0.0)
    assert run.converged
    found = assign(profiles, Assigner(run.centroids, get_metric(name)))
    assert len(np.unique(found.labels)) == 5
    np.testing.assert_allclose(found.squared.sum(), run.inertia, rtol=1e-3)


def test_settle_leaves_an_empty_cluster_where_every_profile_has_its_own():
    profiles = np.array([[[0.0]], [[1.0]], [[1.0]]])
    run = Run(np.array([[[0.0]], [[1.0]], [[5.0]]]))
    settle(source_of(profiles), [run], EUCLIDEAN, max_iter=20, tol=0.0)
    assert run.centroids.ravel().tolist() == [0.0, 1.0, 5.0]
    assert run.converged


def test_settle_never_changes_the_profiles_or_the_starts():
    profiles = make_profiles(100)
    start, before = profiles[:4].copy(), profiles.copy()
    settle(source_of(profiles), [Run(start)], EUCLIDEAN, max_iter=5, tol=0.0)
    np.testing.assert_array_equal(profiles, before)
    np.testing.assert_array_equal(start, before[:4])


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_measure_brings_the_inertia_up_to_date(name):
    profiles, metric = make_profiles(300, 8), get_metric(name)
    runs = [Run(profiles[:k]) for k in (3, 5)]
    fit(split(Block.of(profiles), EUCLIDEAN), runs, metric, max_iter=1, tol=0.0)
    stale, centroids = [run.inertia for run in runs], [run.centroids.copy() for run in runs]
    measure(source_of(profiles), runs, metric)
    for run, old, kept in zip(runs, stale, centroids, strict=True):
        assert run.inertia < old
        expected = assign(profiles, Assigner(run.centroids, metric)).squared.sum()
        np.testing.assert_allclose(run.inertia, expected, rtol=1e-9)
        np.testing.assert_array_equal(run.centroids, kept)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("n", [1, 5, 40])
def test_farthest_equals_brute_force(name, n):
    profiles, metric = make_profiles(BLOCK_ROWS + 200, 4), get_metric(name)
    centroids = profiles[::1500]
    squared = metric.squared_distances(profiles, centroids).min(axis=1)
    found = farthest(source_of(profiles), centroids, metric, n)
    np.testing.assert_array_equal(found, profiles[np.argsort(-squared)[:n]])


def test_farthest_gives_only_profiles_that_are_off_all_centroids():
    profiles = np.array([0.0, 1.0, 1.0, 7.0, 3.0])[:, None, None]
    source = source_of(profiles)
    found = farthest(source, np.array([[[0.0]], [[1.0]]]), EUCLIDEAN, 4)
    assert found.ravel().tolist() == [7.0, 3.0]
    assert farthest(source, profiles, EUCLIDEAN, 2).shape == (0, 1, 1)


class InParts:
    """Profiles in parts of any size and order."""

    def __init__(self, profiles, order, cuts):
        self.profiles = profiles
        self.parts = [profiles[rows] for rows in np.split(order, cuts)]

    def total(self, step, join):
        return join([step(part) for part in self.parts])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_a_pass_gives_the_same_bits_in_whatever_parts_profiles_come(name, dtype):
    rng = np.random.default_rng(5)
    values = np.round(make_profiles(900, 41, 1, 6), 1).astype(dtype)
    profiles = Block(values, rng.uniform(0.1, 2.0, 900))
    stack = Stack.of([values[:3].astype(float), values[10:17].astype(float)])
    whole = pass_over(InMemory.of(profiles), stack, METRICS[name])
    for _ in range(3):
        parts = InParts(profiles, rng.permutation(900), np.unique(rng.integers(1, 900, 30)))
        found = pass_over(parts, stack, METRICS[name])
        np.testing.assert_array_equal(found.sums, whole.sums)
        np.testing.assert_array_equal(found.mass, whole.mass)
        np.testing.assert_allclose(found.inertia, whole.inertia)


def test_the_farthest_of_equally_far_profiles_do_not_depend_on_their_order():
    values = np.zeros((30, 2, 1))
    values[:8] = np.array([[3, 4], [4, 3], [-3, 4], [5, 0], [0, 5], [-5, 0], [4, -3], [3, -4]])[
        ..., None
    ]
    expected = farthest(InMemory.of(Block.of(values)), np.zeros((1, 2, 1)), EUCLIDEAN, 3)
    rng = np.random.default_rng(0)
    for _ in range(5):
        parts = InParts(Block.of(values), rng.permutation(30), [4, 11, 20])
        found = farthest(parts, np.zeros((1, 2, 1)), EUCLIDEAN, 3)
        np.testing.assert_array_equal(found, expected)
