"""Restarts of k-means for many k, the best of which are kept: from coarse to fine.

Runs first settle on a sample of the profiles, reduced to a few principal components if the metric
allows it. There the best of them breathe: they are given some more clusters, and then lose those
that are missed least (Fritzke 2020), which leads out of poor minima at little cost. The best few
then settle on as many profiles as are kept in memory, finally on all levels. If there are more
profiles, the best run of each k settles in passes over all of them. At each step, runs that are
clearly beaten drop out, and the others start close to where they end.

Under a metric that warps, runs first settle on half of the levels, and then start again from
smoothed centroids on more and more profiles, as `warping` explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.initialize import k_means_plus_plus
from xvcluster.algorithms.lloyd import REFINEMENT_TOL, Report, Rows, Run, fit, split, threads
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.passes import farthest, measure, settle
from xvcluster.algorithms.source import InMemory, Source
from xvcluster.algorithms.warping import Halves, halves, smooth
from xvcluster.arrays import Float64s, Floats

_COMPONENTS = 16
_CONTENDERS, _SAME = 8, 1.0002
_WIDTHS = (3, 5, 3, 5, 3)  # levels over which centroids are smoothed, one after the other
_PASSES = 4  # from smoothed centroids: almost all that can be gained
_PARENTS, _SWELL = 2, (1, 3)
_ROUGH = 10.0  # multiple of the tolerance that is enough on a sample
_REFINEMENTS = 3  # with long steps, more do not pay
_FEW = 512  # profiles on which runs begin under a metric that warps
_THINNED = 2048  # profiles of the sample, for steps that need only a few
_CHUNK = 2048  # profiles at a time, so that no large buffer is needed
_NO_GAIN = 1.0 - 1e-5  # float32 errs by less


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A few principal components, through which profiles are seen.

    Attributes
    ----------
    mean : ndarray, shape (n_levels · n_variables,)
    axes : ndarray, shape (n_levels · n_variables, n_components)
        Orthonormal.
    """

    mean: Float64s
    axes: Float64s

    def look(self, profiles: Block) -> Block:
        """The components of profiles as if they were levels, values (n, n_components, 1)."""
        flat = profiles.values.reshape(len(profiles), -1)
        axes = self.axes.astype(flat.dtype)
        components = np.empty((len(flat), axes.shape[1]), flat.dtype)
        for start in range(0, len(flat), _CHUNK):
            part = slice(start, start + _CHUNK)
            np.matmul(flat[part], axes, out=components[part])
        components -= (self.mean @ self.axes).astype(flat.dtype)
        return Block(components[:, :, None], profiles.weights)

    def back(self, centroids: Floats, shape: tuple[int, ...]) -> Float64s:
        """Centroids (k, *shape) from their components (k, n_components, 1)."""
        whole: Float64s = (centroids[:, :, 0] @ self.axes.T + self.mean).reshape(-1, *shape)
        return whole


def best_runs(
    source: Source,
    ks: Iterable[int],
    metric: Metric,
    *,
    n_init: int,
    max_iter: int,
    tol: float,
    seed: np.random.SeedSequence,
    report: Report | None = None,
    resumed: dict[int, Run] | None = None,
    save: Callable[[dict[int, Run]], None] = lambda runs: None,
) -> dict[int, Run]:
    """Fit every k from `n_init` starts, all together, and keep the best run of each k.

    Parameters
    ----------
    source : Source
        Scaled profiles, no NaN.
    ks : iterable of int
        Numbers of clusters, ascending.
    metric : Metric
    n_init : int
        Restarts for each k; each restart has ``metric.draws`` starts.
    max_iter : int
        Maximum number of passes over the data in each step from coarse to fine.
    tol : float
        A run has converged when the squared shift of its centroids is at most this share of the
        mean variance of a level.
    seed : SeedSequence
        Each start draws from its own child.
    report : callable, optional
        Called with the runs after each pass.
    resumed : dict of int to Run, optional
        Runs that were saved, to be continued.
    save : callable
        Called with the best runs before the first pass over all profiles, and after each of them.

    Returns
    -------
    dict of int to Run
        If several k are fitted, the inertia never rises with k.

    Notes
    -----
    A sweep also starts each k from the best centroids of the next k. If the inertia has risen with
    k, that k starts again from the centroids of the k before and the profiles farthest from them.

    References
    ----------
    Fritzke, B. (2020). The breathing k-means algorithm. https://doi.org/10.48550/arXiv.2006.15666
    """
    ks = list(ks)
    for_sample, for_breaths, *for_starts = seed.spawn(2 + metric.draws * n_init)
    profiles = _draw(source.sample, metric.settled_size, for_sample.spawn(1)[0])
    all_seen = len(profiles) == source.n_profiles
    variance = float(profiles.moments()[1].mean())
    tol *= variance
    options: dict[str, Any] = {"max_iter": max_iter, "report": report}
    best = resumed
    if best is None:
        strides = options | {"stride": metric.stride}
        fitted = strides | {"least_gain": REFINEMENT_TOL * variance}
        fitted["refinements"] = min(metric.max_refinements, _REFINEMENTS)
        # refinements do not lead to better minima
        rough = strides | {"tol": _ROUGH * tol, "refinements": 0}
        sample = _draw(profiles, metric.sample_size, for_sample)
        coarse, view, seen = _coarsen(sample, metric)
        runs = _explore(coarse, ks, seen, for_starts, for_breaths, **rough)
        if metric.warps:
            runs, view = _smooth(sample, runs, view, metric, n=_PARENTS, **rough), None
            runs = _smooth(_thin(profiles), runs, view, metric, n=1, **rough)
        best = _refine(profiles, runs, view, metric, tol=tol, **fitted)
        if not all_seen:
            best = {k: Run(run.centroids) for k, run in best.items()}
            save(best)
    if all_seen:
        source = InMemory.of(profiles)
    options |= {"tol": tol, "sample": None if all_seen else profiles}
    settle(source, list(best.values()), metric, save=lambda: save(best), **options)
    if len(ks) > 1:
        _never_rise(source, best, metric, **options)
    save(best)
    return best


