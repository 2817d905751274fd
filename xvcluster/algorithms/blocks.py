"""The data of the loop: blocks of profiles, stacks of centroids, and sums over members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Floats, Indices, Labels

_CHUNK = 2048
_ROUNDING = 1e-11
"""Share of the total weight below which a cluster holds nothing but rounding errors."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some profiles with their weights.

    Attributes
    ----------
    values : ndarray, shape (n, n_levels, n_variables)
    weights : ndarray, shape (n,)
        How many profiles each of them counts for.
    """

    values: Floats
    weights: Float64s

    def __post_init__(self) -> None:
        if self.weights.shape != self.values.shape[:1]:
            raise ValueError(
                f"there must be one weight for each of {len(self.values)} profiles; got the shape "
                f"{self.weights.shape}"
            )

    @classmethod
    def of(cls, values: Floats, weights: Float64s | None = None) -> Block:
        """Make a block of profiles with these weights; by default, each counts once."""
        return cls(values, np.ones(len(values)) if weights is None else weights)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | Indices) -> Block:
        return Block(self.values[rows], self.weights[rows])

    def mean(self) -> Float64s:
        """Weighted mean (n_levels, n_variables) in float64; some weight must be positive."""
        shares = self.weights / self.weights.sum()
        first = self.values[0].astype(np.float64)  # so that constant levels have their exact mean
        parts = (
            np.tensordot(shares[rows], self.values[rows] - first, 1) for rows in self._chunks()
        )
        mean: Float64s = sum(parts, start=first)
        return mean

    def moments(self) -> tuple[Float64s, Float64s]:
        """Weighted mean and variance, each (n_levels, n_variables) in float64."""
        mean, shares = self.mean(), self.weights / self.weights.sum()
        variance = np.zeros(mean.shape)
        for rows in self._chunks():
            variance += np.tensordot(shares[rows], (self.values[rows] - mean) ** 2, 1)
        return mean, variance

    def covariance(self) -> Float64s:
        """Weighted covariance in float64 of all values of a profile, flat; some weight must be > 0.

        Its shape is (n_levels · n_variables, n_levels · n_variables).
        """
        mean, shares = self.mean(), self.weights / self.weights.sum()
        covariance = np.zeros((mean.size, mean.size))
        for rows in self._chunks():
            apart = (self.values[rows] - mean).reshape(-1, mean.size)
            covariance += (apart.T * shares[rows]) @ apart
        return covariance

    def _chunks(self) -> Iterator[slice]:
        """Slices of rows, so that the whole block is never copied."""
        return (slice(i, i + _CHUNK) for i in range(0, len(self), _CHUNK))

    @property
    def least_mass(self) -> float:
        """Weight below which a cluster holds nothing but rounding errors."""
        return _ROUNDING * float(self.weights.sum())

    def counted(self) -> Block:
        """The profiles with a positive weight."""
        return self if self.weights.all() else self[np.flatnonzero(self.weights)]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Profiles that are clustered, and a few that stand for them in the search for the best runs.

    Attributes
    ----------
    profiles : Block
    gist : Block, optional
        By default, some of the profiles themselves.
    variance : float, optional
        Mean of that of all levels, if it is known.
    """

    profiles: Block
    gist: Block | None = None
    variance: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The centroids of the active runs, one after the other.

    Attributes
    ----------
    centroids : ndarray, shape (K, n_levels, n_variables)
    first : ndarray, shape (n_active + 1,)
        Where each run's centroids start, and where the last ones end.
    active : ndarray, shape (n_active,)
        The position of each of them among all runs.
    """

    centroids: Float64s
    first: Indices
    active: Indices

    @classmethod
    def of(cls, centroids: Sequence[Float64s], active: Indices | None = None) -> Stack:
        """Put the centroids (k, n_levels, n_variables) of several runs one after the other."""
        first = np.cumsum([0, *map(len, centroids)])
        active = np.arange(len(centroids)) if active is None else active
        return cls(np.ascontiguousarray(np.concatenate(centroids)), first, active)

    def parts(self) -> Iterator[slice]:
        """The slice of each run's centroids."""
        return starmap(slice, pairwise(self.first.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class Settling:
    """How far some runs have come on a block; arrays are changed in place.

    Attributes
    ----------
    clusters : Stack
    held : ndarray, shape (n_runs, n)
        Labels of the last pass; -1 before the first.
    sums, mass : ndarray, shapes (K, n_levels, n_variables) and (K, n_levels)
        Weighted sums of the members of each cluster, and their weights, as in `Partial`.
    inertia, n_iter, shift : ndarray, shape (n_runs,)
        Inertia before the last update, number of passes, and squared shift in the last of them.
    """

    clusters: Stack
    held: Labels
    sums: Float64s
    mass: Float64s
    inertia: Float64s
    n_iter: Indices
    shift: Float64s

    @classmethod
    def of(cls, centroids: Sequence[Float64s], n: int) -> Settling:
        """Begin with the centroids of some runs on a block of n profiles."""
        clusters, n_runs = Stack.of(centroids), len(centroids)
        return cls(
            clusters,
            held=np.full((n_runs, n), -1, dtype=np.int32),
            sums=np.zeros(clusters.centroids.shape),
            mass=np.zeros(clusters.centroids.shape[:2]),
            inertia=np.full(n_runs, np.inf),
            n_iter=np.zeros(n_runs, np.intp),
            shift=np.full(n_runs, np.inf),
        )

    def moving(self, tol: float, max_iter: int) -> Booleans:
        """Which runs (n_runs,) have further to go."""
        moving: Booleans = (self.shift > tol) & (self.n_iter < max_iter)
        return moving


@dataclass(slots=True, eq=False)
class Partial:
    """Sums over the members of each of a stack's K centroids.

    Attributes
    ----------
    sums : ndarray, shape (K, n_levels, n_variables)
        Weighted sums of the values paired with each level of the centroids.
    mass : ndarray, shape (K, n_levels)
        Sums of their weights.
    inertia : ndarray, shape (K,)
        Weighted sums of the members' squared distances.
    rest, rest_mass : ndarray, shapes of sums and mass, or empty
        What rounding left out of the sums and of the mass, where it is kept.
    """

    sums: Float64s
    mass: Float64s
    inertia: Float64s
    rest: Float64s
    rest_mass: Float64s

    @classmethod
    def join(cls, parts: Sequence[Partial]) -> Partial:
        """Those of several stacks, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots__))


def two_sum(one: Float64s, other: Float64s) -> tuple[Float64s, Float64s]:
    """A sum, and what rounding left out of it (Knuth 1969)."""
    with np.errstate(invalid="ignore"):  # infinities, which are refused later
        total = one + other
        part = total - one
        return total, (one - (total - part)) + (other - part)
