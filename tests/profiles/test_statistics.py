"""Statistics of the members of each cluster against NumPy: exact, and from histograms."""

import numpy as np
import pytest

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import get_metric
from xvcluster.profiles.statistics import (
    QUANTILES,
    Counting,
    Tally,
    _quantiles,
    _spread,
    describe,
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread_equals_numpy(dtype):
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(500, 7, 2)).astype(dtype)
    labels = rng.choice([0, 1, 3], p=[0.9, 0.09, 0.01], size=500).astype("int32")
    labels[0] = 4  # alone in its cluster; cluster 2 is empty
    before = values.copy()
    std, quantiles = _spread(Block.of(values), labels, 5)
    for c in (0, 1, 3, 4):
        members = values[labels == c].astype(float)
        np.testing.assert_allclose(std[c], members.std(axis=0), rtol=1e-6)
        expected = np.quantile(members, QUANTILES, axis=0)
        np.testing.assert_allclose(quantiles[:, c], expected, rtol=1e-6)
    assert np.isnan(std[2]).all()
    assert np.isnan(quantiles[:, 2]).all()
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("n", [1, 2, 3, 20, 21, 1001])
def test_quantiles_of_any_number_of_members_equal_numpy(n):
    ordered = np.sort(np.random.default_rng(n).normal(size=(4, n)), axis=1)
    expected = np.quantile(ordered, QUANTILES, axis=1)
    np.testing.assert_allclose(_quantiles(ordered), expected, rtol=1e-12, atol=1e-15)


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


def counting_of(profiles, centroids):
    ends = profiles.min(axis=0).astype(float), profiles.max(axis=0).astype(float)
    return Counting(centroids, *ends)


def tally_of(counting, profiles, assignment, areas, rows):
    tally = counting.empty()
    counting.add(tally, Block.of(profiles[rows]), part_of(assignment, rows), areas[rows])
    return tally


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
    assert found.precision == ""
    assert describe(Block.of(profiles), assignment, None, 5).area is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counting_finds_the_statistics_of_describe(dtype):
    profiles, centroids, assignment, areas = make_members(dtype=dtype)
    counting = counting_of(profiles, centroids)
    expected = describe(Block.of(profiles), assignment, areas, 5)
    tally = tally_of(counting, profiles, assignment, areas, slice(None))
    found = counting.conclude(tally, with_area=True)
    np.testing.assert_array_equal(found.count, expected.count)
    for name in ("inertia", "margin", "area"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)
    assert counting.conclude(tally, with_area=False).area is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counting_finds_the_deviation_of_numpy_and_quantiles_within_one_bin(dtype):
    profiles, centroids, assignment, areas = make_members(dtype=dtype)
    counting = counting_of(profiles, centroids)
    found = counting.conclude(
        tally_of(counting, profiles, assignment, areas, slice(None)), with_area=True
    )
    width = (counting.high - counting.low) / counting.n_bins
    assert counting.n_bins == 4096
    assert f"of {counting.n_bins} bins" in found.precision
    assert set(assignment.labels) == {0, 1, 3, 4}
    for c in (0, 1, 3, 4):
        members = profiles[assignment.labels == c].astype(float)
        np.testing.assert_allclose(found.std[c], members.std(axis=0), rtol=1e-12, atol=1e-12)
        off = np.abs(found.quantiles[:, c] - np.quantile(members, QUANTILES, axis=0))
        assert np.all(off <= width * (1 + 1e-9))
    assert np.isnan(found.std[2]).all()
    assert np.isnan(found.quantiles[:, 2]).all()


def test_counting_gives_a_constant_level_as_it_is():
    profiles, centroids, assignment, areas = make_members()
    counting = counting_of(profiles, centroids)
    found = counting.conclude(
        tally_of(counting, profiles, assignment, areas, slice(None)), with_area=True
    )
    taken = [0, 1, 3, 4]
    assert np.all(found.quantiles[:, taken, 3, 1] == 2.5)
    np.testing.assert_allclose(found.std[taken, 3, 1], 0.0, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 20])
def test_counting_of_few_members_is_within_one_bin_too(n):
    rng = np.random.default_rng(n)
    profiles = rng.normal(size=(n, 4, 1))
    centroids = profiles.mean(axis=0, keepdims=True)
    assignment = assign(profiles, Assigner(centroids, get_metric("euclidean")))
    counting = counting_of(np.concatenate([profiles, profiles - 1, profiles + 1]), centroids)
    tally = tally_of(counting, profiles, assignment, np.ones(n), slice(None))
    found = counting.conclude(tally, with_area=True)
    off = np.abs(found.quantiles[:, 0] - np.quantile(profiles, QUANTILES, axis=0))
    assert np.all(off <= (counting.high - counting.low) / counting.n_bins)
    np.testing.assert_allclose(found.std[0], profiles.std(axis=0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "expected"), [((2, 3, 1), 4096), ((20, 80, 1), 327), ((100, 200, 4), 64)]
)
def test_counting_has_fewer_bins_where_there_is_more_to_count(shape, expected):
    counting = Counting(np.zeros(shape), np.zeros(shape[1:]), np.ones(shape[1:]))
    assert counting.n_bins == expected
    assert counting.empty().histogram.shape == (shape[0], shape[1] * shape[2], expected)


def test_tallies_joined_are_the_tally_of_all():
    profiles, centroids, assignment, areas = make_members()
    counting = counting_of(profiles, centroids)
    cuts = [slice(0, 1), slice(1, 900), slice(900, 3000)]
    parts = [tally_of(counting, profiles, assignment, areas, rows) for rows in cuts]
    joined = Tally.join([counting.empty(), *parts])
    whole = tally_of(counting, profiles, assignment, areas, slice(None))
    for name in ("count", "mass", "histogram"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    for name in ("inertia", "margin", "area", "sums", "squares"):
        np.testing.assert_allclose(
            getattr(joined, name), getattr(whole, name), rtol=1e-12, atol=1e-9
        )
    assert whole.histogram.sum() == profiles.size


def test_tallies_joined_are_left_as_they_were():
    profiles, centroids, assignment, areas = make_members()
    counting = counting_of(profiles, centroids)
    parts = [tally_of(counting, profiles, assignment, areas, r) for r in (slice(9), slice(9, None))]
    before = [[getattr(part, n).copy() for n in Tally.__slots__] for part in parts]
    Tally.join(parts)
    for part, kept in zip(parts, before, strict=True):
        for name, values in zip(Tally.__slots__, kept, strict=True):
            np.testing.assert_array_equal(getattr(part, name), values)
