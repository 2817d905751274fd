"""Self-organizing maps beside MiniSom, and the batch beside online training."""

import warnings

import numpy as np
from measure import compare
from minisom import MiniSom
from models import profiles

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.som import train_batch, train_online
from xvcluster.algorithms.source import InMemory


def quantization(X):
    """The mean squared distance of profiles X (n, L, 1) to their nearest of nodes (..., L)."""
    X = X[..., 0].astype(np.float64)

    def error(nodes):
        nodes = nodes.reshape(-1, X.shape[1])
        squared = (nodes**2).sum(axis=1) - 2 * X @ nodes.T
        return ((X**2).sum(axis=1) + squared.min(axis=1)).mean()

    return error


def beside_minisom(n, n_levels, side, steps, sigma):
    """Train both for so many steps."""
    X = profiles(n, n_levels)
    options = {"sigma": sigma, "learning_rate": 0.1}
    seed = np.random.SeedSequence(0)

    def peer():
        som = MiniSom(side, side, n_levels, random_seed=0, **options)
        flat = X[..., 0].astype(np.float64)
        som.random_weights_init(flat)
        som.train_random(flat, steps)
        return som.get_weights()

    compare(
        lambda: train_online(X, (side, side), n_iterations=steps, seed=seed, **options),
        quality=quantization(X),
        at_most=1.05,  # the order of the profiles is another
        minisom=peer,
    )


def som_small():
    """50,000 steps, 9 x 9 nodes, 4,800 profiles of 50 levels, sigma 0.3 as SeisGo's"""
    beside_minisom(4_800, 50, 9, 50_000, 0.3)


def som_small_wide():
    """the same with sigma 1, MiniSom's default"""
    beside_minisom(4_800, 50, 9, 50_000, 1.0)


def som_large():
    """200,000 steps, 16 x 16 nodes, 65,160 profiles of 80 levels, sigma 0.3"""
    beside_minisom(65_160, 80, 16, 200_000, 0.3)


def som_large_wide():
    """the same with sigma 1"""
    beside_minisom(65_160, 80, 16, 200_000, 1.0)


def som_batch():
    """a batch of 50 passes, 16 x 16 nodes, 65,160 profiles of 80 levels, beside 200,000 steps"""
    warnings.filterwarnings("ignore", message="Warning: sigma might be too high")
    X, seed = profiles(65_160, 80), np.random.SeedSequence(0)
    options = {"n_iterations": 200_000, "learning_rate": 0.1, "seed": seed}
    compare(
        lambda: train_batch(InMemory.of(Block.of(X)), (16, 16), n_iterations=50, sigma=16 / 3),
        quality=quantization(X),
        at_most=np.inf,
        online_sigma_03=lambda: train_online(X, (16, 16), sigma=0.3, **options),
        online_sigma_3=lambda: train_online(X, (16, 16), sigma=3.0, **options),
    )


ROWS = {
    "som-small": som_small,
    "som-small-wide": som_small_wide,
    "som-large": som_large,
    "som-large-wide": som_large_wide,
    "som-batch": som_batch,
}
