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
from functools import cache, partial
from itertools import islice, pairwise, repeat
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from xvcluster.algorithms.blocks import Block, Partial, Stack
from xvcluster.algorithms.metrics import Metric
from xvcluster.arrays import Float64s, Floats, Indices, Labels

BLOCK_ROWS, N_BLOCKS = 4096, 16
_ALONE = 2**23
"""Distances of a pass up to which runs settle each by itself."""
_LITTLE = 2**20
"""Work that takes about as long as it takes to start threads."""
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


@dataclass(slots=True, eq=False)
class Group:
    """Runs over the same profiles.

    Attributes
    ----------
    blocks : list of Block
    runs : list of Run
        Changed in place by a fit.
    variance : float
        Unit of tolerances, the mean variance of a level.
    held : list of ndarray of int, shape (n_runs, n)
        Labels of each block by each run; −1 before the first pass.
    weight : float
        Of all profiles.
    """

    blocks: list[Block]
    runs: list[Run]
    variance: float = 1.0
    held: list[Labels] = field(init=False)
    weight: float = field(init=False)

    def __post_init__(self) -> None:
        self.held = unlabelled(self.blocks, len(self.runs))
        self.weight = float(sum(block.weights.sum() for block in self.blocks))
        for run in self.runs:
            run.sums, run.mass = np.zeros(run.centroids.shape), np.zeros(run.centroids.shape[:2])

    def active(self) -> Indices:
        """Positions of the runs that have not converged."""
        return np.flatnonzero([not run.converged for run in self.runs])


