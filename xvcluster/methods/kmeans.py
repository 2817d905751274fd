"""Cluster the profiles of a model by k-means."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.metrics import (
    Metric,
    SoftDTW,
    fit_soft_dtw,
    get_metric,
    import_tslearn_kmeans,
    reach_of,
)
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory, Source
from xvcluster.arrays import Float64s
from xvcluster.choose.criteria import describe_criteria, require_places
from xvcluster.grid.levels import require_numbers
from xvcluster.inputs import take_model
from xvcluster.messages import warn
from xvcluster.methods.checkpoint import Checkpoint, check_checkpoint
from xvcluster.methods.steps import (
    lay_out_model,
    open_model,
    refuse_checkpoint,
    refuse_chunks,
    require_distinct,
    warn_at_end,
    warn_unsettled,
)
from xvcluster.options import (
    K_RANGE,
    MetricName,
    check_convergence,
    check_flag,
    check_metric,
    check_n_init,
    check_seed,
    check_weighting,
    check_window,
    choose_ks,
)
from xvcluster.profiles import Layout, Scaled
from xvcluster.profiles.scaling import Normalization, check_normalize
from xvcluster.progress import show_runs
from xvcluster.record.contents import Parameters, integer, number, one_of
from xvcluster.record.dataset import (
    describe_window,
    held,
    lowest_first,
    parameters_of,
    read_levels,
    read_metric,
    read_nodes,
    read_window,
)
from xvcluster.record.fits import Fit, Fits, fit_once, refits
from xvcluster.record.method import Method, register
from xvcluster.result import ClusterResult, SweepResult

_COUNTS = 4
"""The first layout in which a window is always a number of levels."""


def kmeans(
    data: xr.DataArray | xr.Dataset,
    n_clusters: int | None = None,
    *,
    metric: MetricName = "euclidean",
    window: int | None = None,
    window_depth: float | None = None,
    normalize: Normalization | None = None,
    weights: Literal["auto", "area"] | xr.DataArray | None = "auto",
    level_weights: Literal["thickness"] | xr.DataArray | None = None,
    variable_weights: Mapping[str, float] | None = None,
    k_range: Iterable[int] = K_RANGE,
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
        A model on any dimensions, one of which may be the vertical; each column along it is a
        profile. Every variable of a Dataset is one channel of the profile. Never changed. Dask
        arrays are read chunk by chunk and never held whole; maps of the result are then dask
        arrays too.
    n_clusters : int, optional
        Number of clusters, at most the number of distinct profiles. Default: the best
        of `k_range` by several criteria; see `sweep`.
    metric : {"euclidean", "dtw", "softdtw"}, default "euclidean"
        Compare profiles level by level, or by dynamic time warping if the depths of their layers
        are not what should tell them apart. Soft-DTW is computed by tslearn, with γ = 1.
    window : int, optional
        Largest number of levels between two that DTW may pair. Default: no limit.
    window_depth : float, optional
        The same as a distance, in the units of the vertical coordinate; of times, in days.
    normalize : {"anomaly", "percent", "level", "profile", "variable"}, optional
        How profiles are made comparable. `predict` does the same, and centroids are given in the
        units of the data.

        - "variable" divides each variable by its spread: the standard deviation about the mean of
          each level, pooled over the levels.
        - "anomaly" subtracts the mean of each level; several variables are also divided as by
          "variable". Under Euclidean distance the subtraction changes no label.
        - "percent" expresses that anomaly in percent of the level's mean.
        - "level" also divides by the standard deviation of each level.
        - "profile" subtracts from each profile its own mean and divides by its own standard
          deviation, so that only its shape counts.

        Default: "variable" for several variables, otherwise the data as they are.
    weights : "auto", "area", DataArray or None, default "auto"
        How much profiles count in everything that is fitted, summed or averaged: the area of their
        cell on the sphere, divided by the mean area; or non-negative numbers on some of the
        horizontal dimensions, where 2 counts as two equal profiles. None: each counts once. "auto"
        is "area" on a grid that spans more than 20 degrees of latitude, where cells differ in area
        and the poles would count too much, and None otherwise. See Notes.
    level_weights : "thickness" or DataArray, optional
        How much squared differences at each level count, Euclidean only: the thickness of the
        layers, halfway to their neighbours, divided by the mean thickness; or positive numbers
        along the vertical.
    variable_weights : mapping of str to float, optional
        How much squared differences in each of several variables count, after these were made
        comparable: ``{"TEMP": 1, "SALT": 2}``. Variables that are not named count 1.
    k_range : iterable of int, default 2…20
        Numbers of clusters to try if `n_clusters` is None.
    n_init : int or "auto", default "auto"
        Number of restarts; the best is kept. "auto" is 10 for Euclidean and 3 for the others.
    max_iter : int, default 300
        Maximum number of passes over the data.
    tol : float, default 1e-4
        A run has converged when the squared shift of its centroids is less than this fraction of
        the mean variance of the levels.
    random_state : int or None, default 0
        Seed. The same data and seed give the same labels, whatever the order of dimensions, the
        direction of axes and the number of threads. None draws a seed, which the result records.
    progress : bool, optional
        Show a progress bar. Default: in notebooks and terminals, for work of more than a second.
    checkpoint : path-like, optional
        A file that keeps the centroids after each pass over data that are larger than memory. If
        it exists, the fit continues from it.
    dim : hashable, optional
        The vertical dimension, if it cannot be inferred.

    Returns
    -------
    ClusterResult
        Unpacks to labels, on the horizontal dimensions of `data`, and centroids, a Dataset with
        each variable by (cluster, vertical) in the units of the data. Clusters are numbered by
        their mean over the levels of the first variable, by `level_weights`, lowest first.

    Raises
    ------
    TypeError
        If an option or a variable has the wrong type.
    ValueError
        If an option is out of range, the vertical is ambiguous, the data hold infinities, no
        profile is complete, there are fewer distinct profiles than clusters, or a checkpoint
        belongs to another fit.
    RuntimeError
        If a chunk of a dask array cannot be processed; names it.

    Warns
    -----
    UserWarning
        If a fit reaches `max_iter` before it has converged, the best number of clusters is the last
        of `k_range` or the first of large ones, more than a quarter of the profiles with data are
        incomplete, or "auto" cannot weigh profiles that span more than 20 degrees of latitude:
        loose points without cells, or under soft-DTW.

    Notes
    -----
    Lloyd's algorithm from k-means++ seeds minimizes the inertia Σᵢ minⱼ d(xᵢ, cⱼ)², with centroids
    that are the mean of their members, or their DTW barycenter (DBA). The restarts converge on a
    sample of the profiles, where the best of them breathe: they are given a few more clusters, and
    then lose those whose removal costs least. What is left converges on all profiles: contenders on
    up to 262,144 of them (32,768 under DTW), the best in passes over all. Under DTW, runs begin on
    half of the levels, and start again from smoothed centroids.

    A global grid in degrees has as many cells between 80° and 90° as between 0° and 10°, where the
    area is eleven times as large. An even mesh avoids that (Eymold & Jordan 2019); area weights do
    the same for a grid as it is. Loose points, such as floats, count as they come (Maze et al.
    2017).

    References
    ----------
    Lloyd, S. (1982). Least squares quantization in PCM. IEEE Trans. Inf. Theory 28, 129–137.
    https://doi.org/10.1109/TIT.1982.1056489

    Maze, G. et al. (2017). Coherent heat patterns revealed by unsupervised classification of Argo
    temperature profiles in the North Atlantic Ocean. Prog. Oceanogr. 151, 275–292.
    https://doi.org/10.1016/j.pocean.2016.12.008

    Petitjean, F., Ketterlin, A. & Gançarski, P. (2011). A global averaging method for dynamic time
    warping. Pattern Recognition 44, 678–693. https://doi.org/10.1016/j.patcog.2010.09.013

    Fritzke, B. (2020). The breathing k-means algorithm. https://doi.org/10.48550/arXiv.2006.15666

    Examples
    --------
    >>> import xvcluster
    >>> vs = xvcluster.tutorial.tomography()["vs"]
    >>> labels, centroids = vs.vcluster.kmeans(6)
    >>> centroids["vs"].dims
    ('cluster', 'depth')
    """
    ks = choose_ks(n_clusters, k_range, "n_clusters")
    fits = fit_all(
        data, ks, metric=metric, window=window, window_depth=window_depth, normalize=normalize,
        weights=weights, level_weights=level_weights, variable_weights=variable_weights,
        n_init=n_init, max_iter=max_iter, tol=tol, random_state=random_state, progress=progress,
        checkpoint=checkpoint, dim=dim,
    )  # fmt: skip
    if len(ks) > 1:
        swept = SweepResult(describe_criteria(fits), fits)
        warn_at_end("the median of the criteria", ks, swept.best_k, least=2)
        return swept.result()
    return ClusterResult(fits.dataset(ks[0]), _layout=fits.layout)


