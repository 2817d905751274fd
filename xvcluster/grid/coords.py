"""The names and units of coordinates: which is the vertical, latitude or longitude."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from xvcluster.messages import plain, shown

_VERTICAL_NAMES = frozenset(
    "depth depths dep z zdim zc zlev lev level levels layer deptht depthu depthv depthw st_ocean "
    "olevel pressure pres plev isobaric radius elevation altitude height alt n_levels bottom_top "
    "bottom_top_stag s_rho s_w sigma siglay siglev".split()
)
_UPWARD_WORDS = frozenset(
    "radius elevation elevations elev altitude altitudes alt height heights hgt".split()
)
_DOWNWARD_WORDS = frozenset("depth depths pressure".split())
_UPWARD_NAMES = frozenset("bottom_top bottom_top_stag s_rho s_w".split())
_PRESSURES = frozenset("pa hpa kpa megapa gpa bar dbar atm".split())
_LATITUDE_NAMES = frozenset(
    "latitude latitudes lat lats nav_lat xlat xlat_m xlat_u xlat_v glat clat elat vlat tlat ulat "
    "geolat geolat_t geolat_u geolat_v geolat_c gphit gphiu gphiv gphif lat_rho lat_u lat_v "
    "lat_psi latc lat2d latcell latedge latvertex y yc yg".split()
)
_LONGITUDE_NAMES = frozenset(
    "longitude longitudes lon lons long nav_lon xlong xlong_m xlong_u xlong_v glon clon elon vlon "
    "tlon tlong ulon ulong geolon geolon_t geolon_u geolon_v geolon_c glamt glamu glamv glamf "
    "lon_rho lon_u lon_v lon_psi lonc lon2d loncell lonedge lonvertex x xc xg".split()
)
Kind = Literal["latitude", "longitude"]
Described = Mapping[str, Sequence[Hashable]]
"""Names of coordinates by what CF attributes call them: X, Y, Z, T, longitude, vertical, …"""
_KINDS: dict[Kind, tuple[frozenset[str], float]] = {
    "latitude": (_LATITUDE_NAMES, 90.001),
    "longitude": (_LONGITUDE_NAMES, 720.0),
}
"""Their names, and the largest value that can be degrees: some files have longitudes of 400."""
_BARE_NAMES = frozenset("x y xc yc xg yg".split())
"""These may also be kilometres, or count the cells."""
_RADIAN_NAMES = frozenset(
    "clat clon elat elon vlat vlon latcell loncell latedge lonedge latvertex lonvertex".split()
)
"""These are radians where they have no units (ICON, MPAS)."""
_TURNED_NAMES = frozenset("rlat rlon grid_latitude grid_longitude".split())
"""Of a rotated pole, as are coordinates of these standard names: no places on the Earth."""
_PROJECTED = frozenset(
    "grid_latitude grid_longitude projection_x_coordinate projection_y_coordinate "
    "projection_x_angular_coordinate projection_y_angular_coordinate".split()
)
_LIST_NAMES = frozenset(
    "profile profiles n_prof n_profiles iprof point points station stations cast sample obs cell "
    "cells ncells ncol node nodes nele nod2 location".split()
)
_HORIZONTAL_NAMES = (
    _LATITUDE_NAMES
    | _LONGITUDE_NAMES
    | _TURNED_NAMES
    | frozenset(
        "xi_rho eta_rho xh yh i j ni nj nlat nlon easting northing south_north west_east xdim ydim "
        "nf face tile time t date".split()
    )
    | _LIST_NAMES
)
_LENGTHS = frozenset("m km cm mm ft mi nmi".split())
_SAME_WORDS = {
    spelled: unit
    for unit, others in {
        "m": "meter meters metre metres",
        "km": "kilometer kilometers kilometre kilometres",
        "cm": "centimeter centimeters centimetre centimetres",
        "mm": "millimeter millimeters millimetre millimetres",
        "ft": "foot feet",
        "s": "sec secs second seconds",
        "min": "minute minutes",
        "h": "hr hrs hour hours",
        "d": "day days",
        "yr": "year years",
        "g": "gram grams gramme grammes gm",
        "kg": "kilogram kilograms kilogramme kilogrammes",
        "mg": "milligram milligrams",
        "ug": "microgram micrograms",
        "mol": "mole moles",
        "mmol": "millimol millimole millimoles",
        "umol": "micromol micromole micromoles",
        "pa": "pascal pascals",
        "hpa": "hectopascal hectopascals mbar millibar millibars mb",
        "kpa": "kilopascal kilopascals",
        "megapa": "megapascal megapascals",
        "gpa": "gigapascal gigapascals",
        "bar": "bars",
        "dbar": "decibar decibars",
        "j": "joule joules",
        "w": "watt watts",
        "n": "newton newtons",
        "v": "volt volts",
        "hz": "hertz",
        "celsius": "degc",
        "k": "kelvin kelvins degk",
        "degree": "degrees deg °",
        "rad": "radian radians",
        "%": "percent pct percentage",
        "": "1 none unitless dimensionless nondimensional - fraction",
    }.items()
    for spelled in others.split()
}
"""Words for the same unit on the same scale, in lower case."""
_SAME_TEXTS = {
    text: unit
    for unit, others in {
        "1e-3": "g kg-1|0.001|1e-03|1.e-3|1.0e-3|‰|permil|per mille|psu|p.s.u.|pss|pss-78|pss78|"
        "practical salinity unit|practical salinity units",
        "celsius": "c|degreec|degreesc|celcius",
        "%": "per cent",
        "": "no units|n/a|1.0",
    }.items()
    for text in others.split("|")
}
"""Whole texts for the same unit on the same scale, in lower case."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Names of the vertical dimension and of the coordinates of latitude and longitude."""

    vertical: str | None
    latitude: str | None
    longitude: str | None


