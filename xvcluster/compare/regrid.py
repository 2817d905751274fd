"""Labels brought to other points: the label of the cell, or of the nearest point, that is there."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from xvcluster.arrays import Booleans, Float64s, Floats, Indices
from xvcluster.grid.areas import cell_edges
from xvcluster.grid.coords import find_horizontal

_SNAP = 1e-5
"""Degrees, about a metre: a point that is no farther from an edge lies on it."""

_SAME = 1e-4
"""Degrees: longitudes that are nearer than this, modulo 360°, are one meridian held twice."""

_OPEN = 1.5
"""A gap this much wider than any other is where a grid ends, and no cell reaches across it."""

_HALF_DIAGONAL = 0.75
"""Of the longest side of a cell: from its centre to a corner it is 0.71 at the most."""

_CORNER = 1.5
"""Of the nearest neighbour's distance: covers cells of four sides, of six and, with 1, of three."""

_SINGLE = np.radians(0.5)
"""Reach of a point that has no neighbour, as that of the single cell of `coords.cell_edges`."""


def nearest_labels(
    labels: xr.DataArray, latitude: xr.DataArray, longitude: xr.DataArray
) -> xr.DataArray:
    """Bring labels to other points.

    Parameters
    ----------
    labels : DataArray
        Cluster numbers, NaN where there is none, on 1-D latitude and longitude in any direction and
        from −180° or 0°, on 2-D latitude and longitude, or on loose points. Lazy ones are computed.
    latitude, longitude : DataArray
        Of the points, in degrees: 1-D on different dimensions, for all of their pairs; or 1-D or
        2-D on the same.

    Returns
    -------
    DataArray
        Labels on the dimensions of `latitude` and `longitude`, with the name and attributes of
        `labels`; NaN where the grid does not reach, or what lies there has no label.

    Raises
    ------
    ValueError
        If the labels have no latitude and longitude, or dimensions beside those.

    Notes
    -----
    On 1-D latitude and longitude a point takes the label of the cell that holds it. Cells reach
    half-way to their neighbours, and as far beyond the outer ones; to the pole where no other row
    has room before it; and across the seam of a global grid, unless the gap there is more than 1.5
    times as wide as any other.

    On 2-D ones a point takes the label of the nearest point, if that is no farther than 0.75 times
    the largest distance between that point and its neighbours along rows and columns, as the corner
    of a square cell is 0.71 sides from its middle. Loose points reach 1.5 times as far as their
    nearest neighbour is, so that they cover a plane that they fill evenly, and no more of it where
    they do not. Of those at one place the first that has a label counts.

    Labels are never carried into points without one, such as land.

    Examples
    --------
    >>> labels = xr.DataArray(
    ...     [[1.0, 2.0], [np.nan, 3.0]],
    ...     coords={"lat": [40.0, 41.0], "lon": [358.0, 359.0]},
    ...     dims=("lat", "lon"),
    ... )
    >>> there = xr.DataArray([40.2, 41.2, 45.0], dims="station"), xr.DataArray(
    ...     [-1.3, -2.4, -1.0], dims="station"
    ... )
    >>> nearest_labels(labels, *there).values
    array([ 2., nan, nan])
    """
    labels, lat, lon = _locate(labels)
    if lat.ndim == lon.ndim == 1 and lat.dims != lon.dims:
        found = _in_cells(labels, lat, lon, latitude, longitude)
    else:
        found = _near_points(labels, lat, lon, latitude, longitude)
    found.name, found.attrs = labels.name, dict(labels.attrs)
    return found.assign_coords(_coordinates(latitude) | _coordinates(longitude))


def is_repeated(longitude: npt.ArrayLike) -> Booleans:
    """Which longitudes, shape (n,), stand for a meridian that others of them stand for too.

    Examples
    --------
    >>> is_repeated([-180.0, -90.0, 0.0, 90.0, 180.0])
    array([False, False, False, False,  True])
    """
    around = np.asarray(longitude, dtype=np.float64) % 360.0
    order = np.argsort(around, kind="stable")
    in_order = around[order]
    repeated = np.zeros(around.size, dtype=bool)
    repeated[order] = np.diff(in_order, prepend=in_order[-1:] - 360.0) < _SAME
    return repeated


