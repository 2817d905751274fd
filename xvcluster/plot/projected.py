"""The cells of a map in its projection: whole, in parts where it tears them, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Indices
from xvcluster.grid.edges import corners_around
from xvcluster.grid.horizontal import places_of, unit_vectors

if TYPE_CHECKING:
    from cartopy.crs import Projection

    from xvcluster.plot.geometry import Box, Geometry

_BACK = 1e-2
"""Radians: a point is shown where the projection leads back to it from its place on the map."""

_TORN = 0.1
"""Share of a cell's size on the map by which its middle may lie off the mean of its corners."""

_BENT = 0.003
"""Share of the map's size by which it may do so: a straight side would be seen to miss a curve."""

_BISECTIONS = 16
"""A torn cell is cut in halves at most so many times."""

_SMALLEST = np.radians(0.05)
"""Parts smaller than this, about 6 km, that are still torn lie on the rim of a map."""

_COARSE = np.radians(5.0)
"""Cells larger than this may be seen in part although neither a corner nor the middle is."""

_WITHIN = 1e-6
"""Share of a part by which its corners lie within it, on one side of a rim along its edge."""


@dataclass(frozen=True)
class ProjectedCells:
    """Cells as they lie on a map.

    Attributes
    ----------
    is_whole : ndarray of bool, shape (n_rows, n_columns)
        Which cells the map shows whole.
    parts : ndarray, shape (n_parts, 4, 2)
        Corners of the parts of other cells, in the coordinates of the projection.
    cells : ndarray of int, shape (n_parts,)
        The cell of each part, in the flattened grid.
    """

    is_whole: Booleans
    parts: Float64s
    cells: Indices


def project(projection: Projection, lon: Float64s, lat: Float64s) -> tuple[Float64s, Booleans]:
    """Project points; a map shows those to which the projection leads back.

    Beyond their range many projections fold the Earth over itself, and send points to places that
    belong to others.

    Returns
    -------
    (ndarray, shape (..., 2); ndarray of bool, shape (...))
    """
    from cartopy.crs import PlateCarree

    degrees = PlateCarree()
    flat = np.stack([np.ravel(lon), np.ravel(lat)])
    at = projection.transform_points(degrees, *flat)[:, :2]
    shown = np.isfinite(at).all(axis=1) & np.isfinite(flat).all(axis=0)
    back = degrees.transform_points(projection, *np.where(shown, at.T, 0.0))[:, :2].T
    with np.errstate(invalid="ignore"):  # places that are not on the map lead to infinity
        apart = unit_vectors(back[1], back[0]) - unit_vectors(flat[1], flat[0])
        shown &= np.linalg.norm(apart, axis=-1) < _BACK
    return at.reshape(*np.shape(lon), 2), shown.reshape(np.shape(lon))


def project_cells(place: Geometry, projection: Projection, window: Box) -> ProjectedCells:
    """Find which cells with a value a map shows whole, and cut the others into parts.

    Parameters
    ----------
    place : Geometry
        Of a grid.
    projection : Projection
    window : (left, right, bottom, top)
        Limits of the map, in the coordinates of the projection.
    """
    corners = _corners(place)
    has_value = np.isfinite(place.values)
    at, _ = project(projection, *_degrees(corners))
    around = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=-2)
    middle = (corners[:-1, :-1] + corners[:-1, 1:] + corners[1:, 1:] + corners[1:, :-1]) / 4
    bent = _BENT * float(np.hypot(window[1] - window[0], window[3] - window[2]))
    is_whole = _is_whole(around, *project(projection, *_degrees(middle)), bent)
    cells = np.flatnonzero(has_value & ~is_whole)
    parts = corners_around(corners, cells)
    return ProjectedCells(is_whole, *_cut(parts, cells, projection, window, bent))


def _corners(place: Geometry) -> Float64s:
    """Corners of cells (n_rows + 1, n_columns + 1, d), between which one may interpolate.

    Longitude and latitude where cells lie between meridians and parallels, otherwise unit vectors.
    """
    if place.kind == "grid":
        return np.stack(np.meshgrid(place.x, place.y), axis=-1)
    return unit_vectors(place.y, place.x)


