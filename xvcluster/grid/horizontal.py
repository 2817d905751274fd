"""The horizontal grid of a model, worked out once from its latitudes and longitudes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import xarray as xr

from xvcluster.arrays import Booleans, Float64s, Indices
from xvcluster.grid.coords import (
    Axes,
    absent_places,
    at_rest,
    find_horizontal,
    is_radians,
    unreadable_places,
    with_coordinates,
)
from xvcluster.grid.degrees import bridge, degrees, without_null_island
from xvcluster.grid.edges import cell_edges, edge_pairs, given_bounds
from xvcluster.messages import warn

_SAME_MERIDIAN = 1e-4
"""Degrees, about 10 m: columns nearer than this repeat a meridian. It is more than the rounding of
float32 at 360 degrees. On very fine grids it is a hundredth of a step."""

_OPEN = 1.5
"""A grid goes around the Earth unless its widest gap is more than this many times as wide as the
steps beside it: those of a stretched grid change more slowly, but a missing column doubles them."""

_ROWS = 32
"""Rows of a curvilinear grid by which columns that repeat others are found."""

_SCATTERED = 20.0
"""Degrees: loose points, which have no steps to compare, lie all around the Earth unless they leave
out more than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The columns of a grid.

    Attributes
    ----------
    order : ndarray of int
        Positions of the columns from west to east, from behind the widest gap, each meridian once.
    number : ndarray of int, shape (n_columns,)
        Place of each column of the file in `order`; those at one meridian share one.
    lon : ndarray, shape (n_columns,)
        Longitude of each column in degrees: the file's, plus whole turns where it jumps.
    goes_around : bool
        Whether the last column has the first one as its neighbour.
    """

    order: Indices
    number: Indices
    lon: Float64s
    goes_around: bool

    @property
    def is_repeated(self) -> Booleans:
        """Which columns repeat a meridian, such as the seam of a grid from 0° to 360°."""
        first: Booleans = self.order[self.number] == np.arange(self.number.size)
        return ~first


@dataclass(frozen=True, slots=True, eq=False)
class HorizontalGrid:
    """Where the points of a model lie on the Earth.

    Attributes
    ----------
    kind : {"rectilinear", "curvilinear", "points"}
        1-D latitude and longitude on different dimensions, 2-D ones, or loose points.
    latitude, longitude : str
        Names of the coordinates.
    dims : tuple
        Dimensions of the grid: of rows, then of columns; of loose points, theirs.
    lat, lon : ndarray
        In degrees, in the file's order: shapes (n_rows,) and (n_columns,) of a rectilinear grid,
        where those that are not known are filled in evenly; otherwise that of `dims`, with NaN.
    columns : Columns
        Of loose points each is its own.
    is_placed : ndarray of bool
        Which points have a place: a latitude and longitude that are known. On `dims`.
    bounds : tuple of (ndarray or None)
        Both edges of each latitude and each longitude, shape (n, 2), if the file gives them; of
        loose points also the vertices of their cells, shape (n, n_vertices).
    """

    kind: Literal["rectilinear", "curvilinear", "points"]
    latitude: str
    longitude: str
    dims: tuple[Hashable, ...]
    lat: Float64s
    lon: Float64s
    columns: Columns
    is_placed: Booleans
    bounds: tuple[Float64s | None, Float64s | None]

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along `dims`."""
        return self.is_placed.shape

    @property
    def goes_around(self) -> bool:
        """Whether the last column has the first one as its neighbour."""
        return self.columns.goes_around

    @property
    def rows(self) -> Indices:
        """Positions of the rows, from south to north where these are parallels."""
        if self.kind == "rectilinear":
            return np.argsort(self.lat, kind="stable")
        return np.arange(len(self.lat))

    @property
    def places(self) -> tuple[Float64s, Float64s]:
        """Latitude and longitude of every point, on `dims`; NaN if it has no place."""
        lat = self.lat[:, np.newaxis] if self.kind == "rectilinear" else self.lat
        lat, lon = np.broadcast_arrays(lat, self.lon)
        if self.is_placed.all():
            return lat, lon
        return np.where(self.is_placed, lat, np.nan), np.where(self.is_placed, lon, np.nan)

    @property
    def vectors(self) -> Float64s:
        """Unit vectors of all points, on `dims` and a last axis of three."""
        return unit_vectors(*self.places)

    @property
    def parallels(self) -> Float64s:
        """Edges of the rows of a rectilinear grid from south to north, halfway between these."""
        return cell_edges(self.lat[self.rows], limits=(-90.0, 90.0))

    @property
    def meridians(self) -> Float64s:
        """Edges of the columns of a rectilinear grid from west to east, halfway between these."""
        return cell_edges(self.columns.lon[self.columns.order], around=self.goes_around)

    @property
    def edges(self) -> tuple[Float64s, Float64s] | None:
        """Both edges in latitude, and in longitude, of each row and column or loose point.

        Shapes (n, 2), in the file's order: as the file gives them, otherwise halfway. None if cells
        have no such edges.
        """
        lat, lon = (b if b is not None and b.shape[-1] == 2 else None for b in self.bounds)
        if self.kind == "rectilinear":
            if lat is None:
                lat = edge_pairs(self.parallels)[np.argsort(self.rows)]
            if lon is None:
                lon = edge_pairs(self.meridians)[self.columns.number]
        return None if lat is None or lon is None else (lat, lon)

    @property
    def vertices(self) -> Float64s | None:
        """Unit vectors (n, n_vertices, 3) around each loose point, if the file gives them.

        Cells that have fewer vertices than others repeat their first one.
        """
        lat, lon = self.bounds
        if self.kind != "points" or lat is None or lon is None or lat.shape != lon.shape:
            return None
        if lat.shape[-1] < 3:  # both edges
            return None
        vertices = unit_vectors(lat, lon)
        return np.where(np.isnan(vertices), vertices[:, :1], vertices)

    @property
    def corners(self) -> Float64s:
        """Corners of a curvilinear grid's cells, unit vectors (n_rows + 1, n_columns + 1, 3)."""
        corners = cell_corners(self.vectors[:, self.columns.order], around=self.goes_around)
        twins = np.flatnonzero(self.columns.is_repeated)
        return np.concatenate([corners, corners[:, self.columns.number[twins] + 1]], axis=1)


