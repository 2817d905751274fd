"""Where the cells of a map lie on the page: a grid of rectangles, polygons, or points."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Booleans, Float64s, Indices
from xvcluster.grid.edges import corners_around
from xvcluster.grid.horizontal import HorizontalGrid, find_grid, places_of
from xvcluster.plot import geometry as geo

if TYPE_CHECKING:
    from cartopy.crs import Projection

_MOST_SPLIT = 4
"""A raster of a grid has at most so many times as many pixels as the grid has cells."""

_EVEN = 0.01
"""Share of a pixel by which the edge of a cell may miss that of a pixel."""

_NO_PIXELS = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of a map as the page draws them, with longitudes that go on over the dateline.

    Attributes
    ----------
    kind : {"grid", "polygons", "points"}
    dims : tuple
        Dimensions of the map.
    order : ndarray of int
        The cell of the map, flattened, of each that is drawn; -1 for none.
    x, y : ndarray
        Middles of the columns and of the rows of a grid, otherwise of each cell.
    box : tuple
        West, east, south and north.
    corners_x, corners_y : ndarray
        Edges of the columns and of the rows of a grid; of polygons (n, n_corners); empty of points.
    pixels_x, pixels_y : ndarray of int
        How many pixels of an even raster each column and each row of a grid fills; empty if there
        is no such raster.
    is_earth : bool
        Whether latitude and longitude are known.
    x_dim, y_dim : hashable
        What lies along x and y where latitude and longitude are not known.
    projection : cartopy.crs.Projection, optional
        Of a map around a pole, which lies in km; otherwise it lies in degrees.
    lon, lat : ndarray, optional
        Places of the cells of such a map.
    """

    kind: Literal["grid", "polygons", "points"]
    dims: tuple[Hashable, ...]
    order: Indices
    x: Float64s
    y: Float64s
    box: geo.Box
    corners_x: Float64s = field(default_factory=lambda: np.empty(0))
    corners_y: Float64s = field(default_factory=lambda: np.empty(0))
    pixels_x: Indices = field(default_factory=lambda: _NO_PIXELS)
    pixels_y: Indices = field(default_factory=lambda: _NO_PIXELS)
    is_earth: bool = True
    x_dim: Hashable = None
    y_dim: Hashable = None
    projection: Projection | None = None
    lon: Float64s | None = None
    lat: Float64s | None = None


def find_cells(
    labels: xr.DataArray, known: Booleans, horizontal: HorizontalGrid | None = None
) -> Cells:
    """Find where the cells of labels lie.

    Parameters
    ----------
    labels : DataArray
    known : ndarray of bool
        Which cells of the map, flattened, have a label at any time.
    horizontal : HorizontalGrid, optional
        The grid of the data, which knows the vertices of cells where labels do not.
    """
    dims = map_dims(labels)
    one = labels.isel({d: 0 for d in labels.dims if d not in dims}).transpose(*dims)
    numbers = one.copy(data=np.arange(one.size, dtype=np.float64).reshape(one.shape))
    place = geo.locate(numbers.drop_attrs(deep=False))
    if place.kind in ("grid", "plane"):
        return _grid(place, dims)
    drawn = np.flatnonzero(known & np.isfinite(place.values.ravel()))
    order = place.values.ravel()[drawn].astype(np.intp)
    middle = (place.box[0] + place.box[1]) / 2
    grid = horizontal if horizontal is not None and horizontal.kind == "points" else None
    grid = grid or find_grid(one)
    assert grid is not None  # otherwise it is a plane
    y, x = (values.ravel()[order] for values in grid.places)
    x = _beside(x, middle)
    corners: tuple[Float64s, Float64s] | None
    if place.kind == "curvilinear":
        corners = corners_around(place.x, drawn), corners_around(place.y, drawn)
    else:
        corners = _outlines(grid, order)
    if corners is None:
        return Cells("points", dims, order, x, y, place.box)
    around = _beside(corners[0], x[:, np.newaxis])
    box = place.box if place.kind == "curvilinear" else _box(around, corners[1])
    return Cells("polygons", dims, order, x, y, box, around, corners[1])


def map_dims(labels: xr.DataArray) -> tuple[Hashable, ...]:
    """Return the dimensions of one map; others, such as time, have one for each entry."""
    grid = find_grid(labels)
    return labels.dims[-2:] if grid is None else grid.dims


def _grid(place: geo.Geometry, dims: tuple[Hashable, ...]) -> Cells:
    """Rectangles between columns and rows."""
    order = np.where(np.isfinite(place.values), place.values, -1).astype(np.intp).ravel()
    pixels_x, pixels_y = _pixels(place.x), _pixels(place.y)
    most = _MOST_SPLIT * max(order.size, 1000)
    if not (pixels_x.size and pixels_y.size) or pixels_x.sum() * pixels_y.sum() > most:
        pixels_x = pixels_y = _NO_PIXELS
    x, y = ((edges[1:] + edges[:-1]) / 2 for edges in (place.x, place.y))
    return Cells(
        "grid", dims, order, x, y, place.edges, place.x, place.y, pixels_x, pixels_y,
        is_earth=place.kind == "grid", x_dim=place.x_dim, y_dim=place.y_dim,
    )  # fmt: skip


def _pixels(edges: Float64s) -> Indices:
    """Return how many steps of an even axis each cell fills; empty if its edges lie between."""
    widths = np.diff(edges)
    pixel = widths[widths > 0].min(initial=np.inf)
    at = (edges - edges[0]) / pixel
    if not np.isfinite(at).all() or np.abs(at - np.round(at)).max() > _EVEN:
        return _NO_PIXELS
    steps: Indices = np.diff(np.round(at).astype(np.intp))
    return steps


def _outlines(grid: HorizontalGrid, cells: Indices) -> tuple[Float64s, Float64s] | None:
    """Return longitudes and latitudes (n, n_corners) around loose points, if they are known."""
    if grid.vertices is not None:
        lat, lon = places_of(grid.vertices[cells])
        return lon, lat
    if grid.edges is None:
        return None
    lat, lon = (edges[cells] for edges in grid.edges)
    return lon[:, [0, 1, 1, 0]], lat[:, [0, 0, 1, 1]]


def _box(lon: Float64s, lat: Float64s) -> geo.Box:
    """Return west, east, south and north of corners, within one turn."""
    (west, east), (south, north) = ((np.nanmin(a), np.nanmax(a)) for a in (lon, lat))
    middle, half = (west + east) / 2, min((east - west) / 2, 180.0)
    return float(middle - half), float(middle + half), float(south), float(north)


def _beside(lon: Array, middle: Array | float) -> Float64s:
    """Return longitudes plus whole turns, so that they lie within 180° of others."""
    return np.asarray(lon - 360.0 * np.round((lon - middle) / 360.0))
