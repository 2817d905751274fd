"""The loop of k-means over all profiles, wherever they lie: one pass an iteration, all runs in it.

Nothing is kept of a pass but the centroids, so a fit can go on from them anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from xvcluster.methods.lloyd import Report, Run, add, means
from xvcluster.methods.metric import Float64s, Floats, Metric, Partial, Stack
from xvcluster.methods.source import Source


def settle(
    source: Source,
    runs: list[Run],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Report | None = None,
    save: Callable[[], None] = lambda: None,
) -> None:
    """Advance all runs together, one pass an iteration, until they converge.

    Parameters
    ----------
    source : Source
    runs : list of Run
        Changed in place; their inertia is that before the last update.
    metric : Metric
    max_iter : int
    tol : float
        Squared shift of a run's centroids, in units of the data squared, that counts as none.
    report : callable, optional
        Is shown the runs after each pass.
    save : callable
        Is called after each pass.
    """
    while active := [run for run in runs if not run.converged and run.n_iter < max_iter]:
        stack, total = _pass_over(source, active, metric)
        moved = means(total.sums, total.mass, stack.centroids)
        for run, part in zip(active, stack.parts(), strict=True):
            run.centroids, run.inertia = moved[part], float(total.inertia[part].sum())
            run.n_iter += 1
            empty = np.flatnonzero(total.mass[part][:, 0] == 0)
            if empty.size:
                far = farthest(source, run.centroids, metric, empty.size)
                run.centroids[empty[: len(far)]] = far
            shift = float(((run.centroids - stack.centroids[part]) ** 2).sum())
            run.converged = shift <= tol
        save()
        if report is not None:
            report(runs)


def measure(source: Source, runs: list[Run], metric: Metric) -> None:
    """Bring the inertia of runs up to date with their centroids."""
    stack, total = _pass_over(source, runs, metric)
    for run, part in zip(runs, stack.parts(), strict=True):
        run.inertia = float(total.inertia[part].sum())


def _pass_over(source: Source, runs: list[Run], metric: Metric) -> tuple[Stack, Partial]:
    stack = Stack.of([run.centroids for run in runs])
    return stack, source.total(partial(accumulate, stack=stack, metric=metric), add)


def accumulate(block: Floats, stack: Stack, metric: Metric) -> Partial:
    """Sum a block as if it were seen for the first time."""
    unlabelled = np.full((stack.active.size, len(block)), -1, dtype=np.int32)
    return metric.accumulate(block, stack, unlabelled)


@dataclass(frozen=True, slots=True, eq=False)
class _Far:
    """Profiles (n, n_levels, n_variables) and their squared distances (n,), farthest first."""

    profiles: Floats
    squared: Float64s


def farthest(source: Source, centroids: Float64s, metric: Metric, n: int) -> Floats:
    """The at most n profiles farthest from the nearest of centroids, of those off all of them."""
    find = partial(_find_far, centroids=centroids, metric=metric, n=n)
    far: Floats = source.total(find, partial(_join_far, n=n)).profiles
    return far


def _find_far(block: Floats, centroids: Float64s, metric: Metric, n: int) -> _Far:
    squared = metric.squared_distances(block, centroids).min(axis=1)
    return _keep_far(_Far(block, squared), n)


def _join_far(parts: Iterable[_Far], n: int) -> _Far:
    parts = list(parts)
    profiles = np.concatenate([part.profiles for part in parts])
    return _keep_far(_Far(profiles, np.concatenate([part.squared for part in parts])), n)


def _keep_far(far: _Far, n: int) -> _Far:
    order = np.argsort(-far.squared, kind="stable")[:n]
    order = order[far.squared[order] > 0]
    return _Far(far.profiles[order], far.squared[order])
