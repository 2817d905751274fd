"""What the metrics sum over a block, against brute force and tslearn."""

from itertools import pairwise

import numpy as np
import pytest
from tslearn.metrics import cdist_dtw, cdist_soft_dtw, cdist_soft_dtw_normalized, dtw_path

from xvcluster.algorithms.blocks import Block, Stack
from xvcluster.algorithms.metrics import Euclidean, Metric, SoftDTW, fit_soft_dtw, get_metric


def make_block():
    rng = np.random.default_rng(0)
    block = rng.normal(size=(37, 5, 2)).cumsum(axis=1)
    return block, [rng.normal(size=(k, 5, 2)).cumsum(axis=1) for k in (3, 1, 4)]


def distances(name, block, centroids):
    if name == "dtw":
        return cdist_dtw(block, centroids) ** 2
    return ((block[:, None] - centroids) ** 2).sum(axis=(2, 3))


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_squared_distances_of_no_profiles_are_none(name):
    block, centroids = make_block()
    assert get_metric(name).squared_distances(block[:0], centroids[0]).shape == (0, 3)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_squared_distances_equal_brute_force(name):
    block, centroids = make_block()
    found = get_metric(name).squared_distances(block, centroids[0])
    np.testing.assert_allclose(found, distances(name, block, centroids[0]), rtol=1e-9)
    assert found.dtype == np.float64


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accumulate_sums_the_members_of_every_run(name, dtype):
    block, centroids = make_block()
    partial, held = accumulate(get_metric(name), block.astype(dtype), centroids)
    for r, (start, stop) in enumerate(pairwise(np.cumsum([0, *map(len, centroids)]))):
        own, part = centroids[r], slice(start, stop)
        squared = distances(name, block, own)
        labels = squared.argmin(axis=1)
        np.testing.assert_array_equal(held[r], labels)
        within = [squared[labels == j, j].sum() for j in range(len(own))]
        np.testing.assert_allclose(partial.inertia[part], within, rtol=1e-4)
        sums, mass = paired(name, block, own, labels)
        np.testing.assert_array_equal(partial.mass[part], mass)
        np.testing.assert_allclose(partial.sums[part], sums, rtol=1e-4, atol=1e-4)


