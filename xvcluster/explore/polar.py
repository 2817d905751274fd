"""Maps around a pole: cells, coastlines and a graticule in a stereographic projection, in km."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from xvcluster.arrays import Booleans, Float64s
from xvcluster.explore.cells import Cells
from xvcluster.grid.edges import corners_around
from xvcluster.plot.view import regional_projection

if TYPE_CHECKING:
    from cartopy.crs import Projection

_BESIDE = 0.02
"""Share of the width and height of the cells that the map shows beside them."""


def turn_to_pole(cells: Cells, known: Booleans) -> Cells:
    """Project the cells of a map that lies around a pole; others stay as they are.

    Parameters
    ----------
    cells : Cells
        In degrees.
    known : ndarray of bool
        Which cells of the map, flattened, have a label at any time.
    """
    import cartopy.crs as ccrs

    if not cells.is_earth:
        return cells
    projection = regional_projection(cells.box)
    is_polar = isinstance(projection, ccrs.Stereographic)
    return _project(cells, known, projection) if is_polar else cells


def to_plane(projection: Projection, lon: Float64s, lat: Float64s) -> tuple[Float64s, Float64s]:
    """Project places of any shape to km from the pole."""
    from cartopy.crs import PlateCarree

    at = projection.transform_points(PlateCarree(), np.ravel(lon), np.ravel(lat)) / 1000
    return at[:, 0].reshape(lon.shape), at[:, 1].reshape(lon.shape)


def _project(cells: Cells, known: Booleans, projection: Projection) -> Cells:
    """Project cells to km; those of a grid become polygons."""
    if cells.kind == "grid":
        cells = _as_polygons(cells, known)
    x, y = to_plane(projection, cells.x, cells.y)
    corners = to_plane(projection, cells.corners_x, cells.corners_y)
    ends_x, ends_y = corners if cells.kind == "polygons" else (x, y)
    (west, east), (south, north) = _range(ends_x), _range(ends_y)
    return replace(
        cells, x=x, y=y, corners_x=corners[0], corners_y=corners[1], lon=cells.x, lat=cells.y,
        box=(west, east, south, north), projection=projection,
    )  # fmt: skip


def _range(ends: Float64s) -> tuple[float, float]:
    """Return the range of what a map shows, with a margin."""
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    return low - _BESIDE * (high - low), high + _BESIDE * (high - low)


def _as_polygons(cells: Cells, known: Booleans) -> Cells:
    """Return the cells of a grid that have a label, each with its four corners."""
    drawn = np.flatnonzero((cells.order >= 0) & known[cells.order])
    row, column = np.divmod(drawn, cells.x.size)
    corners = np.stack(np.meshgrid(cells.corners_x, cells.corners_y), axis=-1)
    around = np.moveaxis(corners_around(corners, drawn), -1, 0)
    return Cells(
        "polygons",
        cells.dims,
        cells.order[drawn],
        cells.x[column],
        cells.y[row],
        cells.box,
        *around,
    )


def find_graticule(projection: Projection) -> Float64s:
    """Return meridians every 30°, and parallels from 30° to 80°, with gaps, (n, 2)."""
    north = projection.proj4_params["lat_0"] > 0
    latitudes = np.arange(30.0, 90.0, 10.0) * (1 if north else -1)
    along, around = np.linspace(latitudes[0], latitudes[-1], 2), np.linspace(-180.0, 180.0, 181)
    meridians = [(np.full(2, lon), along) for lon in np.arange(-180.0, 180.0, 30.0)]
    parallels = [(around, np.full(around.size, lat)) for lat in latitudes]
    gap = np.full((1, 2), np.nan)
    lines = [np.stack(to_plane(projection, *line), axis=1) for line in meridians + parallels]
    return np.concatenate([part for line in lines for part in (line, gap)])
