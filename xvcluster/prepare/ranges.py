"""Ranges and steps along the vertical, checked against what the data cover."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.arrays import Float64s, Indices
from xvcluster.grid.coords import canonical_units, positive, units
from xvcluster.grid.levels import (
    find_varying,
    has_times,
    is_counted,
    numbers_of,
    spell,
    why_no_numbers,
)
from xvcluster.messages import plain, warn

Range: TypeAlias = "slice | tuple[Any, Any] | None"
"""Both ends are included; either may be None."""

_FAR = 10.0
"""A range that reaches this many times farther than the data may be in other units."""
_MOST_LEVELS = 10_000
_SMALLER_UNITS = {"km": ("m", 1e3), "hpa": ("Pa", 1e2), "dbar": ("Pa", 1e4)}


def levels_within(vertical: xr.DataArray, depth: Range, instead: str = "") -> Indices:
    """Find the positions of the levels in a range of numbers, times or names: at least one.

    `instead` is added to what is said of a range that does not fit.
    """
    if depth is None:
        return np.arange(vertical.size)
    numbers = numbers_of(vertical)
    if numbers is None or has_times(vertical):
        return _labels_within(vertical, *_ends(depth))
    first, last = float(numbers.min()), float(numbers.max())
    low, high = read_range(vertical, depth, first, last, instead)
    within = np.flatnonzero((numbers >= low) & (numbers <= high))
    if not within.size:
        raise ValueError(
            f"no level lies in the depth range {spell(low, high, vertical)}; the nearest are at "
            f"{numbers[numbers < low].max():g} and {numbers[numbers > high].min():g}. Widen the "
            "range, or resample with dz"
        )
    warn_far(low, high, vertical, first, last, instead)
    return within


def _ends(depth: Any) -> tuple[Any, Any]:
    """The two ends of a range as they are given."""
    if isinstance(depth, slice):
        if depth.step is not None:
            raise ValueError(f"depth={depth!r} has a step; resample with dz={depth.step!r} instead")
        return depth.start, depth.stop
    if isinstance(depth, str) or np.ndim(depth) != 1 or len(depth) != 2:
        raise ValueError(f"depth must be a slice or a pair of numbers; got {depth!r}")
    return depth[0], depth[1]


def _labels_within(vertical: xr.DataArray, start: Any, stop: Any) -> Indices:
    """Find the positions of the levels from one time or name to another."""
    index = vertical.to_index()
    if not has_times(vertical):
        ends = [_place(index, end, i) for i, end in enumerate((start, stop))]
        return np.arange(min(ends), max(ends) + 1)
    order = np.argsort(index, kind="stable")
    ascending = index[order]
    try:
        found = ascending[ascending.slice_indexer(start, stop)]
        if not found.size:
            found = ascending[ascending.slice_indexer(stop, start)]
    except (TypeError, ValueError, KeyError):
        raise ValueError(
            f"depth must be a slice or a pair of times, such as slice('{_date(index[0])}', "
            f"'{_date(index[-1])}'), for {plain(vertical.name)!r} holds times; got "
            f"{slice(start, stop)!r}"
        ) from None
    if not found.size:
        raise ValueError(
            f"the range {plain(start)} to {plain(stop)} misses the data, which cover "
            f"{_date(ascending[0])} to {_date(ascending[-1])}"
        )
    return np.flatnonzero(index.isin(found))


def _place(index: pd.Index, name: Any, is_stop: int) -> int:
    """The position of a level by its name; the first or last if none is given."""
    if name is None:
        return index.size - 1 if is_stop else 0
    places = np.flatnonzero(index == name)
    if not places.size:
        known = ", ".join(plain(n, 20) for n in index[:12]) + (", ..." if index.size > 12 else "")
        raise ValueError(f"there is no level {name!r}; the levels are {known}")
    return int(places[-1 if is_stop else 0])


def _date(time: Any) -> str:
    """A time as short as it can be written."""
    return str(time).replace("T", " ").removesuffix(" 00:00:00")


def read_range(
    vertical: xr.DataArray, depth: Range, first: float, last: float, instead: str = ""
) -> tuple[float, float]:
    """Read the lower and upper end of a range, and check them against those of the data.

    Parameters
    ----------
    vertical : DataArray
        For its name, units and direction.
    depth : slice, pair of numbers or None
    first, last : float
        What the data cover; infinite if that is not known.
    instead : str
        Added to what is said of a range that does not fit.

    Raises
    ------
    ValueError
        If this is no range, or misses the data, or touches no more than one end of them.
    """
    if depth is None:
        return first, last
    start, stop = _ends(depth)
    try:
        given = float(first if start is None else start), float(last if stop is None else stop)
    except (TypeError, ValueError):
        given = np.nan, np.nan
    if np.isnan(given).any():
        raise ValueError(f"depth must be a slice or a pair of numbers; got {depth!r}")
    low, high = min(given), max(given)
    touches = low < high and first < last and (high == first or low == last)
    if high < first or low > last or touches:
        what = "touches only one end of" if touches else "misses"
        raise ValueError(
            f"the depth range {spell(low, high, vertical)} {what} the data, which cover "
            f"{spell(first, last, vertical)}{_hint(low, high, vertical, first, last)}{instead}"
        )
    return low, high


def _hint(low: float, high: float, vertical: xr.DataArray, first: float, last: float) -> str:
    """Suggest the range with the other sign, if that overlaps the data."""
    if not (-low > first and -high < last):
        return ""
    way = f"this axis is positive {positive(vertical)}wards"
    return f"; {way}: try slice({0.0 - high:g}, {0.0 - low:g})"


def warn_far(
    low: float, high: float, vertical: xr.DataArray, first: float, last: float, instead: str = ""
) -> None:
    """Warn if a range reaches so much farther than the data that it may be in other units."""
    reach, extent = np.array([low, high]), max(abs(first), abs(last))
    reach = np.abs(reach[np.isfinite(reach)]).max(initial=0.0)
    if not reach > _FAR * extent > 0:
        return
    unit, factor = _SMALLER_UNITS.get(canonical_units(units(vertical)), ("", 1.0))
    said = f"; if it is in {unit}, write slice({low / factor:g}, {high / factor:g})" if unit else ""
    warn(
        f"the depth range {spell(low, high, vertical)} reaches far beyond the data, which cover "
        f"{spell(first, last, vertical)}: it is taken in the units of the data{said}{instead}"
    )


def even_levels(
    vertical: xr.DataArray, low: float, high: float, dz: float, n_levels: int
) -> Float64s:
    """Levels dz apart from the low end of a range upwards, at most 10,000 or 100 times as many.

    `n_levels` is the number of levels that the data have.
    """
    if dz > high - low:
        raise ValueError(
            f"dz={dz:g} is larger than the depth range {spell(low, high, vertical)}; give a "
            "smaller step"
        )
    number = np.floor((high - low) / dz + 1e-9) + 1
    most = max(_MOST_LEVELS, 100 * n_levels)
    if number > most:
        shown = f"{number:,.0f}" if number < 1e15 else f"{number:.3g}"
        raise ValueError(
            f"dz={dz:g} would make {shown} levels of the depth range {spell(low, high, vertical)}; "
            f"at most {most:,} are allowed for data of {n_levels} levels: give a larger step"
        )
    return np.asarray(low + dz * np.arange(int(number)), dtype=np.float64)


def refuse_positions(
    data: xr.DataArray | xr.Dataset, vertical: xr.DataArray, option: str, example: str
) -> None:
    """Refuse an option that needs numbers if the levels have none, or are times.

    `example` is how to apply it to a variable that holds the depth of each level.
    """
    dim = vertical.dims[0]
    name, shown = plain(dim), plain(vertical.name)
    if has_times(vertical):
        raise ValueError(
            f"{option} cannot be applied to times: {shown!r} holds dates or durations; use "
            f"data.resample({name}=...), data.interp or data.interpolate_na first"
        )
    if numbers_of(vertical) is not None and not is_counted(data, vertical):
        return
    varying = find_varying(data, dim)
    own = [str(n) for n, c in vertical.coords.items() if n != dim and c.dtype.kind in "fiu"]
    if varying:
        listed = ", ".join(repr(plain(n)) for n in varying)
        instead = (
            f"The data hold {listed} at each level of each profile: to interpolate to even levels "
            f"of it, use {example.format(varying[0])}"
        )
    elif own:
        instead = f"If they lie at {own[0]!r}, use data.swap_dims({name}={own[0]!r}) first"
    elif dim in vertical.coords:
        instead = f"Choose levels by their names, with depth or data.sel({name}=[...])"
    else:
        instead = (
            f"Choose levels by number with data.isel({name}=slice(0, 10)), or give them depths "
            f"with data.assign_coords({name}=depths)"
        )
    raise ValueError(f"{option} cannot be applied: {why_no_numbers(vertical)}. {instead}")


def suggest_levels(data: xr.DataArray | xr.Dataset, dim: Hashable) -> str:
    """Suggest to interpolate to levels of a depth that varies, if the data hold one."""
    varying = find_varying(data, dim)
    if not varying:
        return ""
    shown = repr(plain(varying[0]))
    return f". The data also hold {shown} at each level: for even levels of it, use levels={shown}"


def find_levels(data: xr.DataArray | xr.Dataset, levels: Any, dim: Hashable) -> xr.DataArray:
    """Find the variable that holds the depth of each level of each profile.

    Raises
    ------
    TypeError
        If it is neither a name nor a DataArray, or not numeric.
    ValueError
        If there is no variable of that name, or it does not lie on dimensions of the data, the
        vertical among them.
    """
    if isinstance(levels, xr.DataArray):
        found = levels
    elif not isinstance(levels, str):
        raise TypeError(
            f"levels must be the name of a variable or a DataArray; got {type(levels).__name__}"
        )
    else:
        known = data.variables if isinstance(data, xr.Dataset) else data.coords
        if levels not in known:
            could = ", ".join(map(repr, find_varying(data, dim)))
            could = f"; these could be: {could}" if could else ""
            raise ValueError(
                f"levels={levels!r} is not among the variables of the data{could}. Pass the "
                f"variable itself, e.g. levels=dataset[{levels!r}]"
            )
        found = data[levels]
    name = plain(found.name)
    if found.dtype.kind not in "fiu":
        raise TypeError(f"levels must be numeric; {name!r} has the dtype {found.dtype}")
    strange = [str(d) for d in found.dims if d not in data.dims]
    if strange or dim not in found.dims:
        raise ValueError(
            f"levels must lie along the vertical {str(dim)!r} and other dimensions of the data, "
            f"{tuple(map(str, data.dims))}; {name!r} lies on {tuple(map(str, found.dims))}"
        )
    for d in found.dims:
        both = d in found.indexes and d in data.indexes
        if found.sizes[d] != data.sizes[d] or (
            both and not found.indexes[d].equals(data.indexes[d])
        ):
            raise ValueError(
                f"levels do not lie at the points of the data along {str(d)!r}; select the same "
                "points of both"
            )
    return found
