"""Outlines of all regions of each cluster in one row, with what is known of the cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s
from xvcluster.boundaries.cells import Centers, lay_cells
from xvcluster.grid.coords import canonical_units, units
from xvcluster.messages import plain
from xvcluster.record.dataset import describe_mean, parameters_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def dissolve(frame: GeoDataFrame, centers: Centers, source: xr.Dataset | None) -> GeoDataFrame:
    """Join the regions of each cluster.

    Parameters
    ----------
    frame : GeoDataFrame
        Polygons by cluster, with lengths and areas, which add up: regions of one cluster have no
        edge in common.
    centers : Centers
        The labels of the whole map.
    source : Dataset or None
        The result, if there is one.

    Returns
    -------
    GeoDataFrame
        One MultiPolygon for each cluster, ``percent`` and the means of the variables.
    """
    import shapely

    parts, row = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    cluster, first = np.unique(frame["cluster"].to_numpy(), return_index=True)
    place = np.searchsorted(cluster, frame["cluster"].to_numpy()[row])
    joined = frame.iloc[first].reset_index(drop=True)
    joined["geometry"] = shapely.multipolygons(parts, indices=place)
    for name in ("length_km", "area_km2"):
        joined[name] = frame.groupby("cluster")[name].sum().to_numpy()
    cells = lay_cells(centers)
    joined["percent"] = 100 * joined["area_km2"] / cells.areas[cells.labels > 0].sum()
    for name, values in ({} if source is None else _means(source)).items():
        joined[name if name not in joined else f"{name}_mean"] = values[cluster - 1]
    return joined


def _means(result: xr.Dataset) -> dict[str, Float64s]:
    """Mean (k,) of each variable over the levels, by its name and units."""
    names = parameters_of(result)["variables"]
    return {_column(n, units(result[n])): describe_mean(result, n)[1] for n in names}


def _column(name: str, unit: str) -> str:
    """The name of a column, such as ``vs_km_s`` or ``dvs_pct``: a Shapefile keeps 10 characters."""
    unit = "%" if canonical_units(unit) == "%" else unit
    unit = re.sub(r"[^0-9A-Za-z]+", "_", unit.replace("%", "pct")).strip("_")
    return "_".join(filter(None, [plain(name, 40), "" if unit == "1" else unit]))
