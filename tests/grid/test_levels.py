import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.levels import find_varying, levels_of, numbers_of, vertical_of


def levels(values, **attrs):
    data = xr.DataArray(np.zeros(len(values)), {"z": ("z", values, attrs)}, "z")
    return vertical_of(data, "z")


def test_numbers_of_times_are_days():
    dates = np.array(["1970-01-02", "1970-03-01T12"], "datetime64[ns]")
    assert numbers_of(levels(dates)).tolist() == [1.0, 59.5]
    assert numbers_of(levels(dates - dates[0])).tolist() == [0.0, 58.5]


@pytest.mark.parametrize(("calendar", "days"), [("noleap", 59.0), ("360_day", 60.0)])
def test_numbers_of_dates_follow_their_calendar(calendar, days):
    dates = xr.date_range("1970-01-01", periods=3, freq="MS", calendar=calendar, use_cftime=True)
    assert numbers_of(levels(dates))[2] == days


@pytest.mark.parametrize("values", [["a", "b"], np.array([b"a", b"b"]), [True, False]])
def test_names_have_no_numbers_but_positions(values):
    assert numbers_of(levels(values)) is None
    assert levels_of(levels(values)).tolist() == [0.0, 1.0]


def test_bytes_are_read_as_text():
    assert levels(np.array([b"DJF", b"JJA"])).values.tolist() == ["DJF", "JJA"]


def test_vertical_of_counts_levels_and_keeps_what_names_them():
    data = xr.DataArray(np.zeros((2, 3)), {"name": ("z", ["a", "b"])}, ("z", "x"))
    vertical = vertical_of(data, "z")
    assert list(vertical.coords) == ["name"]
    assert vertical.values.tolist() == [0, 1]
    assert numbers_of(vertical) is None


@pytest.mark.parametrize(
    ("name", "attrs", "found"),
    [
        ("PRES", {}, True),
        ("z_rho", {"units": "m"}, True),
        ("zz", {"positive": "up"}, True),
        ("zz", {"standard_name": "height_above_mean_sea_level"}, True),
        ("zz", {"standard_name": "sea_water_pressure"}, True),
        ("pressure", {"standard_name": "air_pressure_anomaly"}, False),
        ("zz", {"standard_name": "cell_thickness"}, False),
        ("temp", {"units": "K"}, False),
    ],
)
def test_find_varying_knows_depths_by_attributes_and_names(name, attrs, found):
    data = xr.Dataset({"vs": (("x", "s"), np.zeros((2, 3))), name: (("s", "x"), np.ones((3, 2)))})
    data[name].attrs = attrs
    assert find_varying(data, "s") == ([name] if found else [])
    assert find_varying(data.set_coords(name)["vs"], "s") == ([name] if found else [])
