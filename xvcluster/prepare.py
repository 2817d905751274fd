"""Prepare a model for clustering: choose levels, fill gaps, resample and thin, lazily."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Array, Float64s, Indices
from xvcluster.grid.coords import (
    Axes,
    at_rest,
    find_axes,
    is_time,
    positive,
    refuse_empty,
    units,
)
from xvcluster.grid.missing import mask_invalid
from xvcluster.inputs import take_model
from xvcluster.options import check_integer, check_number

Data = TypeVar("Data", xr.DataArray, xr.Dataset)


def prepare(
    data: Data,
    *,
    depth: slice | tuple[float, float] | None = None,
    dz: float | None = None,
    stride: int | Mapping[Hashable, int] = 1,
    max_gap: float | None = None,
    dim: Hashable | None = None,
) -> Data:
    """Choose a depth range, fill small gaps, resample to even levels and thin the grid.

    Parameters
    ----------
    data : DataArray or Dataset
        Any order of dimensions and direction of axes. Never changed.
    depth : slice or (float, float), optional
        Range along the vertical, both ends included, in the units and with the sign of the file;
        either end of a slice may be None.
    dz : float, optional
        Resample linearly to levels this far apart, in the units of the file, starting at the
        smaller value of the range. At a depth that the file holds twice, the later value is used.
        Default: keep the levels of the file.
    stride : int or mapping of dimension to int, default 1
        Keep every n-th point of the horizontal dimensions.
    max_gap : float, optional
        Fill gaps inside a profile by linear interpolation if the levels with data on either side
        are no farther apart than this, in the units of the file.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred.

    Returns
    -------
    DataArray or Dataset
        As `data`, with attributes kept and invalid values missing. Dask arrays stay lazy: their
        undeclared fill values are detected chunk by chunk before an interpolation, and otherwise
        left to the clustering, which looks at all of the data.

    Raises
    ------
    ValueError
        If the range misses the data, `dz` is not positive or is larger than the range, `stride` is
        less than 1 or names an unknown dimension, or an option of the vertical is given for data
        without one.

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"]
    >>> vs.vcluster.prepare(depth=slice(5, 60), dz=2, stride=4).sizes["depth"]
    28
    """
    data = take_model(data)
    refuse_empty(data)
    axes = find_axes(data, dim)
    steps = _strides(data, axes, stride)
    vertical_options = {"depth": depth, "dz": dz, "max_gap": max_gap}
    asked = [name for name, value in vertical_options.items() if value is not None]
    if asked and axes.vertical is None:
        raise ValueError(f"the data have no vertical dimension, so {asked[0]} cannot be applied")
    for name in ("dz", "max_gap"):
        if vertical_options[name] is not None:
            check_number(name, vertical_options[name], above=0.0)
    result = _thin(data, steps)
    if dz is not None and axes.vertical is not None:
        result = _drop_bounds(result, [result[axes.vertical]])
    if axes.vertical is None:
        return _map_variables(result, mask_invalid)
    vertical = data[axes.vertical]
    if not asked:
        return _map_variables(result, mask_invalid, vertical.dims[0])
    low, high = _range(vertical, depth)
    levels = None if dz is None else _even_levels(vertical, low, high, dz)
    within = _levels_within(vertical, low, high) if levels is None else None

    def along_vertical(array: xr.DataArray) -> xr.DataArray:
        # what is interpolated must hold no fill value, which clustering finds as well
        array = mask_invalid(array, by_chunk=levels is not None or max_gap is not None)
        if max_gap is not None:
            array = _apply(_fill_gaps, array, vertical, max_gap=max_gap)
        if levels is not None:
            return interpolate(array, vertical.name, levels)
        return array.isel({vertical.dims[0]: within})

    prepared = _map_variables(result, along_vertical, vertical.dims[0])
    return prepared if within is None else _with_bounds(prepared, result, vertical, within)


def interpolate(array: xr.DataArray, dim: Hashable, levels: npt.ArrayLike) -> xr.DataArray:
    """Interpolate linearly along `dim`, which may repeat values, to other levels.

    Parameters
    ----------
    array : DataArray
        With a coordinate along `dim`, ascending or descending.
    dim : hashable
    levels : array_like, shape (n_levels,)
        Within the range of the coordinate, in its units.

    Returns
    -------
    DataArray
        NaN next to a missing value. A level that the data hold is taken as it is.
    """
    target = np.asarray(levels)
    coordinate = array[dim]
    result = _apply(_interpolate, array, coordinate, levels=target)
    attrs = {name: value for name, value in coordinate.attrs.items() if name != "bounds"}
    return result.assign_coords({dim: (dim, target, attrs)})


def _map_variables(data: Data, function: Any, dim: Hashable | None = None) -> Data:
    """Apply a function to a DataArray, or to the variables of a Dataset that lie along `dim`."""
    if isinstance(data, xr.DataArray):
        return _map_one(data, function)
    variables = {}
    for name, array in data.data_vars.items():
        along = array.dtype.kind in "fiu" if dim is None else dim in array.dims
        variables[name] = _map_one(array, function) if along else array
    coords = {n: c for n, c in data.coords.items() if dim not in c.dims}
    result = xr.Dataset(variables, coords, data.attrs)
    result.encoding = dict(data.encoding)
    return result


def _map_one(array: xr.DataArray, function: Any) -> xr.DataArray:
    """Apply a function to a numeric array, and keep its encoding: how valid limits are packed."""
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"variable {str(array.name)!r} is not numeric (dtype {array.dtype}), so it cannot be "
            "prepared; convert it, or choose other variables"
        )
    result: xr.DataArray = function(array)
    result.encoding = dict(array.encoding)
    return result


def _thin(data: Data, steps: Mapping[Hashable, int]) -> Data:
    """Keep every n-th point, without the bounds of cells that no longer touch each other."""
    thinned = data.isel({d: slice(None, None, n) for d, n in steps.items()})
    fewer = {d for d, n in steps.items() if n > 1}
    return _drop_bounds(thinned, [c for c in data.coords.values() if fewer & set(c.dims)])


def _drop_bounds(data: Data, coordinates: Iterable[xr.DataArray]) -> Data:
    """Drop the bounds of cells that change."""
    stale = [(c.encoding | c.attrs).get("bounds") for c in coordinates]
    return data.drop_vars([n for n in stale if n is not None], errors="ignore")


def _with_bounds(prepared: Data, data: Data, vertical: xr.DataArray, within: Indices) -> Data:
    """Keep the bounds of the levels that are left, if they are a coordinate."""
    name = (vertical.encoding | vertical.attrs).get("bounds")
    if name not in data.coords:
        return prepared
    return prepared.assign_coords({name: data[name].isel({vertical.dims[0]: within})})


def _apply(
    function: Any, array: xr.DataArray, coordinate: xr.DataArray, **options: Any
) -> xr.DataArray:
    """Apply a function of values (..., n) and coordinate (n,) along the coordinate's dimension."""
    dim = coordinate.dims[0]
    ascending = coordinate.values[0] <= coordinate.values[-1]
    order = slice(None) if ascending else slice(None, None, -1)
    x = np.asarray(coordinate.values[order], dtype=np.float64)
    if np.any(np.diff(x) < 0):
        raise ValueError(
            f"the coordinate {str(coordinate.name)!r} is not monotonic; sort it first, e.g. "
            f"data.sortby({str(coordinate.name)!r})"
        )
    levels = options.get("levels")
    dtype = np.result_type(array.dtype, np.float32)
    result: xr.DataArray = xr.apply_ufunc(
        function,
        array.isel({dim: order}).astype(dtype, copy=False),
        input_core_dims=[[dim]],
        output_core_dims=[[dim]],
        exclude_dims={dim},
        kwargs={"x": x, **options},
        dask="parallelized",
        dask_gufunc_kwargs={
            "allow_rechunk": True,
            "output_sizes": {dim: x.size if levels is None else levels.size},
        },
        output_dtypes=[dtype],
        keep_attrs=True,
    ).transpose(*array.dims)
    if levels is None:
        return result.isel({dim: order}).assign_coords({dim: coordinate})
    return result


