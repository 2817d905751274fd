"""Cluster the profiles of a model by a self-organizing map."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.initialize import has_distinct
from xvcluster.algorithms.metrics import Metric, get_metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.som import LAST_WIDTH, MapFit, judge, train_batch, train_online
from xvcluster.algorithms.source import InMemory, Source
from xvcluster.arrays import Float64s, Integers, Labels
from xvcluster.grid.coords import units
from xvcluster.inputs import take_model
from xvcluster.messages import warn
from xvcluster.methods.kmeans import in_model_units
from xvcluster.methods.steps import lay_out_model, open_model, require_distinct
from xvcluster.options import (
    Algorithm,
    check_clusters,
    check_flag,
    check_grid_size,
    check_seed,
    check_training,
    check_weighting,
)
from xvcluster.profiles import Layout, Scaled
from xvcluster.profiles.scaling import Normalization, check_normalize
from xvcluster.progress import show_steps
from xvcluster.record.contents import (
    Parameter,
    Parameters,
    Variable,
    integer,
    is_by_profile,
    number,
    one_of,
)
from xvcluster.record.dataset import (
    describe,
    describe_order,
    describe_scaling,
    flag_attrs,
    lowest_first,
    of_each,
    parameters_of,
)
from xvcluster.record.method import Method, register
from xvcluster.result import ClusterResult

_TRAINING = ("n_iterations", "sigma", "learning_rate")
_DISORDER = 0.5
"""Topographic error above which a map is hardly one; nodes in any order have more than 0.9."""


def som(
    data: xr.DataArray | xr.Dataset,
    grid_size: tuple[int, int] | None = None,
    *,
    algorithm: Algorithm = "batch",
    n_iterations: int | None = None,
    sigma: float | None = None,
    learning_rate: float | None = None,
    n_clusters: int | None = None,
    normalize: Normalization | None = None,
    weights: Literal["auto", "area"] | xr.DataArray | None = "auto",
    level_weights: Literal["thickness"] | xr.DataArray | None = None,
    variable_weights: Mapping[str, float] | None = None,
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
        Rows and columns of nodes. Default: ⌈√√N⌉ each way for N profiles; as many nodes in a single
        row if the profiles are single values.
    algorithm : {"batch", "online"}, default "batch"
        Show the map all profiles in each pass, so that none is left out and each may have a weight;
        or one after another, as MiniSom and SeisGo do.
    n_iterations : int, optional
        In a batch, the number of passes over all profiles; default 50. Online, the number of
        profiles shown, drawn in random order; default 50 000.
    sigma : float, optional
        Width of the Gaussian neighbourhood at the start, in nodes. In a batch it shrinks to 0.5;
        the default is a third of the longer side of the map, but at least 0.5. Online it falls to
        a third of that at the end; default 1.5. With SeisGo's 0.3, hardly more than the winning
        node moves, and what comes is no map: neighbouring nodes need not be alike.
    learning_rate : float, optional
        Online only: at the start, at most 1; it falls to a third at the end. Default 0.1.
    n_clusters : int, optional
        Merge the nodes into this many clusters, by k-means of those that have profiles; the others
        join the nearest cluster. Default: every node is a cluster.
    normalize, level_weights, variable_weights, random_state, progress, dim
        As for `kmeans`.
    weights : "auto", "area", DataArray or None, default "auto"
        As for `kmeans`; not online.

    Returns
    -------
    ClusterResult
        Unmerged, clusters are the nodes, numbered row · n_columns + column + 1, with ``som_row``
        and ``som_column`` along ``cluster``; their centroid is the node's codebook profile, and an
        empty node keeps its number. Merged, clusters are numbered as by `kmeans` and their centroid
        is the mean of their members. The nodes lie along ``node`` in either case. The dataset also
        has the ``quantization_error``, the mean distance of the profiles to their nearest node, and
        the ``topographic_error``, the share of the profiles of which the two nearest nodes are not
        among the up to eight neighbours of each other: 0 of a perfect map, and over 0.9 if nodes
        lie in any order.

    Raises
    ------
    TypeError, ValueError
        As `kmeans` does; also if `grid_size` is not a pair of positive integers, `n_clusters`
        exceeds the number of distinct nodes that have profiles, a batch is given a
        `learning_rate`, or online training is given `weights`.

    Warns
    -----
    UserWarning
        If online training shows the map fewer profiles than there are, or if the topographic error
        is more than 0.5.

    Notes
    -----
    In a batch, nodes start on the plane of the first two principal components, the first of them
    along the longer side; nothing is drawn but for merging. Online, they start at profiles that are
    drawn, as in MiniSom.

    References
    ----------
    Kiviluoto, K. (1996). Topology preservation in self-organizing maps. Proc. ICNN'96, 294–299.
    https://doi.org/10.1109/ICNN.1996.548907

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
    data = take_model(data)
    options = check_training(algorithm, n_iterations, sigma, learning_rate)
    seed, progress = check_seed(random_state), check_flag("progress", progress)
    if n_clusters is not None:
        n_clusters = check_clusters("n_clusters", n_clusters)
    if grid_size is not None:
        _require_nodes(check_grid_size(grid_size, 1, algorithm), n_clusters)
    known = check_normalize(normalize)
    why_not = check_weighting(
        weights,
        level_weights,
        weighs=algorithm == "batch",
        method="algorithm='online'",
        instead="algorithm='batch'",
    )
    weighing = weights, level_weights, variable_weights
    layout = lay_out_model(data, dim, *weighing, method=SelfOrganizingMap, why_not=why_not)
    profiles = open_model(layout, normalize=normalize, by_level=True, seed=seed)
    source = profiles.source
    shape = check_grid_size(grid_size, source.n_profiles, algorithm)
    if grid_size is None and source.sample.values[0].size == 1:
        shape = 1, shape[0] * shape[1]  # single values lie along a line
    _require_nodes(shape, n_clusters)
    if n_clusters is not None:
        require_distinct(source, n_clusters)
    options.setdefault("sigma", max(max(shape) / 3, LAST_WIDTH))
    for_training, for_merging = seed.spawn(2)
    if algorithm == "online":
        _warn_unseen(source, options["n_iterations"])
    with show_steps(progress, options["n_iterations"]) as report:
        nodes = _train(source, shape, algorithm, for_training, report=report, **options)
    parameters = {"method": "som", "metric": "euclidean", "grid_size": shape, **options, **known}
    parameters |= layout.weighting.recorded
    parameters |= {"algorithm": algorithm, "random_state": seed.entropy}
    dataset = _describe(data, profiles, layout, nodes, shape, n_clusters, for_merging, parameters)
    _warn_of_disorder(float(dataset["topographic_error"]), parameters)
    return ClusterResult(dataset, _layout=layout)


def _along_node(parameters: Parameters, _: xr.Dataset) -> str | None:
    return "node" if is_by_profile(parameters) else None


def _along_places(_: Parameters, dataset: xr.Dataset) -> str:
    return "cluster" if "som_shape" in dataset["label"].attrs else "node"


@register
class SelfOrganizingMap(Method):
    """Profiles belong to the nearest node, or to the cluster that it was merged into."""

    name = "som"
    contents: ClassVar = {
        "{name}_node": Variable("node levels", decides=True),
        "{name}_node_offset": Variable(_along_node, decides=True),
        "{name}_node_scale": Variable(_along_node, least=np.finfo(np.float64).tiny, decides=True),
        "node_cluster": Variable("node", "iu", decides=True, numbers=True),
        "node_count": Variable("node", "iu", 0),
        "node": Variable("node", "iu", counts=True),
        "quantization_error": Variable("", least=0, optional=True),
        "topographic_error": Variable("", least=0, most=1, optional=True),
        "som_row": Variable(_along_places, "iu", 0),
        "som_column": Variable(_along_places, "iu", 0),
    }
    parameters: ClassVar = {
        "metric": one_of("euclidean"),
        "algorithm": one_of(*get_args(Algorithm)),
        "grid_size": Parameter(lambda _, value: check_grid_size(value, 1)),
        "n_iterations": integer(1),
        "sigma": number(),
        "learning_rate": replace(number(most=1.0), optional=True),
    }

    def misfit(self, dataset: xr.Dataset, parameters: Parameters) -> str:
        """The nodes fill the map."""
        shape, n = tuple(parameters["grid_size"]), dataset.sizes["node"]
        if math.prod(shape) != n:
            return f"the parameter 'grid_size' is {shape}, but there are {n} nodes"
        flags = dataset["label"].attrs.get("som_shape")
        if flags is not None and not np.array_equal(flags, shape):
            return f"the attribute 'som_shape' of 'label' is not the parameter 'grid_size', {shape}"
        return ""

    def nodes_along(self, dataset: xr.Dataset) -> str:
        """Nodes, of which several may make up one cluster."""
        return "node"

    def assigner(self, dataset: xr.Dataset, nodes: Float64s, metric: Metric) -> Assigner:
        """Assign to the cluster of the nearest node."""
        return Assigner(nodes, metric, dataset["node_cluster"].values.astype(np.int64) - 1)

    def refit(
        self, dataset: xr.Dataset, k: int, sample: Block, seed: np.random.SeedSequence
    ) -> Assigner:
        """Train and merge a map of another sample of the profiles."""
        parameters, metric = parameters_of(dataset), get_metric("euclidean")
        algorithm, shape = parameters["algorithm"], tuple(parameters["grid_size"])
        options = {name: parameters[name] for name in _TRAINING if name in parameters}
        if algorithm == "online":  # which is shown profiles as often as they count
            times = sample.weights.astype(np.intp)
            sample = Block.of(np.repeat(sample.values, times, axis=0))
        for_training, for_merging = seed.spawn(2)
        nodes = _train(InMemory.of(sample), shape, algorithm, for_training, **options)
        nearest = assign(sample.values, Assigner(nodes, metric)).nearest
        mass = np.bincount(nearest, sample.weights, minlength=len(nodes)).astype(np.float64)
        return Assigner(nodes, metric, _merge(nodes, mass, k, for_merging))

    def model(self, dataset: xr.Dataset) -> Any:
        """Build the trained ``MiniSom``."""
        from minisom import MiniSom

        options = parameters_of(dataset)
        rows, columns = options["grid_size"]
        flat = in_model_units(dataset, "node").reshape(rows, columns, -1)
        trained_with = {n: options[n] for n in ("sigma", "learning_rate") if n in options}
        model = MiniSom(rows, columns, flat.shape[-1], **trained_with)
        model.get_weights()[:] = flat
        return model

    def quality(self, dataset: xr.Dataset) -> str:
        """The errors of the map, which results of earlier versions lack."""
        if "topographic_error" not in dataset or "quantization_error" not in dataset:
            return ""
        rows, columns = parameters_of(dataset)["grid_size"]
        mean, apart = (dataset[n] for n in ("quantization_error", "topographic_error"))
        unit = "" if units(mean) in ("", "1") else f" {units(mean)}"
        said = f"map of {rows} x {columns} nodes: quantization error {mean:.3g}{unit}"
        return said if np.isnan(apart) else f"{said}, topographic error {apart:.2f}"

    def why_not_refit(self, dataset: xr.Dataset) -> str:
        """Single nodes have no partner in another map."""
        if "som_shape" not in dataset["label"].attrs:
            return ""
        return "the nodes of this map are not merged; give som(n_clusters=...) a number"


def _describe(
    data: xr.DataArray | xr.Dataset,
    profiles: Scaled,
    layout: Layout,
    nodes: Float64s,
    shape: tuple[int, int],
    n_clusters: int | None,
    for_merging: np.random.SeedSequence,
    parameters: dict[str, Any],
) -> xr.Dataset:
    """All that describes a trained map, of which every node is a cluster, or merged into some."""
    metric = get_metric("euclidean")
    centroids, groups = nodes, np.arange(len(nodes), dtype=np.int32)
    of_nodes = members = profiles.members(Assigner(nodes, metric))
    fit = judge(profiles.source, nodes, shape)
    if n_clusters is not None:
        groups = _merge(nodes, fit.mass, n_clusters, for_merging)
        centroids, groups = _lowest_first(profiles, nodes, groups)
        members = profiles.members(Assigner(nodes, metric, groups, centroids))
    dataset = describe(data, layout, centroids, members, parameters)
    scaling = of_nodes.scaling()
    dataset = dataset.assign(
        describe_scaling(layout, scaling, "node")
        | _describe_nodes(layout, scaling.undo(nodes), groups, fit.hits)
        | _describe_fit(fit, scaling.unit, dataset["distance"].attrs)
    )
    row, column = np.divmod(np.arange(len(nodes)), shape[1])
    along = "cluster" if n_clusters is None else "node"
    if n_clusters is None:
        dataset["label"].attrs |= flag_attrs(len(nodes), "node") | {"som_shape": np.array(shape)}
    else:
        dataset["label"].attrs["ordered_by"] = describe_order(layout)
    return dataset.assign_coords(
        node=np.arange(1, len(nodes) + 1), som_row=(along, row), som_column=(along, column)
    )


def _train(
    source: Source,
    shape: tuple[int, int],
    algorithm: Algorithm,
    seed: np.random.SeedSequence,
    **options: Any,
) -> Float64s:
    """The codebook of a map, by either algorithm."""
    if algorithm == "batch":
        return train_batch(source, shape, **options)
    return train_online(source.sample.values, shape, seed=seed, **options)


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
        warn(
            f"online training shows the map {shown} of all {source.n_profiles} profiles in "
            f"n_iterations={n_iterations}; {more}use algorithm='batch', in which every profile "
            "counts",
        )


def _warn_of_disorder(error: float, parameters: dict[str, Any]) -> None:
    """Warn of a map on which nodes that are near in the data are not neighbours."""
    if error <= _DISORDER or np.isnan(error):
        return
    sigma = parameters["sigma"]
    mends = ["a smaller grid_size"]
    if parameters["algorithm"] == "online":
        mends = ["algorithm='batch'", f"a sigma of 1.5 or more (it is {sigma:g})", *mends]
    elif sigma < 1:
        mends.insert(0, f"a larger sigma (it is {sigma:g})")
    warn(
        f"this is hardly a map: its topographic error is {error:.2f}, that is, for {error:.0%} of "
        "the profiles the two nearest nodes are not neighbours, so that its U-matrix and the "
        f"places of its nodes say little; try {' or '.join(mends)}"
    )


def _merge(
    nodes: Float64s,
    mass: Float64s,
    n_clusters: int,
    seed: np.random.SeedSequence,
) -> Labels:
    """The cluster of each node, from 0, by k-means of those that profiles are nearest to.

    A node without profiles lies between the others; it joins a cluster, and makes none.
    """
    taken = nodes[mass > 0]
    if not has_distinct(taken, n_clusters):
        raise ValueError(
            f"n_clusters={n_clusters} is more than the distinct nodes of the trained map that have "
            "profiles; ask for fewer clusters, or raise sigma or n_iterations"
        )
    metric = get_metric("euclidean")
    options: dict[str, Any] = {"n_init": 10, "max_iter": 300, "tol": 1e-4, "seed": seed}
    runs = best_runs(InMemory.of(Block.of(taken)), [n_clusters], metric, **options)
    centroids = runs[n_clusters].centroids
    nearest = metric.squared_distances(nodes, centroids).argmin(axis=1)
    groups: Labels = nearest.astype(np.int32)
    return groups


def _lowest_first(profiles: Scaled, nodes: Float64s, groups: Labels) -> tuple[Float64s, Labels]:
    """Members' mean of each cluster of nodes, and the nodes' clusters, numbered as by k-means."""
    assigner = Assigner(nodes, get_metric("euclidean"), groups)
    means = profiles.members(assigner).means()
    scaling = profiles.members(assigner).scaling()
    order = lowest_first(scaling.undo(means), profiles.layout.weighting.levels)
    return means[order], np.argsort(order).astype(np.int32)[groups]


def _describe_nodes(
    layout: Layout, nodes: Float64s, groups: Labels, hits: Integers
) -> dict[str, Any]:
    """The codebook, and what lies at each node."""
    cluster = groups.astype(np.int64) + 1
    return of_each(layout, "_node", nodes, "node") | {
        "node_cluster": ("node", cluster, {"long_name": "cluster of the node"}),
        "node_count": ("node", hits, {"long_name": "profiles nearest to the node"}),
    }


def _describe_fit(fit: MapFit, unit: float, of_distance: Mapping[str, Any]) -> dict[str, Any]:
    """The errors of a map, the first in the units of the distances, which have these attributes."""
    quantization = {"long_name": "mean distance to the nearest node"}
    quantization |= {n: of_distance[n] for n in ("units",) if n in of_distance}
    topographic = "share of the profiles whose two nearest nodes are not neighbours"
    return {
        "quantization_error": ((), fit.quantization_error * unit, quantization),
        "topographic_error": (
            (), fit.topographic_error, {"long_name": topographic, "units": "1"},
        ),
    }  # fmt: skip
