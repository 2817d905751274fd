"""The complete profiles of a plain array (depth, latitude, longitude), point by point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Array, Float64s, Indices
from xvcluster.grid.coords import farthest, units
from xvcluster.grid.missing import mask_invalid
from xvcluster.options import check_number


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Complete profiles and where they lie.

    Attributes
    ----------
    values : ndarray, shape (n_profiles, n_depth)
        float64, without NaN, in the order of `points`.
    depth : ndarray, shape (n_depth,)
    lat, lon : ndarray, shapes (n_lat,), (n_lon,)
        Coordinates of the thinned grid.
    points : ndarray, shape (n_profiles,)
        Index of each profile's point on the thinned grid (lat, lon), row by row.
    """

    values: Float64s
    depth: Array
    lat: Array
    lon: Array
    points: Indices

    def label(self, name: str, units: str, depth_units: str) -> xr.DataArray:
        """Return the profiles as an array (profile, depth) with names and units."""
        # levels that are all at or below zero are taken as elevations
        up = self.depth.min() < 0 and self.depth.max() <= 0
        attrs = {"units": depth_units, "positive": "up" if up else "down"}
        coords = {"depth": ("depth", self.depth, attrs)}
        dims = ("profile", "depth")
        return xr.DataArray(self.values, coords, dims, name=name, attrs={"units": units})

    def spread(self, numbers: npt.NDArray[np.integer]) -> xr.DataArray:
        """Return one number per profile on the thinned grid (lat, lon), NaN without a profile.

        Coordinates that cannot be degrees, such as kilometres, are called y and x.
        """
        values = np.full(self.lat.size * self.lon.size, np.nan)
        values[self.points] = numbers
        grid = values.reshape(self.lat.size, self.lon.size)
        is_lat = np.abs(self.lat).max() <= farthest("latitude")
        is_lon = np.abs(self.lon).max() <= farthest("longitude")
        dims = ("lat", "lon") if is_lat and is_lon else ("y", "x")
        return xr.DataArray(grid, dict(zip(dims, (self.lat, self.lon), strict=True)), dims)


def find_units(values: object, *, vertical: bool = False) -> str:
    """Return the units that an array says of itself, or its first coordinate; otherwise none."""
    if not isinstance(values, xr.DataArray):
        return ""
    return units(values[values.dims[0]] if vertical and values.dims else values)


def take_columns(
    lat: npt.ArrayLike,
    lon: npt.ArrayLike,
    depth: npt.ArrayLike,
    model: npt.ArrayLike | xr.DataArray,
    *,
    spacing: float = 1,
    zrange: Any = None,
    dz: float | None = None,
    name: str = "v",
    depth_units: str = "",
) -> Columns:
    """Extract the complete profiles of a model.

    Parameters
    ----------
    lat, lon, depth : array_like, 1-D
    model : array_like, shape (n_depth, n_lat, n_lon)
        NaN, masked and fill values are missing. It is not modified.
    spacing : float, default 1
        Take every `spacing`-th latitude and longitude.
    zrange : (float, float), optional
        Smallest and largest depth, both included.
    dz : float, optional
        Interpolate linearly to levels with this spacing.
    name, depth_units : str
        Used in messages.

    Returns
    -------
    Columns

    Raises
    ------
    TypeError
        If the model is not numeric.
    ValueError
        If shapes disagree, `zrange` contains no level, or no profile is complete.
    """
    lat, lon, depth = (np.asarray(axis) for axis in (lat, lon, depth))
    array = _as_array(model, name, {"depth": depth, "lat": lat, "lon": lon})
    step = check_number("spacing", spacing, above=0.0)
    rows, columns = (np.arange(0, axis.size, step).astype(np.intp) for axis in (lat, lon))
    levels = _levels(depth, zrange, depth_units)
    block = array.isel(depth=levels, lat=rows, lon=columns)
    values = mask_invalid(block).values.reshape(levels.size, -1)
    points = np.flatnonzero(~np.isnan(values).any(axis=0))
    if not points.size:
        raise ValueError(
            f"none of the {values.shape[1]} profiles of {name!r} is complete over its "
            f"{levels.size} levels; choose a zrange that the model covers, or fill its gaps first"
        )
    profiles, depth = values[:, points].T.astype(np.float64, order="C"), depth[levels]
    if dz is not None:
        profiles, depth = _interpolate(profiles, depth, check_number("dz", dz, above=0.0))
    return Columns(profiles, depth, lat[rows], lon[columns], points)


def _as_array(
    model: npt.ArrayLike | xr.DataArray, name: str, axes: dict[str, Array]
) -> xr.DataArray:
    """Return the model as (depth, lat, lon) with its attributes, masked elements as NaN."""
    values = model.compute().variable if isinstance(model, xr.DataArray) else np.asanyarray(model)
    if values.dtype.kind not in "fiu":
        raise TypeError(f"the model {name!r} must be numeric; got dtype {values.dtype}")
    for axis, at in axes.items():
        if at.ndim != 1 or not at.size:
            raise ValueError(
                f"{axis} must be 1-D and not empty; got shape {at.shape}. For a grid with 2-D "
                "coordinates, use .vcluster.kmeans or .vcluster.som of a DataArray"
            )
    expected = tuple(at.size for at in axes.values())
    if values.shape != expected:
        raise ValueError(
            f"the model has shape {values.shape}, but depth, lat and lon have {expected[0]}, "
            f"{expected[1]} and {expected[2]} values; transpose it to (depth, lat, lon)"
        )
    array = xr.DataArray(values, dims=list(axes), name=name)
    array.encoding = dict(getattr(model, "encoding", {}))
    return array


def _levels(depth: Array, zrange: Any, units: str) -> Indices:
    """Return the indices of the levels within the range, both ends included."""
    if zrange is None:
        return np.arange(depth.size)
    try:
        low, high = zrange
    except (TypeError, ValueError):
        raise ValueError(
            f"zrange must be a pair of depths, such as (5, 60); got {zrange!r}"
        ) from None
    levels = np.flatnonzero((depth >= low) & (depth <= high))
    if not levels.size:
        unit = f" {units}" if units else ""
        raise ValueError(
            f"zrange {low:g} to {high:g}{unit} contains none of the levels, which range from "
            f"{depth.min():g} to {depth.max():g}{unit}; give the smaller value first"
        )
    return levels


def _interpolate(profiles: Float64s, depth: Array, dz: float) -> tuple[Float64s, Array]:
    """Interpolate profiles to evenly spaced depths."""
    even = np.arange(np.min(depth), np.max(depth) + 0.5 * dz, dz)
    order = np.argsort(depth, kind="stable")
    return np.stack([np.interp(even, depth[order], p) for p in profiles[:, order]]), even
