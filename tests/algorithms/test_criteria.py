"""Criteria against scikit-learn and brute force."""

from statistics import NormalDist

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from tslearn.metrics import cdist_dtw, cdist_soft_dtw_normalized

from xvcluster.algorithms import criteria
from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.criteria import (
    calinski_harabasz,
    davies_bouldin,
    draw_evenly,
    draw_references,
    eigengaps,
    gap_statistic,
    log_inertia,
    pairwise_distances,
    silhouettes,
    simplified_silhouette,
    smallest_within_gap,
    valley,
)
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.restarts import best_runs_of_samples
from xvcluster.profiles.statistics import measure

EUCLIDEAN = get_metric("euclidean")
OPTIONS = {"n_init": 2, "max_iter": 100, "tol": 0.0}


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


def score_silhouettes(profiles, assigners):
    labels = [assigner(profiles).labels for assigner in assigners]
    return silhouettes(pairwise_distances(profiles, assigners[0].metric), labels)


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


def make_walks(n=300, dtype="float64"):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 6, 2)).cumsum(axis=1).astype(dtype)


def assigners_of(name, profiles, ks=(2, 3, 7)):
    return [Assigner(profiles[:k].astype(float), get_metric(name)) for k in ks]


def brute_force(distances, labels):
    """Mean of (b - a) / max(a, b), 0 for a member that is alone."""
    found = []
    for i, own in enumerate(labels):
        others = np.arange(len(labels)) != i
        alike = distances[i, others & (labels == own)]
        if not alike.size:
            found.append(0.0)
            continue
        apart = min(distances[i, labels == c].mean() for c in set(labels) - {own})
        found.append((apart - alike.mean()) / max(apart, alike.mean()))
    return np.mean(found)


def test_silhouettes_equal_scikit_learn_from_the_profiles():
    profiles = make_walks()
    assigners = assigners_of("euclidean", profiles)
    found = score_silhouettes(profiles, assigners)
    assert len(found) == 3
    for value, assigner in zip(found, assigners, strict=True):
        labels = assigner(profiles).labels
        expected = silhouette_score(profiles.reshape(300, -1), labels)
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9)


def test_silhouettes_of_float32_are_measured_in_float64():
    profiles = make_walks(dtype="float32")
    (assigner,) = assigners_of("euclidean", profiles, [4])
    labels = assigner(profiles).labels
    expected = silhouette_score(profiles.reshape(300, -1).astype(float), labels)
    np.testing.assert_allclose(
        score_silhouettes(profiles, [assigner]), [expected], rtol=0, atol=1e-9
    )


def test_silhouettes_under_dtw_equal_brute_force():
    profiles = make_walks(150)
    assigners = assigners_of("dtw", profiles)
    distances = cdist_dtw(profiles, profiles)
    for value, assigner in zip(score_silhouettes(profiles, assigners), assigners, strict=True):
        expected = brute_force(distances, assigner(profiles).labels)
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9)


def test_silhouettes_under_dtw_keep_to_the_window():
    profiles, metric = make_walks(150), get_metric("dtw", 1, np.arange(6.0))
    band = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": 1}
    assigner = Assigner(profiles[:4], metric)
    expected = brute_force(cdist_dtw(profiles, profiles, **band), assigner(profiles).labels)
    np.testing.assert_allclose(
        score_silhouettes(profiles, [assigner]), [expected], rtol=0, atol=1e-9
    )


def test_silhouettes_under_soft_dtw_are_of_the_divergences():
    profiles = make_walks(40)
    (assigner,) = assigners_of("softdtw", profiles, [3])
    squared = np.maximum(cdist_soft_dtw_normalized(profiles, gamma=1.0), 0.0)
    np.fill_diagonal(squared, 0.0)
    expected = brute_force(np.sqrt(squared), assigner(profiles).labels)
    np.testing.assert_allclose(
        score_silhouettes(profiles, [assigner]), [expected], rtol=0, atol=1e-9
    )


def test_silhouettes_of_one_cluster_or_of_each_profile_in_its_own_are_none():
    profiles = make_walks(5)
    found = score_silhouettes(profiles, assigners_of("euclidean", profiles, [1, 5, 2]))
    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2])


@pytest.mark.parametrize("size", [1, 2, 7, 300, 1000])
def test_draw_evenly_takes_different_profiles_from_end_to_end(size):
    drawn = draw_evenly(Block.of(np.zeros((300, 1, 1))), size)
    assert drawn.size == min(size, 300)
    step = 300 / drawn.size
    assert drawn[0] == int(step / 2)  # the middle of the first step, and of the last one
    assert drawn[-1] == int(300 - step / 2)
    steps = np.diff(drawn)
    assert np.all(steps > 0)
    assert not steps.size or np.ptp(steps) <= 1


