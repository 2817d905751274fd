"""The profiles of a model in dask arrays: never held all at once, labelled lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.source import sample_size
from xvcluster.arrays import Array, Float64s, Floats, Indices
from xvcluster.grid.missing import refuse_infinite, warn_undeclared
from xvcluster.profiles.layout import Layout
from xvcluster.profiles.lazy import ChunkedMembers, add_arrays, label_lazily, map_lazily
from xvcluster.profiles.memory import require_any_weight, require_complete
from xvcluster.profiles.reading import Place, Reading
from xvcluster.profiles.scaling import ProfileScaling, Scaling, scaling_of
from xvcluster.profiles.stacking import horizontal_parts, stack_lazily
from xvcluster.profiles.statistics import measure
from xvcluster.profiles.survey import Survey, survey
from xvcluster.profiles.tasks import reduce_tasks

T = TypeVar("T")

_PACKING = {"scale_factor", "add_offset"}


@dataclass(frozen=True, slots=True, eq=False)
class ChunkedProfiles:
    """Profiles of a model in chunks; a `Source` for the fit, and a `Scaled` for its result.

    Attributes
    ----------
    layout : Layout
    array : dask array, shape (n_variables, n_levels, *horizontal)
        In whole profiles.
    chunks : list of Delayed
        Of the array, in C order.
    reading : Reading
    places : list of Place
        Of the chunks.
    survey : Survey
        What the first pass found, without the sample.
    scaling : Scaling or ProfileScaling
    sample : Block
        Some profiles, scaled, in canonical order; see `Source`.
    points : ndarray, shape (n,)
        The place of each of these among all points of the grid.
    """

    layout: Layout
    array: Any
    chunks: list[Any]
    reading: Reading
    places: list[Place]
    survey: Survey
    scaling: Scaling | ProfileScaling
    sample: Block
    points: Indices

    @property
    def source(self) -> ChunkedProfiles:
        """Itself: what a fit passes over."""
        return self

    @property
    def n_profiles(self) -> int:
        """Number of complete profiles."""
        return self.survey.n_profiles

    def total(self, step: Callable[[Block], T], join: Callable[[Iterable[T]], T]) -> T:
        """Apply a step to all profiles chunk by chunk, and join the outcomes; see `Source`."""
        fold = partial(_fold, reading=self.reading, step=step, join=join)
        return self.reduce(fold, join, [(place,) for place in self.places])

    def members(self, assigner: Assigner) -> ChunkedMembers:
        """Who belongs to each cluster."""
        return ChunkedMembers(self, assigner)

    def scaling_of(self, assigner: Assigner) -> Scaling:
        """Shim."""
        return (
            self.scaling if isinstance(self.scaling, Scaling) else self.members(assigner).scaling()
        )

    def criteria(self, members: Sequence[ChunkedMembers]) -> list[Float64s]:
        """What the members of each clustering add up to, in one pass; see `measure`."""
        assigners = [m.assigner for m in members]
        edges = np.cumsum([assigner.n_clusters for assigner in assigners])[:-1]
        total = self.total(partial(_measure, assigners=assigners), add_arrays)
        return np.split(total, edges, axis=1)

    def maps(self, function: Callable[[Floats], Float64s], n: int) -> list[xr.DataArray]:
        """The n numbers that a function finds of each profile, as lazy maps."""
        return map_lazily(self.layout, self.array, self.reading, function, n)

    def mean_map(self) -> xr.DataArray:
        """Mean over the levels of the first variable of every complete profile, lazily."""
        reading = replace(self.reading, scaling=None)
        return map_lazily(self.layout, self.array, reading, _average, 1)[0]

    def reduce(
        self, function: Any, join: Callable[[Iterable[T]], T], arguments: list[tuple[Any, ...]]
    ) -> T:
        """Apply a function to each chunk and its arguments, and join the outcomes in order."""
        names = [place.name for place in self.places]
        outcome: T = reduce_tasks(function, self.chunks, arguments, join, names)
        return outcome


def open_chunks(
    layout: Layout, *, normalize: str | None, by_level: bool, seed: int
) -> ChunkedProfiles:
    """Survey the profiles of a model in dask arrays, in one pass.

    Raises
    ------
    ValueError
        If there are infinities, no profile is complete, or none has a weight.

    Warns
    -----
    UserWarning
        If the vertical is split over chunks, or undeclared fill values are found.
    """
    array = stack_lazily(layout)
    chunks = list(array.to_delayed(optimize_graph=True).ravel())
    places = _places(layout, array)
    reading = replace(read_how(layout), fills=tuple([] for _ in layout.variables))
    look = partial(_survey, layout, chunks, places, seed=seed)
    found = look(reading)
    fills = _find_fills(layout, found, array.size)
    if any(fills):
        reading = replace(reading, fills=fills)
        found = look(reading)
    require_complete(found.status)
    if len(found.rows) < min(_size(layout), found.n_profiles):
        # most points have no profile, so that too few were drawn among all of them
        found = look(reading, n_points=found.n_profiles)
    require_any_weight(found.weight)
    level_weights = layout.weighting.levels
    scaling = scaling_of(
        found.mean, found.variance, normalize, by_level=by_level, level_weights=level_weights
    )
    weights = found.weights
    if layout.weighting.is_relative:
        unit = np.full((1,) * len(layout.grid.dims), found.n_profiles / found.weight)
        places = [replace(place, weights=(*place.weights, unit)) for place in places]
        weights = weights * unit.item()
    sample = Block(scaling.apply(found.rows, out=found.rows), weights)
    found = replace(found, rows=found.rows[:0])
    reading = replace(reading, scaling=scaling)
    own = (layout, array, chunks, reading, places, found, scaling, sample, found.points)
    return ChunkedProfiles(*own)


def _find_fills(layout: Layout, found: Survey, size: int) -> tuple[list[float], ...]:
    """Undeclared fill values of each variable, with a warning."""
    for name, extremes in zip(layout.variables, found.extremes, strict=True):
        refuse_infinite(extremes, name)
        if extremes.apart():
            warn_undeclared(extremes, name, size // len(layout.variables))
    return tuple(extremes.apart() for extremes in found.extremes)


def label_chunks(
    layout: Layout, scaling: Scaling | ProfileScaling, assigner: Assigner
) -> xr.DataArray:
    """Label every profile of a model in dask arrays; nothing is computed."""
    reading = replace(read_how(layout), scaling=scaling)
    return label_lazily(layout, stack_lazily(layout), reading, assigner)["label"]


def read_how(layout: Layout) -> Reading:
    """How chunks of a model become profiles."""
    variables = layout.dataset.data_vars.values()
    return Reading(
        tuple(layout.variables),
        tuple(dict(a.attrs) for a in variables),
        tuple({n: a.encoding[n] for n in _PACKING & set(a.encoding)} for a in variables),
        tuple(a.dtype for a in variables),
        layout.dtype,
        layout.descending,
    )


def _places(layout: Layout, array: Any) -> list[Place]:
    """Where each chunk lies."""
    grid = layout.grid
    strides = dict(zip(grid.canonical_dims, _strides(grid.shape), strict=True))
    places, areas = [], layout.area_factors()
    for chosen in horizontal_parts(array):
        by_dim = dict(zip(grid.dims, chosen, strict=True))
        positions = tuple(grid.restore[d][part] for d, part in by_dim.items())
        new = tuple(
            grid.take[d][grid.restore[d][part]] == np.arange(part.start, part.stop)
            for d, part in by_dim.items()
        )
        name = ", ".join(f"{d}[{part.start}:{part.stop}]" for d, part in by_dim.items())
        steps = tuple(strides[d] for d in grid.dims)
        factors = (_factors_at(each, chosen) for each in (areas, layout.weighting.factors))
        places.append(Place(positions, new, steps, name, *factors))
    return places


def _factors_at(factors: Sequence[xr.DataArray], chosen: tuple[slice, ...]) -> tuple[Float64s, ...]:
    """Factors of what belongs to each point of a chunk, each as far as it varies."""
    cut = []
    for factor in factors:
        sizes = zip(chosen, factor.shape, strict=True)
        cut.append(factor.values[tuple(part if n > 1 else slice(None) for part, n in sizes)])
    return tuple(cut)


def _strides(shape: tuple[int, ...]) -> list[int]:
    """What a step along each dimension is worth in C order."""
    return [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]


def _size(layout: Layout) -> int:
    return sample_size((layout.levels.size, len(layout.variables)), layout.dtype)


def _survey(
    layout: Layout,
    chunks: list[Any],
    places: list[Place],
    reading: Reading,
    *,
    seed: int,
    n_points: int | None = None,
) -> Survey:
    """Survey all chunks; the sample is drawn as of `n_points`, by default those of the grid."""
    n_points = int(np.prod(layout.grid.shape)) if n_points is None else n_points
    size = _size(layout)
    step = partial(survey, reading=reading, seed=seed, n_points=n_points, size=size)
    names = [place.name for place in places]
    join = partial(Survey.join, size=size)
    found: Survey = reduce_tasks(step, chunks, [(place,) for place in places], join, names)
    return found


def _fold(
    chunk: Array,
    place: Place,
    reading: Reading,
    step: Callable[[Block], T],
    join: Callable[[Iterable[T]], T],
) -> T | None:
    """Apply a step to the profiles of a chunk, and join the outcomes; None where are none."""
    outcomes = [step(block) for _, block in reading.blocks(chunk, place)]
    return join(outcomes) if outcomes else None


def _average(values: Floats) -> Float64s:
    """Mean over the levels of the first variable of profiles, shape (n,)."""
    average: Float64s = values[..., 0].mean(axis=1, dtype=np.float64)
    return average


def _measure(block: Block, assigners: Sequence[Assigner]) -> Float64s:
    """What the members of all clusterings add up to, one beside the other; see `measure`."""
    found = (measure(a(block.values), block.weights, a.n_clusters) for a in assigners)
    return np.concatenate(list(found), axis=1)
