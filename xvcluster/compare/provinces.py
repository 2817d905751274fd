"""Polygons with names, read from a GeoDataFrame into degrees from −180° to 180°."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from xvcluster.arrays import Booleans, Float64s, Indices, Integers, Objects
from xvcluster.compare.plane import KM2, lay_polygons, lay_rings, repair, wrap
from xvcluster.extras import require
from xvcluster.inputs import describe
from xvcluster.messages import plain, shown, warn

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

_DENSE_M = 20_000.0
"""Metres after which a straight edge of a map projection gets another point."""

_SLIVER = 0.01
"""Share of the smaller of two provinces that may lie in both: digitized borders rarely meet."""

_ROUNDING = 1e-6
"""A smaller share is not worth a warning."""

_MOST_NAMED = 20

_LENGTH, _WHOLE = 100, 1_000_000
"""Characters of a name as it is shown, and as it is compared with others."""

_POLYGON = 3
"""Of shapely's types of geometries."""


@dataclass(frozen=True, slots=True, eq=False)
class Provinces:
    """Polygons that do not overlap, one or several per province.

    Attributes
    ----------
    names : list of str
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
        In the plane of longitude in degrees, from −180 to 180, and the sine of latitude, in which
        areas are in proportion to those on the sphere; edges have so many points that they are as
        straight as in longitude and latitude.
    named_by : str
        The column that names them; "" for the index.
    """

    names: list[str]
    shapes: Objects
    named_by: str


def read_provinces(given: GeoDataFrame | GeoSeries, column: str | None = None) -> Provinces:
    """Read the provinces of a GeoDataFrame.

    Parameters
    ----------
    given : GeoDataFrame or GeoSeries
        Polygons in any coordinate reference system.
    column : str, optional
        The column that names them: rows of one name are one province, rows without a name none.
        Default: the only column of text; if there is none, the index, each row for itself.

    Raises
    ------
    TypeError
        If it is something else, or holds points or lines.
    ValueError
        If there is no such column, several could name the provinces, no polygon is left, they
        overlap, or coordinates are not known.

    Warns
    -----
    UserWarning
        If polygons are not valid and are repaired, overlap a little, or have an edge that may
        cross ±180° the wrong way.
    """
    geopandas = require("geopandas", "polygons need")
    import shapely

    if isinstance(given, geopandas.GeoSeries):
        given = geopandas.GeoDataFrame(geometry=given)
    if not isinstance(given, geopandas.GeoDataFrame):
        raise TypeError(
            "provinces must be a GeoDataFrame of polygons, a ClusterResult or a DataArray of "
            f"labels; got {_advise(given)}"
        )
    names, is_named, named_by = _find_names(given, column)
    shapes = given.geometry.to_numpy()  # whose `notna` tells of empty ones in a warning
    is_held = is_named & ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    if not is_held.any():
        raise ValueError(
            f"none of the {len(given)} rows of provinces has "
            f"{'a polygon' if not named_by else f'a polygon and a name in {named_by!r}'}"
        )
    names = names[is_held]
    geometry = _repair(_refuse_others(given.geometry[is_held]), names)
    distinct, number = _number(names, by_row=not named_by)
    parts, row = _lay_on_map(geometry, names)
    joined = _join(parts, number[row], len(distinct))
    if not any(shape.area > 0 for shape in joined):
        raise ValueError("the polygons of provinces have no area: all their corners are in a line")
    return Provinces(distinct, _without_overlaps(joined, distinct), named_by)


def show_names(names: Sequence[str]) -> list[str]:
    """Shorten names for a table or figure; one that others have already gets a number.

    Examples
    --------
    >>> show_names(["crust", "mantle", "crust", "crust (2)"])
    ['crust', 'mantle', 'crust (3)', 'crust (2)']
    """
    short = [plain(name, _LENGTH) for name in names]
    taken = set(short)
    found: dict[str, None] = {}  # in their order
    for name in short:
        others = (f"{name} ({number})" for number in count(2))
        alike = (other for other in others if other not in found and other not in taken)
        found[next(alike) if name in found else name] = None
    return list(found)


def _advise(given: Any) -> str:
    """Say what was given instead of a GeoDataFrame, and how to make one of it."""
    import pandas as pd
    import shapely

    kind = f"{type(given).__name__}. "
    if given is None:
        return 'None. Read a file of polygons, e.g. geopandas.read_file("provinces.gpkg")'
    if isinstance(given, pd.DataFrame | pd.Series):
        return (
            f"{kind}Say which of it are polygons, e.g. geopandas.GeoDataFrame(frame, geometry="
            "geopandas.GeoSeries.from_wkt(frame['wkt']), crs=4326)"
        )
    parts = given if isinstance(given, list | tuple | np.ndarray) else [given]
    if len(parts) and all(isinstance(part, shapely.Geometry) for part in parts):
        listed = "polygons" if parts is given else "[polygon]"
        return f"{kind}Say where it lies, e.g. geopandas.GeoSeries({listed}, crs=4326)"
    return describe(given, "geopandas.read_file")


