"""The plane of longitude and the sine of latitude, in which areas are those on the sphere.

It is that of Lambert's cylindrical equal-area projection: cells between parallels and meridians are
rectangles in it.
"""

from __future__ import annotations

import numpy as np

from xvcluster.arrays import Float64s, Indices, Objects
from xvcluster.grid.areas import EARTH_RADIUS_KM

KM2 = EARTH_RADIUS_KM**2 * np.pi / 180.0
"""Square kilometres of a unit of area: one degree of longitude by one of the sine."""

_FINE = 0.2
"""Maximum length in degrees of an edge that is straight in longitude and latitude."""

_PARTS = 20.0
"""An edge is at most as long as this part of its polygon."""


def lay_rings(lon: Float64s, lat: Float64s) -> tuple[Objects, Indices]:
    """Make polygons of rings on the sphere: those over ±180° are cut, those around a pole reach it.

    Parameters
    ----------
    lon, lat : ndarray, shape (n, n_points)
        Points of the rings in degrees, so close that edges are straight in the plane.

    Returns
    -------
    polygons : ndarray of Polygon or MultiPolygon
    ring : ndarray of int
        The ring of each.
    """
    import shapely

    x = np.unwrap(np.concatenate([lon, lon[:, :1]], axis=1), period=360.0, axis=1)
    y = np.sin(np.radians(np.concatenate([lat, lat[:, :1]], axis=1)))
    points = np.stack([x, y], axis=-1)
    shapes = np.empty(len(points), dtype=object)
    is_around = np.abs(x[:, -1] - x[:, 0]) > 180.0
    shapes[~is_around] = shapely.polygons(points[~is_around])
    for i in np.flatnonzero(is_around):
        pole = np.copysign(1.0, y[i].mean())
        ends = [[x[i, -1], pole], [x[i, 0], pole]]
        shapes[i] = shapely.polygons(np.concatenate([points[i], ends]))
    return wrap(repair(shapes))


def repair(shapes: Objects) -> Objects:
    """Make shapes valid that touch or cross themselves."""
    import shapely

    repaired = shapes.copy()
    is_invalid = ~shapely.is_valid(shapes)
    repaired[is_invalid] = shapely.make_valid(shapes[is_invalid])
    return repaired


def wrap(shapes: Objects) -> tuple[Objects, Indices]:
    """Move polygons to longitudes from −180° to 180°, and cut what lies beyond.

    Returns
    -------
    polygons : ndarray of Polygon or MultiPolygon
        None of them empty.
    index : ndarray of int
        The given polygon of each.
    """
    import shapely

    index = np.arange(len(shapes))
    found = [(shapes[:0], index[:0])]
    while len(shapes):
        turns = np.floor((shapely.bounds(shapes)[:, 0] + 180.0) / 360.0)
        shapes = _shift(shapes, -360.0 * turns)
        is_beyond = shapely.bounds(shapes)[:, 2] > 180.0
        found.append((shapes[~is_beyond], index[~is_beyond]))
        shapes, index = shapes[is_beyond], index[is_beyond]
        found.append((shapely.intersection(shapes, shapely.box(-180, -91, 180, 91)), index))
        east = shapely.bounds(shapes)[:, 2].max(initial=180.0)
        shapes = shapely.intersection(shapes, shapely.box(180, -91, east, 91))
        shapes, index = _with_area(shapes, index)
    parts, places = (np.concatenate(kind) for kind in zip(*found, strict=True))
    return _with_area(parts, places)


def _shift(shapes: Objects, by: Float64s) -> Objects:
    """Move shapes along the axis of longitude."""
    import shapely

    points, owner = shapely.get_coordinates(shapes, return_index=True)
    points[:, 0] += by[owner]
    return np.asarray(shapely.set_coordinates(shapes.copy(), points))


def _with_area(shapes: Objects, index: Indices) -> tuple[Objects, Indices]:
    """Leave out what is left of shapes that only touch where they are cut."""
    import shapely

    has_area = shapely.area(shapes) > 0
    return shapes[has_area], index[has_area]


def lay_polygons(shapes: Objects) -> Objects:
    """Bring polygons of longitude and latitude, with straight edges there, to the plane."""
    import shapely

    west, south, east, north = shapely.bounds(shapes).T
    longest = np.clip(np.maximum(east - west, north - south) / _PARTS, 1e-6, _FINE)
    fine = shapely.segmentize(shapes, longest)
    points = shapely.get_coordinates(fine)
    points[:, 1] = np.sin(np.radians(points[:, 1]))
    return repair(np.asarray(shapely.set_coordinates(fine, points)))
