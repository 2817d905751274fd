"""Outlines of clusters on a map: between labels, or over a continuous field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Indices, Integers, Objects
from xvcluster.boundaries import boundaries as find_boundaries
from xvcluster.boundaries.outline import import_geopandas
from xvcluster.plot import style

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes


def choose_boundaries(
    labels: xr.DataArray, boundaries: GeoDataFrame | bool | None, *, over_field: bool
) -> GeoDataFrame | None:
    """Return the boundaries to draw: the given ones, those of the labels, or none."""
    if boundaries is None or isinstance(boundaries, bool):
        if boundaries is False and over_field:
            raise ValueError(
                "with boundaries=False, a map of the background shows nothing of the labels; pass "
                "True or a GeoDataFrame, or draw the background alone with its own .plot()"
            )
        return find_boundaries(labels) if boundaries or over_field else None
    if not isinstance(boundaries, import_geopandas().GeoDataFrame):
        raise TypeError(
            f"boundaries is a {type(boundaries).__name__}; pass True for those of the labels, or a "
            "GeoDataFrame such as result.boundaries(...) returns"
        )
    if "cluster" not in boundaries:
        raise ValueError(
            f"boundaries has no column 'cluster' among {', '.join(map(str, boundaries.columns))}; "
            "pass what result.boundaries(...) returns"
        )
    return boundaries if boundaries.crs is None else boundaries.to_crs("EPSG:4326")


def draw_boundaries(ax: Axes, frame: GeoDataFrame, rgba: Float64s, *, over_field: bool) -> None:
    """Draw boundaries: thin and dark between labels, in the clusters' colours over a field."""
    import cartopy.crs as ccrs

    look: dict[str, Any] = {"crs": ccrs.PlateCarree(), "facecolor": "none", "zorder": 3.5}
    if not over_field:
        lines = _lines(frame.geometry.to_numpy())
        ax.add_geometries(lines, edgecolor=style.OUTLINE, linewidth=0.8, **look)  # type: ignore[attr-defined]
        return
    for number in _numbers(frame):
        lines = _lines(frame.geometry.to_numpy()[frame["cluster"].to_numpy() == number])
        # a white line beneath separates every colour from the field
        ax.add_geometries(lines, edgecolor="white", linewidth=2.6, **look)  # type: ignore[attr-defined]
        color = rgba[number - 1]
        ax.add_geometries(lines, edgecolor=color, linewidth=1.4, **look)  # type: ignore[attr-defined]


def outlined(labels: xr.DataArray, frame: GeoDataFrame) -> xr.DataArray:
    """Return the labels without the clusters that have no boundaries, for the legend."""
    present = labels.where(labels.isin(_numbers(frame)))
    return present.fillna(_numbers(frame)[0]) if len(frame) else present


def _numbers(frame: GeoDataFrame) -> Integers:
    """Return the clusters that have boundaries, ascending."""
    return np.unique(frame["cluster"].to_numpy()).astype(np.int64)


def _lines(shapes: Objects) -> list[Any]:
    """Return the outlines of shapes, without the cut at ±180° and the lines along the poles."""
    import shapely

    kinds = shapely.get_type_id(shapes)
    is_polygon = (kinds == 3) | (kinds == 6)
    lines = np.where(is_polygon, shapely.boundary(shapes), shapes)
    parts, whose = shapely.get_parts(lines, return_index=True)
    points, part = shapely.get_coordinates(parts, return_index=True)
    start, end = points[:-1], points[1:]
    drawn = (part[1:] == part[:-1]) & (np.abs(start + end)[:, 1] != 180)
    drawn &= ~_is_cut(start, end, np.where(drawn, whose[part[:-1]], -1))
    run = np.cumsum(np.append(True, ~drawn))
    kept = np.isin(run, np.flatnonzero(np.bincount(run) > 1))
    _, index = np.unique(run[kept], return_inverse=True)
    return list(shapely.linestrings(points[kept], indices=index)) if kept.any() else []


def _is_cut(start: Float64s, end: Float64s, whose: Indices) -> Booleans:
    """Whether segments lie on ±180° where the same shape continues on the other side."""
    at_seam = (np.abs(start[:, 0]) == 180) & (start[:, 0] == end[:, 0]) & (whose >= 0)
    found = np.flatnonzero(at_seam)
    heights = np.sort(np.stack([start[found, 1], end[found, 1]], axis=1), axis=1)
    keys = np.column_stack([whose[found], heights])
    _, place, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    cut = np.zeros(len(start), dtype=bool)
    cut[found] = count[place.reshape(-1)] > 1
    return cut
