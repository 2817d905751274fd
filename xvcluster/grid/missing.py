"""Values that mean "no data": declared by the file's attributes, or undeclared fill values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.arrays import Array, Floats
from xvcluster.messages import plain, warn

_FILL_ATTRIBUTES = ("_FillValue", "missing_value", "fill_value")
LIMITS = ("valid_range", "valid_min", "valid_max")
_PACKING = ("scale_factor", "add_offset")
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
        Numeric; NaN is not marked, as it is missing already.

    Returns
    -------
    DataArray of bool, or None
        True for values that equal a ``missing_value``, ``_FillValue`` or ``fill_value`` attribute,
        lie outside ``valid_min``, ``valid_max`` or ``valid_range``, or are an undeclared fill value
        (99999, −9999, 1e20, ...). None if there are no such values.

    Raises
    ------
    ValueError
        If the array holds infinities.

    Warns
    -----
    UserWarning
        With their number, if undeclared fill values are found; or if limits are ignored because
        they are those of packed values, which these no longer are.

    Notes
    -----
    In a dask array, which stays lazy, only declared values are marked. An undeclared fill value is
    one of the usual ones that is farther from all other values than these are from each other, so
    that no plausible value is ever removed.
    """
    invalid = find_declared(array)
    if array.chunks is not None:
        warn_stale(array)
        return invalid
    rest = array if invalid is None else array.where(~invalid)
    extremes = find_extremes(np.asarray(rest.values))
    warn_stale(array, extremes)
    fills = find_undeclared(extremes, array.name, array.size)
    return either(invalid, equals_any(array, fills)) if fills else invalid


def find_declared(array: xr.DataArray) -> xr.DataArray | None:
    """Mark values that the attributes declare as no data; None if they declare nothing.

    Limits that `stale_limits` names are left out.
    """
    packing = _Packing.of(array)
    given = {name: _Numbers.of(array.attrs.get(name)) for name in (*_FILL_ATTRIBUTES, *LIMITS)}
    fills = [f for name in _FILL_ATTRIBUTES for f in given[name].values]
    packed = [f for name in _FILL_ATTRIBUTES for f in given[name].values if given[name].are_whole]
    stale = stale_limits(array)
    limits, lows, highs = (
        [] if name in stale else _in_kind_of(array, packing.unpack(given[name])).tolist()
        for name in LIMITS
    )
    limits = limits if len(limits) == 2 else []
    # valid_min and valid_max, if given, replace the ends of valid_range
    lows, highs = [*limits[:1], *lows][-1:], [*limits[1:], *highs][-1:]
    # decoding rounds a packed value exactly at the limit, by less than the step of the packing
    slack = 0.5 * abs(packing.scale) if packing.is_known else 0.0
    if packing.scale < 0:
        lows, highs = highs, lows
    masks = [equals_any(array, fills)] if fills else []
    if packing.is_known:
        masks += [abs(array - packing.apply(f)) <= slack for f in packed]
    masks += [array < low - slack for low in lows] + [array > high + slack for high in highs]
    return reduce(or_, masks) if masks else None


def stale_limits(array: xr.DataArray) -> list[str]:
    """Names of attributes with limits of packed integers, which the values no longer are.

    After most operations xarray keeps the attributes of an array that was packed in its file, and
    not how it was packed. What says that limits are those of the values: these are integers, or
    packed as the encoding or the attributes say, or the encoding knows the type in the file.
    """
    known = {*_PACKING, "dtype"} & set(array.encoding) or set(_PACKING) & set(array.attrs)
    if array.dtype.kind != "f" or known:
        return []
    return [n for n in LIMITS if np.asarray(array.attrs.get(n)).dtype.kind in "iu"]


def warn_stale(array: xr.DataArray, extremes: Extremes | None = None) -> None:
    """Warn of limits that are ignored because they are stale, unless all values are within."""
    for name in stale_limits(array):
        numbers = _Numbers.of(array.attrs[name]).values
        low, high = min(numbers, default=-np.inf), max(numbers, default=np.inf)
        outside = extremes is None or (
            (extremes.low < low and name != "valid_max")
            or (extremes.high > high and name != "valid_min")
        )
        if outside:
            warn(
                f"{name} of {str(array.name)!r} is {plain(array.attrs[name])}, of integers, but "
                "the values are not, nor does anything say how they were packed: ignored, as a "
                f"limit of the file before it was unpacked. Delete attrs[{name!r}], or give it as "
                "floats if it holds for the values"
            )


def either(one: xr.DataArray | None, other: xr.DataArray) -> xr.DataArray:
    """Combine two masks, of which the first may be None."""
    return other if one is None else one | other


def mask_invalid(array: xr.DataArray, *, by_chunk: bool = False) -> xr.DataArray:
    """Replace the values that `find_invalid` marks by NaN.

    With `by_chunk`, undeclared fill values of dask arrays are masked too, and infinities refused,
    in each chunk by itself.
    """
    invalid = find_invalid(array)
    masked = array if invalid is None else array.where(~invalid)
    if not by_chunk or array.chunks is None:
        return masked
    result: xr.DataArray = xr.apply_ufunc(
        _mask_undeclared,
        masked,
        kwargs={"name": array.name},
        dask="parallelized",
        output_dtypes=[np.result_type(masked.dtype, np.float32)],
        keep_attrs=True,
    )
    return result


