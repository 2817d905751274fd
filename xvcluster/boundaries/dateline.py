"""Rings on the sphere as polygons of longitude and latitude, cut at ±180° and closed at poles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xvcluster.arrays import Float64s, Integers, Objects

if TYPE_CHECKING:
    from shapely import Geometry

    from xvcluster.boundaries.cells import Cells
    from xvcluster.boundaries.rings import Rings

    Chain = tuple[Float64s, Float64s]

_DENSE = 1.0
"""Degrees of longitude after which an edge gets another point on its great circle."""

_CORNERS = np.array([[180.0, 90.0], [-180.0, 90.0], [-180.0, -90.0], [180.0, -90.0]])
_CORNERS_AT = np.array([180.0, 540.0, 720.0, 1080.0])
_PERIMETER = 1080.0


def cut_polygons(rings: Rings, cells: Cells) -> Objects:
    """Polygons of the regions, valid between −180° and 180°.

    Parameters
    ----------
    rings : Rings
    cells : Cells
        Whose corners the rings join by great circles.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (n_regions,)

    Notes
    -----
    A ring that crosses ±180° becomes chains from border to border of the map. Where a chain leaves
    the map its region goes on to the left, along the border, to the next chain that enters: over a
    pole, if that lies within.
    """
    import shapely

    x, y, ring = _follow_great_circles(rings, cells)
    region = rings.region[ring]
    crosses = (np.abs(x[_next(ring)] - x) > 180) & (_next(ring) != np.arange(ring.size))
    cut = np.unique(region[crosses])
    whole = ~np.isin(rings.region, cut)
    polygons = np.empty(int(rings.region.max(initial=-1)) + 1, dtype=object)
    if whole.any():
        own = whole[ring]
        number = np.cumsum(whole)[ring[own]] - 1
        closed = shapely.linearrings(x[own], y[own], indices=number)
        regions, index = np.unique(rings.region[whole], return_inverse=True)
        polygons[regions] = shapely.polygons(closed, indices=index)
    starts = np.searchsorted(ring, np.arange(rings.region.size + 1))
    for number in cut:
        spans = [slice(starts[r], starts[r + 1]) for r in np.flatnonzero(rings.region == number)]
        polygons[number] = _cut_region([(x[s], y[s]) for s in spans])
    # two rings that touch in a corner and are both cut may have become one that touches itself
    broken = ~shapely.is_valid(polygons)
    polygons[broken] = shapely.make_valid(polygons[broken])
    return polygons


def _next(ring: Integers) -> Integers:
    """Index of the point after each one, around its ring."""
    following = np.arange(1, ring.size + 1)
    last = np.flatnonzero(np.append(np.diff(ring), 1))
    following[last] = np.append(0, last[:-1] + 1)[: last.size]
    return following


def _follow_great_circles(rings: Rings, cells: Cells) -> tuple[Float64s, Float64s, Integers]:
    """Points along the rings, close enough that straight lines do between them."""
    shape = cells.lat.shape
    start, end = (np.ravel_multi_index(corner, shape) for corner in (rings.starts(), rings.ends()))
    # both regions beside an edge follow it from the same end, to get the same points
    low, high = np.minimum(start, end), np.maximum(start, end)
    lat, lon = cells.lat.ravel(), cells.lon.ravel()
    width = (lon[high] - lon[low] + 180) % 360 - 180
    pieces = np.maximum(np.ceil(np.abs(width) / _DENSE), 1).astype(np.int64)
    edge = np.repeat(np.arange(pieces.size), pieces)
    step = np.arange(edge.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = np.where(start[edge] == low[edge], step, pieces[edge] - step)
    low, high, width, pieces = low[edge], high[edge], width[edge], pieces[edge]
    x = (lon[low] + width * (step / pieces) + 180) % 360 - 180
    y = _great_circle(lat[low], lat[high], np.radians(width), step / pieces)
    at = np.where(step == 0, low, high)
    is_corner = (step == 0) | (step == pieces)
    return np.where(is_corner, lon[at], x), np.where(is_corner, lat[at], y), rings.ring[edge]


def _great_circle(lat: Float64s, other: Float64s, width: Float64s, share: Float64s) -> Float64s:
    """Latitude on the great circle between two points, at a share of their longitudes' width."""
    sine = np.sin(width)
    on_meridian = np.abs(sine) < 1e-12
    tangent = np.tan(np.radians(lat)) * np.sin(width * (1 - share))
    tangent += np.tan(np.radians(other)) * np.sin(width * share)
    found = np.degrees(np.arctan(tangent / np.where(on_meridian, 1.0, sine)))
    return np.where(on_meridian, lat + share * (other - lat), found)


