"""Times in files: what cannot be decoded stays a number, and results come back as they were."""

import warnings

import cftime
import netCDF4
import numpy as np
import pytest
import xarray as xr

import xvcluster
from xvcluster.record import times

MONTHS = ([0.5, 1.5], {"units": "months since 1900-01-01"})
TIMES = {
    "months": MONTHS,
    "days, never decoded": ([1, 2], {"units": "days since 2000-01-01"}),
    "noleap, never decoded": ([1.0, 2.0], {"units": "days since 2000-01-01", "calendar": "noleap"}),
    "unknown calendar": ([1.0, 2.0], {"units": "days since 2000-01-01", "calendar": "martian"}),
    "garbage": ([1.0, 2.0], {"units": "eons since the bang"}),
    "lengths": ([1, 2], {"units": "days"}),
    "lengths, never decoded": ([1, 2], {"units": "days", "dtype": "timedelta64[ns]"}),
    "number as units": ([1, 2], {"units": 5}),
    "cftime": ([cftime.DatetimeGregorian(2000, 1, n) for n in (1, 2)], {}),
    "360 days": ([cftime.Datetime360Day(2500, 2, n) for n in (29, 30)], {}),
    "beyond 2262": (np.array(["3000-01-01", "3000-01-02"], "M8[s]"), {}),
    "masked": (np.array(["2000-01-01", "NaT"], "M8[ns]"), {}),
    "timedelta": (np.array([1, 2], "m8[D]").astype("m8[ns]"), {}),
    "text": (["a", "b"], {"units": "days since 2000-01-01"}),
}


def model(time, attrs):
    """Profiles at two times."""
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    coords = {"depth": [0.0, 10, 20], "lat": np.arange(4.0), "lon": np.arange(5.0)}
    coords["time"] = ("time", time, attrs)
    return xr.Dataset({"t": (("time", "depth", "lat", "lon"), values)}, coords)


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("role", ["dimension", "scalar"])
def test_a_result_with_any_times_comes_back_identical(tmp_path, name, role):
    data = model(*TIMES[name])
    result = xvcluster.kmeans(data.isel(time=0) if role == "scalar" else data, 2)
    result.to_netcdf(tmp_path / "r.nc")
    xr.testing.assert_identical(xvcluster.open_result(tmp_path / "r.nc").dataset, result.dataset)


@pytest.mark.parametrize("name", ["months", "days, never decoded", "beyond 2262", "360 days"])
def test_a_store_with_any_times_comes_back_identical(tmp_path, name):
    result = xvcluster.kmeans(model(*TIMES[name]), 2)
    for _ in range(2):  # and may be replaced
        result.to_zarr(tmp_path / "r.zarr")
    read = xvcluster.open_result(tmp_path / "r.zarr").dataset.compute()
    xr.testing.assert_identical(read, result.dataset)


@pytest.mark.parametrize("name", ["months", "days, never decoded"])
def test_times_that_are_levels_come_back_identical(tmp_path, name):
    result = xvcluster.kmeans(model(*TIMES[name]).isel(depth=0, drop=True), 2, dim="time")
    result.to_netcdf(tmp_path / "r.nc")
    xr.testing.assert_identical(xvcluster.open_result(tmp_path / "r.nc").dataset, result.dataset)


def test_values_in_units_of_time_come_back_identical(tmp_path):
    data = model([1.0, 2.0], {})
    for units in ("days", "days since 2000-01-01"):
        data["t"].attrs["units"] = units
        result = xvcluster.kmeans(data, 2)
        result.to_netcdf(tmp_path / "r.nc")
        read = xvcluster.open_result(tmp_path / "r.nc").dataset
        xr.testing.assert_identical(read, result.dataset)


def test_dates_that_also_have_units_are_written(tmp_path):
    dates = np.array(["2000-01-01", "2001-01-01"], "M8[ns]")
    result = xvcluster.kmeans(model(dates, {"units": "days since 1900-01-01"}), 2)
    result.to_netcdf(tmp_path / "r.nc")
    read = xvcluster.open_result(tmp_path / "r.nc").dataset
    np.testing.assert_array_equal(read["time"], dates)
    assert result.dataset["time"].attrs == {"units": "days since 1900-01-01"}


