"""DTW k-means beside tslearn, one restart each."""

import numpy as np
from measure import compare
from models import profiles
from tslearn.clustering import TimeSeriesKMeans

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory

K = 5


def beside_tslearn(n, window=None):
    """Fit n profiles of 50 levels by both with one restart, and measure by the same distance."""
    X = profiles(n, 50)
    start = X[np.random.default_rng(0).choice(n, K, replace=False)].astype(np.float64)
    metric = get_metric("dtw", window, np.arange(50.0))
    band = window and {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": window}
    tslearn = TimeSeriesKMeans(K, metric="dtw", init=start, max_iter=300, metric_params=band)
    options = {"n_init": 1, "max_iter": 300, "tol": 1e-4, "seed": np.random.SeedSequence(0)}

    compare(
        lambda: best_runs(InMemory.of(Block.of(X)), [K], metric, **options)[K].centroids,
        quality=lambda centroids: metric.squared_distances(X, centroids).min(axis=1).sum(),
        tslearn_one_job=lambda: tslearn.fit(X.astype(np.float64)).cluster_centers_,
    )


def dtw_4800():
    """k = 5 under DTW with one restart, 4,800 profiles of 50 levels"""
    beside_tslearn(4_800)


def dtw_4800_window():
    """the same within 5 levels"""
    beside_tslearn(4_800, window=5)


def dtw_20000():
    """k = 5 under DTW with one restart, 20,000 profiles of 50 levels"""
    beside_tslearn(20_000)


def dtw_20000_window():
    """the same within 5 levels"""
    beside_tslearn(20_000, window=5)


ROWS = {
    "dtw-4800": dtw_4800,
    "dtw-4800-window": dtw_4800_window,
    "dtw-20000": dtw_20000,
    "dtw-20000-window": dtw_20000_window,
}