def accumulate(metric, block, centroids, held=None, active=None):
    """What the metric adds, and the labels that it holds."""
    held = np.full((len(centroids), len(block)), -1, np.int32) if held is None else held
    active = np.arange(len(centroids)) if active is None else active
    return metric.accumulate(Block.of(block), Stack.of(centroids, active), held), held


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_accumulate_adds_up_to_the_sums_over_several_passes(name):
    block, centroids = make_block()
    metric, held = get_metric(name), np.full((3, len(block)), -1, np.int32)
    kept, mass = 0.0, 0.0
    for shift in (0.0, 1.0, -1.0, 0.5, 0.5):
        moved = [own + shift * np.arange(len(own))[:, None, None] for own in centroids]
        change, _ = accumulate(metric, block, moved, held)
        kept = change.sums + (kept if metric.incremental else 0.0)
        mass = change.mass + (mass if metric.incremental else 0.0)
        anew, labels = accumulate(metric, block, moved)
        np.testing.assert_array_equal(held, labels)
        np.testing.assert_allclose(kept, anew.sums, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(mass, anew.mass)
        np.testing.assert_array_equal(change.inertia, anew.inertia)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_accumulate_lets_the_labels_of_other_runs_rest(name):
    block, centroids = make_block()
    held = np.full((5, len(block)), -1, np.int32)
    accumulate(get_metric(name), block, centroids, held, np.array([4, 0, 2]))
    assert np.all(held[[1, 3]] == -1)
    for row, own in zip((4, 0, 2), centroids, strict=True):
        np.testing.assert_array_equal(held[row], distances(name, block, own).argmin(axis=1))


def paired(name, block, centroids, labels):
    """Sums and numbers of the levels that are paired with each centroid's levels."""
    sums, mass = np.zeros(centroids.shape), np.zeros(centroids.shape[:2])
    for x, label in zip(block, labels, strict=True):
        straight = [(i, i) for i in range(len(x))]
        path = dtw_path(x, centroids[label])[0] if name == "dtw" else straight
        for i, j in path:
            sums[label, j] += x[i]
            mass[label, j] += 1
    return sums, mass


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_accumulate_of_two_blocks_adds_to_that_of_both(name):
    block, centroids = make_block()
    metric = get_metric(name)
    whole, _ = accumulate(metric, block, centroids)
    for halves in ([block[:20], block[20:]], [block[20:], block[:20]]):
        first, second = (accumulate(metric, half, centroids)[0] for half in halves)
        for field in ("sums", "mass", "inertia"):
            total = getattr(first, field) + getattr(second, field)
            np.testing.assert_allclose(total, getattr(whole, field), rtol=1e-9)


def test_refine_rests_what_is_labelled_minus_one():
    block, centroids = make_block()
    labels = np.full(len(block), -1, dtype="int32")
    labels[3] = 2
    partial = get_metric("dtw").refine(Block.of(block), centroids[0], labels)
    assert np.flatnonzero(partial.mass.sum(axis=1)).tolist() == [2]
    assert np.flatnonzero(partial.inertia).tolist() == [2]
    assert np.all(partial.sums[:2] == 0)


def test_refine_is_not_for_euclidean():
    with pytest.raises(NotImplementedError):
        Euclidean().refine(None, None, None)


@pytest.mark.parametrize("window", [0, 1, 2, 9])
def test_get_metric_with_a_window_of_levels_measures_as_tslearn(window):
    block, centroids = make_block()
    levels = [0.0, 1.0, 5.0, 30.0, 31.0]
    found = get_metric("dtw", window, levels).squared_distances(block, centroids[2])
    band = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": window}
    np.testing.assert_allclose(found, cdist_dtw(block, centroids[2], **band) ** 2, rtol=1e-9)


@pytest.mark.parametrize(("window", "radius"), [(0.0, 0), (9.99, 0), (10.0, 1), (25.0, 2)])
@pytest.mark.parametrize("step", [10.0, -10.0])
def test_get_metric_takes_a_float_window_in_the_units_of_the_levels(window, radius, step):
    reach = get_metric("dtw", window, 300.0 + step * np.arange(7)).reach
    apart = np.abs(np.subtract.outer(np.arange(7), np.arange(7)))
    np.testing.assert_array_equal(reach, apart <= radius)


@pytest.mark.parametrize(
    "levels", [0.1 * np.arange(30), np.arange(30, dtype="f4") * np.float32(0.1)]
)
def test_get_metric_takes_levels_that_are_rounded_for_what_they_mean(levels):
    apart = np.abs(np.subtract.outer(np.arange(30), np.arange(30)))
    np.testing.assert_array_equal(get_metric("dtw", 0.1, levels).reach, apart <= 1)


def test_get_metric_of_uneven_levels_reaches_further_where_they_are_dense():
    levels = np.array([0.0, 5.0, 10.0, 40.0, 41.0, 42.0, 80.0])
    reach = get_metric("dtw", 10.0, levels).reach
    assert reach.sum(axis=1).tolist() == [3, 3, 3, 3, 3, 3, 1]
    block = np.random.default_rng(0).normal(size=(9, 7, 1))
    first = get_metric("dtw", 10.0, levels).squared_distances(block, block)
    turned = get_metric("dtw", 10.0, levels[::-1]).squared_distances(block[:, ::-1], block[:, ::-1])
    np.testing.assert_allclose(first, turned, rtol=1e-12)


def test_get_metric_of_levels_that_turn_back_keeps_to_a_band():
    levels = np.array([0.0, 10.0, 5.0, 20.0, 30.0, 25.0, 40.0, 50.0])
    block = np.random.default_rng(0).normal(size=(9, 8, 1))
    windowed = get_metric("dtw", 5.0, levels).squared_distances(block, block)
    assert np.all(windowed >= get_metric("dtw").squared_distances(block, block) - 1e-12)
    assert np.all(windowed <= get_metric("euclidean").squared_distances(block, block) + 1e-12)


@pytest.mark.parametrize("window", [4, 1e9])
def test_get_metric_with_a_window_of_all_levels_is_without_one(window):
    block, centroids = make_block()
    found = get_metric("dtw", window, np.arange(5.0)).squared_distances(block, centroids[0])
    expected = get_metric("dtw").squared_distances(block, centroids[0])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "weights", "level_weights", "chunks", "refits"),
    [
        ("euclidean", True, True, True, True),
        ("dtw", True, False, True, True),
        ("softdtw", False, False, False, False),
    ],
)
def test_metrics_say_what_they_support(name, weights, level_weights, chunks, refits):
    metric = get_metric(name)
    assert metric.name == name
    assert metric.supports_weights is weights
    assert metric.supports_level_weights is level_weights
    assert metric.supports_chunks is chunks
    assert metric.supports_refits is refits


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_distances_equal_brute_force(name):
    block, centroids = make_block()
    found = get_metric(name).distances(block, centroids[0])
    np.testing.assert_allclose(found, np.sqrt(distances(name, block, centroids[0])), rtol=1e-9)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_divergences_are_the_squared_distances_themselves(name):
    block, centroids = make_block()
    metric = get_metric(name)
    squared = metric.squared_distances(block, centroids[0])
    np.testing.assert_array_equal(metric.divergences(squared, block, centroids[0]), squared)


