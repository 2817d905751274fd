"""Labels brought to other points: that of the cell that holds a point, or of the nearest point."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from xvcluster.arrays import Float64s, Floats, Indices
from xvcluster.grid.degrees import degrees
from xvcluster.grid.horizontal import HorizontalGrid, require_grid, take_map, unit_vectors

_SNAP = 1e-5
"""Degrees, about a metre: a point no farther than this from an edge lies on it."""

_HALF_DIAGONAL = 0.75
"""Times the longest side of a cell: the distance from its centre to a corner is at most 0.71."""

_CORNER = 1.5
"""Times the distance of the nearest neighbour: covers cells of four and of six sides and, with 1,
of three."""

_SINGLE = np.radians(0.5)
"""Reach of a point without neighbours, as that of the single cell of `cell_edges`."""


def nearest_labels(
    labels: xr.DataArray, latitude: xr.DataArray, longitude: xr.DataArray
) -> xr.DataArray:
    """Bring labels to other points.

    Parameters
    ----------
    labels : DataArray
        Cluster numbers, NaN for no label, on 1-D latitude and longitude in any direction and from
        −180° or 0°, on 2-D latitude and longitude, or on loose points. Lazy labels are computed.
    latitude, longitude : DataArray
        Of the points, in degrees: 1-D on different dimensions, for all of their pairs; or 1-D or
        2-D on the same dimensions.

    Returns
    -------
    DataArray
        Labels on the dimensions of `latitude` and `longitude`, with the name and attributes of
        `labels`; NaN for points beyond the grid, or in a cell without a label.

    Raises
    ------
    ValueError
        If the labels have no latitude and longitude, or further dimensions.

    Notes
    -----
    On 1-D latitude and longitude a point takes the label of the cell that holds it. Cells reach
    halfway to their neighbours, and as far beyond the outer ones. They reach to the pole if there
    is no room for another row, and across the seam of a global grid, unless the gap there is more
    than 1.5 times as wide as the steps beside it.

    On 2-D latitude and longitude a point takes the label of the nearest point, if that is no
    farther than 0.75 times the largest distance between that point and its neighbours along rows
    and columns, as the corner of a square cell is 0.71 sides from its centre. Loose points reach
    1.5 times as far as their nearest neighbour, so that they cover a plane that they fill evenly,
    and little more elsewhere. Of several points at one place, the first one with a label counts.

    Points without a label, such as land, are never filled in.

    Examples
    --------
    >>> labels = xr.DataArray(
    ...     [[1.0, 2.0], [np.nan, 3.0]],
    ...     coords={"lat": [40.0, 41.0], "lon": [358.0, 359.0]},
    ...     dims=("lat", "lon"),
    ... )
    >>> lat = xr.DataArray([40.2, 41.2, 45.0], dims="station")
    >>> lon = xr.DataArray([-1.3, -2.4, -1.0], dims="station")
    >>> nearest_labels(labels, lat, lon).values
    array([ 2., nan, nan])
    """
    grid = require_grid(labels)
    one_map = "only one map of labels can be brought to other points"
    values = np.asarray(take_map(labels, grid.dims, one_map, "labels.isel({dim}=0)").values)
    values = values if values.dtype.kind == "f" else values.astype(np.float32)  # which has NaN
    values = np.where(grid.is_placed, values, values.dtype.type(np.nan))
    bring = _from_cells if grid.kind == "rectilinear" else _from_points
    found = bring(values, grid, latitude, longitude)
    found.name, found.attrs = labels.name, dict(labels.attrs)
    return found.assign_coords(_coordinates(latitude) | _coordinates(longitude))


def _coordinates(points: xr.DataArray) -> dict[Hashable, xr.Variable]:
    """A coordinate of points itself, and those of its dimensions."""
    found = {} if points.name is None else {points.name: points.variable.to_base_variable()}
    for dim in points.dims:
        if dim in points.coords and not isinstance(points.indexes.get(dim), pd.MultiIndex):
            found[dim] = points[dim].variable.to_base_variable()
    return found


def _from_cells(
    values: Floats, grid: HorizontalGrid, latitude: xr.DataArray, longitude: xr.DataArray
) -> xr.DataArray:
    """Labels of the cells of a rectilinear grid that hold the points."""
    row, column = xr.broadcast(
        xr.DataArray(_find_rows(grid, degrees(latitude, "latitude")), dims=latitude.dims),
        xr.DataArray(_find_columns(grid, degrees(longitude, "longitude")), dims=longitude.dims),
    )
    found = np.where((row >= 0) & (column >= 0), values[row.values, column.values], np.nan)
    return row.copy(data=found)


def _find_rows(grid: HorizontalGrid, at: Float64s) -> Indices:
    """The row whose cell holds each latitude, −1 if none does."""
    edges, rows = grid.parallels, grid.rows
    for edge, row, pole in ((0, rows[0], -90.0), (-1, rows[-1], 90.0)):
        next_center = 2 * edges[edge] - grid.lat[row]
        if abs(next_center) > 90.0 and next_center * pole > 0:
            edges[edge] = pole
    return _find_cells(edges, rows, at)


def _find_columns(grid: HorizontalGrid, at: Float64s) -> Indices:
    """The column whose cell holds each longitude in any convention, −1 if none does."""
    edges = grid.meridians
    return _find_cells(
        edges, grid.columns.order, edges[0] + (at - edges[0] + _SNAP) % 360.0 - _SNAP
    )


def _find_cells(edges: Float64s, order: Indices, at: Float64s) -> Indices:
    """Find the cell, by its place in the file, whose edges enclose each coordinate."""
    # halfway between two centres is the upper cell, whatever the rounding
    position = np.searchsorted(edges, at + _SNAP, side="right") - 1
    position[(position == order.size) & (at <= edges[-1] + _SNAP)] = order.size - 1
    is_inside = (position >= 0) & (position < order.size)  # NaN is sorted behind the last edge
    return np.where(is_inside, order[position.clip(0, order.size - 1)], -1)


def _from_points(
    values: Floats, grid: HorizontalGrid, latitude: xr.DataArray, longitude: xr.DataArray
) -> xr.DataArray:
    """Labels of the points of a curvilinear grid, or of loose ones, nearest to the points."""
    from scipy.spatial import cKDTree

    is_loose = grid.kind == "points"
    values, source = values.ravel(), grid.vectors.reshape(-1, 3)
    kept = np.flatnonzero(grid.is_placed)
    if is_loose:
        kept = kept[np.argsort(np.isnan(values[kept]), kind="stable")]
        kept = kept[np.unique(source[kept].round(9), axis=0, return_index=True)[1]]
    tree = cKDTree(source[kept])
    reach = _loose_reach(tree) if is_loose else _grid_reach(grid.vectors).ravel()[kept]
    lat, lon = xr.broadcast(
        xr.DataArray(degrees(latitude, "latitude"), dims=latitude.dims),
        xr.DataArray(degrees(longitude, "longitude"), dims=longitude.dims),
    )
    target = unit_vectors(lat.values, lon.values)
    is_placed = np.isfinite(target).all(axis=-1)
    distance, nearest = tree.query(target[is_placed])
    found = np.full(is_placed.shape, np.nan, dtype=values.dtype)
    is_near = distance <= reach[nearest] * (1 + 1e-9)
    found[is_placed] = np.where(is_near, values[kept][nearest], np.nan)
    return xr.DataArray(found, dims=lat.dims)


def _grid_reach(points: Float64s) -> Float64s:
    """How far around itself each point (m, n, 3) of a curvilinear grid gives its label."""
    reach = np.zeros(points.shape[:2])
    for axis in (0, 1):
        beyond = np.full_like(points.take([0], axis), np.nan)
        step = np.linalg.norm(np.diff(points, 1, axis, beyond, beyond), axis=-1)
        for first in (0, 1):
            reach = np.fmax(reach, step.take(range(first, first + points.shape[axis]), axis))
    return np.where(reach > 0, _HALF_DIAGONAL * reach, _SINGLE)


def _loose_reach(tree: Any) -> Float64s:
    """How far around itself each loose point, at a place of its own, gives its label."""
    distance = tree.query(tree.data, k=2)[0][:, 1]
    return np.asarray(np.where(np.isfinite(distance), _CORNER * distance, _SINGLE))
