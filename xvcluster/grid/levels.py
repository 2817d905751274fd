"""The levels of the vertical: their values as numbers, if the file gives any, or only a count."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Float64s
from xvcluster.grid.coords import units
from xvcluster.messages import plain

_LARGEST = 1e15
_VARYING_NAMES = frozenset(
    "depth depths dep z height heights altitude elevation pressure pres pres_adjusted p lev level "
    "z_rho z_r z_w zr zw zlev zlevs siglay siglev gdept gdepw depth_rho depth_w".split()
)
_VARYING_STANDARD_NAMES = ("depth", "height", "altitude", "elevation", "pressure", "_coordinate")
_NO_LEVELS = ("thickness", "anomaly", "tendency", "gradient")


def vertical_of(data: xr.DataArray | xr.Dataset, name: str) -> xr.DataArray:
    """Return the coordinate of the vertical dimension, or its positions if it has none of its own.

    A coordinate that varies between profiles, or a MultiIndex, is none: levels are then counted.
    They keep other coordinates that lie along the vertical alone, which may name them.
    """
    dim = {str(d): d for d in data.dims}[name]
    along = {n: _with_text(v) for n, v in data.coords.variables.items() if v.dims == (dim,)}
    if dim in along and not _is_multi(along[dim]):
        own = along[dim]
        vertical = xr.DataArray(own.values, {dim: own}, (dim,), dim, own.attrs)
        vertical.encoding = dict(own.encoding)
        return vertical
    named = {n: v.to_base_variable() for n, v in along.items() if n != dim}
    return xr.DataArray(np.arange(data.sizes[dim]), named, (dim,), dim)


def _with_text(variable: xr.Variable) -> xr.Variable:
    """Make names that are bytes, or of a fixed length, text of any length."""
    names = variable.values
    if names.dtype.kind == "S":
        names = np.char.decode(names, "utf-8", "replace")
    if names.dtype.kind != "U":
        return variable
    return xr.Variable(variable.dims, names.astype(object), variable.attrs)


def _is_multi(coordinate: xr.Variable) -> bool:
    return coordinate.dtype.kind == "O" and isinstance(coordinate.values[0], tuple)


def numbers_of(vertical: xr.DataArray) -> Float64s | None:
    """Return the values of a vertical coordinate as numbers, times in days; None if it has none.

    Parameters
    ----------
    vertical : DataArray
        As `vertical_of` returns it, or a result holds it.

    Returns
    -------
    ndarray of shape (n_levels,), or None
        Times in days since 1970. None if levels are only counted, or named by text.
    """
    if vertical.name not in vertical.coords:
        return None
    values = vertical.values
    if values.dtype.kind in "fiu":
        return values.astype(np.float64)
    if values.dtype.kind == "M":
        return _in_days(values - np.datetime64("1970-01-01"))
    if values.dtype.kind == "m":
        return _in_days(values)
    if _has_dates(vertical):
        from cftime import date2num

        days = date2num(values, "days since 1970-01-01", calendar=values[0].calendar)
        return np.asarray(days, dtype=np.float64)
    return None


def is_counted(data: xr.DataArray | xr.Dataset, vertical: xr.DataArray) -> bool:
    """Whether levels are only counted: by position, or by a coordinate beside depths that vary."""
    if vertical.name not in vertical.coords:
        return True
    values = vertical.values
    by_one = values.dtype.kind in "iu" and bool(np.all(np.diff(values) == 1))
    says_more = bool({"units", "positive", "axis", "standard_name"} & set(vertical.attrs))
    if says_more or not by_one or values[0] not in (0, 1):
        return False
    return bool(find_varying(data, vertical.dims[0]))


def levels_of(vertical: xr.DataArray) -> Float64s:
    """Return the numbers of a vertical coordinate, or the positions of levels that have none."""
    numbers = numbers_of(vertical)
    return np.arange(vertical.size, dtype=np.float64) if numbers is None else numbers


def require_numbers(vertical: xr.DataArray, option: str) -> Float64s:
    """Return the numbers of a vertical coordinate; refuse `option` if it has none."""
    numbers = numbers_of(vertical)
    if numbers is None:
        raise ValueError(
            f"{option} cannot be applied: {why_no_numbers(vertical)}. Give them numbers, e.g. "
            f"data.assign_coords({vertical.name}=depths)"
        )
    return numbers


def why_no_numbers(vertical: xr.DataArray) -> str:
    """Say what is known of levels that have no numbers."""
    name = plain(vertical.name)
    if vertical.name not in vertical.coords:
        return f"the vertical {name!r} has no coordinate, so its levels are only counted"
    if numbers_of(vertical) is not None:
        return f"the vertical {name!r} only counts the levels"
    return f"the levels of {name!r} have names, such as {plain(vertical.values[0])!r}"


def has_times(vertical: xr.DataArray) -> bool:
    """Whether the levels are times, dates or durations."""
    return vertical.dtype.kind in "mM" or _has_dates(vertical)


def _has_dates(vertical: xr.DataArray) -> bool:
    """Whether values are dates of a calendar that NumPy does not know."""
    if vertical.dtype.kind != "O" or not vertical.size:
        return False
    return hasattr(np.ravel(vertical.values)[0], "calendar")


def check_numbers(vertical: xr.DataArray) -> None:
    """Refuse a vertical coordinate that holds what cannot be a depth, a height or a time."""
    name = plain(vertical.name)
    if vertical.dtype.kind == "c":
        raise ValueError(f"the vertical coordinate {name!r} is complex; give real numbers")
    numbers = numbers_of(vertical)
    if numbers is None:
        return
    bad = np.flatnonzero(~(np.abs(numbers) < _LARGEST))
    if bad.size:
        some = f"drop these, e.g. data.isel({name}=slice(0, {int(bad[0])}))"
        instead = some if bad[0] > 1 else f"count the levels, with data.drop_vars({name!r})"
        raise ValueError(
            f"the vertical coordinate {name!r} holds {plain(vertical.values[bad[0]])}, at "
            f"{bad.size} of its {numbers.size} levels; {instead}, or assign other values"
        )


def find_varying(data: xr.DataArray | xr.Dataset, dim: Any) -> list[str]:
    """Find the variables that may be the depth, height or pressure of each level of each profile.

    They lie along the vertical and at least one other dimension.
    """
    is_one = isinstance(data, xr.DataArray)
    own = data.name if is_one else None
    found = []
    for name in data.coords if is_one else data.variables:
        array = data[name]
        varies = array.ndim > 1 and dim in array.dims and array.dtype.kind in "fiu"
        if varies and name != own and _is_depth(array):
            found.append(str(name))
    return found


def _is_depth(array: xr.DataArray) -> bool:
    """Whether a variable is a depth, a height or a pressure, by CF attributes, then by its name."""
    standard = str(array.attrs.get("standard_name", "")).lower()
    if standard:
        about = any(word in standard for word in _VARYING_STANDARD_NAMES)
        return about and not any(word in standard for word in _NO_LEVELS)
    by_attrs = {"positive", "axis"} & set(array.attrs)
    return bool(by_attrs) or str(array.name).lower() in _VARYING_NAMES


def spell(low: float, high: float, vertical: xr.DataArray) -> str:
    """Write a range with its units."""
    return f"{low:g} to {high:g} {plain(units(vertical))}".rstrip()


def _in_days(durations: Array) -> Float64s:
    days: Float64s = durations / np.timedelta64(1, "D")
    return days
