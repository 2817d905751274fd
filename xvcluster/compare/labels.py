"""Labels that were made elsewhere, read into memory and checked."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xvcluster.arrays import Floats
from xvcluster.grid.missing import mask_invalid

_PLAUSIBLE = 1000
"""Up to this number a label is never taken for a fill value or a code."""

_SPARSE = 10
"""Beyond that it is one, if it is more than this many times the number of different labels."""


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
        If a Dataset has no labels; if they are not integers, there are none, the highest is far
        above the number of different ones, or the clusters are the nodes of a self-organizing map.

    Warns
    -----
    UserWarning
        If labels are fill values that no attribute declares, or 0, unless their ``flag_values``
        leave 0 out.
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
    labels, has_zero = _mask(labels, name)
    values = labels.values[np.isfinite(labels.values)]
    fractional = values[values != np.round(values)]
    if fractional.size:
        raise ValueError(
            f"{name} holds {fractional[0]:g}, but labels are integers from 1; cluster the data "
            "first, with .vcluster.kmeans"
        )
    if not values.size:
        raise ValueError(f"{name} has no labels: all of its values are NaN or below 1")
    if has_zero:
        _warn_of_zero(name)
    highest = _find_highest(np.append(values, labels.attrs.get("flag_values", [])), name)
    ordered_by = str(labels.attrs.get("ordered_by", "")).split("; ")[-1]
    ordered_by = "" if ordered_by.startswith("matched to ") else ordered_by
    return LabelMap(labels, highest, name, ordered_by)


def plain_name(name: object) -> str:
    """A name without parentheses, which are for units, and semicolons, which part names."""
    return re.sub(r"[();]", " ", str(name)).strip()


def _mask(labels: xr.DataArray, name: str) -> tuple[xr.DataArray, bool]:
    """Labels in memory as floats, NaN where there is none, and whether a 0 may be lost."""
    # what is False has no label, and nobody counts clusters from it
    may_be_cluster = labels.dtype.kind != "b" and 0 in np.ravel(labels.attrs.get("flag_values", 0))
    labels = labels.astype(np.float32) if labels.dtype.kind in "iub" else labels
    labels = labels.compute().where(lambda a: np.isfinite(a) & (a >= 0))
    if labels.size:
        labels = mask_invalid(labels.rename(name.strip("'"))).rename(labels.name)
    return labels.where(labels >= 1), may_be_cluster and bool((labels == 0).any())


def _warn_of_zero(name: str) -> None:
    """Tell that 0 is no cluster."""
    warnings.warn(
        f"{name} holds 0, which is taken for no label, for clusters are numbered from 1: if they "
        "are numbered from 0, as by scikit-learn, add 1, e.g. labels + 1; if 0 is none, make it "
        "missing to silence this, e.g. labels.where(labels > 0)",
        stacklevel=5,
    )


def _find_highest(numbers: Floats, name: str) -> int:
    """The highest of labels and declared numbers; refused where these are codes, or one a fill."""
    highest = float(numbers.max())
    if highest > _PLAUSIBLE and highest > _SPARSE * (distinct := np.unique(numbers).size):
        raise ValueError(
            f"{name} holds or declares the label {highest:.10g}, but only {distinct} different "
            "ones, and clusters are numbered from 1 without large gaps; if it is a fill value, "
            f"mask it, e.g. labels.where(labels < {highest:.10g}); if not, number the labels anew"
        )
    return int(highest)


def _own_name(source: xr.Dataset | xr.DataArray) -> str:
    """Name of a model, as far as it tells."""
    named = (source.attrs.get(n) for n in ("model", "title", "id"))
    found = next(filter(None, named), None)
    if found is None and isinstance(source, xr.DataArray) and source.name not in (None, "label"):
        found = repr(str(source.name))
    return plain_name(found or "")
