"""How much area the cells of a grid share with polygons, exactly: a cell may be split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import mul

import numpy as np
import xarray as xr

from xvcluster.arrays import Booleans, Float64s, Indices, Objects
from xvcluster.compare.plane import KM2, lay_rings, wrap
from xvcluster.grid.areas import area_factors
from xvcluster.grid.edges import corners_around
from xvcluster.grid.horizontal import HorizontalGrid, places_of

_PARTS, _PARTS_AT_POLE = 8, 128
"""Parts of a great circle between two corners, as which it is drawn in the plane."""

_NEAR = np.sin(np.radians(75.0))
"""Sine of the latitude beyond which great circles are far from straight in the plane."""

_POLE = 1e-9

_MOST_CORNERS = 200
"""An overlap takes the longer the more corners a polygon has, so larger ones are divided first."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """The amounts that points of a grid have in common with polygons.

    Attributes
    ----------
    point, polygon : ndarray of int, shape (n,)
        Positions on the flattened grid, and among the polygons.
    amount : ndarray, shape (n,)
        Area in km² of the point's cell in the polygon; 1 if points have no cells.
    is_area : bool
    """

    point: Indices
    polygon: Indices
    amount: Float64s
    is_area: bool


def find_overlap(grid: HorizontalGrid, chosen: Booleans, polygons: Objects) -> Overlap:
    """Find how much of the cell of each chosen point lies in each polygon.

    Parameters
    ----------
    grid : HorizontalGrid
        Points without cells count as one each, in the first polygon that holds them.
    chosen : ndarray of bool
        On the dimensions of the grid. Columns that repeat a meridian, and points without a place,
        are left out.
    polygons : ndarray of Polygon or MultiPolygon
        In the plane of longitude, from −180 to 180, and the sine of latitude; apart.
    """
    points = np.flatnonzero(chosen & (own_amounts(grid) > 0))
    cells = _lay_cells(grid, points)
    if cells is None:
        lat, lon = (place.ravel()[points] for place in grid.places)
        point, polygon = find_holders(lat, lon, polygons)
        return Overlap(points[point], polygon, np.ones(point.size), is_area=False)
    shapes, owner = cells
    cell, polygon, area = _intersect(shapes, polygons)
    return Overlap(points[owner[cell]], polygon, KM2 * area, is_area=True)


def own_amounts(grid: HorizontalGrid) -> Float64s:
    """The area in km² of each cell, or 1 of each point without one; 0 of points that do not count.

    On the dimensions of the grid. Columns that repeat a meridian, and points without a place, do
    not count.
    """
    factors = area_factors(grid) or [xr.Variable(grid.dims, np.ones(grid.shape))]
    amounts = np.asarray(reduce(mul, factors).transpose(*grid.dims).values, dtype=np.float64)
    counts = grid.is_placed if grid.kind == "points" else grid.is_placed & ~grid.columns.is_repeated
    return np.where(counts, amounts, 0.0)


def find_holders(lat: Float64s, lon: Float64s, polygons: Objects) -> tuple[Indices, Indices]:
    """Find the polygon that holds each point, the first if it lies on the border of several.

    Returns
    -------
    point, polygon : ndarray of int
        Those points that a polygon holds, ascending, and that polygon.
    """
    import shapely

    x, y = (lon + 180.0) % 360.0 - 180.0, np.sin(np.radians(lat))
    is_seam = np.flatnonzero(x == -180.0)  # which polygons that end at 180° hold as well
    points = shapely.points(np.append(x, -x[is_seam]), np.append(y, y[is_seam]))
    polygon, point = shapely.STRtree(points).query(polygons, predicate="intersects")
    point = np.append(np.arange(x.size), is_seam)[point]
    order = np.lexsort([polygon, point])
    held, first = np.unique(point[order], return_index=True)
    return held, polygon[order][first]


def _lay_cells(grid: HorizontalGrid, points: Indices) -> tuple[Objects, Indices] | None:
    """The cells of some points in the equal-area plane, cut at ±180°, and the point of each."""
    import shapely

    if grid.kind == "curvilinear" and min(grid.shape) > 1:
        return _lay_great_circles(corners_around(grid.corners, points))
    if grid.vertices is not None:
        return _lay_great_circles(grid.vertices[points])
    if grid.edges is None:
        return None
    is_loose = grid.kind == "points"
    at = [points, points] if is_loose else list(np.unravel_index(points, grid.shape))
    (south, north), (west, east) = (
        np.sort(e[i], axis=1).T for e, i in zip(grid.edges, at, strict=True)
    )
    is_other_way = (east - west > 180.0) & (east - west < 360.0)  # such as (179.5, -179.5)
    west, east = np.where(is_other_way, [east, west + 360.0], [west, east])
    y = np.sin(np.radians([south, north]))
    return wrap(np.asarray(shapely.box(west, y[0], east, y[1])))


def _lay_great_circles(rings: Float64s) -> tuple[Objects, Indices]:
    """The polygons between corners (n, n_corners, 3) in the plane, and the ring of each."""
    is_near = np.abs(rings[..., 2]).max(axis=1) > _NEAR
    found = []
    for chosen, parts in ((~is_near, _PARTS), (is_near, _PARTS_AT_POLE)):
        at = np.flatnonzero(chosen)
        shapes, ring = lay_rings(*_follow(rings[at], parts))
        found.append((shapes, at[ring]))
    shapes, owner = (np.concatenate(kind) for kind in zip(*found, strict=True))
    return shapes, owner


def _follow(ring: Float64s, parts: int) -> tuple[Float64s, Float64s]:
    """Longitudes and latitudes along the great circles of rings (n, n_corners, 3)."""
    centre = ring.mean(axis=1, keepdims=True)
    is_pole = np.hypot(ring[..., 0], ring[..., 1]) < _POLE
    # a corner at a pole has the longitude of the cell
    ring = np.where(is_pole[..., None], ring + _POLE * centre, ring)
    after = np.roll(ring, -1, axis=1)
    # near the ends, for those at a pole
    step = np.concatenate([[0.0, 1e-4], np.arange(1, parts) / parts, [1 - 1e-4]])[:, None]
    chord = ring[:, :, None] + step * (after - ring)[:, :, None]
    n, corners, points, _ = chord.shape
    lat, lon = places_of(chord.reshape(n, corners * points, 3))
    return lon, lat


def _intersect(cells: Objects, polygons: Objects) -> tuple[Indices, Indices, Float64s]:
    """Pairs of cells and polygons that share area, and how much in the units of the plane."""
    import shapely

    parts, owner = _divide(polygons)
    part, cell = shapely.STRtree(cells).query(parts, predicate="intersects")
    shapely.prepare(parts)
    is_inside = shapely.contains_properly(parts[part], cells[cell])
    area = shapely.area(cells[cell])
    split = np.flatnonzero(~is_inside)
    area[split] = shapely.area(shapely.intersection(cells[cell[split]], parts[part[split]]))
    kept = area > 0
    return cell[kept], owner[part[kept]], area[kept]


def _divide(polygons: Objects) -> tuple[Objects, Indices]:
    """Divide polygons into parts with few corners; also the polygon of each part."""
    import shapely

    index = np.arange(len(polygons))
    found = [(polygons[:0], index[:0])]
    while len(polygons):
        is_large = shapely.get_num_coordinates(polygons) > _MOST_CORNERS
        found.append((polygons[~is_large], index[~is_large]))
        polygons, index = polygons[is_large], index[is_large]
        west, south, east, north = shapely.bounds(polygons).T
        x, y = (west + east) / 2, (south + north) / 2
        is_wide = np.radians(east - west) > north - south
        low = shapely.box(west, south, np.where(is_wide, x, east), np.where(is_wide, north, y))
        high = shapely.box(np.where(is_wide, x, west), np.where(is_wide, south, y), east, north)
        halves = [shapely.intersection(polygons, half) for half in (low, high)]
        polygons, index = np.concatenate(halves), np.tile(index, 2)
        has_area = shapely.area(polygons) > 0
        polygons, index = polygons[has_area], index[has_area]
    parts, owner = (np.concatenate(kind) for kind in zip(*found, strict=True))
    return parts, owner
