"""Prepare a model for clustering: choose levels, fill gaps, resample and thin, lazily."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from xvcluster.arrays import Indices
from xvcluster.grid.coords import Axes, at_rest, find_axes, is_time, refuse_empty
from xvcluster.grid.levels import check_numbers, is_counted, numbers_of, vertical_of
from xvcluster.grid.missing import mask_invalid
from xvcluster.inputs import take_model
from xvcluster.options import check_integer, check_number
from xvcluster.prepare.interpolation import fill_gaps, interpolate, interpolate_each
from xvcluster.prepare.ranges import (
    Range,
    even_levels,
    find_levels,
    levels_within,
    read_range,
    refuse_positions,
    suggest_levels,
    warn_far,
)

Data = TypeVar("Data", xr.DataArray, xr.Dataset)

_OF_LEVELS = ("units", "positive", "standard_name", "long_name", "axis")
"""Attributes of levels that hold for even ones too."""


def prepare(
    data: Data,
    *,
    depth: slice | tuple[Any, Any] | None = None,
    dz: float | None = None,
    levels: str | xr.DataArray | None = None,
    stride: int | Mapping[Hashable, int] = 1,
    max_gap: float | None = None,
    dim: Hashable | None = None,
) -> Data:
    """Choose a depth range, fill small gaps, resample to even levels and thin the grid.

    Parameters
    ----------
    data : DataArray or Dataset
        Any order of dimensions and direction of axes. Never changed.
    depth : slice or pair, optional
        Range along the vertical, both ends included, in the units and with the sign of the file;
        either end of a slice may be None. Of times, as ``slice("2000-03", "2000-05")``; of levels
        that have names, from one name to another.
    dz : float, optional
        Resample linearly to levels this far apart, in the units of the file, starting at the
        smaller value of the range. At a depth that the file holds twice, the later value is used.
        Default: keep the levels of the file.
    levels : str or DataArray, optional
        Depth, height or pressure of each level, where that differs between profiles: pressures of
        floats, heights of terrain-following levels. Every profile is interpolated linearly between
        its valid points, in any order, from these to the even levels of `depth` and `dz`, which
        must both be given, and is missing beyond its first and last. The vertical dimension of the
        result has the name of this variable. A name is that of a coordinate, or of a variable of
        the Dataset.
    stride : int or mapping of dimension to int, default 1
        Keep every n-th point of the horizontal dimensions.
    max_gap : float, optional
        Fill gaps inside a profile by linear interpolation if the levels with data on either side
        are no farther apart than this, in the units of the file. With `levels`, the largest
        distance between two points that is interpolated; default there: no limit.
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
    TypeError
        If an option has the wrong type, or a variable is not numeric.
    ValueError
        If the range misses the data or touches only one end of them, `dz` is not positive, is
        larger than the range or would make more than 10,000 levels (or a hundred times those of the
        data), or `stride` is less than 1, larger than the grid or names an unknown dimension; if an
        option of the vertical is given for data without one, or needs numbers that its levels do
        not have.

    Warns
    -----
    UserWarning
        If the range reaches more than ten times as far as the data, as it does in other units.

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
    asked = {"depth": depth, "dz": dz, "max_gap": max_gap, "levels": levels}
    asked = {name: value for name, value in asked.items() if value is not None}
    for name in {"dz", "max_gap"} & set(asked):
        check_number(name, asked[name], above=0.0)
    if asked and axes.vertical is None:
        raise ValueError(
            f"the data have no vertical dimension, so {next(iter(asked))} cannot be applied"
        )
    result = _thin(data, steps)
    if axes.vertical is None:
        return _map_variables(result, mask_invalid)
    vertical = vertical_of(data, axes.vertical)
    if levels is not None:
        own = find_levels(data, levels, vertical.dims[0])
        target = _target_of(own, depth, dz, vertical.size)
        thinned = own.isel({d: slice(None, None, n) for d, n in steps.items() if d in own.dims})
        return _resample_each(result, vertical.dims[0], thinned, target, max_gap)
    check_numbers(vertical)
    if not asked:
        return _map_variables(result, mask_invalid, vertical.dims[0])
    return _along_one_axis(data, result, vertical, depth, dz, max_gap)


def _along_one_axis(
    data: Data,
    thinned: Data,
    vertical: xr.DataArray,
    depth: Range,
    dz: float | None,
    max_gap: float | None,
) -> Data:
    """Choose levels, fill gaps and resample where all profiles have the same levels."""
    dim = vertical.dims[0]
    _refuse_without_numbers(data, vertical, depth, dz, max_gap)
    instead = suggest_levels(data, dim)
    if dz is not None:
        return _resample(thinned, vertical, depth, dz, max_gap, instead)
    within = levels_within(vertical, depth, instead)

    def choose(array: xr.DataArray) -> xr.DataArray:
        # what is interpolated must hold no fill value, which clustering finds as well
        array = mask_invalid(array, by_chunk=max_gap is not None)
        if max_gap is not None:
            array = fill_gaps(array, vertical, max_gap)
        return array.isel({dim: within})

    prepared = _map_variables(thinned, choose, dim)
    return _with_bounds(prepared, thinned, vertical, within)


