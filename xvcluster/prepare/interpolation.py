"""Interpolation along the vertical, lazily: of levels that profiles share, or of each its own."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Array, Float64s


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


def fill_gaps(array: xr.DataArray, coordinate: xr.DataArray, max_gap: float) -> xr.DataArray:
    """Fill what is missing between levels with data at most `max_gap` apart, linearly."""
    return _apply(_fill_gaps, array, coordinate, max_gap=max_gap)


def interpolate_each(
    array: xr.DataArray,
    dim: Hashable,
    own: xr.DataArray,
    levels: xr.DataArray,
    max_gap: float | None = None,
) -> xr.DataArray:
    """Interpolate every profile linearly from levels of its own to the same ones.

    Parameters
    ----------
    array : DataArray
    dim : hashable
        The vertical dimension; in the result, that of `levels` takes its place.
    own : DataArray
        Depth or pressure of the values: along `dim` and some other dimensions of `array`, in any
        order.
    levels : DataArray, shape (n_levels,)
        Ascending, in the units of `own`; with attributes, for the coordinate of the result.
    max_gap : float, optional
        Default: no limit.

    Returns
    -------
    DataArray
        NaN above the first and below the last valid value of a profile, and between two that are
        farther apart than `max_gap`.
    """
    new = levels.dims[0]
    dtype = np.result_type(array.dtype, np.float32)
    order = [new if d == dim else d for d in array.dims]
    options = {"levels": levels.values, "max_gap": np.inf if max_gap is None else max_gap}
    found: xr.DataArray = xr.apply_ufunc(
        _interpolate_each,
        array.astype(dtype, copy=False),
        own,
        input_core_dims=[[dim], [dim]],
        output_core_dims=[[new]],
        exclude_dims={dim},
        kwargs=options,
        dask="parallelized",
        dask_gufunc_kwargs={"allow_rechunk": True, "output_sizes": {new: levels.size}},
        output_dtypes=[dtype],
        keep_attrs="override",
    )
    found = found.transpose(*order).assign_coords({new: levels.variable})
    return found.assign_attrs(array.attrs)


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


def _interpolate_each(values: Array, own: Array, levels: Float64s, max_gap: float) -> Array:
    """Interpolate values (..., n) at own (..., n), which may be out of order, to levels (m,)."""
    from xvcluster.kernels.interpolation import interpolate_rows

    shape = np.broadcast_shapes(values.shape, own.shape)
    rows = np.broadcast_to(values, shape).reshape(-1, shape[-1])
    x = np.broadcast_to(own, shape).reshape(-1, shape[-1]).astype(np.float64)
    rounding = 2.0 * float(np.finfo(own.dtype).eps) if own.dtype.kind == "f" else 0.0
    out = np.empty((len(rows), levels.size), dtype=values.dtype)
    interpolate_rows(np.ascontiguousarray(rows), x, levels, max_gap, rounding, out)
    return out.reshape(*shape[:-1], levels.size)
