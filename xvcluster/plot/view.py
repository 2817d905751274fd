"""What a map shows of the Earth: its extent and projection, and their limits on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Float64s
from xvcluster.plot.geometry import Box, Geometry
from xvcluster.plot.projected import project

if TYPE_CHECKING:
    from cartopy.crs import Projection
    from matplotlib.path import Path

_ORDER = "give (west, east, south, north) in degrees, such as (-80, 0, 0, 70)"

_WEST, _EAST = -360.0, 540.0
"""Longitudes in any convention, and half a turn beyond it for extents across the seam."""

_NEAR_EDGE = 1e-8
"""Share of an extent: points so far within its edges lie on the right side of a map's rim."""


def check_extent(extent: Any) -> Box | None:
    """Return an extent as numbers, east of west; raise an error if it is none."""
    if extent is None:
        return None
    try:
        box = np.asarray(extent)
    except (TypeError, ValueError):  # a Dataset, or sequences of different lengths
        box = np.asarray(None)
    if box.dtype.kind not in "iuf":
        raise TypeError(f"extent={extent!r} does not consist of numbers; {_ORDER}")
    if box.shape != (4,):
        raise ValueError(f"extent={extent!r} is not four numbers; {_ORDER}")
    west, east, south, north = (float(value) for value in box)
    wrong = _wrong_with(west, east, south, north)
    if wrong:
        raise ValueError(
            f"extent={extent!r} {wrong}; {_ORDER}, or (170, -170, -20, 20) across ±180°"
        )
    return west, east + 360.0 * (east < west), south, north


def _wrong_with(west: float, east: float, south: float, north: float) -> str | None:
    """Return what is wrong with the numbers of an extent, or None."""
    if not np.isfinite([west, east, south, north]).all():
        return "contains numbers that are not finite"
    if min(south, north) < -90 or max(south, north) > 90:
        return "has latitudes beyond ±90"
    if min(west, east) < _WEST or max(west, east) > _EAST:
        return f"has longitudes that are not from {_WEST:g} to {_EAST:g}"
    if south >= north:
        return f"has its south, {south:g}, not below its north, {north:g}"
    if west == east or not -360 < east - west <= 360:
        return f"does not go from its west, {west:g}, eastward to {east:g} within one turn"
    return None


def check_projection(projection: Any) -> Projection | None:
    """Return a projection; raise an error that names what to pass if it is none."""
    import cartopy.crs as ccrs

    if projection is None or isinstance(projection, ccrs.Projection):
        return projection
    example = "Robinson"
    if isinstance(projection, type):
        given, wanted = f"the class {projection.__name__}", projection.__name__
    else:
        given, wanted = f"{projection!r} of type {type(projection).__name__}", str(projection)
    for name, known in vars(ccrs).items():
        is_projection = isinstance(known, type) and issubclass(known, ccrs.Projection)
        if is_projection and name.lower() == wanted.lower().replace(" ", "").replace("_", ""):
            example = name
    raise TypeError(
        f"projection is {given}; pass an instance of a projection, such as cartopy.crs.{example}()"
    )


def choose_projection(geometry: Geometry, box: Box | None = None) -> Projection:
    """The projection that suits a box or else the data: Robinson for the globe."""
    import cartopy.crs as ccrs

    if box is None and geometry.is_global:
        west, east, *_ = geometry.box
        return ccrs.Robinson(central_longitude=round((west + east) / 2))
    return regional_projection(box or geometry.box)


def regional_projection(box: Box) -> Projection:
    """The projection that suits a box: a conformal one, if it can be."""
    import cartopy.crs as ccrs

    west, east, south, north = box
    lon, lat = round((west + east) / 2, 2), round((south + north) / 2, 2)
    if abs(lat) > 50 and (east - west > 120 or max(-south, north) > 84):
        polar = ccrs.NorthPolarStereo if lat > 0 else ccrs.SouthPolarStereo
        return polar(central_longitude=lon)
    if max(-south, north) > 80:
        return ccrs.PlateCarree(central_longitude=lon)
    if abs(lat) < 20 or south < 0 < north or east - west > 120:
        return ccrs.Mercator(central_longitude=lon, min_latitude=-82.0, max_latitude=82.0)
    if north - south > (east - west) * np.cos(np.radians(lat)):
        return ccrs.TransverseMercator(central_longitude=lon, central_latitude=lat)
    sixth = (north - south) / 6
    return ccrs.LambertConformal(
        central_longitude=lon,
        central_latitude=lat,
        standard_parallels=(south + sixth, north - sixth),
        cutoff=-30 if lat > 0 else 30,
    )


