"""What the members of each cluster are like: exactly of an array, by histograms of its chunks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from xvcluster.algorithms.assign import Assignment
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import threads
from xvcluster.arrays import Array, Float64s, Floats, Indices, Integers, Labels

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_CHUNK = 1024
_ROUNDING = 1e-12
_MOST_BINS, _LEAST_BINS, _COUNTERS = 4096, 64, 2**19


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Of k clusters.

    Attributes
    ----------
    count, inertia, margin : ndarray, shape (k,)
        Profiles, and by their weights the sum of their squared distances and the mean margin.
    area : ndarray of shape (k,), or None
        In km², where the cells are known.
    std : ndarray, shape (k, n_levels, n_variables)
        Scaled; NaN of an empty cluster, as are the quantiles.
    quantiles : ndarray, shape (n_quantiles, k, n_levels, n_variables)
        Scaled, at `QUANTILES`.
    precision : str
        How exact the quantiles are, where they are not.
    """

    count: Integers
    inertia: Float64s
    margin: Float64s
    area: Float64s | None
    std: Float64s
    quantiles: Float64s
    precision: str = ""


def describe(block: Block, assignment: Assignment, areas: Float64s | None, k: int) -> Statistics:
    """Describe the members of k clusters of an array of profiles.

    Parameters
    ----------
    block : Block
    assignment : Assignment
    areas : ndarray of shape (n_profiles,), or None
    k : int

    Returns
    -------
    Statistics
        The quantiles are exact: linear between the members or, where these have weights, the least
        value that has the share of the weight up to it.
    """
    labels = assignment.labels
    count = np.bincount(labels, minlength=k)
    area = None if areas is None else _add_up(labels, areas, k)
    mass, inertia, _, margin = measure(assignment, block.weights, k)
    return Statistics(count, inertia, _mean(margin, mass), area, *_spread(block, labels, k))


def measure(assignment: Assignment, weights: Float64s, k: int) -> Float64s:
    """What the members of k clusters add up to, by their weights.

    Returns
    -------
    ndarray, shape (4, k)
        Weights, squared distances, distances, and margins.
    """
    squared, margin = assignment.squared, assignment.margin
    terms = (weights, weights * squared, weights * np.sqrt(squared), weights * margin)
    return np.stack([_add_up(assignment.labels, term, k) for term in terms])


def count_hits(nearest: Labels, weights: Float64s, n_nodes: int) -> tuple[Integers, Float64s]:
    """The number of profiles nearest to each node, and their weight."""
    return np.bincount(nearest, minlength=n_nodes), _add_up(nearest, weights, n_nodes)


def mean_moments(labels: Labels, moments: Float64s, weights: Float64s, k: int) -> Float64s:
    """Mean of the moments (n, 2, n_variables) of each cluster's members; that of all if none."""
    return average_moments(sum_moments(labels, moments, weights, k), moments.shape[1:])


def sum_moments(labels: Labels, moments: Float64s, weights: Float64s, k: int) -> Float64s:
    """Sums of the moments of each cluster's members, and in the last column their weight."""
    columns = [*moments.reshape(len(labels), -1).T, np.ones(len(labels))]
    return np.stack([_add_up(labels, weights * column, k) for column in columns], axis=1)


def average_moments(sums: Float64s, shape: tuple[int, ...]) -> Float64s:
    """Means (k, *shape) from what `sum_moments` adds up; of an empty cluster that of all."""
    empty = sums[:, -1] == 0
    sums = np.where(empty[:, None], sums.sum(axis=0), sums)
    means: Float64s = (sums[:, :-1] / sums[:, -1:]).reshape(-1, *shape)
    return means


def _add_up(labels: Labels, values: Float64s, k: int) -> Float64s:
    """Sum of the values of each cluster."""
    return np.bincount(labels, values, minlength=k).astype(np.float64, copy=False)


