"""Labels, distances and second-nearest distances of profiles to given centroids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from xvcluster.algorithms.lloyd import split, threads
from xvcluster.algorithms.metrics import Metric
from xvcluster.arrays import Float64s, Floats, Labels


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """The cluster of each profile, and how clearly it belongs there.

    Attributes
    ----------
    labels : ndarray, shape (n_profiles,)
        Index of the cluster, from 0.
    nearest : ndarray, shape (n_profiles,)
        Index of the nearest node. It is the label, unless nodes are grouped into clusters.
    squared : ndarray, shape (n_profiles,)
        Squared distance to the nearest node, or to the centroid of the cluster.
    margin : ndarray, shape (n_profiles,)
        1 − d₁/d₂ from the distances to the nearest node and to the nearest node of another
        cluster: 0 if both are equally near, 1 if there is no other cluster. If labels were given,
        (d₂ − d₁) / max(d₁, d₂) with the distance d₁ to the cluster's own centroid: negative if
        another one is nearer.
    """

    labels: Labels
    nearest: Labels
    squared: Float64s
    margin: Float64s


@dataclass(frozen=True, slots=True, eq=False)
class Assigner:
    """Assigns profiles to the clusters of their nearest nodes.

    Attributes
    ----------
    nodes : ndarray, shape (n_nodes, n_levels, n_variables)
        Centroids of the clusters, or nodes that are merged into clusters.
    metric : Metric
    groups : ndarray of int, shape (n_nodes,), optional
        The cluster of each node, from 0. By default, each node is a cluster of its own.
    centroids : ndarray, shape (k, n_levels, n_variables), optional
        Centroids of the clusters, to which squared distances are measured. By default, they are
        measured to the nearest node.
    """

    nodes: Floats
    metric: Metric
    groups: npt.NDArray[np.integer] | None = None
    centroids: Floats | None = None

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        if self.centroids is not None:
            return len(self.centroids)
        return len(self.nodes) if self.groups is None else int(self.groups.max()) + 1

    def __call__(self, block: Floats) -> Assignment:
        """Assign profiles (n, n_levels, n_variables); distances are in float64."""
        groups = np.arange(len(self.nodes)) if self.groups is None else self.groups
        squared = self.metric.squared_distances(block, self.nodes)
        nearest = squared.argmin(axis=1).astype(np.int32)
        squared = self.metric.divergences(squared, block, self.nodes)
        labels = groups[nearest].astype(np.int32)
        own = squared[np.arange(len(block)), nearest]
        second = np.where(groups == labels[:, None], np.inf, squared).min(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(second > 0, np.sqrt(own / second), 1.0)
        if self.centroids is not None:
            own = _to_own(block, labels, self.centroids, self.metric)
        return Assignment(labels, nearest, own, np.clip(1.0 - ratio, 0.0, 1.0))

    def label(self, block: Floats) -> Labels:
        """The clusters (n,) alone of profiles (n, n_levels, n_variables)."""
        nearest = self.metric.squared_distances(block, self.nodes).argmin(axis=1)
        labels: Labels = (nearest if self.groups is None else self.groups[nearest]).astype(np.int32)
        return labels

    def distances(self, block: Floats, k: int) -> Float64s:
        """Distances (n, k) of profiles to the nearest node of each of k clusters; NaN if none."""
        groups = np.arange(len(self.nodes)) if self.groups is None else self.groups
        of_nodes = self.metric.distances(block, self.nodes)
        nearest = np.full((len(block), k), np.nan)
        for c in np.unique(groups):
            nearest[:, c] = of_nodes[:, groups == c].min(axis=1)
        return nearest


def assign_given(profiles: Floats, labels: Labels, centroids: Floats, metric: Metric) -> Assignment:
    """Describe how clearly profiles belong to clusters that were found otherwise.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
    labels : ndarray of int, shape (n_profiles,)
        From 0.
    centroids : ndarray, shape (k, n_levels, n_variables)
        NaN for a cluster that is empty.
    metric : Metric
    """
    blocks = split(profiles, metric)
    edges = np.cumsum([len(block) for block in blocks])[:-1]
    describe = partial(_describe_given, centroids=centroids, metric=metric)
    with threads() as map_blocks:
        return _join(map_blocks(describe, blocks, np.split(labels.astype(np.int32), edges)))


def _describe_given(block: Floats, labels: Labels, centroids: Floats, metric: Metric) -> Assignment:
    """Distance to the own centroid, and how much farther the nearest other one is."""
    squared = squared_to_each(block, centroids, metric)
    rows = np.arange(len(block))
    to_own = squared[rows, labels]
    squared[rows, labels] = np.inf
    own, other = np.sqrt(to_own), np.sqrt(squared.min(axis=1))
    with np.errstate(invalid="ignore"):
        margin = np.nan_to_num((other - own) / np.maximum(own, other), nan=0.0)
    return Assignment(labels, labels, to_own, np.where(np.isinf(other), 1.0, margin))


def squared_to_each(block: Floats, centroids: Floats, metric: Metric) -> Float64s:
    """Squared distances (n, k) of profiles to centroids, infinite to those that are NaN."""
    squared = np.full((len(block), len(centroids)), np.inf)
    exist = ~np.isnan(centroids).any(axis=(1, 2))
    values = metric.squared_distances(block, centroids[exist])
    squared[:, exist] = metric.divergences(values, block, centroids[exist])
    return squared


def _to_own(block: Floats, labels: Labels, centroids: Floats, metric: Metric) -> Float64s:
    """Squared distances (n,) of profiles to the centroids of their clusters."""
    squared = np.empty(len(block))
    for c in np.unique(labels):
        own = labels == c
        squared[own] = metric.squared_distances(block[own], centroids[[c]])[:, 0]
    return squared


def assign(profiles: Floats, assigner: Assigner) -> Assignment:
    """Assign profiles (n_profiles, n_levels, n_variables), on all cores."""
    with threads() as map_blocks:
        return _join(map_blocks(assigner, split(profiles, assigner.metric)))


def label_by(assigners: Sequence[Assigner], profiles: Floats) -> list[Labels]:
    """Label profiles (n_profiles, n_levels, n_variables) by each of several assigners."""
    with threads() as map_blocks:
        blocks = split(profiles, assigners[0].metric)
        found = list(map_blocks(lambda block: [own.label(block) for own in assigners], blocks))
    return [np.concatenate(labels) for labels in zip(*found, strict=True)]


def _join(parts: Iterable[Assignment]) -> Assignment:
    parts = list(parts)
    columns = (np.concatenate([getattr(p, n) for p in parts]) for n in Assignment.__slots__)
    return Assignment(*columns)
