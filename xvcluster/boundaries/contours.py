"""Smooth lines around clusters, halfway between the centres of cells inside and outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Integers, Objects
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.horizontal import places_of, unit_vectors
from xvcluster.grid.neighbours import connect

if TYPE_CHECKING:
    from xvcluster.boundaries.cells import Centers

    Line = tuple[Float64s, Float64s]


def draw_contours(
    centers: Centers, clusters: Integers
) -> tuple[Objects, Integers, Float64s, Float64s]:
    """Draw lines halfway between the centres of cells in a cluster and of cells outside.

    Parameters
    ----------
    centers : Centers
    clusters : ndarray of int

    Returns
    -------
    lines : ndarray of LineString or MultiLineString, shape (n,)
        Cut at ±180°.
    cluster : ndarray of int, shape (n,)
    length : ndarray, shape (n,)
        In km.
    area : ndarray, shape (n,)
        In km², of what a closed line encloses; NaN for a line that ends at the edge of the map.
    """
    found = [(line, int(cluster)) for cluster in clusters for line in _trace(centers, int(cluster))]
    lines, owner = [line for line, _ in found], np.array([c for _, c in found], dtype=np.int64)
    group, is_closed = _join_ends(lines, owner)
    n = int(group.max(initial=-1)) + 1
    cluster = np.zeros(n, dtype=np.int64)
    cluster[group] = owner
    length, sector, turn = (
        np.bincount(group, values, n).astype(np.float64)
        for values in (
            [_length(*line) for line in lines],
            [_sector(*line) for line in lines],
            [lon[-1] - lon[0] for lon, _ in lines],
        )
    )
    # a line around a pole encloses what lies beyond the sector between it and the equator
    area = np.where(np.abs(turn) > 180, 2 * np.pi - np.abs(sector), np.abs(sector))
    area[np.bincount(group, ~is_closed, n) > 0] = np.nan
    return _merge(lines, group), cluster, length, EARTH_RADIUS_KM**2 * area


def _trace(centers: Centers, cluster: int) -> list[Line]:
    """Longitudes, without a jump, and latitudes of the lines of one cluster."""
    from contourpy import contour_generator

    mask = (centers.labels == cluster).astype(float)
    if not centers.is_regular:
        mask[np.isnan(centers.lat + centers.lon)] = np.nan  # points of unknown place
    if centers.wraps:
        mask = np.concatenate([mask, mask[:, :1]], axis=1)
    if min(mask.shape) < 2:
        return []
    found = contour_generator(z=mask, name="serial", corner_mask=False).lines(0.5)
    return [_place(centers, column, row) for column, row in (np.asarray(line).T for line in found)]


def _place(centers: Centers, column: Float64s, row: Float64s) -> Line:
    """Longitude and latitude of points halfway between neighbours."""
    if centers.is_regular:
        lon = np.append(centers.lon, centers.lon[0] + 360)
        return (
            np.interp(column, np.arange(lon.size), lon),
            np.interp(row, np.arange(centers.lat.size), centers.lat),
        )
    both: Float64s = np.zeros((row.size, 3))
    for side in (np.floor, np.ceil):
        at = side(row).astype(int), side(column).astype(int) % centers.labels.shape[1]
        both += unit_vectors(centers.lat[at], centers.lon[at])
    lat, lon = places_of(both)
    return np.unwrap(lon, period=360.0), lat


def _length(lon: Float64s, lat: Float64s) -> float:
    """Length of a line in km, along great circles between its points."""
    lam, phi = np.radians(lon), np.radians(lat)
    half = np.sin(np.diff(phi) / 2) ** 2
    half += np.cos(phi[1:]) * np.cos(phi[:-1]) * np.sin(np.diff(lam) / 2) ** 2
    return float(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)).sum())


def _sector(lon: Float64s, lat: Float64s) -> float:
    """Signed area on the unit sphere between a line and the equator."""
    sines = np.sin(np.radians(lat))
    return float((np.diff(np.radians(lon)) * (sines[1:] + sines[:-1]) / 2).sum())


def _join_ends(lines: list[Line], owner: Integers) -> tuple[Integers, Booleans]:
    """Number the lines that continue one another across the seam; say which ones are closed."""
    n = len(lines)
    ends = np.array([[(x[i] % 360, y[i]) for i in (0, -1)] for x, y in lines]).reshape(-1, 2)
    keys = np.column_stack([np.round(ends, 6) % [360, 1000], np.repeat(owner, 2)])
    _, place, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    group = connect(n + count.size, np.repeat(np.arange(n), 2), n + place)[:n]
    is_closed = (count[place] % 2 == 0).reshape(-1, 2).all(axis=1)
    return np.unique(group, return_inverse=True)[1].astype(np.int64), is_closed


def _merge(lines: list[Line], group: Integers) -> Objects:
    """Cut lines at ±180°, and join those of each group."""
    import shapely

    pieces = [(piece, i) for line, i in zip(lines, group, strict=True) for piece in _cut(*line)]
    pieces.sort(key=lambda piece: piece[1])
    shapes = np.array([piece for piece, _ in pieces], dtype=np.object_)
    indices = np.array([i for _, i in pieces], dtype=np.int64)
    return np.asarray(shapely.line_merge(shapely.multilinestrings(shapes, indices=indices)))


def _cut(lon: Float64s, lat: Float64s) -> list[object]:
    """The parts of a line between the meridians ±180°, each moved into that range."""
    import shapely

    turns = np.arange(np.floor((lon.min() + 180) / 360), np.floor((lon.max() + 180) / 360) + 1)
    lines = [shapely.linestrings(lon - 360 * turn, lat) for turn in turns]
    if len(lines) == 1:
        return lines
    inside = shapely.line_merge(shapely.intersection(lines, shapely.box(-180, -91, 180, 91)))
    return [part for part in shapely.get_parts(inside) if shapely.get_type_id(part) == 1]
