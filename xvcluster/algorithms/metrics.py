"""Distances between profiles, and what k-means sums under each of them."""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from xvcluster.algorithms.blocks import Block, Partial, Stack
from xvcluster.arrays import Booleans, Float64s, Floats, Indices, Labels

_GROUP = 96


class Metric(Protocol):
    """A distance between profiles, and what its k-means sums."""

    name: str
    least_rows: int
    """Profiles in a block at least, so that calls cost little beside the work."""
    sample_size: int
    """Profiles among which k-means++ draws, and that runs settle on before they see all."""
    settled_size: int
    """Profiles that all contenders settle on, if there are more."""
    pairs: int
    """Profiles few enough that the distances between all of them cost little."""
    draws: int
    """Starts drawn for each restart."""
    breaths: int
    """Times that the best runs on the sample are given some clusters more, and relieved of them."""
    is_linear: bool
    """Whether distances are those of the principal components, so that few may stand for all."""
    incremental: bool
    """Whether `accumulate` gives the change of sums and mass since the last pass, or them all."""
    supports_weights: bool
    supports_level_weights: bool
    supports_chunks: bool
    supports_refits: bool
    max_refinements: int
    """Further steps towards the barycenters in each pass, with the assignment held."""

    def accumulate(self, block: Block, stack: Stack, held: Labels) -> Partial:
        """Assign a block of profiles to the centroids of the active runs, and sum it.

        The labels of the r-th of these runs are kept in ``held[active[r]]``, −1 at first.
        """

    def refine(self, block: Block, centroids: Floats, labels: Labels) -> Partial:
        """Sum a block for one run under held labels; a profile labelled −1 rests."""

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """Squared distances (n, k) in float64 of profiles (n, …) to centroids (k, …)."""


class Euclidean:
    """Straight differences, level by level."""

    name = "euclidean"
    supports_weights = True
    supports_level_weights = True
    supports_chunks = True
    supports_refits = True
    least_rows = 2048
    sample_size = 16384
    settled_size = 2**18
    pairs = 2048
    draws = 1
    breaths = 3
    is_linear = True
    incremental = True
    max_refinements = 0

    def accumulate(self, block: Block, stack: Stack, held: Labels) -> Partial:
        """Assign by one matrix product and move what changed cluster; see `Metric`."""
        from xvcluster.kernels.euclidean import assign_and_move

        X = block.values.reshape(len(block), -1)
        C = stack.centroids.reshape(len(stack.centroids), -1).astype(X.dtype)
        half_norms = 0.5 * np.einsum("kf,kf->k", C, C)
        sums, counts, inertia = np.zeros(C.shape), np.zeros(len(C)), np.zeros(len(C))
        assign_and_move(
            X, block.weights, C, half_norms, stack.first, _groups(stack.first), stack.active,
            held, sums, counts, inertia,
        )  # fmt: skip
        mass = np.repeat(counts[:, None], block.values.shape[1], axis=1)
        return Partial(sums.reshape(stack.centroids.shape), mass, inertia)

    def refine(self, block: Block, centroids: Floats, labels: Labels) -> Partial:
        """Never called: the mean of the members is the barycenter already."""
        raise NotImplementedError

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """Σ (x − c)², without the cancellation of the expanded product; see `Metric`."""
        from xvcluster.kernels.euclidean import squared_distances

        out = np.empty((len(profiles), len(centroids)))
        flat = centroids.reshape(len(centroids), -1).astype(np.float64)
        squared_distances(profiles.reshape(-1, flat.shape[1]), flat, out)
        return out


