"""A result as the fitted object of the reference library."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from xvcluster.methods.softdtw import import_tslearn_kmeans
from xvcluster.store import parameters


def to_model(result: xr.Dataset) -> Any:
    """Build the fitted tslearn or MiniSom object that a result stands for.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult.

    Returns
    -------
    tslearn.clustering.TimeSeriesKMeans or minisom.MiniSom
        For profiles (n_profiles, n_levels, n_variables), or for MiniSom (n_profiles, n_levels ·
        n_variables), with the levels in the order of the result's vertical coordinate and each
        variable divided by its ``parameters["scale"]``.
    """
    options = parameters(result)
    suffix = "_node" if options["method"] == "som" else ""
    arrays = [result[n + suffix].values / options["scale"][n] for n in options["variables"]]
    arrays = [a if a.ndim == 2 else a[:, None] for a in arrays]
    centroids = np.stack(arrays, axis=-1)
    return _minisom(centroids, options) if suffix else _time_series_kmeans(centroids, options)


def _time_series_kmeans(centroids: np.ndarray[Any, Any], options: dict[str, Any]) -> Any:
    model = import_tslearn_kmeans()(
        len(centroids), metric=options["metric"], max_iter=options["max_iter"]
    )
    model.cluster_centers_ = centroids
    model.n_iter_ = options["n_iter"]
    # tslearn takes a model for fitted by these; predict reads the centroids alone
    model.labels_, model.inertia_, model._X_fit = None, None, None
    return model


def _minisom(nodes: np.ndarray[Any, Any], options: dict[str, Any]) -> Any:
    from minisom import MiniSom

    rows, columns = options["grid_size"]
    flat = nodes.reshape(rows, columns, -1)
    model = MiniSom(
        rows,
        columns,
        flat.shape[-1],
        sigma=options["sigma"],
        learning_rate=options["learning_rate"],
    )
    model.get_weights()[:] = flat
    return model
