"""Coastlines and borders on a map, without a network."""

from __future__ import annotations

import functools
import struct
import warnings
from http.client import HTTPException
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Literal, get_args
from zipfile import BadZipFile

import numpy as np

from xvcluster.arrays import Float64s, Labels
from xvcluster.messages import shown, warn

if TYPE_CHECKING:
    from cartopy.feature import Feature
    from cartopy.mpl.geoaxes import GeoAxes

Resolution = Literal["110m", "50m", "10m"]

# category and name in Natural Earth, as cartopy expects them
_CATEGORIES = {
    "coastlines": ("physical", "coastline"),
    "borders": ("cultural", "admin_0_boundary_lines_land"),
}


def add_basemap(
    ax: GeoAxes,
    *,
    resolution: Resolution = "110m",
    coastlines: bool = True,
    borders: bool = True,
    color: str = "0.2",
    linewidth: float = 0.7,
) -> GeoAxes:
    """Draw coastlines and borders on a cartopy map.

    Parameters
    ----------
    ax : cartopy.mpl.geoaxes.GeoAxes
        A map in any projection. Its extent is not changed.
    resolution : {"110m", "50m", "10m"}, default "110m"
        The scale of Natural Earth, 1:110 million and so on. "110m" is part of the package and never
        needs a network. The finer ones are downloaded once by cartopy; if that fails, a warning is
        given and "110m" is drawn.
    coastlines, borders : bool, default True
        Whether to draw them.
    color : matplotlib color, default "0.2"
        Colour of the lines.
    linewidth : float, default 0.7
        Width of the coastlines in points; borders are half as wide.

    Returns
    -------
    cartopy.mpl.geoaxes.GeoAxes
        `ax`.

    Raises
    ------
    TypeError
        If `ax` is not a cartopy GeoAxes.
    ValueError
        If `resolution` is unknown.

    Notes
    -----
    The lines at "110m" are those of Natural Earth 4.1, from the npm package world-atlas 2.0.2,
    rounded to 0.01° and without the seams that close polygons at ±180°.

    Examples
    --------
    >>> import cartopy.crs as ccrs
    >>> import matplotlib.pyplot as plt
    >>> from xvcluster.plot.basemap import add_basemap
    >>> ax = plt.figure().add_subplot(projection=ccrs.Robinson(central_longitude=180))
    >>> add_basemap(ax)
    <GeoAxes: >
    >>> plt.close(ax.figure)
    """
    from cartopy.mpl.geoaxes import GeoAxes

    if not isinstance(ax, GeoAxes):
        raise TypeError(
            f"a basemap cannot be drawn on {type(ax).__name__}, it requires a cartopy GeoAxes; "
            "create the axes with projection=cartopy.crs.PlateCarree() or another projection"
        )
    if str(resolution) not in get_args(Resolution):
        raise ValueError(
            f"unknown resolution {shown(resolution)}; choose one of "
            f"{', '.join(map(repr, get_args(Resolution)))}"
        )
    wanted = {"coastlines": coastlines, "borders": borders}
    widths = {"coastlines": linewidth, "borders": linewidth / 2}
    for name, feature in _features([n for n in wanted if wanted[n]], resolution).items():
        ax.add_feature(feature, edgecolor=color, facecolor="none", linewidth=widths[name])
    return ax


def _features(names: list[str], resolution: Resolution) -> dict[str, Feature]:
    """Return the lines as cartopy features, at 110m if finer ones cannot be read."""
    from cartopy.io.shapereader import shapefile

    if resolution == "110m":
        return {name: _packaged_feature(name) for name in names}
    try:
        return {name: _downloaded_feature(name, resolution) for name in names}
    # no network or no permission to write (OSError), or an incomplete file (the others)
    except (
        OSError,
        HTTPException,
        BadZipFile,
        shapefile.ShapefileException,
        struct.error,
        KeyError,
        ValueError,
    ) as error:
        warn(
            f"cartopy could not read or download the lines of Natural Earth at {resolution} "
            f"({type(error).__name__}: {error}); they are drawn at 110m instead. "
            'Pass resolution="110m", or draw once with a network: cartopy keeps the files',
        )
        return {name: _packaged_feature(name) for name in names}


def _downloaded_feature(name: str, resolution: Resolution) -> Feature:
    """Return cartopy's feature with its lines already read, so that drawing it cannot fail."""
    from cartopy.feature import NaturalEarthFeature
    from cartopy.io import DownloadWarning

    feature = NaturalEarthFeature(*_CATEGORIES[name], resolution)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DownloadWarning)
        feature.geometries()
    return feature


@functools.cache
def _packaged_feature(name: str) -> Feature:
    """Return the packaged lines; cached, because cartopy caches projected lines by identity."""
    import shapely
    from cartopy.crs import PlateCarree
    from cartopy.feature import ShapelyFeature

    vertices, offsets = read_lines(name, "110m")
    indices = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    lines = shapely.linestrings(vertices, indices=indices)
    return ShapelyFeature([shapely.multilinestrings(lines)], PlateCarree())


def read_lines(name: str, resolution: str) -> tuple[Float64s, Labels]:
    """Return longitudes and latitudes (n, 2) in degrees, and the index where each line starts."""
    packaged = files("xvcluster") / "data" / f"natural_earth_{resolution}.npz"
    with as_file(packaged) as path, np.load(path) as archive:
        return archive[name] / 100, archive[f"{name.removesuffix('s')}_offsets"]
