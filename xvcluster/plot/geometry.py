"""Where the cells or points of a map lie: contiguous longitudes, edges, projection and extent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Indices
from xvcluster.grid.coords import find_horizontal

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr
    from cartopy.crs import Projection
    from matplotlib.path import Path


@dataclass(frozen=True)
class Geometry:
    """A field laid out for drawing, longitudes contiguous and rows and columns ascending.

    Attributes
    ----------
    kind : {"grid", "curvilinear", "points", "plane"}
        1-D or 2-D latitude and longitude, loose points, or dims that are no latitude and longitude.
    x, y : ndarray
        Edges of the cells (1-D, or 2-D for curvilinear grids), or the points themselves.
    values : ndarray
        The field, (y, x) for cells.
    x_dim, y_dim : hashable
        The dims along x and y where they are not geographic.
    is_placed : ndarray, optional
        Which cells of a curvilinear grid have corners at all, (y, x).
    """

    kind: Literal["grid", "curvilinear", "points", "plane"]
    x: Float64s
    y: Float64s
    values: Float64s
    x_dim: Hashable = None
    y_dim: Hashable = None
    is_placed: Booleans | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, east, south and north of what is drawn."""
        x, y = self.x[np.isfinite(self.x)], self.y[np.isfinite(self.y)]
        if self.kind != "points":
            return float(x.min()), float(x.max()), float(y.min()), float(y.max())
        margin_x, margin_y = (max(0.04 * float(np.ptp(values)), 0.1) for values in (x, y))
        south, north = max(y.min() - margin_y, -90.0), min(y.max() + margin_y, 90.0)
        middle, half = (x.min() + x.max()) / 2, min(np.ptp(x) / 2 + margin_x, 180.0)
        return float(middle - half), float(middle + half), float(south), float(north)

    @property
    def is_global(self) -> bool:
        """Whether the whole Earth should be drawn."""
        west, east, south, north = self.box
        return east - west >= 300 and north - south > 100


_OFF_THE_RIM = 1e-3
"""Degrees: cells whose edge is the very rim of a global map would be drawn all around it."""


def locate(field: xr.DataArray) -> Geometry:
    """Lay a field of one map out; its latitude and longitude are found by their attributes."""
    latitude, longitude = find_horizontal(field)
    if latitude is None or longitude is None:
        field = _squeeze(field, keep=())
        return _plane(field)
    lat, lon = field[latitude], field[longitude]
    field = _squeeze(field, keep=(*lat.dims, *lon.dims))
    lat_values = np.asarray(lat.values, dtype=np.float64)
    lon_values = np.asarray(lon.values, dtype=np.float64)
    if lat.ndim == 2:
        values = field.transpose(*lat.dims).values
        return _curvilinear(lon.transpose(*lat.dims).values, lat_values, values)
    if lat.dims == lon.dims:
        x = contiguous(lon_values, gap=20.0)
        return Geometry("points", x, lat_values, field.values)
    return _grid(lon_values, lat_values, field.transpose(*lat.dims, *lon.dims).values)


def _squeeze(field: xr.DataArray, keep: tuple[Hashable, ...]) -> xr.DataArray:
    """Drop dims of length 1 that are no map dims; refuse others, of which a map shows one entry."""
    spare = [dim for dim in field.dims if dim not in keep]
    if not keep and len(spare) > 2:
        spare = spare[: len(spare) - 2]
    elif not keep:
        return field
    for dim in spare:
        if field.sizes[dim] > 1:
            name = field.name if field.name is not None else "labels"
            one = f"{name}.isel({dim}=0)"
            # of a result, of which neither summary nor map could choose one
            if name == "label":
                one = f"result.labels.isel({dim}=0).vcluster.plot.map()"
            raise ValueError(
                f"a map shows one field, but {name!r} has {field.sizes[dim]} entries along {dim!r} "
                f"(dims {field.dims}); choose one, for example {one}"
            )
    return field.isel(dict.fromkeys(spare, 0), drop=True)


def contiguous(lon: Float64s, gap: float) -> Float64s:
    """Longitudes without a jump at the dateline or Greenwich, if they leave out more than a gap."""
    lon = np.asarray(lon, dtype=np.float64)
    around = np.unique(lon[np.isfinite(lon)] % 360)
    gaps = np.diff(np.append(around, around[0] + 360))
    widest = int(np.argmax(gaps))
    if gaps[widest] <= gap:
        return lon
    west = around[(widest + 1) % len(around)]
    # rounding would send the westernmost point once around the Earth
    unwrapped = (lon - west + 1e-9) % 360 + west - 1e-9
    middle = (np.nanmin(unwrapped) + np.nanmax(unwrapped)) / 2
    return np.asarray(unwrapped - 360 * np.round(middle / 360 - 1e-9))


