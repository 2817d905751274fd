"""k-means of a model at one or many k: from its data to who belongs to which cluster."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.initialize import has_distinct
from xvcluster.algorithms.lloyd import Run
from xvcluster.algorithms.metrics import Metric, SoftDTW, fit_soft_dtw, get_metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory, Source
from xvcluster.arrays import Float64s, Indices
from xvcluster.methods.checkpoint import Checkpoint, check_checkpoint
from xvcluster.options import (
    check_integer,
    check_metric,
    check_n_init,
    check_number,
    check_seed,
    check_weighting,
    check_window,
)
from xvcluster.profiles import Layout, Members, Scaled, is_chunked, lay_out, open_profiles, weigh
from xvcluster.profiles.scaling import check_normalize
from xvcluster.progress import show_runs
from xvcluster.record.describe import build_dataset, check_names


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Centroids (k, n_levels, n_variables) in the order of their numbers, and who belongs there."""

    centroids: Float64s
    members: Members
    n_iter: int


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What a result was made from, to do the same with other samples of it.

    Attributes
    ----------
    layout : Layout
    open : callable
        Reads and scales the profiles again; a result does not hold them.
    refit : callable
        Clusters a sample of them with a seed.
    """

    layout: Layout
    open: Callable[[], Scaled]
    refit: Callable[[Block, np.random.SeedSequence], Assigner]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model clustered at one or many k.

    Attributes
    ----------
    data : DataArray or Dataset
        What was clustered.
    layout : Layout
    profiles : Scaled
    metric : Metric
    fits : mapping of int to Fit
        By k, ascending.
    parameters : mapping
        Method and options, as JSON can hold them.
    """

    data: xr.DataArray | xr.Dataset
    layout: Layout
    profiles: Scaled
    metric: Metric
    fits: Mapping[int, Fit]
    parameters: Mapping[str, Any]

    @property
    def once(self) -> dict[str, Any]:
        """The options of a fit from one start."""
        return {"n_init": 1} | {name: self.parameters[name] for name in ("max_iter", "tol")}

    def origin(self, k: int) -> Origin | None:
        """What the clustering at one k was made from; None where it cannot be done again."""
        if self.metric.name == "softdtw":
            return None
        seed = np.random.SeedSequence(self.parameters["random_state"])
        reopen = partial(
            open_profiles,
            self.layout,
            normalize=self.parameters.get("normalize"),
            by_level=self.metric.is_linear,
            seed=seed,
        )
        return Origin(
            self.layout, reopen, partial(_refit_one, k=k, metric=self.metric, **self.once)
        )

    def dataset(self, k: int) -> xr.Dataset:
        """All that describes the clustering at one k."""
        fit = self.fits[k]
        parameters = dict(self.parameters) | {"n_clusters": int(k), "n_iter": fit.n_iter}
        dataset = build_dataset(self.data, self.layout, fit.centroids, fit.members, parameters)
        dataset["label"].attrs["ordered_by"] = order_text(self.layout)
        return dataset


