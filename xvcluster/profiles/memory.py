"""The profiles of a model in memory: from labelled arrays to one array of profiles, and back.

Profiles are stacked in one canonical order, whatever the order of the dimensions, the direction of
the axes or the convention of longitude, so that a seed means the same for all of them. A column
that a global grid repeats at its seam is clustered once and labelled twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.algorithms.assign import Assigner, Assignment, assign, assign_given
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.moments import moments_by_cluster, moments_of
from xvcluster.algorithms.source import InMemory, choose, priorities, sample_size
from xvcluster.arrays import Array, Booleans, Float64s, Floats, Indices, Integers, Labels
from xvcluster.grid.missing import find_invalid
from xvcluster.grid.neighbours import each_once, find_neighbours
from xvcluster.messages import warn
from xvcluster.profiles.layout import Layout, lay_out
from xvcluster.profiles.scaling import Fit, ProfileScaling, Scaling
from xvcluster.profiles.statistics import (
    Statistics,
    average_moments,
    describe,
    measure,
)

STATUS = ("labelled", "no_data", "incomplete", "invalid")
"""Whether a point has a label, and if not, why; by its number in `status`."""

_GATHER = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Profiles(Layout):
    """The complete profiles of a model, and all that is needed to label them.

    Attributes
    ----------
    values : ndarray, shape (n_profiles, n_levels, n_variables)
        float32 or float64, no NaN, levels from the low end of the axis to the high one.
    points : ndarray, shape (n_profiles,)
        The place of each profile among all points of the grid, in canonical order.
    status : ndarray, shape (n_points,)
        Index into `STATUS` of every point.
    completeness : ndarray, shape (4,)
        See `count_complete`.
    cell_areas : ndarray of shape (n_profiles,), or None
        Area of each profile's cell in km², where latitude and longitude are known.
    weights : ndarray of shape (n_profiles,), or None
        None if every profile has a weight of 1.
    """

    values: Floats
    points: Indices
    status: npt.NDArray[np.int8]
    completeness: Integers
    cell_areas: Float64s | None
    weights: Float64s | None

    @property
    def block(self) -> Block:
        """The profiles with their weights."""
        return Block.of(self.values, self.weights)

    def neighbours(self) -> Indices:
        """Pairs (n_pairs, 2) of profiles that adjoin each other; see `find_neighbours`."""
        place = self.grid.place(self.grid.spread(np.arange(self.status.size)))
        at = place.values.ravel()  # the seam of a global grid is there twice
        number = np.full(self.status.size, -1)
        number[self.points] = np.arange(self.points.size)
        pairs = find_neighbours(place, grid=self.horizontal, is_present=number[at] >= 0)
        return each_once(number[at[pairs]])

    def scatter(self, values: Array) -> xr.Variable:
        """Put one value per profile on the user's dimensions; float32, otherwise NaN."""
        full = np.full(self.status.size, np.nan, dtype=np.float32)
        full[self.points] = values
        return self.grid.spread(full)

    def to_map(self, values: Array) -> xr.DataArray:
        """A map of one value per profile, with its coordinates; float32, otherwise NaN."""
        return self.grid.place(self.scatter(values))


def collect(data: xr.DataArray | xr.Dataset, dim: Hashable | None = None) -> Profiles:
    """Lay out a model and stack its complete profiles."""
    return stack(lay_out(data, dim))


def stack(layout: Layout, *, may_be_empty: bool = False) -> Profiles:
    """Read a model and stack its complete profiles; without any, refuse it or warn.

    Raises
    ------
    ValueError
        If there are infinities, no profile is complete, or all weights are 0.
    """
    lead = () if layout.axes.vertical is None else (layout.axes.vertical,)
    columns, missing, invalid = [], [], []
    for name, variable in layout.dataset.data_vars.items():
        array = xr.DataArray(variable.variable.transpose(*lead, ...), name=name).compute()
        array.encoding = variable.encoding  # has the packing of the limits of valid values
        refused = find_invalid(array)
        array = array if refused is None else array.where(~refused)
        column = flatten_levels(layout, array.variable)
        columns.append(column)
        missing.append(np.isnan(column))
        invalid.append(None if refused is None else layout.grid.flatten(refused.any(lead)))
    status = find_status(missing, invalid)
    require_complete(np.bincount(status, minlength=len(STATUS)), only_warn=may_be_empty)
    points = np.flatnonzero(status == 0)
    values = np.empty((points.size, columns[0].shape[0], len(columns)), dtype=layout.dtype)
    for v, column in enumerate(columns):
        for start in range(0, points.size, _GATHER):
            chunk = slice(start, start + _GATHER)
            values[chunk, :, v] = column[:, points[chunk]].T
    area = layout.areas()
    areas = None if area is None else layout.grid.flatten(area)[points]
    return Profiles(
        **{f.name: getattr(layout, f.name) for f in fields(Layout)},
        values=values,
        points=points,
        status=status,
        completeness=count_complete(missing),
        cell_areas=areas,
        weights=_weights(layout, points),
    )


