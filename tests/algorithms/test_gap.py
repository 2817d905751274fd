"""The gap statistic, against its formula by brute force."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.criteria import (
    draw_reference,
    gap_statistic,
    log_inertia,
    smallest_within_gap,
)
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory

EUCLIDEAN = get_metric("euclidean")
OPTIONS = {"n_init": 2, "max_iter": 100, "tol": 0.0}


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
    found = log_inertia(profiles, ks, EUCLIDEAN, seed=np.random.SeedSequence(3), **OPTIONS)
    source = InMemory.of(Block.of(profiles))
    runs = best_runs(source, ks, EUCLIDEAN, seed=np.random.SeedSequence(3), **OPTIONS)
    for value, k in zip(found, ks, strict=True):
        labels = EUCLIDEAN.squared_distances(profiles, runs[k].centroids).argmin(axis=1)
        assert value == pytest.approx(np.log(pooled(profiles, labels)), rel=1e-9)


def test_gap_statistic_is_its_formula():
    profiles, ks = make_groups(), [1, 2, 3, 4]
    seed, n = 5, 4
    gap, error = gap_statistic(
        profiles, ks, EUCLIDEAN, n_references=n, seed=np.random.SeedSequence(seed), **OPTIONS
    )
    own, *others = np.random.SeedSequence(seed).spawn(1 + n)
    observed = log_inertia(profiles, ks, EUCLIDEAN, seed=own, **OPTIONS)
    expected = []
    for child in others:
        drawing, fitting = child.spawn(2)
        reference = draw_reference(profiles, np.random.default_rng(drawing))
        expected.append(log_inertia(reference, ks, EUCLIDEAN, seed=fitting, **OPTIONS))
    mean = np.sum(expected, axis=0) / n
    spread = np.sqrt(np.sum((expected - mean) ** 2, axis=0) / n)
    np.testing.assert_allclose(gap, mean - observed, rtol=1e-9)
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


def test_draw_reference_fills_the_box_along_the_principal_axes():
    profiles = np.random.default_rng(2).normal(size=(500, 4, 1)).cumsum(axis=1)
    reference = draw_reference(profiles, np.random.default_rng(3))
    assert reference.shape == profiles.shape
    axes = PCA().fit(profiles[..., 0])
    own, drawn = (axes.transform(a[..., 0]) for a in (profiles, reference))
    assert (drawn.min(axis=0) >= own.min(axis=0) - 1e-9).all()
    assert (drawn.max(axis=0) <= own.max(axis=0) + 1e-9).all()
    # evenly: a twelfth of the squared width
    np.testing.assert_allclose(drawn.var(axis=0), np.ptp(own, axis=0) ** 2 / 12, rtol=0.15)
