"""Latitudes and longitudes as degrees, whatever a file holds for them."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from xvcluster.arrays import Booleans, Float64s
from xvcluster.grid.coords import Kind, farthest, is_radians, units
from xvcluster.grid.missing import find_extremes

_BACKWARDS = r"(degrees?|deg|°)(west|w|south|[ _](west|w|south|s))"
"""Units, in lower case, of degrees that are positive in the west or south."""

_NULL_ISLAND = 4
"""A grid has one point at 0° N 0° E, or a few where columns repeat; more are places left out."""


def degrees(coordinate: xr.DataArray, kind: Kind) -> Float64s:
    """Read latitudes or longitudes as degrees in float64, NaN where they are not known.

    Parameters
    ----------
    coordinate : DataArray
        In degrees, or in radians by its units or its name; degrees west and south change sign. Not
        known is what is NaN, infinite or a usual fill value.
    kind : {"latitude", "longitude"}

    Raises
    ------
    TypeError
        If it is text or complex.
    ValueError
        If a value is no latitude or longitude.
    """
    if coordinate.dtype.kind not in "fiu":
        first = coordinate.values.flat[0] if coordinate.size else ""
        raise TypeError(
            f"the {kind} {str(coordinate.name)!r} is not numeric (dtype {coordinate.dtype}, e.g. "
            f"{str(first)[:20]!r}); give numbers of degrees, negative in the south and west, or "
            f"drop it, e.g. data.drop_vars({str(coordinate.name)!r})"
        )
    values = np.asarray(coordinate.values, dtype=np.float64)
    limit = farthest(kind)
    usual = 90.0 if kind == "latitude" else limit
    if re.fullmatch(_BACKWARDS, units(coordinate).lower()):
        values = -values
    if np.fmax.reduce(np.abs(values), None, initial=0.0) <= usual and not is_radians(coordinate):
        return values
    values = np.where(np.isfinite(values), values, np.nan)
    fills = list(find_extremes(values).fills) if values.size else []
    values = np.where(np.isin(values, fills), np.nan, values)
    values = np.degrees(values) if is_radians(coordinate) else values
    beyond = values[np.abs(values) > limit]
    if beyond.size:
        name = str(coordinate.name)
        read_as, unit = ("radians", "degrees") if is_radians(coordinate) else ("degrees", "m")
        raise ValueError(
            f"the {kind} {name!r}, read as {read_as}, holds {beyond[0]:g}°, but a {kind} lies "
            f"within ±{limit:.0f}°: if latitude and longitude are exchanged, exchange their names; "
            f"if it is in other units, say so, e.g. data[{name!r}].attrs['units'] = {unit!r}; "
            "otherwise correct or drop it"
        )
    return values if kind == "longitude" else np.clip(values, -90.0, 90.0)


def without_null_island(lat: Float64s, lon: Float64s) -> tuple[Float64s, Float64s]:
    """Take the points of a grid at 0° N 0° E as not known, if there are several.

    Models that leave out processors without sea write 0 there.
    """
    is_null: Booleans = (lat == 0.0) & (lon == 0.0)
    if np.count_nonzero(is_null) <= _NULL_ISLAND:
        return lat, lon
    return np.where(is_null, np.nan, lat), np.where(is_null, np.nan, lon)


def bridge(values: Float64s, *, period: float | None = None) -> Float64s:
    """Fill gaps in latitudes or longitudes along an axis as if these went on evenly.

    Parameters
    ----------
    values : ndarray, shape (n,)
    period : float, optional
        After which they repeat.

    Raises
    ------
    ValueError
        If the others are in no order, or fewer than two.
    """
    at, known = np.arange(values.size), np.isfinite(values)
    if known.all():
        return values
    held = values[known] if period is None else np.unwrap(values[known], period=period)
    steps = np.diff(held)
    if not (held.size > 1 and ((steps > 0).all() or (steps < 0).all())):
        raise ValueError(
            f"{np.count_nonzero(~known)} of {values.size} latitudes or longitudes along an axis "
            "are not known, and the others are in no order in which these have a place; leave "
            "them out, e.g. data.isel({'latitude': numpy.isfinite(data['latitude'].values)})"
        )
    pace = steps / np.diff(at[known])
    filled = np.interp(at, at[known], held)
    first, last = at[known][[0, -1]]
    filled = np.where(at < first, held[0] + (at - first) * pace[0], filled)
    filled = np.where(at > last, held[-1] + (at - last) * pace[-1], filled)
    return np.where(known, values, filled)
