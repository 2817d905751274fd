"""The edges of cells along an axis, as the file gives them or halfway to neighbours; corners."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.arrays import Float64s, Indices


def cell_edges(
    centers: npt.ArrayLike,
    limits: tuple[float, float] = (-np.inf, np.inf),
    *,
    around: bool = False,
    width: float = 1.0,
) -> Float64s:
    """Find the edges of the cells around monotonic centres, halfway between neighbours.

    Parameters
    ----------
    centers : array_like, shape (n,)
        Coordinates of the centres, ascending or descending, in degrees.
    limits : (float, float), optional
        Limits that no edge exceeds, e.g. the poles.
    around : bool, default False
        Whether the first cell, 360 degrees on, is the neighbour of the last one. The centres must
        then be ascending.
    width : float, default 1
        Width of a cell without neighbours.

    Returns
    -------
    ndarray, shape (n + 1,)
        In the order of the centres.

    Examples
    --------
    >>> cell_edges([-89.5, -88.5, -87.0], limits=(-90, 90))
    array([-90.  , -89.  , -87.75, -86.25])
    """
    x = np.asarray(centers, dtype=np.float64)
    middle = (x[1:] + x[:-1]) / 2
    if x.size == 1:
        edges = x[0] + width * np.array([-0.5, 0.5])
    elif around:
        seam = (x[-1] + x[0] + 360.0) / 2
        edges = np.concatenate([[seam - 360.0], middle, [seam]])
    else:
        edges = np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])
    clipped: Float64s = np.clip(edges, *limits)
    return clipped


def edge_pairs(edges: Float64s) -> Float64s:
    """Arrange edges (n + 1,) as the two edges of each cell, shape (n, 2)."""
    return np.stack([edges[:-1], edges[1:]], axis=1)


def corners_around(corners: Float64s, cells: Indices) -> Float64s:
    """Take the corners of some cells, in order around each, shape (n, 4, ...).

    Parameters
    ----------
    corners : ndarray, shape (n_rows + 1, n_columns + 1, ...)
    cells : ndarray of int, shape (n,)
        In the flattened grid.
    """
    row, column = np.divmod(cells, corners.shape[1] - 1)
    around = ((0, 0), (0, 1), (1, 1), (1, 0))
    return np.stack([corners[row + i, column + j] for i, j in around], axis=1)


def bounds_of(data: xr.DataArray | xr.Dataset, coordinate: xr.DataArray) -> Float64s:
    """Find both edges of each cell, shape (n, 2): as the file gives them, otherwise halfway."""
    given = given_bounds(data, coordinate)
    if given is not None and given.shape[-1] == 2:
        return given
    values = np.asarray(coordinate.values, dtype=np.float64)
    steps = np.diff(values)
    is_monotonic = bool(np.all(steps >= 0) or np.all(steps <= 0))
    order = np.arange(values.size) if is_monotonic else np.argsort(values, kind="stable")
    return edge_pairs(cell_edges(values[order]))[np.argsort(order)]


def given_bounds(data: xr.DataArray | xr.Dataset, coordinate: xr.DataArray) -> Float64s | None:
    """Read the CF bounds of each cell along an axis, if the file gives them.

    Both edges, shape (n, 2), or the coordinates of three or more vertices.
    """
    name = (coordinate.encoding | coordinate.attrs).get("bounds")
    known = data.variables if isinstance(data, xr.Dataset) else data.coords
    if name in known and known[name].ndim == 2 and known[name].shape[0] == coordinate.size:
        return np.asarray(known[name].values, dtype=np.float64)
    return None
