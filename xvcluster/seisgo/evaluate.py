"""k-means by tslearn as SeisGo calls it, and its choice of the number of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.initialize import has_distinct
from xvcluster.algorithms.metrics import get_metric, import_tslearn_kmeans
from xvcluster.arrays import Float64s
from xvcluster.choose.verdict import find_knee
from xvcluster.messages import warn
from xvcluster.options import check_integer, check_metric
from xvcluster.seisgo.figures import distortions

Curve = list[float] | Float64s


def vpcluster_evaluate_kmean(
    ts: npt.ArrayLike,
    nrange: Sequence[int] | npt.NDArray[np.integer],
    smooth: bool = False,
    smooth_n: int = 3,
    plot: bool = True,
    njob: int | None = 1,
    metric: str = "euclidean",
    max_iter_barycenter: int = 100,
    random_state: int | None = 0,
) -> tuple[int, Curve]:
    """Choose a number of clusters, as ``seisgo.clustering.vpcluster_evaluate_kmean`` does.

    Parameters
    ----------
    ts : array_like, shape (n_profiles, n_depth, 1) or (n_profiles, n_depth)
        Complete profiles.
    nrange : sequence of int
        Numbers of clusters to try, ascending.
    smooth : bool, default False
        Look for the knee in a moving average over `smooth_n` points; the end points are kept.
    smooth_n : int, default 3
        Points of the moving average, at most as many as in `nrange`.
    plot : bool, default True
        Draw the distortion; the figure stays open.
    njob, metric, max_iter_barycenter, random_state
        As in `vpcluster_kmean`.

    Returns
    -------
    best : int
        The number at the first knee of the curve, or the one with the best simplified silhouette
        if there is no knee.
    curve : list or ndarray of float
        The distortion for each number of clusters: the mean squared distance of the profiles to
        their centers. Smoothed if `smooth` is set.

    Raises
    ------
    TypeError, ValueError
        As in `vpcluster_kmean`; also if `smooth_n` is not between 1 and the length of `nrange`.

    Warns
    -----
    UserWarning
        If there is no knee.

    Examples
    --------
    >>> import numpy as np
    >>> from xvcluster.seisgo import vpcluster_evaluate_kmean
    >>> ts = np.random.default_rng(0).normal(np.repeat([0, 5, 10], 20)[:, None], 1, (60, 4))
    >>> vpcluster_evaluate_kmean(ts, range(2, 9), plot=False)[0]
    3
    """
    options = tslearn_options(njob, metric, max_iter_barycenter, random_state)
    profiles = np.asarray(ts, dtype=np.float64)
    profiles = profiles[..., None] if profiles.ndim == 2 else profiles
    box = check_integer("smooth_n", smooth_n, 1) if smooth else None
    best, distortion, curve = choose(profiles, nrange, box, options)
    if plot:
        distortions(nrange, distortion, curve, best)
    return best, curve


def tslearn_options(
    njob: int | None, metric: str, max_iter_barycenter: int, random_state: int | None
) -> dict[str, Any]:
    """Return SeisGo's options by their names in tslearn."""
    return {
        "n_jobs": njob,
        "metric": check_metric(metric),
        "max_iter_barycenter": max_iter_barycenter,
        "random_state": random_state,
    }


def check_clusters(ts: Float64s, name: str, n_clusters: int) -> int:
    """Refuse more clusters than there are distinct profiles."""
    n_clusters = check_integer(name, n_clusters, 1)
    if not has_distinct(ts, n_clusters):
        raise ValueError(
            f"{name}={n_clusters} exceeds the number of distinct profiles among the {len(ts)} "
            "complete ones; ask for fewer clusters"
        )
    return n_clusters


def fit(ts: Float64s, n_clusters: int, options: dict[str, Any], *, verbose: bool = False) -> Any:
    """Fit tslearn's ``TimeSeriesKMeans`` to profiles (n_profiles, n_depth, 1)."""
    return import_tslearn_kmeans()(n_clusters=n_clusters, verbose=verbose, **options).fit(ts)


def choose(
    ts: Float64s,
    nrange: Sequence[int] | npt.NDArray[np.integer],
    box: int | None,
    options: dict[str, Any],
) -> tuple[int, list[float], Curve]:
    """Choose a number of clusters for profiles (n_profiles, n_depth, 1).

    Parameters
    ----------
    ts : ndarray
    nrange : sequence of int
        Ascending.
    box : int or None
        Points of the moving average.
    options : dict
        As returned by `tslearn_options`.

    Returns
    -------
    best : int
    distortion, curve : list or ndarray of float
        As fitted, and as used to find the knee.
    """
    ks = [check_integer("each number of nrange", k, 1) for k in nrange]
    if not ks or sorted(set(ks)) != ks:
        raise ValueError(
            f"nrange must be ascending numbers of clusters, such as range(2, 21); got {ks}"
        )
    if box is not None and box > len(ks):
        raise ValueError(
            f"smooth_n={box} exceeds the {len(ks)} numbers of clusters in nrange; smooth over "
            "fewer points"
        )
    check_clusters(ts, "the greatest of nrange", ks[-1])
    distortion, centers = [], []
    for k in ks:
        model = fit(ts, k, options)
        distortion.append(model.inertia_)
        centers.append(model.cluster_centers_)
    curve: Curve = distortion
    if box is not None:  # zeros beyond the ends, whose own values are kept
        curve = np.convolve(distortion, np.ones(box) / box, mode="same")
        curve[[0, -1]] = distortion[0], distortion[-1]
    best = ks[0] if len(ks) == 1 else find_knee(ks, np.asarray(curve))
    if not best:
        best = ks[int(np.nanargmax([_silhouette(ts, c, options["metric"]) for c in centers]))]
        warn(
            f"the distortion has no knee over {ks[0]} to {ks[-1]} clusters; took {best}, which "
            "has the best silhouette. Look at the curve before you trust it",
        )
    return best, distortion, curve


def _silhouette(ts: Float64s, centers: Float64s, metric: str) -> float:
    """The simplified silhouette, the mean of 1 − d₁/d₂; NaN for a single cluster."""
    if len(centers) == 1:
        return float("nan")
    return float(assign(ts, Assigner(centers, get_metric(metric))).margin.mean())
