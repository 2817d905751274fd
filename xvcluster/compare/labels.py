"""Labels from any source, read into memory and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import xarray as xr

from xvcluster.arrays import Floats
from xvcluster.grid.missing import mask_invalid
from xvcluster.inputs import describe, unwrap
from xvcluster.messages import warn

_PLAUSIBLE = 1000
"""Up to this number a label is never taken for a fill value or a code."""

_SPARSE = 10
"""Above that it is one if it is more than this many times the number of distinct labels."""


@runtime_checkable
class Result(Protocol):
    """A result of a clustering, such as a ClusterResult."""

    @property
    def dataset(self) -> xr.Dataset:
        """All that is known of the clustering."""


Clustering = Result | xr.Dataset | xr.DataArray


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


def labelled(source: Clustering) -> xr.Dataset | xr.DataArray:
    """Take the Dataset of a result; a Dataset or DataArray is returned as it is."""
    source = unwrap(source, "the labels")
    if isinstance(source, xr.Dataset | xr.DataArray):
        return source
    if hasattr(source, "best_k"):
        raise TypeError(
            f"a {type(source).__name__} has labels for each k; choose one, e.g. "
            f"sweep.result({source.best_k})"
        )
    if isinstance(source, Result):
        return source.dataset
    raise TypeError(
        "labels must be a ClusterResult or a DataArray of cluster numbers; got "
        f"{describe(source, 'xvcluster.open_result')}"
    )


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
        If some labels are fill values that no attribute declares, or 0, unless their
        ``flag_values`` exclude 0.
    """
    source = labelled(source)
    if isinstance(source, xr.Dataset) and "label" not in source:
        raise ValueError(
            f"the Dataset of {name} has no variable 'label'; give a result, or one variable"
        )
    labels = source["label"] if isinstance(source, xr.Dataset) else source
    name = _own_name(source) or name
    if "som_shape" in labels.attrs:
        raise ValueError(
            f"the clusters of {name} are the nodes of a self-organizing map, which have fixed "
            "positions on it and cannot be renumbered; merge them with som(n_clusters=...)"
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
        warn(
            f"{name} holds 0, which is treated as no label because clusters are numbered from 1: "
            "if they are numbered from 0, as in scikit-learn, add 1, e.g. labels + 1; if 0 means "
            "no label, set it to missing to silence this warning, e.g. labels.where(labels > 0)",
        )
    highest = _find_highest(np.append(values, labels.attrs.get("flag_values", [])), name)
    ordered_by = str(labels.attrs.get("ordered_by", "")).split("; ")[-1]
    ordered_by = "" if ordered_by.startswith("matched to ") else ordered_by
    return LabelMap(labels, highest, name, ordered_by)


def plain_name(name: object) -> str:
    """Remove parentheses, which enclose units, and semicolons, which separate names."""
    return re.sub(r"[();]", " ", str(name)).strip()


def _mask(labels: xr.DataArray, name: str) -> tuple[xr.DataArray, bool]:
    """Labels in memory as floats, NaN for no label, and whether a 0 may have been a cluster."""
    # False means no label, and nobody numbers clusters from it
    may_be_cluster = labels.dtype.kind != "b" and 0 in np.ravel(labels.attrs.get("flag_values", 0))
    labels = labels.astype(np.float32) if labels.dtype.kind in "iub" else labels
    labels = labels.compute().where(lambda a: np.isfinite(a) & (a >= 0))
    if labels.size:
        labels = mask_invalid(labels.rename(name.strip("'"))).rename(labels.name)
    return labels.where(labels >= 1), may_be_cluster and bool((labels == 0).any())


def _find_highest(numbers: Floats, name: str) -> int:
    """The highest of labels and declared numbers; refused if it is a code or a fill value."""
    highest = float(numbers.max())
    if highest > _PLAUSIBLE and highest > _SPARSE * (distinct := np.unique(numbers).size):
        raise ValueError(
            f"{name} holds or declares the label {highest:.10g}, but only {distinct} different "
            "ones, and clusters are numbered from 1 without large gaps; if it is a fill value, "
            f"mask it, e.g. labels.where(labels < {highest:.10g}); otherwise renumber the labels"
        )
    return int(highest)


def _own_name(source: xr.Dataset | xr.DataArray) -> str:
    """Name of a model from its attributes, if they give one."""
    named = (source.attrs.get(n) for n in ("model", "title", "id"))
    found = next(filter(None, named), None)
    if found is None and isinstance(source, xr.DataArray) and source.name not in (None, "label"):
        found = repr(str(source.name))
    return plain_name(found or "")