def _mean(total: Float64s, mass: Array) -> Float64s:
    with np.errstate(invalid="ignore"):
        mean: Float64s = total / mass
    return mean


def _spread(block: Block, labels: Labels, k: int) -> tuple[Float64s, Float64s]:
    """Standard deviation and quantiles of the members of each cluster, NaN for an empty one."""
    shape = (k, *block.values.shape[1:])
    std, quantiles = np.full(shape, np.nan), np.full((len(QUANTILES), *shape), np.nan)
    is_weighted = bool(np.any(block.weights != 1.0))

    def describe_one(c: int) -> None:
        rows = np.flatnonzero((labels == c) & (block.weights > 0))
        members, weights = _gather(block.values, rows), block.weights[rows]
        if rows.size == 0:
            return
        if is_weighted:
            std[c] = np.sqrt(block[rows].moments()[1])
            quantiles[:, c] = _weighted_quantiles(members, weights).reshape(-1, *shape[1:])
        else:
            std[c] = np.reshape([level.std(dtype=np.float64) for level in members], shape[1:])
            members.sort(axis=1)
            quantiles[:, c] = _quantiles(members).reshape(-1, *shape[1:])

    with threads() as map_clusters:
        list(map_clusters(describe_one, range(k)))
    return std, quantiles


def _gather(values: Floats, rows: Indices) -> Floats:
    """Values (n_levels · n_variables, n_rows) of the profiles of these rows, copied once."""
    flat = values.reshape(len(values), -1)
    members = np.empty((flat.shape[1], rows.size), dtype=values.dtype)
    for start in range(0, rows.size, _CHUNK):
        members[:, start : start + _CHUNK] = flat[rows[start : start + _CHUNK]].T
    return members


def _quantiles(ordered: Floats) -> Float64s:
    """Linear quantiles (n_quantiles, n) of rows (n, m) that are sorted."""
    at = np.asarray(QUANTILES) * (ordered.shape[1] - 1)
    below = np.floor(at).astype(np.intp)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    low, high = (ordered[:, i].astype(np.float64) for i in (below, above))
    quantiles: Float64s = (low + (high - low) * (at - below)).T
    return quantiles


def _weighted_quantiles(members: Floats, weights: Float64s) -> Float64s:
    """Quantiles (n_quantiles, n) of rows (n, m) by the inverse of their cumulated weights (m,)."""
    quantiles = np.empty((len(QUANTILES), len(members)))
    for i, level in enumerate(members):
        order = np.argsort(level)
        cumulated = np.cumsum(weights[order])
        wanted = np.asarray(QUANTILES) * cumulated[-1] * (1.0 - _ROUNDING)
        quantiles[:, i] = level[order[np.searchsorted(cumulated, wanted)]]
    return quantiles