def opened(path, dataset):
    """A file that holds a Dataset as it is, opened."""
    dataset.to_netcdf(path)
    return times.decode(xr.open_dataset(path, decode_cf=False))


def test_decode_leaves_numbers_where_it_must_and_says_so(tmp_path):
    data = model(*MONTHS)
    data["time"].attrs["bounds"] = "time_bnds"
    data["time_bnds"] = (("time", "nv"), [[0.0, 1.0], [1.0, 2.0]])
    with pytest.warns(UserWarning, match=r"stay numbers: .*'time' \('months since 1900-01-01'\)"):
        found = opened(tmp_path / "m.nc", data)
    np.testing.assert_array_equal(found["time"], MONTHS[0])
    assert found["time"].attrs["units"] == "months since 1900-01-01"
    np.testing.assert_array_equal(found["time_bnds"], [[0.0, 1.0], [1.0, 2.0]])


def test_decode_leaves_numbers_where_one_in_the_middle_cannot_be_decoded(tmp_path):
    data = model([1.0, 2.0], {}).pad(time=(0, 1)).assign_coords(time=[1.0, 1e36, 2.0])
    data["time"].attrs["units"] = "days since 2000-01-01"
    with pytest.warns(UserWarning, match="stay numbers"):
        np.testing.assert_array_equal(opened(tmp_path / "m.nc", data)["time"], [1.0, 1e36, 2.0])


@pytest.mark.parametrize("name", ["days, never decoded", "noleap, never decoded", "lengths"])
def test_decode_decodes_all_else_as_xarray_does(tmp_path, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = opened(tmp_path / "m.nc", model(*TIMES[name]))
    lengths = xr.coders.CFTimedeltaCoder(decode_via_units=False)
    with xr.open_dataset(tmp_path / "m.nc", decode_timedelta=lengths) as expected:
        xr.testing.assert_identical(found, expected)
    assert found.encoding == expected.encoding
    found.close()


def test_decode_leaves_out_what_is_packed_by_no_number(tmp_path):
    data = model([1.0, 2.0], {}).assign(u=("lat", np.arange(4.0), {"scale_factor": "abc"}))
    with pytest.warns(UserWarning, match="variable 'u' cannot be decoded and is left out: .*abc"):
        assert list(opened(tmp_path / "m.nc", data)) == ["t"]


def test_decode_ignores_attributes_that_name_nothing(tmp_path):
    data = model([1.0, 2.0], {})
    data.to_netcdf(tmp_path / "m.nc")
    with netCDF4.Dataset(tmp_path / "m.nc", "a") as file:
        for attribute in ("coordinates", "bounds", "grid_mapping"):
            file["t"].setncattr(attribute, np.array([1, 2]))
    found = times.decode(xr.open_dataset(tmp_path / "m.nc", decode_cf=False))
    np.testing.assert_array_equal(found["t"], data["t"])
    found.close()


@pytest.mark.parametrize("noted", ["{", "[1]", '{"time": 5}', '{"nothing": "numbers"}', 3])
def test_a_damaged_note_counts_for_nothing(tmp_path, noted):
    data = model(*TIMES["days, never decoded"]).assign_attrs(xvcluster_times=noted)
    found = opened(tmp_path / "m.nc", data)
    assert found["time"].dtype.kind == "M"
    assert "xvcluster_times" not in found.attrs


def test_dates_before_numpy_s_that_xarray_wrote_are_read_without_a_warning(model, tmp_path):
    """Warnings are errors here."""
    date = cftime.DatetimeGregorian(850, 1, 15)
    result = model.assign_coords(time=date).vcluster.kmeans(3)
    result.dataset.to_netcdf(tmp_path / "result.nc")
    assert xvcluster.open_result(tmp_path / "result.nc").labels["time"].item() == date
