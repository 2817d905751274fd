"""Who belongs to each cluster, of a model in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.algorithms.assign import Assigner, Assignment, assign
from xvcluster.algorithms.lloyd import BLOCK_ROWS, threads
from xvcluster.algorithms.source import InMemory, choose, priorities, sample_size
from xvcluster.arrays import Float64s, Floats, Indices
from xvcluster.profiles.layout import Layout
from xvcluster.profiles.memory import Profiles, stack
from xvcluster.profiles.scaling import ProfileScaling, Scaling, fit_scaling
from xvcluster.profiles.statistics import (
    Statistics,
    count_hits,
    describe,
    mean_moments,
    measure,
)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayProfiles:
    """Scaled profiles in memory; see `xvcluster.profiles.Scaled`.

    Attributes
    ----------
    layout : Profiles
        Their values scaled.
    scaling : Scaling or ProfileScaling
    source : InMemory
    points : ndarray, shape (n,)
        The place of each profile of the sample among all points of the grid.
    average : ndarray, shape (n_profiles,)
        Mean over the levels of the first variable of each profile, in the units of the data.
    moments : ndarray, shape (n_profiles, 2, n_variables)
        What each profile was scaled by; of none, where not by moments of its own.
    """

    layout: Profiles
    scaling: Scaling | ProfileScaling
    source: InMemory
    points: Indices
    average: Float64s
    moments: Float64s

    def members(self, assigner: Assigner) -> ArrayMembers:
        """Who belongs to each cluster."""
        return ArrayMembers(self, assign(self.layout.values, assigner), assigner)

    def scaling_of(self, assigner: Assigner) -> Scaling:
        """Shim."""
        return (
            self.scaling if isinstance(self.scaling, Scaling) else self.members(assigner).scaling()
        )

    def criteria(self, members: Sequence[ArrayMembers]) -> list[Float64s]:
        """What the members of each clustering add up to; see `measure`."""
        weights = self.source.profiles.weights
        return [measure(m.assignment, weights, m.assigner.n_clusters) for m in members]

    def maps(self, function: Callable[[Floats], Float64s], n: int) -> list[xr.DataArray]:
        """The n numbers that a function finds of each profile, as maps."""
        values = self.layout.values
        blocks = [values[i : i + BLOCK_ROWS] for i in range(0, len(values), BLOCK_ROWS)]
        with threads() as map_blocks:
            found = np.concatenate(list(map_blocks(function, blocks)))
        return [self.layout.to_map(column) for column in found.reshape(len(values), n).T]

    def mean_map(self) -> xr.DataArray:
        """Mean over the levels of the first variable of every profile, in the data's units."""
        return self.layout.to_map(self.average)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayMembers:
    """Who belongs to each cluster; see `xvcluster.profiles.Members`."""

    profiles: ArrayProfiles
    assignment: Assignment
    assigner: Assigner

    def hits(self) -> tuple[npt.NDArray[np.int64], Float64s]:
        """The number of profiles nearest to each node, and their weight."""
        weights = self.profiles.source.profiles.weights
        return count_hits(self.assignment.nearest, weights, len(self.assigner.nodes))

    def means(self) -> Float64s:
        """Weighted mean profile (k, n_levels, n_variables) of each cluster, scaled."""
        profiles, labels = self.profiles.source.profiles, self.assignment.labels
        members = (np.flatnonzero(labels == c) for c in range(self.assigner.n_clusters))
        return np.stack([profiles[rows].mean() for rows in members])

    def scaling(self) -> Scaling:
        """What brings centroids back to the units of the data."""
        own = self.profiles
        if isinstance(own.scaling, Scaling):
            return own.scaling
        weights, k = own.source.profiles.weights, self.assigner.n_clusters
        return own.scaling.undoing(mean_moments(self.assignment.labels, own.moments, weights, k))

    def maps(self) -> dict[str, xr.DataArray]:
        """Label, status, distance and margin on the user's dimensions."""
        layout = self.profiles.layout
        return {
            "label": self.label(),
            "status": layout.grid.spread(layout.status),
            "distance": layout.to_map(np.sqrt(self.assignment.squared)),
            "margin": layout.to_map(self.assignment.margin),
        }

    def label(self) -> xr.DataArray:
        """The labels alone."""
        return self.profiles.layout.to_map(self.assignment.labels + 1)

    def statistics(self, centroids: Float64s) -> Statistics:
        """What the members of each cluster are like."""
        own = self.profiles.layout
        return describe(own.block, self.assignment, own.cell_areas, len(centroids))


def open_arrays(
    layout: Layout, *, normalize: str | None, by_level: bool, seed: int
) -> ArrayProfiles:
    """Stack and scale the profiles of a model."""
    profiles = stack(layout)
    values = profiles.values
    level_weights = layout.weighting.levels
    scaling = fit_scaling(profiles.block, normalize, by_level=by_level, level_weights=level_weights)
    average = values[..., 0].mean(axis=1, dtype=np.float64)
    moments = np.empty((0, 2, values.shape[2]))
    if isinstance(scaling, ProfileScaling):
        moments = scaling.moments(values)
    scaling.apply(values, out=values)
    size = sample_size(values.shape[1:], values.dtype)
    drawn = choose(priorities(profiles.points, seed), size)
    source = InMemory.of(profiles.block, drawn)
    return ArrayProfiles(profiles, scaling, source, profiles.points[drawn], average, moments)
