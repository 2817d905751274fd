"""Tiles that the sphere is cut into."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.tiles import cut_tiles, find_tiles
from xvcluster.profiles import lay_out


def test_cut_tiles_are_about_as_large_as_asked_for_everywhere():
    rng = np.random.default_rng(0)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 200_000))), rng.uniform(-180, 180, 200_000)
    tiles = cut_tiles(lat, lon, 2000.0)
    share = np.bincount(tiles) / tiles.size
    areas = share * 4 * np.pi * EARTH_RADIUS_KM**2
    assert areas.min() > 0.6 * 2000.0**2
    assert areas.max() < 1.6 * 2000.0**2
    for tile in np.unique(tiles)[::5]:
        assert np.ptp(lat[tiles == tile]) * np.pi / 180 * EARTH_RADIUS_KM < 2200


def test_cut_tiles_know_no_convention_of_longitude():
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-90, 90, 500), rng.uniform(-180, 180, 500)
    np.testing.assert_array_equal(cut_tiles(lat, lon, 900.0), cut_tiles(lat, lon % 360, 900.0))


def test_cut_tiles_at_the_ends_of_the_axes():
    lat, lon = np.array([-90.0, 90.0, 0.0, 0.0]), np.array([0.0, 360.0, -1e-14, 359.999999])
    tiles = cut_tiles(lat, lon, 1000.0)
    assert tiles[2] == tiles[3]
    assert len(set(tiles.tolist())) == 3
    assert cut_tiles(lat, lon, 1e6).max() == 0


def test_find_tiles_cuts_about_a_hundred_by_default(model):
    fine = model.interp(latitude=np.arange(35, 41.01, 0.1), longitude=np.arange(-120, -112, 0.1))
    layout = lay_out(fine)
    tiles, size = find_tiles(
        *layout.locate(np.arange(fine.sizes["latitude"] * fine.sizes["longitude"]))
    )
    assert 90 <= tiles.max() + 1 <= 150
    assert 50 < size < 90  # of 670 by 690 km


def test_find_tiles_takes_the_place_of_each_point(model):
    turned = model.transpose("longitude", "depth", "latitude").isel(latitude=slice(None, None, -1))
    points = np.array([5, 40, 62])
    expected = cut_tiles(*np.array([[35, -115], [39, -116], [41, -112]], dtype=float).T, 200.0)
    for data in (model, turned):
        tiles, size = find_tiles(*lay_out(data).locate(points), 200.0)
        np.testing.assert_array_equal(tiles, expected)
        assert size == 200.0


def test_find_tiles_of_a_curvilinear_grid_and_of_loose_points():
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(30, 50, (6, 7)), rng.uniform(0, 30, (6, 7))
    values = xr.DataArray(rng.normal(size=(4, 6, 7)), dims=("depth", "y", "x"))
    grid = values.assign_coords(lat=(("y", "x"), lat), lon=(("y", "x"), lon))
    loose = xr.DataArray(values.values.reshape(4, -1), dims=("depth", "profile"))
    loose = loose.assign_coords(lat=("profile", lat.ravel()), lon=("profile", lon.ravel()))
    for data in (grid, loose):
        layout = lay_out(data)
        tiles, _ = find_tiles(*layout.locate(np.arange(42)), 500.0)
        at = [layout.grid.flatten(layout.dataset[n]) for n in ("lat", "lon")]
        np.testing.assert_array_equal(tiles, cut_tiles(*at, 500.0))


@pytest.mark.parametrize("size", [None, 100.0])
def test_find_tiles_without_coordinates_gives_each_profile_its_own(size):
    bare = xr.DataArray(np.zeros((3, 4, 5)), dims=("depth", "y", "x"))
    with pytest.warns(UserWarning, match="latitude and longitude are not known"):
        tiles, found = find_tiles(*lay_out(bare).locate(np.arange(20)), size)
    np.testing.assert_array_equal(tiles, np.arange(20))
    assert found is None


def test_find_tiles_refuses_one_and_warns_of_few(model):
    layout = lay_out(model)
    with pytest.raises(ValueError, match="block_size=20000 km makes 1 block of this"):
        find_tiles(*layout.locate(np.arange(63)), 20000.0)
    with pytest.warns(UserWarning, match="block_size=400 km makes . blocks of this model, which"):
        find_tiles(*layout.locate(np.arange(63)), 400.0)


def test_find_tiles_by_default_cuts_few_profiles_apart(model):
    tiles, _ = find_tiles(*lay_out(model).locate(np.array([0, 30, 62])))
    assert len(set(tiles.tolist())) == 3


def test_find_tiles_cuts_by_the_size_that_it_tells(model):
    layout, points = lay_out(model), np.arange(63)
    tiles, size = find_tiles(*layout.locate(points))
    np.testing.assert_array_equal(tiles, find_tiles(*layout.locate(points), size)[0])


@pytest.mark.parametrize("size", [None, 2000.0])
def test_find_tiles_leaves_points_of_no_place_apart(size):
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(-60, 60, 1000), rng.uniform(-180, 180, 1000)
    expected, its_size = find_tiles(lat[100:], lon[100:], size)
    lat[:50], lon[50:100] = np.nan, np.nan
    tiles, found_size = find_tiles(lat, lon, size)
    assert found_size == its_size
    np.testing.assert_array_equal(tiles[100:], expected)
    assert sorted(tiles[:100] - expected.max()) == list(range(1, 101))


def test_find_tiles_are_as_large_as_profiles_are_alike():
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(-50, 50, 3000), rng.uniform(-90, 90, 3000)
    default = find_tiles(lat, lon)
    tiles, size = find_tiles(lat, lon, None, 2600.0)
    assert size == 2600.0
    np.testing.assert_array_equal(tiles, cut_tiles(lat, lon, 2600.0))
    for asked, reach in ((None, 100.0), (None, None)):
        tiles, size = find_tiles(lat, lon, asked, reach)
        assert size == default[1]
        np.testing.assert_array_equal(tiles, default[0])
    assert find_tiles(lat, lon, 900.0, 2600.0)[1] == 900.0


def test_find_tiles_leaves_ten_and_warns_of_neighbours_that_are_alike():
    rng = np.random.default_rng(4)
    lat, lon = rng.uniform(30, 50, 2000), rng.uniform(0, 25, 2000)
    tiles, size = find_tiles(lat, lon, None, 1.2 * find_tiles(lat, lon, None, 900.0)[1])
    assert tiles.max() + 1 >= 10
    text = "alike over about 3000 km, but the model holds 10 blocks only of .* larger region; or"
    with pytest.warns(UserWarning, match=text):
        tiles, size = find_tiles(lat, lon, None, 3000.0)
    assert tiles.max() + 1 >= 10
    assert size < 1500


def test_cut_tiles_of_a_metre_are_told_apart():
    lat = np.repeat(60.0 + np.arange(9) * 2e-5, 9)
    lon = np.tile(10.0 + np.arange(9) * 4e-5, 9)
    assert len(np.unique(cut_tiles(lat, lon, 1e-3))) == 81
