"""The profiles of a model in dask arrays: read chunk by chunk, and labelled lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import one_blas_thread
from xvcluster.algorithms.moments import Moments, join_clusters, moments_by_cluster
from xvcluster.algorithms.source import sample_size
from xvcluster.arrays import Array, Float64s, Floats, Indices, Integers
from xvcluster.grid.missing import find_undeclared, warn_stale
from xvcluster.messages import warn
from xvcluster.profiles.layout import Layout
from xvcluster.profiles.memory import (
    in_units,
    require_any_weight,
    require_complete,
    require_weights,
)
from xvcluster.profiles.reading import Place, Reading, status_of
from xvcluster.profiles.scaling import Fit, ProfileScaling, Scaling
from xvcluster.profiles.statistics import (
    Statistics,
    add_up,
    average_moments,
    conclude,
    measure,
    spread,
)
from xvcluster.profiles.survey import Sample, Survey, join_blocks, survey

T = TypeVar("T")

_LARGEST = 2**28
"""Bytes of merged chunks above which they are cut along the horizontal."""

_FAN_IN = 8
_FEW = 8
"""A cluster has few members in a sample if they are fewer than an even share of it over this."""

_MAPS = ("label", "status", "distance", "margin")


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """The variables of a model as one dask array, cut into chunks of whole profiles.

    Attributes
    ----------
    array : dask array, shape (n_variables, n_levels, *horizontal)
    parts : list of Delayed
        Its chunks, in C order.
    places : list of Place
        Where they lie.
    """

    array: Any
    parts: list[Any]
    places: list[Place]

    @classmethod
    def of(cls, layout: Layout) -> Chunks:
        """The chunks of a model; none is read."""
        array = _stack_lazily(layout)
        parts = list(array.to_delayed(optimize_graph=True).ravel())
        return cls(array, parts, _places(layout, array))

    def reduce(
        self, step: Callable[[Array, Place], T | None], join: Callable[[Iterable[T]], T]
    ) -> T:
        """Apply a step to every chunk, and join the outcomes in a tree of one shape.

        The work is done as dask tasks, on the scheduler that the user has set. A step may return
        None for a chunk without profiles, which is left out.

        Raises
        ------
        RuntimeError
            If a chunk cannot be read or processed; it is named.
        """
        from dask.delayed import delayed

        task, merge = delayed(step), delayed(_join_some)
        leaves = [task(*pair) for pair in zip(self.parts, self.places, strict=True)]
        level = leaves
        while len(level) > 1 or level is leaves:
            level = [merge(level[i : i + _FAN_IN], join) for i in range(0, len(level), _FAN_IN)]
        with one_blas_thread():
            try:
                outcome: T = level[0].compute()
            except Exception as error:
                if type(error).__name__ != "KilledWorker":  # to try again would kill the next one
                    self._name_broken(leaves)
                raise
        return outcome

    def _name_broken(self, leaves: list[Any]) -> None:
        """Compute one chunk after the other, to name the one that fails."""
        for leaf, place in zip(leaves, self.places, strict=True):
            try:
                leaf.compute()
            except Exception as error:
                raise RuntimeError(
                    f"the chunk at {place.name} cannot be processed: {error}. Look at it by "
                    "itself, e.g. with data.isel(...).load()"
                ) from error


def _join_some(outcomes: list[T | None], join: Callable[[Iterable[T]], T]) -> T | None:
    some = [outcome for outcome in outcomes if outcome is not None]
    return join(some) if some else None


def _stack_lazily(layout: Layout) -> Any:
    """All variables as one dask array (n_variables, n_levels, *horizontal) in whole profiles."""
    import dask.array as da

    vertical = layout.axes.vertical
    dims = (*(() if vertical is None else (vertical,)), *layout.grid.dims)
    variables = layout.dataset.unify_chunks().data_vars.values()
    arrays = [a.transpose(*dims) for a in variables]
    arrays = [a.chunk() if a.chunks is None else a for a in arrays]
    stack: Any = da.stack  # is untyped
    stacked = stack([a.data for a in arrays]) if len(arrays) > 1 else arrays[0].data[None]
    if vertical is None:
        return stacked.rechunk({0: -1})[:, None]
    is_split = len(stacked.chunks[1]) > 1
    if is_split:
        warn(
            f"the vertical {vertical!r} is split over {len(stacked.chunks[1])} chunks, which are "
            "merged in every pass over the data; rechunk them once into whole profiles, "
            f"e.g. data.chunk({{{vertical!r}: -1, ...: 'auto'}}) written with to_zarr",
        )
    stacked = stacked.rechunk({0: -1, 1: -1})
    largest = np.prod([max(sizes) for sizes in stacked.chunks]) * stacked.dtype.itemsize
    if is_split and largest > _LARGEST:
        cut = dict.fromkeys(range(2, stacked.ndim), "auto")
        stacked = stacked.rechunk(cut, block_size_limit=_LARGEST // 2)
    return stacked


def _places(layout: Layout, array: Any) -> list[Place]:
    """Where each chunk of a stacked array lies, in C order."""
    grid, factors = layout.grid, (layout.area_factors(), layout.weighting.factors)
    # by how much the place among all points grows with a step along each dimension
    steps = {d: int(np.prod(grid.shape[i + 1 :])) for i, d in enumerate(grid.canonical_dims)}
    edges = [np.cumsum([0, *sizes]).tolist() for sizes in array.chunks[2:]]
    places = []
    for chosen in product(*([slice(a, b) for a, b in pairwise(e)] for e in edges)):
        parts = dict(zip(grid.dims, chosen, strict=True))
        own = {d: grid.restore[d][part] for d, part in parts.items()}
        offsets = {d: at * steps[d] for d, at in own.items()}
        new = tuple(
            grid.take[d][own[d]] == np.arange(part.start, part.stop) for d, part in parts.items()
        )
        name = ", ".join(f"{d}[{part.start}:{part.stop}]" for d, part in parts.items())
        areas, weights = (
            tuple(f.isel(parts, missing_dims="ignore") for f in each) for each in factors
        )
        places.append(Place(offsets, new, name, areas, weights))
    return places


@dataclass(frozen=True, slots=True, eq=False)
class ChunkedProfiles:
    """Profiles of a model in chunks; a `Source` for the fit, and a `Scaled` for its result.

    Attributes
    ----------
    layout : Layout
    chunks : Chunks
    reading : Reading
        Without the scaling.
    scaling : Scaling or ProfileScaling
    completeness : ndarray, shape (4,)
        See `count_complete`.
    sample : Block
        Some profiles, scaled, in canonical order; see `Source`.
    points : ndarray, shape (n,)
        The place of each of these among all points of the grid.
    seed : int
        Of the sample.
    """

    layout: Layout
    chunks: Chunks
    reading: Reading
    scaling: Scaling | ProfileScaling
    completeness: Integers
    sample: Block
    points: Indices
    seed: int

    @property
    def n_profiles(self) -> int:
        """Number of complete profiles."""
        return int(self.completeness[0])

    @property
    def source(self) -> ChunkedProfiles:
        """Itself: what a fit passes over."""
        return self

    @property
    def scaled(self) -> Reading:
        """How chunks become scaled profiles."""
        return replace(self.reading, scaling=self.scaling)

    def total(self, step: Callable[[Block], T], join: Callable[[Iterable[T]], T]) -> T:
        """Apply a step to all profiles block by block, and join the outcomes; see `Source`."""
        return self.chunks.reduce(partial(_fold, reading=self.scaled, step=step, join=join), join)

    def members(self, assigner: Assigner) -> ChunkedMembers:
        """The members of each cluster of an assigner."""
        return ChunkedMembers(self, assigner)

    def criteria(self, members: Sequence[Any]) -> list[Float64s]:
        """What the members of each clustering add up to, in one pass; see `measure`."""
        assigners = [m.assigner for m in members]
        edges = np.cumsum([assigner.n_clusters for assigner in assigners])[:-1]
        total = self.total(partial(_measure, assigners=assigners), _add_arrays)
        return np.split(total, edges, axis=1)

    def maps(self, function: Callable[[Floats], Float64s], n: int) -> list[xr.Variable]:
        """Maps of the n numbers that a function finds for each profile, lazily."""
        find = partial(_find, reading=self.scaled, function=function, n=n)
        return _map_lazily(self.layout, self.chunks.array, find, n)

    def mean_map(self) -> xr.DataArray:
        """Mean over the levels of the first variable of every profile, lazily."""
        find = partial(_find, reading=self.reading, function=_average, n=1)
        return self.layout.grid.place(_map_lazily(self.layout, self.chunks.array, find, 1)[0])


@dataclass(frozen=True, slots=True, eq=False)
class ChunkedMembers:
    """The members of each cluster; they are not assigned before that is needed."""

    profiles: ChunkedProfiles
    assigner: Assigner

    def means(self) -> Float64s:
        """Weighted mean profile (k, n_levels, n_variables) of each cluster, in one pass."""
        of_each = self.profiles.total(partial(_sum_members, assigner=self.assigner), join_clusters)
        return np.stack([members.mean for members in of_each])

    def scaling(self) -> Scaling:
        """What brings the clusters' scaled profiles back to the units of the data.

        Takes a pass over the profiles only if each is scaled by its own mean and spread.
        """
        return self.profiles.scaling.of_clusters(self._mean_moments)

    def _mean_moments(self) -> Float64s:
        """Mean moments (k, 2, n_variables) of the members of each cluster, in one pass."""
        own = self.profiles
        step = partial(_sum_moments, scaling=own.scaling, assigner=self.assigner)
        fold = partial(_fold, reading=own.reading, step=step, join=join_clusters)
        of_each: list[Moments] = own.chunks.reduce(fold, join_clusters)
        return average_moments(of_each)

    def maps(self) -> dict[str, xr.Variable]:
        """Label, status, distance and margin on the user's dimensions, lazily."""
        own = self.profiles
        return _label_maps(own.layout, own.chunks.array, own.scaled, self.assigner)

    def label(self) -> xr.Variable:
        """The labels alone, lazily."""
        return self.maps()["label"]

    def statistics(self, centroids: Float64s) -> Statistics:
        """Statistics of the members of each cluster, in one pass.

        Quantiles are those of the sample. Of clusters with few members there, the pass draws more.
        """
        own, k = self.profiles, len(centroids)
        sample = own.sample.counted()
        labels = assign(sample.values, self.assigner).labels
        is_whole = len(own.sample) == own.n_profiles
        enough = 0 if is_whole else int(len(sample) / (_FEW * k))
        few = np.flatnonzero(np.bincount(labels, minlength=k) < enough)
        step = partial(
            _tally,
            reading=own.scaled,
            assigner=self.assigner,
            centroids=centroids,
            few=few,
            seed=own.seed,
            size=enough,
        )
        sums, drawn = own.chunks.reduce(step, partial(_join_tallies, size=enough))
        rest = np.flatnonzero(~np.isin(labels, few))
        members = join_blocks([sample[rest], *(each.block for each in drawn)])
        labels = np.append(labels[rest], np.repeat(few, [len(each.points) for each in drawn]))
        comment = (
            f"of {len(members)} of all {own.n_profiles} profiles, drawn at random: of each cluster "
            f"at least {enough}, or all that it has"
        )
        found = conclude(
            sums,
            spread(members, labels, k)[1],
            has_areas=bool(own.chunks.places[0].areas),
            comment="" if is_whole else comment,
        )
        return found.in_units(own.scaling.unit)