def _explore(
    coarse: Block,
    ks: list[int],
    metric: Metric,
    for_starts: list[np.random.SeedSequence],
    for_breaths: np.random.SeedSequence,
    **options: Any,
) -> dict[int, list[Run]]:
    """Find the best few runs of every k on a sample, from many starts, and let them breathe."""
    with threads() as map_starts:
        starts = list(map_starts(partial(k_means_plus_plus, coarse, ks[-1], metric), for_starts))
    runs = {k: [Run(start[:k].astype(np.float64)) for start in starts] for k in ks}
    _fit_on_sample(coarse, _all(runs), metric, **options)
    for child in for_breaths.spawn(metric.breaths):
        breathing = _swell(runs, coarse, metric, child)
        _fit_on_sample(coarse, _all(breathing), metric, **options)
        breathing = _shrink(breathing, coarse, metric)
        _fit_on_sample(coarse, _all(breathing), metric, **options)
        runs = {k: runs[k] + breathing[k] for k in ks}
    return {k: [Run(run.centroids) for run in _contenders(runs[k], metric.beaten)] for k in ks}


def _fit_on_sample(
    sample: Block, runs: list[Run], metric: Metric, *, report: Report | None, **options: Any
) -> None:
    """Advance all runs, each in a thread of its own if a pass of one of them takes long."""
    if not metric.warps:
        fit(split(sample, metric), runs, metric, report=report, **options)
        return
    lock = Lock()

    def report_all(_: list[Run]) -> None:
        if report is not None:
            with lock:
                report(runs)

    def fit_one(run: Run) -> None:
        fit([sample], [run], metric, report=report_all, **options)

    with threads() as map_runs:
        list(map_runs(fit_one, runs))


def _smooth(
    sample: Block,
    runs: dict[int, list[Run]],
    view: View | Halves | None,
    metric: Metric,
    *,
    n: int,
    max_iter: int,
    **options: Any,
) -> dict[int, list[Run]]:
    """Find the best n runs of each k on all levels of a sample, also from smoothed centroids."""
    shape, options = sample.values.shape[1:], options | {"max_iter": min(max_iter, _PASSES)}
    if view is not None:
        runs = {k: [Run(view.back(r.centroids, shape)) for r in group] for k, group in runs.items()}
    _fit_on_sample(sample, _all(runs), metric, **options)
    for width in _WIDTHS:
        runs = {k: _contenders(group, metric.beaten) for k, group in runs.items()}
        others = {k: [Run(smooth(r.centroids, width)) for r in group] for k, group in runs.items()}
        _fit_on_sample(sample, _all(others), metric, **options)
        runs = {k: list(map(_better, group, others[k])) for k, group in runs.items()}
    return {k: [Run(run.centroids) for run in _ranked(group)[:n]] for k, group in runs.items()}


def _refine(
    profiles: Block,
    runs: dict[int, list[Run]],
    view: View | Halves | None,
    metric: Metric,
    **options: Any,
) -> dict[int, Run]:
    """Find the best run of each k on many profiles, finally on all levels."""
    if view is not None:
        fit(split(view.look(profiles), metric), _all(runs), metric, **options)
        shape = profiles.values.shape[1:]
        runs = {k: [Run(view.back(_best(group).centroids, shape))] for k, group in runs.items()}
    fit(split(profiles, metric), _all(runs), metric, **options)
    return {k: _best(group) for k, group in runs.items()}


def _never_rise(source: Source, best: dict[int, Run], metric: Metric, **options: Any) -> None:
    """Fit those k again at which the inertia has risen, from the centroids of the k before."""
    if len(source.sample) == source.n_profiles or not all(r.converged for r in best.values()):
        measure(source, list(best.values()), metric)  # else that of the last pass will do
    for before, k in pairwise(best):
        if best[k].inertia > _NO_GAIN * best[before].inertia:
            best[k] = Run(_grow(best[before].centroids, k, source, metric))
            settle(source, [best[k]], metric, **options)
            measure(source, [best[k]], metric)