def _degrees(points: Float64s) -> tuple[Float64s, Float64s]:
    """Longitudes and latitudes of points as `_corners` gives them."""
    if points.shape[-1] == 2:
        return points[..., 0], points[..., 1]
    lat, lon = places_of(points)
    return lon, lat


def _is_whole(around: Float64s, middle: Float64s, is_shown: Booleans, bent: float) -> Booleans:
    """Whether cells are in one piece on the map: their middles lie amid their corners there."""
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.linalg.norm(np.ptp(around, axis=-2), axis=-1)
        off = np.linalg.norm(around.mean(axis=-2) - middle, axis=-1)
        whole: Booleans = is_shown & (off <= np.minimum(_TORN * size, bent))
    return whole


def _cut(
    parts: Float64s, cells: Indices, projection: Projection, window: Box, bent: float
) -> tuple[Float64s, Indices]:
    """Halve parts of cells until the map shows each of them whole or not at all."""
    found, whose = [np.empty((0, 4, 2))], [np.empty(0, dtype=np.intp)]
    for _ in range(_BISECTIONS + 1):
        middle = parts.mean(axis=1, keepdims=True)
        parts = parts + _WITHIN * (middle - parts)
        at, shown = project(projection, *_degrees(np.concatenate([parts, middle], axis=1)))
        whole = _is_whole(at[:, :4], at[:, 4], shown[:, 4], bent)
        found.append(at[whole, :4])
        whose.append(cells[whole])
        sides = _sides(unit_vectors(*_degrees(parts)[::-1]))
        largest = sides.max(axis=1)
        open_ = ~whole & (largest > _SMALLEST) & (shown.any(axis=1) | (largest > _COARSE))
        open_ &= ~_is_outside(at, shown, window)
        if not open_.any():
            break
        parts, cells = _halve(parts[open_], _longer(at[open_, :4], sides[open_])), cells[open_]
        cells = np.tile(cells, 2)
    return np.concatenate(found), np.concatenate(whose)


def _sides(corners: Float64s) -> Float64s:
    """Length of the sides of parts along rows, and along columns, shape (n, 2)."""
    length = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
    return np.stack([length[:, 0] + length[:, 2], length[:, 1] + length[:, 3]], axis=1) / 2


def _longer(at: Float64s, sides: Float64s) -> Booleans:
    """Whether parts are longer along rows: on the map if all corners are there, or on the Earth."""
    with np.errstate(invalid="ignore", over="ignore"):
        drawn = _sides(at)
    known = np.isfinite(drawn).all(axis=1)
    longer: Booleans = np.where(known, drawn[:, 0] >= drawn[:, 1], sides[:, 0] >= sides[:, 1])
    return longer


def _halve(parts: Float64s, along_rows: Booleans) -> Float64s:
    """Cut parts in two halves across their longer sides: first halves, then second ones."""
    turned = np.where(along_rows[:, np.newaxis, np.newaxis], parts, np.roll(parts, -1, axis=1))
    a, b, c, d = np.moveaxis(turned, 1, 0)
    low, high = (a + b) / 2, (c + d) / 2
    halves = [np.stack([a, low, high, d], axis=1), np.stack([low, b, c, high], axis=1)]
    # turned back, so that rows stay rows
    halves = [
        np.where(along_rows[:, None, None], half, np.roll(half, 1, axis=1)) for half in halves
    ]
    return np.concatenate(halves)


def _is_outside(at: Float64s, shown: Booleans, window: Box) -> Booleans:
    """Whether parts that are shown in all their corners lie beside the window."""
    left, right, bottom, top = window
    with np.errstate(invalid="ignore"):
        low, high = at.min(axis=1), at.max(axis=1)
        beside = (
            (high[:, 0] < left) | (low[:, 0] > right) | (high[:, 1] < bottom) | (low[:, 1] > top)
        )
    outside: Booleans = beside & shown.all(axis=1)
    return outside
