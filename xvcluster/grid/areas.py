"""The areas of the cells of a grid on the authalic sphere."""

from __future__ import annotations

from functools import reduce
from operator import mul

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.grid.coords import Axes, find_horizontal
from xvcluster.grid.horizontal import HorizontalGrid, find_grid, own_columns

EARTH_RADIUS_KM = 6371.0072
"""Radius of the authalic sphere: the sphere with the area of the WGS 84 ellipsoid."""


def cell_areas(data: xr.DataArray | xr.Dataset, axes: Axes | None = None) -> xr.DataArray | None:
    """Compute the areas of the cells on the authalic sphere.

    Parameters
    ----------
    data : DataArray or Dataset
        With 1-D or 2-D coordinates of latitude and longitude, in degrees.
    axes : Axes, optional
        The names of these coordinates, if known.

    Returns
    -------
    DataArray or None
        Area in km² on the dimensions of latitude and longitude; NaN for a cell without a place.
        None if there are no cells: no coordinates, or loose points without bounds.

    Notes
    -----
    A cell between the latitudes φ₁, φ₂ and the longitudes λ₁, λ₂ has the area
    R² (sin φ₂ − sin φ₁)(λ₂ − λ₁) with R = 6371.0072 km. On a curvilinear grid it is the area of the
    spherical quadrilateral between the corners, the sum of the excesses of two triangles; around a
    loose point, that of the spherical polygon between the vertices that the file gives.
    """
    factors = area_factors(find_grid(data, axes))
    return xr.DataArray(reduce(mul, factors)) if factors else None


def count_areas(labels: xr.DataArray) -> xr.DataArray:
    """What each point of a map counts for: the area of its cell in km², or 1 if it is not known.

    Parameters
    ----------
    labels : DataArray
        Only its coordinates are read.

    Returns
    -------
    DataArray
        On the dimensions of latitude and longitude; without areas on those of columns that repeat
        others, or on none. A column that repeats a meridian, such as the seam of a global grid,
        counts 0, and so does a cell without a place. The attribute ``units`` is "km2" or "1".
    """
    axes = Axes(None, *find_horizontal(labels))
    grid = find_grid(labels, axes)
    factors = area_factors(grid)
    counts = xr.DataArray(reduce(mul, factors, xr.Variable((), 1.0)))
    found = own_columns(labels, axes, grid)
    if found is not None:
        dim, columns = found
        counts = counts * xr.DataArray(np.where(columns.is_repeated, 0.0, 1.0), dims=[dim])
    return counts.fillna(0.0).assign_attrs(units="km2" if factors else "1")


def area_factors(grid: HorizontalGrid | None) -> list[xr.Variable]:
    """Compute arrays whose product is `cell_areas`, along rows and columns; none without cells."""
    if grid is None:
        return []
    if grid.kind == "curvilinear" and min(grid.shape) > 1:
        areas = np.where(grid.is_placed, quadrilateral_areas(grid.corners), np.nan)
        return [xr.Variable(grid.dims, areas)]
    if grid.vertices is not None:
        areas = np.where(grid.is_placed, polygon_areas(grid.vertices), np.nan)
        return [xr.Variable(grid.dims, areas)]
    if grid.edges is None:
        return []
    parallels, meridians = grid.edges
    sines = np.sin(np.radians(parallels))
    height = EARTH_RADIUS_KM**2 * np.abs(sines[:, 1] - sines[:, 0])
    width = np.abs(meridians[:, 1] - meridians[:, 0])
    # bounds such as (179.5, -179.5) are one degree apart; (0, 360) is a full circle
    width = np.radians(np.where((width > 180.0) & (width < 360.0), 360.0 - width, width))
    if grid.kind == "points":
        areas = np.where(grid.is_placed, height * width, np.nan)
        return [xr.Variable(grid.dims, areas)]
    factors = [xr.Variable(grid.dims[:1], height), xr.Variable(grid.dims[1:], width)]
    if not grid.is_placed.all():
        factors.append(xr.Variable(grid.dims, np.where(grid.is_placed, 1.0, np.nan)))
    return factors


def quadrilateral_areas(corners: Float64s) -> Float64s:
    """Compute the areas in km² of cells between corners (m + 1, n + 1, 3) on the unit sphere."""
    a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]
    excess = np.abs(_spherical_excess(a, b, c) + _spherical_excess(a, c, d))
    areas: Float64s = EARTH_RADIUS_KM**2 * excess
    return areas


def polygon_areas(vertices: Float64s) -> Float64s:
    """Compute the areas in km² of cells between vertices (n, n_vertices, 3) on the unit sphere.

    Vertices that repeat another do not count.
    """
    first = np.broadcast_to(vertices[:, :1], vertices[:, 2:].shape)
    triangles = _spherical_excess(first, vertices[:, 1:-1], vertices[:, 2:])
    areas: Float64s = EARTH_RADIUS_KM**2 * np.abs(triangles.sum(axis=-1))
    return areas


def _spherical_excess(a: Float64s, b: Float64s, c: Float64s) -> Float64s:
    """Signed areas of triangles on the unit sphere (Eriksson 1990)."""
    # differences keep the volume exact for corners that are close to each other
    volume = (np.cross(b - a, c - a) * a).sum(axis=-1)
    cosines = [(p * q).sum(axis=-1) for p, q in ((a, b), (b, c), (c, a))]
    excess: Float64s = 2 * np.arctan2(volume, 1 + sum(cosines))
    return excess
