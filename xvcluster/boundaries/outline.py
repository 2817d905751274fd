"""Labels as polygons: the outlines of clusters in a GeoDataFrame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s, Integers, Objects
from xvcluster.boundaries.cells import Cells, Centers, find_centers, lay_cells
from xvcluster.boundaries.contours import contour
from xvcluster.boundaries.dateline import cut_polygons
from xvcluster.boundaries.rings import Rings, connect, find_regions, trace_rings
from xvcluster.options import check_number

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def boundaries(
    labels: xr.DataArray | xr.Dataset,
    clusters: int | Iterable[int] | None = None,
    *,
    min_length: float | None = None,
    min_area: float | None = None,
    smooth: bool | None = None,
) -> GeoDataFrame:
    """Draw the outlines of clusters, one row for each connected region.

    Parameters
    ----------
    labels : DataArray or Dataset
        Cluster numbers on a grid of 1-D or 2-D latitude and longitude, NaN where there is no
        profile; or the Dataset of a result.
    clusters : int or iterable of int, optional
        Cluster numbers. Default: all.
    min_length : float, optional
        In km; regions with a shorter outline are left out.
    min_area : float, optional
        In km²; smaller regions are left out.
    smooth : bool, optional
        False or None, the default: polygons along the edges of the cells. True: contour lines
        half-way between the centres of cells inside and outside, which cut the corners.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, from −180° to 180°, by cluster and the largest first. Columns:

        - ``geometry``: Polygon; MultiPolygon where the region crosses ±180°. With `smooth`,
          LineString or MultiLineString.
        - ``cluster``: its number.
        - ``length_km``: length of the whole outline, around holes too.
        - ``area_km2``: area without holes. With `smooth`, of what a closed line encloses; NaN where
          a line ends at the edge of the map, and `min_area` leaves such lines out.

    Raises
    ------
    ImportError
        If geopandas is not installed.
    ValueError
        If the labels have no latitude and longitude, lie on loose points or hold more than one map,
        if there is no such cluster, or if a minimum is negative.

    Notes
    -----
    Cells belong to one region where they share an edge and a label, also across ±180°. Neighbouring
    polygons share all points of their common edge. Cells reach half-way to the neighbours; their
    edges get further points so that none along a parallel is longer than 1°.

    Lengths and areas are on the authalic sphere, R = 6371.0072 km: R cos φ Δλ along a parallel,
    R Δφ along a meridian and R² Δλ Δsin φ for a cell. On a grid of 2-D latitude and longitude,
    edges are parts of great circles. What is no boundary does not count: the cut at ±180°, and the
    line that stands for a pole.

    Examples
    --------
    >>> import xvcluster
    >>> result = xvcluster.tutorial.ocean()["temperature"].isel(depth=0).vcluster.kmeans(6)
    >>> frame = result.boundaries([4, 6], min_length=200)
    >>> frame.to_file("water.shp")  # doctest: +SKIP
    """
    geopandas = import_geopandas()
    labels = labels["label"] if isinstance(labels, xr.Dataset) else labels
    labels = labels.compute()  # lazy labels are read once
    least_length, least_area = (
        None if value is None else check_number(name, value, above=0.0, or_equal=True)
        for name, value in (("min_length", min_length), ("min_area", min_area))
    )
    numbers = _choose(labels, clusters)
    centers = find_centers(labels)
    draw = _contours if smooth else _polygons
    shapes, cluster, length, area = draw(centers, numbers)
    keep = np.ones(cluster.size, dtype=bool)
    if least_length is not None:
        keep &= length >= least_length
    if least_area is not None:
        keep &= area >= least_area
    size = length if smooth else area
    order = np.lexsort((-size, cluster))
    order = order[keep[order]]
    columns = {"cluster": cluster, "length_km": length, "area_km2": area}
    return geopandas.GeoDataFrame(
        {"geometry": shapes[order]} | {name: values[order] for name, values in columns.items()},
        geometry="geometry",
        crs="EPSG:4326",
    )


def import_geopandas() -> Any:
    """Import what is an extra, or say how to install it."""
    try:
        import geopandas
    except ImportError as error:
        raise ImportError(
            "boundaries need geopandas, which is not installed; install it with "
            'pip install "xvcluster[geo]"'
        ) from error
    return geopandas


def _choose(labels: xr.DataArray, clusters: int | Iterable[int] | None) -> Integers:
    """The clusters asked for, ascending, once each."""
    values = np.asarray(labels.values, dtype=np.float64)
    known = np.unique(labels.attrs.get("flag_values", values[values > 0])).astype(np.int64)
    if clusters is None:
        return known
    wanted = [clusters] if isinstance(clusters, int | np.integer) else list(clusters)
    unknown = [c for c in wanted if c not in known]
    if unknown:
        raise ValueError(
            f"there is no cluster {unknown[0]!r}; the clusters are "
            f"{', '.join(str(n) for n in known[:20])}{', ...' if known.size > 20 else ''}"
        )
    return np.unique(np.asarray(wanted, dtype=np.int64))


def _polygons(centers: Centers, numbers: Integers) -> tuple[Objects, Integers, Float64s, Float64s]:
    """Polygons along the edges of the cells, and their clusters, lengths and areas."""
    cells = lay_cells(centers)
    labels = np.where(np.isin(cells.labels, numbers), cells.labels, 0)
    n_regions, regions = find_regions(labels)
    rings = trace_rings(regions)
    whole = _join_around(labels, regions, n_regions, cells.wraps)
    n = int(whole.max(initial=-1)) + 1
    inside = regions >= 0
    area: Float64s = np.zeros(n)
    length: Float64s = np.zeros(n)
    np.add.at(area, whole[regions[inside]], cells.areas[inside])
    np.add.at(length, whole[rings.region[rings.ring]], _lengths(rings, cells, labels))
    cluster = np.empty(n, dtype=np.int64)
    cluster[whole[regions[inside]]] = labels[inside]
    parts = _straight_polygons(rings, cells) if cells.is_flat else cut_polygons(rings, cells)
    return _unite(parts, whole, n), cluster, length, area


def _join_around(labels: Integers, regions: Integers, n_regions: int, wraps: bool) -> Integers:
    """Number the regions anew so that those that touch around the globe are one."""
    if not wraps:
        return np.arange(n_regions)
    touch = (labels[:, 0] == labels[:, -1]) & (labels[:, 0] != 0)
    return connect(n_regions, regions[touch, 0], regions[touch, -1])


def _lengths(rings: Rings, cells: Cells, labels: Integers) -> Float64s:
    """Lengths of all edges, zero at the seam of the map where the region goes on beyond."""
    row, column, side = rings.row, rings.column, rings.side
    last = labels.shape[1] - 1
    is_across = side % 2 == 1
    across = cells.across[row, column + (side == 1)]
    along = cells.along[row + (side == 2), column]
    at_seam = ((side == 3) & (column == 0)) | ((side == 1) & (column == last))
    goes_on = at_seam & (labels[row, 0] == labels[row, last]) & cells.wraps
    return np.where(is_across, np.where(goes_on, 0.0, across), along)


def _straight_polygons(rings: Rings, cells: Cells) -> Objects:
    """Polygons of cells whose edges are straight lines of longitude and latitude."""
    import shapely

    corner = rings.starts()
    closed = shapely.linearrings(cells.lon[corner], cells.lat[corner], indices=rings.ring)
    return np.asarray(shapely.polygons(closed, indices=rings.region))


def _unite(parts: Objects, whole: Integers, n: int) -> Objects:
    """One geometry for the parts of each whole."""
    import shapely

    shapes = np.empty(n, dtype=object)
    count = np.bincount(whole, minlength=n)
    single = count[whole] == 1
    shapes[whole[single]] = parts[single]
    for number in np.flatnonzero(count > 1):
        own = shapely.get_parts(parts[whole == number])
        # parts on both sides of a grid's seam share its edge, those at ±180° do not touch
        shapes[number] = shapely.coverage_union_all(own)
    return shapes


def _contours(centers: Centers, numbers: Integers) -> tuple[Objects, Integers, Float64s, Float64s]:
    """Lines between centres, and their clusters, lengths and areas."""
    found = [contour(centers, int(number)) for number in numbers]
    count = [len(lines) for lines, _, _ in found]
    empty = np.empty(0, dtype=object), np.empty(0), np.empty(0)
    shapes, length, area = (np.concatenate(parts) for parts in zip(empty, *found, strict=True))
    return shapes, np.repeat(numbers, count).astype(np.int64), length, area
