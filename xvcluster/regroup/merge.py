"""The clusters of any result merged into fewer, by a tree of their centroids."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.ward import find_tree
from xvcluster.options import check_clusters
from xvcluster.profiles import Layout
from xvcluster.profiles.memory import ArrayProfiles
from xvcluster.record.dataset import held, parameters_of, read_assigner, read_nodes, turn_levels
from xvcluster.record.naming import carry_over
from xvcluster.regroup.reopen import reopen
from xvcluster.regroup.tree import Tree, find_leaves

_KEPT = ("random_state", "normalize", "weights", "level_weights", "variable_weights")


def merge(dataset: xr.Dataset, layout: Layout | None, n_clusters: int) -> xr.Dataset:
    """Merge the clusters of a result; see `ClusterResult.merge`."""
    options = parameters_of(dataset)
    count = int((dataset["count"] > 0).sum())
    n_clusters = check_clusters("n_clusters", n_clusters)
    if n_clusters > count:
        raise ValueError(f"n_clusters={n_clusters} is more than the {count} clusters there are")
    if options["metric"] != "euclidean":
        raise ValueError(
            "Ward's criterion merges clusters by Euclidean distances; under metric="
            f"{options['metric']!r} there is none. Cluster with metric='euclidean'"
        )
    profiles = reopen(dataset, layout, "merge")
    turned = turn_levels(dataset, profiles.layout.descending)
    nodes = read_nodes(turned)[1]
    exist = np.flatnonzero(held(nodes) & (dataset["count"].values > 0))
    members = profiles.members(Assigner(nodes[exist], get_metric("euclidean")))
    leaves, mass = None, profiles.criteria([members])[0][0]
    if isinstance(profiles, ArrayProfiles):
        leaves = find_leaves(profiles, dataset["label"], members, exist)
        if leaves is not None:
            weights = profiles.source.profiles.weights
            mass = np.bincount(leaves, weights, exist.size).astype(np.float64)
    else:
        _require_nearest(turned)
    linkage = find_tree(Block(nodes[exist], mass)).linkage
    tree = Tree(profiles, linkage, leaves, members)
    parameters = {"method": "ward", "metric": "euclidean", "contiguous": False, "n_pieces": 1}
    parameters |= {"nodes_by": options["method"] + ", cleaned" * ("cleaned" in options)}
    parameters |= {name: options[name] for name in _KEPT if name in options}
    did = f"{exist.size} clusters merged by Ward's criterion"
    return carry_over(dataset, tree.dataset(dataset, tree.cut(n_clusters), parameters, did))


def _require_nearest(dataset: xr.Dataset) -> None:
    """Refuse clusters that are not those of the nearest centroid, if profiles are in chunks."""
    if type(read_assigner(dataset)[1]) is not Assigner or "node" in dataset.dims:
        raise ValueError(
            "merge needs all profiles in memory, as clusters are not those of the nearest "
            "centroid, but the data are dask arrays; load them first with data.load()"
        )
