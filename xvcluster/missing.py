"""Values that mean "no data": declared by the file's attributes, or left in it undecoded."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

_FILL_ATTRIBUTES = ("_FillValue", "missing_value", "fill_value")
_USUAL_FILL_VALUES = np.array(
    "999 999.25 999.9 9999 9999.9 32767 32768 99999 99999.9 999999 2147483647 1e10 1e15 1e20 1e30 "
    "1e33 1e34 1e35 1e36 9.969209968386869e36 3.4028234663852886e38 1.7976931348623157e308".split(),
    dtype=np.float64,
)


def find_invalid(array: xr.DataArray) -> xr.DataArray | None:
    """Mark values that the attributes or common practice declare as no data.

    Parameters
    ----------
    array : DataArray
        Numeric; NaN is not looked at, it is missing anyhow.

    Returns
    -------
    DataArray of bool, or None
        True where a value equals a plain ``missing_value``, ``_FillValue`` or ``fill_value``
        attribute, lies outside ``valid_min``, ``valid_max`` or ``valid_range``, or is an undeclared
        fill value (99999, −9999, 1e20, ...). None where no value is.

    Raises
    ------
    ValueError
        If the array holds infinities.

    Warns
    -----
    UserWarning
        With the count, where undeclared fill values were found.

    Notes
    -----
    Of a dask array, which stays lazy, only declared values are marked. An undeclared fill value is
    one of the usual ones that lies apart from all other values by more than these spread, so that
    no plausible value is ever taken away.
    """
    invalid = None
    for declared in (_equals_declared_fill(array), _outside_valid_range(array)):
        if declared is not None:
            invalid = declared if invalid is None else invalid | declared
    if array.chunks is not None:
        return invalid
    rest = array if invalid is None else array.where(~invalid)
    undeclared = _undeclared_fill(rest)
    if undeclared is not None:
        invalid = undeclared if invalid is None else invalid | undeclared
    return invalid


def mask_invalid(array: xr.DataArray) -> xr.DataArray:
    """Give the array back with NaN wherever `find_invalid` says so; itself where nowhere."""
    invalid = find_invalid(array)
    return array if invalid is None else array.where(~invalid)


def _equals_declared_fill(array: xr.DataArray) -> xr.DataArray | None:
    """Where values equal a fill value that stands in the attributes, undecoded."""
    fills = [f for name in _FILL_ATTRIBUTES for f in _numbers(array.attrs.get(name))]
    if not fills:
        return None
    return array.isin(_in_kind_of(array, fills))


def _in_kind_of(array: xr.DataArray, numbers: list[float]) -> npt.NDArray[np.floating]:
    """Numbers as an array of floats rounds them; whole ones stay exact beside integers."""
    dtype = array.dtype if array.dtype.kind == "f" else np.dtype(float)
    with np.errstate(over="ignore"):  # 1e40 is beyond float32, and no value equals it
        return np.asarray(numbers, dtype=float).astype(dtype)


def _outside_valid_range(array: xr.DataArray) -> xr.DataArray | None:
    """Where values lie outside the range that the attributes declare as valid."""
    low, high = None, None
    limits = _unpacked(array, array.attrs.get("valid_range"))
    if len(limits) == 2:
        low, high = limits
    for value in _unpacked(array, array.attrs.get("valid_min")):
        low = value
    for value in _unpacked(array, array.attrs.get("valid_max")):
        high = value
    # decoding rounds a packed value at the very limit, by less than the step of the packing
    slack = 0.5 * abs(array.encoding.get("scale_factor", 0.0))
    outside = None
    if low is not None:
        outside = array < low - slack
    if high is not None:
        above = array > high + slack
        outside = above if outside is None else outside | above
    return outside


def _unpacked(array: xr.DataArray, limit: Any) -> npt.NDArray[np.floating]:
    """Limits in the array's own units: CF gives those of packed data in packed units."""
    numbers = _numbers(limit)
    if np.asarray(limit).dtype.kind in "iu":
        scale = array.encoding.get("scale_factor", 1.0)
        offset = array.encoding.get("add_offset", 0.0)
        numbers = [n * scale + offset for n in numbers]
    return _in_kind_of(array, numbers)


def _numbers(attribute: Any) -> list[float]:
    """Read the numbers of an attribute that may be missing, a number, a list or a text."""
    if attribute is None:
        return []
    if isinstance(attribute, str):
        # the sign of 0-100 is a dash
        sign = r"(?:(?<![\d.])[-+])?"
        found = re.findall(sign + r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", attribute)
        return [float(n) for n in found]
    return [float(n) for n in np.ravel(attribute)]


def _undeclared_fill(array: xr.DataArray) -> xr.DataArray | None:
    """Where values are a usual fill value far off all others; warns with their number."""
    found: list[float] = []
    rest = array
    while True:
        low, high = float(rest.min()), float(rest.max())
        if np.isinf(low) or np.isinf(high):
            raise ValueError(
                f"variable {array.name!r} holds infinities, which belong to no cluster; "
                "make them missing first, e.g. data.where(numpy.isfinite(data))"
            )
        fills = [v for v in {low, high} if _is_usual_fill(v)]
        others = rest.where(~rest.isin(_in_kind_of(array, fills))) if fills else rest
        low, high = float(others.min()), float(others.max())
        spread = high - low
        apart = [v for v in fills if np.isnan(low) or not low - spread <= v <= high + spread]
        if not apart:
            break
        found += apart
        rest = rest.where(~rest.isin(_in_kind_of(array, apart)))
    if not found:
        return None
    mask = array.isin(_in_kind_of(array, found))
    warnings.warn(
        f"{int(mask.sum())} of {array.size} values of {array.name!r} are "
        f"{' or '.join(f'{v:g}' for v in found)}, which the file does not declare as missing: "
        "taken as missing. Declare it (attrs['missing_value']) to silence this",
        stacklevel=2,
    )
    return mask


def _is_usual_fill(value: float) -> bool:
    return bool(np.isclose(abs(value), _USUAL_FILL_VALUES, rtol=1e-6, atol=0).any())
