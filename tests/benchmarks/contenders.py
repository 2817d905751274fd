"""Those who are timed: xvcluster, in any state, and its peers, each with one call."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models
import numpy as np
import xarray as xr

Call = Callable[[int], Any]
"""Makes one call with a seed; nothing else of it is timed."""


def _nodes(result: Any) -> list[np.ndarray]:
    """Centroids (k, n_levels) of a result of xvcluster, or at each k of a sweep."""
    if hasattr(result, "best_k"):
        return [_nodes(result.result(int(k)))[0] for k in result.dataset["k"].values]
    return [result.centroids["vs"].values]


def maps_of(result: Any) -> list[np.ndarray]:
    """What must stay the same where only the speed changes: maps of a result, or of a sweep."""
    if hasattr(result, "best_k"):
        return [result.result(int(k)).labels.values for k in result.dataset["k"].values]
    names = [name for name in ("label", "stability") if name in result.dataset]
    return [result.dataset[name].values for name in names]


@dataclass(frozen=True)
class Contender:
    """One call that is timed.

    Attributes
    ----------
    name : str
    prepare : callable
        Takes the model, converts it as the library wants it, and returns the call.
    package : str
        What must be installed; xvcluster itself if empty.
    nodes : callable
        Centroids or nodes of what the call returned.
    is_peer : bool
        Whether what it finds can be compared with what xvcluster finds.
    """

    name: str
    prepare: Callable[[xr.DataArray], Call]
    package: str = ""
    nodes: Callable[[Any], list[np.ndarray]] = _nodes
    is_peer: bool = True


def ours(method: str, *args: Any, name: str = "xvcluster", **options: Any) -> Contender:
    """A whole call of xvcluster: from the model to all statistics of the result."""

    def prepare(model: xr.DataArray) -> Call:
        import xvcluster

        function = getattr(xvcluster, method)
        return lambda seed: function(model, *args, random_state=seed, **options)

    return Contender(name, prepare)


def ours_from_file(k: int, **options: Any) -> Contender:
    """The same from a NetCDF file."""

    def prepare(model: xr.DataArray) -> Call:
        import xvcluster

        folder = tempfile.TemporaryDirectory()
        path = Path(folder.name) / "model.nc"
        model.to_netcdf(path)

        def call(seed: int, _folder: Any = folder) -> Any:
            with xr.open_dataset(path) as data:
                return xvcluster.kmeans(data["vs"], k, random_state=seed, **options)

        return call

    return Contender("xvcluster", prepare)


def ours_stability(k: int, n: int) -> Contender:
    """How stable the map of a result is, from refits of n bootstrap samples."""

    def prepare(model: xr.DataArray) -> Call:
        import xvcluster

        result = xvcluster.kmeans(model, k)
        return lambda seed: result.stability(n, random_state=seed)

    return Contender(f"result.stability({n})", prepare)


def _of_estimator(
    name: str, package: str, build: Callable[[int], Any], *, is_float32: bool = True
) -> Contender:
    """A peer with the interface of scikit-learn, which clusters a matrix."""

    def prepare(model: xr.DataArray) -> Call:
        X = models.matrix(model)
        X = X if is_float32 else X.astype(np.float64)
        build(0)  # imports
        return lambda seed: build(seed).fit(X)

    return Contender(name, prepare, package, lambda fit: [np.asarray(fit.cluster_centers_)])


def scikit_learn(k: int, **options: Any) -> Contender:
    """KMeans of scikit-learn, in float32."""

    def build(seed: int) -> Any:
        from sklearn.cluster import KMeans

        return KMeans(k, random_state=seed, **options)

    return _of_estimator("scikit-learn", "scikit-learn", build)


def scikit_learn_sweep(ks: range, **options: Any) -> Contender:
    """The same in a loop over k."""

    def prepare(model: xr.DataArray) -> Call:
        from sklearn.cluster import KMeans

        X = models.matrix(model)
        return lambda seed: [KMeans(k, random_state=seed, **options).fit(X) for k in ks]

    return Contender(
        "scikit-learn",
        prepare,
        "scikit-learn",
        lambda fits: [fit.cluster_centers_ for fit in fits],
    )


def intel(k: int, **options: Any) -> Contender:
    """KMeans of scikit-learn-intelex, in float32."""

    def build(seed: int) -> Any:
        from sklearnex.cluster import KMeans

        return KMeans(k, random_state=seed, **options)

    return _of_estimator("scikit-learn-intelex", "scikit-learn-intelex", build)


def breathing(k: int, **options: Any) -> Contender:
    """Breathing k-means by its author, which finds better minima than restarts do."""

    def build(seed: int) -> Any:
        from bkmeans import BKMeans

        return BKMeans(n_clusters=k, random_state=seed, **options)

    return _of_estimator("bkmeans", "bkmeans", build)


def faiss(k: int, **options: Any) -> Contender:
    """Kmeans of FAISS; `options` as of `faiss.ClusteringParameters`."""

    def prepare(model: xr.DataArray) -> Call:
        import faiss

        X = models.matrix(model)

        def call(seed: int) -> Any:
            fit = faiss.Kmeans(X.shape[1], k, seed=seed + 1, **options)
            fit.train(X)
            return fit

        return call

    return Contender("FAISS", prepare, "faiss-cpu", lambda fit: [fit.centroids])


def tslearn(k: int, *, scaled_tol: float | None = None, **options: Any) -> Contender:
    """TimeSeriesKMeans of tslearn; `scaled_tol` is of the variance of a level, as ours is."""
    name = "tslearn, 2 jobs" if options.get("n_jobs") == 2 else "tslearn"

    def prepare(model: xr.DataArray) -> Call:
        from tslearn.clustering import TimeSeriesKMeans

        X = models.matrix(model).astype(np.float64)
        more = (
            options if scaled_tol is None else options | {"tol": scaled_tol * X.var(axis=0).mean()}
        )

        def call(seed: int, X: np.ndarray = X) -> Any:
            return TimeSeriesKMeans(k, random_state=seed, **more).fit(X[..., None])

        call(0, X[:40])  # compiles
        return call

    return Contender(
        name, prepare, "tslearn", lambda fit: [np.asarray(fit.cluster_centers_)[..., 0]]
    )


def _aeon(name: str, build: Callable[[int], Any], *, is_peer: bool) -> Contender:
    def prepare(model: xr.DataArray) -> Call:
        X = models.matrix(model).astype(np.float64)[:, None]
        build(0).fit(X[:40])  # compiles
        return lambda seed: build(seed).fit(X)

    return Contender(
        name, prepare, "aeon", lambda fit: [np.asarray(fit.cluster_centers_)[:, 0]], is_peer
    )


def aeon(k: int) -> Contender:
    """The fastest DTW k-means of aeon: k-means++, one start, Petitjean's barycenters."""

    def build(seed: int) -> Any:
        from aeon.clustering import TimeSeriesKMeans

        return TimeSeriesKMeans(
            k, init="kmeans++", distance="dtw", n_init=1, random_state=seed,
            average_params={"method": "petitjean"},
        )  # fmt: skip

    return _aeon("aeon, DTW", build, is_peer=True)


