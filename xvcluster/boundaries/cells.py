"""The cells of a map of labels: in what order they touch, and where their corners lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s, Integers
from xvcluster.grid.areas import EARTH_RADIUS_KM, cell_corners, cell_edges, quadrilateral_areas
from xvcluster.grid.coords import find_horizontal

_SNAP = 1e-6
"""Degrees: longitudes that are nearer than this are the same."""

_DENSE = 1.0
"""Degrees: no edge along a parallel is longer, so that a straight line to its end stays on it."""

_TILT = 1e-7
"""Radians (0.6 m) by which a grid is turned that has a corner at a pole or on the dateline."""


@dataclass(frozen=True, slots=True)
class Centers:
    """Labels in the order of a map, each row from west to east and rows counterclockwise of that.

    Attributes
    ----------
    labels : ndarray of int, shape (rows, columns)
        Zero where there is none.
    lat, lon : ndarray
        1-D, ascending and without a jump, or 2-D.
    wraps : bool
        Whether the last column has the first one for its neighbour.
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
    """Cells between corners; two that touch share the very numbers of their corners.

    Attributes
    ----------
    labels : ndarray of int, shape (rows, columns)
        Zero where there is none.
    lat, lon : ndarray, shape (rows + 1, columns + 1)
        Corners in degrees, longitudes from −180 to 180.
    areas : ndarray, shape (rows, columns)
        In km².
    along, across : ndarray, shapes (rows + 1, columns) and (rows, columns + 1)
        Lengths in km of the edges between columns' corners, and between rows' corners.
    wraps : bool
        Whether the last column has the first one for its neighbour.
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
    latitude, longitude = find_horizontal(labels)
    if latitude is None or longitude is None:
        raise ValueError(
            f"the labels (dims {labels.dims}) have no latitude and longitude among their "
            "coordinates, so their cells have no place on Earth; assign both"
        )
    lat, lon = labels[latitude], labels[longitude]
    labels = _squeeze(labels, {*lat.dims, *lon.dims})
    if lat.ndim == 1 and lat.dims == lon.dims:
        raise ValueError(
            f"the labels lie on loose points along {str(lat.dims[0])!r}, which have no cells and "
            "so no boundaries; boundaries need labels on a grid of latitude and longitude"
        )
    dims = lat.dims if lat.ndim == 2 else (*lat.dims, *lon.dims)
    numbers = np.nan_to_num(labels.transpose(*dims).values).astype(np.int64)
    if lat.ndim == 2:
        return _curvilinear(numbers, _floats(lat), _floats(lon.transpose(*dims)))
    return _regular(numbers, _floats(lat), _floats(lon))


def lay_cells(centers: Centers) -> Cells:
    """Cells half-way between the centres; those of a regular grid are cut at ±180°."""
    return _regular_cells(centers) if centers.is_regular else _curvilinear_cells(centers)


def _squeeze(labels: xr.DataArray, keep: set[Any]) -> xr.DataArray:
    """Drop further dims of length 1, and refuse longer ones."""
    spare = [dim for dim in labels.dims if dim not in keep]
    for dim in spare:
        if labels.sizes[dim] > 1:
            raise ValueError(
                f"boundaries are of one map, but the labels have {labels.sizes[dim]} entries along "
                f"{dim!r}; choose one, for example labels.isel({dim}=0)"
            )
    return labels.isel(dict.fromkeys(spare, 0), drop=True)


def _floats(coordinate: xr.DataArray) -> Float64s:
    return np.asarray(coordinate.values, dtype=np.float64)


def _regular(labels: Integers, lat: Float64s, lon: Float64s) -> Centers:
    """Sort rows to the north and columns to the east, from behind the widest gap."""
    rows = np.argsort(lat, kind="stable")
    keys, columns = np.unique(np.round(lon % 360, 6) % 360, return_index=True)
    gaps = np.diff(np.append(keys, keys[0] + 360))
    widest = int(np.argmax(gaps))
    beside = max(gaps[widest - 1], gaps[(widest + 1) % gaps.size])
    wraps = bool(gaps.size > 1 and gaps[widest] <= 1.5 * beside)
    order = np.roll(np.arange(keys.size), -(widest + 1))
    east = keys[order] + 360 * (order <= widest)
    east = east - 360 * np.floor((east[0] + 180) / 360)
    columns = columns[order]
    # whole turns leave the values that most grids have as they are
    unwrapped = lon[columns] + 360 * np.round((east - lon[columns]) / 360)
    return Centers(labels[np.ix_(rows, columns)], lat[rows], unwrapped, wraps)


def _curvilinear(labels: Integers, lat: Float64s, lon: Float64s) -> Centers:
    """Order a grid of 2-D coordinates so that rows lie counterclockwise of its columns."""
    known = np.isfinite(lat) & np.isfinite(lon)
    for numbers, rows, columns in ((labels, lat, lon), (labels.T, lat.T, lon.T)):
        if known.all() and np.ptp(rows, axis=1).max() == 0 == np.ptp(columns, axis=0).max():
            return _regular(numbers, rows[:, 0], columns[0])
    if min(lat.shape) < 2:
        raise ValueError(
            f"the labels lie on a 2-D grid of shape {lat.shape}, in which cells have no width; "
            "boundaries need at least two points each way"
        )
    # a cell with an unknown corner has no outline
    labels = np.where(known, labels, 0)
    points = _vectors(lat, lon)
    if not _closes(points)[0] and _closes(points.swapaxes(0, 1))[0]:
        labels, lat, lon, points = labels.T, lat.T, lon.T, points.swapaxes(0, 1)
    wraps, repeated = _closes(points)
    if repeated:
        labels, lat, lon, points = labels[:, :-1], lat[:, :-1], lon[:, :-1], points[:, :-1]
    east, north = np.diff(points[:-1], axis=1), np.diff(points[:, :-1], axis=0)
    if np.nanmean((np.cross(east, north) * points[:-1, :-1]).sum(axis=-1)) < 0:
        labels, lat, lon = labels[:, ::-1], lat[:, ::-1], lon[:, ::-1]
    return Centers(labels, lat, lon, wraps)


def _vectors(lat: Float64s, lon: Float64s) -> Float64s:
    phi, lam = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def _closes(points: Float64s) -> tuple[bool, bool]:
    """Whether the columns of a grid go once around, and whether the last repeats the first."""
    if points.shape[1] < 4:
        return False, False
    step = np.linalg.norm(points[:, 1] - points[:, 0], axis=-1)
    gap = np.linalg.norm(points[:, -1] - points[:, 0], axis=-1)
    ratio = float(np.nanmedian(gap / np.maximum(step, 1e-12)))
    return ratio <= 1.5, ratio < 0.01


def _regular_cells(centers: Centers) -> Cells:
    """Cells between parallels and meridians, in columns from −180° to 180°."""
    parallels = cell_edges(centers.lat, limits=(-90.0, 90.0))
    meridians, column = _cut_columns(_meridians(centers), centers.wraps)
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


def _meridians(centers: Centers) -> Float64s:
    """Edges of the columns; those of a grid that goes around end where they begin."""
    lon = centers.lon
    if not centers.wraps:
        return cell_edges(lon)
    middle = (lon + np.append(lon[1:], lon[0] + 360)) / 2
    return np.concatenate([[middle[-1] - 360], middle])


def _cut_columns(edges: Float64s, wraps: bool) -> tuple[Float64s, Integers]:
    """Cut columns at ±180° and into narrow ones; −1 stands for a gap between east and west."""
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
    """Cells between the corners of a 2-D grid, their edges parts of great circles."""
    corners = cell_corners(centers.lat, centers.lon, wraps=centers.wraps)
    unknown = np.asarray(np.isnan(corners).any(axis=-1))
    around = unknown[1:, 1:] | unknown[1:, :-1] | unknown[:-1, 1:] | unknown[:-1, :-1]
    corners = _tilt(np.where(unknown[..., np.newaxis], [1.0, 0.0, 0.0], corners))
    if centers.wraps:
        corners[:, -1] = corners[:, 0]
    along, across = (
        2 * EARTH_RADIUS_KM * np.arcsin(np.linalg.norm(np.diff(corners, axis=axis), axis=-1) / 2)
        for axis in (1, 0)
    )
    return Cells(
        labels=np.where(around, 0, centers.labels),
        lat=np.degrees(np.arctan2(corners[..., 2], np.hypot(corners[..., 0], corners[..., 1]))),
        lon=np.degrees(np.arctan2(corners[..., 1], corners[..., 0])),
        areas=quadrilateral_areas(corners),
        along=along,
        across=across,
        wraps=centers.wraps,
        is_flat=False,
    )


def _tilt(corners: Float64s) -> Float64s:
    """Turn a grid a hair where it would touch a pole or the dateline, which have two longitudes."""
    x, y, z = np.moveaxis(corners, -1, 0)
    if not ((np.abs(z) > np.cos(np.radians(1))) | ((np.abs(y) < 1e-9) & (x < 0))).any():
        return corners.copy()
    axis = np.array([0.48, 0.64, 0.6])
    turned = corners + _TILT * np.cross(axis, corners)
    unit: Float64s = turned / np.linalg.norm(turned, axis=-1, keepdims=True)
    return unit