def find_grid(data: xr.DataArray | xr.Dataset, axes: Axes | None = None) -> HorizontalGrid | None:
    """Find the horizontal grid of a model; None if it has no latitude and longitude.

    Parameters
    ----------
    data : DataArray or Dataset
        Only its coordinates are read.
    axes : Axes, optional
        Names of the coordinates, if known.

    Examples
    --------
    >>> coords = {"lat": [10.0, 20.0], "lon": [0.0, 120.0, 240.0, 360.0]}
    >>> grid = find_grid(xr.DataArray(np.zeros((2, 4)), coords, ("lat", "lon")))
    >>> grid.kind, grid.goes_around, grid.columns.is_repeated.tolist()
    ('rectilinear', True, [False, False, False, True])
    """
    if axes is None:
        data = with_coordinates(data) if isinstance(data, xr.Dataset) else data
        axes = Axes(None, *find_horizontal(data))
    if axes.latitude is None or axes.longitude is None:
        return None
    lat, lon = at_rest(data, axes.latitude), at_rest(data, axes.longitude)
    bounds = _bounds_in_degrees(data, lat), _bounds_in_degrees(data, lon)
    make = partial(HorizontalGrid, latitude=axes.latitude, longitude=axes.longitude, bounds=bounds)
    if lat.ndim == lon.ndim == 1 and lat.dims != lon.dims:
        at = degrees(lat, "latitude"), degrees(lon, "longitude")
        return _rectilinear(make, (*lat.dims, *lon.dims), *at, True)
    lat, lon = xr.broadcast(lat, lon)
    y, x = degrees(lat, "latitude"), degrees(lon, "longitude")
    if lat.ndim != 2:
        each = np.arange(lat.shape[-1])
        columns = Columns(each, each, contiguous(x), goes_around=False)
        known = np.isfinite(y) & np.isfinite(x)
        return make("points", dims=lat.dims, lat=y, lon=x, columns=columns, is_placed=known)
    y, x = without_null_island(y, x)
    for turn in (1, -1):
        own = _over_the_poles(*(y, x) if turn == 1 else (y.T, x.T))
        if own is not None:
            known = np.isfinite(y) & np.isfinite(x)
            return _rectilinear(make, lat.dims[::turn], *own, known if turn == 1 else known.T)
    dims, columns, turned = lat.dims, _close_columns(y, x), _close_columns(y.T, x.T)
    if turned.goes_around and not columns.goes_around:
        dims, y, x, columns = dims[::-1], y.T, x.T, turned
    known = np.isfinite(y) & np.isfinite(x)
    return make("curvilinear", dims=dims, lat=y, lon=x, columns=columns, is_placed=known)


