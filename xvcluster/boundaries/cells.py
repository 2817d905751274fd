"""The cells of a map of labels: the order in which they touch, and where their corners lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s, Integers
from xvcluster.grid.areas import EARTH_RADIUS_KM, quadrilateral_areas
from xvcluster.grid.edges import cell_edges
from xvcluster.grid.horizontal import (
    HorizontalGrid,
    cell_corners,
    find_columns,
    places_of,
    require_grid,
    take_map,
    unit_vectors,
)

_SNAP = 1e-6
"""Degrees: longitudes nearer to ±180° than this lie on it."""

_DENSE = 1.0
"""Degrees: maximum length of an edge along a parallel, so that a straight line follows it."""

_TILT = 1e-7
"""Radians (0.6 m) by which a grid with a corner at a pole or on the dateline is turned."""


@dataclass(frozen=True, slots=True)
class Centers:
    """Labels laid out as a map: rows counterclockwise of columns, no column twice.

    Attributes
    ----------
    labels : ndarray of int, shape (rows, columns)
        Zero for no label.
    lat, lon : ndarray
        1-D, ascending and without a jump, or 2-D.
    wraps : bool
        Whether the last column has the first one as its neighbour.
    """

    labels: Integers
    lat: Float64s
    lon: Float64s
    wraps: bool

    @property
    def is_regular(self) -> bool:
        """Whether rows lie on parallels and columns on meridians."""
        return self.lat.ndim == 1


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells between corners; cells that touch have exactly the same corners in common.

    Attributes
    ----------
    labels : ndarray of int, shape (rows, columns)
        Zero for no label.
    lat, lon : ndarray, shape (rows + 1, columns + 1)
        Corners in degrees, longitudes from −180 to 180.
    areas : ndarray, shape (rows, columns)
        In km².
    along, across : ndarray, shapes (rows + 1, columns) and (rows, columns + 1)
        Lengths in km of the edges along rows and along columns.
    wraps : bool
        Whether the last column has the first one as its neighbour.
    is_flat : bool
        Whether no cell crosses ±180° and every edge is a straight line of longitude and latitude.
    """

    labels: Integers
    lat: Float64s
    lon: Float64s
    areas: Float64s
    along: Float64s
    across: Float64s
    wraps: bool
    is_flat: bool


def find_centers(labels: xr.DataArray) -> Centers:
    """Lay labels out as a map, each point once and neighbours side by side.

    Parameters
    ----------
    labels : DataArray
        On 1-D or 2-D latitude and longitude in any order; further dims must have length 1.

    Returns
    -------
    Centers

    Raises
    ------
    ValueError
        If the labels have no latitude and longitude, lie on loose points, are a single row of a
        2-D grid, or hold more than one map.
    """
    grid = require_grid(labels)
    if grid.kind == "points":
        raise ValueError(
            f"the labels lie on loose points along {str(grid.dims[0])!r}, which have no cells and "
            "so no boundaries; boundaries need labels on a grid of latitude and longitude"
        )
    labels = take_map(labels, grid.dims, "boundaries need one map", "labels.isel({dim}=0)")
    # a cell without a place has no outline
    numbers = np.where(grid.is_placed, np.nan_to_num(labels.values), 0).astype(np.int64)
    if grid.kind == "rectilinear":
        return _regular(numbers, grid.lat, grid.lon)
    return _curvilinear(numbers, grid)


def lay_cells(centers: Centers) -> Cells:
    """Find the cells halfway between the centres; those of a regular grid are cut at ±180°."""
    return _regular_cells(centers) if centers.is_regular else _curvilinear_cells(centers)


def _regular(labels: Integers, lat: Float64s, lon: Float64s) -> Centers:
    """Sort rows from south to north and columns from west to east."""
    rows, columns = np.argsort(lat, kind="stable"), find_columns(lon)
    labels = labels[np.ix_(rows, columns.order)]
    return Centers(labels, lat[rows], columns.lon[columns.order], columns.goes_around)


def _curvilinear(labels: Integers, grid: HorizontalGrid) -> Centers:
    """Orient a grid of 2-D coordinates so that rows lie counterclockwise of its columns."""
    lat, lon = grid.lat, grid.lon
    for numbers, y, x in ((labels, lat, lon), (labels.T, lat.T, lon.T)):
        if grid.is_placed.all() and np.ptp(y, axis=1).max() == 0 == np.ptp(x, axis=0).max():
            return _regular(numbers, y[:, 0], x[0])
    if min(lat.shape) < 2:
        raise ValueError(
            f"the labels lie on a 2-D grid of shape {lat.shape}, in which cells have no width; "
            "boundaries need at least two points each way"
        )
    columns = grid.columns.order
    labels, lat, lon = labels[:, columns], lat[:, columns], lon[:, columns]
    points = unit_vectors(lat, lon)
    east, north = np.diff(points[:-1], axis=1), np.diff(points[:, :-1], axis=0)
    if np.nanmean((np.cross(east, north) * points[:-1, :-1]).sum(axis=-1)) < 0:
        labels, lat, lon = labels[:, ::-1], lat[:, ::-1], lon[:, ::-1]
    return Centers(labels, lat, lon, grid.goes_around)


