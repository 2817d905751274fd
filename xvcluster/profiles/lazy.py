"""Who belongs to each cluster, of a model in chunks: maps are lazy, statistics take one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Array, Float64s, Floats, Integers
from xvcluster.profiles.layout import Layout
from xvcluster.profiles.reading import Place, Reading, status_of
from xvcluster.profiles.scaling import ProfileScaling, Scaling
from xvcluster.profiles.statistics import (
    Counting,
    Statistics,
    Tally,
    average_moments,
    count_hits,
    sum_moments,
)

if TYPE_CHECKING:
    from xvcluster.profiles.chunks import ChunkedProfiles

_MAPS = ("label", "status", "distance", "margin")


@dataclass(frozen=True, slots=True, eq=False)
class ChunkedMembers:
    """Who belongs to each cluster; see `xvcluster.profiles.Members`."""

    profiles: ChunkedProfiles
    assigner: Assigner

    def hits(self) -> tuple[Integers, Float64s]:
        """The number of profiles nearest to each node, and their weight, in one pass."""
        count, mass = self.profiles.total(partial(_count, assigner=self.assigner), add_arrays)
        return count.astype(np.int64), mass

    def means(self) -> Float64s:
        """Weighted mean profile (k, n_levels, n_variables) of each cluster, in one pass."""
        sums = self.profiles.total(partial(_sum_members, assigner=self.assigner), add_arrays)
        shape = (self.assigner.n_clusters, *self.assigner.nodes.shape[1:])
        means: Float64s = (sums[:, :-1] / sums[:, -1:]).reshape(shape)
        return means

    def scaling(self) -> Scaling:
        """What brings centroids back to the units of the data; one pass if that takes members."""
        own = self.profiles
        if isinstance(own.scaling, Scaling):
            return own.scaling
        step = partial(_sum_moments, reading=own.reading, assigner=self.assigner)
        sums = own.reduce(step, add_arrays, [(place,) for place in own.places])
        shape = (2, self.assigner.nodes.shape[2])
        return own.scaling.undoing(average_moments(sums, shape))

    def maps(self) -> dict[str, xr.DataArray]:
        """Label, status, distance and margin on the user's dimensions, lazily."""
        own = self.profiles
        return label_lazily(own.layout, own.array, own.reading, self.assigner)

    def label(self) -> xr.DataArray:
        """The labels alone, lazily."""
        return self.maps()["label"]

    def statistics(self, centroids: Float64s) -> Statistics:
        """What the members of each cluster are like, in one pass."""
        own = self.profiles
        ends = own.scaling.ends(own.survey.low, own.survey.high)
        is_weighted = bool(own.layout.weighting.factors)
        counting = Counting(centroids, *ends, is_weighted=is_weighted)
        step = partial(_tally, reading=own.reading, assigner=self.assigner, counting=counting)
        tally = own.reduce(step, Tally.join, [(place,) for place in own.places])
        return counting.conclude(tally, with_area=bool(own.places[0].areas))


def label_lazily(
    layout: Layout, array: Any, reading: Reading, assigner: Assigner
) -> dict[str, xr.DataArray]:
    """Label, status, distance and margin on the user's dimensions; nothing is computed."""
    stacked = _map_chunks(partial(_label, reading=reading, assigner=assigner), array, len(_MAPS))
    maps = dict(zip(_MAPS, _on_the_map(layout, stacked), strict=True))
    return maps | {"status": maps["status"].astype(np.int8)}


def map_lazily(
    layout: Layout, array: Any, reading: Reading, function: Callable[[Floats], Float64s], n: int
) -> list[xr.DataArray]:
    """The n numbers that a function finds of each complete profile, as lazy maps."""
    return _on_the_map(
        layout, _map_chunks(partial(_find, reading=reading, function=function, n=n), array, n)
    )


