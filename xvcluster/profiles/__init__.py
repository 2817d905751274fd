"""The only bridge between labelled arrays and profiles, in memory or in chunks of dask arrays.

`lay_out` finds where profiles lie, `open_profiles` scales them for a fit, and gives back who
belongs to each cluster as labelled maps. `collect` stacks them in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.methods.assign import Assigner
from xvcluster.methods.metric import Float64s
from xvcluster.methods.source import Source
from xvcluster.normalize import Scaling
from xvcluster.profiles.layout import Layout, as_dataset, lay_out
from xvcluster.profiles.memory import STATUS, Profiles, collect
from xvcluster.profiles.statistics import QUANTILES, Statistics

__all__ = [
    "QUANTILES",
    "STATUS",
    "Layout",
    "Members",
    "Profiles",
    "Scaled",
    "Statistics",
    "as_dataset",
    "collect",
    "is_chunked",
    "label_profiles",
    "lay_out",
    "open_profiles",
]


class Members(Protocol):
    """Who belongs to each cluster."""

    def hits(self) -> npt.NDArray[np.int64]:
        """Profiles nearest to each node."""

    def means(self) -> Float64s:
        """Mean profile (k, n_levels, n_variables) of each cluster, scaled."""

    def maps(self) -> dict[str, xr.DataArray]:
        """Label, status, distance and margin on the user's dimensions."""

    def label(self) -> xr.DataArray:
        """The labels alone."""

    def statistics(self, centroids: Float64s) -> Statistics:
        """What the members of each cluster are like, in the units of the scaled profiles."""


class Scaled(Protocol):
    """The complete profiles of a model, scaled so that they can be compared."""

    @property
    def scaling(self) -> Scaling:
        """How they are scaled."""

    @property
    def source(self) -> Source:
        """What a fit passes over."""

    def members(self, assigner: Assigner) -> Members:
        """Who belongs to each cluster of an assigner."""

    def criteria(self, members: Sequence[Any]) -> list[tuple[float, float]]:
        """Inertia and mean margin of each of some clusterings."""

    def mean_map(self) -> xr.DataArray:
        """Mean over the levels of the first variable of every profile, scaled."""


def open_profiles(layout: Layout, *, by_level: bool, seed: np.random.SeedSequence) -> Scaled:
    """Read a model and scale its profiles, or survey its chunks in one pass.

    Parameters
    ----------
    layout : Layout
    by_level : bool
        Shift every level by its own mean; see `fit_scaling`.
    seed : SeedSequence
        Of what is drawn from the profiles.

    Raises
    ------
    ValueError
        If there are infinities, or no profile is complete.
    """
    from xvcluster.profiles.arrays import open_arrays
    from xvcluster.profiles.chunks import open_chunks

    drawn = int(seed.generate_state(1, np.uint64)[0])
    open_them = open_chunks if is_chunked(layout.dataset) else open_arrays
    return open_them(layout, by_level=by_level, seed=drawn)


def label_profiles(layout: Layout, scaling: Scaling, assigner: Assigner) -> xr.DataArray:
    """Label every profile of a model by nodes that are scaled as given; lazily of dask arrays."""
    from xvcluster.methods.assign import assign
    from xvcluster.profiles.chunks import label_chunks
    from xvcluster.profiles.memory import stack

    if is_chunked(layout.dataset):
        return label_chunks(layout, scaling, assigner)
    profiles = stack(layout)
    scaled = scaling.apply(profiles.values, out=profiles.values)
    return profiles.to_map(assign(scaled, assigner).labels + 1)


def is_chunked(dataset: xr.Dataset) -> bool:
    """Whether variables of a model are dask arrays."""
    return any(array.chunks is not None for array in dataset.data_vars.values())
