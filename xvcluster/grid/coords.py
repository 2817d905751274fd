"""The names and units of coordinates: which is the vertical, latitude or longitude."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

_VERTICAL_NAMES = frozenset(
    "depth depths dep z zdim zc zlev lev level levels layer deptht depthu depthv depthw st_ocean "
    "olevel pressure pres plev isobaric radius elevation altitude height alt n_levels bottom_top "
    "bottom_top_stag s_rho s_w sigma siglay siglev".split()
)
_UPWARD_NAMES = frozenset("radius elevation altitude height alt".split())
_LATITUDE_NAMES = frozenset("latitude latitudes lat lats nav_lat xlat glat y".split())
_LONGITUDE_NAMES = frozenset("longitude longitudes lon lons long nav_lon xlong glon x".split())
_HORIZONTAL_NAMES = frozenset(
    "x y xc yc xi_rho eta_rho xh yh i j ni nj nlat nlon rlat rlon easting northing time t date "
    "profile profiles n_prof n_profiles point points station stations cast sample obs cell cells "
    "ncells ncol location".split()
)
_SAME_UNITS = {
    **dict.fromkeys("kilometer kilometers kilometre kilometres".split(), "km"),
    **dict.fromkeys("meter meters metre metres".split(), "m"),
    **dict.fromkeys("sec second seconds".split(), "s"),
    "percent": "%",
    "1": "",
}


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
    latitude, longitude = find_horizontal(data)
    if dim is not None:
        if dim not in data.dims:
            raise ValueError(f"dim={dim!r} is not a dimension of the data, which has {_dims(data)}")
        latitude, longitude = (
            name if name and dim not in data[name].dims else None for name in (latitude, longitude)
        )
        return Axes(str(dim), latitude, longitude)
    placed = {d for name in (latitude, longitude) if name for d in data[name].dims}
    return Axes(_vertical_dimension(data, placed), latitude, longitude)


def find_horizontal(data: xr.DataArray | xr.Dataset) -> tuple[str | None, str | None]:
    """Find the names of the coordinates of latitude and longitude, None if there is none."""
    latitude = _horizontal_coordinate(data, "latitude", _LATITUDE_NAMES, limit=90.001)
    longitude = _horizontal_coordinate(data, "longitude", _LONGITUDE_NAMES, limit=720.0)
    # a bare y is not a latitude without an x in degrees, and vice versa
    if (latitude is None or longitude is None) and {latitude, longitude} & {"x", "y", "X", "Y"}:
        return None, None
    return latitude, longitude


def with_coordinates(dataset: xr.Dataset) -> xr.Dataset:
    """Make coordinates of the bounds, latitudes and grid mappings among a file's variables."""
    import cf_xarray  # noqa: F401  (registers .cf)

    attributes = [v.attrs | v.encoding for v in dataset.variables.values()]
    named = {a[n] for a in attributes for n in ("bounds", "grid_mapping") if n in a}
    for kind, unit in (("latitude", "_north"), ("longitude", "_east")):
        named |= set(dataset.cf.standard_names.get(kind, []))
        named |= {n for n, v in dataset.data_vars.items() if units(v).lower().endswith(unit)}
    return dataset.set_coords([n for n in dataset.data_vars if n in named])


def refuse_empty(data: xr.DataArray | xr.Dataset) -> None:
    """Refuse data with a dimension of length 0, such as a selection that found nothing."""
    empty = [str(d) for d, n in data.sizes.items() if n == 0]
    if empty:
        raise ValueError(
            f"the data are empty: dimension {empty[0]!r} has length 0. A selection such as "
            "data.sel(latitude=slice(40, 50)) must run in the direction of its axis"
        )


def _vertical_dimension(data: xr.DataArray | xr.Dataset, placed: set[Hashable]) -> str | None:
    """Find the vertical dimension, by CF attributes before names; None for a plain raster."""
    import cf_xarray  # noqa: F401  (registers .cf)

    arrays = [data] if isinstance(data, xr.DataArray) else list(data.data_vars.values())
    used = {d for a in arrays if a.dtype.kind in "fiu" for d in a.dims} - placed
    free = [d for d in data.dims if d in used and _lower(d) not in {"latitude", "longitude"}]
    cf_vertical = {*data.cf.axes.get("Z", []), *data.cf.coordinates.get("vertical", [])}
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
    unknown = [d for d in free if not _is_horizontal_name(data, d)]
    if unknown:
        raise ValueError(
            f"no vertical dimension found: {_dims(data)} with {_listed(unknown)} neither a known "
            "name of a vertical (depth, z, lev, pressure, ...) nor described by CF attributes. "
            f"Pass dim={str(unknown[0])!r} if that is the vertical, or select one index of it"
        )
    return None


