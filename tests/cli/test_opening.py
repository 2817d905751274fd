"""Files of every kind: opened by what they contain, or refused in a sentence."""

import os
import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
import zarr

from xvcluster import open_result

SMALL = xr.Dataset(
    {"t": (("depth", "lat", "lon"), np.random.default_rng(0).normal(size=(3, 4, 5)))},
    {"depth": [0.0, 10, 20], "lat": np.arange(4.0), "lon": np.arange(5.0)},
)


@pytest.mark.parametrize("kind", ["NETCDF4", "NETCDF4_CLASSIC", "NETCDF3_CLASSIC", "NETCDF3_64BIT"])
@pytest.mark.parametrize("name", ["model", "model.h5", "model.cdf", "model.zarr"])
def test_info_reads_netcdf_of_any_format_and_name(kind, name, succeed):
    SMALL.to_netcdf(name, format=kind, engine="netcdf4")
    assert "20 profiles of 3 levels" in succeed("info", name)


def test_info_reads_cdf5(succeed):
    with netCDF4.Dataset("five", "w", format="NETCDF3_64BIT_DATA") as file:
        for name, coordinate in SMALL.coords.items():
            file.createDimension(name, coordinate.size)
            file.createVariable(name, "f8", (name,))[:] = coordinate.values
        file.createVariable("t", "f8", SMALL["t"].dims)[:] = SMALL["t"].values
    assert "20 profiles of 3 levels" in succeed("info", "five")


def test_info_reads_hdf5_behind_a_block_of_the_user(succeed):
    SMALL.to_netcdf("model.nc")
    Path("behind.nc").write_bytes(bytes(512) + Path("model.nc").read_bytes())
    assert "20 profiles of 3 levels" in succeed("info", "behind.nc")


@pytest.mark.parametrize("version", [2, 3])
def test_info_reads_stores_of_any_name(version, succeed):
    SMALL.to_zarr("folder", zarr_format=version, consolidated=False)
    assert "20 profiles of 3 levels" in succeed("info", "folder")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"depth,vs\n0,3.2\n", "it is text"),
        (b"<!DOCTYPE html><html>404", "a web page or XML; the download may have failed"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"GRIB\0\0\0\2", "it is GRIB; convert it first"),
        (b"BUFR\0\0\0\2", "it is BUFR"),
        (b"II*\0rest", "it is a TIFF; convert it first"),
        (b"MM\0*rest", "it is a TIFF; convert it first"),
        (b"\x0e\x03\x13\x01", "it is HDF4; convert it first"),
        (b"\x1f\x8b\x08", "it is compressed; unpack it first"),
        (b"PK\x03\x04", "it is compressed; unpack it first"),
        (b"\x93NUMPY", "an array of NumPy"),
        (b"netcdf model {", "NetCDF as text"),
        (bytes(range(256)), "of an unknown kind"),
        (b"CDF\x01", "cannot be read as NetCDF"),
        (b"\x89HDF\r\n\x1a\n", "cannot be read as NetCDF"),
    ],
)
@pytest.mark.parametrize("command", ["info", "kmeans", "plot"])
def test_commands_say_what_a_file_is_that_they_cannot_read(content, said, command, refuse):
    Path("file.nc").write_bytes(content)
    assert said in refuse(command, "file.nc")


def test_commands_say_what_a_folder_is_that_they_cannot_read(refuse):
    Path("empty.zarr").mkdir()
    assert "a folder, not a store, and empty" in refuse("info", "empty.zarr")
    Path("files").mkdir()
    Path("files/a.nc").touch()
    assert "a folder, not a store, with a.nc; name a file" in refuse("info", "files")
    zarr.create_array("array", data=np.zeros(3))
    assert "it is one array" in refuse("info", "array")
    zarr.create_array("second", data=np.zeros(3), zarr_format=2)
    assert "it is one array" in refuse("info", "second")
    Path("hurt").mkdir()
    Path("hurt/zarr.json").write_text("{")
    assert "its zarr.json is damaged" in refuse("info", "hurt")
    os.mkfifo("pipe")
    assert "it is no regular file" in refuse("info", "pipe")
    assert "download it first" in refuse("info", "https://example.org/model.nc")


def test_commands_tell_of_groups(succeed, refuse):
    SMALL.to_netcdf("groups.nc", group="PRODUCT/SUPPORT")
    SMALL.to_zarr("groups.zarr", group="ocean", consolidated=False)
    for name, group in (("groups.nc", "PRODUCT/SUPPORT"), ("groups.zarr", "ocean")):
        assert f"\n  {group}\n" in succeed("info", name)
        for options in ([], ["-v", "t"]):
            said = refuse("kmeans", name, *options)
            assert "it has none, but groups: " in said
            assert "group='" in said
            assert group in said


@pytest.mark.parametrize("units", ["months since 1900-01-01", "days since whatever"])
def test_kmeans_clusters_data_whose_times_cannot_be_decoded(units, run, succeed):
    data = SMALL.expand_dims(time=[0.5, 1.5]).copy()
    data["time"].attrs["units"] = units
    data.to_netcdf("climatology.nc")
    for command in (["info"], ["kmeans", "-k", "2"]):
        outcome = run(command[0], "climatology.nc", *command[1:])
        assert outcome.exit_code == 0
        (warning,) = outcome.stderr.strip().splitlines()
        assert warning == (
            f"Warning: times that cannot be decoded stay numbers: 'time' ({units!r})"
        )
    found = open_result("climatology_clusters.nc").dataset["time"]
    np.testing.assert_array_equal(found, [0.5, 1.5])
    assert found.attrs["units"] == units
    assert "40 profiles" in succeed("info", "climatology_clusters.nc")


def test_info_leaves_out_ragged_arrays(run):
    SMALL.assign(s=("lat", list("abcd"))).to_netcdf("ragged.nc")
    with netCDF4.Dataset("ragged.nc", "a") as file:
        kind = file.createVLType(np.int32, "rows")
        ragged = file.createVariable("r", kind, ("lat",))
        for i in range(4):
            ragged[i] = np.arange(i + 1, dtype=np.int32)
    outcome = run("info", "ragged.nc")
    assert outcome.exit_code == 0
    assert "Warning: variables of ragged arrays are left out: r\n" in outcome.stderr
    assert "s  (lat)" in outcome.stdout


def test_a_compression_that_is_missing_is_no_damage(model, monkeypatch, refuse):
    def load(*_, **__):
        raise RuntimeError("NetCDF: Filter error: undefined filter encountered")

    monkeypatch.setattr(xr.Dataset, "load", load)
    assert "'model.nc' uses a compression that is not installed" in refuse("kmeans", model)


def test_a_store_that_was_renamed_is_read(store, succeed):
    shutil.move(store, "renamed")
    succeed("kmeans", "renamed", "-k", "2")
    assert open_result("renamed_clusters.nc").n_clusters == 2
