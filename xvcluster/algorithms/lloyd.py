"""The loop of k-means: accumulate over blocks of profiles, then update; many runs at once.

Blocks do not depend on the number of threads, and their sums are added in a fixed order, so that
the same seed gives the same centroids on any number of cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise, repeat
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from xvcluster.algorithms.blocks import Block, Partial, Stack
from xvcluster.algorithms.metrics import Metric
from xvcluster.arrays import Float64s, Floats, Indices, Labels

BLOCK_ROWS, N_BLOCKS = 4096, 16
REFINEMENT_TOL = 1e-5
"""Gain in a cluster's mean squared distance below which its refinement ends, as in tslearn: there
in units of the data squared, in a fit of ours in those of the mean variance of a level."""

_ROUNDING = 1e-11
"""Share of the total weight below which a cluster holds nothing but rounding errors."""

Mapper = Callable[..., Iterable[Any]]
Report = Callable[[list["Run"]], None]
Rows = TypeVar("Rows", Floats, Block)


@dataclass(slots=True, eq=False)
class Run:
    """One set of centroids being fitted: one restart at one k.

    Attributes
    ----------
    centroids : ndarray, shape (k, n_levels, n_variables)
    inertia : float
        Weighted sum of squared distances to the centroids before their last update.
    n_iter : int
        Number of passes over the data so far.
    converged : bool
    shift : float
        Squared shift of the centroids in the last pass over all profiles.
    guided : bool
        Whether the centroids may follow a sample between such passes.
    sums, mass : ndarray
        Sums of the members of each cluster, and their weight, as in `Partial`.
    """

    centroids: Float64s
    inertia: float = np.inf
    n_iter: int = 0
    converged: bool = False
    shift: float = np.inf
    guided: bool = True
    sums: Float64s = field(default_factory=lambda: np.zeros(0))
    mass: Float64s = field(default_factory=lambda: np.zeros(0))


def split(profiles: Rows, metric: Metric) -> list[Rows]:
    """Cut profiles into blocks of nearly the same size.

    There are enough of them for many cores, unless calls would then cost more than the work. Two
    blocks of a quarter of the minimum size are still better than one.
    """
    two = min(2, 4 * len(profiles) // metric.least_rows)
    wanted = min(N_BLOCKS, max(len(profiles) // metric.least_rows, two))
    n_blocks = max(-(-len(profiles) // BLOCK_ROWS), wanted, 1)
    edges = np.linspace(0, len(profiles), n_blocks + 1).astype(int).tolist()
    return [profiles[start:stop] for start, stop in pairwise(edges)]


@contextmanager
def threads() -> Iterator[Mapper]:
    """Give a `map` that runs on all cores, with a single-threaded BLAS, and keeps the order."""
    with one_blas_thread(), ThreadPoolExecutor(_n_cores()) as pool:
        yield pool.map


class _Limited:
    """How many hold the BLAS of this process to one thread, and the limit that they share."""

    lock = Lock()
    holders = 0
    limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread until the last of those that do so at once in the process ends."""
    from threadpoolctl import threadpool_limits

    with _Limited.lock:
        if not _Limited.holders:
            _take_control()
            _Limited.limits = threadpool_limits(1, "blas")
        _Limited.holders += 1
    try:
        yield
    finally:
        with _Limited.lock:
            _Limited.holders -= 1
            if not _Limited.holders:
                _take_control()
                _Limited.limits.restore_original_limits()
                _take_control()


def _take_control() -> None:
    """Let any thread set the limit of OpenBLAS: threadpoolctl 3.8 lets only the first one."""
    import threadpoolctl

    controller = getattr(threadpoolctl, "OpenBLASController", None)
    release = getattr(controller, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)


def _n_cores() -> int:
    from numba import get_num_threads

    return min(int(get_num_threads()), os.cpu_count() or 1)


def fit(
    blocks: list[Block],
    runs: list[Run],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Report | None = None,
    refinements: int | None = None,
    least_gain: float = REFINEMENT_TOL,
    stride: float = 1.0,
) -> None:
    """Advance all runs together, one pass over the blocks per iteration, until they converge.

    Parameters
    ----------
    blocks : list of Block
    runs : list of Run
        Changed in place.
    metric : Metric
    max_iter : int
        Maximum number of passes.
    tol : float
        A run has converged when the squared shift of its centroids, in units of the data squared,
        is at most this.
    report : callable, optional
        Called with the runs after each pass.
    refinements : int, optional
        Maximum number of further steps towards the barycenters in each pass. By default, that of
        the metric.
    least_gain : float
        Gain in a cluster's mean squared distance below which these steps end.
    stride : float
        Length of a step, by the distance to the means. Longer steps need fewer passes, and up to
        twice that distance the inertia never rises (Salakhutdinov & Roweis 2003).

    References
    ----------
    Salakhutdinov, R. & Roweis, S. (2003). Adaptive overrelaxed bound optimization methods. ICML
    '03.
    """
    held = unlabelled(blocks, len(runs))
    steps = metric.max_refinements if refinements is None else refinements
    refine = partial(
        _refine, metric=metric, refinements=steps, least_gain=least_gain, stride=stride
    )
    for run in runs:
        run.sums, run.mass = np.zeros(run.centroids.shape), np.zeros(run.centroids.shape[:2])
    with threads() as map_blocks:
        for _ in range(max_iter):
            active = np.flatnonzero([not run.converged for run in runs])
            if not active.size:
                return
            chosen = [runs[r] for r in active]
            _advance(
                map_blocks,
                blocks,
                chosen,
                metric,
                active,
                held,
                tol,
                stride,
                refine if steps else None,
            )
            if report is not None:
                report(runs)