class DynamicTimeWarping:
    """Differences along the best monotonic pairing of the levels, as far as a window allows."""

    name = "dtw"
    supports_weights = True
    supports_level_weights = False
    supports_chunks = True
    supports_refits = True
    least_rows = 2048
    sample_size = 1024
    settled_size = 2**15
    pairs = 1024
    draws = 3
    breaths = 1
    is_linear = False
    incremental = False
    max_refinements = 29

    def __init__(self, reach: Booleans | None = None) -> None:
        """Pair levels i and j where reach[i, j] (n_levels, n_levels); None: wherever."""
        self.reach = reach

    def accumulate(self, block: Block, stack: Stack, held: Labels) -> Partial:
        """Assign by warped distance and sum the members along their paths; see `Metric`."""
        from xvcluster.kernels.dtw import nearest

        X = block.values
        low, high = self._band(X)
        squared = np.empty(len(X), X.dtype)
        parts = []
        for run, part in zip(stack.active, stack.parts(), strict=True):
            own, guess = stack.centroids[part], held[run].copy()
            nearest(X, own.astype(X.dtype), low, high, guess, held[run], squared)
            parts.append(self.refine(block, own, held[run]))
        joined = (np.concatenate([getattr(p, n) for p in parts]) for n in Partial.__slots__)
        return Partial(*joined)

    def refine(self, block: Block, centroids: Floats, labels: Labels) -> Partial:
        """Sum a block along the paths to the centroids of its labels; see `Metric`."""
        from xvcluster.kernels.dtw import warp_and_sum

        k = len(centroids)
        sums, mass, inertia = np.zeros(centroids.shape), np.zeros(centroids.shape[:2]), np.zeros(k)
        order = np.argsort(labels, kind="stable")
        first = np.searchsorted(labels[order], np.arange(k + 1))
        X, own = block.values, centroids.astype(block.values.dtype)
        band = self._band(X)
        warp_and_sum(X, block.weights, own, *band, order, first, sums, mass, inertia)
        return Partial(sums, mass, inertia)

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """The least Σ (x − c)² over all warping paths; see `Metric`."""
        from xvcluster.kernels.dtw import squared_distances

        X, C = profiles.astype(np.float64), centroids.astype(np.float64)
        out = np.empty((len(X), len(C)))
        squared_distances(X, C, *self._band(X), out)
        return out

    def _band(self, profiles: Floats) -> tuple[Indices, Indices]:
        """First level, and the one behind the last, that each level may be paired with."""
        n_levels = profiles.shape[1]
        if self.reach is None:
            return np.zeros(n_levels, np.intp), np.full(n_levels, n_levels)
        low, high = self.reach.argmax(axis=1), n_levels - self.reach[:, ::-1].argmax(axis=1)
        # the kernels need a band that never turns back, even where the levels do
        return np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high)


def _groups(first: Indices) -> Indices:
    """Where to cut runs into groups of few centroids, each for one matrix product."""
    groups = [0]
    while groups[-1] < first.size - 1:
        stop = int(np.searchsorted(first, first[groups[-1]] + _GROUP, side="right")) - 1
        groups.append(max(stop, groups[-1] + 1))
    return np.array(groups)


class SoftDTW:
    """A smooth minimum over all warping paths, with tslearn's γ = 1."""

    name = "softdtw"
    supports_weights = False
    supports_level_weights = False
    supports_chunks = False
    supports_refits = False
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


def get_metric(name: str, window: float | None = None, levels: npt.ArrayLike = ()) -> Metric:
    """The metric of a name; DTW pairs levels at most `window` apart.

    Parameters
    ----------
    name : {"euclidean", "dtw", "softdtw"}
    window : int or float, optional
        Of the Sakoe-Chiba band: an int counts levels, a float is in the units of `levels`.
    levels : array_like, shape (n_levels,)
        Values of the vertical coordinate in the order of the profiles; only a window needs them.
    """
    if name == "euclidean":
        return Euclidean()
    if name == "softdtw":
        return SoftDTW()
    if window is None:
        return DynamicTimeWarping()
    return DynamicTimeWarping(reach_of(window, levels))


def reach_of(window: float, levels: npt.ArrayLike) -> Booleans:
    """Whether levels i and j are no farther apart than a window, shape (n_levels, n_levels)."""
    at = np.asarray(levels, dtype=np.float64)
    at = np.arange(at.size, dtype=np.float64) if isinstance(window, int) else at
    slack = 1e-6 * np.abs(at).max()  # levels that are rounded lie just beyond a multiple of theirs
    reach: Booleans = np.abs(at[:, None] - at) <= window + slack
    return reach
