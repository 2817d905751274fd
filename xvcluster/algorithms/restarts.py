"""The best runs of k-means at one or many k: a search, and passes over all profiles.

The search finds the best run of each k on as many profiles as are kept in memory. If there are
more, it then settles in passes over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from xvcluster.algorithms.blocks import Sample
from xvcluster.algorithms.lloyd import Report, Run, threads
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.passes import farthest, measure, settle
from xvcluster.algorithms.search import Search, search
from xvcluster.algorithms.source import InMemory, Source
from xvcluster.arrays import Float64s

_NO_GAIN = 1.0 - 1e-5  # float32 errs by less


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
        Called with the runs after each pass, or each time that some of them have settled.
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
    with threads():
        own = Search.of(Sample(source.sample), metric, n_init, seed)
    options: dict[str, Any] = {"max_iter": max_iter, "report": report}
    best = resumed
    if best is None:
        best = search([own], ks, metric, tol=tol, **options)[0]
        if len(own.profiles) < source.n_profiles:
            best = _begin_again(best)
            save(best)
    _pass_over_all(source, own, best, metric, tol=tol, save=lambda: save(best), **options)
    return best


def best_runs_of_samples(
    samples: Sequence[Sample],
    ks: Iterable[int],
    metric: Metric,
    *,
    n_init: int,
    max_iter: int,
    tol: float,
    seeds: Sequence[np.random.SeedSequence],
) -> list[dict[int, Run]]:
    """Fit samples that are in memory, all together, each nearly as `best_runs` does.

    If there are many k, searches are less thorough, as each k also starts from runs of the next.

    Parameters
    ----------
    samples : sequence of Sample
    ks, metric, n_init, max_iter, tol
        See `best_runs`.
    seeds : sequence of SeedSequence
        One for each sample.

    Returns
    -------
    list of dict of int to Run
        As one by one, but for rounding.
    """
    ks = list(ks)

    def prepare(sample: Sample, seed: np.random.SeedSequence) -> Search:
        return Search.of(sample, metric, n_init, seed, is_thorough=len(ks) == 1)

    with threads() as map_samples:
        searches = list(map_samples(prepare, samples, seeds))
    found = search(searches, ks, metric, tol=tol, max_iter=max_iter)
    for i, (sample, own) in enumerate(zip(samples, searches, strict=True)):
        if len(own.profiles) < len(sample.profiles):
            found[i] = _begin_again(found[i])
        source = InMemory.of(sample.profiles)
        _pass_over_all(source, own, found[i], metric, tol=tol, max_iter=max_iter)
    return found


def _begin_again(runs: dict[int, Run]) -> dict[int, Run]:
    """Runs from the centroids at which others have ended, which have seen no profiles yet."""
    return {k: Run(run.centroids) for k, run in runs.items()}


def _pass_over_all(
    source: Source,
    own: Search,
    best: dict[int, Run],
    metric: Metric,
    *,
    tol: float,
    save: Callable[[], None] = lambda: None,
    **options: Any,
) -> None:
    """Settle the best run of each k on all profiles of which a search may have seen some."""
    all_seen = len(own.profiles) == source.n_profiles
    if all_seen:
        source = InMemory.of(own.profiles)
    options |= {"tol": tol * own.variance, "sample": None if all_seen else own.profiles}
    settle(source, list(best.values()), metric, save=save, **options)
    if len(best) > 1:
        _never_rise(source, best, metric, **options)
    save()


def _never_rise(source: Source, best: dict[int, Run], metric: Metric, **options: Any) -> None:
    """Fit those k again at which the inertia has risen, from the centroids of the k before."""
    if len(source.sample) == source.n_profiles or not all(r.converged for r in best.values()):
        measure(source, list(best.values()), metric)  # else that of the last pass will do
    for before, k in pairwise(best):
        if best[k].inertia > _NO_GAIN * best[before].inertia:
            best[k] = Run(_grow(best[before].centroids, k, source, metric))
            settle(source, [best[k]], metric, **options)
            measure(source, [best[k]], metric)


def _grow(centroids: Float64s, k: int, source: Source, metric: Metric) -> Float64s:
    """Add the farthest profiles to centroids until there are k."""
    while len(centroids) < k:
        far = farthest(source, centroids, metric, 1)
        far = far if len(far) else source.sample.values[:1]
        centroids = np.concatenate([centroids, far.astype(np.float64)])
    return centroids