def _bounds_in_degrees(
    data: xr.DataArray | xr.Dataset, coordinate: xr.DataArray
) -> Float64s | None:
    """The bounds that a file gives, which have the units of the coordinate."""
    bounds = given_bounds(data, coordinate)
    if bounds is None or not is_radians(coordinate):
        return bounds
    return np.asarray(np.degrees(bounds))


def _rectilinear(
    make: Callable[..., HorizontalGrid],
    dims: tuple[Hashable, ...],
    lat: Float64s,
    lon: Float64s,
    is_placed: Booleans | bool,
) -> HorizontalGrid:
    """A grid of rows along parallels and columns along meridians."""
    is_placed = is_placed & np.isfinite(lat)[:, np.newaxis] & np.isfinite(lon)
    lat, lon = bridge(lat), bridge(lon, period=360.0)
    columns = find_columns(lon)
    return make("rectilinear", dims=dims, lat=lat, lon=lon, columns=columns, is_placed=is_placed)


def _over_the_poles(lat: Float64s, lon: Float64s) -> tuple[Float64s, Float64s] | None:
    """Latitude of each row and longitude of each column of a 2-D grid that would reach over a pole.

    A row at a pole is one point on the sphere, so that its cells have corners only between
    parallels and meridians. None if rows do not lie along parallels, or end before the poles.
    """
    if min(lat.shape) < 2:
        return None
    rows, columns = np.fmax.reduce(lat, axis=1), np.fmax.reduce(lon, axis=0)
    for apart in (lat - rows[:, np.newaxis], lon - columns):
        if np.nanmax(np.abs(apart), initial=0.0) > 0.0:
            return None
    known = np.sort(rows[np.isfinite(rows)])
    if known.size < 2 or np.isfinite(columns).sum() < 2:
        return None
    return (rows, columns) if np.abs(cell_edges(known)).max() > 90.0 + _SAME_MERIDIAN else None


def warn_of_places(
    data: xr.DataArray | xr.Dataset, axes: Axes, grid: HorizontalGrid | None
) -> None:
    """Warn of latitudes and longitudes that are no numbers, or that a grid holds twice."""
    for name in unreadable_places(data):
        if name in (axes.latitude, axes.longitude):
            continue  # an error, as the file describes it as a latitude or longitude
        warn(
            f"{str(name)!r} is of type {data[name].dtype}, not numbers of degrees: there are no "
            "areas, and maps are drawn over the dimensions of the data; convert it to numbers, "
            "negative in the south and west, to have them"
        )
    if axes.latitude is None or axes.longitude is None:
        absent = absent_places(data)
        if absent:
            warn(
                f"the data name as their coordinates {' and '.join(map(repr, absent))}, which they "
                "do not hold, so that there are no areas and no map of the Earth; take them along, "
                f"e.g. dataset[['name of the variable', {', '.join(map(repr, absent))}]]"
            )
        return
    if grid is None or grid.kind != "rectilinear":
        return
    lon = grid.columns.lon[grid.columns.order] if grid.goes_around else grid.lon
    for name, values in ((grid.latitude, grid.lat), (grid.longitude, lon)):
        ordered = np.sort(values)
        repeated = ordered[1:][np.diff(ordered) == 0]
        if repeated.size:
            warn(
                f"{name!r} holds {repeated[0]:g} more than once, so that cells cover each other on "
                f"maps and have no area of their own; keep one, e.g. "
                f"data.drop_duplicates({name!r})"
            )


def require_grid(labels: xr.DataArray) -> HorizontalGrid:
    """Find the horizontal grid of labels, which must have latitude and longitude."""
    grid = find_grid(labels)
    if grid is None:
        raise ValueError(
            "the labels have no latitude and longitude among their coordinates "
            f"({', '.join(repr(str(n)) for n in labels.coords) or 'none'}); assign both, in degrees"
        )
    return grid