def _map_chunks(function: Any, array: Any, n: int) -> Any:
    """A dask array (n, *horizontal) of float32, made of chunks in whole profiles."""
    import dask.array as da

    map_blocks: Any = da.map_blocks  # is untyped
    return map_blocks(
        function, array,
        drop_axis=[0, 1], new_axis=0, chunks=((n,), *array.chunks[2:]),
        dtype=np.float32, meta=np.empty((0,) * (array.ndim - 1), np.float32),
    )  # fmt: skip


def _on_the_map(layout: Layout, stacked: Any) -> list[xr.DataArray]:
    """Each of n maps on the user's dimensions, chunked as the data."""
    dims, coords = layout.grid.dims, layout.grid.coords
    own = layout.dataset.unify_chunks().chunks
    stacked = stacked.rechunk({i: own[d] for i, d in enumerate(dims, start=1) if d in own})
    return [xr.DataArray(values, dims=dims, coords=coords) for values in stacked]


def _label(chunk: Array, reading: Reading, assigner: Assigner) -> Floats:
    """Label, status, distance and margin (4, *horizontal) of a chunk."""
    maps = np.full((len(_MAPS), chunk[0, 0].size), np.nan, dtype=np.float32)
    columns, refused = reading.clean(chunk)
    for points, block in reading.cut(columns):
        assigned = assigner(block)
        maps[0, points] = assigned.labels + 1
        maps[2, points] = np.sqrt(assigned.squared)
        maps[3, points] = assigned.margin
    maps[1] = status_of(columns, refused)
    return maps.reshape(-1, *chunk.shape[2:])


def _find(chunk: Array, reading: Reading, function: Callable[[Floats], Float64s], n: int) -> Floats:
    """What a function finds of the profiles of a chunk, (n, *horizontal)."""
    found = np.full((n, chunk[0, 0].size), np.nan, dtype=np.float32)
    for points, block in reading.profiles(chunk):
        found[:, points] = function(block).reshape(len(block), n).T
    return found.reshape(n, *chunk.shape[2:])


def _tally(
    chunk: Array,
    place: Place,
    reading: Reading,
    assigner: Assigner,
    counting: Counting,
) -> Tally:
    """Count the members of each cluster in a chunk."""
    tally = counting.empty()
    for points, block in reading.blocks(chunk, place):
        counting.add(tally, block, assigner(block.values), place.areas_at(points))
    return tally


def _sum_moments(
    chunk: Array, place: Place, reading: Reading, assigner: Assigner
) -> Float64s | None:
    """Add up the moments that the members of each cluster in a chunk were scaled by."""
    scaling = reading.scaling
    if not isinstance(scaling, ProfileScaling):
        raise TypeError("only profiles scaled by moments of their own have any")
    sums = None
    for _, block in replace(reading, scaling=None).blocks(chunk, place):
        labels = assigner(scaling.apply(block.values)).labels
        moments = scaling.moments(block.values)
        found = sum_moments(labels, moments, block.weights, assigner.n_clusters)
        sums = found if sums is None else sums + found
    return sums


def _count(block: Block, assigner: Assigner) -> Float64s:
    """What `count_hits` finds of a block, (2, n_nodes)."""
    nearest = assigner(block.values).nearest
    return np.stack(count_hits(nearest, block.weights, len(assigner.nodes)))


def _sum_members(block: Block, assigner: Assigner) -> Float64s:
    """Weighted sums of the members of each cluster, and in the last column their weight."""
    flat = block.values.reshape(len(block), -1)
    sums = np.zeros((assigner.n_clusters, flat.shape[1] + 1))
    labels = assigner(block.values).labels
    for c in np.unique(labels):
        own, weights = flat[labels == c], block.weights[labels == c]
        sums[c, :-1], sums[c, -1] = weights @ own, weights.sum()
    return sums


def add_arrays(parts: Iterable[Array]) -> Array:
    """Add up arrays in their order."""
    total: Array = sum(parts, start=np.zeros((), dtype=np.int64))
    return total
