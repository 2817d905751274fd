"""A small model with three clear groups, and where the real files lie."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from xvcluster.algorithms.blocks import Block

mpl.use("Agg")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
GROUP_MEANS = (3.0, 4.0, 5.0)


def make_model(n_depth=5, n_latitude=7, n_longitude=9):
    """Shear velocity in three groups of columns, 1 km/s apart, that spread by a few m/s."""
    rng = np.random.default_rng(0)
    group = np.arange(n_latitude * n_longitude).reshape(n_latitude, n_longitude) % 5 // 2
    depth = np.linspace(0.0, 10.0 * (n_depth - 1), n_depth)
    values = np.array(GROUP_MEANS)[group] + 0.01 * depth[:, None, None]
    values = values + rng.normal(0.0, 0.005, values.shape)
    return xr.DataArray(
        values.astype("float32"),
        dims=("depth", "latitude", "longitude"),
        coords={
            "depth": ("depth", depth, {"units": "km", "positive": "down"}),
            "latitude": ("latitude", 35.0 + np.arange(n_latitude), {"units": "degrees_north"}),
            "longitude": ("longitude", -120.0 + np.arange(n_longitude), {"units": "degrees_east"}),
        },
        name="vs",
        attrs={"long_name": "shear velocity", "units": "km/s"},
    )


@pytest.fixture
def model():
    """A model (depth, latitude, longitude), complete, of which k-means with 3 is certain."""
    return make_model()


@pytest.fixture
def rough_model():
    """A model in no clear groups, with a column of no data and one with a gap."""
    model = make_model(6, 12, 11)
    steps = np.random.default_rng(1).normal(0.0, 0.2, model.shape).cumsum(axis=0)
    rough = model.copy(data=(model.values + steps).astype("float32"))
    rough[:, 0, 0] = np.nan
    rough[2, 3, 4] = np.nan
    return rough


@pytest.fixture
def two_variables(rough_model):
    """Velocity and density, which differ in scale and in where they have gaps."""
    noise = np.random.default_rng(2).normal(0.0, 60.0, rough_model.shape)
    attrs = {"long_name": "density", "units": "kg m-3"}
    density = (2000 + 200 * rough_model + noise).astype("float32").assign_attrs(attrs)
    density[4, 7, 7] = np.nan
    return xr.Dataset({"vs": rough_model, "rho": density}, attrs={"title": "made", "id": "X-1"})


@pytest.fixture
def bent_model(rough_model):
    """The rough model on a curved grid, with latitude and longitude in two dimensions."""
    south, east = rough_model["latitude"].values[:, None], rough_model["longitude"].values
    bare = rough_model.drop_vars(["latitude", "longitude"]).rename(latitude="y", longitude="x")
    return bare.assign_coords(
        lat=(("y", "x"), south + 0.02 * (east + 120), {"units": "degrees_north"}),
        lon=(("y", "x"), east + 0.03 * (south - 35), {"units": "degrees_east"}),
    )


@pytest.fixture
def shared_data():
    """The folder of the real files, which are not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real files are not there: {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def small_sample(monkeypatch):
    """Samples so small that fits of the models above pass over all of their chunks.

    Every cluster has few members in them, so that quantiles are those of all members.
    """
    from xvcluster.algorithms import source
    from xvcluster.algorithms.metrics import DynamicTimeWarping, Euclidean
    from xvcluster.profiles import chunks

    monkeypatch.setattr(source, "_LEAST_SAMPLE", 40)
    monkeypatch.setattr(source, "_MOST_SAMPLE", 60)
    monkeypatch.setattr(source, "_SAMPLE_BYTES", 1)
    monkeypatch.setattr(chunks, "_FEW", 1e-9)
    for metric in (Euclidean, DynamicTimeWarping):
        monkeypatch.setattr(metric, "sample_size", 30)
        monkeypatch.setattr(metric, "settled_size", 40)


@pytest.fixture
def computed():
    """What dask computed so far in a test: the keys of each computation, in a list that grows."""
    import dask

    asked = []

    def note_and_get(graph, keys, **options):
        asked.append(keys)
        return dask.get(graph, keys, **options)

    with dask.config.set(scheduler=note_and_get):
        yield asked


@pytest.fixture
def agree():
    """Asserts that two results are equal up to rounding."""
    return assert_agree


def assert_agree(found, expected):
    found, expected = found.dataset.compute(), expected.dataset
    assert set(found.variables) == set(expected.variables)
    for name, array in expected.data_vars.items():
        own = found[name]
        assert (own.dims, own.dtype) == (array.dims, array.dtype), name
        loose = str(name) in ("distance", "margin")
        rtol, atol = (1e-4, 1e-5) if loose else (1e-6, 1e-9)
        np.testing.assert_allclose(own, array, rtol, atol, err_msg=str(name))


@pytest.fixture
def block():
    """Weighted profiles far from 0, with a level that does not vary and some of weight 0."""
    rng = np.random.default_rng(0)
    values = rng.normal(5000.0, 1.0, (300, 4, 2)).astype("float32")
    values[:, 1, 0] = 0.1  # a level that does not vary
    weights = rng.uniform(0.5, 2.0, 300)
    weights[100:140] = 0.0
    return Block(values, weights)
