"""What the members of each cluster are like: exactly of an array, by histograms of its chunks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xvcluster.methods.assign import Assignment
from xvcluster.methods.lloyd import threads
from xvcluster.methods.metric import Float64s, Floats, Labels

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_CHUNK = 1024
_MOST_BINS, _LEAST_BINS, _COUNTERS = 4096, 64, 2**19


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Of k clusters.

    Attributes
    ----------
    count, inertia, margin : ndarray, shape (k,)
        Profiles, sum of their squared distances, mean of their margins.
    area : ndarray of shape (k,), or None
        In km², where the cells are known.
    std : ndarray, shape (k, n_levels, n_variables)
        Scaled; NaN of an empty cluster, as are the quantiles.
    quantiles : ndarray, shape (n_quantiles, k, n_levels, n_variables)
        Scaled, at `QUANTILES`.
    precision : str
        How exact the quantiles are, where they are not.
    """

    count: npt.NDArray[np.int64]
    inertia: Float64s
    margin: Float64s
    area: Float64s | None
    std: Float64s
    quantiles: Float64s
    precision: str = ""


def describe(values: Floats, assignment: Assignment, areas: Float64s | None, k: int) -> Statistics:
    """Describe the members of k clusters of an array of profiles.

    Parameters
    ----------
    values : ndarray, shape (n_profiles, n_levels, n_variables)
    assignment : Assignment
    areas : ndarray of shape (n_profiles,), or None
    k : int

    Returns
    -------
    Statistics
        The quantiles are exact.
    """
    labels = assignment.labels
    count = np.bincount(labels, minlength=k)
    area = None if areas is None else _add_up(labels, areas, k)
    inertia = _add_up(labels, assignment.squared, k)
    margin = _mean(_add_up(labels, assignment.margin, k), count)
    return Statistics(count, inertia, margin, area, *_spread(values, labels, k))


def _add_up(labels: Labels, values: Float64s, k: int) -> Float64s:
    """Sum of the values of each cluster."""
    return np.bincount(labels, values, minlength=k).astype(np.float64, copy=False)


def _mean(total: Float64s, count: npt.NDArray[np.int64]) -> Float64s:
    with np.errstate(invalid="ignore"):
        mean: Float64s = total / count
    return mean


def _spread(values: Floats, labels: Labels, k: int) -> tuple[Float64s, Float64s]:
    """Standard deviation and quantiles of the members of each cluster, NaN for an empty one."""
    shape = (k, *values.shape[1:])
    std, quantiles = np.full(shape, np.nan), np.full((len(QUANTILES), *shape), np.nan)

    def describe_one(c: int) -> None:
        members = _gather(values, np.flatnonzero(labels == c))
        if members.shape[1]:
            std[c] = np.reshape([level.std(dtype=np.float64) for level in members], shape[1:])
            members.sort(axis=1)
            quantiles[:, c] = _quantiles(members).reshape(-1, *shape[1:])

    with threads() as map_clusters:
        list(map_clusters(describe_one, range(k)))
    return std, quantiles


def _gather(values: Floats, rows: npt.NDArray[np.intp]) -> Floats:
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


@dataclass(slots=True, eq=False)
class Tally:
    """Sums over profiles of k clusters, from which `Statistics` are found.

    Attributes
    ----------
    count, inertia, margin, area : ndarray, shape (k,)
    sums, squares : ndarray, shape (k, n_levels · n_variables)
        Of differences from the centroid.
    histogram : ndarray of int64, shape (k, n_levels · n_variables, n_bins)
        Members between the ends of each level.
    """

    count: npt.NDArray[np.int64]
    inertia: Float64s
    margin: Float64s
    area: Float64s
    sums: Float64s
    squares: Float64s
    histogram: npt.NDArray[np.int64]

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
    """

    centroids: Float64s
    low: Float64s
    high: Float64s

    @property
    def n_bins(self) -> int:
        """Bins of each level of each cluster, few enough that all fit in memory."""
        return int(np.clip(_COUNTERS // self.centroids.size, _LEAST_BINS, _MOST_BINS))

    def empty(self) -> Tally:
        """Nothing counted yet."""
        k = len(self.centroids)
        flat = (k, self.low.size)
        histogram = np.zeros((*flat, self.n_bins), dtype=np.int64)
        count, inertia = np.zeros(k, dtype=np.int64), np.zeros(k)
        sums, squares = np.zeros(flat), np.zeros(flat)
        return Tally(count, inertia, np.zeros(k), np.zeros(k), sums, squares, histogram)

    def add(
        self, tally: Tally, block: Floats, assignment: Assignment, areas: Float64s | None
    ) -> None:
        """Add a block of profiles (n, n_levels, n_variables) to a tally."""
        from xvcluster.kernels.statistics import add_members

        k, labels = len(self.centroids), assignment.labels
        tally.count += np.bincount(labels, minlength=k)
        tally.inertia += _add_up(labels, assignment.squared, k)
        tally.margin += _add_up(labels, assignment.margin, k)
        if areas is not None:
            tally.area += _add_up(labels, areas, k)
        width = (self.high - self.low).ravel() / self.n_bins
        per_unit = np.divide(1.0, width, out=np.zeros_like(width), where=width > 0)
        add_members(
            block.reshape(len(block), -1), labels, self.centroids.reshape(k, -1),
            self.low.ravel(), per_unit, tally.sums, tally.squares, tally.histogram,
        )  # fmt: skip

    def conclude(self, tally: Tally, *, with_area: bool) -> Statistics:
        """Find the statistics that a tally of all profiles holds."""
        shape = self.centroids.shape
        count = tally.count[:, None]
        squares, sums = _mean(tally.squares, count), _mean(tally.sums, count)
        std = np.sqrt(np.maximum(squares - sums**2, 0.0)).reshape(shape)
        quantiles = np.stack([self._quantile(tally, q) for q in QUANTILES])
        return Statistics(
            tally.count,
            tally.inertia,
            _mean(tally.margin, tally.count),
            tally.area if with_area else None,
            std,
            quantiles.reshape(-1, *shape),
            f"from histograms of {self.n_bins} bins between the least and the greatest value of "
            "each level; off by one bin at most",
        )

    def _quantile(self, tally: Tally, q: float) -> Float64s:
        """Linear quantile (k, n_levels · n_variables), between the order statistics around it."""
        rank = q * np.maximum(tally.count - 1, 0)
        below, above = self._ordered(tally, np.floor(rank)), self._ordered(tally, np.ceil(rank))
        quantile = below + (above - below) * (rank % 1)[:, None]
        quantile[tally.count == 0] = np.nan
        return quantile

    def _ordered(self, tally: Tally, rank: Float64s) -> Float64s:
        """Value of the member of a rank, from 0, of each cluster; within one bin."""
        reached = np.cumsum(tally.histogram, axis=-1)
        bins = (reached <= rank[:, None, None]).sum(axis=-1)
        bins = np.minimum(bins, self.n_bins - 1)
        own = np.take_along_axis(tally.histogram, bins[..., None], axis=-1)[..., 0]
        before = np.take_along_axis(reached, bins[..., None], axis=-1)[..., 0] - own
        share = (rank[:, None] - before + 0.5) / np.maximum(own, 1)
        low, width = self.low.ravel(), (self.high - self.low).ravel() / self.n_bins
        value: Float64s = low + (bins + share) * width
        return value
