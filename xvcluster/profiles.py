"""The only bridge between labelled arrays and blocks of profiles.

Profiles are stacked in one canonical order, whatever the order of the dimensions, the direction of
the axes or the convention of longitude, so that a seed means the same on all of them. A column that
a global grid repeats at its seam is taken once and labelled twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.coords import Axes, cell_areas, find_axes, refuse_empty, units, with_coordinates
from xvcluster.missing import find_invalid

STATUS = ("labelled", "no_data", "incomplete", "invalid")
"""Why a point has a label or none, by its number in `status`."""

_GATHER = 4096
_ENCODING_ATTRIBUTES = frozenset(
    "_FillValue missing_value scale_factor add_offset _Unsigned coordinates dtype bounds "
    "edges".split()
)
_MASKING_ATTRIBUTES = frozenset(
    "_FillValue missing_value fill_value IceValue bounds edges valid_min valid_max valid_range "
    "actual_range grid_mapping scale_factor add_offset _Unsigned coordinates dtype".split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where profiles lie on the user's horizontal dimensions, and how to put values back there."""

    dims: tuple[Hashable, ...]
    coords: Mapping[Hashable, xr.DataArray]
    canonical_dims: tuple[Hashable, ...]
    take: Mapping[Hashable, npt.NDArray[np.intp]]
    restore: Mapping[Hashable, npt.NDArray[np.intp]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along the canonical dimensions."""
        return tuple(self.take[d].size for d in self.canonical_dims)

    def flatten(self, array: xr.DataArray) -> npt.NDArray[Any]:
        """Values in canonical order, shape (..., n_points); other dimensions come first."""
        moved = [d for d in self.canonical_dims if not _is_identity(self.take[d], array.sizes[d])]
        array = array.isel({d: self.take[d] for d in moved}).transpose(..., *self.canonical_dims)
        lead = array.shape[: array.ndim - len(self.canonical_dims)]
        return np.asarray(array.values).reshape(*lead, -1)

    def spread(self, values: npt.NDArray[Any]) -> xr.DataArray:
        """Put values of all points, in canonical order, back on the user's dimensions."""
        array = xr.DataArray(values.reshape(self.shape), dims=self.canonical_dims)
        array = array.isel(dict(self.restore)).transpose(*self.dims)
        return array.copy(data=np.array(array.values, order="C")).assign_coords(self.coords)


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """The complete profiles of a model, and all that it takes to label them.

    Attributes
    ----------
    values : ndarray, shape (n_profiles, n_levels, n_variables)
        float32 or float64, no NaN, levels from the low end of the axis to the high one.
    points : ndarray, shape (n_profiles,)
        The place of each profile among all points of the grid, in canonical order.
    status : ndarray, shape (n_points,)
        Index into `STATUS` of every point.
    areas : ndarray of shape (n_profiles,), or None
        Area of each profile's cell in km², where latitude and longitude are known.
    variables : mapping of name to attrs
        What the last axis of the values holds.
    vertical : DataArray or None
        The vertical coordinate in the file's own direction; None for a raster.
    descending : bool
        Whether the file's direction is opposite to that of the values.
    axes : Axes
        The names that play a part.
    grid : Grid
        The way back to the user's dimensions.
    """

    values: npt.NDArray[np.floating]
    points: npt.NDArray[np.intp]
    status: npt.NDArray[np.int8]
    areas: npt.NDArray[np.float64] | None
    variables: Mapping[str, Mapping[str, Any]]
    vertical: xr.DataArray | None
    descending: bool
    axes: Axes
    grid: Grid

    @property
    def levels(self) -> npt.NDArray[np.float64]:
        """Vertical coordinate of the values' levels, in their order; 0 for a raster."""
        if self.vertical is None:
            return np.zeros(1)
        levels = self.vertical.values.astype(np.float64)
        return levels[::-1] if self.descending else levels

    def to_map(self, values: npt.NDArray[Any]) -> xr.DataArray:
        """Put one value a profile on the user's dimensions, float32, NaN where no profile is."""
        full = np.full(self.status.size, np.nan, dtype=np.float32)
        full[self.points] = values
        return self.grid.spread(full)

    def to_levels(self, values: npt.NDArray[np.float64], *lead: str) -> list[xr.DataArray]:
        """Give values of shape (*lead, n_levels, n_variables) as one array a variable."""
        if self.descending:
            values = values[..., ::-1, :]
        arrays = []
        for v, attrs in enumerate(self.variables.values()):
            if self.vertical is None:
                array = xr.DataArray(values[..., 0, v].copy(), dims=lead)
            else:
                name = self.vertical.dims[0]
                array = xr.DataArray(values[..., v].copy(), dims=(*lead, name))
                array = (
                    array.assign_coords({name: self.vertical}) if self.vertical.coords else array
                )
            arrays.append(array.assign_attrs(attrs))
        return arrays


def collect(data: xr.DataArray | xr.Dataset, dim: Hashable | None = None) -> Profiles:
    """Stack the complete profiles of a model.

    Parameters
    ----------
    data : DataArray or Dataset
        One variable, or several on the same dimensions.
    dim : hashable, optional
        The vertical dimension, where it cannot be told.

    Returns
    -------
    Profiles

    Raises
    ------
    TypeError
        If a variable is not numeric.
    ValueError
        If the vertical is not clear, the variables differ in dimensions, there are infinities, or
        no profile is complete.
    """
    dataset = as_dataset(data)
    axes = find_axes(dataset, dim)
    grid = _lay_out(dataset, axes)
    names = list(dataset.data_vars)
    dtype = np.result_type(*(_float_dtype(dataset[n].dtype) for n in names))
    vertical = _vertical_coordinate(dataset, axes)
    descending = vertical is not None and _is_descending(vertical)

    columns, missing, invalid = [], [], []
    for name in names:
        lead = () if axes.vertical is None else (axes.vertical,)
        array = dataset[name].variable.transpose(*lead, ...)
        bare = xr.DataArray(array, name=name)
        bare.encoding = array.encoding  # tells how limits of valid values are packed
        bare = bare.compute() if bare.chunks is not None else bare
        column, refused = _columns(bare, grid, axes)
        columns.append(column[::-1] if descending else column)
        missing.append(np.isnan(column))
        invalid.append(refused)
    status = _status(missing, invalid)
    _require_complete(status)
    points = np.flatnonzero(status == 0)
    values = np.empty((points.size, columns[0].shape[0], len(names)), dtype=dtype)
    for v, column in enumerate(columns):
        for start in range(0, points.size, _GATHER):
            chunk = slice(start, start + _GATHER)
            values[chunk, :, v] = column[:, points[chunk]].T

    area = cell_areas(dataset, axes)
    areas = None if area is None else grid.flatten(_broadcast(area, dataset, grid))[points]
    attrs = {str(n): _plain_attrs(dataset[n].attrs) for n in names}
    return Profiles(values, points, status, areas, attrs, vertical, descending, axes, grid)


def as_dataset(data: xr.DataArray | xr.Dataset) -> xr.Dataset:
    """Give the variables to cluster as one Dataset on the same dimensions, checked."""
    if isinstance(data, xr.DataArray):
        own_name = "value" if data.name is None else str(data.name)
        if own_name in data.coords:
            raise ValueError(f"{own_name!r} is a coordinate; cluster a data variable instead")
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
    for name, array in dataset.data_vars.items():
        if set(array.dims) != set(first.dims):
            raise ValueError(
                f"the variables lie on different dimensions: {str(first.name)!r} on "
                f"{tuple(first.dims)}, {str(name)!r} on {tuple(array.dims)}; choose those of one "
                f"grid, e.g. data[[{str(first.name)!r}]]"
            )
    return dataset


def _choose_numeric(dataset: xr.Dataset) -> str:
    """What to do about a variable that is not numeric."""
    numeric = [str(n) for n, a in dataset.data_vars.items() if a.dtype.kind in "fiu"]
    if not numeric:
        return "convert it first, e.g. data.astype(float)"
    return f"choose the variables to cluster, e.g. data[[{numeric[0]!r}]]"


def _lay_out(dataset: xr.Dataset, axes: Axes) -> Grid:
    """Find the canonical order of points: by latitude and longitude, as far as these are known."""
    first = next(iter(dataset.data_vars.values()))
    dims = tuple(d for d in first.dims if d != axes.vertical)
    rank = dict.fromkeys(dims, 0)
    for r, known in enumerate((axes.latitude, axes.longitude), start=1):
        if known and dataset[known].ndim == 1:
            rank[dataset[known].dims[0]] = r
    canonical = tuple(sorted(dims, key=lambda d: (rank[d], str(d))))
    take, restore = {}, {}
    for d in dims:
        take[d], restore[d] = _canonical_order(dataset, axes, d)
    coords = {n: c for n, c in dataset.coords.items() if set(c.dims) <= set(dims)}
    bare = xr.Dataset(coords=coords).drop_encoding()
    for name in bare.coords:
        bare[name].attrs = _plain_attrs(bare[name].attrs, dropped=_ENCODING_ATTRIBUTES)
    return Grid(dims, dict(bare.coords), canonical, take, restore)


def _canonical_order(
    dataset: xr.Dataset, axes: Axes, dim: Hashable
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Positions along `dim` from south to north, west to east, and the way back from there.

    Only longitudes that are equal modulo 360° share a position: the repeated seam.
    """
    size = dataset.sizes[dim]
    keys = []
    for name in (axes.longitude, axes.latitude):
        if name and dim in dataset[name].dims:
            values = np.asarray(dataset[name].values, dtype=np.float64)
            others = tuple(i for i, d in enumerate(dataset[name].dims) if d != dim)
            digits = _digits(values) if values.ndim == 1 else 4
            if name == axes.longitude:
                values = (np.round(values, digits) + 180.0) % 360.0 - 180.0
            keys.append(np.round(values.mean(axis=others), digits))
    if not keys and dim in dataset.coords and dataset[dim].dtype.kind in "fiumM":
        keys.append(dataset[dim].values)
    if not keys:
        identity = np.arange(size)
        return identity, identity
    if _goes_around(dataset, axes, dim):
        _, take, restore = np.unique(keys[0], return_index=True, return_inverse=True)
        return take, restore
    take = np.lexsort(keys)
    return take, np.argsort(take)


def _goes_around(dataset: xr.Dataset, axes: Axes, dim: Hashable) -> bool:
    """Whether `dim` is one of longitudes alone, which leave out less than half the Earth."""
    if axes.longitude is None or dataset[axes.longitude].dims != (dim,):
        return False
    if axes.latitude is not None and dim in dataset[axes.latitude].dims:
        return False
    around = np.sort(dataset[axes.longitude].values.astype(np.float64) % 360.0)
    return bool(np.diff(around, append=around[0] + 360.0).max() < 180.0)


def _digits(degrees: npt.NDArray[np.float64]) -> int:
    """Decimals that tell neighbours apart, but not -124.2 from 235.8 of float32 less 360."""
    steps = np.abs(np.diff(degrees))
    steps = steps[steps > 0]
    smallest = float(steps.min()) if steps.size else 1.0
    return int(np.clip(np.ceil(-np.log10(smallest)) + 2, 4, 12))


def _columns(
    array: xr.DataArray, grid: Grid, axes: Axes
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Values of one variable, shape (n_levels, n_points), NaN where missing; and the invalid."""
    refused = find_invalid(array)
    invalid = None
    if refused is not None:
        array = array.where(~refused)
        lead = [] if axes.vertical is None else [axes.vertical]
        invalid = grid.flatten(refused.any(lead))
    values = grid.flatten(array)
    return values.reshape(-1, values.shape[-1]), invalid


def _status(
    missing: list[npt.NDArray[np.bool_]], invalid: list[npt.NDArray[np.bool_] | None]
) -> npt.NDArray[np.int8]:
    """Tell for each point whether its profile is complete, or why not."""
    gaps = sum(m.sum(axis=0) for m in missing)
    full = sum(m.shape[0] for m in missing)
    status = np.where(gaps == 0, 0, np.where(gaps == full, 1, 2)).astype(np.int8)
    for refused in invalid:
        if refused is not None:
            status[refused] = 3
    return status


def _require_complete(status: npt.NDArray[np.int8]) -> None:
    """Refuse a model in which no profile is complete, and say what is the matter."""
    counts = np.bincount(status, minlength=len(STATUS))
    if counts[0]:
        return
    raise ValueError(
        f"none of the {status.size} profiles is complete: {counts[1]} have no data, {counts[2]} "
        f"have gaps, {counts[3]} hold a fill value or lie outside the valid_min, valid_max or "
        "valid_range of the attributes. Choose a depth range that the model covers "
        "with .vcluster.prepare(depth=...), or fill small gaps with prepare(max_gap=...)"
    )


def _vertical_coordinate(dataset: xr.Dataset, axes: Axes) -> xr.DataArray | None:
    """The vertical coordinate with its attrs; plain positions where the dimension has none."""
    if axes.vertical is None:
        return None
    dim = dict(zip(map(str, dataset.dims), dataset.dims, strict=True))[axes.vertical]
    coordinate = dataset[dim].drop_vars([n for n in dataset[dim].coords if n != dim])
    coordinate = coordinate.copy()
    coordinate.attrs = _plain_attrs(coordinate.attrs)
    if units(coordinate) != coordinate.attrs.get("units", ""):
        coordinate.attrs["units"] = units(coordinate)
    coordinate.encoding = {}
    return coordinate


def _is_descending(vertical: xr.DataArray) -> bool:
    return bool(vertical.size > 1 and vertical.values[0] > vertical.values[-1])


def _broadcast(area: xr.DataArray, dataset: xr.Dataset, grid: Grid) -> xr.DataArray:
    """Share areas out over the horizontal dimensions that they lack, such as time."""
    missing = {d: dataset.sizes[d] for d in grid.dims if d not in area.dims}
    repeats = float(np.prod(list(missing.values())))
    return area.expand_dims(missing) / repeats if missing else area


def _plain_attrs(
    attrs: Mapping[str, Any], dropped: frozenset[str] = _MASKING_ATTRIBUTES
) -> dict[str, Any]:
    """Attributes that hold for a centroid too: not those that declare or bound missing values."""
    return {k: _writable(v) for k, v in attrs.items() if k not in dropped and v is not None}


def _writable(value: Any) -> Any:
    """An attribute as NetCDF can hold it: numbers and texts as they are, all else in words."""
    array = np.asarray(value)
    if array.dtype.kind == "b":
        return array.astype(np.int8)
    return value if array.dtype.kind in "fiuSU" else str(value)


def _float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 for what it holds exactly, else float64."""
    small = dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.dtype(np.float32 if small else np.float64)


def _is_identity(positions: npt.NDArray[np.intp], size: int) -> bool:
    return positions.size == size and bool(np.array_equal(positions, np.arange(size)))
