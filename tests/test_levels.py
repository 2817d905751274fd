"""Verticals that are no numbers: by position through every method, and named in the result."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import xvcluster

NAMES = ["B02", "B03", "B8A", "B04", "B12"]
METHODS = {
    "kmeans": lambda data, dim: data.vcluster.kmeans(3, n_init=2, dim=dim),
    "dtw": lambda data, dim: data.vcluster.kmeans(3, metric="dtw", window=1, n_init=1, dim=dim),
    "som": lambda data, dim: data.vcluster.som(
        (2, 2), algorithm="online", n_iterations=300, dim=dim
    ),
    "gmm": lambda data, dim: data.vcluster.gmm(3, covariance="diag", dim=dim),
    "sweep": lambda data, dim: data.vcluster.sweep(range(1, 7), n_init=1, dim=dim).result(3),
}


def months(calendar):
    return xr.date_range("2001-01-01", periods=5, freq="MS", calendar=calendar, use_cftime=True)


def index(names):
    pairs = pd.MultiIndex.from_product([["red", "green"], names], names=["colour", "season"])[:5]
    return xr.Coordinates.from_pandas_multiindex(pairs, "z")


COORDINATES = {
    "none": {},
    "text": {"z": NAMES},
    "bytes": {"z": np.array(NAMES, "S3")},
    "objects": {"z": np.array(NAMES, object)},
    "dates": {"z": pd.date_range("2001-01-01", periods=5, freq="MS")},
    "durations": {"z": pd.to_timedelta([0, 1, 2, 3, 10], "D")},
    "noleap": {"z": months("noleap")},
    "360_day": {"z": months("360_day")},
    "MultiIndex": index(["DJF", "MAM", "JJA"]),
    "varying": {"z": (("z", "latitude"), np.ones((5, 7)), {"positive": "up"})},
    "text beside": {"name": ("z", NAMES)},
}


@pytest.fixture(params=COORDINATES)
def named(request, model):
    """The model with another vertical, which is no depth."""
    bare = model.rename(depth="z").drop_vars("z")
    return bare.assign_coords(COORDINATES[request.param])


@pytest.mark.parametrize("method", METHODS)
def test_levels_without_numbers_are_clustered_by_position(named, model, method, tmp_path):
    result = METHODS[method](named, "z")
    expected = METHODS[method](model, "depth")
    np.testing.assert_array_equal(result.labels, expected.labels)
    np.testing.assert_array_equal(result.centroids["vs"], expected.centroids["vs"])
    xr.testing.assert_identical(result.predict(named, "z"), result.labels)
    assert result.table().shape == expected.table().shape
    assert "3 clusters of 63 profiles" in repr(result) or method == "som"
    assert result.model is not None
    for path, write in (("r.nc", result.to_netcdf), ("r.zarr", result.to_zarr)):
        write(tmp_path / path)
        again = xvcluster.open_result(tmp_path / path)
        xr.testing.assert_identical(again.dataset.compute(), result.dataset)
        xr.testing.assert_identical(again.predict(named, "z"), result.labels)


def test_names_are_kept_on_the_centroids(named):
    centroids = named.vcluster.kmeans(3, dim="z").centroids
    kept = {n: c for n, c in named.coords.items() if c.dims == ("z",)}
    if isinstance(named.indexes.get("z"), pd.MultiIndex):
        kept.pop("z")
    assert set(kept) == {n for n, c in centroids["vs"].coords.items() if c.dims == ("z",)}
    for name, coordinate in kept.items():
        text = [v.decode() if isinstance(v, bytes) else v for v in coordinate.values.tolist()]
        assert centroids[name].values.tolist() == text


def test_predict_finds_levels_by_their_names(model):
    named = model.rename(depth="band").assign_coords(band=NAMES)
    result = named.vcluster.kmeans(3, dim="band")
    more = xr.concat([named[::-1], named[:1].assign_coords(band=["B99"])], "band")
    xr.testing.assert_equal(result.predict(more, "band"), result.labels)
    with pytest.raises(
        ValueError, match=r"has the levels B02, B03, .* but the data have B02, B03,"
    ):
        result.predict(named[:4], "band")


def test_predict_never_takes_an_index_for_depth(model):
    bare = model.drop_vars("depth")
    result = bare.vcluster.kmeans(3)
    with pytest.raises(
        ValueError, match=r"result has 5 levels that are only counted, .*data have 4"
    ):
        result.predict(bare[:4])
    with pytest.raises(ValueError, match="levels of the result are only counted, but those of the"):
        result.predict(model)
    with pytest.raises(ValueError, match="levels of the data are only counted, but those of the r"):
        model.vcluster.kmeans(3).predict(bare)


def test_predict_interpolates_between_dates(model):
    dates = np.datetime64("2001-01-01", "ns") + model["depth"].values.astype("timedelta64[D]")
    data = model.rename(depth="time").assign_coords(time=dates)
    result = data.isel(time=[1, 3]).vcluster.kmeans(3, dim="time")
    expected = model.isel(depth=[1, 3]).vcluster.kmeans(3)
    every_20_days = data.isel(time=[0, 2, 4])
    found = result.predict(every_20_days, "time")
    np.testing.assert_array_equal(found, expected.predict(model.isel(depth=[0, 2, 4])))
    with pytest.raises(ValueError, match="the data are dates of the calendar 'noleap', those of"):
        result.predict(data.convert_calendar("noleap", use_cftime=True), "time")
    with pytest.raises(
        ValueError, match=r"from 2001-01-11.* to 2001-01-31.* cover only 2001-01-21"
    ):
        result.predict(data.isel(time=slice(2, None)), "time")


@pytest.mark.parametrize("times", [NAMES, None])
def test_thickness_is_refused_where_there_is_none(model, times):
    data = model.drop_vars("depth") if times is None else model.assign_coords(depth=times)
    with pytest.raises(ValueError, match="level_weights='thickness' cannot be applied: the "):
        data.vcluster.kmeans(3, level_weights="thickness")
    given = xr.DataArray([1.0, 2, 3, 4, 5], dims="depth")
    assert data.vcluster.kmeans(3, level_weights=given).n_clusters == 3


def test_thickness_of_months_is_their_length(model):
    found = []
    for times in (pd.date_range("2001-01-01", periods=5, freq="MS"), months("noleap")):
        data = model.rename(depth="time").assign_coords(time=times)
        result = data.vcluster.kmeans(3, level_weights="thickness", dim="time")
        found.append(result.dataset["level_weight"].values)
    days = np.array([31, 29.5, 29.5, 30.5, 30])  # halfway to the middle of the months around
    np.testing.assert_allclose(found, [days / days.mean()] * 2)


def test_an_array_named_like_its_dimension_is_clustered(model):
    named = model.rename(depth="band").rename("band")
    for data in (named, named.drop_vars("band"), named.assign_coords(band=NAMES)):
        result = data.vcluster.kmeans(3, dim="band")
        assert result.parameters["variables"] == ["value"]
        assert result.centroids["value"].dims == ("cluster", "band")
        xr.testing.assert_equal(result.predict(data, "band"), result.labels)


@pytest.mark.parametrize("dim", ["node", "k", "component"])
def test_names_that_other_methods_need_are_free(model, dim, tmp_path):
    points = model.isel(latitude=0, drop=True).rename(longitude=dim)
    result = points.vcluster.kmeans(3, dim="depth")
    assert result.labels.dims == (dim,)
    result.to_netcdf(tmp_path / "r.nc")
    again = xvcluster.open_result(tmp_path / "r.nc")
    xr.testing.assert_equal(again.predict(points, "depth"), result.labels)


def test_names_are_refused_where_they_clash(model):
    points = model.isel(latitude=0, drop=True)
    taken = {
        "node": lambda data: data.vcluster.som((2, 2), dim="depth"),
        "k": lambda data: data.vcluster.sweep([2, 3], dim="depth"),
        "component": lambda data: data.vcluster.gmm(2, dim="depth"),
    }
    for name, method in taken.items():
        with pytest.raises(ValueError, match=f"use the name '{name}', which the result has"):
            method(points.rename(longitude=name))
