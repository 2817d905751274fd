"""A result's tree cut at another number of clusters."""

from __future__ import annotations

import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.metrics import get_metric
from xvcluster.options import check_clusters
from xvcluster.profiles import Layout
from xvcluster.profiles.memory import ArrayProfiles
from xvcluster.record.dataset import parameters_of, read_nodes, turn_levels
from xvcluster.record.naming import carry_over
from xvcluster.record.tree import check_cut, require_tree
from xvcluster.regroup.reopen import reopen
from xvcluster.regroup.tree import Tree, find_leaves


def cut(dataset: xr.Dataset, layout: Layout | None, n_clusters: int) -> xr.Dataset:
    """Cut the tree of a result at another number of clusters; see `ClusterResult.cut`."""
    linkage, parameters = require_tree(dataset), parameters_of(dataset)
    n_clusters = check_clusters("n_clusters", n_clusters)
    check_cut(dataset, "n_clusters", n_clusters)
    profiles = reopen(dataset, layout, "cut")
    nodes = None
    if "node" in dataset.dims:
        turned = turn_levels(dataset, profiles.layout.descending)
        nodes = profiles.members(Assigner(read_nodes(turned, "node")[1], get_metric("euclidean")))
    leaves = None
    if isinstance(profiles, ArrayProfiles):
        leaves = find_leaves(profiles, dataset["leaf"], nodes)
    elif nodes is None:
        raise ValueError(
            "cut needs all profiles in memory, each of which is a leaf of the tree, but the data "
            "are dask arrays; load them first with data.load()"
        )
    tree = Tree(profiles, linkage, leaves, nodes)
    did = f"{parameters['method']}, tree cut again"
    parameters.pop("cleaned", None)  # of the former map
    return carry_over(dataset, tree.dataset(dataset, tree.cut(n_clusters), parameters, did))