@dataclass(slots=True, eq=False)
class Tally:
    """Sums over profiles of k clusters, from which `Statistics` are found.

    Attributes
    ----------
    count, mass, inertia, margin, area : ndarray, shape (k,)
        Profiles, and by their weights: their number, squared distances and margins; km².
    sums, squares : ndarray, shape (k, n_levels · n_variables)
        Of differences from the centroid.
    histogram : ndarray, shape (k, n_levels · n_variables, n_bins)
        Weight of the members between the ends of each level.
    """

    count: Integers
    mass: Float64s
    inertia: Float64s
    margin: Float64s
    area: Float64s
    sums: Float64s
    squares: Float64s
    histogram: Float64s

    @classmethod
    def join(cls, parts: Iterable[Tally]) -> Tally:
        """Add up tallies in their order."""
        parts = list(parts)
        return cls(*(sum(getattr(part, name) for part in parts) for name in cls.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Counting:
    """How to tally profiles: about these centroids, in bins between these ends.

    Attributes
    ----------
    centroids : ndarray, shape (k, n_levels, n_variables)
    low, high : ndarray, shape (n_levels, n_variables)
        Least and greatest value of each level.
    is_weighted : bool
        Whether profiles count for other than once; see `describe` for their quantiles.
    """

    centroids: Float64s
    low: Float64s
    high: Float64s
    is_weighted: bool = False

    @property
    def n_bins(self) -> int:
        """Bins of each level of each cluster, few enough that all fit in memory."""
        return int(np.clip(_COUNTERS // self.centroids.size, _LEAST_BINS, _MOST_BINS))

    def empty(self) -> Tally:
        """Nothing counted yet."""
        k = len(self.centroids)
        flat = (k, self.low.size)
        sums, squares = np.zeros(flat), np.zeros(flat)
        mass, inertia, margin, area = np.zeros((4, k))
        count, histogram = np.zeros(k, dtype=np.int64), np.zeros((*flat, self.n_bins))
        return Tally(count, mass, inertia, margin, area, sums, squares, histogram)

    def add(
        self, tally: Tally, block: Block, assignment: Assignment, areas: Float64s | None
    ) -> None:
        """Add a block of profiles to a tally."""
        from xvcluster.kernels.statistics import add_members

        k, labels = len(self.centroids), assignment.labels
        tally.count += np.bincount(labels, minlength=k)
        mass, inertia, _, margin = measure(assignment, block.weights, k)
        tally.mass += mass
        tally.inertia += inertia
        tally.margin += margin
        if areas is not None:
            tally.area += _add_up(labels, areas, k)
        width = (self.high - self.low).ravel() / self.n_bins
        per_unit = np.divide(1.0, width, out=np.zeros_like(width), where=width > 0)
        values = block.values.reshape(len(block), -1)
        add_members(
            values, block.weights, labels, self.centroids.reshape(k, -1),
            self.low.ravel(), per_unit, tally.sums, tally.squares, tally.histogram,
        )  # fmt: skip

    def conclude(self, tally: Tally, *, with_area: bool) -> Statistics:
        """Find the statistics that a tally of all profiles holds."""
        shape = self.centroids.shape
        mass = tally.mass[:, None]
        squares, sums = _mean(tally.squares, mass), _mean(tally.sums, mass)
        std = np.sqrt(np.maximum(squares - sums**2, 0.0)).reshape(shape)
        quantiles = np.stack([self._quantile(tally, q) for q in QUANTILES])
        return Statistics(
            tally.count,
            tally.inertia,
            _mean(tally.margin, tally.mass),
            tally.area if with_area else None,
            std,
            quantiles.reshape(-1, *shape),
            f"from histograms of {self.n_bins} bins between the least and the greatest value of "
            "each level; off by one bin at most",
        )

    def _quantile(self, tally: Tally, q: float) -> Float64s:
        """Quantile (k, n_levels · n_variables), as `describe` has it."""
        if self.is_weighted:
            quantile = self._reaching(tally, q * tally.mass)
        else:
            rank = q * np.maximum(tally.count - 1, 0)
            below, above = (self._reaching(tally, f(rank) + 0.5) for f in (np.floor, np.ceil))
            quantile = below + (above - below) * (rank % 1)[:, None]
        quantile[tally.mass == 0] = np.nan
        return quantile

    def _reaching(self, tally: Tally, weight: Float64s) -> Float64s:
        """Value of each cluster up to which its members have this weight; within one bin."""
        reached = np.cumsum(tally.histogram, axis=-1)
        bins = (reached < weight[:, None, None]).sum(axis=-1)
        bins = np.minimum(bins, self.n_bins - 1)
        own = np.take_along_axis(tally.histogram, bins[..., None], axis=-1)[..., 0]
        before = np.take_along_axis(reached, bins[..., None], axis=-1)[..., 0] - own
        share = np.divide(weight[:, None] - before, own, out=np.zeros_like(own), where=own > 0)
        low, width = self.low.ravel(), (self.high - self.low).ravel() / self.n_bins
        value: Float64s = low + (bins + share) * width
        return value
