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
from xvcluster.record.dataset import parameters_of, read_assigner, read_nodes, turn_levels
from xvcluster.regroup.reopen import reopen
from xvcluster.regroup.tree import Tree

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
    turned, metric = turn_levels(dataset, profiles.layout.descending), get_metric("euclidean")
    taken = np.flatnonzero(dataset["count"].values > 0)
    nodes = read_nodes(turned)[1][taken]
    assigner, leaves = Assigner(nodes, metric), None
    if isinstance(profiles, ArrayProfiles):
        own = profiles.layout
        labels = own.grid.flatten(dataset["label"])[own.points].astype(np.intp)
        leaves = np.searchsorted(taken, labels - 1).astype(np.int32)
        mass = np.bincount(leaves, profiles.source.profiles.weights, len(nodes)).astype(np.float64)
        if np.array_equal(leaves, profiles.members(assigner).assignment.labels):
            leaves = None
    elif type(read_assigner(turned)[1]) is not Assigner or "node" in dataset.dims:
        raise ValueError(
            "merge needs all profiles in memory, as clusters are not those of the nearest "
            "centroid, but the data are dask arrays; load them first with data.load()"
        )
    else:
        mass = profiles.criteria([profiles.members(assigner)])[0][0]
    linkage = find_tree(Block(nodes, mass))[0]
    tree = Tree(profiles, linkage, leaves, nodes)
    parameters = {"method": "ward", "metric": "euclidean", "contiguous": False, "n_pieces": 1}
    parameters |= {"nodes_by": options.get("nodes_by", options["method"])}
    parameters |= {name: options[name] for name in _KEPT if name in options}
    return tree.dataset(dataset, tree.cut(n_clusters), parameters)
