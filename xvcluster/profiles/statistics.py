"""Statistics of the members of each cluster, of an array or added up over chunks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xvcluster.algorithms.assign import Assignment
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import threads
from xvcluster.algorithms.moments import Moments
from xvcluster.arrays import Array, Float64s, Floats, Integers, Labels

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_ROUNDING = 1e-12
_BINS = 1024
_PER_VALUE = 16
"""Work of finding quantiles for each value."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Statistics of the members of k clusters.

    Attributes
    ----------
    count, inertia, margin : ndarray, shape (k,)
        Number of profiles, weighted sum of squared distances, and weighted mean margin.
    area : ndarray of shape (k,), or None
        In km², where the cells are known.
    std : ndarray, shape (k, n_levels, n_variables)
        Scaled; NaN of an empty cluster, as are the quantiles.
    quantiles : ndarray, shape (n_quantiles, k, n_levels, n_variables)
        Scaled, at `QUANTILES`.
    comment : str
        From which profiles the quantiles come, if not from all.
    """

    count: Integers
    inertia: Float64s
    margin: Float64s
    area: Float64s | None
    std: Float64s
    quantiles: Float64s
    comment: str = ""

    def in_units(self, unit: float) -> Statistics:
        """The same with the inertia in the units of the data; see `Scaling.unit`."""
        with np.errstate(over="ignore", under="ignore"):
            return replace(self, inertia=self.inertia * unit * unit)


def describe(block: Block, assignment: Assignment, areas: Float64s | None, k: int) -> Statistics:
    """Find the statistics of k clusters of an array of profiles.

    Parameters
    ----------
    block : Block
    assignment : Assignment
    areas : ndarray of shape (n_profiles,), or None
    k : int
    """
    labels = assignment.labels
    count = np.bincount(labels, minlength=k)
    area = None if areas is None else _add_up(labels, np.nan_to_num(areas), k)
    mass, inertia, _, margin = measure(assignment, block.weights, k)
    return Statistics(count, inertia, _mean(margin, mass), area, *spread(block, labels, k))


def add_up(
    block: Block, assignment: Assignment, areas: Float64s | None, centroids: Float64s
) -> Float64s:
    """Add up what `conclude` needs to know of the members of k clusters.

    Returns
    -------
    ndarray, shape (k, 5 + 2 · n_levels · n_variables)
        Number of profiles and area; by their weights, the number of profiles, squared distances and
        margins; and the differences from the centroid at every level, and their squares.
    """
    k, labels = len(centroids), assignment.labels
    values, centers = block.values.reshape(len(block), -1), centroids.reshape(k, -1)
    sums = np.zeros((k, 5 + 2 * centers.shape[1]))
    sums[:, 0] = np.bincount(labels, minlength=k)
    if areas is not None:
        sums[:, 1] = _add_up(labels, np.nan_to_num(areas), k)
    sums[:, 2:5] = measure(assignment, block.weights, k)[[0, 1, 3]].T
    for c in np.unique(labels):
        rows = np.flatnonzero(labels == c)
        apart = values[rows] - centers[c]
        sums[c, 5:] = block.weights[rows] @ np.concatenate([apart, apart**2], axis=1)
    return sums


def conclude(
    sums: Float64s, quantiles: Float64s, *, has_areas: bool, comment: str = ""
) -> Statistics:
    """Find the statistics of clusters from what `add_up` finds of all profiles, and quantiles."""
    count, area, mass, inertia, margin = sums[:, :5].T
    first, second = np.split(_mean(sums[:, 5:], mass[:, None]), 2, axis=1)
    std = np.sqrt(np.maximum(second - first**2, 0.0)).reshape(quantiles.shape[1:])
    return Statistics(
        count.astype(np.int64),
        inertia,
        _mean(margin, mass),
        area if has_areas else None,
        std,
        quantiles,
        comment,
    )


def measure(assignment: Assignment, weights: Float64s, k: int) -> Float64s:
    """Add up the distances and margins of the members of k clusters, by their weights.

    Returns
    -------
    ndarray, shape (4, k)
        Sums of weights, squared distances, distances, and margins.
    """
    squared, margin = assignment.squared, assignment.margin
    terms = (weights, weights * squared, weights * np.sqrt(squared), weights * margin)
    return np.stack([_add_up(assignment.labels, term, k) for term in terms])


def average_moments(of_each: list[Moments]) -> Float64s:
    """Mean (k, 2, n_variables) of what each profile is scaled by in each cluster; if empty, of all.

    `of_each` has the moments of these means and spreads (2, n_variables) in each cluster.
    """
    of_all = Moments.join(of_each)
    return np.stack([(own if own.weight > 0 else of_all).mean for own in of_each])


def _add_up(labels: Labels, values: Float64s, k: int) -> Float64s:
    """Sum of the values of each cluster."""
    return np.bincount(labels, values, minlength=k).astype(np.float64, copy=False)


def _mean(total: Float64s, mass: Array) -> Float64s:
    with np.errstate(invalid="ignore"):
        mean: Float64s = total / mass
    return mean


def spread(block: Block, labels: Labels, k: int) -> tuple[Float64s, Float64s]:
    """Standard deviation and quantiles of the members of each cluster, NaN for an empty one.

    Quantiles are linear between the members; if there are weights, they are the least value up to
    which the members have that share of the weight.
    """
    shape = (k, *block.values.shape[1:])
    std, quantiles = np.full(shape, np.nan), np.full((len(QUANTILES), *shape), np.nan)
    find_quantiles = _weighted_quantiles if np.any(block.weights != 1.0) else _quantiles

    def describe_one(c: int) -> None:
        members = block[np.flatnonzero((labels == c) & (block.weights > 0))]
        if len(members):
            std[c] = np.sqrt(members.moments()[1])
            quantiles[:, c] = find_quantiles(members)

    with threads(_PER_VALUE * block.values.size) as map_clusters:
        list(map_clusters(describe_one, range(k)))
    return std, quantiles


def _quantiles(members: Block) -> Float64s:
    """Linear quantiles (n_quantiles, n_levels, n_variables) of profiles, whose order is lost."""
    ordered = members.values
    ordered.sort(axis=0)  # several times as fast as the selection of np.quantile
    place = np.array(QUANTILES) * (len(ordered) - 1)
    before = place.astype(np.intp)
    low, high = ordered[before].astype(np.float64), ordered[np.ceil(place).astype(np.intp)]
    found: Float64s = low + (place - before)[:, None, None] * (high - low)
    return found


def _weighted_quantiles(members: Block) -> Float64s:
    """Quantiles (n_quantiles, n_levels, n_variables) by the inverse of the cumulated weights."""
    quantiles = np.empty((len(QUANTILES), *members.values.shape[1:]))
    for at in np.ndindex(quantiles.shape[1:]):
        quantiles[:, *at] = _quantiles_at(
            np.ascontiguousarray(members.values[:, *at]), members.weights
        )
    return quantiles


def _quantiles_at(values: Floats, weights: Float64s) -> Float64s:
    """The quantiles of one level; only the values in the same of many bins as one are sorted."""
    low, step = values.min(), (float(values.max()) - float(values.min())) / _BINS
    bins = np.zeros(values.size, np.intp)
    if 0.0 < step < np.inf:
        bins = ((values - low) / step).astype(np.intp)
    cumulated = np.cumsum(np.bincount(bins, weights))
    wanted = np.asarray(QUANTILES) * cumulated[-1] * (1.0 - _ROUNDING)
    own, quantiles = np.searchsorted(cumulated, wanted), np.empty(len(QUANTILES))
    for number in np.unique(own):
        within = np.flatnonzero(bins == number)
        within = within[np.argsort(values[within])]
        up_to = np.cumsum(weights[within]) + (cumulated[number - 1] if number else 0.0)
        at = np.searchsorted(up_to, wanted[own == number])
        quantiles[own == number] = values[within[np.minimum(at, within.size - 1)]]
    return quantiles
