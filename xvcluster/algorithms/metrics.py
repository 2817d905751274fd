"""Metrics: distances between profiles, and what k-means sums under each of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xvcluster.algorithms.blocks import Block, Partial, Settling, Stack
from xvcluster.algorithms.warping import Halves
from xvcluster.arrays import Booleans, Float64s, Floats, Indices, Labels

_GROUP = 96


def require_alike(profiles: Floats, others: Floats, labels: Labels | None = None) -> None:
    """Refuse arrays that are not shaped for each other, past whose ends kernels would write.

    Parameters
    ----------
    profiles : ndarray, shape (n, n_levels, n_variables)
    others : ndarray, shape (k, n_levels, n_variables)
        Centroids, or other profiles.
    labels : ndarray, shape (..., n), optional

    Raises
    ------
    ValueError
    """
    shapes = (profiles.shape, others.shape)
    if profiles.ndim != 3 or others.ndim != 3 or profiles.shape[1:] != others.shape[1:]:
        raise ValueError(
            "profiles and centroids must have shapes (n, levels, variables) and (k, levels, "
            f"variables); got {shapes[0]} and {shapes[1]}"
        )
    if not others.size:
        raise ValueError(f"there must be a centroid, with a level; got the shape {shapes[1]}")
    if labels is not None and labels.shape[-1:] != profiles.shape[:1]:
        raise ValueError(
            f"there must be one label for each of {len(profiles)} profiles; got the shape "
            f"{labels.shape}"
        )


def at_shares(weights: Float64s, shares: Float64s) -> Indices:
    """Positions at which the cumulative weights exceed these shares of their sum."""
    cumulated = np.cumsum(weights)
    positions = np.searchsorted(cumulated, shares * cumulated[-1], side="right")
    held: Indices = np.minimum(positions, np.flatnonzero(weights)[-1])
    return held


class Metric:
    """A distance between profiles, and what k-means sums under it.

    The defaults are for an inexpensive distance under which the mean is the barycenter.
    """

    name: str
    supports_weights = True
    """Whether profiles may count more or less than others."""
    supports_level_weights = True
    """Whether levels may count more or less than others."""
    supports_chunks = True
    """Whether a fit can pass over profiles that are not all in memory."""
    supports_refits = True
    """Whether samples can be clustered again, to find out how stable a clustering is."""
    least_rows = 2048
    """Minimum number of profiles in a block, so that calls cost little beside the work."""
    rows_alone = 0
    """Maximum number of profiles on which the runs of one search settle in one call."""
    even_rows = 1
    """Number of rows in whose multiples the sums of a block do not depend on where rows stand."""
    sample_size = 16384
    """Number of profiles among which k-means++ draws, and on which runs settle first."""
    settled_size = 2**18
    """Number of profiles on which a search ends, if there are more."""
    pairs = 2048
    """Number of profiles few enough that the distances between all of them cost little."""
    draws = 1
    """Starts drawn for each restart."""
    breaths = 0
    """How often the best runs on the sample are given more clusters and then lose as many."""
    beaten = 1.01
    """Multiple of the inertia of the best run on the sample from which a run drops out."""
    is_linear = False
    """Whether a few principal components preserve the distances."""
    warps = False
    """Whether levels are paired with others, so that runs begin with few levels, and smoothly."""
    incremental = False
    """Whether `accumulate` gives the changes of sums and mass since the last pass, or the whole."""
    refinements = 0
    """Number of further steps of the best runs towards the barycenters in each pass."""
    stride = 1.0
    """Length of the steps of all runs, by the distance to the means."""
    momentum = 0.0
    """Share by which the best runs go on as they went, from pass to pass."""

    def accumulate(
        self, block: Block, stack: Stack, held: Labels, *, exactly: bool = False
    ) -> Partial:
        """Assign a block of profiles to the centroids of the active runs, and sum it.

        The labels of the r-th of these runs are kept in ``held[active[r]]``; they are −1 at first.
        With `exactly`, they are, and what rounding leaves out of the sums is kept.
        """
        raise NotImplementedError

    def settle(self, block: Block, state: Settling, *, max_iter: int, tol: float) -> None:
        """Let runs settle on a block, each in as many passes as that takes; see `Settling`.

        Steps are as long as the metric's stride.

        A run ends when the squared shift of its centroids is at most `tol`, when a cluster of it is
        empty, or after `max_iter` passes.
        """
        raise NotImplementedError

    def refine(self, block: Block, centroids: Floats, labels: Labels) -> Partial:
        """Sum a block for one run with given labels; profiles labelled −1 are left out."""
        raise NotImplementedError

    def seen_as(self, view: Halves) -> Metric:
        """The metric of profiles of which half of the levels are seen."""
        raise NotImplementedError

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """Squared distances (n, k) in float64 of profiles (n, …) to centroids (k, …)."""
        raise NotImplementedError

    def relative_squares(self, profiles: Floats, centroids: Floats) -> Floats:
        """Squared distances (k, n), less what is the same for all centroids.

        They are as exact as the precision of the profiles lets them be.
        """
        return np.ascontiguousarray(self.squared_distances(profiles, centroids).T)

    def divergences(
        self,
        values: Float64s,
        profiles: Floats,  # noqa: ARG002  only some metrics need them
        centroids: Floats,  # noqa: ARG002
    ) -> Float64s:
        """Squared distances, zero for equal profiles, from what `squared_distances` gives."""
        return values

    def add_distant(
        self, profiles: Block, centroids: Floats, shares: Sequence[Float64s]
    ) -> list[Indices]:
        """Choose profiles as further centroids by greedy k-means++, once or several times.

        Parameters
        ----------
        profiles : Block
        centroids : ndarray, shape (k, n_levels, n_variables)
            Those that there are.
        shares : sequence of ndarray, shape (m, n_trials)
            Random numbers from 0 to 1 that draw, for each centroid to be added, some candidates in
            proportion to their weighted squared distance from the nearest centroid; that which
            leaves the least inertia is chosen. One array for each time.

        Returns
        -------
        list of ndarray
            Their positions: m, or less if all profiles are centroids before.
        """
        nearest = self.squared_distances(profiles.values, centroids).min(axis=1)
        return [self._add_distant(profiles, profiles.weights * nearest, drawn) for drawn in shares]

    def _add_distant(self, profiles: Block, closest: Float64s, shares: Float64s) -> Indices:
        """Choose further centroids once, from the weighted squared distances to those there are."""
        chosen: list[int] = []
        values, weights = profiles.values, profiles.weights[:, None]
        for drawn in shares:
            if not closest.any():
                break
            candidates = at_shares(closest, drawn)
            squared = weights * self.squared_distances(values, values[candidates])
            squared = np.minimum(closest[:, None], squared)
            best = int(squared.sum(axis=0).argmin())
            chosen.append(int(candidates[best]))
            closest = squared[:, best]
        return np.array(chosen, np.intp)

    def distances(self, profiles: Floats, others: Floats) -> Float64s:
        """Distances (n, m) in float64 of profiles (n, …) to others (m, …)."""
        values = self.squared_distances(profiles, others)
        distances: Float64s = np.sqrt(self.divergences(values, profiles, others))
        return distances


class Euclidean(Metric):
    """The Euclidean distance, which compares profiles level by level."""

    name = "euclidean"
    rows_alone = 2**14
    even_rows = 512  # those of one matrix product
    breaths = 3
    is_linear = True
    incremental = True

    def accumulate(
        self, block: Block, stack: Stack, held: Labels, *, exactly: bool = False
    ) -> Partial:
        """Assign by one matrix product, and move the profiles that changed cluster."""
        from xvcluster.kernels.euclidean import assign_and_move

        _require_stack(block, stack, held)
        X = block.values.reshape(len(block), -1)
        C = stack.centroids.reshape(len(stack.centroids), -1).astype(X.dtype)
        half_norms = 0.5 * np.einsum("kf,kf->k", C, C)
        sums, counts, inertia = np.zeros(C.shape), np.zeros(len(C)), np.zeros(len(C))
        n = len(C) if exactly else 0
        rest, rest_counts = np.zeros((n, C.shape[1])), np.zeros(n)
        assign_and_move(
            X, block.weights, C, half_norms, stack.first, _groups(stack.first), stack.active,
            held, sums, counts, inertia, rest, rest_counts,
        )  # fmt: skip
        shape, n_levels = stack.centroids.shape, block.values.shape[1]
        mass, rest_mass = (np.repeat(n[:, None], n_levels, axis=1) for n in (counts, rest_counts))
        return Partial(sums.reshape(shape), mass, inertia, rest.reshape(n, *shape[1:]), rest_mass)

    def settle(self, block: Block, state: Settling, *, max_iter: int, tol: float) -> None:
        """Assign profiles that stand side by side, and move those that changed cluster."""
        from xvcluster.kernels.euclidean import settle

        _require_stack(block, state.clusters, state.held)
        X, C, sums = (
            a.reshape(len(a), -1) for a in (block.values, state.clusters.centroids, state.sums)
        )
        counts = state.mass[:, 0].copy()
        settle(
            X, block.weights, C, state.clusters.first, block.least_mass, tol, max_iter,
            state.held, sums, counts, state.inertia, state.n_iter, state.shift,
        )  # fmt: skip
        state.mass[:] = counts[:, None]

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """Σ (x − c)², without the cancellation of the expanded product."""
        from xvcluster.kernels.euclidean import squared_distances

        require_alike(profiles, centroids)
        out = np.empty((len(profiles), len(centroids)))
        flat = centroids.reshape(len(centroids), -1).astype(np.float64)
        squared_distances(profiles.reshape(-1, flat.shape[1]), flat, out)
        return out

    def relative_squares(self, profiles: Floats, centroids: Floats) -> Floats:
        """|c|² − 2 c·x."""
        require_alike(profiles, centroids)
        X = profiles.reshape(len(profiles), -1)
        C = centroids.reshape(len(centroids), -1).astype(X.dtype)
        squared: Floats = (-2.0 * C) @ X.T
        squared += np.einsum("kf,kf->k", C, C)[:, None]
        return squared

    def add_distant(
        self, profiles: Block, centroids: Floats, shares: Sequence[Float64s]
    ) -> list[Indices]:
        """Choose profiles as further centroids, without a step back to Python between them."""
        from xvcluster.kernels.euclidean import add_distant

        require_alike(profiles.values, centroids)
        X, C = (a.reshape(len(a), -1) for a in (profiles.values, centroids.astype(np.float64)))
        first, drawn = np.cumsum([0, *map(len, shares)]), np.concatenate(shares)
        chosen, counts = np.empty(len(drawn), np.intp), np.empty(len(shares), np.intp)
        add_distant(X, profiles.weights, C, drawn, first, chosen, counts)
        return [chosen[start : start + n] for start, n in zip(first, counts, strict=False)]


def _require_stack(block: Block, stack: Stack, held: Labels) -> None:
    """Refuse a block, the centroids of several runs and labels that are not shaped for each other.

    `held` is (n_runs, n), of which the runs that are active are given by the stack.
    """
    require_alike(block.values, stack.centroids, held)
    first, active, ends = stack.first, stack.active, [0, len(stack.centroids)]
    is_cut = first.size == active.size + 1 and first[[0, -1]].tolist() == ends
    is_known = held.ndim == 2 and bool(((active >= 0) & (active < len(held))).all())
    if not (is_cut and is_known and bool((first[1:] > first[:-1]).all())):
        raise ValueError(
            f"the runs {stack.active} with centroids from {stack.first} do not match labels of "
            f"shape {held.shape} and centroids of shape {stack.centroids.shape}"
        )


def _groups(first: Indices) -> Indices:
    """Where to cut runs into groups of few centroids, one matrix product for each group."""
    groups = [0]
    while groups[-1] < first.size - 1:
        stop = int(np.searchsorted(first, first[groups[-1]] + _GROUP, side="right")) - 1
        groups.append(max(stop, groups[-1] + 1))
    return np.array(groups)


class DynamicTimeWarping(Metric):
    """Dynamic time warping: differences along the best monotonic pairing of the levels."""

    name = "dtw"
    supports_level_weights = False
    sample_size = 1024
    settled_size = 2**15
    pairs = 1024
    draws = 6
    breaths = 1
    beaten = 1.02  # half of the levels predict less well what comes of a run
    warps = True
    refinements = 1  # with long steps and momentum, more do not pay
    stride = 1.8
    momentum = 0.8

    def __init__(self, reach: Booleans | None = None) -> None:
        """Pair levels i and j only if reach[i, j] (n_levels, n_levels); by default, any."""
        self.reach = reach

    def seen_as(self, view: Halves) -> DynamicTimeWarping:
        """The metric of profiles of which half of the levels are seen."""
        return DynamicTimeWarping(None if self.reach is None else view.reach(self.reach))

    def accumulate(
        self,
        block: Block,
        stack: Stack,
        held: Labels,
        *,
        exactly: bool = False,  # noqa: ARG002  it always does
    ) -> Partial:
        """Assign by warped distance, and sum the members along their paths."""
        from xvcluster.kernels.dtw import nearest

        _require_stack(block, stack, held)
        X = block.values
        low, high = self._band(X)
        squared = np.empty(len(X), X.dtype)
        parts = []
        for run, part in zip(stack.active, stack.parts(), strict=True):
            own, guess = stack.centroids[part], held[run].copy()
            nearest(X, own.astype(X.dtype), low, high, guess, held[run], squared)
            parts.append(self.refine(block, own, held[run]))
        return Partial.join(parts)

    def settle(self, block: Block, state: Settling, *, max_iter: int, tol: float) -> None:
        """Assign and sum in each pass, as `accumulate` does, without a step back to Python."""
        from xvcluster.kernels.dtw import settle

        _require_stack(block, state.clusters, state.held)
        settle(
            block.values, block.weights, state.clusters.centroids, state.clusters.first,
            *self._band(block.values), tol, max_iter, self.stride,
            state.held, state.sums, state.mass, state.inertia, state.n_iter, state.shift,
        )  # fmt: skip

    def refine(self, block: Block, centroids: Floats, labels: Labels) -> Partial:
        """Sum a block along the paths to the centroids of its labels."""
        from xvcluster.kernels.dtw import warp_and_sum

        require_alike(block.values, centroids, labels)
        k = len(centroids)
        sums, mass, inertia = np.zeros(centroids.shape), np.zeros(centroids.shape[:2]), np.zeros(k)
        rest, rest_mass = np.zeros(sums.shape), np.zeros(mass.shape)
        order = np.argsort(labels, kind="stable")
        first = np.searchsorted(labels[order], np.arange(k + 1))
        X, own = block.values, centroids.astype(block.values.dtype)
        band = self._band(X)
        warp_and_sum(
            X, block.weights, own, *band, order, first, sums, mass, inertia, rest, rest_mass
        )
        return Partial(sums, mass, inertia, rest, rest_mass)

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """The least Σ (x − c)² of all warping paths."""
        from xvcluster.kernels.dtw import squared_distances

        require_alike(profiles, centroids)
        X, C = profiles.astype(np.float64), centroids.astype(np.float64)
        out = np.empty((len(X), len(C)))
        squared_distances(X, C, *self._band(X), out)
        return out

    def _band(self, profiles: Floats) -> tuple[Indices, Indices]:
        """First level that each level may be paired with, and one past the last."""
        n_levels = profiles.shape[1]
        if self.reach is None:
            return np.zeros(n_levels, np.intp), np.full(n_levels, n_levels)
        if self.reach.shape != (n_levels, n_levels):
            raise ValueError(
                f"the window is of {len(self.reach)} levels, but the profiles have {n_levels}"
            )
        low, high = self.reach.argmax(axis=1), n_levels - self.reach[:, ::-1].argmax(axis=1)
        # the kernels need a band that never turns back, even if the levels do
        return np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high)


class SoftDTW(Metric):
    """Soft-DTW: a smooth minimum over all warping paths, with γ = 1. tslearn runs its k-means."""

    name = "softdtw"
    supports_weights = False
    supports_level_weights = False
    supports_chunks = False
    supports_refits = False
    least_rows = 64
    pairs = 128

    def squared_distances(self, profiles: Floats, centroids: Floats) -> Float64s:
        """Soft-DTW values, which may be negative; the nearest centroid has the least."""
        from tslearn.metrics import cdist_soft_dtw

        values = cdist_soft_dtw(
            profiles.astype(np.float64), centroids.astype(np.float64), gamma=1.0
        )
        return np.asarray(values, dtype=np.float64)

    def divergences(self, values: Float64s, profiles: Floats, centroids: Floats) -> Float64s:
        """Soft-DTW divergences, zero for equal profiles, from soft-DTW values.

        References
        ----------
        Blondel, M., Mensch, A. & Vert, J.-P. (2021). Differentiable divergences between time
        series. AISTATS. https://doi.org/10.48550/arXiv.2010.08354
        """
        from tslearn.metrics import soft_dtw

        own, of_centroids = (
            np.array([soft_dtw(x, x, gamma=1.0) for x in group.astype(np.float64)])
            for group in (profiles, centroids)
        )
        divergences: Float64s = np.maximum(values - (own[:, None] + of_centroids) / 2, 0.0)
        return divergences


def fit_soft_dtw(
    profiles: Floats, n_clusters: int, *, n_init: int, max_iter: int, tol: float, seed: int
) -> tuple[Float64s, int]:
    """Cluster profiles under soft-DTW by tslearn.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
    n_clusters, n_init, max_iter : int
    tol : float
        A relative gain in inertia below this counts as none.
    seed : int

    Returns
    -------
    (ndarray, int)
        Centroids (n_clusters, n_levels, n_variables), and the number of passes it took.
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
    """Import TimeSeriesKMeans without the warning that h5py, which is not used here, is missing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="h5py not installed")
        from tslearn.clustering import TimeSeriesKMeans

    return TimeSeriesKMeans


def get_metric(name: str, window: float | None = None, levels: npt.ArrayLike = ()) -> Metric:
    """The metric of that name; DTW pairs levels at most `window` apart.

    Parameters
    ----------
    name : {"euclidean", "dtw", "softdtw"}
    window : int or float, optional
        Half-width of the Sakoe-Chiba band: an int counts levels, a float is in the units of
        `levels`.
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
    """Whether levels i and j are at most a window apart, shape (n_levels, n_levels)."""
    at = np.asarray(levels, dtype=np.float64)
    at = np.arange(at.size, dtype=np.float64) if isinstance(window, int) else at
    slack = 1e-6 * np.abs(at).max()  # for levels that are rounded, and so a little too far apart
    reach: Booleans = np.abs(at[:, None] - at) <= window + slack
    return reach
