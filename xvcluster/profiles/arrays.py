"""Who belongs to each cluster, of a model in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.methods.assign import Assigner, Assignment, assign
from xvcluster.methods.metric import Float64s
from xvcluster.methods.source import InMemory
from xvcluster.normalize import Scaling, fit_scaling
from xvcluster.profiles.layout import Layout
from xvcluster.profiles.memory import Profiles, stack
from xvcluster.profiles.statistics import Statistics, describe


@dataclass(frozen=True, slots=True, eq=False)
class ArrayProfiles:
    """Scaled profiles in memory; see `xvcluster.profiles.Scaled`."""

    layout: Profiles
    scaling: Scaling
    source: InMemory

    def members(self, assigner: Assigner) -> ArrayMembers:
        """Who belongs to each cluster."""
        return ArrayMembers(self.layout, assign(self.layout.values, assigner), assigner)

    def criteria(self, members: Sequence[ArrayMembers]) -> list[tuple[float, float]]:
        """Inertia and mean margin of each clustering."""
        found = [m.assignment for m in members]
        return [(float(a.squared.sum()), float(a.margin.mean())) for a in found]

    def mean_map(self) -> xr.DataArray:
        """Mean over the levels of the first variable of every profile, scaled."""
        return self.layout.to_map(self.layout.values[..., 0].mean(axis=1, dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class ArrayMembers:
    """Who belongs to each cluster; see `xvcluster.profiles.Members`."""

    profiles: Profiles
    assignment: Assignment
    assigner: Assigner

    def hits(self) -> npt.NDArray[np.int64]:
        """Profiles nearest to each node."""
        return np.bincount(self.assignment.nearest, minlength=len(self.assigner.nodes))

    def means(self) -> Float64s:
        """Mean profile (k, n_levels, n_variables) of each cluster, scaled."""
        values, labels = self.profiles.values, self.assignment.labels
        means = [
            values[labels == c].mean(axis=0, dtype=np.float64)
            for c in range(self.assigner.n_clusters)
        ]
        return np.stack(means)

    def maps(self) -> dict[str, xr.DataArray]:
        """Label, status, distance and margin on the user's dimensions."""
        return {
            "label": self.label(),
            "status": self.profiles.grid.spread(self.profiles.status),
            "distance": self.profiles.to_map(np.sqrt(self.assignment.squared)),
            "margin": self.profiles.to_map(self.assignment.margin),
        }

    def label(self) -> xr.DataArray:
        """The labels alone."""
        return self.profiles.to_map(self.assignment.labels + 1)

    def statistics(self, centroids: Float64s) -> Statistics:
        """What the members of each cluster are like."""
        own = self.profiles
        return describe(own.values, self.assignment, own.cell_areas, len(centroids))


def open_arrays(layout: Layout, *, by_level: bool, seed: int) -> ArrayProfiles:
    """Stack and scale the profiles of a model."""
    profiles = stack(layout)
    scaling = fit_scaling(profiles.values, by_level=by_level)
    values = scaling.apply(profiles.values, out=profiles.values)
    source = InMemory.of(values, profiles.points, seed)
    return ArrayProfiles(profiles, scaling, source)
