"""From a chunk of a dask array to profiles: all that a task on a chunk needs to know."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Array, Booleans, Float64s, Floats, Indices
from xvcluster.grid.missing import (
    either,
    equals_any,
    find_declared,
    find_extremes,
    find_undeclared,
)
from xvcluster.profiles.layout import Layout, multiply
from xvcluster.profiles.memory import find_status
from xvcluster.profiles.scaling import ProfileScaling, Scaling

_PIECE = 2048
_PACKING = {"scale_factor", "add_offset", "dtype", "_Unsigned"}


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where the points of a chunk lie, and what they count for.

    Attributes
    ----------
    offsets : mapping of dimension to ndarray of int
        What a position along each horizontal dimension adds to the place among all points.
    new : tuple of ndarray of bool
        Whether that place has not been taken by another column, which a seam repeats.
    name : str
        For messages.
    areas, weights : tuple of Variable
        Factors of each point's cell area and weight, on some of the dimensions. Empty if there are
        no cells, or every profile has a weight of 1.
    """

    offsets: Mapping[Hashable, Indices]
    new: tuple[Booleans, ...]
    name: str
    areas: tuple[xr.Variable, ...]
    weights: tuple[xr.Variable, ...]

    def areas_at(self, points: Indices) -> Float64s | None:
        """Cell areas in km² at points of the chunk."""
        return self._product(self.areas)[points] if self.areas else None

    def weights_at(self, points: Indices) -> Float64s:
        """Weights of the profiles at points of the chunk."""
        return self._product(self.weights)[points] if self.weights else np.ones(points.size)

    def _product(self, factors: tuple[xr.Variable, ...]) -> Float64s:
        sizes = {d: each.size for d, each in self.offsets.items()}
        return np.ravel(multiply(factors, sizes).values)

    def points(self) -> Indices:
        """The place of each point of the chunk, flat, among all points of the grid."""
        return reduce(np.add.outer, self.offsets.values(), np.zeros((), np.intp)).ravel()

    def taken(self) -> Booleans:
        """Whether each point of the chunk, flat, counts: the repeated columns of a seam do not."""
        return reduce(np.logical_and.outer, self.new, np.ones((), bool)).ravel()


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """How chunks (n_variables, n_levels, *horizontal) become profiles.

    Attributes
    ----------
    variables : tuple of DataArray
        Empty ones, with names, attributes, packing and dtypes. A chunk holds them in one dtype,
        which may be wider.
    dtype : dtype
        Of the profiles.
    descending : bool
        Whether the order of the levels is to be reversed.
    fills : tuple of list of float, optional
        Undeclared fill values of each variable. Default: every chunk is searched for its own.
    scaling : Scaling or ProfileScaling, optional
        Default: profiles stay in the units of the data.
    """

    variables: tuple[xr.DataArray, ...]
    dtype: np.dtype[Any]
    descending: bool
    fills: tuple[list[float], ...] | None = None
    scaling: Scaling | ProfileScaling | None = None

    @classmethod
    def of(cls, layout: Layout) -> Reading:
        """How chunks of a model are read."""
        arrays = layout.dataset.data_vars.values()
        variables = tuple(_dress(np.empty(0, a.dtype), a) for a in arrays)
        return cls(variables, layout.dtype, layout.descending)

    def declared(self, chunk: Array) -> Iterator[tuple[xr.DataArray, Any]]:
        """Each variable (level, point) of a chunk, and where its attributes declare it missing."""
        for values, variable in zip(chunk, self.variables, strict=True):
            flat = values.reshape(chunk.shape[1], -1).astype(variable.dtype, copy=False)
            array = _dress(flat, variable)
            yield array, find_declared(array)

    def clean(self, chunk: Array) -> tuple[list[Floats], list[Booleans | None]]:
        """Values (n_levels, n_points) of each variable, NaN where missing; and invalid points."""
        columns: list[Floats] = []
        refused: list[Booleans | None] = []
        for v, (array, declared) in enumerate(self.declared(chunk)):
            rest = array if declared is None else array.where(~declared)
            if self.fills is None:
                fills = find_undeclared(find_extremes(rest.values), array.name)
            else:
                fills = self.fills[v]
            invalid = either(declared, equals_any(array, fills)) if fills else declared
            kept = array if invalid is None else array.where(~invalid)
            columns.append(kept.values.astype(self.dtype, copy=False))
            refused.append(None if invalid is None else np.any(invalid.values, axis=0))
        return columns, refused

    def blocks(self, chunk: Array, place: Place) -> Iterator[tuple[Indices, Block]]:
        """The profiles of the points that count, with their weights; otherwise as `cut`."""
        for points, values in self.cut(self.clean(chunk)[0], place.taken()):
            yield points, Block(values, place.weights_at(points))

    def cut(
        self, columns: list[Floats], taken: Booleans | None = None
    ) -> Iterator[tuple[Indices, Floats]]:
        """Complete, scaled profiles (n, n_levels, n_variables) in pieces, and their points (n,).

        Parameters
        ----------
        columns : list of ndarray, shape (n_levels, n_points)
            A chunk after `clean`.
        taken : ndarray of bool, shape (n_points,), optional
            Which points to read. Default: all.
        """
        for start in range(0, columns[0].shape[1], _PIECE):
            part = slice(start, start + _PIECE)
            n_levels, n_points = columns[0][:, part].shape
            block = np.empty((n_points, n_levels, len(columns)), dtype=self.dtype)
            for v, column in enumerate(columns):
                block[..., v] = column[:, part].T
            with np.errstate(over="ignore", invalid="ignore"):  # fill values and infinities
                complete = ~np.isnan(block.sum(axis=(1, 2)))
            if taken is not None:
                complete &= taken[part]
            if not complete.any():
                continue
            if not complete.all():
                block = block[complete]
            if self.descending:
                block = np.ascontiguousarray(block[:, ::-1])
            if self.scaling is not None:
                block = self.scaling.apply(block, out=block)
            yield np.flatnonzero(complete) + start, block


def _dress(values: Array, like: xr.DataArray) -> xr.DataArray:
    """An array with the name, the attributes and the packing of another."""
    array = xr.DataArray(values, name=str(like.name), attrs=like.attrs)
    array.encoding = {n: like.encoding[n] for n in _PACKING & set(like.encoding)}
    return array


def status_of(columns: list[Floats], refused: list[Booleans | None]) -> npt.NDArray[np.int8]:
    """Index into `STATUS` of every point of a clean chunk."""
    return find_status([np.isnan(column) for column in columns], refused)
