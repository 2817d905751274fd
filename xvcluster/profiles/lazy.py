"""Who belongs to each cluster, of a model in chunks: maps are lazy, statistics take one pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.methods.assign import Assigner
from xvcluster.methods.metric import Float64s, Floats
from xvcluster.profiles.layout import Layout
from xvcluster.profiles.reading import Place, Reading, status_of
from xvcluster.profiles.stacking import horizontal_parts
from xvcluster.profiles.statistics import Counting, Statistics, Tally

if TYPE_CHECKING:
    from xvcluster.profiles.chunks import ChunkedProfiles

_MAPS = ("label", "status", "distance", "margin")


@dataclass(frozen=True, slots=True, eq=False)
class ChunkedMembers:
    """Who belongs to each cluster; see `xvcluster.profiles.Members`."""

    profiles: ChunkedProfiles
    assigner: Assigner

    def hits(self) -> npt.NDArray[np.int64]:
        """Profiles nearest to each node, in one pass."""
        return self.profiles.total(partial(_count_hits, assigner=self.assigner), add_arrays)

    def means(self) -> Float64s:
        """Mean profile (k, n_levels, n_variables) of each cluster, scaled, in one pass."""
        sums = self.profiles.total(partial(_sum_members, assigner=self.assigner), add_arrays)
        shape = (self.assigner.n_clusters, *self.assigner.nodes.shape[1:])
        means: Float64s = (sums[:, :-1] / sums[:, -1:]).reshape(shape)
        return means

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
        ends = (own.scaling.apply(values) for values in (own.survey.low, own.survey.high))
        counting = Counting(centroids, *(values.astype(np.float64) for values in ends))
        factors = own.layout.area_factors()
        areas = [_factors_at(factors, part) for part in horizontal_parts(own.array)]
        step = partial(_tally, reading=own.reading, assigner=self.assigner, counting=counting)
        tally = own.reduce(step, Tally.join, list(zip(own.places, areas, strict=True)))
        return counting.conclude(tally, with_area=bool(factors))


def _factors_at(factors: list[xr.DataArray], part: tuple[slice, ...]) -> list[Float64s]:
    """Factors of the areas of a chunk, each as far as it varies."""
    fits = [
        [s if n > 1 else slice(None) for s, n in zip(part, f.shape, strict=True)] for f in factors
    ]
    return [f.values[tuple(fit)] for f, fit in zip(factors, fits, strict=True)]


def label_lazily(
    layout: Layout, array: Any, reading: Reading, assigner: Assigner
) -> dict[str, xr.DataArray]:
    """Label, status, distance and margin on the user's dimensions; nothing is computed."""
    stacked = _map_chunks(partial(_label, reading=reading, assigner=assigner), array, len(_MAPS))
    maps = dict(zip(_MAPS, _on_the_map(layout, stacked), strict=True))
    return maps | {"status": maps["status"].astype(np.int8)}


def mean_lazily(layout: Layout, array: Any, reading: Reading) -> xr.DataArray:
    """Mean over the levels of the first variable of every complete profile, scaled."""
    return _on_the_map(layout, _map_chunks(partial(_average, reading=reading), array, 1))[0]


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


def _label(chunk: npt.NDArray[Any], reading: Reading, assigner: Assigner) -> Floats:
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


def _average(chunk: npt.NDArray[Any], reading: Reading) -> Floats:
    """Mean of the first variable (1, *horizontal) of a chunk."""
    mean = np.full(chunk[0, 0].size, np.nan, dtype=np.float32)
    for points, block in reading.profiles(chunk):
        mean[points] = block[..., 0].mean(axis=1, dtype=np.float64)
    return mean.reshape(1, *chunk.shape[2:])


def _tally(
    chunk: npt.NDArray[Any],
    place: Place,
    factors: list[Float64s],
    reading: Reading,
    assigner: Assigner,
    counting: Counting,
) -> Tally:
    """Count the members of each cluster in a chunk."""
    tally = counting.empty()
    areas = np.broadcast_to(np.prod(np.broadcast_arrays(*factors), axis=0), chunk.shape[2:]).ravel()
    for points, block in reading.profiles(chunk, place.taken()):
        counting.add(tally, block, assigner(block), areas[points] if factors else None)
    return tally


def _count_hits(block: Floats, assigner: Assigner) -> npt.NDArray[np.int64]:
    return np.bincount(assigner(block).nearest, minlength=len(assigner.nodes))


def _sum_members(block: Floats, assigner: Assigner) -> Float64s:
    """Sums of the members of each cluster, and in the last column their number."""
    flat = block.reshape(len(block), -1)
    sums = np.zeros((assigner.n_clusters, flat.shape[1] + 1))
    labels = assigner(block).labels
    for c in np.unique(labels):
        own = flat[labels == c]
        sums[c, :-1], sums[c, -1] = own.sum(axis=0, dtype=np.float64), len(own)
    return sums


def add_arrays(parts: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Add up arrays in their order."""
    total: npt.NDArray[Any] = sum(parts, start=np.zeros((), dtype=np.int64))
    return total
