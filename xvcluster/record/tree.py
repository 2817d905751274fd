"""The tree of a hierarchical clustering, as a result holds it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xvcluster.algorithms.ward import cut
from xvcluster.arrays import Float64s, Labels


def has_tree(dataset: xr.Dataset) -> bool:
    """Whether a result holds a tree."""
    return "linkage" in dataset


def require_tree(dataset: xr.Dataset) -> Float64s:
    """The merges (n_leaves - 1, 4) of a result's tree, as SciPy has them."""
    if not has_tree(dataset):
        raise ValueError(
            "this result has no tree: it was not made by ward. Merge its clusters into one first, "
            "with result.merge(n_clusters)"
        )
    linkage: Float64s = dataset["linkage"].values.astype(np.float64)
    return linkage


def describe_tree(linkage: Float64s, leaf: xr.DataArray, what: str) -> dict[str, xr.DataArray]:
    """Describe the merges of a tree, and the leaf of each point.

    Parameters
    ----------
    linkage : ndarray, shape (n_leaves - 1, 4)
    leaf : DataArray
        From 1, on the map.
    what : str
        What the leaves are.
    """
    attrs = {
        "long_name": "merges of two clusters, as in scipy.cluster.hierarchy",
        "comment": "numbers of both from 0, leaves first; height; number of leaves",
    }
    merges = xr.DataArray(linkage, dims=("merge", "merge_part"), attrs=attrs)
    number = leaf.assign_attrs(long_name=f"leaf of the tree: number of the {what}, from 1")
    return {"linkage": merges, "leaf": number}


def cut_labels(dataset: xr.Dataset, k: int) -> xr.DataArray:
    """Labels of a result's tree at any k, from 1 in an order in which relatives are near."""
    linkage = require_tree(dataset)
    groups = cut(linkage, len(linkage) + 1, k)
    table = np.append(np.nan, in_order(linkage, groups)[groups] + 1).astype(np.float32)
    labels: xr.DataArray = xr.apply_ufunc(
        lambda leaf: table[np.nan_to_num(leaf).astype(np.intp)],
        dataset["leaf"],
        dask="parallelized",
        output_dtypes=[np.float32],
    )
    return labels.assign_attrs(dataset["label"].attrs)


def in_order(linkage: Float64s, groups: Labels) -> Labels:
    """Place of each cluster of a cut among the leaves of its tree, in which relatives are near."""
    from scipy.cluster.hierarchy import leaves_list

    place = np.empty(groups.max() + 1, np.intp)
    for rank, leaf in enumerate(leaves_list(linkage)[::-1]):
        place[groups[leaf]] = rank
    order: Labels = np.argsort(np.argsort(-place)).astype(np.int32)
    return order