def _regular_cells(centers: Centers) -> Cells:
    """Cells between parallels and meridians, in columns from −180° to 180°."""
    parallels = cell_edges(centers.lat, limits=(-90.0, 90.0))
    meridians, column = _cut_columns(cell_edges(centers.lon, around=centers.wraps), centers.wraps)
    labels = np.where(column >= 0, centers.labels[:, column], 0)
    heights = np.radians(np.diff(parallels))
    bands, widths = np.diff(np.sin(np.radians(parallels))), np.radians(np.diff(meridians))
    radii = EARTH_RADIUS_KM * np.cos(np.radians(parallels))
    shape = parallels.size, meridians.size
    return Cells(
        labels=labels,
        lat=np.broadcast_to(parallels[:, np.newaxis], shape),
        lon=np.broadcast_to(meridians, shape),
        areas=EARTH_RADIUS_KM**2 * np.outer(bands, widths),
        along=np.outer(radii, widths),
        across=np.outer(EARTH_RADIUS_KM * heights, np.ones(meridians.size)),
        wraps=bool(meridians[0] == -180 and meridians[-1] == 180),
        is_flat=True,
    )


def _cut_columns(edges: Float64s, wraps: bool) -> tuple[Float64s, Integers]:
    """Cut columns at ±180° and into narrow ones; −1 marks a gap between east and west."""
    pieces = np.maximum(np.ceil(np.diff(edges) / _DENSE - _SNAP).astype(np.int64), 1)
    column = np.repeat(np.arange(pieces.size), pieces)
    part = np.arange(column.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    fine = np.append(edges[column] + np.diff(edges)[column] * part / pieces[column], edges[-1])
    fine = fine - 360 * np.floor((fine[0] + 180 + _SNAP) / 360)
    for seam in (-180.0, 180.0):
        fine[np.abs(fine - seam) < _SNAP] = seam
    if fine[-1] <= 180:
        return fine, column
    at = int(np.searchsorted(fine, 180.0))
    if fine[at] != 180:
        fine, column = np.insert(fine, at, 180.0), np.insert(column, at, column[at - 1])
    east = np.append(-180.0, fine[at + 1 :] - 360)
    if wraps:
        return np.concatenate([east[:-1], fine[: at + 1]]), np.roll(column, -at)
    gap = np.array([-1])
    return np.concatenate([east, fine[: at + 1]]), np.concatenate([column[at:], gap, column[:at]])


def _curvilinear_cells(centers: Centers) -> Cells:
    """Cells between the corners of a 2-D grid, with great circles as edges."""
    corners = cell_corners(unit_vectors(centers.lat, centers.lon), around=centers.wraps)
    unknown = np.asarray(np.isnan(corners).any(axis=-1))
    around = unknown[1:, 1:] | unknown[1:, :-1] | unknown[:-1, 1:] | unknown[:-1, :-1]
    corners = _tilt(np.where(unknown[..., np.newaxis], [1.0, 0.0, 0.0], corners))
    if centers.wraps:
        corners[:, -1] = corners[:, 0]
    along, across = (
        2 * EARTH_RADIUS_KM * np.arcsin(np.linalg.norm(np.diff(corners, axis=axis), axis=-1) / 2)
        for axis in (1, 0)
    )
    lat, lon = places_of(corners)
    return Cells(
        labels=np.where(around, 0, centers.labels),
        lat=lat,
        lon=lon,
        areas=quadrilateral_areas(corners),
        along=along,
        across=across,
        wraps=centers.wraps,
        is_flat=False,
    )


def _tilt(corners: Float64s) -> Float64s:
    """Turn a grid slightly if it touches a pole or the dateline, which have two longitudes."""
    x, y, z = np.moveaxis(corners, -1, 0)
    if not ((np.abs(z) > np.cos(np.radians(30))) | ((np.abs(y) < 1e-9) & (x < 0))).any():
        return corners.copy()
    axis = np.array([0.48, 0.64, 0.6])
    turned = corners + _TILT * np.cross(axis, corners)
    unit: Float64s = turned / np.linalg.norm(turned, axis=-1, keepdims=True)
    return unit
