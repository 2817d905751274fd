"""The loop of k-means over all profiles, wherever they lie: one pass an iteration, all runs in it.

Nothing is kept of a pass but the centroids, so a fit can go on from them anywhere. Passes are dear,
and a sample knows almost as well where centroids go. Let F(c) be the centroids that follow c in a
pass over all profiles, and S(c) those of the sample. Between two passes the centroids c₀ go on to
where c = S(c) + F(c₀) − S(c₀), which is where F leads them but for the little that F − S changes on
the way. A fixed point is one of F, and few passes get there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from xvcluster.algorithms.blocks import Block, Partial, Stack
from xvcluster.algorithms.lloyd import Report, Run, add, means
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.source import InMemory, Source
from xvcluster.arrays import Float64s, Floats

_FASTER = 0.5  # of the shift before: else plain steps are as good
_STEPS = 100  # on the sample between two passes
_CLOSE = 0.1  # of the bound for all profiles, to which centroids settle on the sample


def settle(
    source: Source,
    runs: list[Run],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    sample: Block | None = None,
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
    sample : Block, optional
        Profiles that tell where centroids go between passes. Default: a pass tells one step.
    report : callable, optional
        Is shown the runs after each pass.
    save : callable
        Is called after each pass.
    """
    while active := [run for run in runs if not run.converged and run.n_iter < max_iter]:
        stack, total = _pass_over(source, active, metric)
        moved = means(total.sums, total.mass, stack.centroids)
        foreseen: list[Run] = []
        for run, part in zip(active, stack.parts(), strict=True):
            run.centroids, run.inertia = moved[part], float(total.inertia[part].sum())
            run.n_iter += 1
            empty = np.flatnonzero(total.mass[part][:, 0] == 0)
            if empty.size:
                far = farthest(source, run.centroids, metric, empty.size)
                run.centroids[empty[: len(far)]] = far
            shift = _squared_shift(run.centroids, stack.centroids[part])
            gain = shift / run.shift
            run.guided = run.guided and not empty.size and gain < _FASTER
            run.converged = shift <= tol
            # the next shift would be less by the same factor, which no first pass can tell
            if run.guided and np.isfinite(run.shift) and gain * shift <= tol:
                foreseen.append(run)
            run.shift = shift
        if sample is not None:
            followed = [run.guided and not run.converged for run in active]
            _follow(sample, active, stack, followed, metric, tol)
            for run in foreseen:
                run.converged = True
        save()
        if report is not None:
            report(runs)


def _follow(
    sample: Block,
    runs: list[Run],
    stack: Stack,
    followed: list[bool],
    metric: Metric,
    tol: float,
) -> None:
    """Take runs on from the centroids after a pass, as a sample tells; those before are a stack."""
    near = InMemory.of(sample)
    chosen = [i for i, follow in enumerate(followed) if follow]
    before = [list(stack.parts())[i] for i in chosen]
    followers = [Run(stack.centroids[part]) for part in before]
    offsets: list[Float64s] = []
    for _ in range(_STEPS):
        moving = [i for i, run in enumerate(followers) if not run.converged]
        if not moving:
            break
        own = Stack.of([followers[i].centroids for i in moving])
        total = near.total(partial(accumulate, stack=own, metric=metric), add)
        moved = means(total.sums, total.mass, own.centroids)
        if not offsets:
            offsets = [
                runs[i].centroids - moved[part] for i, part in zip(chosen, own.parts(), strict=True)
            ]
        for i, part in zip(moving, own.parts(), strict=True):
            reached = moved[part] + offsets[i]
            followers[i].converged = _squared_shift(reached, followers[i].centroids) <= _CLOSE * tol
            followers[i].centroids = reached
    for i, follower in zip(chosen, followers, strict=True):
        runs[i].centroids = follower.centroids


def _squared_shift(one: Float64s, other: Float64s) -> float:
    return float(((one - other) ** 2).sum())


def measure(source: Source, runs: list[Run], metric: Metric) -> None:
    """Bring the inertia of runs up to date with their centroids."""
    stack, total = _pass_over(source, runs, metric)
    for run, part in zip(runs, stack.parts(), strict=True):
        run.inertia = float(total.inertia[part].sum())


def _pass_over(source: Source, runs: list[Run], metric: Metric) -> tuple[Stack, Partial]:
    stack = Stack.of([run.centroids for run in runs])
    return stack, source.total(partial(accumulate, stack=stack, metric=metric), add)


def accumulate(block: Block, stack: Stack, metric: Metric) -> Partial:
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


def _find_far(block: Block, centroids: Float64s, metric: Metric, n: int) -> _Far:
    block = block.counted()
    squared = metric.squared_distances(block.values, centroids).min(axis=1)
    return _keep_far(_Far(block.values, squared), n)


def _join_far(parts: Iterable[_Far], n: int) -> _Far:
    parts = list(parts)
    profiles = np.concatenate([part.profiles for part in parts])
    return _keep_far(_Far(profiles, np.concatenate([part.squared for part in parts])), n)


def _keep_far(far: _Far, n: int) -> _Far:
    order = np.argsort(-far.squared, kind="stable")[:n]
    order = order[far.squared[order] > 0]
    return _Far(far.profiles[order], far.squared[order])
