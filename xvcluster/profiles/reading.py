"""From a chunk of a dask array to profiles: all that a task on a chunk needs to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    refuse_infinite,
)
from xvcluster.profiles.layout import Layout
from xvcluster.profiles.memory import find_status
from xvcluster.profiles.scaling import ProfileScaling, Scaling

_PIECE = 2048
_PACKING = {"scale_factor", "add_offset"}


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where the points of a chunk lie, and what they count for.

    Attributes
    ----------
    positions : tuple of ndarray
        Along each horizontal dimension, the place in canonical order.
    new : tuple of ndarray of bool
        Whether that place has not been taken by another column, which a seam repeats.
    strides : tuple of int
        By how much the place among all points grows with a step along each dimension.
    name : str
        For messages.
    areas, weights : tuple of ndarray
        Factors of each point's cell area and weight, which may have size 1 along a dimension.
        Empty if there are no cells, or every profile has a weight of 1.
    """

    positions: tuple[Indices, ...]
    new: tuple[Booleans, ...]
    strides: tuple[int, ...]
    name: str
    areas: tuple[Float64s, ...] = ()
    weights: tuple[Float64s, ...] = ()

    def areas_at(self, points: Indices) -> Float64s | None:
        """Cell areas in km² at points of the chunk."""
        return self._product(self.areas)[points] if self.areas else None

    def weights_at(self, points: Indices) -> Float64s:
        """Weights of the profiles at points of the chunk."""
        return self._product(self.weights)[points] if self.weights else np.ones(points.size)

    def _product(self, factors: tuple[Float64s, ...]) -> Float64s:
        shape = tuple(at.size for at in self.positions)
        return np.broadcast_to(reduce(np.multiply, factors), shape).ravel()

    def points(self) -> Indices:
        """The place of each point of the chunk, flat, among all points of the grid."""
        total = np.zeros((), dtype=np.intp)
        for at, stride in zip(self.positions, self.strides, strict=True):
            total = total[..., None] + at * stride
        return total.reshape(-1)

    def taken(self) -> Booleans:
        """Whether each point of the chunk, flat, counts: the repeated columns of a seam do not."""
        total = np.ones((), dtype=bool)
        for new in self.new:
            total = total[..., None] & new
        return total.reshape(-1)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """How chunks (n_variables, n_levels, *horizontal) become profiles.

    Attributes
    ----------
    names, attrs, encodings, dtypes : tuple
        Of the variables. A chunk holds them in one dtype, which may be wider.
    dtype : dtype
        Of the profiles.
    descending : bool
        Whether the order of the levels is to be reversed.
    fills : tuple of list of float, optional
        Undeclared fill values of each variable. Default: every chunk is searched for its own.
    scaling : Scaling or ProfileScaling, optional
        Default: profiles stay in the units of the data.
    """

    names: tuple[str, ...]
    attrs: tuple[Mapping[str, Any], ...]
    encodings: tuple[Mapping[str, Any], ...]
    dtypes: tuple[np.dtype[Any], ...]
    dtype: np.dtype[Any]
    descending: bool
    fills: tuple[list[float], ...] | None = None
    scaling: Scaling | ProfileScaling | None = None

    @classmethod
    def of(cls, layout: Layout) -> Reading:
        """How chunks of a model are read."""
        variables = layout.dataset.data_vars.values()
        return cls(
            tuple(layout.variables),
            tuple(dict(a.attrs) for a in variables),
            tuple({n: a.encoding[n] for n in _PACKING & set(a.encoding)} for a in variables),
            tuple(a.dtype for a in variables),
            layout.dtype,
            layout.descending,
        )

    def declared(self, chunk: Array) -> Iterator[tuple[xr.DataArray, Any]]:
        """Each variable (level, point) of a chunk, and where its attributes declare it missing."""
        for v, name in enumerate(self.names):
            values = chunk[v].reshape(chunk.shape[1], -1).astype(self.dtypes[v], copy=False)
            array = xr.DataArray(values, name=name, attrs=dict(self.attrs[v]))
            array.encoding = dict(self.encodings[v])
            yield array, find_declared(array)

    def clean(self, chunk: Array) -> tuple[list[Floats], list[Booleans | None]]:
        """Values (n_levels, n_points) of each variable, NaN where missing; and invalid points."""
        columns: list[Floats] = []
        refused: list[Booleans | None] = []
        for v, (array, declared) in enumerate(self.declared(chunk)):
            rest = array if declared is None else array.where(~declared)
            fills = self._own_fills(rest) if self.fills is None else self.fills[v]
            invalid = either(declared, equals_any(array, fills)) if fills else declared
            kept = array if invalid is None else array.where(~invalid)
            columns.append(kept.values.astype(self.dtype, copy=False))
            refused.append(None if invalid is None else np.any(invalid.values, axis=0))
        return columns, refused

    def _own_fills(self, array: xr.DataArray) -> list[float]:
        """Undeclared fill values of a variable in this chunk; refuse infinities."""
        extremes = find_extremes(array.values)
        refuse_infinite(extremes, array.name)
        return extremes.apart()

    def profiles(
        self, chunk: Array, taken: Booleans | None = None
    ) -> Iterator[tuple[Indices, Floats]]:
        """Complete, scaled profiles (n, n_levels, n_variables) in pieces, and their points (n,).

        Parameters
        ----------
        chunk : ndarray, shape (n_variables, n_levels, *horizontal)
        taken : ndarray of bool, shape (n_points,), optional
            Which points to read. Default: all.
        """
        columns, _ = self.clean(chunk)
        return self.cut(columns, taken)

    def blocks(self, chunk: Array, place: Place) -> Iterator[tuple[Indices, Block]]:
        """The profiles of the points that count, with their weights; otherwise as `profiles`."""
        for points, values in self.profiles(chunk, place.taken()):
            yield points, Block(values, place.weights_at(points))

    def cut(
        self, columns: list[Floats], taken: Booleans | None = None
    ) -> Iterator[tuple[Indices, Floats]]:
        """The profiles of a chunk after `clean`; otherwise as `profiles`."""
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


def status_of(columns: list[Floats], refused: list[Booleans | None]) -> npt.NDArray[np.int8]:
    """Index into `STATUS` of every point of a clean chunk."""
    return find_status([np.isnan(column) for column in columns], refused)