def flatten_levels(layout: Layout, array: xr.DataArray | xr.Variable) -> Array:
    """Values (n_levels, n_points) of a variable in the order of the profiles' levels and points."""
    lead = () if layout.axes.vertical is None else (layout.axes.vertical,)
    column = layout.grid.flatten(array.transpose(*lead, ...))
    column = column.reshape(-1, column.shape[-1])
    return column[::-1] if layout.descending else column


def _weights(layout: Layout, points: Indices) -> Float64s | None:
    """Weights of the profiles at some points; None if the user gave none."""
    factors = layout.weighting.factors
    if not factors:
        return None
    weights = layout.grid.flatten(layout.product(factors))[points]
    require_weights(int(np.isnan(weights).sum()), weights.size)
    require_any_weight(weights.sum())
    return weights


def require_weights(missing: int, n_profiles: int) -> None:
    """Refuse weights that are NaN at some of the complete profiles."""
    if missing:
        raise ValueError(
            f"weights are NaN at {missing} of {n_profiles} complete profiles; give each a "
            "number, 0 for one that should not count. One without latitude and longitude has no "
            "area: set it to missing, e.g. data.where(data['latitude'].notnull())"
        )


def require_any_weight(total: float) -> None:
    """Refuse weights that add up to 0."""
    if not total > 0:
        raise ValueError("weights are 0 at all complete profiles; at least one must count")


def find_status(missing: list[Booleans], invalid: list[Booleans | None]) -> npt.NDArray[np.int8]:
    """Index into `STATUS` of each point: whether its profile is complete, and if not, why."""
    gaps = sum(m.sum(axis=0) for m in missing)
    full = sum(m.shape[0] for m in missing)
    status = np.where(gaps == 0, 0, np.where(gaps == full, 1, 2)).astype(np.int8)
    for refused in invalid:
        if refused is not None:
            status[refused] = 3
    return status


def count_complete(missing: list[Booleans]) -> Integers:
    """Count profiles with data that are complete, end too early, have gaps, or lack a variable.

    Parameters
    ----------
    missing : list of ndarray of bool, shape (n_levels, n_points)
        Of each variable.

    Returns
    -------
    ndarray, shape (4,)
        Profiles without any data are not counted.
    """
    gaps = sum(m.sum(axis=0) for m in missing)
    partial = np.flatnonzero((gaps > 0) & (gaps < sum(m.shape[0] for m in missing)))
    lacks, has_gaps = np.zeros(partial.size, bool), np.zeros(partial.size, bool)
    for m in missing:
        known = ~m[:, partial]
        count = known.sum(axis=0)
        spanned = known.shape[0] - known.argmax(axis=0) - known[::-1].argmax(axis=0)
        lacks |= count == 0
        has_gaps |= (count > 0) & (count < spanned)
    why = np.where(lacks, 3, np.where(has_gaps, 2, 1))
    counts = np.bincount(why, minlength=4).astype(np.int64)
    counts[0] = np.count_nonzero(gaps == 0)
    return counts


def describe_incomplete(completeness: Integers) -> str:
    """Say how many of how many profiles with data are incomplete, and why; empty if none is."""
    n_incomplete = int(completeness[1:].sum())
    if not n_incomplete:
        return ""
    reasons = ("do not reach the first or last level", "have gaps", "lack a variable")
    pairs = zip(completeness[1:], reasons, strict=True)
    why = ", ".join(f"{n:,} {reason}" for n, reason in pairs if n)
    return (
        f"{n_incomplete:,} of {completeness.sum():,} profiles with data are incomplete and have no "
        f"label: {why}"
    )


def in_units(distance: xr.Variable, scaling: Scaling | ProfileScaling) -> xr.Variable:
    """Distances in the units of the data, if these were left for a scale in which squares are safe.

    They are float64, as float32 may not hold them.
    """
    return distance if scaling.unit == 1.0 else distance * np.float64(scaling.unit)


