"""Many starts for many k, of which the best counts: from coarse to fine.

Runs settle on a sample of the profiles first, seen through a few principal components where the
metric allows it, then on all profiles, at last on all levels. At each step those that are clearly
beaten drop out, and the others start close to their end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from xvcluster.methods.initialize import k_means_plus_plus
from xvcluster.methods.lloyd import Report, Run, fit, measure, split
from xvcluster.methods.metric import Float64s, Floats, Metric

_COMPONENTS = 16
_CONTENDERS = 5
_BEATEN = 1.02
_NO_GAIN = 1.0 - 1e-5  # further than float32 can err


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Profiles through a few principal components, or whole.

    Attributes
    ----------
    mean : ndarray, shape (n_levels · n_variables,)
    axes : ndarray, shape (n_levels · n_variables, n_components)
        Orthonormal.
    """

    mean: Float64s
    axes: Float64s

    def look(self, profiles: Floats) -> Floats:
        """Components (n, n_components, 1) of profiles (n, n_levels, n_variables)."""
        flat = profiles.reshape(len(profiles), -1)
        shift = (self.mean @ self.axes).astype(flat.dtype)
        return (flat @ self.axes.astype(flat.dtype) - shift)[:, :, None]

    def back(self, centroids: Floats, shape: tuple[int, ...]) -> Float64s:
        """Centroids (k, *shape) with these components."""
        whole: Float64s = (centroids[:, :, 0] @ self.axes.T + self.mean).reshape(-1, *shape)
        return whole


def best_runs(
    profiles: Floats,
    ks: Iterable[int],
    metric: Metric,
    *,
    n_init: int,
    max_iter: int,
    tol: float,
    seed: np.random.SeedSequence,
    report: Report | None = None,
) -> dict[int, Run]:
    """Fit every k from `n_init` starts, all together, and keep the best run of each.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
        Scaled, no NaN.
    ks : iterable of int
        Numbers of clusters, ascending.
    metric : Metric
    n_init : int
        Restarts for each k, each drawn ``metric.draws`` times: the best on the sample count.
    max_iter : int
        Passes over the data at most, in each step from coarse to fine.
    tol : float
        A run has converged when its centroids move by less than this share of the mean variance.
    seed : SeedSequence
        Every start draws from its own child.
    report : callable, optional
        Is shown the runs after each pass.

    Returns
    -------
    dict of int to Run
        Where several k are fitted, the inertia never rises with k.

    Notes
    -----
    A sweep starts k + 1 also from the best centroids of k and the profile farthest from these.
    """
    ks = list(ks)
    for_sample, *for_starts = seed.spawn(1 + metric.draws * n_init)
    sample = _draw(profiles, metric.sample_size, for_sample)
    view = principal_view(sample) if metric.is_linear else None
    coarse = sample if view is None else view.look(sample)
    settle = partial(fit, metric=metric, max_iter=max_iter, report=report)
    tol *= float(profiles.reshape(len(profiles), -1).var(axis=0, dtype=np.float64).sum())
    tol /= profiles[0].size

    starts = [k_means_plus_plus(coarse, ks[-1], metric, child) for child in for_starts]
    runs = {k: [Run(start[:k].astype(np.float64)) for start in starts] for k in ks}
    settle(split(coarse), _all(runs), tol=tol)
    for before, k in pairwise(ks):
        grown = _grow(_best(runs[before]), k, coarse, metric)
        settle(split(coarse), [grown], tol=tol)
        runs[k].append(grown)
    if view is not None:
        runs = {k: [Run(run.centroids) for run in _contenders(runs[k])] for k in ks}
        settle(split(view.look(profiles)), _all(runs), tol=tol)
        runs = {k: [Run(view.back(_best(runs[k]).centroids, profiles.shape[1:]))] for k in ks}
        settle(split(profiles), _all(runs), tol=tol)
    elif len(sample) < len(profiles):
        runs = {k: [Run(run.centroids) for run in _contenders(runs[k])] for k in ks}
        settle(split(profiles), _all(runs), tol=tol)
    best = {k: _best(runs[k]) for k in ks}
    if len(ks) > 1:
        measure(split(profiles), list(best.values()), metric)
    for before, k in pairwise(ks):
        if best[k].inertia > _NO_GAIN * best[before].inertia:
            best[k] = _grow(best[before], k, profiles, metric)
            settle(split(profiles), [best[k]], tol=tol)
            measure(split(profiles), [best[k]], metric)
    return best


def principal_view(profiles: Floats) -> View | None:
    """The first principal components; None where there are few levels anyhow."""
    flat = profiles.reshape(len(profiles), -1).astype(np.float64)
    if flat.shape[1] < 2 * _COMPONENTS:
        return None
    mean = flat.mean(axis=0)
    axes = np.linalg.eigh(np.cov(flat, rowvar=False))[1]
    return View(mean, axes[:, ::-1][:, :_COMPONENTS])


def _draw(profiles: Floats, size: int, seed: np.random.SeedSequence) -> Floats:
    """At most `size` of the profiles, in their order."""
    if len(profiles) <= size:
        return profiles
    rng = np.random.default_rng(seed)
    return profiles[np.sort(rng.choice(len(profiles), size, replace=False))]


def _all(runs: dict[int, list[Run]]) -> list[Run]:
    return [run for group in runs.values() for run in group]


def _best(runs: list[Run]) -> Run:
    return min(runs, key=lambda run: run.inertia)


def _contenders(runs: list[Run]) -> list[Run]:
    """The best few runs, without those that are clearly beaten."""
    ranked = sorted(runs, key=lambda run: run.inertia)
    return [run for run in ranked[:_CONTENDERS] if run.inertia <= _BEATEN * ranked[0].inertia]


def _grow(run: Run, k: int, profiles: Floats, metric: Metric) -> Run:
    """A start for k clusters from a run with fewer: its centroids and the farthest profiles."""
    centroids = run.centroids
    while len(centroids) < k:
        far = metric.squared_distances(profiles, centroids).min(axis=1).argmax()
        centroids = np.concatenate([centroids, profiles[[far]].astype(np.float64)])
    return Run(centroids)
