"""The layout of a field on a map: contiguous longitudes, and the edges of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from xvcluster.arrays import Array, Booleans, Float64s, Indices
from xvcluster.grid.edges import cell_edges
from xvcluster.grid.horizontal import (
    HorizontalGrid,
    contiguous,
    find_grid,
    places_of,
    take_map,
)
from xvcluster.plot.size import SLIM

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr


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
    def edges(self) -> Box:
        """West, east, south and north of the cells, or of the points with a margin."""
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
    def box(self) -> Box:
        """West, east, south and north of what a map shows: the edges, or more around a line."""
        west, east, south, north = self.edges
        # degrees of longitude are shorter than those of latitude
        shrunk = max(float(np.cos(np.radians((south + north) / 2))), 0.1)
        width, height = (east - west) * shrunk, north - south
        beside = min(max(height / SLIM - width, 0.0) / shrunk, 360.0 - (east - west)) / 2
        above = max(width / SLIM - height, 0.0) / 2
        return west - beside, east + beside, max(south - above, -90.0), min(north + above, 90.0)

    @property
    def follows_corners(self) -> bool:
        """Whether a map shows the corners of a curvilinear grid instead of a box around them."""
        return self.kind == "curvilinear" and self.box == self.edges

    @property
    def is_global(self) -> bool:
        """Whether the whole Earth should be drawn."""
        west, east, south, north = self.box
        return east - west >= 300 and north - south > 100


def locate(field: xr.DataArray) -> Geometry:
    """Lay out a field for a map, by its latitude and longitude if it has these."""
    if not field.ndim:
        raise ValueError("a map shows a field, but this is a single value without dimensions")
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
    if field.name in ("label", None):
        example += ", or draw one map for each with plot.map(col='{dim}')"
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
    return Geometry("grid", x, y, values[np.ix_(rows, columns)])


def _curvilinear(grid: HorizontalGrid, values: Array) -> Geometry:
    """Cells around 2-D latitudes and longitudes, between their corners on the sphere."""
    y, x = places_of(grid.corners)
    x = np.round(x, 9)  # rounding must not send the corner at 0° to 360°
    x = _centred(contiguous(x % 360 if np.nanmax(grid.lon) > 181 else x))
    bad = ~np.isfinite(x)
    bad_cell = bad[1:, 1:] | bad[1:, :-1] | bad[:-1, 1:] | bad[:-1, :-1]
    x, y = np.where(bad, np.nanmean(x), x), np.where(bad, np.nanmean(y), y)
    is_placed = grid.is_placed & ~bad_cell
    values = np.where(is_placed, values, np.nan)
    around = grid.goes_around
    return Geometry("curvilinear", x, y, values, is_placed=is_placed, goes_around=around)


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