def fit_all(
    data: xr.DataArray | xr.Dataset,
    ks: list[int],
    *,
    metric: str,
    window: float | None,
    normalize: str | None,
    weights: Any,
    level_weights: Any,
    n_init: int | Literal["auto"],
    max_iter: int,
    tol: float,
    random_state: int | None,
    progress: bool | None,
    checkpoint: str | os.PathLike[str] | None,
    dim: Hashable | None,
) -> Fitted:
    """Check the options of `kmeans`, and cluster at every k, ascending."""
    restarts = check_n_init(n_init, check_metric(metric))
    window = check_window(window, metric)
    max_iter = check_integer("max_iter", max_iter, 1)
    tol = check_number("tol", tol, above=0.0, or_equal=True)
    seed = check_seed(random_state)
    known = check_normalize(normalize) | check_weighting(
        weights,
        level_weights,
        weighs=metric != "softdtw",
        weighs_levels=metric == "euclidean",
        method=f"metric={metric!r}",
        instead="metric='euclidean'",
    )
    layout = weigh(lay_out(data, dim), weights, level_weights)
    check_names(layout, *(["k"] if len(ks) > 1 else []))
    if metric == "softdtw":
        refuse_chunks(layout, "metric='softdtw'")
        refuse_checkpoint(checkpoint, "metric='softdtw'")
    if checkpoint is not None:
        check_checkpoint(checkpoint)
    by_level = metric == "euclidean"
    profiles = open_profiles(layout, normalize=normalize, by_level=by_level, seed=seed)
    source = profiles.source
    require_distinct(source, ks[-1])
    distance = get_metric(metric, window, layout.levels)
    options = {"n_init": restarts, "max_iter": max_iter, "tol": tol}
    parameters = {"method": "k-means", "metric": metric, **options, "random_state": seed.entropy}
    parameters |= known | ({} if window is None else {"window": window})
    saved = None
    if checkpoint is not None:
        saved = Checkpoint.of(checkpoint, parameters | {"k": ks}, source)
    with show_runs(progress) as report:
        centroids = _fit(source, ks, distance, seed, report, saved, **options)
    fits = {}
    for k, (found, n_iter) in centroids.items():
        ordered = found[_order(profiles, found, distance)]
        fits[k] = Fit(ordered, profiles.members(Assigner(ordered, distance)), n_iter)
    return Fitted(data, layout, profiles, distance, fits, parameters)


def _order(profiles: Scaled, found: Float64s, metric: Metric) -> Indices:
    """Order of clusters by their centroids in the units of the data, lowest first."""
    return lowest_first(profiles.members(Assigner(found, metric)).scaling().undo(found))


def refit(
    sample: Block, seed: np.random.SeedSequence, *, ks: list[int], metric: Metric, **options: Any
) -> dict[int, Assigner]:
    """Cluster a sample of the profiles at every k."""
    runs = best_runs(InMemory.of(sample), ks, metric, seed=seed, **options)
    return {k: Assigner(run.centroids, metric) for k, run in runs.items()}


def _refit_one(
    sample: Block, seed: np.random.SeedSequence, *, k: int, metric: Metric, **options: Any
) -> Assigner:
    return refit(sample, seed, ks=[k], metric=metric, **options)[k]


def require_distinct(source: Source, n_clusters: int, name: str = "n_clusters") -> None:
    """Refuse more clusters than there are distinct profiles, as far as a sample tells."""
    if not has_distinct(source.sample.counted().values, n_clusters):
        idle = "" if source.sample.weights.all() else ", of which those of weight 0 do not count"
        raise ValueError(
            f"{name}={n_clusters} is more than the distinct profiles among the "
            f"{source.n_profiles} complete ones{idle}; ask for fewer clusters"
        )


def refuse_chunks(layout: Layout, what: str) -> None:
    """Refuse dask arrays for what has to hold all profiles at once."""
    if is_chunked(layout.dataset):
        raise ValueError(
            f"{what} needs all profiles in memory, but the data are dask arrays; load them first "
            "with data.load(), or fewer of them with data.vcluster.prepare(stride=4).load()"
        )


def refuse_checkpoint(checkpoint: str | os.PathLike[str] | None, what: str) -> None:
    """Refuse a checkpoint for what cannot go on from one."""
    if checkpoint is not None:
        raise ValueError(f"{what} writes no checkpoint; leave checkpoint={str(checkpoint)!r} out")


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
    _warn_unsettled(runs, options["max_iter"])
    return {k: (run.centroids, run.n_iter) for k, run in runs.items()}


def _warn_unsettled(runs: Mapping[int, Run], max_iter: int) -> None:
    unsettled = [str(k) for k, run in runs.items() if not run.converged]
    if unsettled:
        warnings.warn(
            f"the centroids were still moving after max_iter={max_iter} passes for k = "
            f"{', '.join(unsettled)}; raise max_iter or tol",
            stacklevel=5,
        )


def lowest_first(centroids: Float64s) -> Indices:
    """Order of clusters by the mean of the first variable over the levels."""
    return np.argsort(centroids[..., 0].mean(axis=1), kind="stable")


def order_text(layout: Layout) -> str:
    """Say how clusters are numbered."""
    name, attrs = next(iter(layout.variables.items()))
    unit = str(attrs.get("units", "")).strip()
    return f"mean of {name}{f' ({unit})' if unit else ''}, lowest first"
