"""How cost grows with profiles, levels and clusters."""

import numpy as np
from measure import seconds_of
from models import profiles

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.som import train_batch
from xvcluster.algorithms.source import InMemory

SEED = np.random.SeedSequence(0)


def _kmeans(name, n, n_levels, k):
    X, metric = profiles(n, n_levels), get_metric(name)
    source = InMemory.of(Block.of(X))
    options = {"n_init": 10 if name == "euclidean" else 1, "max_iter": 300, "tol": 1e-4}
    return seconds_of(lambda: best_runs(source, [k], metric, seed=SEED, **options))


def _batch(n, n_levels, k):
    X = profiles(n, n_levels)
    source = InMemory.of(Block.of(X))
    return seconds_of(lambda: train_batch(source, (k, 8), n_iterations=50, sigma=4.0))


def _table(name, cost, sizes):
    """Print seconds at the three sizes, and the exponent of growth from the first to the last."""
    times = [cost(size) for size in sizes]
    exponent = np.log(times[-1] / times[0]) / np.log(sizes[-1] / sizes[0])
    cells = " | ".join(f"{size:,}: {t:.3g} s" for size, t in zip(sizes, times, strict=True))
    print(f"| {name} | {cells} | {exponent:.2f} |", flush=True)


def growth():
    """seconds at three sizes, and the exponent from the first to the last"""
    print("| growing | | | | exponent |\n| --- | --- | --- | --- | --- |")
    many = (10_000, 100_000, 1_000_000)
    _table("Euclidean, profiles (40 levels, k = 8)", lambda n: _kmeans("euclidean", n, 40, 8), many)
    _table(
        "Euclidean, levels (50,000, k = 8)",
        lambda n: _kmeans("euclidean", 50_000, n, 8),
        (40, 80, 160),
    )
    _table("Euclidean, k (50,000 x 40)", lambda k: _kmeans("euclidean", 50_000, 40, k), (5, 10, 20))
    _table(
        "DTW, profiles (30 levels, k = 5)",
        lambda n: _kmeans("dtw", n, 30, 5),
        (2_000, 6_000, 18_000),
    )
    _table("DTW, levels (4,000, k = 5)", lambda n: _kmeans("dtw", 4_000, n, 5), (20, 40, 80))
    _table("DTW, k (4,000 x 30)", lambda k: _kmeans("dtw", 4_000, 30, k), (3, 6, 12))
    _table(
        "Batch SOM, profiles (40 levels, 8 x 8)",
        lambda n: _batch(n, 40, 8),
        (4_000, 40_000, 400_000),
    )
    _table("Batch SOM, levels (40,000, 8 x 8)", lambda n: _batch(40_000, n, 8), (20, 40, 80))
    _table(
        "Batch SOM, nodes (40,000 x 40, columns of 8)", lambda k: _batch(40_000, 40, k), (4, 8, 16)
    )


ROWS = {"growth": growth}