def find_axes(data: xr.DataArray | xr.Dataset, dim: Hashable | None = None) -> Axes:
    """Find the vertical dimension and the coordinates of latitude and longitude.

    They are recognized by the argument, then by CF attributes, then by name, whatever its case.

    Parameters
    ----------
    data : DataArray or Dataset
        On a grid or at loose points.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred or should be another one.

    Returns
    -------
    Axes
        ``vertical`` is None if every dimension is horizontal or time.

    Raises
    ------
    ValueError
        If two dimensions could be the vertical, if none is but a dimension is not recognized as
        horizontal, or if `dim` is not a dimension of the data.

    Examples
    --------
    >>> find_axes(xr.DataArray(np.zeros((2, 3, 4)), dims=("Dep", "lat", "lon"))).vertical
    'Dep'
    """
    data = data if isinstance(data, xr.DataArray) else with_coordinates(data)
    described = _described(data)
    latitude, longitude = find_horizontal(data, described)
    if dim is not None:
        is_hashable: bool = isinstance(dim, Hashable)
        if not is_hashable or dim not in data.dims:
            raise ValueError(
                f"dim={shown(dim)} is not a dimension of the data, which has {_dims(data)}"
            )
        latitude, longitude = (
            name if name and dim not in _lasting_dims(data, name, dim) else None
            for name in (latitude, longitude)
        )
        return Axes(str(dim), latitude, longitude)
    placed = {d for name in (latitude, longitude) if name for d in data[name].dims}
    return Axes(_vertical_dimension(data, placed, described), latitude, longitude)


def find_horizontal(
    data: xr.DataArray | xr.Dataset, described: Described | None = None
) -> tuple[str | None, str | None]:
    """Find the names of the coordinates of latitude and longitude, None if there is none.

    Those that the attribute ``coordinates`` of the variables names win, then those that CF
    attributes describe, then those with a usual name. Of a coordinate in one dimension and one in
    two or more, the latter is the true one, and the former nominal.
    """
    described = _described(data) if described is None else described
    latitude, longitude = (_horizontal_coordinate(data, kind, described) for kind in _KINDS)
    # a bare y is not a latitude without an x in degrees, and vice versa
    if None in (latitude, longitude) and {_lower(latitude), _lower(longitude)} & _BARE_NAMES:
        return None, None
    return latitude, longitude


def with_coordinates(dataset: xr.Dataset) -> xr.Dataset:
    """Make coordinates of the bounds, latitudes and grid mappings among a file's variables."""
    import cf_xarray  # noqa: F401  (registers .cf)

    attributes = [v.attrs | v.encoding for v in dataset.variables.values()]
    named = {a[n] for a in attributes for n in ("bounds", "grid_mapping") if n in a}
    standard_names = dataset.cf.standard_names
    named.update(*(standard_names.get(kind, ()) for kind in _KINDS))
    full = (_LATITUDE_NAMES | _LONGITUDE_NAMES) - _BARE_NAMES
    for name, variable in dataset.data_vars.items():
        is_named = variable.ndim and _lower(name) in full and _is_degrees(variable, np.inf)
        if is_named or units(variable).lower().endswith(("_north", "_east")):
            named.add(name)
    return dataset.set_coords([n for n in dataset.data_vars if n in named])