@register
class KMeans(Method):
    """Profiles belong to the nearest centroid."""

    name = "k-means"
    parameters: ClassVar = {
        "metric": one_of(*get_args(MetricName)),
        "window": replace(number(or_equal=True), optional=True),
        "window_depth": replace(number(or_equal=True), optional=True),
        "n_init": integer(1),
        "max_iter": integer(1),
        "tol": number(or_equal=True),
        "n_iter": integer(0),
    }

    def misfit(self, dataset: xr.Dataset, parameters: Parameters) -> str:
        """A window belongs to dynamic time warping."""
        window = parameters.get("window")
        for name in {"window", "window_depth"} & set(parameters):
            if parameters["metric"] != "dtw":
                return f"the parameter {name!r} does not go with metric={parameters['metric']!r}"
        if isinstance(window, float) and dataset.attrs["xvcluster_schema"] >= _COUNTS:
            return f"the parameter 'window' must be a number of levels; got {window!r}"
        return ""

    def assigner(self, dataset: xr.Dataset, nodes: Float64s, metric: Metric) -> Assigner:
        """Assign to the nearest centroid."""
        exist = held(nodes)
        return Assigner(nodes[exist], metric, None if exist.all() else np.flatnonzero(exist))

    def refit(
        self, dataset: xr.Dataset, k: int, sample: Block, seed: np.random.SeedSequence
    ) -> Assigner:
        """Cluster another sample of the profiles, from one start."""
        options, metric = fit_once(parameters_of(dataset)), read_metric(dataset)
        run = best_runs(InMemory.of(sample), [k], metric, seed=seed, **options)[k]
        return Assigner(run.centroids, metric)

    def refits(
        self,
        dataset: xr.Dataset,
        k: int,
        samples: Sequence[Sample],
        seeds: Sequence[np.random.SeedSequence],
    ) -> list[Assigner]:
        """Cluster several samples, all together."""
        found = refits(samples, seeds, [k], read_metric(dataset), parameters_of(dataset))
        return [assigners[k] for assigners in found]

    def model(self, dataset: xr.Dataset) -> Any:
        """Build the fitted ``TimeSeriesKMeans`` of tslearn."""
        options = parameters_of(dataset)
        centroids = in_model_units(dataset)
        model = import_tslearn_kmeans()(
            len(centroids),
            metric=options["metric"],
            max_iter=options["max_iter"],
            metric_params=_band(read_window(options), read_levels(dataset)),
        )
        model.cluster_centers_ = centroids
        model.n_iter_ = options["n_iter"]
        # tslearn checks that these exist; predict reads the centroids alone
        model.labels_, model.inertia_, model._X_fit = None, None, None
        return model

    def why_not_refit(self, dataset: xr.Dataset) -> str:
        """Soft-DTW is too slow to be repeated."""
        if read_metric(dataset).supports_refits:
            return ""
        return "under metric='softdtw' it would take too long; use metric='dtw'"


