"""The tree of a model's profiles, or of nodes that they belong to, cut at any k."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.moments import moments_by_cluster
from xvcluster.algorithms.ward import cut
from xvcluster.arrays import Float64s, Indices, Labels
from xvcluster.profiles import Members, Scaled
from xvcluster.profiles.memory import ArrayMembers, ArrayProfiles
from xvcluster.record.dataset import (
    describe,
    describe_order,
    describe_scaling,
    lowest_first,
    of_each,
)
from xvcluster.record.tree import describe_tree


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Centroids (k, n_levels, n_variables), their members, and the cluster of each leaf, from 0."""

    centroids: Float64s
    members: Members
    groups: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A tree whose leaves are profiles, or nodes.

    Attributes
    ----------
    profiles : Scaled
    linkage : ndarray, shape (n_leaves - 1, 4)
        As SciPy has it.
    leaves : ndarray of int, shape (n_profiles,), optional
        The leaf of each profile, from 0. By default, the nearest node.
    nodes : Members, optional
        The profiles nearest to each of the nodes that are leaves. None if each profile is a leaf.
    """

    profiles: Scaled
    linkage: Float64s
    leaves: Labels | None
    nodes: Members | None

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return len(self.linkage) + 1

    def cut(self, k: int) -> Cut:
        """The clusters at one k, numbered by their centroids, lowest first."""
        groups = cut(self.linkage, self.n_leaves, k)
        means = self._means(groups)
        in_units = self._members(means, groups).scaling().undo(means)
        order = lowest_first(in_units, self.profiles.layout.weighting.levels)
        means, groups = means[order], np.argsort(order).astype(np.int32)[groups]
        return Cut(means, self._members(means, groups), groups)

    def _means(self, groups: Labels) -> Float64s:
        """Mean profiles of clusters of leaves, scaled."""
        leaves = self.leaves
        if leaves is None and isinstance(self.nodes, ArrayMembers):
            leaves = self.nodes.assignment.labels
        if leaves is None:
            nodes, metric = self._assigner.nodes, self._assigner.metric
            return self.profiles.members(Assigner(nodes, metric, groups)).means()
        own = self._in_memory.source.profiles
        found = moments_by_cluster(own, groups[leaves], int(groups.max()) + 1)
        return np.stack([members.mean for members in found])

    def _members(self, means: Float64s, groups: Labels) -> Members:
        """The members of clusters of leaves."""
        if self.leaves is None:
            nodes, metric = self._assigner.nodes, self._assigner.metric
            return self.profiles.members(Assigner(nodes, metric, groups, means))
        assigner = Assigner(means, get_metric("euclidean"))
        return self._in_memory.members(assigner, groups[self.leaves])

    @property
    def _assigner(self) -> Assigner:
        assert self.nodes is not None
        return self.nodes.assigner

    @property
    def _in_memory(self) -> ArrayProfiles:
        assert isinstance(self.profiles, ArrayProfiles)  # leaves are not given otherwise
        return self.profiles

    def dataset(
        self,
        data: xr.DataArray | xr.Dataset,
        found: Cut,
        parameters: Mapping[str, Any],
        did: str = "",
    ) -> xr.Dataset:
        """Describe the clusters at one k, and the tree, in one Dataset; see `describe`."""
        layout = self.profiles.layout
        dataset = describe(data, layout, found.centroids, found.members, parameters, did)
        dataset["label"].attrs["ordered_by"] = describe_order(layout)
        what = "profile" if self.nodes is None else "node"
        dataset.update(describe_tree(self.linkage, self._leaf(), what, len(found.centroids)))
        if self.nodes is not None:
            dataset.update(self._describe_nodes(found.groups))
        return dataset

    def _leaf(self) -> xr.Variable:
        """The leaf of each point, from 1."""
        if self.leaves is None:
            assert self.nodes is not None
            return self.nodes.label()
        layout = self._in_memory.layout
        number = np.full(layout.status.size, np.nan)  # float32 would not hold those beyond 2**24
        number[layout.points] = self.leaves + 1.0
        return layout.grid.spread(number)

    def _describe_nodes(self, groups: Labels) -> dict[str, Any]:
        """The nodes in the units of the data, how they are scaled, and their clusters."""
        layout, nodes = self.profiles.layout, self._assigner.nodes.astype(np.float64)
        assert self.nodes is not None
        scaling = self.nodes.scaling()
        described: dict[str, Any] = of_each(layout, "_node", scaling.undo(nodes), "node")
        described |= describe_scaling(layout, scaling, "node")
        described["node"] = ("node", np.arange(1, len(nodes) + 1), {"long_name": "node number"})
        cluster = groups.astype(np.int64) + 1
        described["node_cluster"] = ("node", cluster, {"long_name": "cluster of the node"})
        return described


def find_leaves(
    profiles: ArrayProfiles,
    numbers: xr.DataArray,
    nodes: Members | None,
    leaf_numbers: Indices | None = None,
) -> Labels | None:
    """The leaf of each profile, from 0; None if it is the nearest node.

    Parameters
    ----------
    profiles : ArrayProfiles
    numbers : DataArray
        Map of the leaves, from 1.
    nodes : Members, optional
    leaf_numbers : ndarray of int, optional
        The number of each leaf on the map, from 0 and ascending, if not all occur.
    """
    layout = profiles.layout
    leaves = layout.grid.flatten(numbers)[layout.points].astype(np.int32) - 1
    if leaf_numbers is not None:
        leaves = np.searchsorted(leaf_numbers, leaves).astype(np.int32)
    if isinstance(nodes, ArrayMembers) and np.array_equal(leaves, nodes.assignment.labels):
        return None
    return leaves
