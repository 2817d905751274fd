"""What the loop asks of a metric: sums over a block of profiles, and distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Float64s = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Indices = npt.NDArray[np.intp]

_GROUP = 96


@dataclass(slots=True, eq=False)
class Partial:
    """What profiles add to the runs, whose K centroids stand one after the other.

    Attributes
    ----------
    sums : ndarray, shape (K, n_levels, n_variables)
        Values that were paired with each centroid's levels.
    mass : ndarray, shape (K, n_levels)
        Their number.
    inertia : ndarray, shape (K,)
        Sums of the members' squared distances.
    """

    sums: Float64s
    mass: Float64s
    inertia: Float64s


class Metric(Protocol):
    """A distance between profiles, and what its k-means sums."""

    name: str
    sample_size: int
    """Profiles among which k-means++ draws, and that runs settle on before they see all."""
    draws: int
    """Starts drawn for each restart, of which the best on the sample counts."""
    is_linear: bool
    """Whether distances are those of the principal components, so that few may stand for all."""
    incremental: bool
    """Whether `accumulate` gives the change of sums and mass since the last pass, or them all."""
    max_refinements: int
    """Further steps towards the barycenters in each pass, with the assignment held."""

    def accumulate(
        self, block: Floats, centroids: Sequence[Floats], active: Indices, held: Labels
    ) -> Partial:
        """Assign a block of profiles to the centroids of the active runs, and sum it.

        The labels of the r-th of these runs are kept in ``held[active[r]]``, −1 at first.
        """

    def refine(self, block: Floats, centroids: Floats, labels: Labels) -> Partial:
        """Sum a block for one run under held labels; a profile labelled −1 rests."""

    def squared_distances(self, block: Floats, centroids: Floats) -> Float64s:
        """Squared distances (n, k) in float64 of a block (n, …) to centroids (k, …)."""


class Euclidean:
    """Straight differences, level by level."""

    name = "euclidean"
    sample_size = 8192
    draws = 3
    is_linear = True
    incremental = True
    max_refinements = 0

    def accumulate(
        self, block: Floats, centroids: Sequence[Floats], active: Indices, held: Labels
    ) -> Partial:
        """Assign by one matrix product and move what changed cluster; see `Metric`."""
        from xvcluster.kernels.euclidean import assign_and_move

        X = block.reshape(len(block), -1)
        stacked = np.concatenate(centroids)
        C = stacked.reshape(len(stacked), -1).astype(X.dtype)
        half_norms = 0.5 * np.einsum("kf,kf->k", C, C)
        norms = np.einsum("nf,nf->n", X, X)
        first = starts_of(centroids)
        sums, counts, inertia = np.zeros(C.shape), np.zeros(len(C)), np.zeros(len(C))
        for some in _groups(first):
            own = slice(first[some.start], first[some.stop])
            products = C[own] @ X.T
            assign_and_move(
                X, norms, products, half_norms[own], first[some.start : some.stop + 1] - own.start,
                active[some], held, sums[own], counts[own], inertia[own],
            )  # fmt: skip
        mass = np.broadcast_to(counts[:, None], stacked.shape[:2])
        return Partial(sums.reshape(stacked.shape), mass, inertia)

    def refine(self, block: Floats, centroids: Floats, labels: Labels) -> Partial:
        """Never called: the mean of the members is the barycenter already."""
        raise NotImplementedError

    def squared_distances(self, block: Floats, centroids: Floats) -> Float64s:
        """Σ (x − c)², without the cancellation of the expanded product; see `Metric`."""
        from xvcluster.kernels.euclidean import squared_distances

        out = np.empty((len(block), len(centroids)))
        flat = centroids.reshape(len(centroids), -1).astype(np.float64)
        squared_distances(block.reshape(len(block), -1), flat, out)
        return out


class DynamicTimeWarping:
    """Differences along the best monotonic pairing of the levels, as far as a window allows."""

    name = "dtw"
    sample_size = 1024
    draws = 3
    is_linear = False
    incremental = False
    max_refinements = 29

    def __init__(self, reach: npt.NDArray[np.bool_] | None = None) -> None:
        """Pair levels i and j where reach[i, j] (n_levels, n_levels); None: wherever."""
        self.reach = reach

    def accumulate(
        self, block: Floats, centroids: Sequence[Floats], active: Indices, held: Labels
    ) -> Partial:
        """Assign by warped distance and sum the members along their paths; see `Metric`."""
        from xvcluster.kernels.dtw import nearest

        low, high = self._band(block)
        squared = np.empty(len(block), block.dtype)
        parts = []
        for run, own in zip(active, centroids, strict=True):
            guess = held[run].copy()
            nearest(block, own.astype(block.dtype), low, high, guess, held[run], squared)
            parts.append(self.refine(block, own, held[run]))
        joined = (np.concatenate([getattr(p, n) for p in parts]) for n in Partial.__slots__)
        return Partial(*joined)

    def refine(self, block: Floats, centroids: Floats, labels: Labels) -> Partial:
        """Sum a block along the paths to the centroids of its labels; see `Metric`."""
        from xvcluster.kernels.dtw import warp_and_sum

        k = len(centroids)
        sums, mass, inertia = np.zeros(centroids.shape), np.zeros(centroids.shape[:2]), np.zeros(k)
        order = np.argsort(labels, kind="stable")
        first = np.searchsorted(labels[order], np.arange(k + 1))
        own = centroids.astype(block.dtype)
        warp_and_sum(block, own, *self._band(block), order, first, sums, mass, inertia)
        return Partial(sums, mass, inertia)

    def squared_distances(self, block: Floats, centroids: Floats) -> Float64s:
        """The least Σ (x − c)² over all warping paths; see `Metric`."""
        from xvcluster.kernels.dtw import squared_distances

        X, C = block.astype(np.float64), centroids.astype(np.float64)
        out = np.empty((len(X), len(C)))
        squared_distances(X, C, *self._band(X), out)
        return out

    def _band(self, block: Floats) -> tuple[Indices, Indices]:
        """First level, and the one behind the last, that each level may be paired with."""
        n_levels = block.shape[1]
        if self.reach is None:
            return np.zeros(n_levels, np.intp), np.full(n_levels, n_levels)
        low, high = self.reach.argmax(axis=1), n_levels - self.reach[:, ::-1].argmax(axis=1)
        # the kernels need a band that never turns back, even where the levels do
        return np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high)


def starts_of(centroids: Sequence[Floats]) -> Indices:
    """Where each run's centroids start among those of all runs, and where the last ones end."""
    return np.cumsum([0, *map(len, centroids)])


def _groups(first: Indices) -> Iterator[slice]:
    """Cut runs into groups of few centroids, whose products with a block stay in a core's cache."""
    start = 0
    while start < first.size - 1:
        stop = int(np.searchsorted(first, first[start] + _GROUP, side="right")) - 1
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop
