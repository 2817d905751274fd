"""The loop of k-means: accumulate over blocks of profiles, then update; many runs at once.

Blocks do not depend on the number of threads, and their sums are added in a fixed order, so that
the same seed gives the same centroids on any number of cores.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import groupby, pairwise, repeat
from operator import itemgetter
from threading import Lock, local
from typing import Any, TypeVar

import numpy as np

from xvcluster.algorithms.blocks import Block, Partial, Settling, Stack
from xvcluster.algorithms.metrics import Metric
from xvcluster.arrays import Float64s, Floats, Indices, Labels

BLOCK_ROWS, N_BLOCKS = 4096, 16
_TOGETHER = 48
"""Centroids of runs that settle in one call, and share a copy of the profiles side by side."""
_LITTLE = 2**20
"""Work that takes about as long as it takes to start threads."""
_PASSES = 8
"""About as many passes as a run takes on few profiles."""
_PATHS = 4
"""To follow paths takes as long as distances to about as many centroids."""
_SEVERAL = 4
"""Groups of runs that are enough to give each of them a thread of its own."""

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
    led_to : ndarray, optional
        Where the last pass has led the centroids, if momentum has carried them further.
    """

    centroids: Float64s
    inertia: float = np.inf
    n_iter: int = 0
    converged: bool = False
    shift: float = np.inf
    guided: bool = True
    sums: Float64s = field(default_factory=lambda: np.zeros(0))
    mass: Float64s = field(default_factory=lambda: np.zeros(0))
    led_to: Float64s | None = None


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


class _Opened(local):
    """The pool that this thread has opened, if any."""

    pool: ThreadPoolExecutor | None = None


_opened = _Opened()


@contextmanager
def threads(work: float = np.inf) -> Iterator[Mapper]:
    """Give a `map` that runs on all cores, with a single-threaded BLAS, and keeps the order.

    If it is known that there is little work (multiplications, about), this thread does it, as
    others would take longer to start. Inside, this thread is given the same cores again.
    """
    if work <= _LITTLE or _n_cores() == 1:
        with one_blas_thread():
            yield partial(_map, None)
    elif _opened.pool is not None:
        yield partial(_map, _opened.pool)
    else:
        with one_blas_thread(), ThreadPoolExecutor(_n_cores() - 1) as pool:
            _opened.pool = pool
            try:
                yield partial(_map, pool)
            finally:
                _opened.pool = None


def _map(
    pool: ThreadPoolExecutor | None, function: Callable[..., Any], *columns: Iterable[Any]
) -> Iterable[Any]:
    """Call a function for each row of some columns, if there are several in a pool of threads."""
    rows = list(zip(*columns, strict=False))  # one column may repeat a value for ever
    if pool is None or len(rows) < 2:
        return [function(*row) for row in rows]
    return _work_along(pool, function, rows)


def _work_along(
    pool: ThreadPoolExecutor, function: Callable[..., Any], rows: list[tuple[Any, ...]]
) -> Iterator[Any]:
    """Call a function for each row in the threads of a pool, and in this one instead of waiting."""
    todo, done = deque(enumerate(rows)), dict[int, Any]()

    def work() -> bool:
        try:
            i, row = todo.popleft()
        except IndexError:
            return False
        done[i] = function(*row)
        return True

    def work_on() -> None:
        try:
            while work():
                pass
        finally:
            todo.clear()  # after an error, the others need not go on

    others = [pool.submit(work_on) for _ in range(min(_n_cores(), len(rows)) - 1)]
    try:
        for i in range(len(rows)):
            while i not in done and work():
                pass
            if i not in done:
                for other in others:
                    other.cancel() or other.result()  # those in use elsewhere are not waited for
            yield done.pop(i)
    finally:
        todo.clear()
        wait(other for other in others if not other.cancel())


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
    blocks: list[Block],
    runs: list[Run],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Report | None = None,
    refinements: int = 0,
    stride: float = 1.0,
    momentum: float = 0.0,
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
    refinements : int
        Number of further steps towards the barycenters in each pass.
    stride : float
        Length of a step, by the distance to the means. Longer steps need fewer passes, and up to
        twice that distance the inertia never rises (Salakhutdinov & Roweis 2003).
    momentum : float
        Share by which centroids go on as they went from the end of one pass to that of the next,
        unless the inertia then rises: they return to where they were led before (O'Donoghue &
        Candès 2015).

    References
    ----------
    O'Donoghue, B. & Candès, E. (2015). Adaptive restart for accelerated gradient schemes. Found.
    Comput. Math. 15, 715–732. https://doi.org/10.1007/s10208-013-9150-3

    Salakhutdinov, R. & Roweis, S. (2003). Adaptive overrelaxed bound optimization methods. ICML
    '03.
    """
    held = unlabelled(blocks, len(runs))
    for run in runs:
        run.sums, run.mass = np.zeros(run.centroids.shape), np.zeros(run.centroids.shape[:2])
    with threads() as map_blocks:
        for _ in range(max_iter):
            active = np.flatnonzero([not run.converged for run in runs])
            if not active.size:
                break
            chosen = [runs[r] for r in active]
            _advance(
                map_blocks, blocks, chosen, metric, active, held,
                tol, refinements, stride, momentum,
            )  # fmt: skip
            if report is not None:
                report(runs)
    for run in runs:
        if run.led_to is not None:
            run.centroids, run.led_to = run.led_to, None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Runs over the same profiles, and the unit of their tolerances: the variance of a level."""

    profiles: Block
    runs: list[Run]
    variance: float


