from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from xvcluster import tutorial

LEVITUS = Path(__file__).resolve().parents[2] / "shared" / "data" / "levitus_1deg.nc"


@pytest.fixture(scope="module")
def model():
    return tutorial.tomography()


@pytest.fixture(scope="module")
def sea():
    return tutorial.ocean()


@pytest.fixture(scope="module")
def source():
    if not LEVITUS.exists():
        pytest.skip(f"needs the 1° Levitus climatology, which is not at {LEVITUS}")
    return xr.load_dataset(LEVITUS)


def test_tomography_is_the_same_on_every_call(model):
    xr.testing.assert_identical(tutorial.tomography(), model)


def test_tomography_has_labelled_dims_and_units(model):
    assert model["vs"].dims == ("depth", "latitude", "longitude")
    assert model["vs"].dtype == model["vp"].dtype == np.float32
    assert model["vs"].attrs["units"] == model["vp"].attrs["units"] == "km/s"
    assert model["depth"].attrs["positive"] == "down"
    assert not model.isnull().any().to_array().any()


def test_tomography_says_that_it_is_synthetic(model):
    assert "not an observation" in model.attrs["title"]
    assert "do not interpret" in model.attrs["comment"]


def test_tomography_velocities_are_plausible(model):
    vs, ratio = model["vs"], model["vp"] / model["vs"]
    land = model["province"] != province_number(model, "pacific_ocean")
    crust = vs.sel(depth=slice(5, 15)).where(land)
    mantle = vs.sel(depth=slice(80, 200))
    assert vs.min() > 2.7
    assert vs.max() < 4.8
    assert crust.min() > 3.0
    assert crust.max() < 4.0
    assert mantle.min() > 3.95
    assert ratio.min() > 1.7
    assert ratio.max() < 1.9


def test_tomography_provinces_differ_as_they_should(model):
    means = model["vs"].groupby(model["province"]).mean()
    means = means.assign_coords(province=model["province"].attrs["flag_meanings"].split())
    assert means.sel(depth=15).idxmax("province") == "pacific_ocean"
    assert means.sel(depth=100).idxmax("province") == "great_plains_and_wyoming"
    assert means.sel(depth=80).idxmin("province") == "basin_and_range"
    # a thick crust: still crustal where the Basin and Range has long been mantle
    assert means.sel(province="colorado_plateau_and_southern_rockies", depth=35) < 4.0
    assert means.sel(province="basin_and_range", depth=35) > 4.0


def test_tomography_provinces_are_all_there_and_named(model):
    province = model["province"]
    meanings = province.attrs["flag_meanings"].split()
    np.testing.assert_array_equal(np.unique(province), province.attrs["flag_values"])
    assert len(meanings) == len(province.attrs["flag_values"]) == 6


@pytest.mark.parametrize(
    ("longitude", "latitude", "name"),
    [
        (-127, 44, "pacific_ocean"),
        (-123.5, 45, "pacific_margin"),
        (-116.5, 39.5, "basin_and_range"),
        (-110, 37, "colorado_plateau_and_southern_rockies"),
        (-118, 47, "columbia_plateau_and_northern_rockies"),
        (-102, 42, "great_plains_and_wyoming"),
    ],
)
def test_tomography_provinces_lie_where_they_do(model, longitude, latitude, name):
    found = model["province"].sel(longitude=longitude, latitude=latitude, method="nearest")
    assert found == province_number(model, name)


@pytest.mark.parametrize("depth", [slice(0, 200), slice(5, 60)])
def test_tomography_provinces_are_found_by_kmeans_but_not_trivially(model, depth):
    profiles = model["vs"].sel(depth=depth).stack(profile=("latitude", "longitude"))
    labels = KMeans(6, n_init=10, random_state=0).fit_predict(
        profiles.transpose("profile", "depth")
    )
    agreement = adjusted_rand_score(model["province"].values.ravel(), labels)
    assert 0.85 < agreement < 0.97


def test_tomography_is_one_model_at_any_resolution(model):
    coarse = tutorial.tomography(resolution=0.5)
    fine = model.sel(latitude=coarse["latitude"], longitude=coarse["longitude"])
    # away from the edges of provinces, which a coarser grid blends a little differently
    assert np.abs(coarse["vs"] - fine["vs"]).median() < 0.005
    assert (coarse["province"] == fine["province"]).all()


@pytest.mark.parametrize("resolution", [0, -1, 2.5, float("nan")])
def test_tomography_refuses_an_odd_resolution(resolution):
    with pytest.raises(ValueError, match=f"resolution is {resolution} degrees.*from 0.02 to 2"):
        tutorial.tomography(resolution=resolution)


def province_number(model, name):
    return model["province"].attrs["flag_meanings"].split().index(name) + 1


def test_ocean_has_labelled_dims_and_units(sea):
    assert dict(sea.sizes) == {"depth": 20, "latitude": 90, "longitude": 180}
    assert sea["temperature"].attrs["units"] == "degree_Celsius"
    assert sea["temperature"].attrs["standard_name"] == "sea_water_temperature"
    assert sea["salinity"].attrs["standard_name"] == "sea_water_salinity"
    assert sea["depth"].attrs["positive"] == "down"
    assert "Levitus, S. (1982)" in sea.attrs["reference"]
    assert sea.attrs["license"] == "public domain"


def test_ocean_is_decoded_and_keeps_no_packing(sea):
    for name in ("temperature", "salinity"):
        assert sea[name].dtype == np.float32
        assert sea[name].encoding == {}


def test_ocean_values_are_plausible(sea):
    assert sea["temperature"].min() > -2.1
    assert sea["temperature"].max() < 30
    assert sea["salinity"].min() > 0
    assert sea["salinity"].max() < 41


def test_ocean_profiles_end_where_the_sea_floor_is(sea):
    wet = sea["temperature"].notnull().astype(int)
    assert (wet.diff("depth") <= 0).all()
    assert (sea["temperature"].isnull() == sea["salinity"].isnull()).all()


def test_ocean_does_not_share_memory_between_calls(sea):
    other = tutorial.ocean()
    other["temperature"][:] = 0
    xr.testing.assert_identical(tutorial.ocean(), sea)


def test_ocean_file_is_small():
    path = files("xvcluster") / "data" / "levitus_2deg.nc"
    assert len(path.read_bytes()) < 500_000


@pytest.mark.parametrize(("name", "original"), [("temperature", "TEMP"), ("salinity", "SALT")])
def test_ocean_is_the_mean_of_the_source(sea, source, name, original):
    blocks = (
        source[original].values.reshape(20, 90, 2, 180, 2).swapaxes(2, 3).reshape(20, 90, 180, 4)
    )
    wet = np.isfinite(blocks).sum(axis=-1)
    mean = np.nansum(blocks, axis=-1) / np.where(wet == 0, np.nan, wet)
    # half a step of the packing, and the rounding of float32
    np.testing.assert_allclose(sea[name], np.where(wet >= 2, mean, np.nan), atol=0.0011)
    np.testing.assert_allclose(
        sea["latitude"], source["latitude"].values.reshape(-1, 2).mean(axis=1)
    )