def test_distances_under_soft_dtw_are_the_roots_of_the_divergences():
    profiles = make_two_groups()
    found = SoftDTW().distances(profiles, profiles[:3])
    expected = np.maximum(cdist_soft_dtw_normalized(profiles, profiles[:3], gamma=1.0), 0.0)
    np.testing.assert_allclose(found**2, expected, atol=1e-9)


def make_two_groups(n=24):
    rng = np.random.default_rng(0)
    level = (np.arange(n) % 2 * 5.0)[:, None, None]
    return level + rng.normal(size=(n, 6, 1))


def test_squared_distances_under_soft_dtw_equal_tslearn():
    profiles = make_two_groups()
    found = SoftDTW().squared_distances(profiles.astype("float32"), profiles[:3])
    expected = cdist_soft_dtw(profiles.astype("float32").astype(float), profiles[:3], gamma=1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_divergences_under_soft_dtw_equal_the_normalized_values_of_tslearn():
    profiles = make_two_groups()
    metric, centroids = SoftDTW(), profiles[:3]
    values = metric.squared_distances(profiles, centroids)
    found = metric.divergences(values, profiles, centroids)
    both = cdist_soft_dtw_normalized(profiles, centroids, gamma=1.0)
    np.testing.assert_allclose(found, both, atol=1e-9)


def test_fit_soft_dtw_finds_the_groups():
    profiles = make_two_groups()
    centroids, n_iter = fit_soft_dtw(profiles, 2, n_init=1, max_iter=5, tol=1e-4, seed=0)
    assert centroids.shape == (2, 6, 1)
    assert 1 <= n_iter <= 5
    np.testing.assert_allclose(sorted(centroids.mean(axis=(1, 2))), [0, 5], atol=0.5)


@pytest.mark.parametrize("call", ["accumulate", "refine"])
def test_the_own_loop_is_not_for_soft_dtw(call):
    arguments = {"accumulate": (None,) * 3, "refine": (None, None, None)}
    with pytest.raises(NotImplementedError):
        getattr(SoftDTW(), call)(*arguments[call])


PROFILES, CENTROIDS = np.zeros((5, 4, 2)), np.zeros((3, 4, 2))
MISSHAPED = {
    "fewer levels": CENTROIDS[:, :2],
    "more levels": np.zeros((3, 9, 2)),
    "no levels": CENTROIDS[:, :0],
    "one variable": CENTROIDS[:, :, :1],
    "flat": CENTROIDS.reshape(3, -1),
    "one centroid": CENTROIDS[0],
    "none": CENTROIDS[:0],
}


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
@pytest.mark.parametrize("name", MISSHAPED)
def test_arrays_that_are_not_shaped_for_each_other_never_reach_a_kernel(metric, name):
    centroids, block = MISSHAPED[name], Block.of(PROFILES)
    held, labels = np.full((1, 5), -1, np.int32), np.zeros(5, np.int32)
    stack = Stack(centroids, np.array([0, len(centroids)]), np.zeros(1, np.intp))
    own = get_metric(metric)
    message = "profiles and centroids must have shapes|there must be a centroid, with a level"
    with pytest.raises(ValueError, match=message):
        own.squared_distances(PROFILES, centroids)
    with pytest.raises(ValueError, match=message):
        own.accumulate(block, stack, held)
    if metric == "dtw":
        with pytest.raises(ValueError, match=message):
            own.refine(block, centroids, labels)


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
@pytest.mark.parametrize(
    ("first", "active", "held"),
    [
        ([0, 9], [0], (1, 5)),
        ([1, 3], [0], (1, 5)),
        ([0, 3], [0, 1], (2, 5)),
        ([0, 3], [1], (1, 5)),
        ([0, 3], [-1], (1, 5)),
        ([0, 3, 2, 3], [0, 0, 0], (1, 5)),
        ([0, 3], [0], (1, 4)),
        ([0, 3], [0], (5,)),
    ],
)
def test_runs_that_do_not_match_their_labels_never_reach_a_kernel(metric, first, active, held):
    stack = Stack(CENTROIDS, np.array(first), np.array(active))
    with pytest.raises(ValueError, match=r"do not match labels of|one label for each of 5"):
        get_metric(metric).accumulate(Block.of(PROFILES), stack, np.full(held, -1, np.int32))


def test_a_window_of_other_levels_never_reaches_a_kernel():
    with pytest.raises(ValueError, match="the window is of 3 levels, but the profiles have 4"):
        get_metric("dtw", 1, np.arange(3.0)).squared_distances(PROFILES, CENTROIDS)


def test_add_distant_of_the_kernel_chooses_as_the_general_one():
    rng = np.random.default_rng(3)
    block = Block.of(rng.normal(size=(300, 7, 2)), rng.uniform(0.0, 2.0, 300))
    metric, shares = get_metric("euclidean"), [rng.random((m, 4)) for m in (6, 0, 3)]
    expected = Metric.add_distant(metric, block, block.values[:2], shares)
    found = metric.add_distant(block, block.values[:2], shares)
    assert [len(chosen) for chosen in found] == [6, 0, 3]
    for chosen, general in zip(found, expected, strict=True):
        np.testing.assert_array_equal(chosen, general)


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_add_distant_several_times_chooses_as_one_by_one(name):
    rng = np.random.default_rng(4)
    block, metric = Block.of(rng.normal(size=(200, 7, 1))), get_metric(name)
    shares = [rng.random((m, 4)) for m in (5, 2, 5)]
    together = metric.add_distant(block, block.values[:3], shares)
    for chosen, own in zip(together, shares, strict=True):
        [alone] = metric.add_distant(block, block.values[:3], [own])
        np.testing.assert_array_equal(chosen, alone)


def test_add_distant_ends_when_every_profile_is_a_centroid():
    block = Block.of(np.repeat([[0.0], [1.0], [9.0]], 4, axis=0)[..., None])
    shares = [np.full((5, 4), 0.5), np.full((1, 4), 0.5)]
    chosen, one = get_metric("euclidean").add_distant(block, block.values[:1], shares)
    assert sorted(block.values[chosen].ravel()) == [1.0, 9.0]
    np.testing.assert_array_equal(one, chosen[:1])
