"""The loop of k-means over all profiles, in memory or not: one pass per iteration for all runs.

Nothing of a pass is kept but the centroids, so that a fit can be resumed from them. Passes over
more profiles than memory holds are expensive, and a sample predicts almost as well where centroids
go. Let F(c) be the centroids that a pass over all profiles gives from the centroids c, and S(c)
those that a pass over the sample gives. After a pass that started from c₀, centroids follow the
sample from F(c₀) to where c = S(c) + F(c₀) − S(c₀). That is a fixed point of F, except that F − S
changes a little on the way. So a fit needs two or three passes; without, up to fifteen if the data
have little structure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np

from xvcluster.algorithms.blocks import Block, Partial, Stack, two_sum
from xvcluster.algorithms.lloyd import Report, Run, means
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.source import InMemory, Source
from xvcluster.arrays import Float64s, Floats

_FASTER = 0.5  # a pass after following the sample must at least halve the shift
_STEPS = 100  # maximum number of steps on the sample between two passes
_CLOSE = 0.1  # share of the tolerance within which centroids settle on the sample


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
    """Advance all runs together, one pass per iteration, until they converge.

    Parameters
    ----------
    source : Source
    runs : list of Run
        Changed in place; their inertia is that before the last update.
    metric : Metric
    max_iter : int
        Maximum number of passes.
    tol : float
        A run has converged when the squared shift of its centroids, in units of the data squared,
        is at most this.
    sample : Block, optional
        Profiles that centroids follow between passes. By default, they take one step per pass.
    report : callable, optional
        Called with the runs after each pass.
    save : callable
        Called after each pass.
    """
    while active := [run for run in runs if not run.converged and run.n_iter < max_iter]:
        starts = [run.centroids for run in active]
        _advance(source, active, metric)
        guided = []
        for run, start in zip(active, starts, strict=True):
            before, run.shift = run.shift, _squared_shift(run.centroids, start)
            run.converged = run.shift <= tol
            run.guided = run.guided and run.shift < _FASTER * before
            if sample is not None and run.guided and not run.converged:
                guided.append((run, start))
                # after that, the next pass would reduce the shift by the same factor again
                run.converged = before < np.inf and run.shift / before * run.shift <= tol
        if sample is not None and guided:
            _follow(guided, InMemory.of(sample), metric, tol)
        save()
        if report is not None:
            report(runs)


def _advance(source: Source, runs: list[Run], metric: Metric) -> None:
    """Take all runs one step, by one pass over all profiles."""
    stack, total = _pass_over(source, [run.centroids for run in runs], metric)
    moved = means(total.sums, total.mass, stack.centroids)
    for run, part in zip(runs, stack.parts(), strict=True):
        run.centroids, run.inertia = moved[part], float(total.inertia[part].sum())
        run.n_iter += 1
        empty = np.flatnonzero(total.mass[part][:, 0] == 0)
        if empty.size:
            far = farthest(source, run.centroids, metric, empty.size)
            run.centroids[empty[: len(far)]] = far
            run.guided = False


def _follow(
    guided: list[tuple[Run, Float64s]], sample: InMemory, metric: Metric, tol: float
) -> None:
    """Move runs on as a sample predicts, from the centroids at the start of the last pass."""
    runs, starts = zip(*guided, strict=True)
    predicted = _step(starts, sample, metric)
    moving = [(run, run.centroids - own) for run, own in zip(runs, predicted, strict=True)]
    for _ in range(_STEPS):
        predicted = _step([run.centroids for run, _ in moving], sample, metric)
        still_moving = []
        for (run, offset), own in zip(moving, predicted, strict=True):
            before, run.centroids = run.centroids, own + offset
            if _squared_shift(run.centroids, before) > _CLOSE * tol:
                still_moving.append((run, offset))
        moving = still_moving
        if not moving:
            return


def _step(centroids: Sequence[Float64s], sample: InMemory, metric: Metric) -> list[Float64s]:
    """Where one pass over a sample moves the centroids of each run."""
    stack = Stack.of(centroids)
    total = pass_over(sample, stack, metric)
    moved = means(total.sums, total.mass, stack.centroids)
    return [moved[part] for part in stack.parts()]


def _squared_shift(one: Float64s, other: Float64s) -> float:
    return float(((one - other) ** 2).sum())


def measure(source: Source, runs: list[Run], metric: Metric) -> None:
    """Compute the inertia of runs from their present centroids, by one pass."""
    stack, total = _pass_over(source, [run.centroids for run in runs], metric)
    for run, part in zip(runs, stack.parts(), strict=True):
        run.inertia = float(total.inertia[part].sum())


def _pass_over(
    source: Source, centroids: Sequence[Float64s], metric: Metric
) -> tuple[Stack, Partial]:
    stack = Stack.of(centroids)
    return stack, pass_over(source, stack, metric)


def pass_over(source: Source, stack: Stack, metric: Metric) -> Partial:
    """Assign and sum all profiles, to the same bit in whatever blocks they come."""
    total = source.total(partial(_accumulate, stack=stack, metric=metric), _add)
    total.sums, total.mass = total.sums + total.rest, total.mass + total.rest_mass
    return total


def _accumulate(block: Block, stack: Stack, metric: Metric) -> Partial:
    """Assign and sum a block without labels of an earlier pass."""
    block = _even(block, metric.even_rows)
    unlabelled = np.full((stack.active.size, len(block)), -1, dtype=np.int32)
    return metric.accumulate(block, stack, unlabelled, exactly=True)


def _even(block: Block, rows: int) -> Block:
    """A block with rows of weight 0 added, up to a multiple of some number of them."""
    lacking = -len(block) % rows
    if not lacking:
        return block
    values = np.zeros((lacking, *block.values.shape[1:]), block.values.dtype)
    return Block(
        np.concatenate([block.values, values]),
        np.concatenate([block.weights, np.zeros(lacking)]),
    )


def _add(parts: Iterable[Partial]) -> Partial:
    """Add up what blocks contribute, and what rounding leaves out."""
    return reduce(_add_two, parts)


def _add_two(one: Partial, other: Partial) -> Partial:
    sums, rest = two_sum(one.sums, other.sums)
    mass, rest_mass = two_sum(one.mass, other.mass)
    rest, rest_mass = rest + one.rest + other.rest, rest_mass + one.rest_mass + other.rest_mass
    return Partial(sums, mass, one.inertia + other.inertia, rest, rest_mass)


@dataclass(frozen=True, slots=True, eq=False)
class _Far:
    """Profiles (n, n_levels, n_variables) and their squared distances (n,), farthest first."""

    profiles: Floats
    squared: Float64s


def farthest(source: Source, centroids: Float64s, metric: Metric, n: int) -> Floats:
    """Find up to n profiles farthest from their nearest centroid, none of them at distance 0."""
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
    away = np.flatnonzero(far.squared > 0)
    if away.size > n:
        least = np.partition(far.squared[away], -n)[-n]
        away = away[far.squared[away] >= least]
    # of equally far profiles the first by their values, in whatever order they come
    columns = far.profiles[away].reshape(away.size, int(np.prod(far.profiles.shape[1:]))).T
    order = away[np.lexsort((*columns[::-1], -far.squared[away]))[:n]]
    return _Far(far.profiles[order], far.squared[order])
