"""Numbers as one short text: arrays side by side, small numbers rounded, deflated, in base64."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from xvcluster.arrays import Array, Float64s, Floats

LARGEST = 60_000.0
"""Largest number that halves are scaled to: they end at 65,504."""

_DROPPED = 2
"""Bits that `coarse` halves lack: 8 of the 10 after the point are left."""


def pack(arrays: Mapping[str, Array]) -> tuple[list[dict[str, Any]], str]:
    """Pack arrays into one text.

    The first bytes of all numbers of an array come first, then their second bytes and so on, which
    deflates better.

    Returns
    -------
    (list of dict, str)
        Name, kind ("float32" and so on) and length of each array, in their order; and the text.
    """
    parts, contents = [], []
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array).ravel()
        flat = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
        contents.append({"name": name, "kind": flat.dtype.name, "length": flat.size})
        parts.append(flat.view(np.uint8).reshape(-1, flat.itemsize).T.tobytes())
    return contents, base64.b64encode(zlib.compress(b"".join(parts), 6)).decode("ascii")


def to_halves(values: Floats, *, coarse: bool = False) -> tuple[Array, float]:
    """Return numbers as the bits of halves, and what these are to be multiplied by.

    They differ from the numbers by at most 1/2048 of each, or 1/400 if `coarse`; near 0, by at most
    a billionth of the largest.
    """
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    scale = largest / LARGEST if largest > 0 else 1.0
    return _round(values.astype(np.float64) / scale, coarse), scale


def _round(values: Float64s, coarse: bool) -> Array:
    """Return the bits of the nearest halves, of which coarse ones end in zeros."""
    bits = values.astype(np.float16).view(np.uint16)
    if not coarse:
        return bits
    return (bits + np.uint16(1 << (_DROPPED - 1))) & np.uint16(0xFFFF << _DROPPED & 0xFFFF)