def take_map(
    field: xr.DataArray, dims: tuple[Hashable, ...], purpose: str, example: str
) -> xr.DataArray:
    """Reduce a field to the dimensions of one map, in their order.

    Parameters
    ----------
    field : DataArray
    dims : tuple
        Of the map. Others are dropped, and must have length 1.
    purpose, example : str
        For the error: what needs one map, and how to select it along ``{dim}``.
    """
    others = [d for d in field.dims if d not in dims]
    for dim in others:
        if field.sizes[dim] > 1:
            name = "the field" if field.name is None else repr(str(field.name))
            raise ValueError(
                f"{purpose}, but {name} has {field.sizes[dim]} entries along {str(dim)!r} "
                f"(dims {field.dims}); select one, e.g. {example.format(dim=dim)}"
            )
    return field.isel(dict.fromkeys(others, 0), drop=True).transpose(*dims)


def own_columns(
    data: xr.DataArray | xr.Dataset, axes: Axes, grid: HorizontalGrid | None
) -> tuple[Hashable, Columns] | None:
    """Find the dimension along which columns lie, and these.

    None if longitude has no dimension of its own, as that of loose points. A section along
    longitude needs no latitude, and has no `grid`, which otherwise is what `find_grid` finds.
    """
    if grid is not None:
        return None if grid.kind == "points" else (grid.dims[1], grid.columns)
    if axes.longitude is None:
        return None
    lon = at_rest(data, axes.longitude)
    if lon.ndim != 1:
        return None
    return lon.dims[0], find_columns(bridge(degrees(lon, "longitude"), period=360.0))


def find_columns(lon: Float64s) -> Columns:
    """Order columns from west to east, whatever the order and convention of their longitudes."""
    meridian = lon % 360.0
    ascending = np.argsort(meridian, kind="stable")
    steps = np.diff(meridian[ascending], prepend=meridian[ascending[-1:]] - 360.0)
    is_new = steps > _tolerance(steps)
    each, group = ascending[is_new], np.empty(lon.size, dtype=np.intp)
    group[ascending] = np.cumsum(is_new) - 1  # -1, the last one, if 0° repeats 360°
    gaps = np.diff(meridian[each], prepend=meridian[each[-1:]] - 360.0)
    widest = int(gaps.argmax())
    beside = max(gaps[widest - 1], gaps[(widest + 1) % gaps.size])
    goes_around = bool(gaps.size > 1 and gaps[widest] <= _OPEN * beside)
    if not (goes_around and np.ptp(lon) <= 360.0 + _SAME_MERIDIAN):
        lon = _eastward(lon, lon[each[widest]])
    by_lon = np.argsort(lon[each], kind="stable")
    return Columns(each[by_lon], np.argsort(by_lon)[group], lon, goes_around)


def contiguous(lon: Float64s) -> Float64s:
    """Remove the jump at the dateline or Greenwich from longitudes that do not lie all around."""
    around = np.unique(lon[np.isfinite(lon)] % 360.0)
    gaps = np.diff(around, prepend=around[-1:] - 360.0)
    if gaps.max(initial=0.0) <= _SCATTERED:
        return lon
    return _eastward(lon, around[gaps.argmax()])


def _eastward(lon: Float64s, west: float) -> Float64s:
    """Longitudes from that of the westernmost point on, by adding whole turns."""
    return lon - 360.0 * np.floor((lon - west + _SAME_MERIDIAN) / 360.0)


def _close_columns(lat: Float64s, lon: Float64s) -> Columns:
    """Find whether the last column of a curvilinear grid is beside the first, or repeats one."""
    n = lat.shape[1]
    each = np.arange(n)
    columns = Columns(each, each, lon, goes_around=False)
    points = unit_vectors(lat[:, [0, 1 % n, -1]], lon[:, [0, 1 % n, -1]])
    step, gap = np.degrees(np.linalg.norm(points[:, 1:] - points[:, :1], axis=-1)).T
    known = np.flatnonzero(np.isfinite(step + gap))
    if n < 4 or not known.size:
        return columns
    own = _count_own(lat[known], lon[known])
    if own < n:
        return replace(columns, order=each[:own], number=each % own, goes_around=True)
    is_beside = np.median(gap[known] / np.maximum(step[known], 1e-9)) <= _OPEN
    return replace(columns, goes_around=bool(is_beside))


