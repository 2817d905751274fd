from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr
import zarr


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


def test_info_works_whatever_else_is_in_a_file(tomography, succeed):
    tomography.to_netcdf("odd.nc")
    with netCDF4.Dataset("odd.nc", "a") as file:
        file.createDimension("record", None)
        file.createVariable("none_yet", "f4", ("record", "latitude"))
        file.createVariable("covariance", "f4", ("depth", "depth"))[:] = np.eye(41)
        file.createVariable("crs", "i4")[:] = 1
        pair = file.createCompoundType(np.dtype([("a", "f4"), ("b", "i4")]), "pair")
        file.createVariable("pairs", pair, ("latitude",))
    lines = [" ".join(line.split()) for line in succeed("info", "odd.nc").splitlines()]
    assert "none_yet (record, latitude) no units empty: no values along record" in lines
    assert "covariance (depth, depth) no units lies twice along depth" in lines
    assert "crs () no units a single value" in lines
    assert any(line.startswith("pairs (latitude) not numeric") for line in lines)
    assert "vs 503 profiles of 41 levels; left out: 1 incomplete" in lines


def test_info_shows_profiles_whose_vertical_is_not_clear_before_maps(tomography, succeed, refuse):
    unclear = tomography.rename(depth="thing").drop_attrs()
    unclear["surface"] = unclear["vs"].isel(thing=0, drop=True)
    unclear["row"] = unclear["surface"].isel(longitude=0, drop=True)
    unclear.to_netcdf("wrf.nc")
    text = succeed("info", "wrf.nc")
    assert "vs  nothing: no vertical dimension found" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    others = lines[lines.index("Only if --variable names it") + 1 :]
    assert others == ["surface no vertical", "row no latitude and longitude"]
    assert "no vertical dimension found" in refuse("kmeans", "wrf.nc", "-k", "2")


def test_info_describes_each_grid(tomography, succeed):
    other = tomography[["vs"]].isel(longitude=slice(3)).rename(vs="vp", longitude="lon")
    xr.merge([tomography, other]).to_netcdf("grids.nc")
    text = succeed("info", "grids.nc")
    assert "\nCoordinates\n" in text
    assert "\nCoordinates of vp\n" in text


def test_info_reads_no_more_than_a_bound(tomography, monkeypatch, succeed):
    tomography.assign(vp=tomography["vs"]).to_netcdf("two.nc")
    monkeypatch.setattr("xvcluster.cli.report._MOST_READ", tomography["vs"].size)
    text = " ".join(succeed("info", "two.nc").split())
    assert "vs 503 profiles of 41 levels; left out: 1 incomplete" in text
    assert "vp (depth, latitude, longitude) km/s missing values not counted" in text
    assert "vp 504 profiles of 41 levels; too many values to count what is missing" in text


def test_info_describes_a_store_that_is_larger_than_memory(succeed):
    shape = {"depth": 100, "lat": 20_000, "lon": 40_000}  # 320 GB, of which nothing is written
    group = zarr.open_group("large.zarr", mode="w")
    for name, size in shape.items():
        chunks = group.create_array(name, shape=(size,), dtype="f8", dimension_names=(name,))
        chunks[:] = np.linspace(-80, 80, size)
    group.create_array(
        "t",
        shape=tuple(shape.values()),
        dtype="f4",
        chunks=(100, 100, 100),
        dimension_names=[*shape],
    )
    assert "800,000,000 profiles of 100 levels; too many" in succeed("info", "large.zarr")


def test_info_shows_times_and_infinities(succeed):
    coords = {"time": np.array(["2000-01-01", "2000-02-01"], "M8[ns]"), "depth": [0.0, 1.0]}
    coords |= {"lat": [0.0, 1.0], "lon": [0.0, 1.0]}
    values = np.full((2, 2, 2, 2), np.inf)
    xr.Dataset({"t": (tuple(coords), values)}, coords).to_netcdf("t.nc")
    text = " ".join(succeed("info", "t.nc").split())
    assert "other time 2000-01-01 to 2000-02-01, 2 values" in text
    assert "infinit" in text


EVIL = "\x1b[2J\x1b]0;title\x07\r\nError: all is lost\u202e"


def test_no_text_of_a_file_reaches_the_terminal_as_it_is(tomography, run):
    evil = tomography.assign_attrs(title=EVIL + 10_000_000 * "A", id=EVIL)
    evil["vs"].attrs["units"] = EVIL
    evil["depth"].attrs |= {"units": EVIL, "long_name": EVIL}
    evil = evil.rename(vs="v" + EVIL.replace("\r\n", ""))
    evil = evil.assign(
        {"time" + EVIL: ("latitude", np.full(18, 1e30), {"units": "days since " + EVIL})}
    )
    evil.to_zarr("evil.zarr", consolidated=False)
    for arguments in (
        ["info", "evil.zarr"],
        ["info", "evil.zarr", "-v", "no"],
        ["kmeans", "evil.zarr", "-v", "no"],
        ["kmeans", "evil.zarr", "-k", "2", "-o", "evil.nc.zarr"],
        ["kmeans", "evil.zarr", "-k", "0", "-o", "b.zarr"],
        ["info", "evil.nc.zarr"],
        ["predict", "evil.nc.zarr", "evil.zarr", "-v", "no", "-o", "c.zarr"],
        ["match", "evil.nc.zarr", "evil.nc.zarr", "-o", "d.zarr"],
        ["boundaries", "evil.nc.zarr", "x.shp", "--cluster", "9"],
    ):
        said = run(*arguments).output
        assert said
        assert not set(said) & {"\x1b", "\x07", "\r", "\u202e"}, arguments
        assert max(map(len, said.splitlines())) < 3000
        assert not any(line.startswith("Error: all is lost") for line in said.splitlines())