def other_places(data: xr.DataArray | xr.Dataset) -> set[Hashable]:
    """Find latitudes and longitudes that are not those of the data, such as of cells' corners.

    Only the attribute ``coordinates`` of the variables distinguishes them from the right ones.
    """
    others: set[Hashable] = set()
    named = _named(data)
    for kind in _KINDS if named else ():
        found = {n for names in _candidates(data, kind, _described(data)) for n in names}
        declared = found & named
        others |= {n for n in found - declared - {*data.dims} if declared}
    return others


def unreadable_places(data: xr.DataArray | xr.Dataset) -> list[Hashable]:
    """Find what is named latitude or longitude but is text, or complex."""
    names = (_LATITUDE_NAMES | _LONGITUDE_NAMES) - _BARE_NAMES
    return [n for n, c in data.coords.items() if _lower(n) in names and c.dtype.kind not in "fiu"]


def absent_places(data: xr.DataArray | xr.Dataset) -> list[str]:
    """Find latitudes and longitudes that the variables name but the data do not hold."""
    arrays = [data] if isinstance(data, xr.DataArray) else list(data.data_vars.values())
    named = " ".join(str(a.attrs.get("coordinates", "")) for a in arrays).split()
    names = (_LATITUDE_NAMES | _LONGITUDE_NAMES) - _BARE_NAMES
    return [n for n in dict.fromkeys(named) if _lower(n) in names and n not in data.coords]


def at_rest(data: xr.DataArray | xr.Dataset, name: Hashable) -> xr.DataArray:
    """Take a coordinate without the dimension of time, along which it must not change.

    At most eight times are compared, as files hold such a coordinate once for every time.

    Raises
    ------
    ValueError
        If it changes along time.
    """
    coordinate = data[name]
    for dim in coordinate.dims:
        if coordinate.ndim > 1 and is_time(data, dim):
            first = coordinate.isel({dim: 0}, drop=True)
            if not _is_constant(coordinate, dim):
                raise ValueError(
                    f"{str(name)!r} changes along {str(dim)!r}, so that the profiles of one place "
                    f"of the array lie at several on the Earth; select one time, e.g. "
                    f"data.isel({dim}=0), or stack all of them as loose points, e.g. "
                    f"data.stack(point={tuple(map(str, coordinate.dims))}).reset_index('point')"
                )
            coordinate = first.reset_coords(drop=True)
    return coordinate


def _lasting_dims(data: xr.DataArray | xr.Dataset, name: Hashable, dim: Hashable) -> set[Hashable]:
    """The dimensions of a coordinate without `dim`, if that is time and the coordinate constant."""
    dims = set(data[name].dims)
    if len(dims) > 1 and dim in dims and is_time(data, dim) and _is_constant(data[name], dim):
        dims.remove(dim)
    return dims


def _is_constant(coordinate: xr.DataArray, dim: Hashable) -> bool:
    """Whether a coordinate has the same values at all of eight places along a dimension."""
    places = np.unique(np.linspace(0, coordinate.sizes[dim] - 1, 8).astype(int))
    first = np.asarray(coordinate.isel({dim: 0}).values)
    others = (np.asarray(coordinate.isel({dim: i}).values) for i in places[1:].tolist())
    is_number = first.dtype.kind == "f"
    return all(np.array_equal(first, other, equal_nan=is_number) for other in others)


def refuse_empty(data: xr.DataArray | xr.Dataset) -> None:
    """Refuse data with a dimension of length 0, such as a selection that found nothing."""
    empty = [str(d) for d, n in data.sizes.items() if n == 0]
    if empty:
        raise ValueError(
            f"the data are empty: dimension {empty[0]!r} has length 0. A selection such as "
            "data.sel(latitude=slice(40, 50)) must run in the direction of its axis"
        )


def _described(data: xr.DataArray | xr.Dataset) -> Described:
    """The names of coordinates that CF attributes describe, by axis or kind."""
    import cf_xarray  # noqa: F401  (registers .cf)

    return {**data.cf.axes, **data.cf.coordinates}


