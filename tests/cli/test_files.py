import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from xvcluster import open_result


def test_kmeans_prefers_the_variable_with_a_vertical(tomography, succeed):
    surface = tomography["vs"].isel(depth=0, drop=True)
    tomography.assign(topography=surface).to_netcdf("with_map.nc")
    succeed("kmeans", "with_map.nc", "-k", "2")
    assert open_result("with_map_clusters.nc").parameters["variables"] == ["vs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.nc"], "there is no file 'missing.nc'"),
        (["text.nc"], "'text.nc' cannot be read as NetCDF"),
        (["model.nc", "-v", "vx"], "no variable 'vx'; it has vs"),
        (["model.nc", "-k", "0"], "n_clusters must be at least 1; got 0"),
        (["model.nc", "-k", "1000"], "n_clusters=1000 is more than the distinct profiles"),
        (["model.nc", "--depth", "300", "400"], "300 to 400 km misses the data.*0 to 200 km"),
        (["model.nc", "--dz", "-1"], "dz must be .*above 0"),
        (["model.nc", "--stride", "0"], "stride must be at least 1"),
        (["model.nc", "--n-init", "0"], "n_init must be at least 1"),
        (["model.nc", "--dim", "height"], "dim='height' is not a dimension"),
        (["model.nc", "-k", "2", "--k-range", "2", "5"], "give one of them"),
        (["model.nc", "--k-range", "5", "2"], "--k-range is 5 2"),
        (["model.nc", "-o", "nowhere/out.nc"], "the folder 'nowhere' does not exist"),
        (["model.nc", "-o", "."], "'.' is a folder"),
        (["model.nc", "-o", "model.nc", "--overwrite"], "is an input of this command"),
        (["model.nc", "-o", "out.png", "--plot", "out.png"], "given for two outputs"),
        (["model.nc", "--plot", "out.xyz"], "cannot be written as 'out.xyz'; its name must end in"),
    ],
)
def test_kmeans_refuses_bad_input_in_one_sentence(model, arguments, message, refuse):
    Path("text.nc").write_text("not NetCDF")
    before = Path(model).read_bytes()
    with pytest.raises(ValueError, match=message):
        raise ValueError(refuse("kmeans", *arguments))
    assert Path(model).read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["model.nc", "text.nc"]


def test_kmeans_refuses_a_variable_that_is_not_numeric(tomography, refuse):
    tomography.assign(name=("latitude", ["a"] * 18)).to_netcdf("named.nc")
    assert "'name' is not numeric" in refuse("kmeans", "named.nc", "-v", "name", "-k", "2")


def test_kmeans_refuses_a_damaged_file(tomography, refuse):
    tomography.to_netcdf("whole.nc", encoding={"vs": {"zlib": True}})
    whole = Path("whole.nc").read_bytes()
    middle = len(whole) // 2
    Path("cut.nc").write_bytes(whole[:middle])
    assert "'cut.nc' cannot be read as NetCDF" in refuse("kmeans", "cut.nc", "-k", "2")
    Path("hurt.nc").write_bytes(whole[:middle] + bytes(5000) + whole[middle + 5000 :])
    assert "'hurt.nc' is damaged" in refuse("kmeans", "hurt.nc", "-k", "2")
    assert "'hurt.nc' is damaged" in refuse("info", "hurt.nc")


def test_sweep_refuses_one_figure_in_two_spellings(model, refuse):
    figures = ("--plot", "a.png", "--maps", Path.cwd() / "a.png")
    assert "is given for two outputs" in refuse("sweep", model, *figures)


@pytest.mark.parametrize("existing", ["out.nc", "out.png"])
def test_kmeans_keeps_an_existing_file_unless_told(model, existing, succeed, refuse, is_png):
    Path(existing).write_text("precious")
    arguments = ("kmeans", model, "-k", "2", "-o", "out.nc", "--plot", "out.png")
    message = f"{existing} exists already; choose another name, or add --overwrite"
    assert message in refuse(*arguments)
    assert Path(existing).read_text() == "precious"
    assert len(list(Path().iterdir())) == 2
    succeed(*arguments, "--overwrite")
    assert open_result("out.nc").n_clusters == 2
    assert is_png("out.png")


@pytest.mark.parametrize("lacking", ["method", "parameters"])
def test_commands_refuse_a_damaged_result(clustered, model, lacking, refuse):
    dataset = xr.load_dataset(clustered)
    del dataset.attrs[lacking]
    dataset.to_netcdf("damaged.nc")
    for arguments in (["info"], ["plot"], ["predict"]):
        files = ["damaged.nc", model] if arguments == ["predict"] else ["damaged.nc"]
        assert f"lacks the attribute '{lacking}'" in refuse(*arguments, *files)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("emc_pnw10-s.nc", ["--stride", "4"], "5,777 profiles of 41 levels"),
        ("emc_wus-sh-2010.nc", ["-v", "dvs", "--stride", "4"], "dvs  11,346 profiles"),
        ("tpw_201910.nc", ["-v", "precipitable_water", "--stride", "4"], "9,678 invalid"),
        ("levitus_1deg.nc", ["-v", "TEMP", "--depth", "0", "1000"], "35,281 incomplete"),
    ],
)
def test_commands_work_on_real_files(shared_data, name, arguments, expected, succeed):
    assert expected in succeed("info", shared_data / name)
    succeed("kmeans", shared_data / name, "-k", "3", *arguments)
    assert open_result(f"{Path(name).stem}_clusters.nc").n_clusters == 3