def fit_groups(
    groups: Sequence[Group],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Report | None = None,
    **options: Any,
) -> None:
    """Advance the runs of each group over its own profiles until they converge; see `fit`.

    On few profiles, calls from pass to pass would cost more than the work. There runs settle in one
    call, or in some if there is much work, and are reported at its end; so they do if there are
    several groups, each of which keeps a core busy.
    """
    groups = [group for group in groups if group.runs]
    if not groups:
        return
    limit = 64 * metric.rows_alone if len(groups) >= _SEVERAL else metric.rows_alone
    many = [group for group in groups if len(group.profiles) > limit]
    few = [group for group in groups if len(group.profiles) <= limit]
    work = sum(g.profiles.values.size * sum(len(run.centroids) for run in g.runs) for g in few)
    parts = [(group, group.runs) for group in few]
    if work > _LITTLE:
        parts = [(group, runs) for group in few for runs in _cut(group.runs, len(groups))]
    _settle_all(parts, metric, max_iter, tol, report, work)
    for group in many:
        options |= {"max_iter": max_iter, "tol": tol * group.variance, "report": report}
        fit(split(group.profiles, metric), group.runs, metric, **options)


def fit_each(
    groups: Sequence[Group],
    metric: Metric,
    *,
    max_iter: int,
    tol: float,
    report: Report | None = None,
) -> None:
    """Advance each run of some groups by itself until it converges, without refinements.

    That is for runs of which a pass takes long although the profiles are few.
    """
    parts = [(group, [run]) for group in groups for run in group.runs]
    cells = groups[0].profiles.values[0].size * groups[0].profiles.values.shape[1]
    work = (
        _PASSES * cells * sum(len(g.profiles) * (len(run.centroids) + _PATHS) for g, [run] in parts)
    )
    _settle_all(parts, metric, max_iter, tol, report, work)


def _settle_all(
    parts: Sequence[tuple[Group, list[Run]]],
    metric: Metric,
    max_iter: int,
    tol: float,
    report: Report | None,
    work: int,
) -> None:
    """Let runs of some groups settle, each part in one call, and report all at the end of each."""
    settle = partial(_settle, metric=metric, max_iter=max_iter, tol=tol)
    with threads(work) as map_parts:
        for _ in map_parts(settle, *zip(*parts, strict=True)) if parts else ():
            if report is not None:
                report([run for _, runs in parts for run in runs])


def _cut(runs: list[Run], n_groups: int) -> Iterator[list[Run]]:
    """Cut runs into parts of few centroids, and those of a single group into two at least."""
    ends = np.cumsum([len(run.centroids) for run in runs])
    size = min(_TOGETHER, ends[-1] / 2) if n_groups == 1 else _TOGETHER
    part = np.ceil(ends / size).astype(int)
    for _, own in groupby(zip(part.tolist(), runs, strict=True), key=itemgetter(0)):
        yield [run for _, run in own]


