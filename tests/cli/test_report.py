from pathlib import Path

import numpy as np
import xarray as xr


def test_info_describes_coordinates_and_variables(model, succeed):
    lines = [" ".join(line.split()) for line in succeed("info", model).splitlines()]
    assert "vertical depth km 0 to 200, 41 values every 5, positive down" in lines
    assert "latitude latitude degrees_north 32 to 49, 18 values every 1" in lines
    assert "longitude longitude degrees_east -128 to -101, 28 values every 1" in lines
    assert "vs (depth, latitude, longitude) km/s <0.1% missing" in lines
    assert "vs 503 profiles of 41 levels; left out: 1 incomplete" in lines
    assert not Path("model_clusters.nc").exists()


def test_info_shows_directions_of_axes(tomography, succeed):
    upward = tomography.isel(longitude=slice(None, None, -1))
    upward = upward.assign_coords(depth=("depth", -tomography["depth"].values, {"positive": "up"}))
    upward.to_netcdf("up.nc")
    text = " ".join(succeed("info", "up.nc").split())
    assert "depth no units 0 to -200, 41 values every 5, positive up" in text
    assert "longitude degrees_east -101 to -128, 28" in text


def test_info_finds_a_repeated_seam(succeed):
    lon = np.linspace(-180, 180, 13)
    values = np.random.default_rng(0).normal(size=(3, 4, 13))
    values[..., -1] = values[..., 0]
    coords = {"depth": [0, 1, 5], "lat": [-30, 0, 30, 60], "lon": lon}
    xr.Dataset({"t": (tuple(coords), values)}, coords).to_netcdf("globe.nc")
    text = succeed("info", "globe.nc")
    assert "first column repeated at the seam" in text
    assert "48 profiles of 3 levels" in text
    assert "t: 48 profiles of 3 levels\n" in succeed("kmeans", "globe.nc", "-k", "2")
    assert "0 to 5, 3 values unevenly spaced" in text


def test_info_lists_variables_to_choose_from(tomography, succeed):
    two = tomography.assign(vp=1.8 * tomography["vs"], name=("latitude", ["a"] * 18))
    two.to_netcdf("two.nc")
    text = succeed("info", "two.nc")
    assert "not numeric" in text
    assert "--variable selects one" in text
    assert "vs, vp  503 profiles" in succeed("info", "two.nc", "-v", "vs", "-v", "vp")


def test_info_describes_curvilinear_grids(succeed):
    y, x = np.mgrid[0:4, 0:5]
    coords = {"lat": (("y", "x"), 40 + y + 0.1 * x), "lon": (("y", "x"), -120 + x - 0.1 * y)}
    values = np.random.default_rng(0).normal(size=(3, 4, 5))
    xr.Dataset({"vs": (("z", "y", "x"), values)}, coords).to_netcdf("curved.nc")
    text = succeed("info", "curved.nc")
    assert "40 to 43.4 on (y, x)" in text
    assert "20 profiles of 3 levels" in text


def test_info_says_what_is_not_clear(tomography, succeed):
    tomography.rename(depth="thing").drop_attrs().to_netcdf("unclear.nc")
    text = succeed("info", "unclear.nc")
    assert "ambiguous: no vertical dimension found" in text
    assert "nothing: no vertical dimension found" in text
    assert "503 profiles of 41 levels" in succeed("info", "unclear.nc", "--dim", "thing")


def test_info_of_a_file_without_numbers(succeed, refuse):
    xr.Dataset({"name": ("station", ["a", "b"])}).to_netcdf("names.nc")
    assert "nothing" in succeed("info", "names.nc")
    assert "no numeric variable; it has name" in refuse("kmeans", "names.nc")


def test_som_prints_the_first_and_last_of_many_nodes(model, succeed):
    text = succeed("som", model, "--grid", "7", "7", "--iterations", "500")
    assert "... 9 more ..." in text
    assert text.splitlines()[-3].split()[0] == "49"
