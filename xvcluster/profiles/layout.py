"""Where the profiles of a model lie, found from its names and coordinates alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import mul
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.arrays import Array, Float64s, Indices
from xvcluster.grid.areas import area_factors
from xvcluster.grid.coords import (
    Axes,
    Kind,
    at_rest,
    find_axes,
    other_places,
    refuse_empty,
    units,
    with_coordinates,
)
from xvcluster.grid.degrees import degrees
from xvcluster.grid.horizontal import (
    Columns,
    HorizontalGrid,
    find_grid,
    own_columns,
)
from xvcluster.grid.levels import check_numbers, levels_of, numbers_of, vertical_of

_ENCODING_ATTRIBUTES = frozenset(
    "_FillValue missing_value scale_factor add_offset _Unsigned coordinates dtype bounds "
    "edges".split()
)
_MASKING_ATTRIBUTES = _ENCODING_ATTRIBUTES | frozenset(
    "fill_value IceValue valid_min valid_max valid_range actual_range grid_mapping".split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where profiles lie on the user's horizontal dimensions, and how to put values back there.

    Attributes
    ----------
    dims : tuple
        The horizontal dimensions in the user's order.
    coords : Coordinates
        Those on these.
    canonical_dims : tuple
        The same dimensions in canonical order: latitude before longitude, others before both.
    take : mapping of dimension to ndarray of int
        Positions along it from south to north or west to east, each meridian once.
    restore : mapping of dimension to ndarray of int
        The way back: for each position of the user, the place in `take`.
    """

    dims: tuple[Hashable, ...]
    coords: xr.Coordinates
    canonical_dims: tuple[Hashable, ...]
    take: Mapping[Hashable, Indices]
    restore: Mapping[Hashable, Indices]

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along the canonical dimensions, a repeated seam counted once."""
        return tuple(self.take[d].size for d in self.canonical_dims)

    def flatten(self, array: xr.DataArray | xr.Variable) -> Array:
        """Arrange values in canonical order, shape (..., n_points); other dimensions come first."""
        as_is = {d: np.arange(n) for d, n in array.sizes.items()}
        moved = {d: at for d, at in self.take.items() if not np.array_equal(at, as_is[d])}
        array = array.isel(moved).transpose(..., *self.canonical_dims)
        lead = array.shape[: array.ndim - len(self.canonical_dims)]
        return np.asarray(array.values).reshape(*lead, -1)

    def spread(self, values: Array) -> xr.Variable:
        """Put values of all points, in canonical order, back on the user's dimensions."""
        array = xr.Variable(self.canonical_dims, values.reshape(self.shape))
        array = array.isel(dict(self.restore)).transpose(*self.dims)
        return xr.Variable(self.dims, np.array(array.values, order="C"))

    def place(self, array: xr.Variable) -> xr.DataArray:
        """Give a map, or maps along a first dimension, the coordinates of points."""
        return xr.DataArray(array, self.coords)


