"""What SeisGo does, point by point, in loops over tslearn and MiniSom; and models to do it with."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from minisom import MiniSom

from xvcluster import tutorial
from xvcluster.algorithms.metrics import import_tslearn_kmeans


def _loop_profiles(lat, lon, depth, model, spacing=1, zrange=None, dz=None):
    low, high = (depth.min(), depth.max()) if zrange is None else zrange
    taken = (depth >= low) & (depth <= high)
    depth = depth[taken]
    even = depth if dz is None else np.arange(depth.min(), depth.max() + 0.5 * dz, dz)
    profiles, places = [], []
    for i in range(0, len(lat), spacing):
        for j in range(0, len(lon), spacing):
            profile = model[taken, i, j].astype(float)
            if np.isnan(profile).any():
                continue
            profiles.append(profile if dz is None else np.interp(even, depth, profile))
            places.append((lat[i], lon[j]))
    return np.array(profiles), even, places


def _loop_fit(profiles, k, metric="euclidean"):
    kmeans = import_tslearn_kmeans()
    model = kmeans(n_clusters=k, n_jobs=1, metric=metric, max_iter_barycenter=100, random_state=0)
    return model, model.fit_predict(profiles[:, :, None])


def _loop_kmean(axes, k, metric="euclidean", **extraction):
    profiles, depth, places = _loop_profiles(*axes, **extraction)
    model, labels = _loop_fit(profiles, k, metric)
    table = pd.DataFrame(
        [[*place, label + 1] for place, label in zip(places, labels, strict=True)],
        columns=["lat", "lon", "cluster"],
    )
    members = [np.array([profiles[labels == c].T]) for c in range(k)]
    return {"depth": depth, "cluster_map": table, "pred": members, "model": model}


def _loop_som(axes, shape, seed, n, spacing=1):
    profiles, depth, places = _loop_profiles(*axes, spacing=spacing)
    model = MiniSom(*shape, len(depth), sigma=0.3, learning_rate=0.1, random_seed=seed)
    model.random_weights_init(profiles)
    model.train(profiles, n)
    winners = [tuple(map(int, model.winner(profile))) for profile in profiles]
    table = pd.DataFrame(
        [[*p, x * shape[1] + y + 1] for p, (x, y) in zip(places, winners, strict=True)],
        columns=["lat", "lon", "cluster"],
    )
    nodes = [(x, y) for x in range(shape[0]) for y in range(shape[1]) if (x, y) in winners]
    members = [[p for p, w in zip(profiles, winners, strict=True) if w == n] for n in nodes]
    return {"depth": depth, "cluster_map": table, "pred": members, "model": model}


def _assert_same(outcome, expected):
    pd.testing.assert_frame_equal(outcome["cluster_map"], expected["cluster_map"])
    np.testing.assert_array_equal(outcome["depth"], expected["depth"])
    assert outcome["depth"].dtype == expected["depth"].dtype
    assert len(outcome["pred"]) == len(expected["pred"])
    for own, other in zip(outcome["pred"], expected["pred"], strict=True):
        np.testing.assert_array_equal(own, other)


def _figures_of(call, *args, **options):
    """The panels' and the map's figure of a call, which leaves them open."""
    import matplotlib.pyplot as plt

    outcome = call(*args, savefig=False, save=False, **options)
    return outcome, *(plt.figure(n) for n in plt.get_fignums())


def axes_of(vs):
    return vs["latitude"].values, vs["longitude"].values, vs["depth"].values, vs.values


@pytest.fixture(scope="module")
def made():
    """The tutorial's model at 1 degree, with some profiles that have gaps."""
    vs = tutorial.tomography(resolution=1.0)["vs"].copy()
    vs[:, 0, 0] = np.nan
    vs[3, 4, 5] = np.nan
    vs[-1, 7, 2] = np.nan
    return axes_of(vs)


@pytest.fixture
def cascadia(shared_data):
    with xr.open_dataset(shared_data / "emc_pnw10-s.nc") as dataset:
        return axes_of(dataset["vs"].load())


@pytest.fixture(params=["made", "cascadia"])
def axes(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def close():
    """Close all figures after the test, and give the numbers of those open."""
    import matplotlib.pyplot as plt

    plt.close("all")
    yield plt.get_fignums
    plt.close("all")


@pytest.fixture
def loop_profiles():
    return _loop_profiles


@pytest.fixture
def loop_fit():
    return _loop_fit


@pytest.fixture
def loop_kmean():
    return _loop_kmean


@pytest.fixture
def loop_som():
    return _loop_som


@pytest.fixture
def assert_same():
    return _assert_same


@pytest.fixture
def figures_of():
    return _figures_of
