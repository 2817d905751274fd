"""A result as the fitted object of the reference library."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.algorithms.metrics import import_tslearn_kmeans, reach_of
from xvcluster.algorithms.mixture import Mixture, whiten
from xvcluster.record.replay import replay, scaled_nodes
from xvcluster.record.store import parameters


def to_model(result: xr.Dataset) -> Any:
    """Build the fitted object of tslearn, MiniSom or scikit-learn that a result stands for.

    Parameters
    ----------
    result : Dataset
        Of a ClusterResult.

    Returns
    -------
    tslearn.clustering.TimeSeriesKMeans, minisom.MiniSom or sklearn.pipeline.Pipeline
        The last is a PCA and a GaussianMixture. For profiles (n_profiles, n_levels, n_variables),
        for all but tslearn flat (n_profiles, n_levels · n_variables), with the levels in the order
        of the result's vertical coordinate and each variable divided by its
        ``parameters["scale"]``; where the result was normalized or is a mixture, scaled as the
        variables ``<name>_offset`` and ``<name>_scale`` tell, or each profile by its own mean and
        spread; and multiplied by the roots of ``level_weight``, where there is one.

    Raises
    ------
    ValueError
        If a window in units of the vertical coordinate spans more levels here than there.
    """
    options = parameters(result)
    if options["method"] == "gmm":
        return _pipeline(result, options)
    suffix = "_node" if options["method"] == "som" else ""
    scaling, centroids = scaled_nodes(result)
    if "normalize" not in options:
        centroids = centroids - scaling.apply(np.zeros_like(centroids[:1]))
    # clusters that a match left empty are too far away to be anyone's nearest
    centroids = np.where(np.isnan(centroids), 1e9 * np.nanmax(np.abs(centroids)), centroids)
    if suffix:
        return _minisom(centroids, options)
    vertical = options["vertical"]
    levels = np.zeros(1) if vertical is None else result[vertical].values
    return _time_series_kmeans(centroids, options, _band(options.get("window"), levels))


def _band(window: float | None, levels: npt.ArrayLike) -> dict[str, Any] | None:
    """The window as tslearn takes it, in levels."""
    if window is None:
        return None
    reach = reach_of(window, levels)
    radius = int(reach[0].sum()) - 1
    level = np.arange(len(reach))
    if not np.array_equal(reach, np.abs(level[:, None] - level) <= radius):
        raise ValueError(
            f"window={window!r} of this result spans more levels here than there, but tslearn "
            "knows windows of a fixed number of levels alone; label data with result.predict"
        )
    return {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": radius}


def _time_series_kmeans(
    centroids: np.ndarray[Any, Any], options: dict[str, Any], band: dict[str, Any] | None
) -> Any:
    model = import_tslearn_kmeans()(
        len(centroids),
        metric=options["metric"],
        max_iter=options["max_iter"],
        metric_params=band,
    )
    model.cluster_centers_ = centroids
    model.n_iter_ = options["n_iter"]
    # tslearn takes a model for fitted by these; predict reads the centroids alone
    model.labels_, model.inertia_, model._X_fit = None, None, None
    return model


def _pipeline(result: xr.Dataset, options: dict[str, Any]) -> Any:
    """The PCA and the Gaussian mixture of scikit-learn, one after the other."""
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture
    from sklearn.pipeline import make_pipeline

    own = replay(result)[1]
    if not isinstance(own, Mixture):
        raise TypeError(f"the result is of method {options['method']!r}, not a mixture")
    k, n_components = result.sizes["cluster"], len(own.axes)
    held = np.arange(k) if own.groups is None else own.groups
    pca = PCA(n_components, svd_solver="full")
    pca.components_, pca.mean_ = own.axes.reshape(n_components, -1), own.mean.ravel()
    pca.n_components_, pca.n_features_in_ = pca.components_.shape
    names = ("n_init", "max_iter", "tol")
    mixture = GaussianMixture(
        k, covariance_type=own.covariance, **{name: options[name] for name in names}
    )
    # clusters that a match left empty have no weight, and are too far away for anyone
    mixture.weights_ = np.full(k, np.finfo(np.float64).tiny)
    mixture.weights_[held] = own.weights
    mixture.means_ = np.full((k, n_components), 1e9 * (1.0 + np.abs(own.means).max()))
    mixture.means_[held] = own.means
    mixture.covariances_ = own.covariances
    if own.covariance != "tied":
        one = np.eye(n_components) if own.covariance == "full" else 1.0
        mixture.covariances_ = np.ones((k, *own.covariances.shape[1:])) * one
        mixture.covariances_[held] = own.covariances
    mixture.precisions_cholesky_ = whiten(mixture.covariances_, own.covariance)
    mixture.n_features_in_, mixture.n_iter_ = n_components, options["n_iter"]
    return make_pipeline(pca, mixture)


def _minisom(nodes: np.ndarray[Any, Any], options: dict[str, Any]) -> Any:
    from minisom import MiniSom

    rows, columns = options["grid_size"]
    flat = nodes.reshape(rows, columns, -1)
    model = MiniSom(
        rows,
        columns,
        flat.shape[-1],
        **{name: options[name] for name in ("sigma", "learning_rate") if name in options},
    )
    model.get_weights()[:] = flat
    return model
