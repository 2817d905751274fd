"""The main job on four real files, with no option but the number of clusters."""

import numpy as np
import pytest
import xarray as xr

import xvcluster  # noqa: F401  (registers .vcluster)

FILES = {
    "emc_pnw10-s.nc": ["vs"],
    "emc_wus-sh-2010.nc": ["dvs", "dvp"],
    "levitus_1deg.nc": ["TEMP", "SALT"],
    "tpw_201910.nc": ["precipitable_water"],
}


def raw(path, name):
    """Values as they stand in the file."""
    with xr.open_dataset(path, mask_and_scale=False) as dataset:
        return dataset[name].load()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:35,281 of 42,164 profiles with data are incomplete")
def test_kmeans_clusters_a_file(shared_data, file):
    names = FILES[file]
    with xr.open_dataset(shared_data / file) as dataset:
        data = dataset[names if len(names) > 1 else names[0]].load()
    before = data.copy(deep=True)
    labels, centroids = result = data.vcluster.kmeans(6)
    xr.testing.assert_identical(data, before)
    assert set(np.unique(labels.values[labels.notnull()])) == {1, 2, 3, 4, 5, 6}
    dims = data.dims if isinstance(data, xr.DataArray) else data[names[0]].dims
    assert labels.dims == tuple(d for d in dims if d != "depth")
    complete = xr.ones_like(labels, dtype=bool)
    for name in names:
        values = raw(shared_data / file, name)
        valid = (abs(values) < 90000) & (values > -400)
        complete = complete & (valid.all("depth") if "depth" in valid.dims else valid)
    np.testing.assert_array_equal(labels.notnull(), complete)
    first = centroids[names[0]]
    assert bool(first.notnull().all())
    means = first if first.ndim == 1 else first.mean("depth")
    assert bool((means.diff("cluster") > 0).all())
    assert result.dataset["count"].sum() == complete.sum()


def test_kmeans_gives_the_centroids_of_an_emc_model_in_its_units(shared_data):
    with xr.open_dataset(shared_data / "emc_pnw10-s.nc") as dataset:
        labels, centroids = dataset["vs"].vcluster.kmeans(6)
        members = [dataset["vs"].where(labels == c) for c in range(1, 7)]
        means = [m.mean(["latitude", "longitude"], dtype="float64") for m in members]
    assert centroids["vs"].attrs["units"] == "km.s-1"
    # the last pass moves centroids by less than tol
    np.testing.assert_allclose(centroids["vs"], means, rtol=2e-4)
    assert bool((labels["longitude"].diff("longitude") < 0).all())


def test_kmeans_clusters_neither_ice_nor_land_of_tpw(shared_data):
    path = shared_data / "tpw_201910.nc"
    values = raw(path, "precipitable_water")
    with xr.open_dataset(path) as dataset:
        result = dataset["precipitable_water"].vcluster.kmeans(6)
    ice, land = values == -500, values == -999
    assert int(ice.sum()) > 0
    assert int(land.sum()) > 0
    np.testing.assert_array_equal(result.labels.notnull(), ~(ice | land))
    assert int(result.labels.notnull().sum()) == 33066
    status = result.dataset["status"]
    np.testing.assert_array_equal(status == 3, ice)
    np.testing.assert_array_equal(status == 1, land)
    assert float(result.centroids["precipitable_water"].min()) > 0
    assert result.labels.dims == ("time", "latitude", "longitude")


def test_prepare_keeps_ice_and_land_of_tpw_out(shared_data):
    with xr.open_dataset(shared_data / "tpw_201910.nc") as dataset:
        prepared = dataset["precipitable_water"].vcluster.prepare(stride=2)
    values = raw(shared_data / "tpw_201910.nc", "precipitable_water")[:, ::2, ::2]
    np.testing.assert_array_equal(prepared.notnull(), values >= 0)


def test_kmeans_labels_exactly_the_complete_profiles_of_levitus(shared_data):
    path = shared_data / "levitus_1deg.nc"
    with xr.open_dataset(path) as dataset:
        data = dataset["TEMP"].vcluster.prepare(depth=slice(0, 1000))
        result = data.vcluster.kmeans(6)
    depth = data["depth"]
    assert depth[[0, -1]].values.tolist() == [0, 1000]
    values = raw(path, "TEMP").sel(depth=depth)
    complete = (values > -1e9).all("depth")
    np.testing.assert_array_equal(result.labels.notnull(), complete)
    assert 0 < int(complete.sum()) < complete.size
    status = result.dataset["status"]
    np.testing.assert_array_equal(status == 1, (values < -1e9).all("depth"))
