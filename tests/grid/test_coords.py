"""Which coordinate is the vertical, latitude or longitude, and the spelling of units."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.coords import (
    Axes,
    canonical_units,
    find_axes,
    is_same_direction,
    is_time,
    positive,
    refuse_empty,
    units,
)

NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}


def grid(lat, lon, names=("latitude", "longitude"), attrs=(NORTH, EAST)):
    coords = {
        names[0]: (names[0], np.asarray(lat, float), attrs[0]),
        names[1]: (names[1], np.asarray(lon, float), attrs[1]),
    }
    return xr.DataArray(np.zeros((len(lat), len(lon))), dims=names, coords=coords)


def test_find_axes_tells_an_emc_model(model):
    assert find_axes(model) == Axes("depth", "latitude", "longitude")


@pytest.mark.parametrize(
    "name", ["depth", "Dep", "Z", "zdim", "LEV", "level", "deptht", "Pressure"]
)
def test_find_axes_tells_a_vertical_by_its_name_in_any_case(name):
    data = xr.DataArray(np.zeros((2, 3, 4)), dims=(name, "lat", "lon"))
    assert find_axes(data) == Axes(name, None, None)


@pytest.mark.parametrize("attrs", [{"axis": "Z"}, {"positive": "down"}, {"standard_name": "depth"}])
def test_find_axes_tells_a_vertical_by_cf_attributes(attrs):
    data = xr.DataArray(
        np.zeros((2, 3)), dims=("k_index", "point"), coords={"k_index": ("k_index", [0, 1], attrs)}
    )
    assert find_axes(data).vertical == "k_index"


def test_find_axes_lets_cf_attributes_count_before_names():
    data = xr.DataArray(
        np.zeros((2, 3, 4)),
        dims=("level", "surface", "point"),
        coords={"surface": ("surface", [0, 1, 2], {"axis": "Z"})},
    )
    assert find_axes(data).vertical == "surface"


@pytest.mark.parametrize("names", [("LAT", "Lon"), ("nav_lat", "nav_lon"), ("y", "x")])
def test_find_axes_tells_bare_names_of_latitude_and_longitude(names):
    data = grid([31, 32], [3, 4, 5], names=names, attrs=({}, {}))
    assert find_axes(data) == Axes(None, *names)


@pytest.mark.parametrize(
    ("y", "x"),
    [
        (np.arange(20), np.arange(400)),
        (np.arange(1, 21), np.arange(1, 31)),
        (np.arange(20), np.linspace(3.0, 9.0, 5)),
        (np.linspace(0.0, 80.0, 20), np.linspace(0.0, 500.0, 30)),
    ],
)
def test_find_axes_takes_no_count_of_cells_nor_kilometres_for_degrees(y, x):
    data = grid(y, x, names=("y", "x"), attrs=({}, {}))
    assert find_axes(data) == Axes(None, None, None)


def test_find_axes_takes_no_latitude_that_is_the_vertical(model):
    assert find_axes(model, dim="latitude") == Axes("latitude", None, "longitude")


def test_find_axes_tells_latitude_and_longitude_by_cf_attributes_alone():
    data = grid([1, 2], [3, 4, 5], names=("north", "east"))
    assert find_axes(data) == Axes(None, "north", "east")


def test_find_axes_takes_2d_latitude_before_kilometres_of_y():
    lat, lon = np.meshgrid([40.0, 41.0], [-120.0, -119.0, -118.0], indexing="ij")
    data = xr.DataArray(
        np.zeros((5, 2, 3)),
        dims=("depth", "y", "x"),
        coords={
            "y": ("y", [0.0, 50.0]),
            "x": ("x", [0.0, 50.0, 100.0]),
            "latitude": (("y", "x"), lat),
            "longitude": (("y", "x"), lon),
        },
    )
    assert find_axes(data) == Axes("depth", "latitude", "longitude")


def test_find_axes_takes_no_kilometres_for_degrees():
    data = grid([0, 500], [0, 500, 1000], names=("y", "x"), attrs=({"units": "km"}, {}))
    assert find_axes(data) == Axes(None, None, None)


def test_find_axes_takes_no_text_for_degrees():
    data = xr.DataArray(np.zeros(2), dims="lat", coords={"lat": ["south", "north"]})
    assert find_axes(data).latitude is None


def test_find_axes_tells_loose_points():
    data = xr.DataArray(
        np.zeros((3, 4)),
        dims=("profile", "depth"),
        coords={"lat": ("profile", [1.0, 2, 3]), "lon": ("profile", [1.0, 2, 3])},
    )
    assert find_axes(data) == Axes("depth", "lat", "lon")


def test_find_axes_tells_a_raster_with_a_leading_time():
    data = grid([1, 2], [3, 4]).expand_dims(month=np.array(["2019-10"], "datetime64[ns]"))
    assert find_axes(data).vertical is None


def test_find_axes_takes_cf_axes_of_time_and_map_for_no_vertical():
    coords = {d: (d, [0.0, 1.0], {"axis": a}) for d, a in (("step", "T"), ("up", "Y"), ("to", "X"))}
    data = xr.DataArray(np.zeros((2, 2, 2)), dims=("step", "up", "to"), coords=coords)
    assert find_axes(data) == Axes(None, None, None)


def test_find_axes_ignores_the_scalar_depth_of_a_slice(model):
    assert find_axes(model.isel(depth=0)).vertical is None


def test_find_axes_obeys_an_explicit_dimension():
    data = xr.DataArray(np.zeros((2, 3, 4)), dims=("level", "depth", "point"))
    assert find_axes(data, "level").vertical == "level"


def test_find_axes_refuses_two_candidates():
    data = xr.DataArray(np.zeros((2, 3, 4)), dims=("level", "depth", "point"))
    with pytest.raises(ValueError, match=r"could be the vertical: 'level', 'depth'.*dim='level'"):
        find_axes(data)


def test_find_axes_refuses_an_unknown_dimension():
    data = xr.DataArray(np.zeros((2, 3)), dims=("shell", "point"))
    with pytest.raises(ValueError, match=r"no vertical dimension found.*Pass dim='shell'"):
        find_axes(data)


def test_find_axes_refuses_a_dim_that_the_data_lack(model):
    with pytest.raises(ValueError, match=r"dim='height' is not a dimension.*'depth', 'latitude'"):
        find_axes(model, "height")


def test_find_axes_refuses_two_latitudes():
    data = xr.DataArray(
        np.zeros(3),
        dims="profile",
        coords={n: ("profile", np.zeros(3)) for n in ("lat", "Latitude")},
    )
    with pytest.raises(ValueError, match=r"could be the latitude: 'lat', 'Latitude'.*drop_vars"):
        find_axes(data)


def test_find_axes_takes_the_latitude_that_is_a_dimension():
    data = grid([1, 2], [3, 4]).assign_coords(lat=("latitude", [5.0, 6.0], NORTH))
    assert find_axes(data).latitude == "latitude"


@pytest.mark.parametrize(
    ("dim", "values", "expected"),
    [
        ("Time", [0, 1], True),
        ("month", np.array(["2001-01", "2001-02"], "datetime64[ns]"), True),
        ("month", [1, 2], False),
    ],
)
def test_is_time_reads_name_and_values(dim, values, expected):
    assert is_time(xr.DataArray(np.zeros(2), dims=dim, coords={dim: values}), dim) is expected


def test_refuse_empty_names_the_dimension(model):
    with pytest.raises(ValueError, match="empty: dimension 'latitude' has length 0"):
        refuse_empty(model.sel(latitude=slice(40, 36)))


# --- attributes ---


@pytest.mark.parametrize(
    ("name", "attrs", "expected"),
    [
        ("depth", {}, "down"),
        ("elevation", {}, "up"),
        ("depth", {"positive": " UP "}, "up"),
        ("radius", {"positive": "down"}, "down"),
        ("height", {"positive": "sideways"}, "up"),
    ],
)
def test_positive_reads_the_attribute_then_the_name(name, attrs, expected):
    coordinate = xr.DataArray([0.0, 1.0], dims=name, name=name, attrs=attrs)
    assert positive(coordinate) == expected
    assert positive(coordinate.variable) == expected


@pytest.mark.parametrize(
    ("name", "values", "attrs", "expected"),
    [
        # MITgcm writes the centres of its cells so, and says "down"
        ("Z", [-5.0, -15.0, -5000.0], {"positive": "down", "units": "meters"}, "up"),
        ("depth", [0.0, -10.0, -100.0], {"units": "m"}, "up"),
        ("depth", [5.0, 15.0, 5000.0], {"units": "m"}, "down"),
        ("depth", [-3.0, 0.0, 60.0], {"units": "km"}, "down"),
        ("z", [10.0, 50.0], {"standard_name": "height_above_geopotential_datum"}, "up"),
        ("z", [10.0, 50.0], {"standard_name": "depth"}, "down"),
        ("z", [10.0, 50.0], {"long_name": "Geometric altitude"}, "up"),
        ("lev", [10.0, 50.0], {"standard_name": "height", "units": "m"}, "up"),
        ("heightAboveGround", [2.0, 10.0], {}, "up"),
        ("height_2", [2.0, 10.0], {}, "up"),
        ("height", [2.0, 10.0], {"standard_name": "depth"}, "down"),
        ("lev", [1000.0, 10.0], {"units": "millibar", "positive": "up"}, "down"),
        ("z", [1e5, 1e3], {"standard_name": "air_pressure"}, "down"),
        ("altitude", [1000.0, 10.0], {"units": "hPa"}, "down"),
        ("s_rho", [-0.95, -0.05], {"standard_name": "ocean_s_coordinate_g2"}, "up"),
        ("siglay", [-0.05, -0.95], {"standard_name": "ocean_sigma_coordinate"}, "up"),
        ("lev", [0.01, 0.99], {"standard_name": "atmosphere_sigma_coordinate"}, "down"),
        ("model_level_number", [1, 2, 3], {"units": "1"}, "down"),
        ("bottom_top", [0, 1, 2], {}, "up"),
        ("band", ["B02", "B03"], {}, "down"),
        ("z", [np.nan, -1.0], {}, "up"),
    ],
)
def test_positive_by_what_a_file_says_and_by_its_values(name, values, attrs, expected):
    assert positive(xr.DataArray(values, dims=name, name=name, attrs=attrs)) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([5.0, 5000.0], [-5.0, -5000.0], False),
        ([-5.0, -5000.0], [-10.0, -100.0], True),
        # one is the part of the other below zero
        ([-5000.0, -10.0], [-5000.0, 500.0], True),
        ([-3.0, 0.0], [-3.0, 60.0], True),
    ],
)
def test_is_same_direction_by_the_signs(one, other, expected):
    vertical = [xr.DataArray(values, dims="z", name="z") for values in (one, other)]
    assert is_same_direction(*vertical) is expected
    assert is_same_direction(*vertical[::-1]) is expected


def test_units_strips_stray_blanks():
    assert units(xr.DataArray(0, attrs={"units": " km   s-1 "})) == "km s-1"
    assert units(xr.DataArray(0)) == ""


@pytest.mark.parametrize(
    "same",
    [
        ("km/s", "km.s-1", "kilometer sec^-1", "KM s**-1", " km  s-1", "km*s-1", "km / s"),
        ("%", "percent", "Percent"),
        ("km", "kilometers", "km (bsl)", " kilometre "),
        ("kg/m3", "kg m-3", "kg/m^3", "kg.m^-3", "kg/m**3", "kg meter-3"),
        ("s-1", "1/s", "1 s-1"),
        ("m s-2", "m/s2", "m s^-2"),
        ("", "1"),
    ],
)
def test_canonical_units_spells_the_same_alike(same):
    assert len({canonical_units(text) for text in same}) == 1


def test_canonical_units_keeps_different_units_apart():
    written = ["km/s", "m/s", "km", "m", "%", "kg/m3", "kg/m2", "g/cm3", "DEG C", "PPT", ""]
    assert len({canonical_units(text) for text in written}) == len(written)
