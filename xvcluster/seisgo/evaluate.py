"""The choice of the number of clusters, as SeisGo makes it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xvcluster.arrays import Float64s
from xvcluster.options import check_integer
from xvcluster.seisgo.engines import KMeansEngine, check_clusters, fit_each, kmeans_options
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
    *,
    engine: KMeansEngine = "tslearn",
) -> tuple[int, Curve]:
    """Choose a number of clusters, as ``seisgo.clustering.vpcluster_evaluate_kmean`` does.

    Parameters
    ----------
    ts : array_like, shape (n_profiles, n_depth, 1) or (n_profiles, n_depth)
        Complete profiles.
    nrange : sequence of int
        Numbers of clusters to try, ascending.
    smooth : bool, default False
        Look for the knee in the mean over a box of `smooth_n` points, the end points as they are.
    smooth_n : int, default 3
        Points of the box, at most as many as in `nrange`.
    plot : bool, default True
        Draw the distortion; the figure stays open.
    njob, metric, max_iter_barycenter, random_state, engine
        As of `vpcluster_kmean`.

    Returns
    -------
    best : int
        At the first knee of the curve or, without one, of the best simplified silhouette.
    curve : list or ndarray of float
        The distortion for each number, the mean squared distance of profiles to their own center;
        smoothed if asked for.

    Raises
    ------
    TypeError, ValueError
        As `vpcluster_kmean` does; also if `smooth_n` is not between 1 and the length of `nrange`.

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
    options = kmeans_options(engine, njob, metric, max_iter_barycenter, random_state)
    profiles = np.asarray(ts, dtype=np.float64)
    profiles = profiles[..., None] if profiles.ndim == 2 else profiles
    box = check_integer("smooth_n", smooth_n, 1) if smooth else None
    best, distortion, curve = choose(profiles, nrange, box, engine, options)
    if plot:
        distortions(nrange, distortion, curve, best)
    return best, curve


def choose(
    ts: Float64s,
    nrange: Sequence[int] | npt.NDArray[np.integer],
    box: int | None,
    engine: str,
    options: dict[str, Any],
) -> tuple[int, list[float], Curve]:
    """Choose a number of clusters for profiles (n_profiles, n_depth, 1).

    Parameters
    ----------
    ts : ndarray
    nrange : sequence of int
        Ascending.
    box : int or None
        Points to smooth over.
    engine : str
    options : dict
        Of `kmeans_options`.

    Returns
    -------
    best : int
    distortion, curve : list or ndarray of float
        As fitted, and as the knee was looked for.
    """
    ks = _check_range(ts, nrange)
    if box is not None and box > len(ks):
        raise ValueError(
            f"smooth_n={box} is more than the {len(ks)} numbers of clusters in nrange; "
            "smooth over fewer points"
        )
    distortion, silhouettes = fit_each(ts, ks, engine, options)
    curve: Curve = distortion if box is None else _smoothed(distortion, box)
    best = ks[0] if len(ks) == 1 else first_knee(ks, curve)
    if best is None:
        best = ks[int(np.nanargmax(silhouettes()))]
        warnings.warn(
            f"the distortion has no knee over {ks[0]} to {ks[-1]} clusters; took {best}, which "
            "has the best silhouette. Look at the curve before you trust it",
            stacklevel=3,
        )
    return best, distortion, curve


def _check_range(ts: Float64s, nrange: Sequence[int] | npt.NDArray[np.integer]) -> list[int]:
    """The numbers of clusters to try, which must ascend."""
    ks = [check_integer("each number of nrange", k, 1) for k in nrange]
    if not ks or sorted(set(ks)) != ks:
        raise ValueError(
            f"nrange must be ascending numbers of clusters, such as range(2, 21); got {ks}"
        )
    check_clusters(ts, "the greatest of nrange", ks[-1])
    return ks


def _smoothed(curve: list[float], n: int) -> Float64s:
    """Mean over a box, beyond whose ends it finds zeros; the end points stay as they are."""
    smoothed = np.convolve(curve, np.ones(n) / n, mode="same")
    smoothed[[0, -1]] = curve[0], curve[-1]
    return smoothed


def first_knee(ks: list[int], curve: Curve) -> int | None:
    """The first knee that kneed finds in a falling curve."""
    from kneed import KneeLocator

    if np.ptp(curve) == 0:
        return None
    knee = KneeLocator(ks, curve, S=1, curve="convex", direction="decreasing").knee
    return None if knee is None else int(knee)