def _vertical_dimension(
    data: xr.DataArray | xr.Dataset, placed: set[Hashable], described: Described
) -> str | None:
    """Find the vertical dimension, by CF attributes before names; None for a plain raster."""
    arrays = [data] if isinstance(data, xr.DataArray) else list(data.data_vars.values())
    used = {d for a in arrays if a.dtype.kind in "fiu" for d in a.dims} - placed
    free = [d for d in data.dims if d in used and _lower(d) not in {"latitude", "longitude"}]
    cf_vertical = {*described.get("Z", ()), *described.get("vertical", ())}
    by_cf = [d for d in free if d in cf_vertical]
    by_name = [d for d in free if _lower(d) in _VERTICAL_NAMES]
    candidates = by_cf or by_name
    if len(candidates) > 1:
        raise ValueError(
            f"two dimensions could be the vertical: {_listed(candidates)}. "
            f"Choose one, e.g. dim={str(candidates[0])!r}, or select one level of the other"
        )
    if candidates:
        return str(candidates[0])
    unknown = [d for d in free if not _is_horizontal_name(data, d, described)]
    along_depths = [d for d in unknown if _has_depths(data, d, cf_vertical)]
    if len(along_depths) == 1:
        return str(along_depths[0])
    if unknown:
        raise ValueError(
            f"no vertical dimension found: {_dims(data)} with {_listed(unknown)} neither a known "
            "name of a vertical (depth, z, lev, pressure, ...) nor described by CF attributes. "
            f"Pass dim={str(unknown[0])!r} if that is the vertical, or select one index of it"
        )
    return None


def _has_depths(data: xr.DataArray | xr.Dataset, dim: Hashable, cf_vertical: set[Hashable]) -> bool:
    """Whether a coordinate along a dimension, but not of its name, holds depths or heights."""
    along = [n for n, c in data.coords.items() if c.dims == (dim,)]
    return any(n in cf_vertical or _lower(n) in _VERTICAL_NAMES for n in along)


def _is_horizontal_name(
    data: xr.DataArray | xr.Dataset, dim: Hashable, described: Described
) -> bool:
    """Whether a dimension is recognized as horizontal or as time."""
    by_cf = {n for axis in "XYT" for n in described.get(axis, ())}
    return _lower(dim) in _HORIZONTAL_NAMES or dim in by_cf or is_time(data, dim)


def is_time(data: xr.DataArray | xr.Dataset, dim: Hashable) -> bool:
    """Whether a dimension is time, by its name or its values."""
    has_dates = dim in data.coords and data[dim].dtype.kind in "mM"
    return has_dates or _lower(dim) in {"time", "t", "date"} or "time" in _lower(dim).split("_")


def is_list(dim: Hashable) -> bool:
    """Whether points along a dimension are listed in any order, by its name."""
    return _lower(dim) in _LIST_NAMES


def _horizontal_coordinate(
    data: xr.DataArray | xr.Dataset, kind: Kind, described: Described
) -> str | None:
    """Name of the coordinate of latitude or longitude along the data's dimensions, if any."""
    by_cf, by_name = _candidates(data, kind, described)
    declared = _named(data)
    candidates: list[Hashable] = [n for n in dict.fromkeys([*by_cf, *by_name]) if n in declared]
    if not candidates:
        candidates = _without_nominal(data, by_cf, by_name) or by_cf or by_name
    if len(candidates) > 1:
        own = [n for n in candidates if n in data.dims]
        if len(own) != 1:
            raise ValueError(
                f"two coordinates could be the {kind}: {_listed(candidates)}. "
                f"Drop all but one, e.g. data.drop_vars({str(candidates[1])!r})"
            )
        candidates = own
    return str(candidates[0]) if candidates else None