def _interpolate(values: Array, x: Float64s, levels: Float64s) -> Array:
    """Linear interpolation of values (..., n) at ascending x (n,) to levels (m,)."""
    if x.size == 1:
        return np.repeat(values, levels.size, axis=-1)
    lower = np.clip(np.searchsorted(x, levels, side="right") - 1, 0, x.size - 2)
    width = x[lower + 1] - x[lower]
    weight = np.where(width > 0, (levels - x[lower]) / np.where(width > 0, width, 1.0), 1.0)
    weight = np.round(weight, 12).astype(values.dtype)
    below, above = values[..., lower], values[..., lower + 1]
    mixed = below + weight * (above - below)
    return np.where(weight == 0, below, np.where(weight == 1, above, mixed))


def _fill_gaps(values: Array, x: Float64s, max_gap: float) -> Array:
    """Fill NaN of values (..., n) between levels at ascending x (n,) at most max_gap apart."""
    index = np.arange(x.size)
    known = ~np.isnan(values)
    before = np.maximum.accumulate(np.where(known, index, -1), axis=-1)
    after = np.where(known, index, x.size)[..., ::-1]
    after = np.minimum.accumulate(after, axis=-1)[..., ::-1]
    inside = ~known & (before >= 0) & (after < x.size)
    before, after = np.clip(before, 0, None), np.clip(after, None, x.size - 1)
    gap = x[after] - x[before]
    inside &= gap <= max_gap
    start, end = (np.take_along_axis(values, i, axis=-1) for i in (before, after))
    weight = (x - x[before]) / np.where(gap > 0, gap, 1.0)
    return np.where(inside, start + weight * (end - start), values).astype(values.dtype)