def make_groups(n=60, n_levels=3, seed=0):
    rng = np.random.default_rng(seed)
    means = np.repeat([0.0, 4.0, 9.0], n // 3)[:, None]
    return (means + rng.normal(size=(n, n_levels)))[..., None]


def pooled(profiles, labels):
    """W = Σᵣ Dᵣ / (2 nᵣ), with the sums D of squared distances between all pairs of a cluster."""
    flat = profiles.reshape(len(profiles), -1)
    total = 0.0
    for label in np.unique(labels):
        own = flat[labels == label]
        total += ((own[:, None] - own) ** 2).sum() / (2 * len(own))
    return total


def test_log_inertia_is_that_of_the_pooled_pairs():
    profiles, ks = make_groups(), [1, 2, 3, 4]
    seeds = [np.random.SeedSequence(3)]
    [found] = log_inertia([Sample(Block.of(profiles))], seeds, ks=ks, metric=EUCLIDEAN, **OPTIONS)
    seeds = [np.random.SeedSequence(3)]
    [runs] = best_runs_of_samples(
        [Sample(Block.of(profiles))], ks, EUCLIDEAN, seeds=seeds, **OPTIONS
    )
    for value, k in zip(found, ks, strict=True):
        labels = EUCLIDEAN.squared_distances(profiles, runs[k].centroids).argmin(axis=1)
        assert value == pytest.approx(np.log(pooled(profiles, labels)), rel=1e-9)


def test_gap_statistic_is_its_formula(monkeypatch):
    profiles, ks, n = make_groups(), [1, 2, 3, 4], 4
    observed, expected = [], []

    def record(samples, seeds, **options):
        found = log_inertia(samples, seeds, **options)
        for sample, logarithm in zip(samples, found, strict=True):
            (observed if sample.profiles.values is profiles else expected).append(logarithm)
        return found

    monkeypatch.setattr(criteria, "log_inertia", record)
    gap, error = gap_statistic(
        profiles, ks, EUCLIDEAN, n_references=n, seed=np.random.SeedSequence(5), **OPTIONS
    )
    assert (len(observed), len(expected)) == (1, n)
    assert len(np.unique(expected, axis=0)) == n
    mean = np.sum(expected, axis=0) / n
    spread = np.sqrt(np.sum((expected - mean) ** 2, axis=0) / n)
    np.testing.assert_allclose(gap, mean - observed[0], rtol=1e-9)
    np.testing.assert_allclose(error, spread * np.sqrt(1 + 1 / n), rtol=1e-9)


def test_gap_statistic_finds_the_groups():
    profiles, ks = make_groups(), [1, 2, 3, 4, 5]
    found = gap_statistic(
        profiles, ks, EUCLIDEAN, n_references=10, seed=np.random.SeedSequence(0), **OPTIONS
    )
    assert smallest_within_gap(ks, *found) == 3


def test_gap_statistic_of_one_group_is_highest_at_1():
    profiles, ks = np.random.default_rng(1).uniform(size=(200, 2, 1)), [1, 2, 3, 4]
    found = gap_statistic(
        profiles, ks, EUCLIDEAN, n_references=10, seed=np.random.SeedSequence(0), **OPTIONS
    )
    assert smallest_within_gap(ks, *found) == 1


def test_smallest_within_gap_needs_the_error_of_the_next():
    gap, error = np.array([0.1, 0.5, 0.55, 0.6]), np.array([0.0, 0.0, 0.06, 0.01])
    assert smallest_within_gap([1, 2, 3, 4], gap, error) == 2
    assert smallest_within_gap([1, 2, 3, 4], gap, 0 * error) == 0


def test_references_fill_the_box_along_the_principal_axes():
    profiles = np.random.default_rng(2).normal(size=(500, 4, 1)).cumsum(axis=1)
    [reference] = draw_references(profiles, [np.random.default_rng(3)])
    assert reference.shape == profiles.shape
    axes = PCA().fit(profiles[..., 0])
    own, drawn = (axes.transform(a[..., 0]) for a in (profiles, reference))
    assert (drawn.min(axis=0) >= own.min(axis=0) - 1e-9).all()
    assert (drawn.max(axis=0) <= own.max(axis=0) + 1e-9).all()
    # evenly: a twelfth of the squared width
    np.testing.assert_allclose(drawn.var(axis=0), np.ptp(own, axis=0) ** 2 / 12, rtol=0.15)


def test_eigengaps_equal_brute_force():
    profiles = make_profiles(n=60)
    distances = pairwise_distances(profiles, EUCLIDEAN)
    scale = np.sort(distances, axis=1)[:, 15]
    affinity = np.zeros((60, 60))
    for i in range(60):
        for j in range(60):
            if i != j:
                affinity[i, j] = np.exp(-(distances[i, j] ** 2) / (scale[i] * scale[j]))
    root = np.diag(1 / np.sqrt(affinity.sum(axis=1)))
    eigenvalues = np.sort(np.linalg.eigvals(root @ affinity @ root).real)[::-1]
    expected = [eigenvalues[k - 1] - eigenvalues[k] for k in (1, 2, 5)]
    np.testing.assert_allclose(eigengaps(distances, [1, 2, 5]), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_eigengap_of_groups_far_apart_is_greatest_at_their_number(k):
    profiles = make_profiles(n=40 * k) + 1e3 * (np.arange(40 * k) // 40)[:, None, None]
    gaps = eigengaps(pairwise_distances(profiles, EUCLIDEAN), range(1, 9))
    assert gaps.argmax() + 1 == k


def test_eigengaps_of_few_and_of_equal_profiles_are_defined():
    same = np.ones((30, 4, 1))
    assert np.isfinite(eigengaps(pairwise_distances(same, EUCLIDEAN), [1, 2])).all()
    few = eigengaps(pairwise_distances(make_profiles(n=4), EUCLIDEAN), [2, 3, 4, 9])
    np.testing.assert_array_equal(np.isnan(few), [False, False, True, True])


def find_valley(values, centroids, mass=np.inf):
    values, centroids = values[:, None, None], np.array(centroids, float)[:, None, None]
    distances = EUCLIDEAN.distances(values, centroids)
    apart = EUCLIDEAN.distances(centroids, centroids)
    return valley(distances, apart, np.full(len(centroids), mass))


def test_valley_between_two_normal_distributions_is_that_of_their_densities():
    rng = np.random.default_rng(0)
    values = rng.normal(size=400_000) + np.repeat([-2.0, 2.0], 200_000)
    both = NormalDist(-2), NormalDist(2)  # windows are a quarter of 4 wide
    middle = sum(one.cdf(0.5) - one.cdf(-0.5) for one in both)
    peak = sum(one.cdf(-1.5) - one.cdf(-2.5) for one in both)
    assert find_valley(values, [-2, 2], 200_000) == pytest.approx(middle / peak, rel=0.02)


def test_valley_of_a_cut_through_evenly_spread_profiles_is_one_and_of_a_gap_is_none():
    even = np.linspace(0, 1, 40_000)
    assert find_valley(even, [0.25, 0.75], 20_000) == pytest.approx(1.0, abs=0.01)
    assert find_valley(np.concatenate([even, even + 3]), [0.5, 3.5], 40_000) == 0.0
    # of several clusters, the pair that is least separated counts
    three = np.concatenate([even, even + 3])
    assert find_valley(three, [0.25, 0.75, 3.5], 20_000) == pytest.approx(1.0, abs=0.01)
    assert np.isnan(find_valley(even, [0.5], 40_000))


def test_valley_leaves_each_profile_out_of_its_own_centroid():
    rng = np.random.default_rng(1)
    profiles = rng.normal(size=(60, 8, 1))
    labels, centroids = settle(profiles, 2)
    counts = np.zeros(61, dtype=int)
    for x, own in zip(profiles, labels, strict=True):
        others = profiles[labels == own]
        without = (others.sum(axis=0) - x) / (len(others) - 1)
        first, second = (without, centroids[1]) if own == 0 else (centroids[0], without)
        a, b = ((x - first) ** 2).sum(), ((x - second) ** 2).sum()
        c = ((centroids[0] - centroids[1]) ** 2).sum()
        place = round(20 * ((a - b + c) / (2 * c) + 1))
        if 0 <= place < 61:
            counts[place] += 1
    density = np.convolve(counts, np.ones(5, int), "same")
    expected = density[30] / min(density[:26].max(), density[35:].max())
    mass = np.bincount(labels).astype(float)
    found = valley(
        EUCLIDEAN.distances(profiles, centroids), EUCLIDEAN.distances(centroids, centroids), mass
    )
    assert found == pytest.approx(expected, rel=1e-12)
