"""The search for the best runs of k-means on some profiles, from coarse to fine.

Runs first settle on a sample of the profiles, reduced to a few principal components if the metric
allows it. There the best of them breathe: they are given some more clusters, and then lose those
that are missed least (Fritzke 2020), which leads out of poor minima at little cost. The best few
then settle on all profiles, finally on all levels. At each step, runs that are clearly beaten drop
out, and the others start close to where they end. Searches on several sets of profiles go together,
as do runs for many k.

Under a metric that warps, runs first settle on half of the levels. Then they, and a few that start
on all levels, start again from smoothed centroids on more and more profiles, as `warping` explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from typing import Any

import numpy as np

from xvcluster.algorithms.blocks import Block, Sample, Settling, Stack
from xvcluster.algorithms.initialize import add_centroids, k_means_plus_plus
from xvcluster.algorithms.lloyd import (
    Group,
    Rows,
    Run,
    fit_each,
    fit_groups,
    threads,
)
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.warping import Halves, halves, smooth
from xvcluster.arrays import Float64s, Floats, Indices, Labels

_COMPONENTS = 16
_CONTENDERS, _SAME = 8, 1.0002
_WIDTHS = (3, 5, 3, 5, 3)  # levels over which centroids are smoothed, one after the other
_PASSES = 4  # from smoothed centroids: almost all that can be gained
_SWELL = (1, 3)
_LITTLE = 1e-4  # gain that is as good as none
_ROUGH = 10.0  # multiple of the tolerance that is enough on a sample
_ROUGHER = 100.0  # multiple of it that is enough to tell which runs are beaten on all profiles
_CLOSE = 1.0005  # inertia, over the least, up to which a run is not beaten there
_FEW = 512  # profiles on which runs begin under a metric that warps
_THINNED = 2048  # profiles of the sample, for steps that need only a few
_CHUNK = 2048  # profiles at a time, so that no large buffer is needed
_GROUPS, _GROUPED, _GROUPING = 1024, 8192, 4  # of a gist: groups, profiles, passes

Runs = dict[int, list[Run]]
"""The runs of one search, by k."""


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


def principal_view(profiles: Floats) -> View | None:
    """Find the first principal components; None if there are few levels anyway."""
    few = _thin(profiles)
    flat = few.reshape(len(few), -1).astype(np.float64)
    if flat.shape[1] < 2 * _COMPONENTS:
        return None
    mean = flat.mean(axis=0)
    axes = np.linalg.eigh(np.cov(flat, rowvar=False))[1]
    return View(mean, axes[:, ::-1][:, :_COMPONENTS])


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Profiles that are clustered, what of them is seen at first, and the seeds of all draws.

    Attributes
    ----------
    profiles : Block
    variance : float
        Mean of that of all levels, the unit of tolerances.
    sample : Block
        Some of the profiles.
    coarse : Block
        What is seen of them at first, through a view if there is one.
    view : View or Halves, optional
    seen : Metric
        That of the view.
    for_starts, for_breaths : list of SeedSequence
        One for each start and for each breath.
    is_thorough : bool
        Whether the two best runs of each k are given more clusters in every breath, or only the
        best one, until that brings nothing.
    """

    profiles: Block
    variance: float
    sample: Block
    coarse: Block
    view: View | Halves | None
    seen: Metric
    for_starts: list[np.random.SeedSequence]
    for_breaths: list[np.random.SeedSequence]
    is_thorough: bool

    @classmethod
    def of(
        cls,
        given: Sample,
        metric: Metric,
        n_init: int,
        seed: np.random.SeedSequence,
        *,
        is_thorough: bool = True,
    ) -> Search:
        """Prepare a search from `n_init` restarts, each of ``metric.draws`` starts."""
        for_sample, for_breaths, *for_starts = seed.spawn(2 + metric.draws * n_init)
        profiles, variance = given.profiles, given.variance
        profiles = _draw(profiles, metric.settled_size, for_sample.spawn(1)[0])
        if variance is None:
            variance = float(profiles.moments()[1].mean())
        sample = profiles if given.gist is None else given.gist
        sample = _draw(sample, metric.sample_size, for_sample)
        few = _thin(sample, _FEW) if metric.warps else sample
        view = _view_of(few.values, metric)
        coarse = few if view is None else view.look(few)
        seen = metric.seen_as(view) if isinstance(view, Halves) else metric
        breaths = for_breaths.spawn(metric.breaths)
        return cls(profiles, variance, sample, coarse, view, seen, for_starts, breaths, is_thorough)


