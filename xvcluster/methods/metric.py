"""What the loop asks of a metric: sums over a block of profiles, and distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Float64s = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]


@dataclass(slots=True, eq=False)
class Partial:
    """What profiles add to the runs, whose K centroids stand one after the other.

    Attributes
    ----------
    sums : ndarray, shape (K, n_levels, n_variables)
        Values that were paired with each centroid's levels.
    mass : ndarray, shape (K, n_levels)
        Their number.
    counts : ndarray, shape (K,)
        Profiles assigned to each centroid.
    inertia : ndarray, shape (K,)
        Sums of their squared distances.
    farthest : ndarray, shape (n_runs, n_levels, n_variables)
        The profile farthest from its own centroid.
    farthest_distance : ndarray, shape (n_runs,)
        Its squared distance.
    """

    sums: Float64s
    mass: Float64s
    counts: Float64s
    inertia: Float64s
    farthest: Floats
    farthest_distance: Float64s

    def add(self, other: Partial) -> None:
        """Add what other profiles contribute."""
        self.sums += other.sums
        self.mass += other.mass
        self.counts += other.counts
        self.inertia += other.inertia
        farther = other.farthest_distance > self.farthest_distance
        self.farthest[farther] = other.farthest[farther]
        self.farthest_distance[farther] = other.farthest_distance[farther]


class Metric(Protocol):
    """A distance between profiles, and what its k-means sums."""

    name: str
    sample_size: int
    """Profiles among which k-means++ draws."""
    max_refinements: int
    """Further steps towards the barycenters in each pass, with the assignment held."""

    def accumulate(
        self, block: Floats, centroids: Sequence[Floats]
    ) -> tuple[Partial, list[Labels]]:
        """Assign a block of profiles to each run's centroids; the sums and each run's labels."""

    def refine(
        self, block: Floats, centroids: Floats, labels: Labels
    ) -> tuple[Float64s, Float64s, Float64s]:
        """Sums, mass and inertia by cluster of a block under one run's held labels; −1 rests."""

    def squared_distances(self, block: Floats, centroids: Floats) -> Float64s:
        """Squared distances (n, k) in float64 of a block (n, …) to centroids (k, …)."""


class Euclidean:
    """Straight differences, level by level."""

    name = "euclidean"
    sample_size = 20_000
    max_refinements = 0

    def accumulate(
        self, block: Floats, centroids: Sequence[Floats]
    ) -> tuple[Partial, list[Labels]]:
        """Assign by one matrix product and sum the members; see `Metric`."""
        from xvcluster.kernels.euclidean import assign_and_sum

        X = block.reshape(len(block), -1)
        stacked = np.concatenate(centroids).astype(X.dtype)
        C = stacked.reshape(len(stacked), -1)
        first = np.cumsum([0] + [len(c) for c in centroids])
        sums, counts = np.zeros(C.shape), np.zeros(len(C))
        half_norms = 0.5 * np.einsum("kf,kf->k", C, C, dtype=np.float64).astype(X.dtype)
        farthest = np.zeros(len(centroids), dtype=np.intp)
        inertia = np.zeros(len(C))
        distance = assign_and_sum(X, X @ C.T, half_norms, first, sums, counts, inertia, farthest)
        mass = np.repeat(counts[:, None], block.shape[1], axis=1)
        partial = Partial(
            sums.reshape(stacked.shape), mass, counts, inertia, block[farthest], distance
        )
        return partial, []

    def refine(
        self, block: Floats, centroids: Floats, labels: Labels
    ) -> tuple[Float64s, Float64s, Float64s]:
        """Never called: the mean of the members is the barycenter already."""
        raise NotImplementedError

    def squared_distances(self, block: Floats, centroids: Floats) -> Float64s:
        """Σ (x − c)², without the cancellation of the expanded product; see `Metric`."""
        from xvcluster.kernels.euclidean import squared_distances

        X = block.reshape(len(block), -1)
        out = np.empty((len(centroids), len(block)))
        for k, centroid in enumerate(centroids.reshape(len(centroids), -1)):
            squared_distances(X, centroid.astype(np.float64), out[k])
        return out.T


class DynamicTimeWarping:
    """Differences along the best monotonic pairing of the levels."""

    name = "dtw"
    sample_size = 2_000
    max_refinements = 29

    def accumulate(
        self, block: Floats, centroids: Sequence[Floats]
    ) -> tuple[Partial, list[Labels]]:
        """Assign by warped distance and sum the members along their paths; see `Metric`."""
        stacked = np.concatenate(centroids)
        squared = self._lane_distances(block, stacked.astype(block.dtype))
        first = np.cumsum([0] + [len(c) for c in centroids])
        labels = [
            squared[:, start:stop].argmin(axis=1).astype(np.int32)
            for start, stop in pairwise(first)
        ]
        parts = [self.refine(block, c, held) for c, held in zip(centroids, labels, strict=True)]
        sums, mass, inertia = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        nearest = [squared[:, start:stop].min(axis=1) for start, stop in pairwise(first)]
        counts = [np.bincount(h, minlength=len(c)) for c, h in zip(centroids, labels, strict=True)]
        farthest = np.array([n.argmax() for n in nearest])
        distance = np.array([n.max() for n in nearest], dtype=np.float64)
        counted = np.concatenate(counts).astype(np.float64)
        return Partial(sums, mass, counted, inertia, block[farthest], distance), labels

    def refine(
        self, block: Floats, centroids: Floats, labels: Labels
    ) -> tuple[Float64s, Float64s, Float64s]:
        """Sum a block along the paths to the centroids of its labels; see `Metric`."""
        from xvcluster.kernels.dtw import warp_and_sum

        sums, mass = np.zeros(centroids.shape), np.zeros(centroids.shape[:2])
        inertia = np.zeros(len(centroids))
        warp_and_sum(block, centroids.astype(np.float64), labels, sums, mass, inertia)
        return sums, mass, inertia

    def squared_distances(self, block: Floats, centroids: Floats) -> Float64s:
        """The least Σ (x − c)² over all warping paths; see `Metric`."""
        exact = self._lane_distances(block.astype(np.float64), centroids.astype(np.float64))
        return exact.astype(np.float64, copy=False)

    def _lane_distances(self, block: Floats, centroids: Floats) -> Floats:
        from xvcluster.kernels.dtw import squared_distances

        out = np.empty((len(block), len(centroids)), block.dtype)
        squared_distances(block, centroids, out)
        return out
