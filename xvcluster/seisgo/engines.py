"""What fits: tslearn and MiniSom as SeisGo calls them, or the kernels of xvcluster."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.initialize import has_distinct
from xvcluster.algorithms.metrics import get_metric, import_tslearn_kmeans
from xvcluster.arrays import Float64s, Indices
from xvcluster.methods.kmeans import kmeans
from xvcluster.methods.som import som
from xvcluster.methods.sweep import sweep
from xvcluster.options import check_integer, check_metric

KMeansEngine = Literal["tslearn", "xvcluster"]
SomEngine = Literal["minisom", "xvcluster"]

_CHUNK_BYTES = 2**22


def check_engine(engine: str, engines: Any) -> None:
    """Refuse an engine that is none of the literal's."""
    allowed = get_args(engines)
    if engine not in allowed:
        raise ValueError(
            f"unknown engine {engine!r}; choose one of {', '.join(map(repr, allowed))}"
        )


def kmeans_options(
    engine: str, njob: int | None, metric: str, max_iter_barycenter: int, random_state: Any
) -> dict[str, Any]:
    """Options under tslearn's names, checked; warns of those that the engine does not have."""
    check_engine(engine, KMeansEngine)
    if engine == "xvcluster" and (njob, max_iter_barycenter) != (1, 100):
        warnings.warn(
            f"njob={njob} and max_iter_barycenter={max_iter_barycenter} are tslearn's: "
            "engine='xvcluster' uses all cores and settles barycenters by itself",
            stacklevel=3,
        )
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
            f"{name}={n_clusters} is more than the distinct profiles among the {len(ts)} complete "
            "ones; ask for fewer clusters"
        )
    return n_clusters


def fit_kmeans(
    ts: Float64s, n_clusters: int, engine: str, options: dict[str, Any], *, verbose: bool
) -> tuple[Any, npt.NDArray[np.integer]]:
    """Give the fitted ``TimeSeriesKMeans`` and the labels, from 0, of profiles (n, n_depth, 1)."""
    if engine == "tslearn":
        model = import_tslearn_kmeans()(n_clusters=n_clusters, verbose=verbose, **options)
        return model, model.fit_predict(ts)
    seed, metric = options["random_state"], options["metric"]
    result = kmeans(
        _array(ts), n_clusters, metric=metric, random_state=seed, progress=verbose, dim="depth"
    )
    model = result.model
    model.labels_ = result.labels.values.astype(np.int64) - 1
    model.inertia_ = result.inertia / len(ts)  # tslearn's is the mean
    return model, model.labels_


def fit_each(
    ts: Float64s, ks: Sequence[int], engine: str, options: dict[str, Any]
) -> tuple[list[float], Callable[[], list[float]]]:
    """Give the mean squared distance for each k, and a way to the silhouettes, which cost more."""
    if engine == "xvcluster":
        seed, metric = options["random_state"], options["metric"]
        with warnings.catch_warnings():
            # the caller looks for the knee in its own way
            warnings.filterwarnings("ignore", message="the inertia has no knee")
            swept = sweep(
                _array(ts), ks, metric=metric, random_state=seed, progress=False, dim="depth"
            )
        found = swept.dataset.sel(k=list(ks))
        return (found["inertia"] / len(ts)).values.tolist(), found["silhouette"].values.tolist
    models = [fit_kmeans(ts, k, engine, options, verbose=False)[0] for k in ks]
    centers = [model.cluster_centers_ for model in models]
    distortion = [model.inertia_ for model in models]
    return distortion, lambda: [_silhouette(ts, c, options["metric"]) for c in centers]


def train_som(
    profiles: Float64s,
    shape: tuple[int, int],
    engine: str,
    *,
    n_iterations: int,
    sigma: float,
    learning_rate: float,
    random_state: int | None,
    verbose: bool,
) -> tuple[Any, npt.NDArray[np.integer]]:
    """Give the trained ``MiniSom`` and the node, from 0, of each of the profiles (n, n_depth)."""
    options: dict[str, Any] = {"sigma": sigma, "learning_rate": learning_rate}
    if engine == "minisom":
        from minisom import MiniSom

        model = MiniSom(*shape, profiles.shape[1], random_seed=random_state, **options)
        model.random_weights_init(profiles)
        model.train(profiles, n_iterations, verbose=verbose)
        return model, find_winners(profiles, model.get_weights())
    options |= {"random_state": random_state, "progress": verbose}
    result = som(_array(profiles), shape, n_iterations=n_iterations, dim="depth", **options)
    return result.model, result.labels.values.astype(np.int64) - 1


def find_winners(profiles: Float64s, weights: Float64s) -> Indices:
    """Index of each profile's nearest node, row by row, rounded as ``MiniSom.winner`` does.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_depth)
    weights : ndarray, shape (nx, ny, n_depth)

    Returns
    -------
    ndarray, shape (n_profiles,)
    """
    nodes = weights.reshape(-1, weights.shape[-1])
    winners = np.empty(len(profiles), dtype=np.intp)
    step = max(1, _CHUNK_BYTES // nodes.nbytes)
    for start in range(0, len(profiles), step):
        chunk = profiles[start : start + step, None]
        winners[start : start + step] = np.linalg.norm(chunk - nodes, axis=-1).argmin(axis=1)
    return winners


def _array(profiles: Float64s) -> xr.DataArray:
    """Profiles as loose points."""
    return xr.DataArray(profiles.reshape(len(profiles), -1), dims=("profile", "depth"), name="v")


def _silhouette(ts: Float64s, centers: Float64s, metric: str) -> float:
    """The simplified silhouette: the mean of 1 − d₁/d₂; one cluster alone has none."""
    if len(centers) == 1:
        return float("nan")
    return float(assign(ts, Assigner(centers, get_metric(metric))).margin.mean())