def _is_horizontal_name(data: xr.DataArray | xr.Dataset, dim: Hashable) -> bool:
    """Whether a dimension is recognized as horizontal or as time."""
    known = _HORIZONTAL_NAMES | _LATITUDE_NAMES | _LONGITUDE_NAMES
    by_cf = {n for axis in "XYT" for n in data.cf.axes.get(axis, [])}
    return _lower(dim) in known or dim in by_cf or is_time(data, dim)


def is_time(data: xr.DataArray | xr.Dataset, dim: Hashable) -> bool:
    """Whether a dimension is time, by its name or its values."""
    has_dates = dim in data.coords and data[dim].dtype.kind in "mM"
    return has_dates or _lower(dim) in {"time", "t", "date"}


def _horizontal_coordinate(
    data: xr.DataArray | xr.Dataset, kind: str, names: frozenset[str], limit: float
) -> str | None:
    """Name of the coordinate of latitude or longitude along the data's dimensions, if any."""
    import cf_xarray  # noqa: F401  (registers .cf)

    by_cf = [n for n in data.cf.coordinates.get(kind, []) if data[n].ndim]
    by_name = [
        n
        for n in data.coords
        if _lower(n) in names and data[n].ndim and _is_degrees(data[n].variable, limit)
    ]
    # a full name (lat) is clearer than a bare y, which may also be kilometres or count the cells
    bare = [n for n in by_name if len(str(n)) == 1 and not _may_count(data[n].variable)]
    by_name = [n for n in by_name if len(str(n)) > 1] or bare
    candidates = by_cf or by_name
    if len(candidates) > 1:
        own = [n for n in candidates if n in data.dims]
        if len(own) != 1:
            raise ValueError(
                f"two coordinates could be the {kind}: {_listed(candidates)}. "
                f"Drop all but one, e.g. data.drop_vars({str(candidates[1])!r})"
            )
        candidates = own
    return str(candidates[0]) if candidates else None


def _is_degrees(coordinate: xr.Variable, limit: float) -> bool:
    """Whether the values can be degrees: by their units, otherwise by their range."""
    if coordinate.dtype.kind not in "fiu":
        return False
    given = units(coordinate).lower()
    if given:
        return given.startswith("deg") or given == "°"
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

    The attribute ``positive`` decides; without it the name: radius, elevation, altitude and height
    increase upwards, anything else downwards.
    """
    said = str(vertical.attrs.get("positive", "")).strip().lower()
    if said in {"up", "down"}:
        return said
    name = _lower(getattr(vertical, "name", "") or vertical.dims[0])
    return "up" if name in _UPWARD_NAMES else "down"


def units(variable: xr.DataArray | xr.Variable) -> str:
    """Units of a variable without extra spaces; empty if it has none."""
    return re.sub(r"\s+", " ", str(variable.attrs.get("units", ""))).strip()


def canonical_units(text: str) -> str:
    """Spell units in one way, whether they are written km/s, km.s-1 or kilometer sec^-1.

    Examples
    --------
    >>> {canonical_units(u) for u in ("km/s", "km.s-1", " kilometer sec^-1", "KM s**-1")}
    {'km s-1'}
    """
    text = re.sub(r"\([^()]*\)", " ", text.lower())  # km (bsl)
    text = text.replace("**", "").replace("^", "")
    text = re.sub(r"/\s*([a-z]+)(\d*)", lambda m: f" {m[1]}-{m[2] or 1}", text)
    words = []
    for word in re.split(r"[\s.*]+", text):
        parts = re.fullmatch(r"([a-z]+)(-?\d*)", word)
        words.append(_SAME_UNITS.get(parts[1], parts[1]) + parts[2] if parts else word)
    return " ".join(filter(None, (_SAME_UNITS.get(w, w) for w in words)))


def _lower(name: Any) -> str:
    return str(name).strip().lower()


def _listed(names: Iterable[Hashable]) -> str:
    return ", ".join(repr(str(n)) for n in names)


def _dims(data: xr.DataArray | xr.Dataset) -> str:
    return f"dimensions ({_listed(data.dims)})"