def open_chunks(layout: Layout, fit: Fit, seed: int) -> ChunkedProfiles:
    """Survey and sample the profiles of a model in dask arrays, and find how to scale them.

    Raises
    ------
    ValueError
        If there are infinities, no profile is complete, or all weights are 0.

    Warns
    -----
    UserWarning
        If the vertical is split over chunks, or undeclared fill values are found.
    """
    chunks = Chunks.of(layout)
    reading, found = _survey(layout, chunks, seed)
    scaling = fit(found.moments)
    values, weights = found.sample.block.values, found.sample.block.weights
    if layout.weighting.is_relative:
        unit = found.n_profiles / found.moments.weight
        weights, factor = weights * unit, xr.Variable((), unit)
        places = [replace(place, weights=(*place.weights, factor)) for place in chunks.places]
        chunks = replace(chunks, places=places)
    return ChunkedProfiles(
        layout=layout,
        chunks=chunks,
        reading=reading,
        scaling=scaling,
        completeness=found.completeness,
        sample=Block(scaling.apply(values, out=values), weights),
        points=found.sample.points,
        seed=seed,
    )


def _survey(layout: Layout, chunks: Chunks, seed: int) -> tuple[Reading, Survey]:
    """Survey all chunks, and find how to read them."""
    size = sample_size((layout.levels.size, len(layout.variables)), layout.dtype)

    def look(reading: Reading, n_points: int) -> Survey:
        step = partial(survey, reading=reading, seed=seed, size=size, n_points=n_points)
        found: Survey = chunks.reduce(step, partial(Survey.join, size=size))
        return found

    n_points = int(np.prod(layout.grid.shape))
    reading = replace(Reading.of(layout), fills=tuple([] for _ in layout.variables))
    found = look(reading, n_points)
    n_values = chunks.array.size // len(layout.variables)
    pairs = zip(found.extremes, layout.variables, strict=True)
    fills = tuple(find_undeclared(extremes, name, n_values) for extremes, name in pairs)
    for variable, extremes in zip(reading.variables, found.extremes, strict=True):
        warn_stale(variable, extremes)
    if any(fills):
        reading = replace(reading, fills=fills)
        found = look(reading, n_points)
    require_complete(found.status)
    if len(found.sample.points) < min(size, found.n_profiles):
        # most points have no profile, so that too few were drawn among all of them
        found = look(reading, found.n_profiles)
    require_weights(found.unweighted, found.n_profiles)
    require_any_weight(found.moments.weight)
    return reading, found