def _candidates(
    data: xr.DataArray | xr.Dataset, kind: Kind, described: Described
) -> tuple[list[Hashable], list[Hashable]]:
    """Coordinates along the data's dimensions that CF attributes, and that names, call so."""
    arrays = [data] if isinstance(data, xr.DataArray) else list(data.data_vars.values())
    dims = {d for array in arrays for d in array.dims} or set(data.dims)
    on_data = {n: c for n, c in data.coords.items() if c.ndim and set(c.dims) <= dims}
    on_earth = {n: c for n, c in on_data.items() if not _is_projected(c)}
    cf_names = described.get(kind, ())
    by_cf = [n for n in on_earth if n in cf_names]
    names, limit = _KINDS[kind]
    by_name = [n for n, c in on_earth.items() if _lower(n) in names and _is_degrees(c, limit)]
    # a full name (lat) is clearer than a bare y, which may also be kilometres or count the cells
    bare = [n for n in by_name if _is_bare(n) and not _may_count(on_earth[n].variable)]
    return by_cf, [n for n in by_name if not _is_bare(n)] or bare


def _without_nominal(
    data: xr.DataArray | xr.Dataset, by_cf: list[Hashable], by_name: list[Hashable]
) -> list[Hashable]:
    """Coordinates in two or more dimensions, if those in one lie along these; else none."""
    both = [*by_cf, *(n for n in by_name if n not in by_cf and not _is_bare(n))]
    full = [n for n in both if data[n].ndim > 1]
    covered = {d for n in full for d in data[n].dims}
    is_covering = all(set(data[n].dims) <= covered for n in both)
    return full if is_covering else []


def _named(data: xr.DataArray | xr.Dataset) -> set[str]:
    """Names in the attribute ``coordinates`` of the variables."""
    arrays = [data] if isinstance(data, xr.DataArray) else list(data.data_vars.values())
    found = (a.attrs.get("coordinates") or a.encoding.get("coordinates") for a in arrays)
    return {name for text in found if isinstance(text, str) for name in text.split()}


def _is_projected(coordinate: xr.DataArray) -> bool:
    """Whether a coordinate is that of a rotated pole or a projection."""
    standard_name = _lower(coordinate.attrs.get("standard_name", ""))
    return standard_name in _PROJECTED or (
        _lower(coordinate.name) in _TURNED_NAMES and standard_name not in {"latitude", "longitude"}
    )


def _is_bare(name: Hashable) -> bool:
    return _lower(name) in _BARE_NAMES


def farthest(kind: Kind) -> float:
    """The largest number of degrees that a latitude or longitude can have."""
    return _KINDS[kind][1]


def is_radians(coordinate: xr.DataArray) -> bool:
    """Whether a coordinate is in radians: by its units, without these by its name."""
    given = canonical_units(units(coordinate))
    return given == "rad" or (not given and _lower(coordinate.name) in _RADIAN_NAMES)


def _is_degrees(coordinate: xr.DataArray, limit: float) -> bool:
    """Whether values of a coordinate of such a name are degrees or radians.

    Only a bare y or x must say so by its units, or without these by its range.
    """
    if coordinate.dtype.kind not in "fiu":
        return False
    given = units(coordinate).lower()
    if not _is_bare(coordinate.name):
        return canonical_units(given) not in _LENGTHS
    if given:
        return "deg" in given or "°" in given
    values = np.abs(np.asarray(coordinate.values, dtype=float))
    return bool(np.nanmax(values, initial=0.0) <= limit)


def _may_count(coordinate: xr.Variable) -> bool:
    """Whether values without units count the cells (0, 1, 2, …), or exceed a turn of the Earth."""
    if coordinate.attrs.get("units") or coordinate.ndim != 1:
        return False
    values = np.sort(np.asarray(coordinate.values, dtype=float))
    counts = values[0] in (0.0, 1.0) and bool(np.all(np.diff(values) == 1.0))
    return counts or bool(np.ptp(values) > 361.0)


def positive(vertical: xr.DataArray | xr.Variable) -> str:
    """Find whether a vertical coordinate increases "down" (depth) or "up" (elevation).

    Pressure increases downwards, and what is negative everywhere, or 0 at the surface, increases
    upwards, whatever the file says. Otherwise the attribute ``positive`` decides; without it the
    standard_name, name or long_name: radius, elevation, altitude and height increase upwards,
    anything else downwards.
    """
    low, high = _range(vertical)
    return "up" if low < 0 >= high else _declared(vertical)


def is_same_direction(one: xr.DataArray, other: xr.DataArray) -> bool:
    """Whether two vertical coordinates increase in the same direction.

    If one has both signs, the other may be the part of it below zero: only what is said of them
    counts then.
    """
    if any(low < 0 < high for low, high in map(_range, (one, other))):
        return _declared(one) == _declared(other)
    return positive(one) == positive(other)


