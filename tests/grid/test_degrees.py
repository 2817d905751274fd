"""Latitudes and longitudes in degrees, from what files hold for them."""

import re

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.degrees import bridge, degrees, without_null_island


def coordinate(values, name="lat", **attrs):
    return xr.DataArray(values, dims="point", name=name, attrs=attrs)


@pytest.mark.parametrize("unit", ["radian", "radians", "rad", "Radians"])
def test_degrees_converts_radians(unit):
    found = degrees(coordinate([-np.pi / 2, 0.0, np.pi / 6], units=unit), "latitude")
    np.testing.assert_allclose(found, [-90.0, 0.0, 30.0])


@pytest.mark.parametrize(("name", "expected"), [("latCell", 57.29577951308232), ("lat", 1.0)])
def test_degrees_without_units_are_radians_by_the_names_of_mpas_and_icon(name, expected):
    assert degrees(coordinate([1.0], name), "latitude") == pytest.approx(expected)


@pytest.mark.parametrize(
    "unit", ["degrees", "degree", "deg", "°", "degrees_north", "degreesN", "dd", "s", "N", ""]
)
def test_degrees_keeps_the_sign_of_all_others(unit):
    assert degrees(coordinate([12.0], units=unit), "latitude") == 12.0


@pytest.mark.parametrize("unit", ["degrees_west", "degree_W", "degrees west", "degreesW", "°W"])
def test_degrees_west_are_negative_degrees_east(unit):
    found = degrees(coordinate([120.0, 60.0], "lon", units=unit), "longitude")
    np.testing.assert_array_equal(found, [-120.0, -60.0])


def test_degrees_does_not_convert_radian_names_in_degrees():
    assert degrees(coordinate([45.0], "clat", units="degrees_north"), "latitude") == 45.0


@pytest.mark.parametrize(
    "fill", [np.nan, np.inf, -np.inf, -999.0, 1e20, 9.969209968386869e36, 1e30]
)
@pytest.mark.parametrize("kind", ["latitude", "longitude"])
def test_degrees_takes_fill_values_for_not_known(fill, kind):
    found = degrees(coordinate(np.array([10.0, fill, 20.0])), kind)
    np.testing.assert_array_equal(found, [10.0, np.nan, 20.0])


def test_degrees_takes_fill_values_of_radians_for_not_known():
    found = degrees(coordinate(np.array([0.0, 1e20]), units="radian"), "latitude")
    np.testing.assert_array_equal(found, [0.0, np.nan])


def test_degrees_allows_for_rounding_at_the_poles():
    rounded = coordinate(np.array([-90.0000001, 90.0000001, np.float32(np.pi / 2)]))
    np.testing.assert_array_equal(degrees(rounded[:2], "latitude"), [-90.0, 90.0])
    in_radians = coordinate(np.array([np.pi / 2], dtype="float32"), units="radian")
    assert degrees(in_radians, "latitude") == 90.0


@pytest.mark.parametrize("lon", [[-280.0, 80.0], [0.0, 360.0], [73.0, 433.0]])
def test_degrees_keeps_longitudes_of_any_convention(lon):
    np.testing.assert_array_equal(degrees(coordinate(lon, "lon"), "longitude"), lon)


@pytest.mark.parametrize(
    ("values", "kind"), [([0.0, 95.0], "latitude"), ([4.5e6], "latitude"), ([800.0], "longitude")]
)
def test_degrees_refuses_what_is_no_place(values, kind):
    text = re.escape(f"the {kind} 'lat', read as degrees, holds {values[-1]:g}°, but")
    with pytest.raises(ValueError, match=rf"{text} .*exchange"):
        degrees(coordinate(values), kind)


@pytest.mark.parametrize("values", [["45N", "46N"], [1 + 0j, 2 + 0j]])
def test_degrees_refuses_text_and_complex_numbers(values):
    with pytest.raises(TypeError, match=r"the latitude 'lat' is not numeric .*give numbers"):
        degrees(coordinate(values), "latitude")


def test_bridge_goes_on_evenly():
    filled = bridge(np.array([np.nan, 11.0, 12.0, np.nan, np.nan, 15.0, np.nan]))
    np.testing.assert_allclose(filled, np.arange(10.0, 17.0))


def test_bridge_crosses_the_dateline():
    filled = bridge(np.array([178.0, 179.0, np.nan, -179.0, -178.0]), period=360.0)
    np.testing.assert_allclose(filled, [178.0, 179.0, 180.0, -179.0, -178.0])


@pytest.mark.parametrize("values", [[3.0, np.nan, 1.0, 2.0], [np.nan, 1.0], [np.nan, np.nan]])
def test_bridge_refuses_a_gap_among_values_in_no_order(values):
    with pytest.raises(ValueError, match=r"not known, and the others are in no order"):
        bridge(np.array(values))


def test_null_island_is_no_place_of_many_points():
    lat, lon = np.zeros((3, 4)), np.zeros((3, 4))
    lat[0], lon[0] = 10.0, np.arange(4.0)
    found = without_null_island(lat, lon)
    for values, held in zip(found, (lat, lon), strict=True):
        np.testing.assert_array_equal(values[0], held[0])
        assert np.isnan(values[1:]).all()
    one = np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]])
    assert without_null_island(*one) == one


def test_degrees_says_that_it_took_a_name_for_radians():
    with pytest.raises(ValueError, match=r"'clat', read as radians, holds .*units'\] = 'degrees'"):
        degrees(coordinate([35.0], "clat"), "latitude")
