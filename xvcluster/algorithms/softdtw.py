"""k-means under soft-DTW, computed by tslearn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from xvcluster.algorithms.metric import Block, Float64s, Floats, Labels, Partial, Stack


class SoftDTW:
    """A smooth minimum over all warping paths, with tslearn's γ = 1."""

    name = "softdtw"
    least_rows = 64
    sample_size = 2048
    settled_size = 2048
    pairs = 128
    draws = 1
    breaths = 0
    is_linear = False
    incremental = False
    max_refinements = 0

    def accumulate(self, block: Block, stack: Stack, held: Labels) -> Partial:
        """Never called: tslearn runs its own loop."""
        raise NotImplementedError

    def refine(self, block: Block, centroids: Floats, labels: Labels) -> Partial:
        """Never called: tslearn runs its own loop."""
        raise NotImplementedError

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """Soft-DTW values, which may be negative; the nearest centroid is the one of the least."""
        from tslearn.metrics import cdist_soft_dtw

        values = cdist_soft_dtw(
            profiles.astype(np.float64), centroids.astype(np.float64), gamma=1.0
        )
        return np.asarray(values, dtype=np.float64)

    def divergences(self, values: Float64s, block: Floats, centroids: Floats) -> Float64s:
        """Soft-DTW divergences, zero for equal profiles, from soft-DTW values.

        References
        ----------
        Blondel, M., Mensch, A. & Vert, J.-P. (2021). Differentiable divergences between time
        series. AISTATS. https://doi.org/10.48550/arXiv.2010.08354
        """
        from tslearn.metrics import soft_dtw

        own, of_centroids = (
            np.array([soft_dtw(x, x, gamma=1.0) for x in profiles.astype(np.float64)])
            for profiles in (block, centroids)
        )
        divergences: Float64s = np.maximum(values - (own[:, None] + of_centroids) / 2, 0.0)
        return divergences


def fit_soft_dtw(
    profiles: Floats, n_clusters: int, *, n_init: int, max_iter: int, tol: float, seed: int
) -> tuple[Float64s, int]:
    """Centroids of shape (n_clusters, n_levels, n_variables), and the passes it took.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
    n_clusters, n_init, max_iter : int
    tol : float
        Share of the inertia that counts as no gain.
    seed : int
    """
    model = import_tslearn_kmeans()(
        n_clusters,
        metric="softdtw",
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=seed,
    )
    model.fit(profiles.astype(np.float64))
    return np.asarray(model.cluster_centers_, dtype=np.float64), int(model.n_iter_)


def import_tslearn_kmeans() -> Any:
    """Import TimeSeriesKMeans without tslearn's warning that h5py, unused here, is absent."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="h5py not installed")
        from tslearn.clustering import TimeSeriesKMeans

    return TimeSeriesKMeans