def _find_names(frame: GeoDataFrame, column: str | None) -> tuple[Objects, Booleans, str]:
    """The name of each row, whether it has one, and the column that gives it."""
    columns = [name for name in frame.columns if name != frame.geometry.name]
    if column is None:
        texts = [name for name in columns if _is_text(frame[name])]
        if len(texts) > 1:
            raise ValueError(
                f"several columns could name the provinces: {_list(texts)}; choose one, e.g. "
                f"column={str(texts[0])!r}"
            )
        column = texts[0] if texts else None
    elif column not in columns:
        raise ValueError(
            f"provinces have no column {shown(column)}; their columns are "
            f"{_list(columns) or 'the geometry alone'}"
        )
    values = frame.index.to_series() if column is None else frame[column]
    text = [plain(_without_zeros(value), _WHOLE) for value in values]
    names = np.empty(len(text), dtype=object)
    names[:] = text
    is_named = values.notna().to_numpy() & (names != "")
    return names, is_named, "" if column is None else plain(column)


def _is_text(values: Any) -> bool:
    """Whether a column holds text, missing values aside."""
    held = values.dropna()
    return len(held) > 0 and all(isinstance(value, str) for value in held)


def _without_zeros(value: Any) -> Any:
    """A number that a column with gaps holds as 3.0 is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _list(names: Sequence[Any]) -> str:
    """Names in quotes, the first of many."""
    more = ", …" if len(names) > _MOST_NAMED else ""
    return ", ".join(repr(plain(name)) for name in names[:_MOST_NAMED]) + more


def _list_distinct(names: Objects) -> str:
    """Names in quotes, each once."""
    return _list(list(dict.fromkeys(names)))


def _number(names: Objects, *, by_row: bool) -> tuple[list[str], Integers]:
    """The distinct provinces as they are shown, in their order, and which one each row is."""
    keys = range(len(names)) if by_row else names
    distinct: dict[object, int] = {}
    number = np.array([distinct.setdefault(key, len(distinct)) for key in keys], dtype=np.int64)
    _, first = np.unique(number, return_index=True)
    return show_names(names[first].tolist()), number


def _refuse_others(geometry: GeoSeries) -> GeoSeries:
    """Refuse what is no polygon, and coordinates that are no degrees if nothing says what else."""
    kinds = geometry.geom_type
    others = kinds[~kinds.isin(["Polygon", "MultiPolygon"])]
    if len(others):
        raise TypeError(
            f"provinces must be polygons, but {len(others)} of {len(geometry)} are "
            f"{', '.join(sorted(set(others)))}; draw polygons around them, e.g. with "
            "frame.buffer(...) or shapely.polygonize, or leave them out"
        )
    west, south, east, north = bounds = geometry.total_bounds
    if not np.isfinite(bounds).all():
        raise ValueError("some coordinates of the polygons of provinces are NaN or infinite")
    if geometry.crs is None and not (west >= -360 and east <= 540 and max(-south, north) <= 90):
        raise ValueError(
            f"provinces have no coordinate reference system, and x from {west:g} to {east:g} and y "
            f"from {south:g} to {north:g} are no longitudes and latitudes; say what they are, e.g. "
            "frame.set_crs(26912)"
        )
    if geometry.crs is not None and geometry.crs.is_geographic:
        unit = float(np.degrees(geometry.crs.axis_info[0].unit_conversion_factor))
        _refuse_beyond_poles(south * unit, north * unit)
    return geometry


def _refuse_beyond_poles(south: float, north: float) -> None:
    """Refuse latitudes beyond ±90°, which the plane would fold back."""
    if max(-south, north) > 90.0 + _ROUNDING:
        raise ValueError(
            f"provinces have latitudes from {south:g} to {north:g}, but these lie between -90 and "
            "90; x is the longitude and y the latitude, so if they are swapped, turn them: "
            "frame.set_geometry(frame.geometry.map(lambda g: shapely.transform(g, lambda xy: "
            "xy[:, ::-1])))"
        )


def _repair(geometry: GeoSeries, names: Objects) -> GeoSeries:
    """Make polygons valid, and say of which."""
    import shapely

    is_valid = geometry.is_valid.to_numpy()
    if not is_valid.all():
        which = _list_distinct(names[~is_valid])
        why = plain(shapely.is_valid_reason(geometry.to_numpy()[~is_valid][0]), 100)
        warn(
            f"{np.count_nonzero(~is_valid)} of {len(geometry)} polygons of provinces are not valid "
            f"and are repaired with shapely.make_valid: {which} ({why})"
        )
        geometry = geometry.make_valid()
    return geometry


def _lay_on_map(geometry: GeoSeries, names: Objects) -> tuple[Objects, Indices]:
    """Bring polygons to the equal-area plane, cut at ±180°; also the row of each."""
    shapes, row, is_projected = _to_degrees(geometry)
    widest = _widest_edges(shapes)
    is_straight = ~((widest > 180.0) & (is_projected | (widest < 360.0 - _ROUNDING)))
    if not (is_projected or is_straight.all()):
        warn(
            f"edges of {_list_distinct(names[row[~is_straight]])} are longer than 180° of "
            "longitude, and are taken to pass through 0°; if they cross ±180°, cut the polygons "
            "there, or add 360° to longitudes west of it"
        )
        is_straight[:] = True
    parts, part = wrap(shapes[is_straight])
    turned = [_lay_around(shape) for shape in shapes[~is_straight]]
    rows = row[is_straight][part], *(row[~is_straight][[i]] for i in range(len(turned)))
    return np.concatenate([lay_polygons(parts), *turned]), np.concatenate(rows)


def _to_degrees(geometry: GeoSeries) -> tuple[Objects, Indices, bool]:
    """Single polygons in degrees, the row of each, and whether they come from a map projection."""
    import shapely

    is_projected = geometry.crs is not None and not geometry.crs.is_geographic
    if is_projected:  # where edges are straight
        metres = geometry.crs.axis_info[0].unit_conversion_factor
        geometry = geometry.segmentize(_DENSE_M / metres)
    if geometry.crs is not None:
        geometry = _transform(geometry)
    shapes = np.asarray(geometry.to_numpy(), dtype=object)
    if not np.isfinite(shapely.bounds(shapes)).all():
        raise ValueError(
            f"some polygons of provinces, in {plain(geometry.crs)}, have no place in latitude and "
            "longitude; cut them to where their projection holds"
        )
    _refuse_beyond_poles(*shapely.total_bounds(shapes)[[1, 3]].tolist())
    parts, row = shapely.get_parts(shapely.force_2d(shapes), return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)  # of collections, once repaired
    is_polygon = shapely.get_type_id(parts) == _POLYGON
    return parts[is_polygon], row[inner][is_polygon], bool(is_projected)


def _transform(geometry: GeoSeries) -> GeoSeries:
    """Bring geometries to longitude and latitude."""
    from pyproj.exceptions import ProjError

    crs = geometry.crs
    try:
        if crs.is_geocentric:
            raise ProjError("it has x, y and z from the centre of the Earth")
        return geometry.to_crs("EPSG:4326")
    except ProjError as error:
        raise ValueError(
            f"provinces in {plain(crs.name)!r} cannot be brought to latitude and longitude "
            f"({plain(error)}); give them in a map projection or in degrees, and say in which, "
            "e.g. frame.set_crs(26912, allow_override=True)"
        ) from error


def _widest_edges(shapes: Objects) -> Float64s:
    """The largest difference of longitude along an edge of each polygon."""
    import shapely

    rings, owner = shapely.get_rings(shapes, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    widths = np.abs(np.diff(points[:, 0])) * (np.diff(ring) == 0)
    widest = np.zeros(len(shapes))
    np.maximum.at(widest, owner[ring[1:]], widths)
    return widest


def _lay_around(polygon: Any) -> Objects:
    """Bring a polygon to the plane that a projection draws over ±180° or around a pole."""
    import shapely

    rings = [shapely.get_coordinates(ring)[:-1].T[:, None] for ring in shapely.get_rings(polygon)]
    outer, *inner = [shapely.union_all(lay_rings(*ring)[0]) for ring in rings]
    return np.array([shapely.difference(outer, shapely.union_all(inner))], dtype=object)


def _join(parts: Objects, number: Integers, n: int) -> Objects:
    """The union of the parts of each province."""
    import shapely

    order = np.argsort(number, kind="stable")
    ends = np.searchsorted(number[order], np.arange(n + 1))
    groups = [parts[order[start:end]] for start, end in pairwise(ends)]
    joined = np.empty(n, dtype=object)
    joined[:] = [g[0] if len(g) == 1 else shapely.union_all(g) for g in groups]
    return repair(joined)


def _without_overlaps(shapes: Objects, names: Sequence[str]) -> Objects:
    """Refuse provinces that overlap; the later of two loses a narrow strip that lies in both."""
    import shapely

    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    is_pair = one < other
    one, other = one[is_pair], other[is_pair]
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    share = shared / np.minimum(*(shapely.area(shapes[side]) for side in (one, other)))
    if share.max(initial=0.0) > _SLIVER:
        worst = int(share.argmax())
        first, second = (plain(names[side[worst]]) for side in (one, other))
        raise ValueError(
            f"the provinces {first!r} and {second!r} overlap by {KM2 * shared[worst]:,.0f} km², "
            f"{share[worst]:.0%} of the smaller one, but a place belongs to one province; cut one "
            "from the other, e.g. with first.difference(second), or choose a column whose rows do "
            "not overlap"
        )
    apart = shapes.copy()
    for i, j in zip(one[shared > 0], other[shared > 0], strict=True):
        apart[j] = shapely.difference(apart[j], shapes[i])
    if share.max(initial=0.0) > _ROUNDING:
        warn(
            f"provinces overlap by {KM2 * shared.sum():,.0f} km² along their borders, which count "
            "to the first of two"
        )
    return apart
