"""Smooth lines around clusters, between the centres of their cells and of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Indices, Integers, Objects
from xvcluster.boundaries.rings import connect
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.horizontal import unit_vectors

if TYPE_CHECKING:
    from xvcluster.boundaries.cells import Centers

    Line = tuple[Float64s, Float64s]


def contour(centers: Centers, cluster: int) -> tuple[Objects, Float64s, Float64s]:
    """Lines half-way between centres in a cluster and centres outside.

    Parameters
    ----------
    centers : Centers
    cluster : int

    Returns
    -------
    lines : ndarray of LineString or MultiLineString, shape (n,)
        Cut at ±180°.
    lengths : ndarray, shape (n,)
        In km.
    areas : ndarray, shape (n,)
        In km², of what a closed line encloses; NaN for one that ends at the edge of the map.
    """
    lines = _lines(centers, cluster)
    lengths = np.array([_length(*line) for line in lines])
    sectors = np.array([_sector(*line) for line in lines])
    turns = np.array([line[0][-1] - line[0][0] for line in lines])
    group, is_closed = _join_ends(lines)
    n = int(group.max(initial=-1)) + 1
    length, sector, turn = np.zeros((3, n))
    for total, of_lines in ((length, lengths), (sector, sectors), (turn, turns)):
        np.add.at(total, group, of_lines)
    # a line around a pole encloses what is beyond the sector between it and the equator
    area = np.where(np.abs(turn) > 180, 2 * np.pi - np.abs(sector), np.abs(sector))
    area = np.where(np.bincount(group, ~is_closed, minlength=n) > 0, np.nan, area)
    return _geometries(lines, group, n), length, EARTH_RADIUS_KM**2 * area


def _lines(centers: Centers, cluster: int) -> list[Line]:
    """Longitudes, without a jump, and latitudes of the lines of one cluster."""
    from contourpy import contour_generator

    mask = (centers.labels == cluster).astype(float)
    if centers.wraps:
        mask = np.concatenate([mask, mask[:, :1]], axis=1)
    if min(mask.shape) < 2:
        return []
    found = contour_generator(z=mask, name="serial").lines(0.5)
    return [_place(centers, column, row) for column, row in (np.asarray(line).T for line in found)]


def _place(centers: Centers, column: Float64s, row: Float64s) -> Line:
    """Where points half-way between neighbours lie."""
    if centers.is_regular:
        lon = np.append(centers.lon, centers.lon[0] + 360)
        return (
            np.interp(column, np.arange(lon.size), lon),
            np.interp(row, np.arange(centers.lat.size), centers.lat),
        )
    corners = [
        _vectors(centers, round_(row).astype(int), round_(column).astype(int))
        for round_ in (np.floor, np.ceil)
    ]
    x, y, z = (corners[0] + corners[1]) / 2
    lon = np.degrees(np.unwrap(np.arctan2(y, x)))
    return lon, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _vectors(centers: Centers, row: Indices, column: Indices) -> Float64s:
    column = column % centers.labels.shape[1]
    return unit_vectors(centers.lat[row, column], centers.lon[row, column]).T


def _length(lon: Float64s, lat: Float64s) -> float:
    """Length of a line in km, by great circles from point to point."""
    lam, phi = np.radians(lon), np.radians(lat)
    half = np.sin(np.diff(phi) / 2) ** 2
    half += np.cos(phi[1:]) * np.cos(phi[:-1]) * np.sin(np.diff(lam) / 2) ** 2
    return float(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)).sum())


def _sector(lon: Float64s, lat: Float64s) -> float:
    """Signed area on the unit sphere between a line and the equator."""
    sines = np.sin(np.radians(lat))
    return float((np.diff(np.radians(lon)) * (sines[1:] + sines[:-1]) / 2).sum())


def _join_ends(lines: list[Line]) -> tuple[Integers, Booleans]:
    """Number the lines that go on in each other at the seam of the grid; whether one has no end."""
    n = len(lines)
    ends = np.array([[(x[i] % 360, y[i]) for i in (0, -1)] for x, y in lines]).reshape(-1, 2)
    keys = np.round(ends, 6) % [360, 1000]
    _, place, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    group = connect(n + count.size, np.repeat(np.arange(n), 2), n + place)[:n]
    _, group = np.unique(group, return_inverse=True)
    is_closed = (count[place] % 2 == 0).reshape(-1, 2).all(axis=1)
    return group.astype(np.int64), is_closed


def _geometries(lines: list[Line], group: Integers, n: int) -> Objects:
    """Lines cut at ±180°, those of a group as one."""
    import shapely

    found = np.empty(n, dtype=object)
    pieces = [_cut(*line) for line in lines]
    for number in range(n):
        own = [p for i in np.flatnonzero(group == number) for p in pieces[i]]
        found[number] = own[0]
        if len(own) > 1:
            found[number] = shapely.line_merge(shapely.multilinestrings(own))
    return found


def _cut(lon: Float64s, lat: Float64s) -> list[object]:
    """The parts of a line between the meridians ±180°, each brought into that range."""
    import shapely

    turns = np.arange(np.floor((lon.min() + 180) / 360), np.floor((lon.max() + 180) / 360) + 1)
    if turns.size == 1:
        return [shapely.linestrings(lon - 360 * turns[0], lat)]
    parts: list[object] = []
    for turn in turns:
        box = shapely.box(-180, -91, 180, 91)
        inside = shapely.intersection(shapely.linestrings(lon - 360 * turn, lat), box)
        lines = shapely.get_parts(shapely.line_merge(inside))
        parts += [part for part in lines if shapely.get_type_id(part) == 1]
    return parts
