"""From labelled arrays to profiles and back, in memory or in chunks of dask arrays.

`lay_out` finds where profiles lie in a model, `weigh` what they count for. `open_profiles` reads
and scales them for a fit, and turns its clusters back into labelled maps. `label_profiles` labels
other models. Nothing outside this package stacks or unstacks arrays, or knows dask.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.source import InMemory
from xvcluster.arrays import Float64s, Floats, Indices
from xvcluster.messages import plain, warn
from xvcluster.profiles.errors import Errors, Noise, read_errors
from xvcluster.profiles.layout import Layout, as_dataset, join_maps, lay_out
from xvcluster.profiles.memory import (
    STATUS,
    ArrayMembers,
    ArrayProfiles,
    Profiles,
    collect,
    describe_incomplete,
    find_each,
    open_arrays,
    stack,
)
from xvcluster.profiles.scaling import ProfileScaling, Scaling, fit_moments
from xvcluster.profiles.statistics import QUANTILES, Statistics
from xvcluster.profiles.weights import weigh

if TYPE_CHECKING:
    from xvcluster.profiles.chunks import ChunkedMembers, ChunkedProfiles

__all__ = [
    "QUANTILES",
    "STATUS",
    "Errors",
    "Layout",
    "Members",
    "Noise",
    "Profiles",
    "Scaled",
    "Statistics",
    "as_dataset",
    "collect",
    "describe_incomplete",
    "is_chunked",
    "join_maps",
    "label_profiles",
    "lay_out",
    "map_profiles",
    "open_profiles",
    "read_errors",
    "weigh",
]


Scaled: TypeAlias = "ArrayProfiles | ChunkedProfiles"
"""The complete profiles of a model, scaled so that they can be compared."""

Members: TypeAlias = "ArrayMembers | ChunkedMembers"
"""The members of each cluster."""


def open_profiles(
    layout: Layout, *, normalize: str | None, by_level: bool, seed: np.random.SeedSequence
) -> Scaled:
    """Read a model and scale its profiles; if it is in chunks, survey them in one pass.

    Parameters
    ----------
    layout : Layout
    normalize : str, optional
        See `fit_scaling`.
    by_level : bool
        Subtract the mean of each level; see `fit_scaling`.
    seed : SeedSequence
        For the sample that is drawn from the profiles.

    Raises
    ------
    ValueError
        If there are infinities, no profile is complete, or all weights are 0.

    Warns
    -----
    UserWarning
        If the inertia is beyond what float64 holds.
    """
    weighting, drawn = layout.weighting, int(seed.generate_state(1, np.uint64)[0])
    fit = partial(
        fit_moments,
        normalize=normalize,
        by_level=by_level,
        level_weights=weighting.levels,
        variable_weights=weighting.variables,
    )
    if is_chunked(layout.dataset):
        from xvcluster.profiles.chunks import open_chunks

        opened: Scaled = open_chunks(layout, fit, drawn)
    else:
        opened = open_arrays(layout, fit, drawn)
    _warn_beyond(next(iter(layout.variables)), opened.scaling.unit)
    _warn_of_no_place(layout, opened.points)
    return opened


def _warn_beyond(name: str, unit: float) -> None:
    """Warn if values are so large or small that float64 does not hold the inertia."""
    if not 0.0 < unit * unit < np.inf:
        warn(
            f"the values of {plain(name)!r} are of the order of {unit:.0e}, whose squares float64 "
            f"does not hold: clusters are right, but the inertia is given as {unit * unit:g}. "
            "Convert the data to other units to have it",
        )


def _warn_of_no_place(layout: Layout, points: Indices) -> None:
    """Say how many of some complete profiles lie where latitude or longitude is not known."""
    lat, lon = layout.locate(points)
    unknown = np.isnan(lat + lon)
    if unknown.any() and layout.horizontal is not None:
        warn(
            f"{100 * unknown.mean():.2g} % of the complete profiles have no latitude and longitude "
            f"({layout.axes.latitude!r}, {layout.axes.longitude!r} are missing there): they are "
            "clustered, but are on no map and in no area"
        )


def label_profiles(
    layout: Layout, scaling: Scaling | ProfileScaling, assigner: Assigner
) -> xr.DataArray:
    """Label every profile of a model by nodes that are scaled as given; lazily of dask arrays."""
    if is_chunked(layout.dataset):
        from xvcluster.profiles.chunks import label_chunks

        return label_chunks(layout, scaling, assigner)
    profiles = stack(layout, may_be_empty=True)  # as in chunks, which are labelled one by one
    scaled = scaling.apply(profiles.values, out=profiles.values)
    return profiles.to_map(assign(scaled, assigner).labels + 1)


def map_profiles(
    layout: Layout,
    scaling: Scaling | ProfileScaling,
    function: Callable[[Floats], Float64s],
    n: int,
) -> list[xr.Variable]:
    """Maps of the n numbers that a function finds for scaled profiles; lazily of dask arrays."""
    if is_chunked(layout.dataset):
        from xvcluster.profiles.chunks import map_chunks

        return map_chunks(layout, scaling, function, n)
    profiles = stack(layout, may_be_empty=True)
    source = InMemory.of(Block.of(scaling.apply(profiles.values, out=profiles.values)))
    return [profiles.scatter(column) for column in find_each(source, function, n).T]


def is_chunked(dataset: xr.Dataset) -> bool:
    """Whether variables of a model are dask arrays."""
    return any(array.chunks is not None for array in dataset.data_vars.values())