def _strides(
    data: xr.DataArray | xr.Dataset, axes: Axes, stride: int | Mapping[Hashable, int]
) -> dict[Hashable, int]:
    """The step along each dimension; a single number applies to latitude and longitude alike."""
    horizontal = [d for d in data.dims if str(d) != axes.vertical]
    if isinstance(stride, Mapping):
        unknown = [d for d in stride if d not in horizontal]
        if unknown:
            raise ValueError(
                f"stride names {unknown[0]!r}, which is not a horizontal dimension; "
                f"these are {', '.join(repr(str(d)) for d in horizontal)}"
            )
        return {d: check_integer(f"stride of {d!r}", n, 1) for d, n in stride.items()}
    step = check_integer("stride", stride, 1)
    placed = {d for n in (axes.latitude, axes.longitude) if n for d in at_rest(data, n).dims}
    placed = placed or {d for d in horizontal if not is_time(data, d)}
    return {d: step for d in horizontal if d in placed}


def _range(
    vertical: xr.DataArray, depth: slice | tuple[float, float] | None
) -> tuple[float, float]:
    """Lower and upper end of the requested range, checked against that of the data."""
    first, last = float(vertical.min()), float(vertical.max())
    if depth is None:
        return first, last
    if isinstance(depth, slice) and depth.step is not None:
        raise ValueError(f"depth={depth!r} has a step; resample with dz={depth.step!r} instead")
    try:
        start, stop = (depth.start, depth.stop) if isinstance(depth, slice) else depth
        given = float(first if start is None else start), float(last if stop is None else stop)
    except (TypeError, ValueError):
        given = np.nan, np.nan
    if np.isnan(given).any():
        raise ValueError(f"depth must be a slice or a pair of numbers; got {depth!r}")
    low, high = min(given), max(given)
    if high < first or low > last:
        raise ValueError(
            f"the depth range {_spell(low, high, vertical)} misses the data, which cover "
            f"{_spell(first, last, vertical)}{_hint(low, high, vertical)}"
        )
    return low, high


def _hint(low: float, high: float, vertical: xr.DataArray) -> str:
    """Suggest the range with the other sign, on an axis that is positive upwards."""
    if positive(vertical) == "up" and -low >= vertical.min() and -high <= vertical.max():
        return f"; this axis is positive upwards: try slice({-high:g}, {-low:g})"
    return ""


def _levels_within(vertical: xr.DataArray, low: float, high: float) -> Indices:
    """Positions of the levels in a range, which must contain at least one."""
    values = np.asarray(vertical.values, dtype=np.float64)
    within = np.flatnonzero((values >= low) & (values <= high))
    if not within.size:
        raise ValueError(
            f"no level lies in the depth range {_spell(low, high, vertical)}; the nearest are at "
            f"{values[values < low].max():g} and {values[values > high].min():g}. Widen the range, "
            "or resample with dz"
        )
    return within


def _even_levels(vertical: xr.DataArray, low: float, high: float, dz: float) -> Float64s:
    """Levels dz apart from the smaller end, in the direction of the axis."""
    low, high = max(low, float(vertical.min())), min(high, float(vertical.max()))
    if dz > high - low:
        raise ValueError(
            f"dz={dz:g} is larger than the depth range {_spell(low, high, vertical)}; give a "
            "smaller step"
        )
    levels = low + dz * np.arange(int(np.floor((high - low) / dz + 1e-9)) + 1)
    ascending = bool(vertical.values[0] <= vertical.values[-1])
    return np.asarray(levels if ascending else levels[::-1], dtype=np.float64)


def _spell(low: float, high: float, vertical: xr.DataArray) -> str:
    return f"{low:g} to {high:g} {units(vertical)}".rstrip()
