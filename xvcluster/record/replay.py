"""A clustering taken up again from its Dataset: how data are scaled, and what they are near to."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.metrics import Metric, get_metric
from xvcluster.algorithms.mixture import Mixture
from xvcluster.arrays import Booleans, Float64s
from xvcluster.profiles.scaling import ProfileScaling, Scaling
from xvcluster.record.store import parameters


def replay(
    result: xr.Dataset, *, backwards: bool = False
) -> tuple[Scaling | ProfileScaling, Assigner]:
    """How profiles are scaled and assigned to the clusters of a result.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult.
    backwards : bool, default False
        Whether the levels of the profiles run against those of the result.

    Returns
    -------
    (Scaling or ProfileScaling, Assigner)
        For profiles with the levels in the order of the result's vertical coordinate, or against
        it. Clusters that a match left empty have no centroid, and none is assigned to them.
    """
    options = parameters(result)
    vertical = options["vertical"]
    if backwards:
        result = result.isel({vertical: slice(None, None, -1)})
    scaling, nodes = scaled_nodes(result)
    metric = metric_of(result)
    if options["method"] == "som":
        of_nodes = result["node_cluster"].values.astype(np.int64) - 1
        return scaling, Assigner(nodes, metric, of_nodes)
    is_held = np.asarray(~np.isnan(nodes).any(axis=(1, 2)))
    groups = None if is_held.all() else np.flatnonzero(is_held)
    if options["method"] == "gmm":
        parts = _gaussians(result, options, is_held)
        return scaling, Mixture(nodes[is_held], metric, groups, **parts)
    return scaling, Assigner(nodes[is_held], metric, groups)


def _gaussians(result: xr.Dataset, options: dict[str, Any], is_held: Booleans) -> dict[str, Any]:
    """What a mixture consists of beside its means, without the clusters that a match left empty."""
    spread = result["component_covariance"]
    own = is_held if "cluster" in spread.dims else slice(None)
    return {
        "axes": _levelled(result, options["variables"], "_axis", "component"),
        "weights": result["component_weight"].values[is_held],
        "covariance": options["covariance"],
        "covariances": spread.values[own],
    }


def nearest_distances(result: xr.Dataset) -> Float64s:
    """Distance (k,) of each centroid to the nearest other one, as profiles were compared."""
    centroids = scaled_nodes(result, "cluster")[1]
    held = np.flatnonzero(~np.isnan(centroids).any(axis=(1, 2)))
    nearest = np.full(len(centroids), np.nan)
    if held.size > 1:
        apart = metric_of(result).distances(centroids[held], centroids[held])
        np.fill_diagonal(apart, np.inf)
        nearest[held] = apart.min(axis=1)
    return nearest


def metric_of(result: xr.Dataset) -> Metric:
    """The metric by which profiles were compared."""
    options = parameters(result)
    vertical = options["vertical"]
    levels = np.zeros(1) if vertical is None else result[vertical].values.astype(np.float64)
    return get_metric(options["metric"], options.get("window"), levels)


def scaled_nodes(
    result: xr.Dataset, along: str | None = None
) -> tuple[Scaling | ProfileScaling, Float64s]:
    """How data are scaled, and centroids or nodes (n, n_levels, n_variables) scaled so.

    `along` is "cluster" or "node"; by default what profiles are assigned to.
    """
    options = parameters(result)
    along = along or ("node" if options["method"] == "som" else "cluster")
    suffix = "_node" if along == "node" else ""
    nodes = _levelled(result, options["variables"], suffix, along)
    weights = np.ones(nodes.shape[1])
    if "level_weight" in result:
        weights = result["level_weight"].values.astype(np.float64)
    stretch = np.sqrt(weights)[:, None]
    normalize = options.get("normalize")
    if normalize == "profile":
        by_profile = ProfileScaling(weights)
        names = [f"{n}{suffix}_scale" for n in options["variables"]]
        spread = np.stack([result[n].values for n in names], axis=-1)
        moments = np.stack([by_profile.moments(nodes)[:, 0], np.where(spread > 0, spread, 1.0)], 1)
        return by_profile, by_profile.undoing(moments).apply(nodes).astype(np.float64)
    if normalize in {"anomaly", "percent", "level"} or options["method"] == "gmm":
        offset, scale = (
            _levelled(result, options["variables"], end)[0] for end in ("_offset", "_scale")
        )
    else:
        held = nodes[~np.isnan(nodes).any(axis=(1, 2))]
        by_level = options["metric"] == "euclidean"
        offset = held.mean(axis=0) if by_level else held.mean(axis=(0, 1))
        scale = np.array([options["scale"][n] for n in options["variables"]])
    scaling = Scaling(offset, scale / stretch if "level_weight" in result else scale)
    return scaling, scaling.apply(nodes).astype(np.float64)


def _levelled(
    result: xr.Dataset, names: list[str], suffix: str, lead: str | None = None
) -> Float64s:
    """Variables as one array (n, n_levels, n_variables), also of what has no vertical."""
    arrays = [result[n + suffix] for n in names]
    dims = [d for d in arrays[0].dims if d != lead]
    shape = (arrays[0].sizes.get(lead, 1), -1)
    values = [a.transpose(*([lead] if lead else []), *dims).values.reshape(shape) for a in arrays]
    return np.stack(values, axis=-1).astype(np.float64)
