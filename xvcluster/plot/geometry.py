"""The layout of a map: contiguous longitudes, edges of cells, projection and extent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from xvcluster.arrays import Array, Booleans, Float64s, Indices
from xvcluster.grid.edges import cell_edges
from xvcluster.grid.horizontal import HorizontalGrid, contiguous, find_grid, take_map

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr
    from cartopy.crs import Projection
    from matplotlib.path import Path


Box = tuple[float, float, float, float]
"""West, east, south and north in degrees."""


@dataclass(frozen=True)
class Geometry:
    """A field laid out for drawing, with contiguous longitudes and ascending rows and columns.

    Attributes
    ----------
    kind : {"grid", "curvilinear", "points", "plane"}
        1-D or 2-D latitude and longitude, loose points, or dims without latitude and longitude.
    x, y : ndarray
        Edges of the cells (1-D, or 2-D for curvilinear grids), or the points themselves.
    values : ndarray
        The field, (y, x) for cells.
    x_dim, y_dim : hashable
        The dims along x and y if they are not geographic.
    is_placed : ndarray, optional
        Which cells of a curvilinear grid have corners, (y, x).
    goes_around : bool
        Whether the corners in the last column of a curvilinear grid are those in the first.
    """

    kind: Literal["grid", "curvilinear", "points", "plane"]
    x: Float64s
    y: Float64s
    values: Float64s
    x_dim: Hashable = None
    y_dim: Hashable = None
    is_placed: Booleans | None = None
    goes_around: bool = False

    @property
    def box(self) -> Box:
        """West, east, south and north of what is drawn."""
        x, y = self.x[np.isfinite(self.x)], self.y[np.isfinite(self.y)]
        if self.kind != "points":
            # the corner in the west is the one in the east, and is held once
            east = max(x.max(), x.min() + 360.0) if self.goes_around else x.max()
            return float(x.min()), float(east), float(y.min()), float(y.max())
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
"""Degrees: cells with an edge exactly on the rim of a global map would be drawn all around it."""


def locate(field: xr.DataArray) -> Geometry:
    """Lay out a field for a map, by its latitude and longitude if it has these."""
    grid = find_grid(field)
    if grid is None:
        return _plane(_one_map(field, field.dims[-2:]))
    values = _one_map(field, grid.dims).values
    if not grid.is_placed.all():
        values = np.where(grid.is_placed, values, np.nan)
    if grid.kind == "curvilinear":
        return _curvilinear(grid, values)
    if grid.kind == "points":
        return Geometry("points", _centred(grid.columns.lon), grid.lat, values)
    return _grid(grid, values)


def _one_map(field: xr.DataArray, dims: tuple[Hashable, ...]) -> xr.DataArray:
    """The field on the dims of a map; others must have length 1."""
    example = f"{'labels' if field.name is None else field.name}.isel({{dim}}=0)"
    if field.name == "label":  # of a result, whose figures cannot choose one map
        example = "result.labels.isel({dim}=0).vcluster.plot.map()"
    return take_map(field, dims, "a map shows one field", example)


def _centred(lon: Float64s) -> Float64s:
    """Longitudes, plus whole turns so that their middle lies within ±180°."""
    middle = (np.nanmin(lon) + np.nanmax(lon)) / 2
    return np.asarray(lon - 360 * np.round(middle / 360 - 1e-9))


def _step(values: Float64s) -> float:
    """The median distance of neighbours along an axis."""
    steps = np.diff(np.unique(values))
    return float(np.median(steps)) if steps.size else 0.0


def _grid(grid: HorizontalGrid, values: Array) -> Geometry:
    """Cells between 1-D latitudes and longitudes, in any order."""
    lat, lon = grid.lat, _centred(grid.columns.lon)
    step = _step(lon) or _step(lat) or 1.0
    columns, rows = np.argsort(lon, kind="stable"), grid.rows
    x = cell_edges(lon[columns], width=step)
    y = cell_edges(lat[rows], (-90.0, 90.0), width=_step(lat) or step)
    middle = (x[0] + x[-1]) / 2
    # a file that repeats the seam would be drawn a cell too wide
    x = np.clip(x, middle - 180, middle + 180)
    x = x + _OFF_THE_RIM if x[-1] - x[0] > 359 else x
    return Geometry("grid", x, y, values[np.ix_(rows, columns)])


def _curvilinear(grid: HorizontalGrid, values: Array) -> Geometry:
    """Cells around 2-D latitudes and longitudes, between their corners on the sphere."""
    corners = np.moveaxis(grid.corners, -1, 0)
    y = np.degrees(np.arctan2(corners[2], np.hypot(corners[0], corners[1])))
    # rounding must not send the corner at 0° to 360°
    x = np.round(np.degrees(np.arctan2(corners[1], corners[0])), 9)
    x = _centred(contiguous(x % 360 if np.nanmax(grid.lon) > 181 else x))
    bad = ~np.isfinite(x)
    bad_cell = bad[1:, 1:] | bad[1:, :-1] | bad[:-1, 1:] | bad[:-1, :-1]
    x, y = np.where(bad, np.nanmean(x), x), np.where(bad, np.nanmean(y), y)
    values = np.where(bad_cell, np.nan, values)
    around = grid.goes_around
    return Geometry("curvilinear", x, y, values, is_placed=~bad_cell, goes_around=around)


def _plane(field: xr.DataArray) -> Geometry:
    """Cells over one or two dims without latitude and longitude."""
    y_dim = field.dims[0] if field.ndim == 2 else None
    x_dim = field.dims[-1]
    x, columns = _plane_edges(field, x_dim)
    y, rows = (np.arange(2.0), np.arange(1)) if y_dim is None else _plane_edges(field, y_dim)
    values = np.atleast_2d(np.asarray(field.values, dtype=np.float64))
    return Geometry("plane", x, y, values[np.ix_(rows, columns)], x_dim, y_dim)


def _plane_edges(field: xr.DataArray, dim: Hashable) -> tuple[Float64s, Indices]:
    """Edges along a dim and the order of its cells: by its coordinate if that is numeric."""
    centres = np.arange(field.sizes[dim], dtype=np.float64)
    if dim in field.coords and np.issubdtype(field[dim].dtype, np.number):
        centres = np.asarray(field[dim].values, dtype=np.float64)
    order = np.argsort(centres, kind="stable")
    return cell_edges(centres[order]), order


def choose_projection(geometry: Geometry, box: Box | None = None) -> Projection:
    """The projection that suits a box: Robinson for the globe, conformal ones for regions."""
    import cartopy.crs as ccrs

    west, east, south, north = box or geometry.box
    if box is None and geometry.is_global:
        return ccrs.Robinson(central_longitude=round((west + east) / 2))
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


def is_straight(projection: Projection) -> bool:
    """Whether a box of longitudes and latitudes is a rectangle in a projection."""
    import cartopy.crs as ccrs

    return isinstance(projection, (ccrs.PlateCarree, ccrs.Mercator, ccrs.Miller))


def graticule(low: float, high: float, n: int) -> Float64s:
    """About n round degrees within a range, longitudes within ±180° as cartopy expects."""
    steps = np.array([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60])
    step = float(steps[np.argmax(steps >= min((high - low) / n, 60.0))])
    ticks = np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1) * step
    return np.unique(np.where(ticks > 180, ticks - 360, np.where(ticks < -180, ticks + 360, ticks)))


def shape(geometry: Geometry) -> float:
    """Width over height of the map of a field in the projection chosen for it."""
    projection = choose_projection(geometry)
    if geometry.is_global:
        width, height = np.ptp(np.array([projection.x_limits, projection.y_limits]), axis=1)
    else:
        width, height = np.ptp(np.asarray(frame_path(geometry, projection).vertices), axis=0)
    return float(width / height)


def frame_path(geometry: Geometry, projection: Projection, box: Box | None = None) -> Path:
    """The edge of what a regional map shows: the box, or the outer corners of the cells."""
    import cartopy.crs as ccrs
    from matplotlib.path import Path

    if box is None and geometry.kind == "curvilinear":
        curve = _ring(geometry.x), _ring(geometry.y)
    else:
        west, east, south, north = box or geometry.box
        lon, lat = np.meshgrid(np.linspace(west, east, 181), np.linspace(south, north, 91))
        curve = _ring(lon), _ring(lat)
        if east - west >= 359 and isinstance(projection, ccrs.Stereographic):
            rim = 0 if projection.proj4_params["lat_0"] > 0 else -1
            curve = lon[rim], lat[rim]
    points = projection.transform_points(ccrs.PlateCarree(), *curve)[:, :2]
    return Path(points[np.isfinite(points).all(axis=1)])


def _ring(corners: Float64s) -> Float64s:
    """The outer corners of a grid, one after the other."""
    return np.concatenate([corners[0], corners[:, -1], corners[-1, ::-1], corners[::-1, 0]])


def cut_cells(geometry: Geometry, lon_0: float) -> tuple[Float64s, Indices]:
    """Corners (part, 4, lon and lat) of both parts of the cells on a map's rim, and their cells."""
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
