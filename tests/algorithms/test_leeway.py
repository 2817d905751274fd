"""What errors leave open about profiles that hold them."""

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.leeway import find_leeway, spread_within


def test_spread_within_is_the_weighted_covariance_about_the_means_of_the_clusters():
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=(60, 3, 2)), rng.integers(3, size=60)
    weights = rng.integers(0, 3, 60).astype(float)
    sigma = np.array([1.0, 2.0, 0.5, 0.0, 1.0, 4.0])
    repeated = np.repeat(values.reshape(60, 6) / np.where(sigma, sigma, 1), weights.astype(int), 0)
    own = np.repeat(labels, weights.astype(int))
    apart = repeated - np.array([repeated[own == c].mean(0) for c in range(3)])[own]
    found = spread_within(Block(values, weights), labels, sigma)
    np.testing.assert_allclose(found, apart.T @ apart / len(apart))


def test_leeway_is_between_that_of_an_even_spread_and_that_of_normal_clusters():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 5))
    within = np.eye(5) + root @ root.T
    squared = find_leeway(within) @ find_leeway(within)
    normal = np.eye(5) - np.linalg.inv(within)
    np.testing.assert_allclose(squared, (np.eye(5) + normal) / 2)
    # profiles that differ by less than their errors are taken to differ by these alone
    np.testing.assert_allclose(find_leeway(0.1 * np.eye(5)), np.sqrt(0.5) * np.eye(5))
