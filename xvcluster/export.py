"""A result as the fitted object of the reference library."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.methods import reach_of
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

    Raises
    ------
    ValueError
        If a window in units of the vertical coordinate spans more levels here than there.
    """
    options = parameters(result)
    suffix = "_node" if options["method"] == "som" else ""
    arrays = [result[n + suffix].values / options["scale"][n] for n in options["variables"]]
    arrays = [a if a.ndim == 2 else a[:, None] for a in arrays]
    centroids = np.stack(arrays, axis=-1)
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