def _cut_region(rings: list[Chain]) -> Geometry:
    """A region as polygons between −180° and 180°, from its rings that cross these or not."""
    import shapely

    chains: list[Chain] = []
    shells: list[Geometry] = []
    holes: list[Geometry] = []
    for x, y in rings:
        parts = _cut_ring(x, y)
        if parts:
            chains += parts
            continue
        ring = shapely.linearrings(x, y)
        (shells if shapely.is_ccw(ring) else holes).append(ring)
    shells += [shapely.linearrings(shell) for shell in _link(chains)]
    filled = [shapely.polygons(hole) for hole in holes]
    polygons = []
    for shell in shells:
        inside = np.flatnonzero(shapely.contains(shapely.polygons(shell), filled))
        own = [shell, *(holes[i] for i in inside)]
        polygons += list(shapely.polygons(own, indices=np.zeros(len(own), dtype=np.int64)))
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)


def _cut_ring(x: Float64s, y: Float64s) -> list[Chain]:
    """The chains of a ring from border to border, with their ends upon it."""
    x_next, y_next = np.roll(x, -1), np.roll(y, -1)
    crossings = np.flatnonzero(np.abs(x_next - x) > 180)
    if crossings.size == 0:
        return []
    a, b = x[crossings], x_next[crossings]
    sign = np.where(a > 0, 1.0, -1.0)
    # from the eastern end, for both regions alike
    east, west = np.where(a > 0, a, b), np.where(a > 0, b, a) + 360
    y_east = np.where(a > 0, y[crossings], y_next[crossings])
    y_west = np.where(a > 0, y_next[crossings], y[crossings])
    height = y_east + (y_west - y_east) * (180 - east) / (west - east)
    chains = []
    for i, crossing in enumerate(crossings):
        after = (i + 1) % crossings.size
        n_points = (crossings[after] - crossing - 1) % x.size + 1
        points = np.arange(crossing + 1, crossing + 1 + n_points) % x.size
        xs = np.concatenate([[-180 * sign[i]], x[points], [180 * sign[after]]])
        chains.append((xs, np.concatenate([[height[i]], y[points], [height[after]]])))
    return chains


def _link(chains: list[Chain]) -> list[Float64s]:
    """Join chains along the border, counterclockwise, to closed rings of (longitude, latitude)."""
    entries = np.array([_along_border(x[0], y[0]) for x, y in chains])
    exits = np.array([_along_border(x[-1], y[-1]) for x, y in chains])
    left = set(range(len(chains)))
    rings = []
    while left:
        first = chain = min(left)
        pieces = []
        while True:
            left.remove(chain)
            pieces.append(np.stack(chains[chain], axis=1))
            ways = (entries - exits[chain]) % _PERIMETER
            corners = (_CORNERS_AT - exits[chain]) % _PERIMETER
            after = int(np.argmin(ways))
            passed = np.flatnonzero(corners < ways[after])
            pieces.append(_CORNERS[passed[np.argsort(corners[passed])]])
            if after == first:
                break
            chain = after
        rings.append(np.concatenate(pieces))
    return rings


def _along_border(x: float, y: float) -> float:
    """How far a point is along the border of the map, counterclockwise from its southeast."""
    return y + 90 if x > 0 else 540 + 90 - y