def label_chunks(
    layout: Layout, scaling: Scaling | ProfileScaling, assigner: Assigner
) -> xr.DataArray:
    """Label every profile of a model in dask arrays; nothing is computed."""
    reading = _reading_to_label(layout, scaling)
    maps = _label_maps(layout, _stack_lazily(layout), reading, assigner)
    return layout.grid.place(maps["label"])


def map_chunks(
    layout: Layout,
    scaling: Scaling | ProfileScaling,
    function: Callable[[Floats], Float64s],
    n: int,
) -> list[xr.Variable]:
    """Maps of the n numbers that a function finds for scaled profiles; nothing is computed."""
    find = partial(_find, reading=_reading_to_label(layout, scaling), function=function, n=n)
    return _map_lazily(layout, _stack_lazily(layout), find, n)


def _reading_to_label(layout: Layout, scaling: Scaling | ProfileScaling) -> Reading:
    """How chunks of a model that is not clustered become profiles, scaled as given."""
    reading = replace(Reading.of(layout), scaling=scaling)
    for variable in reading.variables:
        warn_stale(variable)
    return reading


def _label_maps(
    layout: Layout, array: Any, reading: Reading, assigner: Assigner
) -> dict[str, xr.Variable]:
    """Label, status, distance and margin on the user's dimensions; nothing is computed."""
    label = partial(_label, reading=reading, assigner=assigner)
    maps = dict(zip(_MAPS, _map_lazily(layout, array, label, len(_MAPS)), strict=True))
    distance = in_units(maps["distance"], reading.scaling) if reading.scaling else maps["distance"]
    return maps | {"status": maps["status"].astype(np.int8), "distance": distance}


