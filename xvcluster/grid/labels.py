"""Cluster numbers on a map: labels from any source, checked, with the attributes that hold."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from typing import Protocol, runtime_checkable

import numpy as np
import xarray as xr

from xvcluster.arrays import Floats, Integers
from xvcluster.grid.coords import refuse_empty
from xvcluster.grid.missing import LIMITS, mask_invalid
from xvcluster.inputs import describe, unwrap
from xvcluster.messages import plain, warn
from xvcluster.options import check_members

_PLAUSIBLE = 1000
"""Up to this number a label is never taken for a fill value or a code."""

_SPARSE = 10
"""Above that it is one if it is more than this many times the number of distinct labels."""

NAMES, COLORS = "cluster_names", "cluster_colors"
"""Attributes of labels with clusters that have names or colours of their own: a text for each of
``flag_values``, empty for a cluster without. Colours are hexadecimal, such as ``"#0072b2"``."""

OF_NUMBERS = ("flag_values", "flag_meanings", "som_shape", NAMES, COLORS)
"""Attributes that say something of each cluster, by its number."""

_COLOR = re.compile(r"#[0-9a-f]{6}([0-9a-f]{2})?")


@runtime_checkable
class Result(Protocol):
    """A result of a clustering, such as a ClusterResult."""

    @property
    def dataset(self) -> xr.Dataset:
        """All that is known of the clustering."""


Clustering = Result | xr.Dataset | xr.DataArray


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


def take_labels(source: Clustering, name: str) -> xr.DataArray:
    """Take the labels of a result or of its Dataset; a DataArray is returned as it is."""
    source = labelled(source)
    if isinstance(source, xr.DataArray):
        return source
    if "label" not in source:
        raise ValueError(
            f"the Dataset of {name} has no variable 'label'; give a result, or one variable"
        )
    return source["label"]


def check_labels(labels: xr.DataArray, name: str) -> xr.DataArray:
    """Read labels into memory, lazy ones once, and check that they are cluster numbers.

    Parameters
    ----------
    labels : DataArray
    name : str
        What to call them in messages.

    Returns
    -------
    DataArray of float
        NaN where there is no label. Attributes that say something of each cluster are left out
        unless ``flag_values`` name every label, which they do not after arithmetic.

    Raises
    ------
    TypeError
        If they are not numeric.
    ValueError
        If there are none, they are not integers, or the highest is far above the number of distinct
        ones.

    Warns
    -----
    UserWarning
        If some labels are fill values that no attribute declares; if some are 0, unless their
        ``flag_values`` exclude 0 and none is NaN; or if they hold several numbers below 0.
    """
    refuse_empty(labels)
    if labels.dtype.kind not in "iufb":
        raise TypeError(f"{name} is of type {labels.dtype}, but labels are integers from 1")
    labels = labels.compute()
    found = _mask(labels, name)
    values = _finite(found)
    values = values if values.size else _finite(labels)
    fractional = values[values != np.round(values)]
    if fractional.size:
        raise ValueError(
            f"{name} holds {fractional[0]:g}, but labels are integers from 1, or NaN for no "
            "profile; cluster the data first, e.g. with .vcluster.kmeans(6)"
        )
    if _may_be_cluster_zero(found):
        warn(
            f"{name} holds 0, which is treated as no label because clusters are numbered from 1: "
            "if they are numbered from 0, as in scikit-learn, add 1, e.g. labels + 1; if 0 means "
            "no label, set it to missing to silence this warning, e.g. labels.where(labels > 0)",
        )
    _tell_of_negatives(_finite(labels), name)
    found = found.where(found >= 1)
    declared = declared_numbers(found)
    _refuse_codes(np.append(_finite(found), [] if declared is None else declared), name)
    return _without_stale(found)


def declared_numbers(labels: xr.DataArray) -> Integers | None:
    """Return the ``flag_values`` of labels, ascending and from 1 on; None if there are none."""
    try:
        flags = np.unique(np.asarray(labels.attrs["flag_values"], dtype=np.float64))
    except (KeyError, TypeError, ValueError):  # text, as in "1b, 2b, 3b"
        return None
    numbers = flags[np.isfinite(flags) & (flags >= 1)].astype(np.int64)
    return numbers if numbers.size else None


def meanings_of(labels: xr.DataArray) -> dict[int, str]:
    """What ``flag_meanings`` call each number; none if they are not one for each flag."""
    meanings = str(labels.attrs.get("flag_meanings", "")).split()
    flags = np.ravel(labels.attrs.get("flag_values", []))
    return dict(zip(flags, meanings, strict=True)) if len(flags) == len(meanings) else {}


def given_names(labels: xr.DataArray) -> dict[int, str]:
    """The names that clusters have of their own, by number."""
    return {number: plain(name) for number, name in _said_of(labels, NAMES).items()}


def names_of(labels: xr.DataArray, numbers: Iterable[int]) -> dict[int, str]:
    """What clusters are called, by number: by a name of their own, or such as "Cluster 3"."""
    own = given_names(labels)
    return {int(number): own.get(number, f"Cluster {number}") for number in numbers}


def given_colors(labels: xr.DataArray) -> dict[int, str]:
    """The colours that clusters have of their own, by number, such as ``"#0072b2"``."""
    said = _said_of(labels, COLORS)
    return {number: color for number, color in said.items() if is_color(color)}


def name_coordinate(labels: xr.DataArray, dim: str) -> dict[Hashable, xr.Variable]:
    """The names of clusters 1…k or ``flag_values`` along a dimension, if any has one of its own.

    The coordinate is called ``cluster_name`` if the dimension is ``cluster``.
    """
    numbers = declared_numbers(labels)
    if numbers is None or not given_names(labels):
        return {}
    names = list(names_of(labels, numbers).values())
    return {f"{dim}_name": xr.Variable(dim, names, {"long_name": "name of the cluster"})}


def is_color(text: str) -> bool:
    """Whether text is a colour as labels carry it."""
    return _COLOR.fullmatch(text) is not None


def _said_of(labels: xr.DataArray, attribute: str) -> dict[int, str]:
    """What an attribute says of each number, without empty texts, if it has one for each flag."""
    said = list_texts(labels, attribute)
    flags = np.ravel(labels.attrs.get("flag_values", []))
    pairs = zip(flags.tolist(), said, strict=True) if len(flags) == len(said) else ()
    return {int(number): text for number, text in pairs if text and isinstance(text, str)}


def list_texts(labels: xr.DataArray, attribute: str) -> list[object]:
    """The texts of an attribute, which NetCDF reads as one text if there is but one."""
    said: list[object] = np.ravel(
        np.asarray(labels.attrs.get(attribute, []), dtype=object)
    ).tolist()
    return said


def choose_clusters(
    labels: xr.DataArray, clusters: int | str | Iterable[int | str], known: Iterable[int]
) -> list[int]:
    """Return numbers of clusters, which may be given by name; refuse unknown ones."""
    names = names_of(labels, known)
    return check_members(clusters, names, {name: n for n, name in names.items()})


def order_of(labels: xr.DataArray) -> str:
    """What the numbers of clusters are ordered by, as ``ordered_by`` tells; empty if by nothing.

    Those of a match have the order of its reference, if that has one.
    """
    told = str(labels.attrs.get("ordered_by", "")).split("; ")[-1]
    return "" if told.startswith("matched to ") else told


def present_numbers(labels: xr.DataArray) -> Integers:
    """Return the numbers that occur in labels, ascending."""
    return np.unique(_finite(labels)).astype(np.int64)


def _finite(labels: xr.DataArray) -> Floats:
    values = np.asarray(labels.values, dtype=np.float64)
    finite: Floats = values[np.isfinite(values)]
    return finite


def _mask(labels: xr.DataArray, name: str) -> xr.DataArray:
    """Labels as floats, NaN for no label; 0 is kept."""
    if labels.dtype.kind in "iu":  # of which integer limits hold, as they do not of floats
        limits = {n: np.asarray(labels.attrs[n]) for n in LIMITS if n in labels.attrs}
        held = {n: v.astype(np.float64) for n, v in limits.items() if v.dtype.kind in "iu"}
        labels = labels.astype(np.float32).assign_attrs(held)
    # False means no label, and nobody numbers clusters from it
    labels = labels.astype(np.float32).where(labels) if labels.dtype.kind == "b" else labels
    labels = labels.where(lambda a: np.isfinite(a) & (a >= 0))
    if labels.size:
        labels = mask_invalid(labels.rename(name.strip("'"))).rename(labels.name)
    return labels


def _may_be_cluster_zero(labels: xr.DataArray) -> bool:
    """Whether a 0 among the labels may be a cluster."""
    excluded = 0 not in np.ravel(labels.attrs.get("flag_values", 0)) and labels.notnull().all()
    return bool((labels == 0).any() and (labels >= 1).any()) and not excluded


def _tell_of_negatives(values: Floats, name: str) -> None:
    """Warn if several numbers below 0 are taken for no label: a fill value is one."""
    negative = np.unique(values[values < 0])
    if negative.size > 1:
        warn(
            f"{name} holds {negative.size} different numbers below 0, {negative[0]:g} to "
            f"{negative[-1]:g}, which are treated as no label because clusters are numbered from 1;"
            " set them to missing to silence this warning, e.g. labels.where(labels > 0)"
        )


def _refuse_codes(numbers: Floats, name: str) -> None:
    """Refuse labels of which the highest, held or declared, is a code or a fill value."""
    highest = float(numbers.max(initial=1))
    if highest > _PLAUSIBLE and highest > _SPARSE * (distinct := np.unique(numbers).size):
        raise ValueError(
            f"{name} holds or declares the label {highest:.10g}, but only {distinct} different "
            "ones, and clusters are numbered from 1 without large gaps; if it is a fill value, "
            f"mask it, e.g. labels.where(labels < {highest:.10g}); otherwise renumber the labels"
        )


def _without_stale(labels: xr.DataArray) -> xr.DataArray:
    """Drop what the attributes say of the clusters unless it is said of all labels."""
    declared, shape = declared_numbers(labels), labels.attrs.get("som_shape")
    if declared is None and shape is not None:
        declared = np.arange(1, np.prod(shape) + 1)
    if declared is not None and np.isin(present_numbers(labels), declared).all():
        return labels
    kept = {key: value for key, value in labels.attrs.items() if key not in OF_NUMBERS}
    return labels.drop_attrs(deep=False).assign_attrs(kept)
