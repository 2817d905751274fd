"""Cluster the profiles of a model by k-means or by a self-organizing map."""

from __future__ import annotations

import os
import warnings
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.describe import build_dataset, check_names, flag_attrs
from xvcluster.fitting import fit_all, lowest_first, order_text, require_distinct
from xvcluster.methods import get_metric
from xvcluster.methods.assign import Assigner
from xvcluster.methods.initialize import has_distinct
from xvcluster.methods.restarts import best_runs
from xvcluster.methods.som import train_batch, train_online
from xvcluster.methods.source import InMemory, Source
from xvcluster.normalize import Scaling
from xvcluster.options import (
    Algorithm,
    MetricName,
    check_grid_size,
    check_integer,
    check_ks,
    check_seed,
    check_training,
)
from xvcluster.profiles import Layout, lay_out, open_profiles
from xvcluster.progress import show_steps
from xvcluster.result import ClusterResult
from xvcluster.sweep import describe_sweep


def kmeans(
    data: xr.DataArray | xr.Dataset,
    n_clusters: int | None = None,
    *,
    metric: MetricName = "euclidean",
    window: float | None = None,
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
        profile. Every variable of a Dataset is one channel of the profile, scaled by its overall
        spread. Never changed. Dask arrays are passed over chunk by chunk and never held whole; maps
        of the result are then dask arrays too.
    n_clusters : int, optional
        Number of clusters, at most the number of distinct profiles. Default: the knee of the
        inertia over `k_range`.
    metric : {"euclidean", "dtw", "softdtw"}, default "euclidean"
        Level by level; or under dynamic time warping, for profiles whose layers lie at different
        depths (soft-DTW by tslearn, with γ = 1).
    window : int or float, optional
        Pair levels under DTW only if they are no farther apart: an int counts levels, a float is in
        the units of the vertical coordinate. Default: no bound.
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
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=random_state,
        progress=progress,
        checkpoint=checkpoint,
        dim=dim,
    )
    return describe_sweep(fitted).result() if len(ks) > 1 else ClusterResult(fitted.dataset(ks[0]))


def som(
    data: xr.DataArray | xr.Dataset,
    grid_size: tuple[int, int] | None = None,
    *,
    algorithm: Algorithm = "online",
    n_iterations: int | None = None,
    sigma: float | None = None,
    learning_rate: float | None = None,
    n_clusters: int | None = None,
    random_state: int | None = 0,
    progress: bool | None = None,
    dim: Hashable | None = None,
) -> ClusterResult:
    """Cluster profiles by a self-organizing map.

    Parameters
    ----------
    data : DataArray or Dataset
        As for `kmeans`.
    grid_size : (int, int), optional
        Rows and columns of nodes. Default: ⌈√√N⌉ each way for N profiles.
    algorithm : {"online", "batch"}, default "online"
        Show the map one profile after the other, as MiniSom and SeisGo do; or all of them in each
        pass, so that none is left out where they are many.
    n_iterations : int, optional
        Online, the profiles shown, drawn in random order; default 50 000. In a batch, the passes
        over all profiles; default 50.
    sigma : float, optional
        Width of the Gaussian neighbourhood at the start, in nodes. Online it is a third of that at
        the end; the default 0.3, SeisGo's, moves little but the winner, and from 1 on near nodes
        grow alike and the U-matrix shows neighbourhoods. In a batch it shrinks to 0.3; the default
        is half of the longer side of the map.
    learning_rate : float, optional
        Online only: at the start, at most 1; a third of it at the end. Default 0.1.
    n_clusters : int, optional
        Merge the nodes into this many clusters by k-means of those that have profiles; the others
        join the nearest cluster. Default: every node is a cluster.
    random_state, progress, dim
        As for `kmeans`.

    Returns
    -------
    ClusterResult
        Unmerged, clusters are the nodes, numbered row · n_columns + column + 1, with ``som_row``
        and ``som_column`` along ``cluster``, their centroid is the node's codebook profile, and an
        empty node keeps its number. Merged, clusters are numbered as by `kmeans` and their centroid
        is the members' mean. The nodes stand along ``node`` in either case.

    Raises
    ------
    TypeError, ValueError
        As `kmeans` does; also if `grid_size` is not a pair of positive integers, `n_clusters`
        exceeds the number of distinct nodes that have profiles, or a batch is given a
        `learning_rate`.

    Warns
    -----
    UserWarning
        If online training shows the map fewer profiles than there are.

    References
    ----------
    Kohonen, T. (2013). Essentials of the self-organizing map. Neural Networks 37, 52–65.
    https://doi.org/10.1016/j.neunet.2012.09.018

    Vesanto, J. & Alhoniemi, E. (2000). Clustering of the self-organizing map. IEEE Trans. Neural
    Networks 11, 586–600. https://doi.org/10.1109/72.846731

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=4)
    >>> labels, centroids = vs.vcluster.som((5, 5), n_clusters=6)
    """
    options = check_training(algorithm, n_iterations, sigma, learning_rate)
    seed = check_seed(random_state)
    if n_clusters is not None:
        check_integer("n_clusters", n_clusters, 1)
    if grid_size is not None:
        _require_nodes(check_grid_size(grid_size, 1), n_clusters)
    layout = lay_out(data, dim)
    check_names(layout)
    profiles = open_profiles(layout, by_level=True, seed=seed)
    source, scaling = profiles.source, profiles.scaling
    shape = check_grid_size(grid_size, source.n_profiles)
    n_nodes = shape[0] * shape[1]
    _require_nodes(shape, n_clusters)
    if n_clusters is not None:
        require_distinct(source, n_clusters)
    options.setdefault("sigma", max(shape) / 2)
    for_training, for_merging = seed.spawn(2)
    training: dict[str, Any] = {"seed": for_training, **options}
    with show_steps(progress, options["n_iterations"]) as report:
        if algorithm == "online":
            _warn_unseen(source, options["n_iterations"])
            nodes = train_online(source.sample, shape, report=report, **training)
        else:
            nodes = train_batch(source, shape, report=report, **training)
    centroids, groups = nodes, np.arange(n_nodes, dtype=np.int32)
    members = profiles.members(Assigner(nodes, get_metric("euclidean")))
    hits = members.hits()
    if n_clusters is not None:
        groups = _merge(nodes, hits, n_clusters, for_merging)
        merged = Assigner(nodes, get_metric("euclidean"), groups)
        centroids = profiles.members(merged).means()
        members = profiles.members(replace(merged, centroids=centroids))
    parameters = {"method": "som", "metric": "euclidean", "grid_size": shape, **options}
    parameters["algorithm"] = algorithm
    parameters |= {"n_clusters": len(centroids), "random_state": seed.entropy}
    dataset = build_dataset(data, layout, scaling, centroids, members, parameters)
    _describe_nodes(dataset, layout, scaling, nodes, groups, hits, shape)
    if n_clusters is None:
        dataset["label"].attrs |= flag_attrs(n_nodes, "node") | {"som_shape": np.array(shape)}
        grid = {n: ("cluster", dataset[n].values) for n in ("som_row", "som_column")}
        dataset = dataset.assign_coords(grid)
    else:
        dataset["label"].attrs["ordered_by"] = order_text(layout)
    return ClusterResult(dataset)


