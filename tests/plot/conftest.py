"""Small results by the schema of ClusterResult.dataset, and a watch over open figures."""

import json

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

mpl.use("Agg")

QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]


@pytest.fixture(autouse=True)
def figures_closed_and_settings_kept():
    import matplotlib.pyplot as plt

    plt.close("all")
    before = dict(mpl.rcParams)
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert left == [], "the test left figures open"
    assert dict(mpl.rcParams) == before, "rcParams changed"


@pytest.fixture
def close():
    """Close a figure, or that of axes, after the test; drawn, its layout is final."""
    import matplotlib.pyplot as plt

    figures = []

    def remember(drawing, *, drawn=False):
        figures.append(drawing if hasattr(drawing, "canvas") else drawing.figure)
        if drawn:
            figures[-1].canvas.draw()
        return drawing

    yield remember
    for figure in figures:
        plt.close(figure)


def make_labels(lat, lon, k=4, *, names=("latitude", "longitude"), missing=False):
    """Labels 1..k on a grid, with the attributes of a k-means result."""
    shape = (len(lat), len(lon))
    values = (np.arange(shape[0] * shape[1]) % k + 1).reshape(shape).astype("float32")
    if missing:
        values[0, 0] = np.nan
    attrs = {
        "long_name": "cluster",
        "flag_values": np.arange(1, k + 1, dtype="int16"),
        "flag_meanings": " ".join(f"cluster_{number}" for number in range(1, k + 1)),
        "ordered_by": "mean of vs (km/s), lowest first",
    }
    coords = {
        names[0]: (names[0], np.asarray(lat, float), {"units": "degrees_north"}),
        names[1]: (names[1], np.asarray(lon, float), {"units": "degrees_east"}),
    }
    return xr.DataArray(values, dims=names, coords=coords, name="label", attrs=attrs)


def make_result(k=4, *, variables=("vs",), vertical="depth", positive="down", labels=None):
    """A result of k-means in which everything but the labels is made up."""
    if labels is None:
        labels = make_labels(np.arange(35.0, 45.0), np.arange(-120.0, -105.0), k, missing=True)
    dims = ("cluster",) if vertical is None else ("cluster", vertical)
    shape = (k,) if vertical is None else (k, 6)
    base = np.arange(1.0, k + 1).reshape(-1, *[1] * (len(dims) - 1)) + np.zeros(shape)
    dataset = xr.Dataset({"label": labels})
    for name in variables:
        attrs = {"long_name": f"velocity {name}", "units": "km/s"}
        spread = np.stack([base + shift for shift in (-0.4, -0.2, 0.0, 0.2, 0.4)])
        dataset[name] = (dims, base, attrs)
        dataset[f"{name}_std"] = (dims, 0.2 + 0 * base, attrs)
        dataset[f"{name}_quantile"] = (("quantile", *dims), spread, attrs)
        for ending, value in (("offset", 3.0), ("scale", 2.0 if len(variables) > 1 else 1.0)):
            dataset[f"{name}_{ending}"] = (dims[1:], np.full(shape[1:], value))
    units = {"units": "km/s"} if len(variables) == 1 else {}
    dataset["distance"] = xr.zeros_like(labels).drop_attrs(deep=False).assign_attrs(units)
    dataset = dataset.assign_coords(cluster=np.arange(1, k + 1), quantile=QUANTILES)
    if vertical is not None:
        attrs = {"long_name": "depth", "units": "km"}
        attrs |= {"positive": positive} if positive else {}
        dataset = dataset.assign_coords({vertical: (vertical, np.arange(0.0, 60.0, 10.0), attrs)})
    dataset["count"] = ("cluster", np.full(k, 10))
    dataset["area"] = ("cluster", np.arange(1.0, k + 1), {"units": "km2"})
    settings = {
        "method": "k-means",
        "n_clusters": k,
        "variables": list(variables),
        "vertical": vertical,
    }
    return dataset.assign_attrs(method="k-means", parameters=json.dumps(settings))


def make_som(n_rows=3, n_columns=4, *, merged=None, vertical="depth", variables=("vs",)):
    """A result of a SOM, its nodes merged into clusters or not."""
    n_nodes = n_rows * n_columns
    dataset = make_result(merged or n_nodes, vertical=vertical, variables=variables)
    nodes = make_result(n_nodes, vertical=vertical, variables=variables)
    node = np.arange(n_nodes)
    for name in variables:
        dims = ("node",) if vertical is None else ("node", vertical)
        dataset[f"{name}_node"] = (dims, nodes[name].values, nodes[name].attrs)
    dataset["node_cluster"] = ("node", node + 1 if merged is None else node * merged // n_nodes + 1)
    dataset["node_count"] = ("node", 10 * node)
    dataset = dataset.assign_coords(
        node=node + 1, som_row=("node", node // n_columns), som_column=("node", node % n_columns)
    )
    if merged is None:
        names = " ".join(f"node_{number}" for number in range(1, n_nodes + 1))
        dataset["label"].attrs.pop("ordered_by")
        dataset["label"].attrs |= {
            "som_shape": np.array([n_rows, n_columns]),
            "flag_meanings": names,
        }
    return dataset.assign_attrs(method="som")


def make_sweep(ks=(2, 3, 4, 5)):
    """The dataset of a sweep."""
    lat, lon = np.arange(35.0, 45.0), np.arange(-120.0, -105.0)
    labels = [make_labels(lat, lon, k).drop_attrs() for k in ks]
    return xr.Dataset(
        {
            "label": xr.concat(labels, xr.DataArray(list(ks), dims="k", name="k")),
            "inertia": ("k", 100.0 / np.array(ks), {"long_name": "inertia"}),
            "silhouette": ("k", 1.0 / np.array(ks), {"long_name": "silhouette"}),
        },
        attrs={"best_k": 3, "best_k_by": "knee"},
    )


def make_field(seed=0, shape=(9, 12)):
    """A smooth field of three levels."""
    noise = np.random.default_rng(seed).normal(size=(3, *shape))
    values = gaussian_filter(noise, (0, 1.5, 1.5))
    coords = {
        "depth": ("depth", [0.0, 10.0, 20.0], {"units": "km"}),
        "lat": 40.0 + np.arange(shape[0]),
        "lon": 5.0 + np.arange(shape[1]),
    }
    attrs = {"units": "km/s"}
    return xr.DataArray(values, coords, ("depth", "lat", "lon"), name="vs", attrs=attrs)


@pytest.fixture
def labels_of():
    return make_labels


@pytest.fixture
def result_of():
    return make_result


@pytest.fixture
def som_of():
    return make_som


@pytest.fixture
def sweep_of():
    return make_sweep


@pytest.fixture
def field_of():
    return make_field
