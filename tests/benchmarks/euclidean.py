"""Euclidean k-means beside scikit-learn, its extension by Intel, and tslearn."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import sklearn.cluster
import xarray as xr
from measure import compare, seconds_of
from models import globe, profiles
from sklearnex.cluster import KMeans as IntelKMeans
from tslearn.clustering import TimeSeriesKMeans

import xvcluster
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory

KS = range(2, 21)
OPTIONS = {"n_init": 10, "max_iter": 300, "tol": 1e-4}


def ours(X, ks):
    """Inertia at each k."""
    source, seed = InMemory.of(Block.of(X)), np.random.SeedSequence(0)
    runs = best_runs(source, ks, get_metric("euclidean"), seed=seed, **OPTIONS)
    return np.array([runs[k].inertia for k in ks])


def theirs(estimator, X, ks):
    """Inertia at each k of a scikit-learn estimator, in a loop."""
    fits = [estimator(k, random_state=0, **OPTIONS).fit(X[..., 0]) for k in ks]
    return np.array([fit.inertia_ for fit in fits])


def of_tslearn(X, k):
    """Inertia of tslearn, which divides it by the number of profiles."""
    fit = TimeSeriesKMeans(k, random_state=0, **OPTIONS).fit(X)
    return fit.inertia_ * len(X)


def single(k, **more):
    """Fit one k by all."""
    X = profiles(65_160, 80)
    compare(
        lambda: ours(X, [k]),
        quality=np.ravel,
        scikit_learn=lambda: theirs(sklearn.cluster.KMeans, X, [k]),
        scikit_learn_intelex_float32=lambda: theirs(IntelKMeans, X, [k]),
        tslearn=lambda: of_tslearn(X, k),
    )


def fit_20():
    """k = 20, 10 restarts, 65,160 profiles of 80 levels"""
    single(20)


def fit_8():
    """k = 8, 10 restarts, 65,160 profiles of 80 levels"""
    single(8)


def sweep():
    """k = 2 to 20, 10 restarts each, 65,160 profiles of 80 levels; the worst k counts"""
    X = profiles(65_160, 80)
    assert np.all(np.diff(ours(X, KS)) < 0)
    compare(
        lambda: ours(X, KS),
        quality=np.ravel,
        scikit_learn=lambda: theirs(sklearn.cluster.KMeans, X, KS),
        scikit_learn_intelex_float32=lambda: theirs(IntelKMeans, X, KS),
    )


def from_file():
    """kmeans(8) from a NetCDF file of 80 x 181 x 360 to all statistics, beside tslearn's fit"""
    warnings.filterwarnings("ignore", message="h5py not installed")
    model = globe()
    stacked = model.values.reshape(80, -1).T[..., None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.nc"
        model.to_netcdf(path)

        def whole():
            with xr.open_dataset(path) as data:
                return xvcluster.kmeans(data["vs"], 8, n_init=10).inertia

        compare(whole, quality=float, tslearn_fit=lambda: of_tslearn(stacked, 8))


def stability():
    """50 bootstrap refits at k = 6, 65,160 profiles of 80 levels, beside one fit from one start"""
    model = globe()

    def fit():
        return xvcluster.kmeans(model, 6, n_init=1)

    result = fit()
    once = seconds_of(fit, 9)
    again = seconds_of(lambda: result.stability(50), 3)
    print("| | median s | times one fit |\n| --- | --- | --- |")
    print(f"| one fit | {once:.3g} | 1 |\n| 50 refits | {again:.3g} | {again / once:.3g} |")


ROWS = {
    "fit-8": fit_8,
    "fit-20": fit_20,
    "sweep": sweep,
    "from-file": from_file,
    "stability": stability,
}