def _map_lazily(
    layout: Layout, array: Any, function: Callable[[Array], Floats], n: int
) -> list[xr.Variable]:
    """The n maps (n, *horizontal) that a function makes of each chunk, chunked as the data."""
    import dask.array as da

    map_blocks: Any = da.map_blocks  # is untyped
    stacked = map_blocks(
        function, array,
        drop_axis=[0, 1], new_axis=0, chunks=((n,), *array.chunks[2:]),
        dtype=np.float32, meta=np.empty((0,) * (array.ndim - 1), np.float32),
    )  # fmt: skip
    dims, own = layout.grid.dims, layout.dataset.unify_chunks().chunks
    stacked = stacked.rechunk({i: own[d] for i, d in enumerate(dims, start=1) if d in own})
    return [xr.Variable(dims, values) for values in stacked]


def _label(chunk: Array, reading: Reading, assigner: Assigner) -> Floats:
    """Label, status, distance and margin (4, *horizontal) of a chunk."""
    maps = np.full((len(_MAPS), chunk[0, 0].size), np.nan, dtype=np.float32)
    columns, refused = reading.clean(chunk)
    for points, values in reading.cut(columns):
        assigned = assigner(values)
        maps[0, points] = assigned.labels + 1
        maps[2, points] = np.sqrt(assigned.squared)
        maps[3, points] = assigned.margin
    maps[1] = status_of(columns, refused)
    return maps.reshape(-1, *chunk.shape[2:])