def _locate(labels: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Labels on the dimensions of their latitude and longitude alone, and these."""
    latitude, longitude = find_horizontal(labels)
    if latitude is None or longitude is None:
        raise ValueError(
            "the labels have no latitude and longitude among their coordinates "
            f"({_listed(labels.coords) or 'none'}); assign both, in degrees"
        )
    lat, lon = labels[latitude], labels[longitude]
    spare = [d for d in labels.dims if d not in {*lat.dims, *lon.dims}]
    for dim in spare:
        if labels.sizes[dim] > 1:
            raise ValueError(
                f"one map of labels can be brought to other points, but these have "
                f"{labels.sizes[dim]} entries along {str(dim)!r} (dimensions "
                f"{_listed(labels.dims)}); select one, e.g. labels.isel({dim}=0)"
            )
    return labels.isel(dict.fromkeys(spare, 0), drop=True), lat, lon


def _listed(names: Iterable[Hashable]) -> str:
    return ", ".join(repr(str(n)) for n in names)


def _coordinates(points: xr.DataArray) -> dict[Hashable, xr.Variable]:
    """A coordinate of points itself, and those of its dimensions."""
    found = {} if points.name is None else {points.name: points.variable.to_base_variable()}
    for dim in points.dims:
        if dim in points.coords and not isinstance(points.indexes.get(dim), pd.MultiIndex):
            found[dim] = points[dim].variable.to_base_variable()
    return found


def _in_cells(
    labels: xr.DataArray,
    lat: xr.DataArray,
    lon: xr.DataArray,
    latitude: xr.DataArray,
    longitude: xr.DataArray,
) -> xr.DataArray:
    """Labels of the cells of 1-D latitude and longitude that hold the points."""
    rows = _find_rows(_degrees(lat), _degrees(latitude))
    columns = _find_columns(_degrees(lon), _degrees(longitude))
    row, column = xr.broadcast(
        xr.DataArray(rows, dims=latitude.dims), xr.DataArray(columns, dims=longitude.dims)
    )
    values = _values(labels, *lat.dims, *lon.dims)[row.values, column.values]
    return row.copy(data=np.where((row >= 0) & (column >= 0), values, np.nan))


def _find_rows(centers: Float64s, at: Float64s) -> Indices:
    """The row whose cell holds each latitude, -1 where none does."""
    order = np.argsort(centers, kind="stable")
    edges = cell_edges(centers[order], limits=(-90.0, 90.0))
    for edge, center, pole in ((0, order[0], -90.0), (-1, order[-1], 90.0)):
        next_center = 2 * edges[edge] - centers[center]
        if abs(next_center) > 90.0 and next_center * pole > 0:
            edges[edge] = pole
    return _find_cells(edges, order, at)


def _find_columns(centers: Float64s, at: Float64s) -> Indices:
    """The column whose cell holds each longitude, whatever the convention; -1 where none does."""
    around, order = np.unique(centers % 360.0, return_index=True)
    if around.size == 1:
        edges = cell_edges(around)
    else:
        # from the eastern side of the widest gap around the Earth
        gaps = np.diff(around, append=around[0] + 360.0)
        first = int(gaps.argmax()) + 1
        order = np.roll(order, -first)
        around = np.concatenate([around[first:], around[:first] + 360.0])
        edges = cell_edges(around)
        widest, *others = np.sort(gaps)[::-1]
        if widest <= _OPEN * others[0]:
            edges[[0, -1]] = around[0] - widest / 2, around[-1] + widest / 2
    return _find_cells(edges, order, edges[0] + (at - edges[0] + _SNAP) % 360.0 - _SNAP)


def _find_cells(edges: Float64s, order: Indices, at: Float64s) -> Indices:
    """Which of the cells between ascending edges, in the file's order, holds each coordinate."""
    # half-way between two centres is the upper cell, however the numbers are rounded
    position = np.searchsorted(edges, at + _SNAP, side="right") - 1
    position[(position == order.size) & (at <= edges[-1] + _SNAP)] = order.size - 1
    is_inside = (position >= 0) & (position < order.size)  # NaN sorts behind the last edge
    return np.where(is_inside, order[position.clip(0, order.size - 1)], -1)


def _near_points(
    labels: xr.DataArray,
    lat: xr.DataArray,
    lon: xr.DataArray,
    latitude: xr.DataArray,
    longitude: xr.DataArray,
) -> xr.DataArray:
    """Labels of the points of a curvilinear grid, or of loose ones, nearest to the points."""
    from scipy.spatial import cKDTree

    source, dims = _unit_vectors(lat, lon)
    values = _values(labels, *dims).ravel()
    reach = _grid_reach(source).ravel() if source.ndim == 3 else None
    source = source.reshape(-1, 3)
    kept = np.flatnonzero(np.isfinite(source).all(axis=1))
    if reach is None:
        kept = kept[np.argsort(np.isnan(values[kept]), kind="stable")]
        kept = kept[np.unique(source[kept].round(9), axis=0, return_index=True)[1]]
    tree = cKDTree(source[kept])
    own_reach = _loose_reach(tree) if reach is None else reach[kept]
    target, dims = _unit_vectors(latitude, longitude)
    is_placed = np.isfinite(target).all(axis=-1)
    distance, nearest = tree.query(target[is_placed])
    found = np.full(is_placed.shape, np.nan, dtype=values.dtype)
    is_near = distance <= own_reach[nearest] * (1 + 1e-9)
    found[is_placed] = np.where(is_near, values[kept][nearest], np.nan)
    return xr.DataArray(found, dims=dims)


def _grid_reach(points: Float64s) -> Float64s:
    """How far each point (m, n, 3) of a curvilinear grid speaks for what is around it."""
    reach = np.zeros(points.shape[:2])
    for axis in (0, 1):
        step = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
        pad = [(0, 0), (0, 0)]
        for before in (0, 1):
            pad[axis] = (before, 1 - before)
            reach = np.fmax(reach, np.pad(step, pad))
    return np.where(reach > 0, _HALF_DIAGONAL * reach, _SINGLE)


def _loose_reach(tree: Any) -> Float64s:
    """How far each of loose points, at different places, speaks for what is around it."""
    if tree.n == 1:
        return np.array([_SINGLE])
    distance, _ = tree.query(tree.data, k=2)
    return np.asarray(_CORNER * distance[:, 1])


def _unit_vectors(lat: xr.DataArray, lon: xr.DataArray) -> tuple[Float64s, tuple[Hashable, ...]]:
    """Points on the unit sphere, shape (..., 3), and the dimensions of all but the last axis."""
    both = (xr.DataArray(np.radians(_degrees(c)), dims=c.dims) for c in (lat, lon))
    phi, lam = xr.broadcast(*both)
    axes = (np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi))
    return np.stack([np.asarray(a) for a in axes], axis=-1), phi.dims


def _degrees(coordinate: xr.DataArray) -> Float64s:
    return np.asarray(coordinate.values, dtype=np.float64)


def _values(labels: xr.DataArray, *dims: Hashable) -> Floats:
    """Labels as floats, which have NaN, with the dimensions in an order."""
    values = np.asarray(labels.transpose(*dims).values)
    return values if values.dtype.kind == "f" else values.astype(np.float32)