def _advance(
    map_blocks: Mapper,
    blocks: list[Block],
    runs: list[Run],
    metric: Metric,
    active: Indices,
    held: list[Labels],
    tol: float,
    stride: float,
    refine: Callable[..., None] | None,
) -> None:
    """One pass: assign and sum all blocks, then update the runs."""
    stack = Stack.of([run.centroids for run in runs], active)
    total = add(map_blocks(metric.accumulate, blocks, repeat(stack), held))
    if metric.incremental:
        total.sums += np.concatenate([run.sums for run in runs])
        total.mass += np.concatenate([run.mass for run in runs])
        clear_rounding(total.sums, total.mass, sum(block.weights.sum() for block in blocks))
    moved = _stride(means(total.sums, total.mass, stack.centroids), stack.centroids, stride)
    for r, run, part in zip(active, runs, stack.parts(), strict=True):
        inertia = total.inertia[part]
        run.centroids, run.inertia = moved[part], float(inertia.sum())
        run.sums, run.mass, run.n_iter = total.sums[part], total.mass[part], run.n_iter + 1
        if refine is not None:
            refine(map_blocks, blocks, run, [block[r] for block in held], inertia)
        empty = np.flatnonzero(run.mass[:, 0] == 0)
        relocated = bool(empty.size) and _fill(run, empty, blocks, metric)
        shift = float(((run.centroids - stack.centroids[part]) ** 2).sum())
        run.converged = not relocated and shift <= tol


def unlabelled(blocks: Sequence[Block], n_runs: int) -> list[Labels]:
    """Give the labels (n_runs, n) of each block before the first pass: −1."""
    return [np.full((n_runs, len(block)), -1, dtype=np.int32) for block in blocks]


def add(parts: Iterable[Partial]) -> Partial:
    """Add up what the blocks contribute, in their order; what rounding leaves out is dropped."""
    parts = iter(parts)
    first = next(parts)
    sums, mass, inertia = first.sums, first.mass, first.inertia
    for part in parts:
        sums += part.sums
        mass += part.mass
        inertia += part.inertia
    return Partial(sums, mass, inertia, first.rest, first.rest_mass)


def clear_rounding(sums: Float64s, mass: Float64s, weight: float) -> None:
    """Set to zero, in place, what rounding errors have left in empty clusters."""
    nothing = mass <= _ROUNDING * weight
    mass[nothing] = 0.0
    sums[nothing] = 0.0


def means(sums: Float64s, mass: Float64s, otherwise: Float64s) -> Float64s:
    """Mean of the values paired with each level; `otherwise` at levels without any."""
    paired = np.broadcast_to(mass[..., None] > 0, sums.shape)
    return np.divide(sums, mass[..., None], out=otherwise.copy(), where=paired)


def _stride(moved: Float64s, before: Float64s, stride: float) -> Float64s:
    """Go past the means, by a multiple of the distance to them."""
    return moved if stride == 1.0 else before + stride * (moved - before)


def _fill(run: Run, empty: Indices, blocks: list[Block], metric: Metric) -> bool:
    """Move empty clusters to the profiles farthest from their centroids; False if none is away."""
    squared = [metric.squared_distances(b.values, run.centroids).min(axis=1) for b in blocks]
    counts = np.concatenate([block.weights > 0 for block in blocks])
    flat = np.where(counts, np.concatenate(squared), 0.0)
    far = np.argsort(flat)[::-1][: empty.size]
    far = far[flat[far] > 0]
    profiles = np.concatenate([block.values for block in blocks])[far]
    run.centroids[empty[: far.size]] = profiles
    return bool(far.size)


def _refine(
    map_blocks: Mapper,
    blocks: list[Block],
    run: Run,
    labels: list[Labels],
    inertia: Float64s,
    *,
    metric: Metric,
    refinements: int,
    least_gain: float,
    stride: float,
) -> None:
    """Step further towards the barycenters with fixed labels, until a step gains little."""
    k = len(run.centroids)
    pairs = zip(labels, blocks, strict=True)
    weight = sum(np.bincount(held, block.weights, minlength=k) for held, block in pairs)
    weight = np.where(weight > 0, weight, 1.0)
    moving = np.ones(k, dtype=bool)
    for _ in range(refinements):
        held = [np.where(moving[block], block, np.int32(-1)) for block in labels]
        stepped = add(map_blocks(metric.refine, blocks, repeat(run.centroids), held))
        moved = means(stepped.sums, stepped.mass, run.centroids)
        run.centroids = _stride(moved, run.centroids, stride)
        moving &= np.abs(inertia - stepped.inertia) / weight >= least_gain
        inertia = stepped.inertia
        if not moving.any():
            return