def split(profiles: Rows, metric: Metric, n_groups: int = 1) -> list[Rows]:
    """Cut profiles into blocks of nearly the same size.

    There are enough of them for many cores, unless calls would then cost more than the work, or
    there are other groups of blocks. Two blocks of a quarter of the minimum size are still better
    than one.
    """
    two = min(2, 4 * len(profiles) // metric.least_rows)
    wanted = min(N_BLOCKS, max(len(profiles) // metric.least_rows, two)) // n_groups
    n_blocks = max(-(-len(profiles) // BLOCK_ROWS), wanted, 1)
    edges = np.linspace(0, len(profiles), n_blocks + 1).astype(int).tolist()
    return [profiles[start:stop] for start, stop in pairwise(edges)]


@contextmanager
def threads(work: float = np.inf) -> Iterator[Mapper]:
    """Give a `map` that runs on all cores, with a single-threaded BLAS, and keeps the order.

    If it is known that there is little work (multiplications, about), this thread does it, as
    others would take longer to start.
    """
    with one_blas_thread(), ThreadPoolExecutor(_n_cores()) as pool:
        yield partial(_map, pool, work)


def _map(
    pool: ThreadPoolExecutor, work: float, function: Callable[..., Any], *columns: Iterable[Any]
) -> Iterable[Any]:
    """Call a function for each row of some columns, in a pool of threads if that pays."""
    rows = list(zip(*columns, strict=False))  # one column may repeat a value for ever
    if len(rows) > 1 and work > _LITTLE:
        return pool.map(function, *zip(*rows, strict=True))
    return [function(*row) for row in rows]


class _Limited:
    """How many hold the BLAS of this process to one thread, and the limit that they share."""

    lock = Lock()
    holders = 0
    limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread until the last of those that do so at once in the process ends."""
    with _Limited.lock:
        if not _Limited.holders:
            _take_control()
            _Limited.limits = _find_blas().limit(limits=1)
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


@cache
def _find_blas() -> Any:
    """The BLAS of NumPy and of SciPy; to find what a process has loaded takes milliseconds."""
    import scipy.linalg.cython_blas  # noqa: F401  loads that of SciPy, which kernels call
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


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
    groups: Sequence[Group],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Report | None = None,
    refinements: int | None = None,
    least_gain: float = REFINEMENT_TOL,
) -> None:
    """Advance all runs together, one pass over the blocks per iteration, until they converge.

    Parameters
    ----------
    groups : sequence of Group
        Runs, changed in place, each over the profiles of its group.
    metric : Metric
    max_iter : int
        Maximum number of passes.
    tol : float
        A run has converged when the squared shift of its centroids is at most this, in units of
        its group's variance.
    report : callable, optional
        Called with the runs after each pass.
    refinements : int, optional
        Maximum number of further steps towards the barycenters in each pass. By default, that of
        the metric.
    least_gain : float
        Gain in a cluster's mean squared distance below which these steps end, in the same units.
    """
    steps = metric.max_refinements if refinements is None else refinements
    refine = partial(_refine, metric=metric, refinements=steps, least_gain=least_gain)
    runs = [run for group in groups for run in group.runs]
    with threads() as map_blocks:
        for _ in range(max_iter):
            moving = [group for group in groups if group.active().size]
            if not moving:
                return
            _advance(map_blocks, moving, metric, tol, refine if steps else None)
            if report is not None:
                report(runs)


def are_few(n_profiles: int, runs: Sequence[Run], metric: Metric) -> bool:
    """Whether calls from pass to pass would cost more than the work: see `fit_few`."""
    n_distances = n_profiles * sum(len(run.centroids) for run in runs)
    return n_profiles <= metric.rows_alone and n_distances <= _ALONE


def fit_few(
    groups: Sequence[Group],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Report | None = None,
) -> None:
    """Advance runs as `fit` does, but each by itself until it converges, without a step between.

    The profiles of each group are one block. Runs are reported as each of them ends.
    """
    tasks = [(group, r) for group in groups for r in range(len(group.runs))]
    runs = [group.runs[r] for group, r in tasks]
    work = sum(group.blocks[0].values.size * len(group.runs[r].centroids) for group, r in tasks)
    settle = partial(_settle, metric=metric, max_iter=max_iter, tol=tol)
    with threads(work) as map_runs:
        for _ in map_runs(settle, *zip(*tasks, strict=True)):
            if report is not None:
                report(runs)


def _settle(group: Group, r: int, *, metric: Metric, max_iter: int, tol: float) -> None:
    """Advance one run of a group by itself until it converges."""
    run, block, tol = group.runs[r], group.blocks[0], tol * group.variance
    run.centroids = run.centroids.copy()
    state = run.centroids, group.held[0][r], run.sums, run.mass
    left, least_mass = max_iter, _ROUNDING * group.weight
    while left and not run.converged:
        run.inertia, n_passes, shift = metric.settle(
            block, *state, max_iter=left, tol=tol, least_mass=least_mass
        )
        run.n_iter, left = run.n_iter + n_passes, left - n_passes
        relocated = _fill(group, run, metric)
        run.converged = not relocated and shift <= tol


def _advance(
    map_blocks: Mapper,
    groups: list[Group],
    metric: Metric,
    tol: float,
    refine: Callable[..., None] | None,
) -> None:
    """One pass: assign and sum all blocks, then update the runs that have not converged."""
    active = [group.active() for group in groups]
    stacks = [
        Stack.of([group.runs[r].centroids for r in own], own)
        for group, own in zip(groups, active, strict=True)
    ]
    total = _total(map_blocks, groups, stacks, metric)
    moving = [(group, r) for group, own in zip(groups, active, strict=True) for r in own]
    runs = [group.runs[r] for group, r in moving]
    stack = Stack.of([run.centroids for run in runs])
    if metric.incremental:
        total.sums += np.concatenate([run.sums for run in runs])
        total.mass += np.concatenate([run.mass for run in runs])
        weights = np.repeat([group.weight for group, _ in moving], np.diff(stack.first))
        clear_rounding(total.sums, total.mass, weights[:, None])
    moved = means(total.sums, total.mass, stack.centroids)
    of_runs = stack.by_run(total.inertia).tolist()
    for run, inertia, part in zip(runs, of_runs, stack.parts(), strict=True):
        run.centroids, run.inertia = moved[part], inertia
        run.sums, run.mass, run.n_iter = total.sums[part], total.mass[part], run.n_iter + 1
    if refine is not None:
        for (group, r), part in zip(moving, stack.parts(), strict=True):
            refine(map_blocks, group, r, total.inertia[part])
    relocated = [_fill(group, group.runs[r], metric) for group, r in moving]
    shifts = stack.by_run(((moved - stack.centroids) ** 2).sum(axis=(1, 2))).tolist()
    for (group, r), filled, shift in zip(moving, relocated, shifts, strict=True):
        group.runs[r].converged = not filled and shift <= tol * group.variance


def _total(map_blocks: Mapper, groups: list[Group], stacks: list[Stack], metric: Metric) -> Partial:
    """Sums over the blocks of each group for its active runs, one group after the other."""
    tasks = [
        (block, stack, held)
        for group, stack in zip(groups, stacks, strict=True)
        for block, held in zip(group.blocks, group.held, strict=True)
    ]
    parts = iter(map_blocks(metric.accumulate, *zip(*tasks, strict=True)))
    return Partial.join([add(islice(parts, len(group.blocks))) for group in groups])


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


def clear_rounding(sums: Float64s, mass: Float64s, weight: float | Float64s) -> None:
    """Set to zero, in place, what rounding errors have left in empty clusters."""
    nothing = mass <= _ROUNDING * weight
    mass[nothing] = 0.0
    sums[nothing] = 0.0


def means(sums: Float64s, mass: Float64s, otherwise: Float64s) -> Float64s:
    """Mean of the values paired with each level; `otherwise` at levels without any."""
    paired = np.broadcast_to(mass[..., None] > 0, sums.shape)
    return np.divide(sums, mass[..., None], out=otherwise.copy(), where=paired)


def _fill(group: Group, run: Run, metric: Metric) -> bool:
    """Move a run's empty clusters to the profiles farthest from their centroids, if any are."""
    if run.mass[:, 0].all():
        return False
    blocks, empty = group.blocks, np.flatnonzero(run.mass[:, 0] == 0)
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
    group: Group,
    r: int,
    inertia: Float64s,
    *,
    metric: Metric,
    refinements: int,
    least_gain: float,
) -> None:
    """Step further towards the barycenters with fixed labels, until a step gains little."""
    run, labels = group.runs[r], [held[r] for held in group.held]
    k = len(run.centroids)
    pairs = zip(labels, group.blocks, strict=True)
    weight = sum(np.bincount(held, block.weights, minlength=k) for held, block in pairs)
    weight = np.where(weight > 0, weight, 1.0)
    moving = np.ones(k, dtype=bool)
    for _ in range(refinements):
        held = [np.where(moving[block], block, np.int32(-1)) for block in labels]
        stepped = add(map_blocks(metric.refine, group.blocks, repeat(run.centroids), held))
        run.centroids[:] = means(stepped.sums, stepped.mass, run.centroids)
        moving &= np.abs(inertia - stepped.inertia) / weight >= least_gain * group.variance
        inertia = stepped.inertia
        if not moving.any():
            return
