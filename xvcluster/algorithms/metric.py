"""What the loop asks of a metric: sums over a block of profiles, and distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Float64s = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Indices = npt.NDArray[np.intp]

_GROUP = 96
_CHUNK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A run of whole profiles.

    Attributes
    ----------
    values : ndarray, shape (n, n_levels, n_variables)
    weights : ndarray, shape (n,)
        How many profiles each of them counts for.
    """

    values: Floats
    weights: Float64s

    @classmethod
    def of(cls, values: Floats, weights: Float64s | None = None) -> Block:
        """Profiles of these weights; by default each counts once."""
        return cls(values, np.ones(len(values)) if weights is None else weights)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | Indices) -> Block:
        return Block(self.values[rows], self.weights[rows])

    def mean(self) -> Float64s:
        """Weighted mean (n_levels, n_variables), in float64; there must be a weight."""
        shares = self.weights / self.weights.sum()
        first = self.values[0].astype(np.float64)  # so that what is constant is so exactly
        parts = (
            np.tensordot(shares[rows], self.values[rows] - first, 1) for rows in self._chunks()
        )
        mean: Float64s = sum(parts, start=first)
        return mean

    def moments(self) -> tuple[Float64s, Float64s]:
        """Weighted mean and variance, each (n_levels, n_variables), in float64."""
        mean, shares = self.mean(), self.weights / self.weights.sum()
        variance = np.zeros(mean.shape)
        for rows in self._chunks():
            variance += np.tensordot(shares[rows], (self.values[rows] - mean) ** 2, 1)
        return mean, variance

    def _chunks(self) -> Iterator[slice]:
        """Runs of rows, so that nothing is copied whole."""
        return (slice(i, i + _CHUNK) for i in range(0, len(self), _CHUNK))

    def counted(self) -> Block:
        """The profiles that count at all."""
        return self if self.weights.all() else self[np.flatnonzero(self.weights)]


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The centroids of the active runs, one after the other.

    Attributes
    ----------
    centroids : ndarray, shape (K, n_levels, n_variables)
    first : ndarray, shape (n_active + 1,)
        Where each run's centroids start, and where the last ones end.
    active : ndarray, shape (n_active,)
        The place of each of them among all runs.
    """

    centroids: Float64s
    first: Indices
    active: Indices

    @classmethod
    def of(cls, centroids: Sequence[Float64s], active: Indices | None = None) -> Stack:
        """Put the centroids (k, n_levels, n_variables) of runs one after the other."""
        first = np.cumsum([0, *map(len, centroids)])
        active = np.arange(len(centroids)) if active is None else active
        return cls(np.concatenate(centroids), first, active)

    def parts(self) -> Iterator[slice]:
        """The place of each run's centroids."""
        return starmap(slice, pairwise(self.first.tolist()))


@dataclass(slots=True, eq=False)
class Partial:
    """What profiles add to the runs of a stack of K centroids.

    Attributes
    ----------
    sums : ndarray, shape (K, n_levels, n_variables)
        Weighted values that were paired with each centroid's levels.
    mass : ndarray, shape (K, n_levels)
        Their weights.
    inertia : ndarray, shape (K,)
        Weighted sums of the members' squared distances.
    """

    sums: Float64s
    mass: Float64s
    inertia: Float64s


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
    least_rows = 2048
    sample_size = 1024
    settled_size = 2**15
    pairs = 1024
    draws = 3
    breaths = 1
    is_linear = False
    incremental = False
    max_refinements = 29

    def __init__(self, reach: npt.NDArray[np.bool_] | None = None) -> None:
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
