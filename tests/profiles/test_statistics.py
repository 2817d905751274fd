"""Statistics of the members of each cluster against NumPy, at once and added up over parts."""

from itertools import pairwise

import numpy as np
import pytest

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.moments import moments_by_cluster
from xvcluster.profiles.statistics import (
    QUANTILES,
    add_up,
    average_moments,
    conclude,
    describe,
    spread,
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread_equals_numpy(dtype):
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(500, 7, 2)).astype(dtype)
    labels = rng.choice([0, 1, 3], p=[0.9, 0.09, 0.01], size=500).astype("int32")
    labels[0] = 4  # alone in its cluster; cluster 2 is empty
    before = values.copy()
    std, quantiles = spread(Block.of(values), labels, 5)
    for c in (0, 1, 3, 4):
        members = values[labels == c].astype(float)
        np.testing.assert_allclose(std[c], members.std(axis=0), rtol=1e-6, atol=1e-15)
        expected = np.quantile(members, QUANTILES, axis=0)
        np.testing.assert_allclose(quantiles[:, c], expected, rtol=1e-6)
    assert np.isnan(std[2]).all()
    assert np.isnan(quantiles[:, 2]).all()
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread_of_weights_equals_numpy(dtype):
    rng = np.random.default_rng(0)
    values, weights = rng.lognormal(size=(500, 7, 2)).astype(dtype), rng.uniform(0, 1, 500)
    weights[:50] = 0.0
    std, quantiles = spread(Block.of(values, weights), np.zeros(500, dtype="int32"), 1)
    options = {"axis": 0, "weights": weights, "method": "inverted_cdf"}
    np.testing.assert_array_equal(quantiles[:, 0], np.quantile(values, QUANTILES, **options))
    mean = np.average(values, axis=0, weights=weights)
    variance = np.average((values - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(std[0], np.sqrt(variance), rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 20, 21, 1001])
def test_spread_of_any_number_of_members_equals_numpy(n):
    values = np.random.default_rng(n).normal(size=(n, 4, 1))
    quantiles = spread(Block.of(values), np.zeros(n, dtype="int32"), 1)[1]
    expected = np.quantile(values, QUANTILES, axis=0)
    np.testing.assert_allclose(quantiles[:, 0], expected, rtol=1e-12, atol=1e-15)


def make_members(n=3000, dtype="float64"):
    """Skewed profiles of which one level is constant, their assignment to five, and areas."""
    rng = np.random.default_rng(0)
    profiles = rng.lognormal(size=(n, 7, 2)).astype(dtype)
    profiles[:, 3, 1] = 2.5
    centroids = profiles[:5].astype(float)
    centroids[2] += 1e3  # nobody's nearest
    centroids[4] = profiles[profiles.sum(axis=(1, 2)).argmax()]
    assignment = assign(profiles, Assigner(centroids, get_metric("euclidean")))
    return profiles, centroids, assignment, rng.uniform(1, 2, n)


def part_of(assignment, rows):
    return type(assignment)(*(getattr(assignment, n)[rows] for n in assignment.__slots__))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_describe_sums_up_the_members(dtype):
    profiles, _, assignment, areas = make_members(dtype=dtype)
    found = describe(Block.of(profiles), assignment, areas, 5)
    for c in (0, 1, 3, 4):
        own = assignment.labels == c
        assert found.count[c] == own.sum()
        np.testing.assert_allclose(found.inertia[c], assignment.squared[own].sum(), rtol=1e-12)
        np.testing.assert_allclose(found.margin[c], assignment.margin[own].mean(), rtol=1e-12)
        np.testing.assert_allclose(found.area[c], areas[own].sum(), rtol=1e-12)
    assert (found.count[2], found.inertia[2], found.area[2]) == (0, 0.0, 0.0)
    assert np.isnan(found.margin[2])
    assert found.comment == ""
    assert describe(Block.of(profiles), assignment, None, 5).area is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cuts", [[0, 3000], [0, 1, 900, 3000]], ids=["one part", "three parts"])
def test_conclude_finds_the_statistics_of_describe(dtype, cuts):
    profiles, centroids, assignment, areas = make_members(dtype=dtype)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(profiles))
    block = Block.of(profiles, weights)
    expected = describe(block, assignment, areas, 5)
    parts = [slice(a, b) for a, b in pairwise(cuts)]
    sums = sum(add_up(block[p], part_of(assignment, p), areas[p], centroids) for p in parts)
    found = conclude(sums, expected.quantiles, has_areas=True)
    np.testing.assert_array_equal(found.count, expected.count)
    for name in ("inertia", "margin", "area"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)
    np.testing.assert_allclose(found.std, expected.std, rtol=1e-10, atol=1e-10)
    assert np.isnan(found.std[2]).all()


def test_conclude_gives_a_constant_level_no_deviation():
    profiles, centroids, assignment, _ = make_members()
    expected = describe(Block.of(profiles), assignment, None, 5)
    sums = add_up(Block.of(profiles), assignment, None, centroids)
    found = conclude(sums, expected.quantiles, has_areas=False, comment="of all")
    np.testing.assert_allclose(found.std[[0, 1, 3, 4], 3, 1], 0.0, atol=1e-12)
    assert found.area is None
    assert found.comment == "of all"


def test_average_moments_of_an_empty_cluster_are_those_of_all():
    moments = np.random.default_rng(0).normal(size=(6, 2, 3))
    labels, weights = np.array([0, 0, 2, 2, 2, 0]), np.array([1.0, 2, 1, 1, 3, 0])
    found = average_moments(moments_by_cluster(Block(moments, weights), labels, 3))
    expected = [
        np.average(moments[rows], axis=0, weights=weights[rows])
        for rows in (labels == 0, labels >= 0, labels == 2)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("change", [np.exp, np.round, lambda v: v * 1e-318, lambda v: v * 0])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_weighted_quantiles_are_the_least_values_with_that_share_of_the_weight(change, dtype):
    rng = np.random.default_rng(0)
    values = change(rng.normal(0.0, 5.0, (300, 4, 2))).astype(dtype)
    values[0, 0] = 1e6  # far from all others
    weights = rng.uniform(0.1, 1.0, 300)
    found = spread(Block(values, weights), np.zeros(300, np.int64), 1)[1][:, 0]
    for at in np.ndindex(4, 2):
        level = values[:, *at]
        share = np.array([weights[level <= v].sum() for v in level]) / weights.sum()
        expected = [level[share >= q - 1e-12].min() for q in QUANTILES]
        np.testing.assert_array_equal(found[:, *at], expected)