def kasba(k: int) -> Contender:
    """KASBA of aeon, under another distance (MSM), whose outcome cannot be compared."""

    def build(seed: int) -> Any:
        from aeon.clustering import KASBA

        return KASBA(k, random_state=seed)

    return _aeon("aeon, KASBA with MSM", build, is_peer=False)


def minisom(side: int, steps: int, **options: Any) -> Contender:
    """Online training by MiniSom, from profiles as nodes."""

    def prepare(model: xr.DataArray) -> Call:
        from minisom import MiniSom

        X = models.matrix(model).astype(np.float64)

        def call(seed: int) -> Any:
            som = MiniSom(side, side, X.shape[1], random_seed=seed, **options)
            som.random_weights_init(X)
            som.train_random(X, steps)
            return som.get_weights()

        return call

    return Contender("MiniSom", prepare, "minisom", lambda nodes: [_flat(nodes)])


def minisom_batch(side: int, passes: int, **options: Any) -> Contender:
    """Batch training by MiniSom, from principal components."""

    def prepare(model: xr.DataArray) -> Call:
        from minisom import MiniSom

        X = models.matrix(model).astype(np.float64)

        def call(seed: int) -> Any:
            som = MiniSom(side, side, X.shape[1], random_seed=seed, **options)
            som.pca_weights_init(X)
            som.train_batch_offline(X, passes)
            return som.get_weights()

        return call

    return Contender("MiniSom, batch", prepare, "minisom", lambda nodes: [_flat(nodes)])


def fastersom(side: int, *, spans_plane: bool = False, **options: Any) -> Contender:
    """The batch map of fastersom on the CPU; `spans_plane` starts it where ours starts."""

    def prepare(model: xr.DataArray) -> Call:
        from fastersom import SOM

        X = models.matrix(model)

        def call(seed: int) -> Any:
            start = _span_plane(X, side) if spans_plane else "random"
            som = SOM(side, side, init=start, random_state=seed, device="cpu", **options)
            return som.fit(X).weights_

        return call

    return Contender("fastersom", prepare, "fastersom", lambda nodes: [_flat(nodes)])


def torchsom(side: int, batch_size: int, **options: Any) -> Contender:
    """The mini-batch map of torchsom on the CPU, from principal components."""

    def prepare(model: xr.DataArray) -> Call:
        import torch
        from torchsom import SOM

        X = torch.from_numpy(models.matrix(model))

        def call(seed: int) -> Any:
            som = SOM(
                side, side, X.shape[1], batch_size=batch_size, random_seed=seed, device="cpu",
                initialization_mode="pca", **options,
            )  # fmt: skip
            som.initialize_weights(X, "pca")
            som.fit(X, verbose=False)
            return som.weights

        return call

    return Contender("torchsom", prepare, "torchsom", lambda nodes: [_flat(nodes.detach().numpy())])


def _flat(nodes: Any) -> np.ndarray:
    """Nodes (side², n_levels) of a map (side, side, n_levels), row by row."""
    return np.asarray(nodes).reshape(-1, np.shape(nodes)[-1])


def _span_plane(X: np.ndarray, side: int) -> np.ndarray:
    """Nodes spread over the plane of the first two principal components, as ours are at first."""
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    along = np.linspace(-1, 1, side)
    first, second = (np.sqrt(variances[-i]) * axes[:, -i] for i in (1, 2))
    nodes = mean + along[:, None, None] * first + along[None, :, None] * second
    return nodes.reshape(side * side, -1).astype(np.float32)