def _require_nodes(shape: tuple[int, int], n_clusters: int | None) -> None:
    if n_clusters is not None and n_clusters > shape[0] * shape[1]:
        raise ValueError(
            f"n_clusters={n_clusters} is more than the {shape[0]} x {shape[1]} nodes of the map; "
            "ask for fewer clusters or a larger grid_size"
        )


def _warn_unseen(source: Source, n_iterations: int) -> None:
    shown = min(n_iterations, len(source.sample))
    if shown < source.n_profiles:
        more = "raise it, or " if n_iterations < len(source.sample) else ""
        warnings.warn(
            f"online training shows the map {shown} of all {source.n_profiles} profiles in "
            f"n_iterations={n_iterations}; {more}use algorithm='batch', in which every profile "
            "counts",
            stacklevel=3,
        )


def _merge(
    nodes: npt.NDArray[np.float64],
    hits: npt.NDArray[np.int64],
    n_clusters: int,
    seed: np.random.SeedSequence,
) -> npt.NDArray[np.int32]:
    """The cluster of each node, from 0, by k-means of those that profiles are nearest to.

    A node without profiles lies between the others; it joins a cluster, and makes none.
    """
    taken = nodes[hits > 0]
    if not has_distinct(taken, n_clusters):
        raise ValueError(
            f"n_clusters={n_clusters} is more than the distinct nodes of the trained map that have "
            "profiles; ask for fewer clusters, or raise sigma or n_iterations"
        )
    metric = get_metric("euclidean")
    options: dict[str, Any] = {"n_init": 10, "max_iter": 300, "tol": 1e-4, "seed": seed}
    runs = best_runs(InMemory(taken, taken), [n_clusters], metric, **options)
    centroids = runs[n_clusters].centroids
    ordered = centroids[lowest_first(centroids)]
    groups: npt.NDArray[np.int32] = metric.squared_distances(nodes, ordered).argmin(1).astype("i4")
    return groups


def _describe_nodes(
    dataset: xr.Dataset,
    layout: Layout,
    scaling: Scaling,
    nodes: npt.NDArray[np.float64],
    groups: npt.NDArray[np.int32],
    hits: npt.NDArray[np.int64],
    shape: tuple[int, int],
) -> None:
    """Add the codebook and what lies at each node to a result's new Dataset."""
    names = list(layout.variables)
    for name, array in zip(names, layout.to_levels(scaling.undo(nodes), "node"), strict=True):
        dataset[f"{name}_node"] = array
    cluster = groups.astype(np.int64) + 1
    dataset["node_cluster"] = ("node", cluster, {"long_name": "cluster of the node"})
    dataset["node_count"] = ("node", hits, {"long_name": "profiles nearest to the node"})
    row, column = np.divmod(np.arange(len(nodes)), shape[1])
    dataset.coords.update(
        {"node": np.arange(1, len(nodes) + 1), "som_row": ("node", row)}
        | {"som_column": ("node", column)}
    )