@dataclass(frozen=True, slots=True, eq=False)
class Weighting:
    """The weights of profiles and levels.

    Attributes
    ----------
    factors : tuple of Variable
        On some of the horizontal dimensions; their product is the weights of the profiles. Empty:
        each profile counts once.
    is_relative : bool
        Whether the weights are to be divided by their mean.
    levels : ndarray of shape (n_levels,), optional
        Weights of the levels, in the order of the profiles' levels.
    variables : ndarray of shape (n_variables,), optional
        Weights of the variables.
    recorded : mapping
        What a result records of all these.
    """

    factors: tuple[xr.Variable, ...] = ()
    is_relative: bool = False
    levels: Float64s | None = None
    variables: Float64s | None = None
    recorded: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Names, coordinates and attributes of a model to be clustered, but not its values.

    Attributes
    ----------
    dataset : Dataset
        The variables, on the same dimensions.
    variables : mapping of name to attrs
        The last axis of the profiles.
    dtype : dtype
        Of the profiles, float32 or float64.
    vertical : DataArray or None
        The vertical coordinate in the file's own direction; None for a raster.
    descending : bool
        Whether the file's direction is opposite to that of the profiles.
    axes : Axes
        Names of the vertical dimension and of latitude and longitude.
    horizontal : HorizontalGrid or None
        The grid of latitude and longitude, if these are known, and points are put in order.
    grid : Places
        The way to the canonical order of points, and back to the user's dimensions.
    weighting : Weighting
    """

    dataset: xr.Dataset
    variables: Mapping[str, Mapping[str, Any]]
    dtype: np.dtype[Any]
    vertical: xr.DataArray | None
    descending: bool
    axes: Axes
    horizontal: HorizontalGrid | None
    grid: Places
    weighting: Weighting = field(kw_only=True, default=Weighting())

    @property
    def levels(self) -> Float64s:
        """Vertical coordinate of the values' levels, in their order; 0 for a raster.

        Times are in days; levels without numbers have their positions.
        """
        if self.vertical is None:
            return np.zeros(1)
        levels = levels_of(self.vertical)
        return levels[::-1] if self.descending else levels

    @property
    def coords(self) -> xr.Coordinates:
        """The coordinates of maps and of centroids, with their indexes."""
        vertical = None if self.vertical is None else self.vertical.coords
        return self.grid.coords.merge(vertical).coords

    def locate(self, points: Indices) -> tuple[Float64s, Float64s]:
        """Latitude and longitude of points in canonical order; NaN if either is not known."""
        horizontal = self.horizontal
        if horizontal is None:
            unknown = np.full(points.size, np.nan)
            return unknown, unknown
        at = np.unravel_index(points, self.grid.shape)
        own = {d: self.grid.take[d][i] for d, i in zip(self.grid.canonical_dims, at, strict=True)}
        lat, lon = (values[tuple(own[d] for d in horizontal.dims)] for values in horizontal.places)
        return lat, lon

    def area_factors(self) -> list[xr.Variable]:
        """Arrays on some of the horizontal dimensions, whose product is `areas`."""
        factors = area_factors(self.horizontal)
        if not factors:
            return []
        lacking = set(self.grid.dims).difference(*(f.dims for f in factors))
        share = 1.0 / float(np.prod([self.dataset.sizes[d] for d in lacking]))
        return [*factors, xr.Variable((), share)]

    def areas(self) -> xr.Variable | None:
        """Cell areas in km² on the horizontal dimensions, if latitude and longitude are known.

        They are divided evenly among the entries of other dimensions, such as time.
        """
        factors = self.area_factors()
        return self.product(factors) if factors else None

    def product(self, factors: Sequence[xr.Variable]) -> xr.Variable:
        """The product of arrays on some of the horizontal dimensions, on all of them."""
        return multiply(factors, {d: self.dataset.sizes[d] for d in self.grid.dims})

    def to_levels(self, values: Float64s, *lead: str) -> list[xr.Variable]:
        """Turn values of shape (*lead, n_levels, n_variables) into one array per variable."""
        dims = (*lead, *(() if self.vertical is None else self.vertical.dims))
        values = values[..., ::-1, :] if self.descending else values
        values = values[..., 0, :] if self.vertical is None else values
        return [
            xr.Variable(dims, values[..., v].copy(), attrs)
            for v, attrs in enumerate(self.variables.values())
        ]


def join_maps(maps: Sequence[xr.Variable], dim: str) -> xr.Variable:
    """Put maps one after the other along a new dimension."""
    concat: Any = xr.Variable.concat  # is untyped
    joined: xr.Variable = concat(maps, dim)
    return joined


def multiply(factors: Sequence[xr.Variable], sizes: Mapping[Hashable, int]) -> xr.Variable:
    """The product of arrays on some of the dimensions of these sizes, on all in their order."""
    product: Any = reduce(mul, factors)  # has methods that are untyped
    spread: xr.Variable = product.set_dims(sizes)
    return spread


def lay_out(
    data: xr.DataArray | xr.Dataset, dim: Hashable | None = None, *, in_order: bool = True
) -> Layout:
    """Find where the profiles of a model lie, from its coordinates alone.

    Parameters
    ----------
    data : DataArray or Dataset
        One variable, or several on the same dimensions.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred.
    in_order : bool, default True
        Find the canonical order of points, for which horizontal coordinates are read. Otherwise
        they stay in the order of the data, which is enough to label them.

    Returns
    -------
    Layout

    Raises
    ------
    TypeError
        If a variable is not numeric.
    ValueError
        If the vertical dimension is ambiguous, or the variables differ in dimensions.
    """
    dataset = as_dataset(data)
    axes = find_axes(dataset, dim)
    for name in filter(None, (axes.latitude, axes.longitude)):
        coordinate = at_rest(dataset, name)
        if coordinate.dims != dataset[name].dims:
            dataset = dataset.assign_coords({name: coordinate})
    vertical = _vertical_coordinate(dataset, axes)
    descending = vertical is not None and _descends(vertical)
    attrs = {str(n): _plain_attrs(a.attrs) for n, a in dataset.data_vars.items()}
    dtype = np.result_type(*(_float_dtype(a.dtype) for a in dataset.data_vars.values()))
    horizontal = find_grid(dataset, axes) if in_order else None
    places = _find_places(dataset, axes, horizontal, in_order=in_order)
    return Layout(dataset, attrs, dtype, vertical, descending, axes, horizontal, places)


def as_dataset(data: xr.DataArray | xr.Dataset) -> xr.Dataset:
    """Collect the variables to cluster in one Dataset, and check that they share dimensions."""
    if isinstance(data, xr.DataArray):
        own_name = _own_name(data)
        dataset = data.to_dataset(name=own_name)
    else:
        dataset = with_coordinates(data)
    if not dataset.data_vars:
        raise ValueError("the Dataset has no data variables; there is nothing to cluster")
    for name, array in dataset.data_vars.items():
        if array.dtype.kind not in "fiu":
            raise TypeError(
                f"variable {str(name)!r} is not numeric (dtype {array.dtype}); "
                f"{_choose_numeric(dataset)}"
            )
    first = next(iter(dataset.data_vars.values()))
    refuse_empty(first)
    if not first.ndim:
        raise ValueError(
            "the data are a single number without dimensions; give a model with many profiles"
        )
    numbered = [d for d in first.dims if not isinstance(d, str)]
    if numbered:
        raise ValueError(
            f"the dimension {numbered[0]!r} has no name but a {type(numbered[0]).__name__}; name "
            f"it, e.g. data.rename({{{numbered[0]!r}: 'depth'}})"
        )
    for name, array in dataset.data_vars.items():
        if set(array.dims) != set(first.dims):
            raise ValueError(
                f"the variables lie on different dimensions: {str(first.name)!r} on "
                f"{tuple(first.dims)}, {str(name)!r} on {tuple(array.dims)}; choose those of one "
                f"grid, e.g. data[[{str(first.name)!r}]]"
            )
    return dataset


def _own_name(data: xr.DataArray) -> str:
    """The name of the variable to cluster: "value" if it has none, or that of a dimension."""
    name = "value" if data.name is None else str(data.name)
    if data.ndim > 1 and name in map(str, data.dims):
        name = "value"
    if name in data.coords:
        raise ValueError(f"{name!r} is a coordinate; cluster a data variable instead")
    return name


def _choose_numeric(dataset: xr.Dataset) -> str:
    """Advice about a variable that is not numeric."""
    numeric = [str(n) for n, a in dataset.data_vars.items() if a.dtype.kind in "fiu"]
    if not numeric:
        return "convert it first, e.g. data.astype(float)"
    return f"choose the variables to cluster, e.g. data[[{numeric[0]!r}]]"


def _find_places(
    dataset: xr.Dataset, axes: Axes, horizontal: HorizontalGrid | None, *, in_order: bool
) -> Places:
    """Find the canonical order of points: by latitude and longitude, as far as these are known."""
    first = next(iter(dataset.data_vars.values()))
    dims = tuple(d for d in first.dims if d != axes.vertical)
    rank = dict.fromkeys(dims, 0)
    for r, known in enumerate((axes.latitude, axes.longitude), start=1):
        if known and dataset.variables[known].ndim == 1:
            rank[dataset.variables[known].dims[0]] = r
    canonical = tuple(sorted(dims, key=lambda d: (rank[d], str(d))))
    take, restore = {}, {}
    found = own_columns(dataset, axes, horizontal) if in_order else None
    closed = {found[0]: found[1]} if found is not None and found[1].goes_around else {}
    for d in dims:
        take[d] = restore[d] = np.arange(dataset.sizes[d])
        if in_order:
            take[d], restore[d] = _canonical_order(dataset, axes, d, closed.get(d))
    # a map that holds the corners' latitudes as well, but no attribute that says so, is ambiguous
    stacked = {n for n, index in dataset.indexes.items() if isinstance(index, pd.MultiIndex)}
    others = other_places(dataset) - stacked
    kept = {n for n, c in dataset.coords.variables.items() if set(c.dims) <= set(dims)} - others
    bare = dataset.drop_vars([n for n in dataset.variables if n not in kept]).drop_encoding()
    for coordinate in bare.variables.values():
        coordinate.attrs = _plain_attrs(coordinate.attrs, dropped=_ENCODING_ATTRIBUTES)
    return Places(dims, bare.coords, canonical, take, restore)


def _canonical_order(
    dataset: xr.Dataset, axes: Axes, dim: Hashable, closed: Columns | None
) -> tuple[Indices, Indices]:
    """Find the positions along `dim` from south to north and west to east, and the way back.

    Columns at one meridian share a position only on a grid that goes around: the repeated seam.
    """
    each = number = np.arange(dataset.sizes[dim])
    if closed is not None:
        each, number = closed.order, closed.number
    keys = []
    named: tuple[tuple[Kind, str | None], ...]
    named = ("longitude", axes.longitude), ("latitude", axes.latitude)
    for kind, name in named:
        if name is None or dim not in dataset.variables[name].dims:
            continue
        values = degrees(dataset[name], kind)
        digits = _digits(values) if values.ndim == 1 else 4
        if kind == "longitude":
            values = (np.round(values, digits) + 180.0) % 360.0 - 180.0
        keys.append(np.round(_mean_along(values, dataset[name].dims.index(dim)), digits))
    if not keys and dim in dataset.coords and dataset[dim].dtype.kind in "fiumM":
        keys.append(dataset[dim].values)
    if not keys:
        return each, number
    order = np.lexsort([key[each] for key in keys])
    return each[order], np.argsort(order)[number]


def _mean_along(values: Float64s, axis: int) -> Float64s:
    """Mean of the values that are known at each place along an axis, NaN if none is."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    known = np.isfinite(values)
    if known.all():
        return np.asarray(values.mean(axis=others))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(values, axis=others) / known.sum(axis=others))


