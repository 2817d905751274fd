"""Labels that were made elsewhere, read into memory and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import xarray as xr


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Labels in memory, checked.

    Attributes
    ----------
    labels : DataArray
        NaN where there is none.
    n_clusters : int
        The highest of their ``flag_values``, or else of the labels.
    name : str
        What messages and attributes call them.
    ordered_by : str
        How their clusters are numbered, where they tell; colours depend on it.
    """

    labels: xr.DataArray
    n_clusters: int
    name: str
    ordered_by: str


def read_labels(source: xr.Dataset | xr.DataArray, name: str = "") -> LabelMap:
    """Read labels into memory and check that they are such; once, where they are lazy.

    Parameters
    ----------
    source : Dataset or DataArray
        Of a result, or labels alone.
    name : str, optional
        What messages call them where they have no name of their own.

    Raises
    ------
    TypeError
        If they are no labelled array, or not of numbers.
    ValueError
        If a Dataset has no labels; if they are not integers, there are none, or the clusters are
        the nodes of a self-organizing map.
    """
    if not isinstance(source, xr.Dataset | xr.DataArray):
        raise TypeError(
            f"labels must be a ClusterResult or a DataArray of cluster numbers; got "
            f"{type(source).__name__}"
        )
    if isinstance(source, xr.Dataset) and "label" not in source:
        raise ValueError(
            f"the Dataset of {name} has no variable 'label'; give a result, or one variable"
        )
    labels = source["label"] if isinstance(source, xr.Dataset) else source
    name = _own_name(source) or name
    if "som_shape" in labels.attrs:
        raise ValueError(
            f"the clusters of {name} are the nodes of a self-organizing map, which have a place in "
            "it and cannot be renumbered; merge them, with som(n_clusters=...)"
        )
    if labels.dtype.kind not in "iufb":
        raise TypeError(f"{name} is of type {labels.dtype}, but labels are integers from 1")
    labels = labels.astype(np.float32) if labels.dtype.kind in "iub" else labels
    labels = labels.compute().where(lambda a: np.isfinite(a) & (a >= 1))
    values = labels.values[np.isfinite(labels.values)]
    fractional = values[values != np.round(values)]
    if fractional.size:
        raise ValueError(
            f"{name} holds {fractional[0]:g}, but labels are integers from 1; cluster the data "
            "first, with .vcluster.kmeans"
        )
    if not values.size:
        raise ValueError(f"{name} has no labels: all of its values are NaN or below 1")
    highest = np.max(np.append(values, labels.attrs.get("flag_values", 1)))
    ordered_by = str(labels.attrs.get("ordered_by", "")).split("; ")[-1]
    ordered_by = "" if ordered_by.startswith("matched to ") else ordered_by
    return LabelMap(labels, int(highest), name, ordered_by)


def _own_name(source: xr.Dataset | xr.DataArray) -> str:
    """Name of a model, as far as it tells; without parentheses, which are for units."""
    named = (source.attrs.get(n) for n in ("model", "title", "id"))
    found = next(filter(None, named), None)
    if found is None and isinstance(source, xr.DataArray) and source.name not in (None, "label"):
        found = repr(str(source.name))
    return re.sub(r"[();]", " ", str(found or "")).strip()
