"""Labels, distances and second-nearest distances of profiles to given centroids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from xvcluster.methods.lloyd import split, threads
from xvcluster.methods.metric import Float64s, Floats, Labels, Metric
from xvcluster.methods.softdtw import SoftDTW


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Where each profile belongs.

    Attributes
    ----------
    labels : ndarray, shape (n_profiles,)
        Index of the cluster, from 0.
    nearest : ndarray, shape (n_profiles,)
        Index of the nearest centroid: the label, unless centroids are grouped into clusters.
    squared : ndarray, shape (n_profiles,)
        Squared distance to it.
    margin : ndarray, shape (n_profiles,)
        1 − d₁/d₂ from the distances to the nearest centroid and to the nearest one of another
        cluster: 0 where both are equally near, 1 where there is no other.
    """

    labels: Labels
    nearest: Labels
    squared: Float64s
    margin: Float64s


def assign(
    profiles: Floats,
    centroids: Floats,
    metric: Metric,
    groups: npt.NDArray[np.integer] | None = None,
) -> Assignment:
    """Assign profiles to their nearest centroids, in float64.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
    centroids : ndarray, shape (k, n_levels, n_variables)
    metric : Metric
    groups : ndarray of int, shape (k,), optional
        The cluster of each centroid, where several make one cluster. Default: each is its own.

    Returns
    -------
    Assignment
    """
    groups = np.arange(len(centroids)) if groups is None else groups
    step = partial(_assign_block, centroids=centroids, metric=metric, groups=groups)
    with threads() as map_blocks:
        parts = list(map_blocks(step, split(profiles, metric)))
    nearest, squared, second = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(second > 0, np.sqrt(squared / second), 1.0)
    margin = np.clip(1.0 - ratio, 0.0, 1.0)
    return Assignment(groups[nearest].astype(np.int32), nearest, squared, margin)


def _assign_block(
    block: Floats, centroids: Floats, metric: Metric, groups: npt.NDArray[np.integer]
) -> tuple[Labels, Float64s, Float64s]:
    squared = metric.squared_distances(block, centroids)
    nearest = squared.argmin(axis=1).astype(np.int32)
    if isinstance(metric, SoftDTW):
        squared = metric.divergences(squared, block, centroids)
    rows = np.arange(len(block))
    own = squared[rows, nearest]
    others = np.where(groups == groups[nearest][:, None], np.inf, squared)
    return nearest, own, others.min(axis=1)