def _refuse_without_numbers(
    data: xr.DataArray | xr.Dataset,
    vertical: xr.DataArray,
    depth: Range,
    dz: float | None,
    max_gap: float | None,
) -> None:
    """Refuse what needs the numbers of levels that have none; names are enough for a range."""
    needing: dict[str, Any] = {"dz": dz, "max_gap": max_gap}
    if is_counted(data, vertical):
        needing = {"depth": depth, **needing}
    shown = "slice(LOW, HIGH)" if depth is None else repr(depth).replace(", None)", ")")
    example = f"prepare(depth={shown}, dz={'STEP' if dz is None else dz}, levels={{!r}})"
    for name, value in needing.items():
        if value is not None:
            option = f"{name}={shown if name == 'depth' else value}"
            refuse_positions(data, vertical, option, example)


def _resample(
    thinned: Data,
    vertical: xr.DataArray,
    depth: Range,
    dz: float,
    max_gap: float | None,
    instead: str,
) -> Data:
    """Interpolate to even levels within a range, in the direction of the axis."""
    numbers = np.asarray(numbers_of(vertical))
    first, last = float(numbers.min()), float(numbers.max())
    low, high = read_range(vertical, depth, first, last, instead)
    levels = even_levels(vertical, max(low, first), min(high, last), dz, vertical.size)
    levels = levels if numbers[0] <= numbers[-1] else levels[::-1]
    warn_far(low, high, vertical, first, last, instead)

    def resample(array: xr.DataArray) -> xr.DataArray:
        array = mask_invalid(array, by_chunk=True)
        if max_gap is not None:
            array = fill_gaps(array, vertical, max_gap)
        return interpolate(array, vertical.name, levels)

    return _map_variables(_drop_bounds(thinned, [vertical]), resample, vertical.dims[0])


def _target_of(own: xr.DataArray, depth: Range, dz: float | None, n_levels: int) -> xr.DataArray:
    """Even levels within a range, where each profile has its own, as a coordinate."""
    name = "depth" if own.name is None else str(own.name)
    low, high = read_range(own, depth, -np.inf, np.inf)
    if dz is None or not np.isfinite([low, high]).all():
        raise ValueError(
            f"levels={name!r} needs a range with both ends and a step, because each profile covers "
            f"another one; e.g. prepare(depth=slice(0, 1000), dz=10, levels={name!r})"
        )
    first, last = -np.inf, np.inf
    if own.chunks is None:
        valid = mask_invalid(own)
        first, last = float(valid.min()), float(valid.max())
        read_range(own, depth, first, last)
    values = even_levels(own, low, high, dz, n_levels)
    warn_far(low, high, own, first, last)
    attrs = {n: v for n, v in own.attrs.items() if n in _OF_LEVELS}
    return xr.DataArray(values, dims=name, name=name, attrs={"axis": "Z"} | attrs)


def _resample_each(
    thinned: Data, dim: Hashable, own: xr.DataArray, target: xr.DataArray, max_gap: float | None
) -> Data:
    """Interpolate every profile from levels of its own to even ones."""
    own = mask_invalid(own.reset_coords(drop=True), by_chunk=True)
    own = own.drop_vars([dim], errors="ignore")

    def resample(array: xr.DataArray) -> xr.DataArray:
        lacking = [str(d) for d in own.dims if d not in array.dims]
        if lacking:
            raise ValueError(
                f"variable {str(array.name)!r} does not lie on {lacking[0]!r} as levels do; leave "
                "it out, or choose variables, e.g. data[['temperature', 'salinity']]"
            )
        array = mask_invalid(array, by_chunk=True)
        return interpolate_each(array, dim, own, target, max_gap)

    if isinstance(thinned, xr.Dataset):
        thinned = thinned.drop_vars([target.name], errors="ignore")
    return _map_variables(_drop_bounds(thinned, [thinned[dim]]), resample, dim)


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
        steps = {d: check_integer(f"stride of {d!r}", n, 1) for d, n in stride.items()}
    else:
        step = check_integer("stride", stride, 1)
        placed = {d for n in (axes.latitude, axes.longitude) if n for d in at_rest(data, n).dims}
        placed = placed or {d for d in horizontal if not is_time(data, d)}
        steps = {d: step for d in horizontal if d in placed}
    for d, n in steps.items():
        if n > data.sizes[d] > 1:
            raise ValueError(
                f"stride={n} is larger than the grid, which has {data.sizes[d]} points along "
                f"{str(d)!r}; give a smaller one, or one for each dimension, e.g. "
                f"stride={{{str(d)!r}: 2}}"
            )
    return steps