def in_model_units(dataset: xr.Dataset, along: str = "cluster") -> Float64s:
    """Centroids or nodes as models of the reference libraries hold them.

    They are scaled as profiles were compared; of results that are not normalized, the offset, which
    changes no distance, is left out. Clusters that a match left empty are too far away to be the
    nearest of any profile.
    """
    scaling, nodes = read_nodes(dataset, along, shifted="normalize" in parameters_of(dataset))
    nodes = nodes * scaling.unit
    return np.where(np.isnan(nodes), 1e9 * np.nanmax(np.abs(nodes)), nodes)


def _band(window: float | None, levels: Float64s) -> dict[str, Any] | None:
    """The window as tslearn takes it, in levels.

    Raises
    ------
    ValueError
        If a window in units of the vertical spans a different number of levels at different depths.
    """
    if window is None:
        return None
    reach = reach_of(window, levels)
    radius = int(reach[0].sum()) - 1
    level = np.arange(len(reach))
    if not np.array_equal(reach, np.abs(level[:, None] - level) <= radius):
        raise ValueError(
            f"window_depth={window!r} of this result spans a different number of levels at "
            "different depths, but tslearn supports only windows of a fixed number of levels; "
            "label data with result.predict"
        )
    return {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": radius}


def fit_all(
    data: xr.DataArray | xr.Dataset,
    ks: list[int],
    *,
    metric: str,
    window: int | None,
    window_depth: float | None,
    normalize: str | None,
    weights: Any,
    level_weights: Any,
    variable_weights: Any,
    n_init: int | Literal["auto"],
    max_iter: int,
    tol: float,
    random_state: int | None,
    progress: bool | None,
    checkpoint: str | os.PathLike[str] | None,
    dim: Hashable | None,
    in_space: bool = False,
) -> Fits:
    """Check the options of `kmeans`, and cluster at every k, ascending.

    `in_space` says that profiles will be compared with their neighbours.
    """
    data = take_model(data)
    supports = get_metric(check_metric(metric))
    reach = check_window(window, metric, window_depth)
    options = {"n_init": check_n_init(n_init, metric), **check_convergence(max_iter, tol)}
    seed, progress = check_seed(random_state), check_flag("progress", progress)
    if checkpoint is not None:
        check_checkpoint(checkpoint)
        if not supports.supports_chunks:
            refuse_checkpoint(checkpoint, f"metric={metric!r}")
    known = check_normalize(normalize)
    why_not = check_weighting(
        weights,
        level_weights,
        weighs=supports.supports_weights,
        weighs_levels=supports.supports_level_weights,
        method=f"metric={metric!r}",
        instead="metric='euclidean'",
    )
    weighing = weights, level_weights, variable_weights
    several = len(ks) > 1
    layout = lay_out_model(data, dim, *weighing, method=KMeans, sweeps=several, why_not=why_not)
    if not supports.supports_chunks:
        refuse_chunks(layout, f"metric={metric!r}")
    _check_reach(reach, window, layout)
    distance = get_metric(metric, reach, layout.levels)
    profiles = open_model(layout, normalize=normalize, by_level=distance.is_linear, seed=seed)
    source = profiles.source
    require_distinct(source, ks[-1], of_range=len(ks) > 1)
    if in_space:
        require_places(layout, profiles.points)
    parameters = {"method": "k-means", "metric": metric, **options, "random_state": seed.entropy}
    parameters |= known | dict(layout.weighting.recorded) | describe_window(reach)
    saved = None
    if checkpoint is not None:
        saved = Checkpoint.of(checkpoint, parameters | {"k": ks}, source)
    with show_runs(progress) as report:
        found = _fit(source, ks, distance, seed, report, saved, **options)
    fits = {k: _number(profiles, *found[k], distance) for k in ks}
    return Fits(data, layout, profiles, distance, fits, parameters)


def _check_reach(reach: float | None, window: float | None, layout: Layout) -> None:
    """Refuse a distance between levels that have no numbers, and warn of the former spelling."""
    if not isinstance(reach, float):
        return
    if layout.vertical is not None:
        require_numbers(layout.vertical, f"window_depth={reach!r}")
    if window is not None:
        warn(
            f"window={reach!r} is taken as a distance in the units of the vertical, because it is "
            f"no integer: write window_depth={reach!r} for that, or window={round(reach)} for a "
            "number of levels",
        )


def _fit(
    source: Source,
    ks: list[int],
    metric: Metric,
    seed: np.random.SeedSequence,
    report: Any,
    checkpoint: Checkpoint | None,
    **options: Any,
) -> dict[int, tuple[Float64s, int]]:
    """Centroids and passes of the best of all restarts, for every k."""
    if isinstance(metric, SoftDTW):
        number = int(seed.generate_state(1)[0])
        profiles = source.sample.values
        return {k: fit_soft_dtw(profiles, k, seed=number, **options) for k in ks}
    if checkpoint is not None:
        options |= {"resumed": checkpoint.load(), "save": checkpoint.save}
    runs = best_runs(source, ks, metric, seed=seed, report=report, **options)
    unsettled = [k for k, run in runs.items() if not run.converged]
    limit = f"max_iter={options['max_iter']} passes"
    warn_unsettled(unsettled, "the centroids were still moving", limit)
    return {k: (run.centroids, run.n_iter) for k, run in runs.items()}


def _number(profiles: Scaled, centroids: Float64s, n_iter: int, metric: Metric) -> Fit:
    """Number clusters by their centroids in the units of the data, lowest first."""
    scaling = profiles.members(Assigner(centroids, metric)).scaling()
    order = lowest_first(scaling.undo(centroids), profiles.layout.weighting.levels)
    ordered = centroids[order]
    return Fit(ordered, profiles.members(Assigner(ordered, metric)), n_iter)