def edges(centres: Float64s, width: float = 1.0) -> Float64s:
    """Edges of cells half-way between their centres; a lone cell has the width given."""
    if len(centres) == 1:
        return np.array([centres[0] - width / 2, centres[0] + width / 2])
    middle = (centres[1:] + centres[:-1]) / 2
    first, last = 2 * centres[0] - middle[0], 2 * centres[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])


def _step(values: Float64s) -> float:
    """The usual distance of neighbours along an axis."""
    steps = np.diff(np.unique(values))
    return float(np.median(steps)) if steps.size else 0.0


def _grid(lon: Float64s, lat: Float64s, values: Float64s) -> Geometry:
    """Cells between 1-D latitudes and longitudes, in any order."""
    step = _step(lon) or _step(lat) or 1.0
    lon = contiguous(lon, gap=1.5 * _step(lon % 360) + 1e-6)
    columns, rows = np.argsort(lon, kind="stable"), np.argsort(lat, kind="stable")
    x = edges(lon[columns], step)
    y = np.clip(edges(lat[rows], _step(lat) or step), -90, 90)
    middle = (x[0] + x[-1]) / 2
    # a file that repeats the seam would be drawn once and a cell around
    x = np.clip(x, middle - 180, middle + 180)
    x = x + _OFF_THE_RIM if x[-1] - x[0] > 359 else x
    return Geometry("grid", x, y, np.asarray(values)[np.ix_(rows, columns)])


def _curvilinear(lon: Float64s, lat: Float64s, values: Float64s) -> Geometry:
    """Cells around 2-D latitudes and longitudes; their corners are found on the sphere."""
    lon, lat = np.radians(np.asarray(lon, np.float64)), np.radians(lat)
    at = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    for axis in (1, 2):
        at = np.moveaxis(at, axis, 0)
        if len(at) > 1:
            at = np.concatenate([[2 * at[0] - at[1]], at, [2 * at[-1] - at[-2]]])
        else:
            at = np.repeat(at, 3, axis=0)
        at = np.moveaxis((at[1:] + at[:-1]) / 2, 0, axis)
    y = np.degrees(np.arctan2(at[2], np.hypot(at[0], at[1])))
    x = np.degrees(np.arctan2(at[1], at[0]))
    x = contiguous(x % 360 if np.nanmax(np.degrees(lon)) > 181 else x, gap=20.0)
    bad = ~np.isfinite(x)
    bad_cell = bad[1:, 1:] | bad[1:, :-1] | bad[:-1, 1:] | bad[:-1, :-1]
    x, y = np.where(bad, np.nanmean(x), x), np.where(bad, np.nanmean(y), y)
    values = np.where(bad_cell, np.nan, values)
    return Geometry("curvilinear", x, y, values, is_placed=~bad_cell)


def _plane(field: xr.DataArray) -> Geometry:
    """Cells over one or two dims that are no latitude and longitude."""
    y_dim = field.dims[0] if field.ndim == 2 else None
    x_dim = field.dims[-1]
    x, columns = _plane_edges(field, x_dim)
    y, rows = (np.array([0.0, 1.0]), np.array([0])) if y_dim is None else _plane_edges(field, y_dim)
    values = np.atleast_2d(np.asarray(field.values, dtype=np.float64))
    return Geometry("plane", x, y, values[np.ix_(rows, columns)], x_dim, y_dim)


def _plane_edges(field: xr.DataArray, dim: Hashable) -> tuple[Float64s, Indices]:
    """Edges along a dim and the order of its cells: by its coordinate where that is a number."""
    centres = np.arange(field.sizes[dim], dtype=np.float64)
    if dim in field.coords and np.issubdtype(field[dim].dtype, np.number):
        centres = np.asarray(field[dim].values, dtype=np.float64)
    order = np.argsort(centres, kind="stable")
    return edges(centres[order]), order