def _mask_undeclared(values: Array, name: Hashable) -> Array:
    """Values of a chunk as floats, with NaN for undeclared fill values; infinities are refused."""
    masked = values.astype(np.result_type(values.dtype, np.float32))
    fills = find_undeclared(find_extremes(values), name) if values.size else []
    masked[np.isin(values, np.asarray(fills).astype(values.dtype))] = np.nan
    return masked


def _in_kind_of(array: xr.DataArray, numbers: list[float]) -> Floats:
    """Round numbers as an array of floats does; float64 beside integers keeps whole ones exact."""
    dtype = array.dtype if array.dtype.kind == "f" else np.dtype(float)
    with np.errstate(over="ignore"):  # 1e40 is beyond float32, and no value equals it
        return np.asarray(numbers, dtype=float).astype(dtype)


@dataclass(frozen=True, slots=True)
class _Packing:
    """How values were packed in the file; limits are packed as well.

    Attributes
    ----------
    is_known : bool
    scale, offset : float
    wraps_at : int
        What is added to negative limits, because integers of the file are unsigned; or 0.
    """

    is_known: bool
    scale: float
    offset: float
    wraps_at: int

    @classmethod
    def of(cls, array: xr.DataArray) -> _Packing:
        """Read how an array was packed; Zarr may hold lists of one number."""
        own = array.encoding
        scale, offset = (
            float(np.ravel(own.get(name, default))[0])
            for name, default in zip(_PACKING, (1.0, 0.0), strict=True)
        )
        is_unsigned = str(own.get("_Unsigned")).lower() == "true" and "dtype" in own
        wraps_at = 2 ** (8 * np.dtype(own["dtype"]).itemsize) if is_unsigned else 0
        return cls(any(name in own for name in _PACKING), scale, offset, wraps_at)

    def unpack(self, numbers: _Numbers) -> list[float]:
        """Limits in the units of the values: CF gives them packed, which whole numbers are."""
        return [self.apply(n) if numbers.are_whole else n for n in numbers.values]

    def apply(self, number: float) -> float:
        """The value that is packed as a number."""
        return (number + (self.wraps_at if number < 0 else 0)) * self.scale + self.offset


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers in an attribute, and whether they are written as integers."""

    values: list[float]
    are_whole: bool

    @classmethod
    def of(cls, attribute: Any) -> _Numbers:
        """Read an attribute that may be missing, a number, a list or a string."""
        if attribute is None:
            return cls([], are_whole=False)
        if isinstance(attribute, str):
            # in 0-100 the sign is a dash
            sign = r"(?:(?<![\d.])[-+])?"
            found = re.findall(sign + r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", attribute)
            return cls([float(n) for n in found], all(n.lstrip("-+").isdigit() for n in found))
        array = np.ravel(attribute)
        return cls([float(n) for n in array], are_whole=array.dtype.kind in "iu")


def equals_any(array: xr.DataArray, values: list[float]) -> xr.DataArray:
    """Mark values of an array that equal one of some numbers, as its dtype rounds them."""
    return array.isin(_in_kind_of(array, values))


@dataclass(frozen=True, slots=True)
class Extremes:
    """Range of the values after usual fill values at its ends are removed.

    Attributes
    ----------
    low, high : float
        NaN if there are no other values.
    fills : dict of float to int
        How often each of the removed fill values occurs.
    """

    low: float
    high: float
    fills: dict[float, int]

    def apart(self) -> list[float]:
        """Those fill values that are farther from all other values than these from each other."""
        spread = self.high - self.low  # NaN if there are no others: then all are
        return sorted(v for v in self.fills if not self.low - spread <= v <= self.high + spread)

    @classmethod
    def join(cls, parts: Iterable[Extremes]) -> Extremes:
        """Combine the extremes of several arrays."""
        parts = list(parts)
        fills = sum((Counter(part.fills) for part in parts), Counter[float]())
        low = np.fmin.reduce([part.low for part in parts])
        return cls(float(low), float(np.fmax.reduce([part.high for part in parts])), dict(fills))


def find_extremes(values: Array) -> Extremes:
    """Find the range of numbers without NaN, and remove usual fill values at its ends."""
    fills: dict[float, int] = {}
    while True:
        low, high = float(np.fmin.reduce(values, None)), float(np.fmax.reduce(values, None))
        ends = [v for v in {low, high} if _is_usual_fill(v)]
        if not ends:
            return Extremes(low, high, fills)
        for value in ends:
            equal = values == values.dtype.type(value)
            fills[value] = int(np.count_nonzero(equal))
            values = np.where(equal, np.nan, values)


def find_undeclared(extremes: Extremes, name: Hashable, size: int | None = None) -> list[float]:
    """Find the undeclared fill values of a variable; refuse infinities.

    With the number of its values, warn that they are treated as missing.
    """
    if np.isinf(extremes.low) or np.isinf(extremes.high):
        raise ValueError(
            f"variable {name!r} holds infinities, which cannot be clustered; "
            "set them to missing first, e.g. data.where(numpy.isfinite(data))"
        )
    found = extremes.apart()
    if found and size is not None:
        warn(
            f"{sum(extremes.fills[v] for v in found)} of {size} values of {name!r} are "
            f"{' or '.join(f'{v:g}' for v in found)}, which the file does not declare as missing: "
            "taken as missing. Declare it (attrs['missing_value']) to silence this",
        )
    return found


def _is_usual_fill(value: float) -> bool:
    return bool(np.isclose(abs(value), _USUAL_FILL_VALUES, rtol=1e-6, atol=0).any())