def require_complete(counts: npt.NDArray[np.integer], *, only_warn: bool = False) -> None:
    """Refuse a model without a complete profile, by the number of points of each status."""
    if counts[0]:
        return
    message = (
        f"none of the {counts.sum()} profiles is complete: {counts[1]} have no data, {counts[2]} "
        f"have gaps, {counts[3]} hold a fill value or lie outside the valid_min, valid_max or "
        "valid_range of the attributes. Choose a depth range that the model covers "
        "with .vcluster.prepare(depth=...), or fill small gaps with prepare(max_gap=...)"
    )
    if not only_warn:
        raise ValueError(message)
    warn(message)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayProfiles:
    """Scaled profiles in memory; see `xvcluster.profiles.Scaled`.

    Attributes
    ----------
    layout : Profiles
        With scaled values.
    scaling : Scaling or ProfileScaling
    source : InMemory
    points : ndarray, shape (n,)
        The place of each profile of the sample among all points of the grid.
    moments : ndarray, shape (n_profiles, 2 or 0, n_variables)
        The mean and spread by which each profile was scaled, if by its own.
    """

    layout: Profiles
    scaling: Scaling | ProfileScaling
    source: InMemory
    points: Indices
    moments: Float64s

    @property
    def completeness(self) -> Integers:
        """How many profiles are complete, and why others are not; see `count_complete`."""
        return self.layout.completeness

    def members(self, assigner: Assigner, labels: Labels | None = None) -> ArrayMembers:
        """The members of each cluster of an assigner, or of given labels from 0."""
        return ArrayMembers(self, assigner, labels)

    def criteria(self, members: Sequence[Any]) -> list[Float64s]:
        """What the members of each clustering add up to; see `measure`."""
        weights = self.source.profiles.weights
        return [measure(m.assignment, weights, m.assigner.n_clusters) for m in members]

    def maps(self, function: Callable[[Floats], Float64s], n: int) -> list[xr.Variable]:
        """Maps of the n numbers that a function finds for each profile."""
        found = find_each(self.source, function, n)
        return [self.layout.scatter(column) for column in found.T]

    def mean_map(self) -> xr.DataArray:
        """Mean over the levels of the first variable of every profile, in the data's units."""
        layout = self.layout
        first = next(iter(layout.dataset.data_vars.values()))
        if layout.axes.vertical is not None:
            first = first.mean(layout.axes.vertical, dtype=np.float64, skipna=False)
        return layout.to_map(layout.grid.flatten(first)[layout.points])


def find_each(source: InMemory, function: Callable[[Floats], Float64s], n: int) -> Float64s:
    """The n numbers that a function finds for each profile, shape (n_profiles, n)."""
    none = np.empty((0, n))
    found: Float64s = source.total(
        lambda block: function(block.values).reshape(-1, n),
        lambda parts: np.concatenate([none, *parts]),
    )
    return found


@dataclass(frozen=True, eq=False)
class ArrayMembers:
    """The members of each cluster; they are not assigned before that is needed.

    If labels are given, the nodes of the assigner are the centroids of the clusters.
    """

    profiles: ArrayProfiles
    assigner: Assigner
    labels: Labels | None = None

    @cached_property
    def assignment(self) -> Assignment:
        """Where each profile belongs, found when it is first needed."""
        values, assigner = self.profiles.layout.values, self.assigner
        if self.labels is None:
            return assign(values, assigner)
        return assign_given(values, self.labels, assigner.nodes, assigner.metric)

    def means(self) -> Float64s:
        """Weighted mean profile (k, n_levels, n_variables) of each cluster, scaled."""
        profiles, labels = self.profiles.source.profiles, self.assignment.labels
        of_each = moments_by_cluster(profiles, labels, self.assigner.n_clusters)
        return np.stack([members.mean for members in of_each])

    def scaling(self) -> Scaling:
        """What brings the clusters' scaled profiles back to the units of the data.

        The members are needed only if each profile is scaled by its own mean and spread.
        """
        return self.profiles.scaling.of_clusters(self._mean_moments)

    def _mean_moments(self) -> Float64s:
        own, k = self.profiles, self.assigner.n_clusters
        moments = Block(own.moments, own.source.profiles.weights)
        return average_moments(moments_by_cluster(moments, self.assignment.labels, k))

    def maps(self) -> dict[str, xr.Variable]:
        """Label, status, distance and margin on the user's dimensions."""
        layout, found = self.profiles.layout, self.assignment
        return {
            "label": self.label(),
            "status": layout.grid.spread(layout.status),
            "distance": in_units(layout.scatter(np.sqrt(found.squared)), self.profiles.scaling),
            "margin": layout.scatter(found.margin),
        }

    def label(self) -> xr.Variable:
        """The labels alone."""
        return self.profiles.layout.scatter(self.assignment.labels + 1)

    def statistics(self, centroids: Float64s) -> Statistics:
        """Statistics of the members of each cluster."""
        own = self.profiles.layout
        found = describe(own.block, self.assignment, own.cell_areas, len(centroids))
        return found.in_units(self.profiles.scaling.unit)


def open_arrays(layout: Layout, fit: Fit, seed: int) -> ArrayProfiles:
    """Stack and scale the profiles of a model."""
    profiles = stack(layout)
    values, found = profiles.values, moments_of(profiles.block)
    if layout.weighting.is_relative:
        weights = profiles.block.weights * (len(values) / found.weight)
        profiles = replace(profiles, weights=weights)
    block, scaling = profiles.block, fit(found)
    moments = scaling.moments(values)
    scaling.apply(values, out=values)
    drawn = choose(priorities(profiles.points, seed), sample_size(values.shape[1:], values.dtype))
    source = InMemory.of(block, drawn)
    return ArrayProfiles(profiles, scaling, source, profiles.points[drawn], moments)
