"""Moments of profiles against NumPy and exact fractions, in whatever parts they are summed."""

from fractions import Fraction

import numpy as np
import pytest

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.moments import Moments, moments_by_cluster, moments_of


@pytest.mark.parametrize("cuts", [[], [100], [100, 140], [0, 1, 299]])
def test_moments_joined_are_those_of_numpy(block, cuts):
    parts = [block[rows] for rows in np.split(np.arange(300), cuts)]
    found = Moments.join(map(Moments.of, parts))
    values = block.values.astype(float)
    mean = np.average(values, axis=0, weights=block.weights)
    variance = np.average((values - mean) ** 2, axis=0, weights=block.weights)
    assert found.weight == pytest.approx(block.weights.sum())
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-9, atol=1e-12)
    assert found.variance[1, 0] == 0.0


def test_moments_of_nothing_that_counts_are_0(block):
    found = Moments.join([Moments.of(block[:0]), Moments.of(block[slice(100, 140)])])
    assert found.weight == 0.0
    assert not found.mean.any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("grid", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_the_same_to_the_bit_in_any_order_and_parts(dtype, grid, weighted):
    rng = np.random.default_rng(1)
    values = rng.normal(30.0, 8.0, (2000, 3, 1))
    values = (np.round(values / grid) * grid if grid else values).astype(dtype)
    weights = rng.uniform(0.1, 3.0, 2000) if weighted else np.ones(2000)
    whole = moments_of(Block(values, weights))
    for _ in range(5):
        order = rng.permutation(2000)
        cuts = np.sort(rng.integers(0, 2000, 40))
        parts = [Moments.of(Block(values, weights)[rows]) for rows in np.split(order, cuts)]
        found = Moments.join(parts)
        assert found.weight == whole.weight
        np.testing.assert_array_equal(found.mean, whole.mean)
        np.testing.assert_array_equal(found.variance, whole.variance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments_are_those_of_exact_fractions(dtype):
    rng = np.random.default_rng(2)
    values = (1e5 + rng.normal(0.0, 0.05, (200, 2, 1))).astype(dtype)
    found = moments_of(Block.of(values))
    for level in range(2):
        exact = [Fraction(float(x)) for x in values[:, level, 0]]
        mean = sum(exact) / 200
        variance = sum((x - mean) ** 2 for x in exact) / 200
        assert found.mean[level, 0] == float(mean)
        assert found.variance[level, 0] == float(variance)


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e200, 1e300])
def test_moments_of_values_whose_squares_float64_does_not_hold(factor):
    values = np.random.default_rng(3).normal(2.0, 1.0, (100, 3, 2))
    values[..., 0] *= factor  # the other variable stays as it is
    halves = (Moments.of(Block.of(values[:70])), Moments.of(Block.of(values[70:])))
    found = Moments.join(halves)
    spread = np.ldexp(np.sqrt(found.variance), found.exponent)
    for v, unit in enumerate((factor, 1.0)):
        np.testing.assert_allclose(found.mean[:, v], (values[..., v] / unit).mean(axis=0) * unit)
        np.testing.assert_allclose(spread[:, v], (values[..., v] / unit).std(axis=0) * unit)


def test_moments_by_cluster_are_those_of_its_members(block):
    labels = np.random.default_rng(4).integers(0, 3, 300)
    labels[labels == 2] = 3
    found = moments_by_cluster(block, labels, 4)
    assert found[2].weight == 0.0
    for c in (0, 1, 3):
        own = block[np.flatnonzero(labels == c)]
        mean = np.average(own.values.astype(float), axis=0, weights=own.weights)
        np.testing.assert_allclose(found[c].mean, mean, rtol=1e-12)
