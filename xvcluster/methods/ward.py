"""Cluster the profiles of a model by Ward's criterion, in provinces of one piece or anywhere."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import Report
from xvcluster.algorithms.metrics import Metric, get_metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory
from xvcluster.algorithms.ward import cut, find_tree
from xvcluster.arrays import Float64s
from xvcluster.choose.criteria import describe_criteria
from xvcluster.grid.coords import is_time
from xvcluster.inputs import take_model
from xvcluster.messages import warn
from xvcluster.methods.kmeans import in_model_units
from xvcluster.methods.steps import (
    lay_out_model,
    open_model,
    refuse_chunks,
    require_distinct,
    warn_at_end,
)
from xvcluster.options import K_RANGE, check_flag, check_number, check_seed, choose_ks
from xvcluster.profiles import Layout, Scaled
from xvcluster.profiles.memory import ArrayProfiles
from xvcluster.profiles.scaling import Normalization, check_normalize
from xvcluster.progress import show_runs
from xvcluster.record.contents import (
    Parameter,
    Parameters,
    Variable,
    integer,
    is_by_profile,
    number,
    one_of,
)
from xvcluster.record.dataset import held, parameters_of
from xvcluster.record.fits import Fit, Fits
from xvcluster.record.method import Method, register
from xvcluster.record.tree import find_misfit
from xvcluster.regroup.tree import Tree
from xvcluster.result import ClusterResult, SweepResult

_MOST = 10_000
"""Number of profiles beyond which a tree is made of groups of them, if they need not be in one
piece: it costs the square of their number."""

_NODES = 1000
_GROUPING: dict[str, Any] = {"n_init": 1, "max_iter": 10, "tol": 1e-2}


def ward(
    data: xr.DataArray | xr.Dataset,
    n_clusters: int | None = None,
    *,
    contiguous: bool = True,
    min_area: float | None = None,
    normalize: Normalization | None = None,
    weights: Literal["auto", "area"] | xr.DataArray | None = "auto",
    level_weights: Literal["thickness"] | xr.DataArray | None = None,
    variable_weights: Mapping[str, float] | None = None,
    k_range: Iterable[int] = K_RANGE,
    random_state: int | None = 0,
    progress: bool | None = None,
    dim: Hashable | None = None,
) -> ClusterResult:
    """Cluster profiles by Ward's criterion, in one tree: by default into provinces of one piece.

    Parameters
    ----------
    data : DataArray or Dataset
        As for `kmeans`.
    n_clusters : int, optional
        Number of clusters. Default: the median of the numbers in `k_range` that several criteria
        prefer, as for `kmeans`.
    contiguous : bool, default True
        Whether each cluster is one piece: only clusters that adjoin each other are merged, across
        the dateline and the poles too. Cells adjoin if they share an edge, loose points if they are
        neighbours in a Delaunay triangulation of the sphere. Gaps are no bridges.
    min_area : float, optional
        Least area of a province in km²: smaller clusters are merged first, into the neighbour by
        which the inertia rises least, and more clusters than there are of at least that area are
        refused. Only an island without neighbours stays as small as it is.
    normalize, weights, level_weights, variable_weights
        As for `kmeans`. A profile of weight 2 is two profiles.
    k_range : iterable of int, default 2…20
        Numbers of clusters to try if `n_clusters` is None.
    random_state : int or None, default 0
        Seed of the k-means clustering that large models are first grouped by; see Notes.
    progress, dim
        As for `kmeans`.

    Returns
    -------
    ClusterResult
        Unpacks to labels and centroids, the mean profiles, numbered as by `kmeans`. Its Dataset
        also holds the tree: ``linkage``, the merges in the form of ``scipy.cluster.hierarchy``, and
        ``leaf``, the leaf of each point. `cut` gives any other number of clusters of the same tree,
        ``plot.tree()`` draws it, and ``plot.maps()`` maps of nested cuts.

    Raises
    ------
    TypeError
        If an option or a variable has the wrong type.
    ValueError
        If an option is out of range, the vertical is ambiguous, no profile is complete, or there
        are fewer distinct profiles than clusters; if there are fewer clusters than pieces that do
        not adjoin each other; or if clusters are to be contiguous and the data are dask arrays, or
        lie along further dimensions such as time.

    Warns
    -----
    UserWarning
        If islands are smaller than `min_area`, or the best number of clusters is the last of
        `k_range`.

    Notes
    -----
    Each profile is a cluster at first. Of all clusters, or of those that adjoin each other, the two
    are merged by which the inertia Σ d(xᵢ, c)² rises least [1]_: by m m' / (m + m') d(c, c')², with
    their weights m and centroids c. Cuts are nested: the clusters of k = 7 are those of k = 6, one
    of them divided. Heights of contiguous clusters need not rise from merge to merge, so that the
    ``fcluster`` of SciPy does not give the same: clusters that adjoin only after a merge may be
    nearer than those that it merged, and pieces that do not adjoin are joined last.

    Labels are not those of the nearest centroid, so that ``margin`` is negative where another
    centroid is nearer; `predict` labels other data by the nearest one.

    Beyond 10,000 profiles, or in dask arrays, a tree of clusters that need not be contiguous has
    1000 groups of profiles as leaves, found by k-means of a sample [2]_, and `predict` labels by
    the nearest of these. A contiguous tree has each profile as a leaf.

    Contiguous clusters cannot be repeated on bootstrap samples, whose gaps would cut them, so that
    they have no `stability`.

    References
    ----------
    .. [1] Ward, J. H. (1963). Hierarchical grouping to optimize an objective function. J. Am. Stat.
       Assoc. 58, 236–244. https://doi.org/10.1080/01621459.1963.10500845
    .. [2] Vesanto, J. & Alhoniemi, E. (2000). Clustering of the self-organizing map. IEEE Trans.
       Neural Networks 11, 586–600. https://doi.org/10.1109/72.846731

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=2)
    >>> result = vs.vcluster.ward(6)
    >>> labels, centroids = result.cut(8)
    """
    data = take_model(data)
    ks = choose_ks(n_clusters, k_range, "n_clusters")
    if check_flag("contiguous", contiguous) is None:
        raise TypeError("contiguous must be True or False; got None")
    if min_area is not None:
        min_area = check_number("min_area", min_area, above=0.0)
        if not contiguous:
            raise ValueError("min_area needs provinces of one piece; leave contiguous=False out")
    seed, progress = check_seed(random_state), check_flag("progress", progress)
    known = check_normalize(normalize)
    weighing = weights, level_weights, variable_weights
    layout = lay_out_model(data, dim, *weighing, method=Ward, sweeps=len(ks) > 1)
    if contiguous:
        _require_one_map(layout)
    profiles = open_model(layout, normalize=normalize, by_level=True, seed=seed)
    if not contiguous:  # provinces may be alike, if they lie apart
        require_distinct(profiles.source, ks[0])
    parameters: dict[str, Any] = {"method": "ward", "metric": "euclidean"}
    parameters |= {"contiguous": contiguous, **({} if min_area is None else {"min_area": min_area})}
    parameters |= {"random_state": seed.entropy, **known, **layout.weighting.recorded}
    tree, limits = _grow(profiles, contiguous, min_area, seed, progress)
    ks = _within(limits, ks, tree, min_area)
    parameters["n_pieces"] = limits[0]
    if tree.nodes is not None:
        parameters["nodes_by"] = "k-means"
    if min_area is not None:
        parameters["most_clusters"] = limits[1]
        _warn_of_islands(tree, limits[1], min_area)
    if len(ks) > 1:
        cuts = _Cuts.of(data, tree, layout, ks, parameters)
        swept = SweepResult(describe_criteria(cuts), cuts)
        warn_at_end("the median of the criteria", ks, swept.best_k, least=ks[0])
        return swept.result()
    return ClusterResult(tree.dataset(data, tree.cut(ks[0]), parameters), _layout=layout)


def _check_name(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text; got {value!r}")


@register
class Ward(Method):
    """Profiles belong to what was merged; other data to the nearest centroid, or node."""

    name = "ward"
    contents: ClassVar = {
        "linkage": Variable("merge merge_part", least=0.0),
        "leaf": Variable("map", "fiu", 1),
        "{name}_node": Variable(lambda _, dataset: _along_nodes(dataset, "levels"), decides=True),
        "{name}_node_offset": Variable(
            lambda parameters, dataset: (
                _along_nodes(dataset) if is_by_profile(parameters) else None
            ),
            decides=True,
        ),
        "{name}_node_scale": Variable(
            lambda parameters, dataset: (
                _along_nodes(dataset) if is_by_profile(parameters) else None
            ),
            least=np.finfo(np.float64).tiny,
            decides=True,
        ),
        "node_cluster": Variable(
            lambda _, dataset: _along_nodes(dataset), "iu", decides=True, numbers=True
        ),
        "node": Variable(lambda _, dataset: _along_nodes(dataset), "iu", counts=True),
    }
    parameters: ClassVar = {
        "metric": one_of("euclidean"),
        "contiguous": Parameter(check_flag),
        "min_area": number(optional=True),
        "n_pieces": integer(1),
        "most_clusters": integer(1, optional=True),
        "nodes_by": Parameter(_check_name, optional=True),
    }

    def misfit(self, dataset: xr.Dataset, parameters: Parameters) -> str:
        """The merges make one tree, of which every point has a leaf."""
        n = dataset.sizes["merge"] + 1
        if "node" in dataset.dims and dataset.sizes["node"] != n:
            return f"there are {dataset.sizes['node']} nodes, but {n} leaves"
        if parameters["n_clusters"] > n and "contingency" not in dataset:
            return f"there are {parameters['n_clusters']} clusters, but {n} leaves"
        return find_misfit(dataset)

    def nodes_along(self, dataset: xr.Dataset) -> str:
        """Nodes, if the leaves are those."""
        return "node" if "node" in dataset.dims else "cluster"

    def assigner(self, dataset: xr.Dataset, nodes: Float64s, metric: Metric) -> Assigner:
        """Assign to the nearest centroid, or to the cluster of the nearest node."""
        if "node" in dataset.dims:
            return Assigner(nodes, metric, dataset["node_cluster"].values.astype(np.int64) - 1)
        exist = held(nodes)
        return Assigner(nodes[exist], metric, None if exist.all() else np.flatnonzero(exist))

    def refit(
        self,
        dataset: xr.Dataset,
        k: int,
        sample: Block,
        seed: np.random.SeedSequence,
    ) -> Assigner:
        """Merge the profiles of another sample."""
        metric, sample = get_metric("euclidean"), sample.counted()
        if len(sample) > _MOST or "node" in dataset.dims:
            nodes = _group(sample, seed, dataset.sizes.get("node", _NODES))
            nearest = assign(sample.values, Assigner(nodes, metric)).labels
            mass = np.bincount(nearest, sample.weights, len(nodes)).astype(np.float64)
            taken = Block(nodes, mass).counted()
            groups = cut(find_tree(taken).linkage, len(taken), k)
            return Assigner(taken.values, metric, groups)
        labels = cut(find_tree(sample).linkage, len(sample), k)
        means = [sample[np.flatnonzero(labels == c)].mean() for c in range(k)]
        return Assigner(np.stack(means), metric)

    def model(self, dataset: xr.Dataset) -> Any:
        """Build the ``KNeighborsClassifier`` of scikit-learn that finds the nearest centroid."""
        from sklearn.neighbors import KNeighborsClassifier

        along = self.nodes_along(dataset)
        nodes = in_model_units(dataset, along)
        numbers = dataset["node_cluster" if along == "node" else "cluster"].values.astype(np.int64)
        model = KNeighborsClassifier(n_neighbors=1)
        return model.fit(nodes.reshape(len(nodes), -1), numbers - 1)

    def quality(self, dataset: xr.Dataset) -> str:
        """What the clusters are made of."""
        parameters = parameters_of(dataset)
        if "nodes_by" in parameters:
            return f"a tree of {dataset.sizes['node']} clusters, found by {parameters['nodes_by']}"
        if not parameters["contiguous"]:
            return ""
        said, n = "each cluster is in one piece", parameters["n_pieces"]
        return said if n == 1 else f"{said}; the profiles lie in {n} pieces that do not adjoin"

    def why_not_refit(self, dataset: xr.Dataset) -> str:
        """Samples have gaps, which cut provinces."""
        parameters = parameters_of(dataset)
        if parameters["contiguous"]:
            return (
                "bootstrap samples have gaps, which would cut clusters that are to be in one "
                "piece; give ward(contiguous=False), or compare with other data by match"
            )
        if parameters.get("nodes_by", "k-means") != "k-means":
            return f"its clusters were merged from those of {parameters['nodes_by']}"
        return ""


def _along_nodes(dataset: xr.Dataset, *others: str) -> str | None:
    return " ".join(["node", *others]) if "node" in dataset.dims else None


def _require_one_map(layout: Layout) -> None:
    """Refuse what has no neighbours in memory."""
    refuse_chunks(layout, "contiguous=True")
    own = set(layout.grid.dims) if layout.horizontal is None else set(layout.horizontal.dims)
    own -= {dim for dim in own if is_time(layout.dataset, dim) and len(own) > 1}
    for dim in layout.grid.dims:
        if dim not in own and layout.dataset.sizes[dim] > 1:
            raise ValueError(
                f"clusters in one piece need one map, but the data lie along {str(dim)!r} too; "
                f"select one, e.g. data.isel({dim}=0), or give contiguous=False"
            )


def _grow(
    profiles: Scaled,
    contiguous: bool,
    min_area: float | None,
    seed: np.random.SeedSequence,
    progress: bool | None,
) -> tuple[Tree, tuple[int, int]]:
    """The tree of a model, and the smallest and the largest number of clusters it can be cut into.

    The first is the number of pieces that do not adjoin each other.
    """
    source, in_memory = profiles.source, isinstance(profiles, ArrayProfiles)
    if contiguous or (in_memory and source.n_profiles <= _MOST):
        assert isinstance(profiles, ArrayProfiles)
        pairs = profiles.layout.neighbours() if contiguous else None
        areas = None if min_area is None else _require_areas(profiles, min_area)
        found = find_tree(profiles.source.profiles, pairs, areas=areas, min_area=min_area or 0.0)
        leaves = np.arange(source.n_profiles, dtype=np.int32)
        return Tree(profiles, found.linkage, leaves, None), (found.n_pieces, found.most)
    with show_runs(progress) as report:
        nodes = _group(source.sample, seed, _NODES, report)
    members = profiles.members(Assigner(nodes, get_metric("euclidean")))
    mass = profiles.criteria([members])[0][0]
    return Tree(profiles, find_tree(Block(nodes, mass)).linkage, None, members), (1, len(nodes))


def _within(
    limits: tuple[int, int], ks: list[int], tree: Tree, min_area: float | None
) -> list[int]:
    """Those numbers of clusters that a tree can be cut into."""
    n_pieces, most = limits
    found = [k for k in ks if n_pieces <= k <= most]
    if found:
        return found
    asked = f"n_clusters={ks[0]}" if len(ks) == 1 else f"k_range, {ks[0]} to {ks[-1]},"
    if ks[0] > most:
        of = "leaves of the tree" if min_area is None else f"provinces of min_area={min_area:g} km²"
        raise ValueError(f"{asked} is more than the {most} {of}; ask for fewer clusters")
    sizes = np.sort(np.bincount(cut(tree.linkage, tree.n_leaves, n_pieces)))[::-1]
    few = f"{', '.join(map(str, sizes[:5]))}{' …' if n_pieces > 5 else ''}"
    raise ValueError(
        f"{asked} is less than the {n_pieces} pieces that do not adjoin each other, of {few} "
        f"profiles, so that clusters cannot each be in one piece: ask for {n_pieces} or more, "
        "leave out islands with data.where(...), or give contiguous=False, and tidy the map with "
        "result.clean(min_area=...)"
    )


def _warn_of_islands(tree: Tree, most: int, min_area: float) -> None:
    """Say which clusters could not be made as large as they are to be."""
    assert isinstance(tree.profiles, ArrayProfiles)
    labels = cut(tree.linkage, tree.n_leaves, most)
    areas = np.bincount(labels, np.nan_to_num(_require_areas(tree.profiles, min_area)))
    small = areas[areas < min_area]
    if small.size:
        clusters = "one cluster is" if small.size == 1 else f"{small.size} clusters are"
        warn(
            f"{clusters} smaller than min_area={min_area:g} km² (the smallest has "
            f"{small.min():.3g} km²): islands, which adjoin no other"
        )


def _require_areas(profiles: ArrayProfiles, min_area: float) -> Float64s:
    """The areas of cells, of which a province of some area can be made."""
    areas = profiles.layout.cell_areas
    if areas is None:
        raise ValueError(
            "min_area needs cells with an area, but the data have no latitude and longitude, or "
            "are loose points; leave it out, or assign coordinates in degrees"
        )
    if min_area > np.nansum(areas):
        raise ValueError(
            f"min_area={min_area:g} km² is more than the whole map, {np.nansum(areas):.4g} km²; "
            "give less"
        )
    return areas


def _group(
    sample: Block, seed: np.random.SeedSequence, n: int, report: Report | None = None
) -> Float64s:
    """Nodes of many small groups of profiles, by k-means of a sample."""
    n, metric = min(n, len(sample)), get_metric("euclidean")
    runs = best_runs(InMemory.of(sample), [n], metric, seed=seed, report=report, **_GROUPING)
    nodes: Float64s = runs[n].centroids.astype(np.float64)
    return nodes


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts(Fits):
    """One tree, cut at many k."""

    tree: Tree

    @classmethod
    def of(
        cls,
        data: xr.DataArray | xr.Dataset,
        tree: Tree,
        layout: Layout,
        ks: list[int],
        parameters: Mapping[str, Any],
    ) -> _Cuts:
        """Cut a tree at each k."""
        cuts = {k: tree.cut(k) for k in ks}
        fits = {k: Fit(cut.centroids, cut.members, 0) for k, cut in cuts.items()}
        profiles, metric = tree.profiles, get_metric("euclidean")
        return cls(data, layout, profiles, metric, fits, parameters, tree)

    def dataset(self, k: int) -> xr.Dataset:
        """Describe the clusters at one k, and the tree."""
        return self.tree.dataset(self.data, self.tree.cut(k), self.parameters)
