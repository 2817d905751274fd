"""What is timed: one row for each task, in full size or quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import contenders as of
import xarray as xr
from contenders import Contender
from machine import Work, compare_all, train_online, warp_own
from models import cascadia, model
from quality import Quality, inertia, map_errors, warped_inertia


@dataclass(frozen=True)
class Row:
    """A task that contenders do in turn; the first is xvcluster.

    Attributes
    ----------
    name : str
        As `python tests/benchmarks NAME` knows it.
    table : str
        Of docs/performance.md.
    task : str
        What the table says.
    model : callable
        Makes the data.
    contenders : tuple of Contender
    quality : Quality, optional
    work : Work, optional
        The least that the last contender of xvcluster must do.
    size : int
        What grows, where rows belong together.
    least_calls : int
        Number of calls of contenders that take long, each from another seed.
    """

    name: str
    table: str
    task: str
    model: Callable[[], xr.DataArray]
    contenders: tuple[Contender, ...]
    quality: Quality | None = None
    work: Work | None = None
    size: int = 0
    least_calls: int = 1

    @property
    def own(self) -> list[Contender]:
        """Contenders of xvcluster."""
        return [each for each in self.contenders if not each.package]


def rows(is_quick: bool) -> dict[str, Row]:
    """All rows by name."""
    made = [*_euclidean(is_quick), *_warped(is_quick), *_maps(is_quick), *_by_size(is_quick),
            *_again(is_quick), *_calls(), *_growth(is_quick)]  # fmt: skip
    return {row.name: row for row in made}


_SAME = {"n_init": 10, "max_iter": 300, "tol": 1e-4}
_SAME_FAISS = {
    "nredo": 10, "niter": 300, "early_stop_threshold": 1e-4, "max_points_per_centroid": 10**9
}  # fmt: skip


def _euclidean(is_quick: bool) -> Iterator[Row]:
    """k-means beside its peers: as each is called by default, and to one tolerance."""
    n, n_levels = (6_516, 40) if is_quick else (65_160, 80)
    sweep = range(2, 9) if is_quick else range(2, 21)
    data, size = partial(model, n, n_levels), f"{n:,} × {n_levels}"
    for k in (8,) if is_quick else (8, 20):
        yield Row(
            f"kmeans-{k}-default", "euclidean", f"k = {k}, each by default, {size}", data,
            (of.ours("kmeans", k), of.scikit_learn(k), of.intel(k), of.faiss(k), of.tslearn(k)),
            inertia(), compare_all(n, n_levels, k),
        )  # fmt: skip
        yield Row(
            f"kmeans-{k}", "euclidean", f"k = {k}, 10 restarts, same tolerance, {size}", data,
            (
                of.ours("kmeans", k, **_SAME), of.scikit_learn(k, **_SAME), of.intel(k, **_SAME),
                of.faiss(k, **_SAME_FAISS), of.tslearn(k, scaled_tol=1e-4, n_init=10, max_iter=300),
                of.breathing(k),
            ),
            inertia(), compare_all(n, n_levels, k),
        )  # fmt: skip
    yield Row(
        "sweep", "euclidean", f"sweep k = 2…{sweep[-1]}, 10 restarts each, {size}", data,
        (of.ours("sweep", sweep, **_SAME), of.scikit_learn_sweep(sweep, **_SAME)),
        inertia(), compare_all(n, n_levels, sum(sweep)),
    )  # fmt: skip
    yield Row(
        "from-file", "euclidean", f"k = 8 from a NetCDF file with all statistics, {size}", data,
        (of.ours_from_file(8, **_SAME), of.scikit_learn(8, **_SAME)),
        inertia(), compare_all(n, n_levels, 8),
    )  # fmt: skip


def _warped(is_quick: bool) -> Iterator[Row]:
    """k-means under DTW beside tslearn's and aeon's, with one start."""
    k, n_levels, options = 5, 50, {"metric": "dtw", "n_init": 1}
    sizes = (600,) if is_quick else (600, 1_800, 4_800, 20_000)
    for n in sizes:
        peers = [of.tslearn(k, metric="dtw")]
        if n <= 600 and not is_quick:
            peers += [of.tslearn(k, metric="dtw", n_jobs=2), of.aeon(k), of.kasba(k)]
        yield Row(
            f"dtw-{n}-default", "dtw", f"k = {k}, one restart, else by default, {n:,} × {n_levels}",
            partial(model, n, n_levels), (of.ours("kmeans", k, **options), *peers),
            warped_inertia(), warp_own(n, n_levels), size=n, least_calls=3 if n <= 4_800 else 1,
        )  # fmt: skip
    for n in sizes[1:2]:
        yield Row(
            f"dtw-{n}", "dtw", f"the same, to one tolerance, {n:,} × {n_levels}",
            partial(model, n, n_levels),
            (
                of.ours("kmeans", k, max_iter=300, tol=1e-4, **options),
                of.tslearn(k, scaled_tol=1e-4, metric="dtw", max_iter=300),
            ),
            warped_inertia(), warp_own(n, n_levels),
        )  # fmt: skip
    n, window = sizes[max(len(sizes) - 2, 0)], 5
    band = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": window}
    yield Row(
        f"dtw-{n}-window", "dtw", f"one restart, `window={window}`, {n:,} × {n_levels}",
        partial(model, n, n_levels),
        (
            of.ours("kmeans", k, window=window, **options),
            of.tslearn(k, metric="dtw", metric_params=band),
        ),
        warped_inertia(window), warp_own(n, n_levels, window),
    )  # fmt: skip


def _maps(is_quick: bool) -> Iterator[Row]:
    """Self-organizing maps, shown profiles one by one or all at once."""
    sizes = (
        ((1_800, 50, 6, 5_000),)
        if is_quick
        else ((4_800, 50, 9, 50_000), (65_160, 80, 16, 200_000))
    )
    for n, n_levels, side, steps in sizes:
        for sigma in (0.3, 1.0):
            same = {"sigma": sigma, "learning_rate": 0.1}
            online = {"algorithm": "online", "n_iterations": steps}
            yield Row(
                f"online-{n}-{sigma:g}", "online",
                f"{steps:,} steps, {side} × {side}, {n:,} × {n_levels}, σ = {sigma:g}",
                partial(model, n, n_levels),
                (of.ours("som", (side, side), **online, **same), of.minisom(side, steps, **same)),
                # the order in which profiles are shown is another
                map_errors((side, side), 1.05, most_apart=1.0),
                train_online(steps, n_levels, side**2),
            )  # fmt: skip
    n, n_levels, side, passes = (1_800, 50, 6, 50) if is_quick else (65_160, 80, 16, 50)
    size, data = f"{side} × {side}, {n:,} × {n_levels}", partial(model, n, n_levels)
    yield Row(
        "batch-default", "batch", f"each by default, {size}", data,
        (of.ours("som", (side, side)), of.fastersom(side)),
        map_errors((side, side)), compare_all(n, n_levels, side**2, passes),
    )  # fmt: skip
    yield _batch("batch", size, data, n, n_levels, side, passes)
    for n in () if is_quick else (1_000, 10_000, 100_000, 400_000):
        yield _batch(f"batch-{n}", f"8 × 8, {n:,} × 40", partial(model, n, 40), n, 40, 8, passes)


def _batch(
    name: str, size: str, data: Callable[[], xr.DataArray], n: int, n_levels: int, side: int,
    passes: int,
) -> Row:  # fmt: skip
    """A batch map to equal errors: fastersom trains the same map, from our start in our widths."""
    first, last = side / 3, 0.5
    # its last pass is one step of the series short of the final width
    final = first * (last / first) ** (passes / (passes - 1))
    widths = {"sigma_initial": first, "sigma_final": final, "n_epochs": passes}
    peers = [of.fastersom(side, spans_plane=True, **widths)]
    if name == "batch" and n > 10_000:
        peers.append(of.torchsom(side, 256, epochs=passes, sigma=3.0))
    if n <= 1_000:
        peers.append(of.minisom_batch(side, passes, sigma=first))
    return Row(
        name, "batch", f"{passes} passes, {size}", data,
        (of.ours("som", (side, side), n_iterations=passes, sigma=first), *peers),
        map_errors((side, side)), compare_all(n, n_levels, side**2, passes),
        size=n if side == 8 else 0,
    )  # fmt: skip


def _by_size(is_quick: bool) -> Iterator[Row]:
    """kmeans(8) beside scikit-learn with as many restarts, at every size."""
    sizes = (500, 5_000, 50_000) if is_quick else (
        500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 1_000_000
    )  # fmt: skip
    for n in sizes:
        yield Row(
            f"size-{n}", "size", f"{n:,} × 40", partial(model, n, 40),
            (of.ours("kmeans", 8), of.scikit_learn(8, n_init=10)),
            inertia(), compare_all(n, 40, 8), size=n,
        )  # fmt: skip


def _again(is_quick: bool) -> Iterator[Row]:
    """What fits the same profiles again and again, beside one fit or sweep."""
    n_refits, last = (10, 8) if is_quick else (50, 20)
    large = (6_516, 40) if is_quick else (65_160, 80)
    for name, data, n, n_levels in (
        ("5777", cascadia, 5_777, 23),
        ("large", partial(model, *large), *large),
    ):
        yield Row(
            f"stability-{name}", "again", f"{n_refits} refits for a map, {n:,} × {n_levels}", data,
            (of.ours("kmeans", 6, name="kmeans(6)"), of.ours_stability(6, n_refits)),
            work=compare_all(n, n_levels, 6, 1 + n_refits),
        )  # fmt: skip
    ks = range(2, last + 1)
    # samples of at most 4,096 and 2,048 profiles are fitted again
    for criterion, n, times in (("stability", 4_096, 20), ("gap", 2_048, 10)):
        base = compare_all(5_777, 23, sum(ks))
        more = compare_all(n, 23, sum(ks), times)
        yield Row(
            f"sweep-{criterion}", "again", f"sweep k = 2…{last}, 5,777 × 23", cascadia,
            (
                of.ours("sweep", ks, name="sweep"),
                of.ours("sweep", ks, criteria=[criterion], name=f"with the {criterion}"),
            ),
            work=Work(base.flops + more.flops, base.bytes + more.bytes, base.formula),
        )  # fmt: skip


def _calls() -> Iterator[Row]:
    """What a call costs where there is hardly anything to compute."""
    for name, task, call in (
        ("kmeans", "`kmeans(2)`", of.ours("kmeans", 2)),
        ("dtw", '`kmeans(2, metric="dtw")`', of.ours("kmeans", 2, metric="dtw")),
        ("sweep", "`sweep(range(2, 5))`", of.ours("sweep", range(2, 5))),
        ("gmm", "`gmm(2)`", of.ours("gmm", 2)),
        ("som", "`som((3, 3))`", of.ours("som", (3, 3))),
    ):
        yield Row(f"call-{name}", "calls", task, partial(model, 100, 10), (call,))


_DTW = {"metric": "dtw", "n_init": 1}
_GROWING: tuple[tuple[str, str, tuple[tuple[int, int, int], ...]], ...] = (
    ("Euclidean, profiles", "kmeans", ((10_000, 40, 8), (100_000, 40, 8), (1_000_000, 40, 8))),
    ("Euclidean, levels", "kmeans", ((50_000, 40, 8), (50_000, 80, 8), (50_000, 160, 8))),
    ("Euclidean, k", "kmeans", ((50_000, 40, 5), (50_000, 40, 10), (50_000, 40, 20))),
    ("DTW, profiles", "dtw", ((2_000, 30, 5), (6_000, 30, 5), (18_000, 30, 5))),
    ("DTW, levels", "dtw", ((4_000, 20, 5), (4_000, 40, 5), (4_000, 80, 5))),
    ("DTW, k", "dtw", ((4_000, 30, 3), (4_000, 30, 6), (4_000, 30, 12))),
    ("batch map, profiles", "som", ((4_000, 40, 64), (40_000, 40, 64), (400_000, 40, 64))),
    ("batch map, levels", "som", ((40_000, 20, 64), (40_000, 40, 64), (40_000, 80, 64))),
    ("batch map, nodes", "som", ((40_000, 40, 32), (40_000, 40, 64), (40_000, 40, 128))),
)
"""What grows, the method, and three sizes: profiles, levels, and clusters or nodes."""


def _growth(is_quick: bool) -> Iterator[Row]:
    """How cost grows with profiles, levels, and clusters or nodes; quick: the first size."""
    for task, method, sizes in _GROWING:
        for full, n_levels, k in sizes[:1] if is_quick else sizes:
            n = full // 10 if is_quick else full
            size = {"profiles": n, "levels": n_levels}.get(task.split(", ")[1], k)
            call, work = {
                "kmeans": (partial(of.ours, "kmeans", k), compare_all(n, n_levels, k)),
                "dtw": (partial(of.ours, "kmeans", k, **_DTW), warp_own(n, n_levels)),
                "som": (partial(of.ours, "som", (k // 8, 8)), compare_all(n, n_levels, k, 50)),
            }[method]
            name = f"growth-{method}-{task.split(', ')[1]}-{size}"
            data = partial(model, n, n_levels)
            yield Row(name, "growth", task, data, (call(),), work=work, size=size)