def _coarsen(sample: Block, metric: Metric) -> tuple[Block, View | Halves | None, Metric]:
    """Reduce a sample to a view if the metric allows it; also give the metric of what is seen."""
    if metric.warps:
        few = _thin(sample, _FEW)
        halved = halves(few.values.shape[1])
        if halved is None:
            return few, None, metric
        return halved.look(few), halved, metric.seen_as(halved)
    view = principal_view(sample.values) if metric.is_linear else None
    return (sample if view is None else view.look(sample)), view, metric


def principal_view(profiles: Floats) -> View | None:
    """Find the first principal components; None if there are few levels anyway."""
    few = _thin(profiles)
    flat = few.reshape(len(few), -1).astype(np.float64)
    if flat.shape[1] < 2 * _COMPONENTS:
        return None
    mean = flat.mean(axis=0)
    axes = np.linalg.eigh(np.cov(flat, rowvar=False))[1]
    return View(mean, axes[:, ::-1][:, :_COMPONENTS])


def _draw(profiles: Block, size: int, seed: np.random.SeedSequence) -> Block:
    """Draw at most `size` of the profiles, in their order."""
    if len(profiles) <= size:
        return profiles
    rng = np.random.default_rng(seed)
    return profiles[np.sort(rng.choice(len(profiles), size, replace=False))]


def _thin(sample: Rows, size: int = _THINNED) -> Rows:
    """Take some of a sample's profiles, evenly spaced: `size` to twice that, or all of fewer."""
    return sample[np.arange(0, len(sample), max(1, len(sample) // size))]


def _all(runs: dict[int, list[Run]]) -> list[Run]:
    return [run for group in runs.values() for run in group]


def _best(runs: list[Run]) -> Run:
    return min(runs, key=lambda run: run.inertia)


def _better(one: Run, other: Run) -> Run:
    return min(one, other, key=lambda run: run.inertia)


def _ranked(runs: list[Run]) -> list[Run]:
    """Sort runs from best to worst, and leave out those with the same outcome."""
    ranked = sorted(runs, key=lambda run: run.inertia)
    pairs = pairwise(ranked)
    return ranked[:1] + [b for a, b in pairs if b.inertia > _SAME * a.inertia]


def _contenders(runs: list[Run], beaten: float = Metric.beaten) -> list[Run]:
    """Select the best few runs that differ, without those that are clearly beaten."""
    ranked = _ranked(runs)[:_CONTENDERS]
    return [run for run in ranked if run.inertia <= beaten * ranked[0].inertia]


def _swell(
    runs: dict[int, list[Run]], profiles: Block, metric: Metric, seed: np.random.SeedSequence
) -> dict[int, list[Run]]:
    """Start with some more clusters than k, from the best runs of k and of the next k."""
    swollen: dict[int, list[Run]] = {}
    for k, child in zip(runs, seed.spawn(len(runs)), strict=True):
        parents = _ranked(runs[k])[:_PARENTS]
        pairs = [(parent.centroids, k + more) for parent in parents for more in _SWELL]
        grown = (
            k_means_plus_plus(profiles, n, metric, each, centroids)
            for (centroids, n), each in zip(pairs, child.spawn(len(pairs)), strict=True)
        )
        swollen[k] = [Run(centroids.astype(np.float64)) for centroids in grown]
    for k, after in pairwise(runs):
        swollen[k].append(Run(_best(runs[after]).centroids))
    return swollen


def _shrink(swollen: dict[int, list[Run]], profiles: Block, metric: Metric) -> dict[int, list[Run]]:
    """Start every k from runs with more clusters, without those that are missed least."""
    few = _thin(profiles)
    shrunk = {}
    with threads() as map_runs:
        for k, group in swollen.items():
            leave_out = partial(_leave_out, k=k, profiles=few, metric=metric)
            shrunk[k] = map_runs(leave_out, [run.centroids for run in group])
        return {k: [Run(centroids) for centroids in left] for k, left in shrunk.items()}


def _leave_out(centroids: Float64s, k: int, profiles: Block, metric: Metric) -> Float64s:
    """Remove centroids until k are left, each time the one whose loss costs the least inertia."""
    squared = profiles.weights[:, None] * metric.squared_distances(profiles.values, centroids)
    rows, kept = np.arange(len(profiles)), np.arange(len(centroids))
    while len(kept) > k:
        nearest = squared.argmin(axis=1)
        least = squared[rows, nearest]
        squared[rows, nearest] = np.inf
        costs = np.bincount(nearest, squared.min(axis=1) - least, minlength=len(kept))
        squared[rows, nearest] = least
        missed_least = costs.argmin()
        kept = np.delete(kept, missed_least)
        squared = np.delete(squared, missed_least, axis=1)
    return centroids[kept]


def _grow(centroids: Float64s, k: int, source: Source, metric: Metric) -> Float64s:
    """Add the farthest profiles to centroids until there are k."""
    while len(centroids) < k:
        far = farthest(source, centroids, metric, 1)
        far = far if len(far) else source.sample.values[:1]
        centroids = np.concatenate([centroids, far.astype(np.float64)])
    return centroids