def _declared(vertical: xr.DataArray | xr.Variable) -> str:
    """Find whether a vertical coordinate increases "down" or "up" by its attributes and name."""
    name = str(getattr(vertical, "name", "") or vertical.dims[0])
    texts = [str(vertical.attrs.get(key, "")) for key in ("standard_name", "long_name")]
    if texts[0].endswith("pressure") or canonical_units(units(vertical)) in _PRESSURES:
        return "down"
    said = str(vertical.attrs.get("positive", "")).strip().lower()
    if said in {"up", "down"}:
        return said
    for text in (texts[0], name, texts[1]):
        words = set(re.findall("[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()))
        if words & _DOWNWARD_WORDS:
            return "down"
        if words & _UPWARD_WORDS:
            return "up"
    return "up" if _lower(name) in _UPWARD_NAMES else "down"


def _range(vertical: xr.DataArray | xr.Variable) -> tuple[float, float]:
    """Lowest and highest value of a coordinate; NaN if it is not numeric."""
    if vertical.dtype.kind not in "fiu" or not vertical.size:
        return np.nan, np.nan
    values = np.asarray(vertical.values, dtype=np.float64)
    return float(np.fmin.reduce(values, None)), float(np.fmax.reduce(values, None))


def units(variable: xr.DataArray | xr.Variable) -> str:
    """Units of a variable without extra spaces; empty if it has none."""
    return plain(variable.attrs.get("units", ""))


_SIGNS = str.maketrans(
    {
        **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--", strict=True)),
        **dict.fromkeys("·⋅×*", " "),
        **dict.fromkeys("µμ", "u"),
        **dict.fromkeys("º˚", "°"),
        **dict.fromkeys("[]", " "),
        "℃": "°C",
    }
)
_MEGA = re.compile(r"\bM(?=(Pa|W|J|Hz|m|g|mol)\b)")
_TEMPERATURE = re.compile(r"(?:\bdeg(?:rees?)?|°)[ _.]*(celsius|celcius|c|kelvin|k|f|fahrenheit)\b")


def canonical_units(text: str) -> str:
    """Spell units in one way, whether they are written km/s, km.s-1 or kilometer sec^-1.

    Units of another scale stay apart: hPa and mbar are the same, MPa and mPa are not.

    Examples
    --------
    >>> {canonical_units(u) for u in ("km/s", "km.s-1", " kilometer sec^-1", "KM s**-1")}
    {'km s-1'}
    >>> {canonical_units(u) for u in ("degC", "degrees_Celsius", "°C")}
    {'celsius'}
    """
    text = _MEGA.sub("mega", text.replace("**", "").translate(_SIGNS)).lower().replace("^", "")
    text = _TEMPERATURE.sub(lambda m: m[1] if len(m[1]) > 1 else f"deg{m[1]}", text)
    text = re.sub(r"\bper\b(?! cent| mil)", "/", text)
    # kg/(m2 s) is kg/m2/s, (m/s) is m/s, but km (bsl) is km
    text = re.sub(r"/ ?\(([^()]*)\)", lambda m: "/" + "/".join(m[1].split()), text)
    text = re.sub(r"\([^()]*\)", " ", text) if not text.strip().startswith("(") else text
    text = " ".join(text.replace("(", " ").replace(")", " ").split())
    if text in _SAME_TEXTS:
        return _SAME_TEXTS[text]
    text = re.sub(r"/ ?([a-z°%]+)(-?\d*)", lambda m: f" {m[1]}-{m[2] or 1}", text)
    powers: dict[str, int] = {}
    for word in re.split(r"[ .]+", text):
        parts = re.fullmatch(r"([a-z_°%]+)((?:-?\d{1,3})?)", word)
        name, power = (parts[1], int(parts[2] or 1)) if parts else (word, 1)
        name = _SAME_WORDS.get(name, name)
        powers[name] = powers.get(name, 0) + power
    spelled = " ".join(f"{n}{'' if p == 1 else p}" for n, p in sorted(powers.items()) if n and p)
    return _SAME_TEXTS.get(spelled, spelled)


def _lower(name: Any) -> str:
    return str(name).strip().lower()


def _listed(names: Iterable[Hashable]) -> str:
    return ", ".join(repr(str(n)) for n in names)


def _dims(data: xr.DataArray | xr.Dataset) -> str:
    return f"dimensions ({_listed(data.dims)})"
