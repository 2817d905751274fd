"""Labels of clusterings that are to be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass

import xarray as xr

from xvcluster.grid.labels import (
    Clustering,
    check_labels,
    declared_numbers,
    labelled,
    order_of,
    present_numbers,
    take_labels,
)
from xvcluster.messages import plain


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Labels in memory, checked.

    Attributes
    ----------
    labels : DataArray
        NaN where there is none.
    n_clusters : int
        The highest of their ``flag_values``, otherwise of the labels.
    name : str
        Their name in messages and attributes.
    ordered_by : str
        How their clusters are numbered, if known; colours depend on it.
    """

    labels: xr.DataArray
    n_clusters: int
    name: str
    ordered_by: str


def read_labels(source: Clustering, name: str = "") -> LabelMap:
    """Read labels into memory, lazy ones once, and check that they are cluster numbers.

    Parameters
    ----------
    source : ClusterResult, Dataset or DataArray
        A result, or labels alone.
    name : str, optional
        Their name in messages if they have none of their own.

    Raises
    ------
    TypeError
        If they are not a labelled array, or not numeric.
    ValueError
        If a Dataset has no labels; if they are not integers, there are none, the highest is far
        above the number of distinct ones, or the clusters are the nodes of a self-organizing map.

    Warns
    -----
    UserWarning
        As `xvcluster.grid.labels.check_labels` does.
    """
    labels = take_labels(source, name)
    name = _own_name(labelled(source)) or name
    if "som_shape" in labels.attrs:
        raise ValueError(
            f"the clusters of {name} are the nodes of a self-organizing map, which have fixed "
            "positions on it and cannot be renumbered; merge them with som(n_clusters=...)"
        )
    labels = check_labels(labels, name)
    present, declared = present_numbers(labels), declared_numbers(labels)
    if not present.size:
        raise ValueError(f"{name} has no labels: all of its values are NaN or below 1")
    highest = int((present if declared is None else declared)[-1])
    return LabelMap(labels, highest, name, order_of(labels))


def plain_name(name: object) -> str:
    """Remove parentheses, which enclose units, and semicolons, which separate names."""
    return re.sub(r"[();]", " ", str(name)).strip()


def _own_name(source: xr.Dataset | xr.DataArray) -> str:
    """Name of a model from its attributes, if they give one."""
    named = (plain(source.attrs.get(n, "")) for n in ("model", "title", "id"))
    found = next(filter(None, named), None)
    if found is None and isinstance(source, xr.DataArray) and source.name not in (None, "label"):
        found = repr(str(source.name))
    return plain_name(found or "")
