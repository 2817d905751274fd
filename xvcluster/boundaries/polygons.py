"""Connected regions as polygons, cut at ±180° and closed over the poles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xvcluster.arrays import Array, Booleans, Float64s, Integers, Objects
from xvcluster.boundaries.cells import Cells, Centers, lay_cells
from xvcluster.boundaries.regions import find_regions
from xvcluster.messages import warn

_DENSE = 1.0
"""Degrees of longitude after which an edge along a great circle gets another point."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Straight lines of longitude and latitude that together enclose regions.

    Attributes
    ----------
    left, right : ndarray of int, shape (n,)
        The regions on both sides; −1 where there is none.
    lines : ndarray, shape (n, 2, 2)
        Start and end, each as (longitude, latitude).
    """

    left: Integers
    right: Integers
    lines: Float64s


def draw_polygons(
    centers: Centers, clusters: Integers
) -> tuple[Objects, Integers, Float64s, Float64s]:
    """Draw the outline of each region along the edges of its cells.

    Parameters
    ----------
    centers : Centers
    clusters : ndarray of int

    Returns
    -------
    polygons : ndarray of Polygon or MultiPolygon, shape (n,)
    cluster : ndarray of int, shape (n,)
    length, area : ndarray, shape (n,)
        In km and km².
    """
    cells = lay_cells(centers)
    labels = np.where(np.isin(cells.labels, clusters), cells.labels, 0)
    regions = find_regions(labels, wraps=cells.wraps)
    n = int(regions.max(initial=-1)) + 1
    inside = regions >= 0
    area = np.bincount(regions[inside], cells.areas[inside], n).astype(np.float64)
    cluster = np.zeros(n, dtype=np.int64)
    cluster[regions[inside]] = labels[inside]
    edges, lengths = _find_edges(regions, cells)
    sides = np.append(edges.left, edges.right) + 1
    length = np.bincount(sides, np.tile(lengths, 2), n + 1)[1:].astype(np.float64)
    if not cells.is_flat:
        is_cut = np.abs(np.diff(cells.lon[:-1], axis=1)) > 180
        edges = _lay_on_map(edges, int(regions[is_cut].max(initial=-1)))
    polygons, is_whole = _enclose(edges, n)
    _tell_lost(is_whole, cluster, area)
    return polygons, cluster[is_whole], length[is_whole], area[is_whole]


def _tell_lost(is_whole: Booleans, cluster: Integers, area: Float64s) -> None:
    """Warn of regions whose cells overlap, and so have no outline; refuse it if these are most."""
    lost = np.flatnonzero(~is_whole)
    if not lost.size:
        return
    text = f"{lost.size} of {is_whole.size} regions have no outline, because their cells overlap or"
    if 2 * lost.size > is_whole.size:
        raise ValueError(
            f"{text} have no area; drop repeated rows and columns of latitude and longitude, for "
            "example with .isel()"
        )
    which = ", ".join(map(str, np.unique(cluster[lost])))
    warn(
        f"{text} have no area, as where an ocean grid folds at the pole: {area[lost].sum():,.0f} "
        f"km² of cluster {which} are left out"
    )


def _find_edges(regions: Integers, cells: Cells) -> tuple[Edges, Float64s]:
    """Edges of cells between different regions, and their lengths in km."""
    beyond = np.pad(regions, 1, constant_values=-1)
    across = cells.across.copy()
    if cells.wraps and cells.is_flat:
        # the cut at ±180° is an edge of the polygon, but no boundary
        across[:, [0, -1]] *= regions[:, :1] != regions[:, -1:]
    elif cells.wraps:
        # the seam of the grid is no edge unless labels differ, and then only once
        beyond[1:-1, [0, -1]] = regions[:, -1:]
    corners = np.stack([cells.lon, cells.lat], axis=-1)
    found = []
    for left, right, start, end, length in (
        (beyond[1:, 1:-1], beyond[:-1, 1:-1], corners[:, :-1], corners[:, 1:], cells.along),
        (beyond[1:-1, :-1], beyond[1:-1, 1:], corners[:-1], corners[1:], across),
    ):
        is_edge = left != right
        lines = np.stack([start[is_edge], end[is_edge]], axis=1)
        found.append((left[is_edge], right[is_edge], lines, length[is_edge]))
    left, right, lines, lengths = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Edges(left, right, lines), lengths


def _lay_on_map(edges: Edges, at_border: int) -> Edges:
    """Cut great circles at ±180°, add points to long ones, and add the border of the map.

    If no edge crosses ±180°, all of that meridian lies in the region `at_border`.
    """
    crossing = np.flatnonzero(np.abs(edges.lines[:, 1, 0] - edges.lines[:, 0, 0]) > 180)
    before, after = edges.lines.copy(), edges.lines[crossing]
    latitude = _latitude(after, 180.0)
    side = np.copysign(180.0, after[:, 0, 0])
    before[crossing, 1] = np.stack([side, latitude], axis=1)
    after[:, 0] = np.stack([-side, latitude], axis=1)
    lines, number = _divide(np.concatenate([before, after]))
    number = np.append(np.arange(len(before)), crossing)[number]
    # an edge that crosses eastward has the north to its left
    left, right = edges.left[crossing], edges.right[crossing]
    north, south = np.where(side > 0, left, right), np.where(side > 0, right, left)
    border = _border(latitude, south, north, at_border)
    return Edges(
        np.append(edges.left[number], border.left),
        np.append(edges.right[number], border.right),
        np.concatenate([lines, border.lines]),
    )


def _border(latitude: Float64s, south: Integers, north: Integers, at_border: int) -> Edges:
    """The border of the map, counterclockwise, cut where edges cross it at the given latitudes."""
    order = np.argsort(latitude)
    owner = np.append(south[order[0]] if order.size else at_border, north[order])
    y = np.concatenate([[-90.0], latitude[order], [90.0]])
    corners = np.stack([np.repeat([180.0, -180.0], y.size), np.append(y, y[::-1])], axis=1)
    # up the east, along the north pole, down the west, along the south pole
    left = np.concatenate([owner, owner[-1:], owner[::-1], owner[:1]])
    lines = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    return Edges(left, np.full(left.size, -1), lines)


def _divide(lines: Float64s) -> tuple[Float64s, Integers]:
    """Parts of great circles short enough to be straight, and the index of the line of each."""
    width = lines[:, 1, 0] - lines[:, 0, 0]
    pieces = np.maximum(np.ceil(np.abs(width) / _DENSE), 1).astype(np.int64)
    line = np.repeat(np.arange(pieces.size), pieces)
    step = np.arange(line.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    parts = lines[line]
    for end in (0, 1):
        share = (step + end) / pieces[line]
        is_new = (share > 0) & (share < 1)
        of = line[is_new]
        lon = lines[of, 0, 0] + share[is_new] * width[of]
        parts[is_new, end] = np.stack([lon, _latitude(lines[of], lon)], axis=1)
    return parts, line


def _latitude(lines: Float64s, lon: Float64s | float) -> Float64s:
    """Latitude at which the great circles through both ends of lines pass a longitude."""
    (x, y), (x_end, y_end) = np.radians(np.moveaxis(lines, 0, -1))
    at = np.radians(lon)
    tangent = np.tan(y) * np.sin(x_end - at) + np.tan(y_end) * np.sin(at - x)
    latitude: Float64s = np.degrees(np.arctan(tangent / np.sin(x_end - x)))
    return latitude


def _enclose(edges: Edges, n: int) -> tuple[Objects, Booleans]:
    """The polygon of each region, or several where it is cut; and which regions have one."""
    import shapely

    region = np.append(edges.left, edges.right)
    order = np.argsort(region, kind="stable")[np.count_nonzero(region < 0) :]
    region = region[order]
    # each region to the left of its lines
    lines = np.concatenate([edges.lines, edges.lines[:, ::-1]])[order]
    network = shapely.multilinestrings(shapely.linestrings(lines), indices=region)
    faces, owner = shapely.get_parts(shapely.polygonize(network[:, np.newaxis]), return_index=True)
    rings = shapely.get_exterior_ring(faces)
    first, second = (shapely.get_coordinates(shapely.get_point(rings, i)) for i in (0, 1))
    is_ccw = shapely.is_ccw(rings)[:, np.newaxis]
    start, end = np.where(is_ccw, [first, second], [second, first])
    # the holes of a region are faces too, but lie to the right of its lines
    is_own = np.isin(_keys(owner, start, end), _keys(region, lines[:, 0], lines[:, 1]))
    faces, owner = faces[is_own], owner[is_own]
    enclosed = np.bincount(region, lines[:, :, 0].mean(axis=1) * np.diff(lines[:, :, 1])[:, 0], n)
    error = np.abs(np.bincount(owner, shapely.area(faces), n) - enclosed)
    is_whole: Booleans = error < 1e-6 * enclosed
    is_kept, place = is_whole[owner], np.cumsum(is_whole) - 1
    found = shapely.multipolygons(faces[is_kept], indices=place[owner[is_kept]])
    polygons: Objects = np.asarray(found)
    is_single = shapely.get_num_geometries(polygons) == 1
    polygons[is_single] = shapely.get_geometry(polygons[is_single], 0)
    return polygons, is_whole


def _keys(*columns: Array) -> Array:
    """One value for each row of five numbers, to compare rows as a whole."""
    rows = np.ascontiguousarray(np.column_stack(columns) + 0.0)  # no negative zeros
    return rows.view("V40")[:, 0]
