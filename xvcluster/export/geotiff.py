"""A map of labels as a GeoTIFF, for a GIS."""

from __future__ import annotations

import os
from importlib import metadata

import numpy as np
import xarray as xr

from xvcluster.arrays import Float64s, Indices
from xvcluster.extras import require
from xvcluster.grid.horizontal import HorizontalGrid, require_grid, take_map
from xvcluster.grid.labels import Clustering, check_labels, take_labels
from xvcluster.messages import plain
from xvcluster.options import check_path
from xvcluster.plot.style import cluster_numbers, colors_of, plain_names
from xvcluster.record.replace import check_target, replace

ENDINGS = (".tif", ".tiff")
"""Of the names of files."""

_UNEVEN = 0.05
"""A grid is even if no point lies farther from its place than this share of a step: rounded
coordinates and Gaussian latitudes do not."""

_ELSEWHERE = (
    "bring the labels to an even grid first, e.g. of half a degree: "
    "xvcluster.consensus([labels], grid=0.5)['label'].vcluster.to_geotiff(path); or write outlines "
    "with boundaries"
)


def to_geotiff(labels: Clustering, path: str | os.PathLike[str]) -> None:
    """Write the labels to a GeoTIFF, north up, in longitude and latitude (EPSG:4326).

    Parameters
    ----------
    labels : ClusterResult, Dataset or DataArray
        Cluster numbers on 1-D latitude and longitude in even steps, in any order; or a result, or
        its Dataset. Longitudes may be from 0° to 360°: the map goes from 180° W to 180° E, or, of a
        region, on from its western edge.
    path : path-like
        Must end in ``.tif`` or ``.tiff``. Replaced if it exists, but only once the new file is
        complete.

    Raises
    ------
    ImportError
        If rasterio is not installed.
    TypeError
        If the labels are no labelled array or not numeric.
    ValueError
        If the name has another ending; if the labels have no latitude and longitude, or lie on a
        grid that is curved, uneven, or a single row or column, or on loose points; or if they hold
        more than one map.

    Notes
    -----
    Pixels are as large as the steps of the grid, with its points in their middle. So a grid with
    points at the poles has pixels that reach half a step beyond, to ±90.5° of steps of 1°, as those
    of weather models in GDAL do, and one that was thinned out may as well. For a program that takes
    no such map, leave out the outermost rows: ``labels.isel(lat=slice(1, -1))``.

    A pixel holds the number of its cluster, 0 where there is none, which is the value for no data.
    The file has the colours of the clusters as its colour table, up to number 255, and their names
    as metadata of the band, ``cluster_1``, ``cluster_2``, …; the names of a raster's classes have
    no other place in a TIFF.

    Examples
    --------
    >>> import xvcluster
    >>> ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
    >>> ocean.vcluster.kmeans(6).to_geotiff("clusters.tif")  # doctest: +SKIP
    """
    rasterio = require("rasterio", "GeoTIFFs need")
    path = check_path("path", path)
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"the name of a GeoTIFF must end in .tif or .tiff; got {str(path)!r}")
    check_target(path)
    labels = take_labels(labels, "the map")
    rows, columns, transform = _lay_pixels(require_grid(labels))
    labels = check_labels(labels, "the label array")
    grid = require_grid(labels)
    example = "labels.isel({dim}=0).vcluster.to_geotiff(path)"
    one = take_map(labels, grid.dims, "a GeoTIFF holds one map", example)
    numbers = np.where(grid.is_placed, np.nan_to_num(one.values), 0)[np.ix_(rows, columns)]
    is_small = int(cluster_numbers(labels).max()) < 256
    values = numbers.astype(np.uint8 if is_small else np.uint16)
    with (
        replace(path) as temporary,
        rasterio.open(
            temporary, "w", driver="GTiff", count=1, height=values.shape[0], width=values.shape[1],
            dtype=values.dtype, nodata=0, crs="EPSG:4326", compress="deflate",
            transform=rasterio.Affine(*transform),
        ) as file,
    ):  # fmt: skip
        if is_small:
            file.write_colormap(1, _color_table(labels))
        file.write(values, 1)
        file.set_band_description(1, "cluster")
        file.update_tags(TIFFTAG_SOFTWARE=f"xvcluster {metadata.version('xvcluster')}")
        file.update_tags(1, **{f"cluster_{n}": name for n, name in plain_names(labels).items()})


def _lay_pixels(
    grid: HorizontalGrid,
) -> tuple[Indices, Indices, tuple[float, float, float, float, float, float]]:
    """Positions of the rows from the north and of the columns from the west, and where they lie.

    The latter is an affine transform from column and row to longitude and latitude of corners.
    """
    if grid.kind != "rectilinear":
        what = "loose points" if grid.kind == "points" else "a curvilinear grid"
        raise ValueError(f"the labels lie on {what}, but pixels need an even grid; {_ELSEWHERE}")
    rows, columns = grid.rows[::-1], grid.columns.order
    lon = grid.columns.lon[columns]
    if grid.goes_around:
        lon = (lon + 180.0) % 360.0 - 180.0
        order = np.argsort(lon)
        columns, lon = columns[order], lon[order]
    else:
        lon = lon - 360.0 * np.floor((lon[0] + 180.0) / 360.0)
    height = _step(grid.lat[rows], grid.latitude)
    width = _step(lon, grid.longitude)
    west, north = float(lon[0] - width / 2), float(grid.lat[rows[0]] - height / 2)
    return rows, columns, (width, 0.0, west, 0.0, height, north)


def _step(places: Float64s, name: str) -> float:
    """The step between places that are evenly spaced; refuse any others."""
    if places.size < 2:
        raise ValueError(
            f"the labels have a single {plain(name)}, so that the size of a pixel is not known; "
            "give at least two rows and two columns"
        )
    step = float(places[-1] - places[0]) / (places.size - 1)
    apart = np.abs(places - (places[0] + step * np.arange(places.size))).max()
    if not apart <= _UNEVEN * abs(step):
        steps = np.abs(np.diff(places))
        raise ValueError(
            f"{plain(name)!r} has uneven steps, of {steps.min():g} to {steps.max():g} degrees, but "
            f"pixels are all of one size; {_ELSEWHERE}"
        )
    return step


def _color_table(labels: xr.DataArray) -> dict[int, tuple[int, ...]]:
    """The colour of each number from 0 to 255; what is no cluster is transparent."""
    colors = np.round(255 * colors_of(labels)).astype(int)
    own = {n: tuple(colors[n - 1].tolist()) for n in cluster_numbers(labels).tolist()}
    return {0: (0, 0, 0, 0), **own}
