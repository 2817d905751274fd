"""How large the cells of a grid are: between their bounds, on the authalic sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Float64s

if TYPE_CHECKING:
    from xvcluster.grid.coords import Axes

EARTH_RADIUS_KM = 6371.0072
"""Radius of the authalic sphere: the sphere with the area of the WGS 84 ellipsoid."""


def cell_edges(centers: npt.ArrayLike, limits: tuple[float, float] | None = None) -> Float64s:
    """Edges of the cells around 1-D, monotonic centres: half-way to the neighbours.

    Parameters
    ----------
    centers : array_like, shape (n,)
        Coordinates of the centres, ascending or descending, in degrees.
    limits : (float, float), optional
        Edges never pass these, e.g. the poles.

    Returns
    -------
    ndarray, shape (n + 1,)
        In the order of the centres. A single centre gets a cell of one degree.

    Examples
    --------
    >>> cell_edges([-89.5, -88.5, -87.0], limits=(-90, 90))
    array([-90.  , -89.  , -87.75, -86.25])
    """
    x = np.asarray(centers, dtype=np.float64)
    if x.size == 1:
        edges = x[0] + np.array([-0.5, 0.5])
    else:
        middle = (x[1:] + x[:-1]) / 2
        edges = np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])
    low, high = (-np.inf, np.inf) if limits is None else limits
    clipped: Float64s = np.clip(edges, low, high)
    return clipped


def cell_areas(data: xr.DataArray | xr.Dataset, axes: Axes) -> xr.DataArray | None:
    """Areas of the cells on the authalic sphere.

    Parameters
    ----------
    data : DataArray or Dataset
        With 1-D or 2-D coordinates of latitude and longitude, in degrees.
    axes : Axes
        The names of these coordinates.

    Returns
    -------
    DataArray or None
        Area in km² on the dimensions of latitude and longitude. None where there are no cells:
        no coordinates, or loose points.

    Notes
    -----
    A cell between the latitudes φ₁, φ₂ and the longitudes λ₁, λ₂ has the area
    R² (sin φ₂ − sin φ₁)(λ₂ − λ₁) with R = 6371.0072 km. On a curvilinear grid it is the spherical
    quadrilateral between the corners, the sum of two triangles' excesses.
    """
    factors = area_factors(data, axes)
    if not factors:
        return None
    area = factors[0]
    for factor in factors[1:]:
        area = area * factor
    return area


def area_factors(data: xr.DataArray | xr.Dataset, axes: Axes) -> list[xr.DataArray]:
    """Arrays whose product is `cell_areas`: along latitude and longitude; none without cells."""
    if axes.latitude is None or axes.longitude is None:
        return []
    lat, lon = data[axes.latitude], data[axes.longitude]
    if lat.ndim == lon.ndim == 1 and lat.dims != lon.dims:
        sines = np.sin(np.radians(bounds_of(data, lat, limits=(-90.0, 90.0))))
        meridians = bounds_of(
            data, lon.copy(data=np.unwrap(lon.values.astype(float), period=360.0))
        )
        height = xr.DataArray(np.abs(sines[:, 1] - sines[:, 0]), dims=lat.dims)
        width = xr.DataArray(_widths(meridians), dims=lon.dims)
        return [EARTH_RADIUS_KM**2 * height, width]
    if lat.ndim == lon.ndim == 1:  # of loose points, which are cells where they have bounds
        return _areas_within_bounds(data, lat, lon)
    if lat.ndim == 2 and lat.dims == lon.dims and min(lat.shape) > 1:
        return [xr.DataArray(quadrilateral_areas(cell_corners(lat, lon)), dims=lat.dims)]
    return []


def _areas_within_bounds(
    data: xr.DataArray | xr.Dataset, lat: xr.DataArray, lon: xr.DataArray
) -> list[xr.DataArray]:
    """The areas of cells that each have bounds of their own; none where the file gives none."""
    bounds = [given_bounds(data, coordinate) for coordinate in (lat, lon)]
    if bounds[0] is None or bounds[1] is None:
        return []
    sines = np.sin(np.radians(bounds[0]))
    area = EARTH_RADIUS_KM**2 * np.abs(sines[:, 1] - sines[:, 0]) * _widths(bounds[1])
    return [xr.DataArray(area, dims=lat.dims)]


def _widths(meridians: Float64s) -> Float64s:
    """Widths in radians between the meridians (n, 2) at both sides of cells."""
    degrees = np.abs(meridians[:, 1] - meridians[:, 0])
    # bounds such as (179.5, -179.5) are one degree apart; (0, 360) is a whole circle
    return np.radians(np.where((degrees > 180.0) & (degrees < 360.0), 360.0 - degrees, degrees))


def bounds_of(
    data: xr.DataArray | xr.Dataset,
    coordinate: xr.DataArray,
    limits: tuple[float, float] | None = None,
) -> Float64s:
    """Lower and upper edge of each cell, shape (n, 2): as the file gives them, or half-way."""
    given = given_bounds(data, coordinate)
    if given is not None:
        return given
    values = np.asarray(coordinate.values, dtype=np.float64)
    steps = np.diff(values)
    is_monotonic = bool(np.all(steps >= 0) or np.all(steps <= 0))
    order = np.arange(values.size) if is_monotonic else np.argsort(values, kind="stable")
    edges = cell_edges(values[order], limits)
    bounds = np.empty((values.size, 2))
    bounds[order] = np.stack([edges[:-1], edges[1:]], axis=1)
    return bounds


def given_bounds(data: xr.DataArray | xr.Dataset, coordinate: xr.DataArray) -> Float64s | None:
    """Lower and upper edge of each cell, shape (n, 2), where the file gives them."""
    name = (coordinate.encoding | coordinate.attrs).get("bounds")
    known = {**data.coords, **(data.data_vars if isinstance(data, xr.Dataset) else {})}
    if name in known and known[name].shape == (coordinate.size, 2):
        return np.asarray(known[name].values, dtype=np.float64)
    return None


def cell_corners(lat: npt.ArrayLike, lon: npt.ArrayLike, *, wraps: bool = False) -> Float64s:
    """Corners of the cells around the points of a curvilinear grid, as unit vectors.

    Parameters
    ----------
    lat, lon : array_like, shape (m, n)
        In degrees; at least two points each way.
    wraps : bool
        Whether the last column has the first one for its neighbour.

    Returns
    -------
    ndarray, shape (m + 1, n + 1, 3)
        Half-way between the points, and as far beyond the outer ones.
    """
    phi, lam = np.radians(np.asarray(lat, float)), np.radians(np.asarray(lon, float))
    points = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)
    for axis in (0, 1):
        first, last = (np.take(points, [i], axis) for i in (0, -1))
        second, before = (np.take(points, [i], axis) for i in (1, -2))
        outer = [last, first] if wraps and axis == 1 else [2 * first - second, 2 * last - before]
        padded = np.concatenate([outer[0], points, outer[1]], axis)
        low, high = (np.take(padded, range(s, padded.shape[axis] - 1 + s), axis) for s in (0, 1))
        points = (low + high) / 2
    corners: Float64s = points / np.linalg.norm(points, axis=-1, keepdims=True)
    return corners


def quadrilateral_areas(corners: Float64s) -> Float64s:
    """Areas in km² of the cells between corners (m + 1, n + 1, 3) on the unit sphere."""
    a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]
    excess = np.abs(_spherical_excess(a, b, c) + _spherical_excess(a, c, d))
    areas: Float64s = EARTH_RADIUS_KM**2 * excess
    return areas


def _spherical_excess(a: Float64s, b: Float64s, c: Float64s) -> Float64s:
    """Signed areas of triangles on the unit sphere (Eriksson 1990)."""
    # differences keep the volume exact where corners are near each other
    volume = (np.cross(b - a, c - a) * a).sum(axis=-1)
    cosines = [(p * q).sum(axis=-1) for p, q in ((a, b), (b, c), (c, a))]
    excess: Float64s = 2 * np.arctan2(volume, 1 + sum(cosines))
    return excess
