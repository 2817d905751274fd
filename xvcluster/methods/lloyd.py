"""The loop of k-means: accumulate over blocks of profiles, then update; many runs at once.

Blocks do not depend on the number of threads and their sums are added in a fixed order, so the same
seed gives the same centroids on any machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise, repeat
from typing import Any

import numpy as np

from xvcluster.methods.initialize import k_means_plus_plus
from xvcluster.methods.metric import Float64s, Floats, Labels, Metric, Partial

BLOCK_BYTES = 2**18
REFINEMENT_TOL = 1e-5
"""Gain in a cluster's mean squared distance that ends its refinement: tslearn's own bound."""

Mapper = Callable[..., Iterable[Any]]


@dataclass(slots=True, eq=False)
class Run:
    """One set of centroids being fitted.

    Attributes
    ----------
    centroids : ndarray, shape (k, n_levels, n_variables)
    inertia : float
        Sum of squared distances to the centroids before the last update.
    n_iter : int
        Passes over the data so far.
    converged : bool
    """

    centroids: Float64s
    inertia: float = np.inf
    n_iter: int = 0
    converged: bool = False
    labels: list[Labels] = field(default_factory=list)


def split(profiles: Floats) -> list[Floats]:
    """Cut profiles (n_profiles, n_levels, n_variables) into blocks that fit a core's cache."""
    row = max(1, profiles[0].nbytes)
    rows = max(32, BLOCK_BYTES // row // 32 * 32)
    return [profiles[i : i + rows] for i in range(0, len(profiles), rows)]


@contextmanager
def threads() -> Iterator[Mapper]:
    """Map a function over blocks on all cores, in order, each with a single-threaded BLAS."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(_n_cores()) as pool:
        yield pool.map


def _n_cores() -> int:
    from numba import get_num_threads

    return min(int(get_num_threads()), os.cpu_count() or 1)


def best_runs(
    profiles: Floats,
    ks: Iterable[int],
    metric: Metric,
    *,
    n_init: int,
    max_iter: int,
    tol: float,
    seed: np.random.SeedSequence,
    report: Callable[[list[Run]], None] = lambda runs: None,
) -> dict[int, Run]:
    """Fit every k from `n_init` starts, all together, and keep the best run of each.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
        Scaled, no NaN.
    ks : iterable of int
        Numbers of clusters.
    metric : Metric
    n_init : int
        Starts for each k.
    max_iter : int
        Passes over the data at most.
    tol : float
        A run has converged when its centroids move by less than this share of the mean variance.
    seed : SeedSequence
        Every start draws from its own child.
    report : callable
        Is shown the runs after each pass.

    Returns
    -------
    dict of int to Run
    """
    ks = list(ks)
    starts = [k_means_plus_plus(profiles, max(ks), metric, child) for child in seed.spawn(n_init)]
    runs = [Run(start[:k].astype(np.float64)) for k in ks for start in starts]
    variance = float(profiles.reshape(len(profiles), -1).var(axis=0, dtype=np.float64).mean())
    fit(split(profiles), runs, metric, max_iter=max_iter, tol=tol * variance, report=report)
    groups = {k: runs[i * n_init : (i + 1) * n_init] for i, k in enumerate(ks)}
    return {k: min(group, key=lambda run: run.inertia) for k, group in groups.items()}


def fit(
    blocks: list[Floats],
    runs: list[Run],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Callable[[list[Run]], None] = lambda runs: None,
) -> None:
    """Advance all runs together, one pass over the blocks an iteration, until they converge.

    Parameters
    ----------
    blocks : list of ndarray, shape (n, n_levels, n_variables)
    runs : list of Run
        Changed in place.
    metric : Metric
    max_iter : int
    tol : float
        Squared shift of a run's centroids, in units of the data squared, that counts as none.
    report : callable
        Is shown the runs after each pass.
    """
    with threads() as map_blocks:
        for _ in range(max_iter):
            active = [run for run in runs if not run.converged]
            if not active:
                return
            before = [run.centroids for run in active]
            total, labels = _accumulate(map_blocks, blocks, before, metric)
            _update(active, total)
            if metric.max_refinements:
                for r, (run, part) in enumerate(zip(active, _parts(active), strict=True)):
                    held = [block[r] for block in labels]
                    _refine(map_blocks, blocks, run, held, total, part, metric)
            for run, old in zip(active, before, strict=True):
                run.n_iter += 1
                run.converged = float(((run.centroids - old) ** 2).sum()) <= tol
            report(runs)


def _accumulate(
    map_blocks: Mapper,
    blocks: list[Floats],
    centroids: Sequence[Float64s],
    metric: Metric,
) -> tuple[Partial, list[list[Labels]]]:
    """Add up what all blocks contribute, in their order."""
    parts = map_blocks(partial(metric.accumulate, centroids=centroids), blocks)
    total: Partial | None = None
    labels = []
    for part, assigned in parts:
        labels.append(assigned)
        if total is None:
            total = part
        else:
            total.add(part)
    assert total is not None  # there is at least one block
    return total, labels


def _update(runs: list[Run], total: Partial) -> None:
    """Move every centroid to the mean of what was paired with it.

    An empty cluster moves to the profile that lies farthest from its own centroid, one a pass.
    """
    for r, (run, part) in enumerate(zip(runs, _parts(runs), strict=True)):
        empty = np.flatnonzero(total.counts[part] == 0)
        run.centroids = _means(total.sums[part], total.mass[part], run.centroids)
        if empty.size and total.farthest_distance[r] > 0:
            run.centroids[empty[0]] = total.farthest[r]
        run.inertia = float(total.inertia[part].sum())


def _parts(runs: list[Run]) -> list[slice]:
    """Where each run's centroids stand among those of all runs."""
    first = np.cumsum([0] + [len(run.centroids) for run in runs])
    return [slice(*ends) for ends in pairwise(first)]


def _refine(
    map_blocks: Mapper,
    blocks: list[Floats],
    run: Run,
    labels: list[Labels],
    total: Partial,
    part: slice,
    metric: Metric,
) -> None:
    """Step on towards the barycenters with the assignment held, each until a step gains little."""
    counts, inertia = np.maximum(total.counts[part], 1.0), total.inertia[part]
    moving = np.ones(len(run.centroids), dtype=bool)
    for _ in range(metric.max_refinements):
        held = [np.where(moving[block], block, np.int32(-1)) for block in labels]
        parts = list(map_blocks(metric.refine, blocks, repeat(run.centroids), held))
        sums, mass, stepped = (sum(arrays) for arrays in zip(*parts, strict=True))
        run.centroids = _means(sums, mass, run.centroids)
        moving &= np.abs(inertia - stepped) / counts >= REFINEMENT_TOL
        inertia = stepped
        if not moving.any():
            return


def _means(sums: Float64s, mass: Float64s, otherwise: Float64s) -> Float64s:
    """Mean of what was paired with each level; where nothing was, the centroid stays."""
    return np.where(mass[..., None] > 0, sums / np.maximum(mass, 1.0)[..., None], otherwise)