def _count_own(lat: Float64s, lon: Float64s) -> int:
    """Count the columns of a curvilinear grid before they repeat the first ones, by some rows.

    Many end with the first column; ocean models with the first two or three.
    """
    rows = np.unique(np.linspace(0, len(lat) - 1, _ROWS).astype(int))
    points = unit_vectors(lat[rows], lon[rows])
    apart = np.degrees(np.linalg.norm(points - points[:, :1], axis=-1))
    apart[:, np.isnan(apart).all(axis=0)] = np.inf
    apart = np.nanmedian(apart, axis=0)
    n, nearest = int(apart.size), _tolerance(apart[1:2])
    for own in np.flatnonzero(apart < nearest)[1:].tolist():
        behind = np.linalg.norm(points[:, own:] - points[:, : n - own], axis=-1)
        if np.nanmedian(np.degrees(behind)) < nearest:
            return int(own)
    return n


def _tolerance(steps: Float64s) -> float:
    """Distance in degrees within which columns repeat a meridian."""
    return min(_SAME_MERIDIAN, 0.01 * float(np.median(steps)))


def unit_vectors(lat: Float64s, lon: Float64s) -> Float64s:
    """Points on the unit sphere, with a last axis of three."""
    phi, lam = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def places_of(vectors: Float64s) -> tuple[Float64s, Float64s]:
    """Latitudes and longitudes in degrees of vectors (..., 3) of any length."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def cell_corners(points: Float64s, *, around: bool) -> Float64s:
    """Find the corners of the cells around the points of a curvilinear grid.

    Parameters
    ----------
    points : ndarray, shape (m, n, 3)
        Unit vectors; NaN for points without a place.
    around : bool
        Whether the last column has the first one as its neighbour.

    Returns
    -------
    ndarray, shape (m + 1, n + 1, 3)
        Unit vectors halfway between the points, and as far beyond the outer ones and those beside
        points without a place. NaN for corners among the latter.
    """
    placed, corners = points, points
    for axis in (0, 1):
        n = corners.shape[axis]
        first, second, before, last = (
            np.take(corners, [i], axis) for i in (0, 1 % n, -min(2, n), -1)
        )
        outer = [last, first] if around and axis == 1 else [2 * first - second, 2 * last - before]
        padded = np.concatenate([outer[0], corners, outer[1]], axis)
        low, high = (np.take(padded, range(s, n + 1 + s), axis) for s in (0, 1))
        corners = (low + high) / 2
    lacking = np.isnan(corners).any(axis=-1)
    if lacking.any() and min(points.shape[:2]) > 1:
        corners[lacking] = _corners_of_placed(placed, around=around)[lacking]
    unit: Float64s = corners / np.linalg.norm(corners, axis=-1, keepdims=True)
    return unit


def _corners_of_placed(points: Float64s, *, around: bool) -> Float64s:
    """Mean of where the cells with a place around each corner would have it, from their steps."""
    m, n = points.shape[:2]
    steps = [_half_steps(points, axis, around=around and axis == 1) for axis in (0, 1)]
    total, count = np.zeros((m + 1, n + 1, 3)), np.zeros((m + 1, n + 1, 1))
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        corner = points + steps[0][i] + steps[1][j]
        known = np.isfinite(corner).all(axis=-1, keepdims=True)
        total[i : m + i, j : n + j] += np.where(known, corner, 0.0)
        count[i : m + i, j : n + j] += known
    if around:
        for sums in (total, count):
            sums[:, 0] = sums[:, -1] = sums[:, 0] + sums[:, -1]
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _half_steps(points: Float64s, axis: int, *, around: bool) -> tuple[Float64s, Float64s]:
    """Half the steps from each point (m, n, 3) to its neighbours before and after it on an axis.

    Where one has no place, the step away from the other; where neither has, the step of the nearest
    point on the grid that has one.
    """
    from scipy.ndimage import distance_transform_edt

    after = np.roll(points, -1, axis) - points
    if not around:
        after[(slice(None),) * axis + (-1,)] = np.nan
    before = np.roll(after, 1, axis)
    after, before = (np.where(np.isnan(a), b, a) for a, b in ((after, before), (before, after)))
    lacking = np.isnan(after).any(axis=-1)
    if not lacking.all():
        nearest = tuple(distance_transform_edt(lacking, return_indices=True)[1])
        after, before = after[nearest], before[nearest]
    return -before / 2, after / 2