def _settle(group: Group, runs: list[Run], *, metric: Metric, max_iter: int, tol: float) -> None:
    """Advance some runs of a group by themselves until they converge."""
    profiles, tol = group.profiles, tol * group.variance
    state = Settling.of([run.centroids for run in runs], len(profiles))
    while (moving := state.moving(tol, max_iter)).any():
        metric.settle(profiles, state, max_iter=max_iter, tol=tol)
        is_empty = state.mass[:, 0] == 0
        if not is_empty.any():
            break
        for r, part in enumerate(state.clusters.parts()):
            empty = np.flatnonzero(is_empty[part])
            if moving[r] and _fill(state.clusters.centroids[part], empty, [profiles], metric):
                state.shift[r] = np.inf
    for r, (run, part) in enumerate(zip(runs, state.clusters.parts(), strict=True)):
        run.centroids, run.inertia = state.clusters.centroids[part], float(state.inertia[r])
        run.n_iter, run.converged = int(state.n_iter[r]), bool(state.shift[r] <= tol)
        run.sums, run.mass = state.sums[part], state.mass[part]


def _advance(
    map_blocks: Mapper,
    blocks: list[Block],
    runs: list[Run],
    metric: Metric,
    active: Indices,
    held: list[Labels],
    tol: float,
    refinements: int,
    stride: float,
    momentum: float,
) -> None:
    """One pass: assign and sum all blocks, then update the runs."""
    stack = Stack.of([run.centroids for run in runs], active)
    total = add(map_blocks(metric.accumulate, blocks, repeat(stack), held))
    if metric.incremental:
        total.sums += np.concatenate([run.sums for run in runs])
        total.mass += np.concatenate([run.mass for run in runs])
        clear_rounding(total.sums, total.mass, sum(block.least_mass for block in blocks))
    moved = _stride(means(total.sums, total.mass, stack.centroids), stack.centroids, stride)
    for r, run, part in zip(active, runs, stack.parts(), strict=True):
        inertia = total.inertia[part]
        run.sums, run.mass, run.n_iter = total.sums[part], total.mass[part], run.n_iter + 1
        if run.led_to is not None and inertia.sum() > run.inertia:
            run.centroids, run.led_to = run.led_to, None
            continue
        run.centroids, run.inertia = moved[part], float(inertia.sum())
        for _ in range(refinements):
            labels = [block[r] for block in held]
            further = add(map_blocks(metric.refine, blocks, repeat(run.centroids), labels))
            moved_on = means(further.sums, further.mass, run.centroids)
            run.centroids = _stride(moved_on, run.centroids, stride)
        empty = np.flatnonzero(run.mass[:, 0] == 0)
        relocated = _fill(run.centroids, empty, blocks, metric)
        shift = float(((run.centroids - stack.centroids[part]) ** 2).sum())
        run.converged = not relocated and shift <= tol
        if momentum:
            _carry_on(run, momentum if not relocated else 0.0)


def _carry_on(run: Run, momentum: float) -> None:
    """Let centroids go on as they went since the last pass, or stay if they have converged."""
    led_to, run.led_to = run.led_to, None if run.converged else run.centroids
    if led_to is not None and not run.converged:
        run.centroids = run.centroids + momentum * (run.centroids - led_to)


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


def clear_rounding(sums: Float64s, mass: Float64s, least_mass: float) -> None:
    """Set to zero, in place, what rounding errors have left in empty clusters."""
    nothing = mass <= least_mass
    mass[nothing] = 0.0
    sums[nothing] = 0.0


def means(sums: Float64s, mass: Float64s, otherwise: Float64s) -> Float64s:
    """Mean of the values paired with each level; `otherwise` at levels without any."""
    paired = np.broadcast_to(mass[..., None] > 0, sums.shape)
    return np.divide(sums, mass[..., None], out=otherwise.copy(), where=paired)


def _stride(moved: Float64s, before: Float64s, stride: float) -> Float64s:
    """Go past the means, by a multiple of the distance to them."""
    return moved if stride == 1.0 else before + stride * (moved - before)


def _fill(centroids: Float64s, empty: Indices, blocks: list[Block], metric: Metric) -> bool:
    """Move empty clusters to the profiles farthest from their centroids; False if none is away."""
    if not empty.size:
        return False
    squared = [metric.squared_distances(b.values, centroids).min(axis=1) for b in blocks]
    counts = np.concatenate([block.weights > 0 for block in blocks])
    flat = np.where(counts, np.concatenate(squared), 0.0)
    far = np.argsort(flat)[::-1][: empty.size]
    far = far[flat[far] > 0]
    profiles = np.concatenate([block.values for block in blocks])[far]
    centroids[empty[: far.size]] = profiles
    return bool(far.size)
