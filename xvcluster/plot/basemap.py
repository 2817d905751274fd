"""Coastlines and borders on a map, without a network."""

from __future__ import annotations

import functools
import struct
import warnings
from collections.abc import Iterator
from http.client import HTTPException
from importlib.resources import as_file, files
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args
from zipfile import BadZipFile

import numpy as np

from xvcluster.arrays import Float64s, Labels
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.horizontal import unit_vectors
from xvcluster.messages import shown, warn
from xvcluster.plot.legend import inches

if TYPE_CHECKING:
    from cartopy.feature import Feature
    from cartopy.mpl.geoaxes import GeoAxes

Resolution = Literal["auto", "110m", "50m", "10m"]
Packaged = Literal["110m", "50m"]

FINE = 75.0
"""Kilometres in a millimetre of paper from which on lines at 1:110 million are fine enough."""

_PIECE = 200
"""Vertices of a line, at most: of a long coast, a map projects only what lies near it."""

# category and name in Natural Earth, as cartopy expects them
_CATEGORIES = {
    "coastlines": ("physical", "coastline"),
    "borders": ("cultural", "admin_0_boundary_lines_land"),
}


def add_basemap(
    ax: GeoAxes,
    *,
    resolution: Resolution = "auto",
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
    resolution : {"auto", "110m", "50m", "10m"}, default "auto"
        The scale of Natural Earth, 1:110 million and so on. "110m" and "50m" are part of the
        package and never need a network; "auto" chooses between them by the scale of the map as it
        is now: "50m" if 1 mm of paper shows less than 75 km. "10m" is downloaded once by cartopy;
        if that fails, a warning is given and "50m" is drawn.
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
    The packaged lines are those of Natural Earth 4.1, from the npm package world-atlas 2.0.2,
    without the seams that close polygons at ±180°; "110m" is rounded to 0.01°, "50m" to 0.005°.

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
    if resolution == "auto":
        resolution = choose_resolution(ax)
    wanted = {"coastlines": coastlines, "borders": borders}
    widths = {"coastlines": linewidth, "borders": linewidth / 2}
    for name, feature in _features([n for n in wanted if wanted[n]], resolution).items():
        look = {"edgecolor": color, "linewidth": widths[name], "capstyle": "round"}
        ax.add_feature(feature, facecolor="none", **look)
    return ax


def choose_resolution(ax: GeoAxes) -> Packaged:
    """Choose between the packaged lines by the scale of a map: kilometres on Earth per mm."""
    in_a_mm = float(np.max(_km_across(ax) / (25.4 * inches(ax))))
    return "50m" if in_a_mm < FINE else "110m"


def _km_across(ax: GeoAxes) -> Float64s:
    """Return the width and height of what a map shows, by the middle of steps across it."""
    from cartopy.crs import PlateCarree

    n = 16
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    x, y = np.meshgrid(np.linspace(left, right, n + 1), np.linspace(bottom, top, n + 1))
    with np.errstate(invalid="ignore"):
        lon, lat, _ = PlateCarree().transform_points(ax.projection, x, y).T
        at = unit_vectors(np.where(np.isfinite(lat), lat, np.nan), lon)
        steps = [np.linalg.norm(np.diff(at, axis=axis), axis=-1) for axis in (0, 1)]
    seen = [step[np.isfinite(step)] for step in steps]
    return np.array([n * EARTH_RADIUS_KM * np.median(step) if step.size else 0.0 for step in seen])


def _features(names: list[str], resolution: Resolution) -> dict[str, Feature]:
    """Return the lines as cartopy features, packaged ones if others cannot be read."""
    from cartopy.io.shapereader import shapefile

    if resolution != "10m":
        return {name: _packaged_feature(name, resolution) for name in names}
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
            f"({type(error).__name__}: {error}); they are drawn at 50m instead. "
            'Pass resolution="50m", or draw once with a network: cartopy keeps the files',
        )
        return {name: _packaged_feature(name, "50m") for name in names}


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
def _packaged_feature(name: str, resolution: Packaged) -> Feature:
    """Return the packaged lines; cached, because cartopy caches projected lines by identity."""
    import shapely
    from cartopy.crs import PlateCarree
    from cartopy.feature import Feature

    class Lines(Feature):  # type: ignore[misc]
        """Lines of which cartopy projects those that a map shows; of a ShapelyFeature, all."""

        def geometries(self) -> Iterator[Any]:
            """Iterate over all lines."""
            return iter(lines)

    vertices, offsets = read_lines(name, resolution)
    pieces = [
        vertices[first : min(first + _PIECE, end - 1) + 1]
        for start, end in pairwise(offsets)
        for first in range(start, end - 1, _PIECE)
    ]
    lines = [shapely.linestrings(piece) for piece in pieces]
    return Lines(PlateCarree())


def read_lines(name: str, resolution: Packaged) -> tuple[Float64s, Labels]:
    """Return longitudes and latitudes (n, 2) in degrees, and the index where each line starts.

    The last of these indices is n. `name` is "coastlines" or "borders".
    """
    packaged = files("xvcluster") / "data" / f"natural_earth_{resolution}.npz"
    with as_file(packaged) as path, np.load(path) as archive:
        vertices = np.cumsum(archive[name], axis=1).T / archive["per_degree"]
        return vertices, archive[f"{name.removesuffix('s')}_offsets"]