def _find(chunk: Array, reading: Reading, function: Callable[[Floats], Float64s], n: int) -> Floats:
    """What a function finds for the profiles of a chunk, (n, *horizontal)."""
    found = np.full((n, chunk[0, 0].size), np.nan, dtype=np.float32)
    for points, values in reading.cut(reading.clean(chunk)[0]):
        found[:, points] = function(values).reshape(len(values), n).T
    return found.reshape(n, *chunk.shape[2:])


def _fold(
    chunk: Array,
    place: Place,
    reading: Reading,
    step: Callable[[Block], T],
    join: Callable[[Iterable[T]], T],
) -> T | None:
    """Apply a step to the profiles of a chunk block by block, and join the outcomes."""
    outcomes = [step(block) for _, block in reading.blocks(chunk, place)]
    return join(outcomes) if outcomes else None


def _add_arrays(parts: Iterable[Array]) -> Array:
    """Add up arrays in their order."""
    total: Array = sum(parts, start=np.zeros((), dtype=np.int64))
    return total


def _tally(
    chunk: Array,
    place: Place,
    reading: Reading,
    assigner: Assigner,
    centroids: Float64s,
    few: Indices,
    seed: int,
    size: int,
) -> tuple[Float64s, list[Sample]] | None:
    """Add up the members of all clusters in a chunk, and draw from those of a few clusters."""
    tallies, places = [], place.points()
    for points, block in reading.blocks(chunk, place):
        assigned = assigner(block.values)
        sums = add_up(block, assigned, place.areas_at(points), centroids)
        own = (np.flatnonzero((assigned.labels == c) & (block.weights > 0)) for c in few)
        drawn = [Sample.of(places[points[r]], block[r], seed=seed, size=size) for r in own]
        tallies.append((sums, drawn))
    return _join_tallies(tallies, size) if tallies else None


def _join_tallies(
    parts: Iterable[tuple[Float64s, list[Sample]]], size: int
) -> tuple[Float64s, list[Sample]]:
    """Join what `_tally` finds of some chunks."""
    sums, drawn = zip(*parts, strict=True)
    of_each = zip(*drawn, strict=True)
    return _add_arrays(sums), [Sample.join(samples, size) for samples in of_each]


def _average(values: Floats) -> Float64s:
    """Mean over the levels of the first variable of profiles, shape (n,)."""
    average: Float64s = values[..., 0].mean(axis=1, dtype=np.float64)
    return average


def _measure(block: Block, assigners: Sequence[Assigner]) -> Float64s:
    """What the members of all clusterings add up to, side by side; see `measure`."""
    found = (measure(a(block.values), block.weights, a.n_clusters) for a in assigners)
    return np.concatenate(list(found), axis=1)


def _sum_moments(
    block: Block, scaling: Scaling | ProfileScaling, assigner: Assigner
) -> list[Moments]:
    """The moments in each cluster of what each profile of a block, not scaled, is scaled by."""
    labels, moments = assigner(scaling.apply(block.values)).labels, scaling.moments(block.values)
    return moments_by_cluster(Block(moments, block.weights), labels, assigner.n_clusters)


def _sum_members(block: Block, assigner: Assigner) -> list[Moments]:
    """The moments of the members of each cluster."""
    return moments_by_cluster(block, assigner(block.values).labels, assigner.n_clusters)