def choose_projection(
    geometry: Geometry, box: tuple[float, float, float, float] | None = None
) -> Projection:
    """The projection that suits a box: Robinson for the globe, conformal ones for regions."""
    import cartopy.crs as ccrs

    if box is None and geometry.is_global:
        west, east, _, _ = geometry.box
        return ccrs.Robinson(central_longitude=round((west + east) / 2))
    west, east, south, north = box or geometry.box
    lon, lat = round((west + east) / 2, 2), round((south + north) / 2, 2)
    if abs(lat) > 50 and (east - west > 120 or max(-south, north) > 84):
        polar = ccrs.NorthPolarStereo if lat > 0 else ccrs.SouthPolarStereo
        return polar(central_longitude=lon)
    if max(-south, north) > 80:
        return ccrs.PlateCarree(central_longitude=lon)
    if abs(lat) < 20 or south < 0 < north or east - west > 120:
        return ccrs.Mercator(central_longitude=lon, min_latitude=-82.0, max_latitude=82.0)
    if north - south > (east - west) * np.cos(np.radians(lat)):
        return ccrs.TransverseMercator(central_longitude=lon, central_latitude=lat)
    sixth = (north - south) / 6
    return ccrs.LambertConformal(
        central_longitude=lon,
        central_latitude=lat,
        standard_parallels=(south + sixth, north - sixth),
        cutoff=-30 if lat > 0 else 30,
    )


def outline(box: tuple[float, float, float, float], projection: Projection) -> Path:
    """A box of longitudes and latitudes as the curve it is in a projection."""
    import cartopy.crs as ccrs
    from matplotlib.path import Path

    west, east, south, north = box
    lon, lat = np.linspace(west, east, 181), np.linspace(south, north, 91)
    if east - west >= 359 and isinstance(projection, ccrs.Stereographic):
        rim = south if projection.proj4_params["lat_0"] > 0 else north
        ring = np.stack([lon, np.full(181, rim)], axis=1)
    else:
        ring = np.concatenate(
            [
                np.stack([lon, np.full(181, south)], axis=1),
                np.stack([np.full(91, east), lat], axis=1),
                np.stack([lon[::-1], np.full(181, north)], axis=1),
                np.stack([np.full(91, west), lat[::-1]], axis=1),
            ]
        )
    points = projection.transform_points(ccrs.PlateCarree(), ring[:, 0], ring[:, 1])[:, :2]
    return Path(points[np.isfinite(points).all(axis=1)])


def is_straight(projection: Projection) -> bool:
    """Whether a box of longitudes and latitudes is a rectangle in a projection."""
    import cartopy.crs as ccrs

    return isinstance(projection, (ccrs.PlateCarree, ccrs.Mercator, ccrs.Miller))


def ring(geometry: Geometry, projection: Projection) -> Path:
    """The outer corners of a curvilinear grid as the curve they are in a projection."""
    import cartopy.crs as ccrs
    from matplotlib.path import Path

    x, y = (
        np.concatenate([at[0], at[:, -1], at[-1, ::-1], at[::-1, 0]])
        for at in (geometry.x, geometry.y)
    )
    points = projection.transform_points(ccrs.PlateCarree(), x, y)[:, :2]
    return Path(points[np.isfinite(points).all(axis=1)])


def graticule(low: float, high: float, n: int) -> Float64s:
    """Round degrees within a range, about n of them, longitudes as cartopy wants them."""
    steps = np.array([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60])
    step = float(steps[np.argmax(steps >= min((high - low) / n, 60.0))])
    ticks = np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1) * step
    return np.unique(np.where(ticks > 180, ticks - 360, np.where(ticks < -180, ticks + 360, ticks)))


def shape(geometry: Geometry) -> float:
    """Width over height of the map of a field in the projection chosen for it."""
    projection = choose_projection(geometry)
    if geometry.is_global:
        (left, right), (bottom, top) = projection.x_limits, projection.y_limits
        return float((right - left) / (top - bottom))
    path = frame_path(geometry, projection)
    width, height = np.ptp(path.vertices, axis=0)
    return float(width / height)


def frame_path(
    geometry: Geometry,
    projection: Projection,
    box: tuple[float, float, float, float] | None = None,
) -> Path:
    """The edge of what a regional map shows: the box, or the outer corners of the cells."""
    if box is None and geometry.kind == "curvilinear":
        return ring(geometry, projection)
    return outline(box or geometry.box, projection)


def cut_cells(geometry: Geometry, lon_0: float) -> tuple[Float64s, Indices]:
    """Corners (part, 4, lon and lat) of both parts of the cells around a map's rim, and whose."""
    x, y = (
        np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=-1).reshape(-1, 4)
        for at in (geometry.x, geometry.y)
    )
    x = (x - lon_0 + 180) % 360
    cells = np.flatnonzero(np.ptp(x, axis=1) > 180)
    # east of the rim as seen from its west, so that the four corners are near each other
    x = np.where(x[cells] > 180, x[cells] - 360, x[cells])
    rim = 1e-6
    west, east = np.clip(x, rim, None), np.clip(x + 360, None, 360 - rim)
    parts = np.concatenate([west, east]) + lon_0 - 180
    return np.stack([parts, np.tile(y[cells], (2, 1))], axis=-1), np.tile(cells, 2)