def is_straight(projection: Projection) -> bool:
    """Whether a box of longitudes and latitudes is a rectangle in a projection."""
    import cartopy.crs as ccrs

    return isinstance(projection, (ccrs.PlateCarree, ccrs.Mercator, ccrs.Miller))


def graticule(low: float, high: float, n: int) -> Float64s:
    """About n round degrees within a range, longitudes within ±180° as cartopy expects."""
    steps = np.array([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120])
    step = float(steps[np.argmax(steps >= min((high - low) / n, 120.0))])
    ticks = np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1) * step
    return np.unique((ticks + 180) % 360 - 180 + 360 * ((ticks > 0) & (ticks % 360 == 180)))


def shape(
    geometry: Geometry, projection: Projection | None = None, box: Box | None = None
) -> float:
    """Width over height of a map, by default in the projection chosen for it."""
    projection = projection or choose_projection(geometry, box)
    left, right, bottom, top = limits(geometry, projection, box)
    return (right - left) / (top - bottom)


def limits(geometry: Geometry, projection: Projection, box: Box | None = None) -> Box:
    """Left, right, bottom and top, in a projection, of a box or else of the data."""
    (left, right), (bottom, top) = projection.x_limits, projection.y_limits
    if box is None and geometry.is_global:
        return left, right, bottom, top
    at, shown = project(projection, *_spread(geometry, box))
    if not shown.any():
        name = type(projection).__name__
        what = "the data" if box is None else f"extent={box}"
        raise ValueError(
            f"{name} shows nothing of {what}; pass a projection that is centred on them, such as "
            f"cartopy.crs.{name}(central_longitude=..., central_latitude=...), or omit it"
        )
    low = np.clip(at[shown].min(axis=0), (left, bottom), (right, top))
    high = np.clip(at[shown].max(axis=0), (left, bottom), (right, top))
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def _spread(geometry: Geometry, box: Box | None) -> Float64s:
    """Longitudes and latitudes around and within a box, or the corners of a curvilinear grid."""
    if box is None and geometry.follows_corners:
        grids = [(geometry.x, geometry.y)]
    else:
        west, east, south, north = box or geometry.box
        dx, dy = _NEAR_EDGE * (east - west), _NEAR_EDGE * (north - south)
        grids = [_mesh((west, east, south, north))]
        grids += [_mesh((west + dx, east - dx, south + dy, north - dy))]
    inner = (_thin(at, 37) for at in grids[-1])
    points = [*((_ring(lon), _ring(lat)) for lon, lat in grids), tuple(inner)]
    return np.concatenate(points, axis=1)


def _mesh(box: Box) -> tuple[Float64s, Float64s]:
    """Longitudes and latitudes spread evenly over a box."""
    west, east, south, north = box
    lon, lat = np.meshgrid(np.linspace(west, east, 181), np.linspace(south, north, 91))
    return lon, lat


def _thin(values: Float64s, n: int) -> Float64s:
    """About n times n values of a grid, evenly spread."""
    rows, columns = (np.linspace(0, size - 1, n).astype(int) for size in values.shape)
    thinned: Float64s = values[np.ix_(rows, columns)].ravel()
    return thinned


def frame_path(geometry: Geometry, projection: Projection, box: Box | None = None) -> Path:
    """The edge of what a regional map shows: the box, or the outer corners of the cells."""
    import cartopy.crs as ccrs
    from matplotlib.path import Path

    west, east, south, north = box or geometry.box
    lon, lat = _mesh((west, east, south, north))
    curve = _ring(lon), _ring(lat)
    if east - west >= 359 and isinstance(projection, ccrs.Stereographic):
        rim = 0 if projection.proj4_params["lat_0"] > 0 else -1
        curve = lon[rim], lat[rim]
    points = projection.transform_points(ccrs.PlateCarree(), *curve)[:, :2]
    return Path(points[np.isfinite(points).all(axis=1)])


def _ring(corners: Float64s) -> Float64s:
    """The outer corners of a grid, one after the other."""
    return np.concatenate([corners[0], corners[:, -1], corners[-1, ::-1], corners[::-1, 0]])
