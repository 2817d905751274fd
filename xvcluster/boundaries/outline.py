"""The outlines of clusters in a GeoDataFrame, as polygons or as smooth lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Integers
from xvcluster.boundaries.cells import find_centers
from xvcluster.boundaries.contours import draw_contours
from xvcluster.boundaries.dissolve import dissolve as join_regions
from xvcluster.boundaries.polygons import draw_polygons
from xvcluster.extras import require
from xvcluster.grid.labels import (
    Clustering,
    check_labels,
    choose_clusters,
    declared_numbers,
    given_names,
    labelled,
    names_of,
    present_numbers,
    take_labels,
)
from xvcluster.options import check_flag, check_number

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def boundaries(
    labels: Clustering,
    clusters: int | str | Iterable[int | str] | None = None,
    *,
    min_length: float | None = None,
    min_area: float | None = None,
    smooth: bool | None = None,
    dissolve: bool = False,
) -> GeoDataFrame:
    """Draw the outlines of clusters, one row for each connected region or for each cluster.

    Parameters
    ----------
    labels : ClusterResult, Dataset or DataArray
        Cluster numbers on a grid of 1-D or 2-D latitude and longitude, NaN where there is no
        profile; or a result, or its Dataset.
    clusters : int, str or iterable, optional
        Numbers of clusters, or names of their own. Default: all.
    min_length : float, optional
        In km; outlines shorter than this are left out.
    min_area : float, optional
        In km²; outlines of a smaller area are left out.
    smooth : bool, optional
        If True, draw contour lines halfway between the centres of cells inside and outside, which
        cut the corners. Otherwise (default) draw polygons along the edges of the cells.
    dissolve : bool, default False
        If True, join the regions of each cluster in one row, with what a map in a GIS is labelled
        and coloured by.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, from −180° to 180°, sorted by cluster and the largest first. Columns:

        - ``geometry``: Polygon, or MultiPolygon if the region crosses ±180°. With `smooth`,
          LineString or MultiLineString.
        - ``cluster``: cluster number.
        - ``name``: name of the cluster, if clusters have names of their own, or with `dissolve`.
        - ``length_km``: length of the whole outline, including those of holes.
        - ``area_km2``: area without holes. With `smooth`, area that a closed line encloses, and
          NaN for a line that ends at the edge of the map; `min_area` leaves such lines out.

        With `dissolve`, MultiPolygons, lengths and areas of all regions together, and also:

        - ``percent``: share of ``area_km2`` in the area of all labels of the map.
        - of a result, the mean of the centroid over the levels for each variable, named by its
          units, such as ``vs_km_s`` or ``dvs_pct``. Levels count as in the numbering of the
          clusters: equally, unless the result has level weights.

    Raises
    ------
    ImportError
        If geopandas is not installed.
    TypeError
        If the labels are no labelled array or not numeric, or an option has the wrong type.
    ValueError
        If the labels have no latitude and longitude, lie on loose points or hold more than one map,
        if cells overlap, if there is no such cluster, if a minimum is negative, or if lines are to
        be dissolved.

    Notes
    -----
    Cells with the same label form one region if they share an edge, also across ±180°. Neighbouring
    polygons have all points of their common edge in common. Cells extend halfway to their
    neighbours; edges get extra points so that none spans more than 1° of longitude.

    Lengths and areas refer to the authalic sphere, R = 6371.0072 km: R cos φ Δλ along a parallel,
    R Δφ along a meridian and R² Δλ Δsin φ for a cell. On a grid of 2-D latitude and longitude,
    edges are great circles. The cut at ±180° and the lines along the poles are no boundaries, and
    do not count towards the length.

    Examples
    --------
    >>> import xvcluster
    >>> result = xvcluster.tutorial.ocean()["temperature"].isel(depth=0).vcluster.kmeans(6)
    >>> frame = result.boundaries([4, 6], min_length=200)
    >>> frame.to_file("water.shp")  # doctest: +SKIP
    >>> atlas = result.boundaries(dissolve=True)
    >>> list(atlas.columns)[1:]
    ['cluster', 'name', 'length_km', 'area_km2', 'percent', 'temperature_degree_Celsius']

    A shapefile cuts the names of columns after ten characters; a GeoPackage keeps them.
    """
    geopandas = import_geopandas()
    for name, least in (("min_length", min_length), ("min_area", min_area)):
        if least is not None:
            check_number(name, least, above=0.0, or_equal=True)
    draw = draw_contours if check_flag("smooth", smooth) else draw_polygons
    if check_flag("dissolve", dissolve) and smooth:
        raise ValueError(
            "dissolve=True joins polygons, but smooth=True draws lines; leave one of them out"
        )
    source = labelled(labels)
    labels = check_labels(take_labels(labels, "the boundaries"), "the label array")
    numbers, centers = _choose(labels, clusters), find_centers(labels)
    shapes, cluster, length, area = draw(centers, numbers)
    columns: dict[str, Any] = {"cluster": cluster}
    if given_names(labels) or dissolve:
        names = names_of(labels, numbers)
        columns["name"] = [names[int(number)] for number in cluster]
    columns |= {"length_km": length, "area_km2": area}
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")
    for column, least in (("length_km", min_length), ("area_km2", min_area)):
        if least is not None:
            frame = frame[frame[column] >= least]
    size = "length_km" if smooth else "area_km2"
    frame = frame.sort_values(["cluster", size], ascending=[True, False], ignore_index=True)
    frame = frame[["geometry", *columns]]
    if not dissolve:
        return frame
    result = source if isinstance(source, xr.Dataset) and "parameters" in source.attrs else None
    return join_regions(frame, centers, result)


def import_geopandas() -> Any:
    """Import geopandas, an optional dependency, or say how to install it."""
    return require("geopandas", "boundaries need")


def _choose(labels: xr.DataArray, clusters: int | str | Iterable[int | str] | None) -> Integers:
    """The requested clusters in ascending order, without repeats."""
    declared = declared_numbers(labels)
    known = present_numbers(labels) if declared is None else declared
    if clusters is None:
        return known
    return np.unique(np.asarray(choose_clusters(labels, clusters, known), dtype=np.int64))