def _digits(values: Float64s) -> int:
    """Decimals that distinguish neighbours, but not -124.2 from 235.8 - 360 in float32."""
    steps = np.abs(np.diff(values))
    steps = steps[steps > 0]
    smallest = float(steps.min()) if steps.size else 1.0
    return int(np.clip(np.ceil(-np.log10(smallest)) + 2, 4, 12))


def _vertical_coordinate(dataset: xr.Dataset, axes: Axes) -> xr.DataArray | None:
    """The vertical coordinate with its attrs; plain positions if the dimension has none."""
    if axes.vertical is None:
        return None
    coordinate = vertical_of(dataset, axes.vertical).copy()
    check_numbers(coordinate)
    coordinate.attrs = _plain_attrs(coordinate.attrs)
    if units(coordinate) != coordinate.attrs.get("units", ""):
        coordinate.attrs["units"] = units(coordinate)
    coordinate.encoding = {}
    return coordinate


def _descends(vertical: xr.DataArray) -> bool:
    """Whether the vertical coordinate has numbers that fall; names have no order."""
    numbers = numbers_of(vertical)
    return numbers is not None and bool(numbers[0] > numbers[-1])


def _plain_attrs(
    attrs: Mapping[str, Any], dropped: frozenset[str] = _MASKING_ATTRIBUTES
) -> dict[str, Any]:
    """Attributes that hold for a centroid too: not those about missing values or encoding."""
    return {k: _writable(v) for k, v in attrs.items() if k not in dropped and v is not None}


def _writable(value: Any) -> Any:
    """An attribute as NetCDF can hold it: numbers and text as they are, all else as text."""
    array = np.asarray(value)
    if array.dtype.kind == "b":
        return array.astype(np.int8)
    return value if array.dtype.kind in "fiuSU" else str(value)


def _float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 for what it holds exactly, otherwise float64."""
    small = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if small else np.float64)
