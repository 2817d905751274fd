"""The Dataset of a file is let in as that of a result: whole, unchanged and of today's layout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from xvcluster.grid.labels import COLORS, NAMES, is_color, list_texts
from xvcluster.messages import plain
from xvcluster.record.check import check_result
from xvcluster.record.dataset import SCHEMA
from xvcluster.record.naming import LONGEST
from xvcluster.record.seal import break_seal
from xvcluster.record.upgrade import upgrade

_FLAG_DTYPES = {"flag_values": np.int16, "som_shape": np.int64}


def admit(dataset: xr.Dataset) -> xr.Dataset:
    """Check what a file holds, and bring it to today's layout.

    Raises
    ------
    ValueError
        Names the part that is wrong.
    """
    layout = _read_layout(dataset)
    dataset = _restore_flags(dataset)
    check_result(dataset, layout=layout)
    dataset = break_seal(dataset)
    if layout < SCHEMA:
        dataset = upgrade(dataset)
        check_result(dataset, maps=False)
    return dataset


def _read_layout(dataset: xr.Dataset) -> int:
    """Version of the layout."""
    said = dataset.attrs.get("xvcluster_schema")
    if not isinstance(said, int | np.integer) or said < 1:
        raise ValueError(f"the attribute 'xvcluster_schema' is {plain(repr(said))}, no version")
    return int(said)


def _restore_flags(dataset: xr.Dataset) -> xr.Dataset:
    """Attributes of the labels that are arrays, as they were.

    NetCDF reads an array of one number as that number, Zarr reads arrays as lists.
    """
    if "label" not in dataset.data_vars:
        return dataset
    label = dataset["label"].copy(deep=False)
    for name, dtype in _FLAG_DTYPES.items():
        if name in label.attrs:
            numbers = np.atleast_1d(label.attrs[name])
            whole = numbers.astype(dtype) if numbers.dtype.kind in "iuf" else None
            if whole is None or numbers.ndim != 1 or not np.array_equal(whole, numbers):
                raise ValueError(f"the attribute {name!r} of 'label' is no list of small integers")
            label.attrs[name] = whole
    for name, is_right in ((NAMES, _is_name), (COLORS, is_color)):
        if name in label.attrs:
            label.attrs[name] = _read_texts(label, name, is_right)
    return dataset.assign(label=label)


def _read_texts(label: xr.DataArray, name: str, is_right: Callable[[str], bool]) -> list[str]:
    """Read an attribute with one text for each cluster, some of them empty."""
    texts = list_texts(label, name)
    n = np.size(label.attrs.get("flag_values", []))
    if len(texts) != n or not all(isinstance(t, str) and (not t or is_right(t)) for t in texts):
        raise ValueError(f"the attribute {name!r} of 'label' is not one text for each cluster")
    return [str(text) for text in texts]


def _is_name(text: str) -> bool:
    return len(text) <= LONGEST
