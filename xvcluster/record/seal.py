"""Checksums of what labels of other data depend on, from when a result was written."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.messages import plain
from xvcluster.record.check import decisive

SEAL = "xvcluster_checksums"
"""Attribute of a file; results in memory have none."""

_ATTRIBUTES = ("method", "parameters")


def seal(dataset: xr.Dataset) -> xr.Dataset:
    """Add checksums of the parameters and of all numbers on which labels of other data depend."""
    parts = [*_ATTRIBUTES, *decisive(dataset)]
    sums = {name: _checksum(dataset, name) for name in parts}
    return dataset.assign_attrs({SEAL: json.dumps(sums)})


def break_seal(dataset: xr.Dataset) -> xr.Dataset:
    """Take the checksums out of a Dataset that was read, of which nothing sealed has changed.

    Raises
    ------
    ValueError
        Names the part that has changed.
    """
    if SEAL not in dataset.attrs:  # written by an earlier version
        return dataset
    try:
        sums = dict(json.loads(dataset.attrs[SEAL]))
    except (TypeError, ValueError, RecursionError):
        raise ValueError(f"the attribute {SEAL!r} holds no checksums") from None
    for name, expected in sums.items():
        known = name in dataset.variables or name in _ATTRIBUTES
        if not known or _checksum(dataset, name) != expected:
            raise ValueError(
                f"{plain(name)!r} is not what was written, and data would get other labels by it; "
                f"use the original, or delete the attribute {SEAL!r} if you changed it on purpose"
            )
    return dataset.drop_attrs(deep=False).assign_attrs(
        {name: value for name, value in dataset.attrs.items() if name != SEAL}
    )


def _checksum(dataset: xr.Dataset, name: str) -> str:
    """Sum up an attribute or a variable, whatever its type, in which the order matters."""
    if name in _ATTRIBUTES:
        content = str(dataset.attrs.get(name)).encode()
    else:
        held = dataset.variables[name]
        content = json.dumps([*map(str, held.dims), *held.shape]).encode() + _content(held.values)
    return hashlib.sha256(content).hexdigest()[:16]


def _content(values: np.ndarray[Any, np.dtype[Any]]) -> bytes:
    if values.dtype.kind in "fiub":
        numbers = values.astype("<f8")
        numbers[np.isnan(numbers)] = np.nan  # of many kinds
        return numbers.tobytes()
    if values.dtype.kind in "mM":  # dates and times may come back in another resolution
        values = values.astype(f"{values.dtype.kind}8[s]")
    texts = (v.isoformat() if hasattr(v, "isoformat") else str(v) for v in values.flat)
    return "\n".join(texts).encode()
