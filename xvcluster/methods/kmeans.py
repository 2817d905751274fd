"""Cluster the profiles of a model by k-means."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from typing import Literal

import xarray as xr

from xvcluster.methods.fitting import fit_all
from xvcluster.methods.sweep import describe_sweep
from xvcluster.options import (
    MetricName,
    check_integer,
    check_ks,
)
from xvcluster.profiles.scaling import Normalization
from xvcluster.result import ClusterResult


def kmeans(
    data: xr.DataArray | xr.Dataset,
    n_clusters: int | None = None,
    *,
    metric: MetricName = "euclidean",
    window: float | None = None,
    normalize: Normalization | None = None,
    weights: Literal["area"] | xr.DataArray | None = None,
    level_weights: Literal["thickness"] | xr.DataArray | None = None,
    k_range: Iterable[int] = range(2, 21),
    n_init: int | Literal["auto"] = "auto",
    max_iter: int = 300,
    tol: float = 1e-4,
    random_state: int | None = 0,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    dim: Hashable | None = None,
) -> ClusterResult:
    """Cluster profiles by k-means.

    Parameters
    ----------
    data : DataArray or Dataset
        A model on any dimensions, of which one may be the vertical; each column along it is a
        profile. Every variable of a Dataset is one channel of the profile. Never changed. Dask
        arrays are passed over chunk by chunk and never held whole; maps of the result are then
        dask arrays too.
    n_clusters : int, optional
        Number of clusters, at most the number of distinct profiles. Default: the knee of the
        inertia over `k_range`.
    metric : {"euclidean", "dtw", "softdtw"}, default "euclidean"
        Level by level; or under dynamic time warping, for profiles whose layers lie at different
        depths (soft-DTW by tslearn, with γ = 1).
    window : int or float, optional
        Pair levels under DTW only if they are no farther apart: an int counts levels, a float is in
        the units of the vertical coordinate. Default: no bound.
    normalize : {"anomaly", "percent", "level", "profile", "variable"}, optional
        How profiles are made comparable; `predict` does the same, and centroids are given in the
        units of the data. "anomaly": less the mean of each level, of several variables each by its
        spread about that mean (of one variable under Euclidean distance, that changes no label);
        "percent": that in percent of the level's mean; "level": also by the spread of each level;
        "profile": each profile less its own mean and by its own spread, so that its shape alone
        counts; "variable": each variable by its overall spread. Default: "variable" where there are
        several, else as the data are.
    weights : "area" or DataArray, optional
        What profiles count for in all that is fitted, summed or averaged: the area of their cell on
        the sphere, over its mean; or non-negative numbers on some of the horizontal dimensions, of
        which 2 counts as two equal profiles. Default: each counts once.
    level_weights : "thickness" or DataArray, optional
        What squared differences at each level count for, Euclidean only: the thickness of the
        layers, half-way to their neighbours, over its mean; or positive numbers along the vertical.
    k_range : iterable of int, default 2…20
        Numbers of clusters to try when `n_clusters` is None.
    n_init : int or "auto", default "auto"
        Restarts, of which the best counts. "auto" is 10 for Euclidean and 3 for the others.
    max_iter : int, default 300
        Passes over the data at most.
    tol : float, default 1e-4
        A run has converged when the squared shift of its centroids is less than this share of the
        mean variance of the levels.
    random_state : int or None, default 0
        Seed. The same data and seed give the same labels, whatever the order of dimensions, the
        direction of axes and the number of threads. None draws one, which the result records.
    progress : bool, optional
        Show a bar. Default: in notebooks and terminals, for work of more than a second.
    checkpoint : path-like, optional
        A file in which the centroids are kept after each pass over data that are larger than
        memory. If it is there already, the fit goes on from it.
    dim : hashable, optional
        The vertical dimension, where it cannot be told.

    Returns
    -------
    ClusterResult
        Unpacks to labels (on the horizontal dimensions of `data`) and centroids (cluster, vertical;
        in the units of the data). Clusters are numbered by their mean over the levels, of the first
        variable, lowest first.

    Raises
    ------
    TypeError
        If an option or a variable has the wrong type.
    ValueError
        If an option is out of its range, the vertical is not clear, no profile is complete,
        there are fewer distinct profiles than clusters, or a checkpoint is of another fit.
    RuntimeError
        If a chunk of a dask array cannot be worked on; names it.

    Notes
    -----
    Lloyd's algorithm from k-means++ seeds minimizes the inertia Σᵢ minⱼ d(xᵢ, cⱼ)², with centroids
    that are the members' mean, or their DTW barycenter (DBA). The restarts settle on a sample of
    the profiles, where the best of them breathe: they are given some clusters more, and relieved of
    those that are missed least. What is left settles on all profiles: contenders on up to 262,144
    of them (32,768 under DTW), the best in passes over all.

    References
    ----------
    Lloyd, S. (1982). Least squares quantization in PCM. IEEE Trans. Inf. Theory 28, 129–137.
    https://doi.org/10.1109/TIT.1982.1056489

    Petitjean, F., Ketterlin, A. & Gançarski, P. (2011). A global averaging method for dynamic time
    warping. Pattern Recognition 44, 678–693. https://doi.org/10.1016/j.patcog.2010.09.013

    Fritzke, B. (2020). The breathing k-means algorithm. https://doi.org/10.48550/arXiv.2006.15666

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"]
    >>> labels, centroids = vs.vcluster.kmeans(6)
    >>> centroids.sizes["cluster"]
    6
    """
    if n_clusters is None:
        ks = check_ks("k_range", k_range)
    else:
        ks = [check_integer("n_clusters", n_clusters, 1)]
    fitted = fit_all(
        data,
        ks,
        metric=metric,
        window=window,
        normalize=normalize,
        weights=weights,
        level_weights=level_weights,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=random_state,
        progress=progress,
        checkpoint=checkpoint,
        dim=dim,
    )
    if len(ks) > 1:
        return describe_sweep(fitted).result()
    return ClusterResult(fitted.dataset(ks[0]), _origin=fitted.origin(ks[0]))
