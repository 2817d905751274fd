"""Times in files: decoded where they can be, and read back as what they were when written."""

from __future__ import annotations

import json
import warnings
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from xarray.coders import CFDatetimeCoder, CFTimedeltaCoder
from xarray.conventions import decode_cf_variable

from xvcluster.messages import plain, warn

_ATTRIBUTE = "xvcluster_times"
"""In a file: what its times were, by name; as xarray decodes them by default if it is not there."""

_NUMBERS, _CFTIME = "numbers", "cftime"
_RESOLUTIONS = ("s", "ms", "us")
_OF_NUMBERS = ("units", "calendar", "dtype")
_MOST_CHECKED = 1_000_000
_LENGTHS = CFTimedeltaCoder(decode_via_units=False)  # "days" alone may be the unit of anything


def note(dataset: xr.Dataset) -> xr.Dataset:
    """Note in the attributes what times are which a file would not tell.

    These are numbers with the units of a time, which were never decoded; dates of a calendar of
    their own; and dates of another resolution than nanoseconds. Units that dates have in their
    attributes, where only numbers need them, are dropped.
    """
    kinds = {str(n): kind for n, v in dataset.variables.items() if (kind := _kind(v))}
    noted = dataset.assign_attrs({_ATTRIBUTE: json.dumps(kinds)} if kinds else {})
    for name, variable in noted.variables.items():
        if variable.dtype.kind in "mM" or kinds.get(str(name)) == _CFTIME:
            noted[name].attrs = {k: v for k, v in variable.attrs.items() if k not in _OF_NUMBERS}
    return noted


def _kind(variable: xr.Variable) -> str:
    """What a time is that would be read back as something else; empty if it would not."""
    if variable.dtype.kind == "M":
        unit = np.datetime_data(variable.dtype)[0]
        return unit if unit in _RESOLUTIONS else ""
    if variable.dtype.kind == "O":
        first = next(iter(variable.values.flat), None)
        return _CFTIME if hasattr(first, "calendar") else ""
    said = (variable.attrs.get("units"), variable.attrs.get("dtype"))
    looks = any(isinstance(s, str) and ("since" in s or "timedelta" in s) for s in said)
    return _NUMBERS if looks and variable.dtype.kind != "m" else ""


def decode(raw: xr.Dataset) -> xr.Dataset:
    """Decode a file as xarray does, except for what cannot be decoded.

    Parameters
    ----------
    raw : Dataset
        Opened with ``decode_cf=False``. Closing the returned one closes it.

    Returns
    -------
    Dataset
        Times are what `note` says, otherwise dates; a length of time, such as "days", is a number.

    Warns
    -----
    UserWarning
        If times cannot be decoded and stay numbers, or a variable cannot be decoded at all and is
        left out.
    """
    with warnings.catch_warnings():  # to try how dates decode is no decision
        warnings.filterwarnings("ignore", "Unable to decode time axis", xr.SerializationWarning)
        return _decode(raw)


def _decode(raw: xr.Dataset) -> xr.Dataset:
    """Decode as `decode` says."""
    noted, raw = _noted(raw.attrs), raw.copy()
    raw.attrs.pop(_ATTRIBUTE, None)
    _name_units_of_bounds(raw)
    coders: dict[str, bool | CFDatetimeCoder] = {}
    undecoded, lost = [], {}
    for key, variable in raw.variables.items():
        name = str(key)
        coders[name] = _coder(noted.get(name))
        problem = _problem(name, variable, coders[name])
        if problem and coders[name] and not _problem(name, variable, False):
            coders[name] = False
            undecoded.append(f"{plain(name)!r} ({plain(variable.attrs.get('units', ''))!r})")
        elif problem:
            lost[name] = problem
        elif coders[name] is True and _is_cftime(name, variable):
            coders[name] = _coder(_CFTIME)  # or xarray warns whenever they are read
    if undecoded:
        warn(f"times that cannot be decoded stay numbers: {', '.join(undecoded)}")
    for name, problem in lost.items():
        warn(f"variable {plain(name)!r} cannot be decoded and is left out: {problem}")
    kept = raw.drop_vars(list(lost))
    lengths = {name: _LENGTHS if coder else False for name, coder in coders.items()}
    decoded: xr.Dataset = xr.decode_cf(kept, decode_times=coders, decode_timedelta=lengths)
    decoded.set_close(raw.close)
    return decoded


def _noted(attrs: Mapping[Any, Any]) -> dict[str, str]:
    """What `note` wrote; a damaged note counts for nothing."""
    try:
        noted = json.loads(attrs.get(_ATTRIBUTE, "{}"))
    except (TypeError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _coder(kind: object) -> CFDatetimeCoder | bool:
    if kind == _NUMBERS:
        return False
    if kind == _CFTIME:
        return CFDatetimeCoder(use_cftime=True)
    return CFDatetimeCoder(time_unit=kind) if kind in _RESOLUTIONS else True  # type: ignore[arg-type]


def _is_cftime(name: Hashable, variable: xr.Variable) -> bool:
    """Whether dates are outside of those that NumPy has, or of another calendar."""
    if "since" not in str(variable.attrs.get("units", "")):
        return False
    return bool(decode_cf_variable(name, variable).dtype.kind == "O")


def _name_units_of_bounds(raw: xr.Dataset) -> None:
    """Give bounds of times the units of the times, as CF has it, and drop names that are none."""
    for variable in raw.variables.values():
        for attribute in ("bounds", "coordinates", "grid_mapping"):
            if not isinstance(variable.attrs.get(attribute, ""), str):
                del variable.attrs[attribute]
        bounds = raw.variables.get(variable.attrs.get("bounds"))
        if bounds is not None and "since" in str(variable.attrs.get("units", "")):
            for attribute in ("units", "calendar"):
                if attribute in variable.attrs:
                    bounds.attrs.setdefault(attribute, variable.attrs[attribute])


def _problem(name: Hashable, variable: xr.Variable, coder: CFDatetimeCoder | bool) -> str:
    """Say why a variable cannot be decoded; empty if it can."""
    lengths = _LENGTHS if coder else False
    try:
        for attribute in ("scale_factor", "add_offset"):
            float(np.asarray(variable.attrs.get(attribute, 0.0)).item())
        decoded = decode_cf_variable(name, variable, decode_times=coder, decode_timedelta=lengths)
        is_time = decoded.dtype.kind in "mMO"
        if is_time and variable.dtype.kind in "iuf" and variable.size <= _MOST_CHECKED:
            np.asarray(decoded.values)
    except MemoryError:
        raise
    except Exception as error:  # of every kind, as attributes may hold anything
        return plain(error) or type(error).__name__
    return ""