def _view_of(profiles: Floats, metric: Metric) -> View | Halves | None:
    """What runs see of profiles at first; None if it is all of their levels."""
    if metric.warps:
        return halves(profiles.shape[1])
    return principal_view(profiles) if metric.is_linear else None


@dataclass(frozen=True, slots=True, eq=False)
class Gist:
    """Small groups of like profiles, whose means stand for them in a search.

    Attributes
    ----------
    means : ndarray, shape (n_groups, n_levels, n_variables)
    rows : ndarray of int, shape (n,)
        Positions of the profiles that were grouped.
    groups : ndarray of int, shape (n,)
        The group of each of them.
    """

    means: Floats
    rows: Indices
    groups: Labels

    @classmethod
    def of(cls, profiles: Block, metric: Metric) -> Gist | None:
        """Group profiles by a few passes of k-means; None if they are few, or are warped.

        References
        ----------
        Zhang, T., Ramakrishnan, R. & Livny, M. (1996). BIRCH: an efficient data clustering method
        for very large databases. SIGMOD '96. https://doi.org/10.1145/233269.233324
        """
        if not metric.is_linear or len(profiles) < 2 * _GROUPS:
            return None
        rows = np.flatnonzero(profiles.weights)
        rows = rows[:: max(1, rows.size // _GROUPED)]
        few = profiles[rows]
        view = principal_view(few.values)
        seen = few if view is None else view.look(few)
        begun = Settling.of([_thin(seen.values, _GROUPS).astype(np.float64)], len(seen))
        metric.settle(seen, begun, max_iter=_GROUPING, tol=0.0)
        groups = begun.held[0]
        number = np.bincount(groups)
        order, held = np.argsort(groups, kind="stable"), number > 0
        first = (np.cumsum(number) - number)[held]
        means = np.add.reduceat(few.values[order], first) / number[held, None, None]
        return cls(means.astype(few.values.dtype), rows, (np.cumsum(held) - 1)[groups])

    def weigh(self, weights: Float64s) -> Block | None:
        """The means with the weights (n_profiles,) of the profiles that they stand for, if any."""
        mass = np.bincount(self.groups, weights[self.rows], len(self.means)).astype(np.float64)
        return Block(self.means, mass).counted() if mass.any() else None


def search(
    searches: Sequence[Search], ks: list[int], metric: Metric, *, tol: float, **options: Any
) -> list[dict[int, Run]]:
    """Find the best run of every k in each of some searches, all together.

    Parameters
    ----------
    searches : sequence of Search
    ks : list of int
        Numbers of clusters, ascending.
    metric : Metric
    tol : float
        In units of the variance of each search; see `fit`.
    **options
        Of `fit`.
    """
    # refinements and momentum do not lead to better minima
    rough = options | {"tol": _ROUGH * tol}
    for name in ("refinements", "stride", "momentum"):
        options[name] = getattr(metric, name)
    with threads():
        runs = _explore(searches, ks, searches[0].seen, **rough)
        if metric.warps:
            runs = _leave_poor_minima(searches, runs, metric, **rough)
        return _refine(searches, runs, metric, tol=tol, **options)


def _explore(
    searches: Sequence[Search], ks: list[int], metric: Metric, **options: Any
) -> list[Runs]:
    """Find the best few runs of every k on samples, from many starts, and let them breathe."""
    coarse = [own.coarse for own in searches]

    def settle(runs: Sequence[Runs]) -> None:
        _fit(coarse, searches, runs, metric, **options)

    runs = _start(coarse, [own.for_starts for own in searches], ks, metric)
    settle(runs)
    resting: list[set[int]] = [set() for _ in searches]
    for breath in range(metric.breaths):
        breathing = _swell(searches, runs, metric, breath, resting)
        settle(breathing)
        breathing = _shrink(searches, breathing, metric)
        settle(breathing)
        for own, found, more, rest in zip(searches, runs, breathing, resting, strict=True):
            for k, group in more.items():
                if not own.is_thorough and _gain(found[k], group) < _LITTLE:
                    rest.add(k)
                found[k] = found[k] + group
    return [
        {k: [Run(run.centroids) for run in _contenders(own[k], metric.beaten)] for k in ks}
        for own in runs
    ]


def _start(
    samples: Sequence[Block],
    seeds: Sequence[list[np.random.SeedSequence]],
    ks: list[int],
    metric: Metric,
) -> list[Runs]:
    """Draw the first centroids of every k by each seed: those of the largest k in order."""
    pairs = zip(samples, seeds, strict=True)
    tasks = [(sample, metric, ks[-1], seed) for sample, own in pairs for seed in own]
    with threads(sum(block.values.size for block, *_ in tasks) * ks[-1]) as map_starts:
        drawn = iter(map_starts(k_means_plus_plus, *zip(*tasks, strict=True)))
        starts = [[next(drawn) for _ in own] for own in seeds]
    return [{k: [Run(start[:k]) for start in own] for k in ks} for own in starts]


def _leave_poor_minima(
    searches: Sequence[Search], runs: list[Runs], metric: Metric, **options: Any
) -> list[Runs]:
    """Start again from smoothed centroids on all levels of a sample, then on more profiles.

    One start of each restart is on all levels of profiles: few or equal members have a centroid
    whose steps are as sharp as their own, to which nothing leads from half of the levels.
    """
    samples = [own.sample for own in searches]
    if searches[0].view is not None:  # all have the same levels
        seeds = [own.for_starts[:: metric.draws] for own in searches]
        sharp = _start(samples, seeds, list(runs[0]), metric)
        runs = [
            {k: _back(own, group) + others[k] for k, group in found.items()}
            for own, found, others in zip(searches, runs, sharp, strict=True)
        ]
    runs = _smooth(samples, searches, runs, metric, n=2, **options)
    more = [_thin(own.profiles) for own in searches]
    return _smooth(more, searches, runs, metric, n=1, **options)


def _back(own: Search, runs: list[Run]) -> list[Run]:
    """Start from centroids that were found through a search's view, on all levels."""
    shape = own.profiles.values.shape[1:]
    return [Run(own.view.back(run.centroids, shape)) for run in runs] if own.view else runs


def _smooth(
    profiles: Sequence[Block],
    searches: Sequence[Search],
    runs: list[Runs],
    metric: Metric,
    *,
    n: int,
    max_iter: int,
    **options: Any,
) -> list[Runs]:
    """Find the best n runs of each k on some profiles, also from smoothed centroids."""
    options |= {"max_iter": min(max_iter, _PASSES)}

    def settle(runs: Sequence[Runs]) -> None:
        _fit(profiles, searches, runs, metric, **options)

    settle(runs)
    for width in _WIDTHS:
        runs = [{k: _contenders(own[k], metric.beaten) for k in own} for own in runs]
        smoothed = [
            {k: [Run(smooth(run.centroids, width)) for run in own[k]] for k in own} for own in runs
        ]
        settle(smoothed)
        runs = [
            {k: [_best([*pair]) for pair in zip(own[k], others[k], strict=True)] for k in own}
            for own, others in zip(runs, smoothed, strict=True)
        ]
    return [{k: [Run(run.centroids) for run in _ranked(own[k])[:n]] for k in own} for own in runs]


def _refine(
    searches: Sequence[Search], runs: Sequence[Runs], metric: Metric, *, tol: float, **options: Any
) -> list[dict[int, Run]]:
    """Find the best run of each k on all profiles, finally on all levels."""
    profiles = [own.profiles for own in searches]
    views = [own.view for own in searches if isinstance(own.view, View)]
    if views:  # all have the same levels
        with threads() as map_views:
            seen = list(map_views(View.look, views, profiles))
        fit_groups(_groups(seen, searches, runs), metric, tol=_ROUGHER * tol, **options)
        runs = [
            {k: [Run(run.centroids) for run in _contenders(own[k], _CLOSE)] for k in own}
            for own in runs
        ]
        fit_groups(_groups(seen, searches, runs), metric, tol=tol, **options)
        runs = [
            {k: _back(own, [_best(group)]) for k, group in found.items()}
            for own, found in zip(searches, runs, strict=True)
        ]
    fit_groups(_groups(profiles, searches, runs), metric, tol=tol, **options)
    return [{k: _best(group) for k, group in found.items()} for found in runs]


def _fit(
    samples: Sequence[Block],
    searches: Sequence[Search],
    runs: Sequence[Runs],
    metric: Metric,
    **options: Any,
) -> None:
    """Fit the runs of all searches, each over a sample."""
    groups = _groups(samples, searches, runs)
    (fit_each if metric.warps else fit_groups)(groups, metric, **options)


def _groups(
    profiles: Sequence[Block], searches: Sequence[Search], runs: Sequence[Runs]
) -> list[Group]:
    """The runs of each search at all k, over its own profiles."""
    return [
        Group(block, list(chain(*found.values())), own.variance)
        for block, own, found in zip(profiles, searches, runs, strict=True)
    ]


def _swell(
    searches: Sequence[Search],
    runs: Sequence[Runs],
    metric: Metric,
    breath: int,
    resting: Sequence[set[int]],
) -> list[Runs]:
    """Start with some more clusters than k, from the best runs of k and of the next k."""
    tasks, parents = [], [dict[int, list[Run]]() for _ in searches]
    for own, found, first, rest in zip(searches, runs, parents, resting, strict=True):
        children = own.for_breaths[breath].spawn(len(found))
        for (k, group), child in zip(found.items(), children, strict=True):
            if k in rest:
                continue
            first[k] = _ranked(group)[: 2 if own.is_thorough else 1]
            ns = [k + extra for extra in _SWELL]
            tasks += [
                (own.coarse, metric, parent.centroids, ns, child.spawn(len(ns)))
                for parent in first[k]
            ]
    with threads(_work(searches, parents)) as map_parents:
        grown = iter(map_parents(add_centroids, *zip(*tasks, strict=True)))
        swollen = [
            {k: [Run(c) for _ in group for c in next(grown)] for k, group in first.items()}
            for first in parents
        ]
    for more, found in zip(swollen, runs, strict=True):
        for k, after in pairwise(found):
            if k in more:
                more[k].append(Run(_best(found[after]).centroids))
    return swollen


def _work(searches: Sequence[Search], runs: Sequence[Runs]) -> int:
    """Multiplications for the distances of all profiles to the centroids of all runs."""
    return sum(
        own.coarse.values.size * sum(len(run.centroids) for run in chain(*found.values()))
        for own, found in zip(searches, runs, strict=True)
    )


def _shrink(searches: Sequence[Search], swollen: Sequence[Runs], metric: Metric) -> list[Runs]:
    """Start every k from runs with more clusters, without those that are missed least."""
    tasks = [
        ([run.centroids for run in group], k, few)
        for few, found in zip([_thin(own.coarse) for own in searches], swollen, strict=True)
        for k, group in found.items()
    ]
    with threads(_work(searches, swollen)) as map_groups:
        left = iter(map_groups(partial(_leave_out, metric=metric), *zip(*tasks, strict=True)))
        return [{k: list(map(Run, next(left))) for k in found} for found in swollen]


def _leave_out(runs: list[Float64s], k: int, profiles: Block, metric: Metric) -> list[Float64s]:
    """Remove centroids of runs until k are left, each time that whose loss costs least inertia."""
    from xvcluster.kernels.search import leave_out

    stack = Stack.of(runs)
    squared = metric.relative_squares(profiles.values, stack.centroids)
    left = np.ones(len(stack.centroids), dtype=bool)
    leave_out(squared, profiles.weights, stack.first, k, left)
    return [stack.centroids[part][left[part]] for part in stack.parts()]


def _draw(profiles: Block, size: int, seed: np.random.SeedSequence) -> Block:
    """Draw at most `size` of the profiles, in their order."""
    if len(profiles) <= size:
        return profiles
    rng = np.random.default_rng(seed)
    return profiles[np.sort(rng.choice(len(profiles), size, replace=False))]


def _thin(sample: Rows, size: int = _THINNED) -> Rows:
    """Take some of a sample's profiles, evenly spaced: `size` to twice that, or all of fewer."""
    step = len(sample) // size
    return sample if step < 2 else sample[np.arange(0, len(sample), step)]


def _best(runs: list[Run]) -> Run:
    return min(runs, key=lambda run: run.inertia)


def _gain(before: list[Run], after: list[Run]) -> float:
    """Share of the least inertia by which it is less afterwards."""
    return 1.0 - _best(after).inertia / max(_best(before).inertia, np.finfo(np.float64).tiny)


def _ranked(runs: list[Run]) -> list[Run]:
    """Sort runs from best to worst, and leave out those with the same outcome."""
    ranked = sorted(runs, key=lambda run: run.inertia)
    pairs = pairwise(ranked)
    return ranked[:1] + [b for a, b in pairs if b.inertia > _SAME * a.inertia]


def _contenders(runs: list[Run], beaten: float = Metric.beaten) -> list[Run]:
    """Select the best few runs that differ, without those that are clearly beaten."""
    ranked = _ranked(runs)[:_CONTENDERS]
    return [run for run in ranked if run.inertia <= beaten * ranked[0].inertia]