@pytest.mark.parametrize("chunks", ["auto", "4"])
@pytest.mark.parametrize("source", ["model", "store"])
def test_chunks_give_the_labels_of_a_whole_file(clustered, source, chunks, request, succeed):
    file = request.getfixturevalue(source)
    succeed("kmeans", file, "-k", "3", "--chunks", chunks, "-o", "clusters.zarr")
    found = open_result("clusters.zarr").labels
    assert found.chunks is not None
    np.testing.assert_array_equal(found, open_result(clustered).labels)


@pytest.mark.parametrize("output", ["model.zarr", "model.zarr/inside.nc", "fit.npz"])
def test_what_is_read_is_never_written_over(store, output, refuse):
    options = ("--checkpoint", "fit.npz", "--overwrite")
    assert "cannot be its output" in refuse("kmeans", store, "-k", "2", *options, "-o", output)
    assert xr.open_zarr(store, consolidated=False)["vs"].notnull().any()


def make_floats():
    """Profiles whose temperature depends on the pressure alone, at pressures of their own."""
    rng = np.random.default_rng(0)
    pressure = np.sort(rng.uniform(0.0, 500.0, (30, 60)), axis=1)
    dims = ("N_PROF", "N_LEVELS")
    warm = np.arange(30)[:, None] % 3
    variables = {"TEMP": (dims, 5.0 * warm - 0.01 * pressure), "PRES": (dims, pressure)}
    return xr.Dataset(variables, {"LATITUDE": ("N_PROF", np.arange(30.0))})


@pytest.mark.parametrize("chunks", [(), ("--chunks", "7")], ids=["memory", "dask"])
def test_levels_of_each_profile_are_interpolated_to_even_ones(succeed, chunks):
    make_floats().to_netcdf("argo.nc")
    options = ("--depth", "50", "400", "--dz", "50", "--levels", "PRES", "-k", "3")
    succeed("kmeans", "argo.nc", *options, *chunks)
    result = open_result("argo_clusters.nc")
    assert result.parameters["variables"] == ["TEMP"]
    np.testing.assert_array_equal(result.centroids["PRES"], np.arange(50.0, 450.0, 50.0))
    np.testing.assert_array_equal(result.labels, np.arange(30) % 3 + 1)
    expected = 5.0 * np.arange(3)[:, None] - 0.01 * result.centroids["PRES"].values
    np.testing.assert_allclose(result.centroids["TEMP"], expected, atol=1e-9)


def test_levels_that_the_file_lacks_are_refused(refuse):
    make_floats().to_netcdf("argo.nc")
    options = ("--depth", "50", "400", "--dz", "50", "-k", "3")
    said = refuse("kmeans", "argo.nc", "-v", "TEMP", *options, "--levels", "z")
    assert "the file has no variable 'z' for --levels; it has TEMP, PRES" in said
    said = refuse("kmeans", "argo.nc", "-v", "TEMP", *options)
    assert "the vertical 'N_LEVELS' has no coordinate, so its levels are only counted" in said


def test_depth_may_be_two_dates(tomography, succeed):
    times = np.arange("2000-01", "2003-06", dtype="datetime64[M]").astype("datetime64[ns]")
    seasons = tomography.rename(depth="time").assign_coords(time=times)
    seasons.to_netcdf("seasons.nc")
    succeed("kmeans", "seasons.nc", "--dim", "time", "--depth", "2000-03", "2000-05", "-k", "2")
    months = open_result("seasons_clusters.nc").centroids["time"].dt.month
    assert months.values.tolist() == [3, 4, 5]


@pytest.mark.parametrize("name", ["out.png", "out.csv", "out.tif"])
def test_results_are_not_written_under_the_name_of_something_else(model, name, refuse):
    said = refuse("kmeans", model, "-k", "2", "-o", name)
    assert f"'{name}' is no name for what this command writes; it must end in one of .nc" in said


def test_a_store_of_something_else_is_refused_before_any_work(model, store, monkeypatch, refuse):
    monkeypatch.setattr("xvcluster.kmeans", None)
    said = refuse("kmeans", model, "-k", "2", "-o", store, "--overwrite")
    assert "holds no labels of xvcluster" in said


def test_commands_refuse_a_result_where_a_model_is_wanted(clustered, refuse):
    for command in (["kmeans", clustered], ["predict", clustered, clustered]):
        assert "is a result of xvcluster; give the file of a model" in refuse(*command)


def test_commands_refuse_a_model_where_a_result_is_wanted(model, clustered, refuse):
    for command in (["plot"], ["boundaries"], ["match", clustered], ["consensus", clustered]):
        arguments = [*command, model, *(["out.shp"] if command == ["boundaries"] else [])]
        assert "is not a result of xvcluster" in refuse(*arguments)


def test_commands_say_why_nothing_can_be_clustered(tomography, refuse):
    tomography.isel(latitude=slice(0)).to_netcdf("empty.nc")
    assert "it has vs (empty: no values along latitude)" in refuse("kmeans", "empty.nc")


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("dask", ("kmeans", "model.nc", "-k", 3, "--chunks", 4, "-o", "new.nc")),
        ("zarr", ("kmeans", "model.nc", "-k", 3, "-o", "new.zarr")),
        ("zarr", ("info", "model.zarr")),
    ],
)
def test_commands_name_the_extra_of_a_missing_package(
    model, refuse, monkeypatch, package, arguments
):
    Path("model.zarr").mkdir()
    monkeypatch.setitem(sys.modules, package, None)
    assert f'{package}, which is not installed; install it with pip install "xvcluster[dask]"' in (
        refuse(*arguments)
    )
