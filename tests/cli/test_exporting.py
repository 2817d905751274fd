"""The command that writes results for other programs."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import xvcluster

rasterio = pytest.importorskip("rasterio")

DECLARED = ["--vp-vs", "1.75", "--density", "ak135", "--below", "ak135"]


def test_export_writes_a_geotiff(clustered, succeed):
    assert succeed("export", clustered, "map.tif") == "Wrote map.tif\n"
    xvcluster.open_result(clustered).to_geotiff("expected.tif")
    with rasterio.open("map.tif") as found, rasterio.open("expected.tif") as expected:
        np.testing.assert_array_equal(found.read(1), expected.read(1))
        assert found.colormap(1) == expected.colormap(1)


def test_export_writes_one_time_as_a_geotiff(tomography, succeed, refuse):
    of_times = xr.concat([tomography, tomography + 0.1], xr.Variable("time", [2000, 2001]))
    of_times["vs"].attrs = tomography["vs"].attrs
    result = of_times["vs"].vcluster.kmeans(2, n_init=1)
    result.to_netcdf("times.nc")
    assert "--time" in refuse("export", "times.nc", "map.tif")
    succeed("export", "times.nc", "map.tif", "--time", "2001")
    with rasterio.open("map.tif") as found:
        last = result.labels.isel(time=1).sortby("latitude", ascending=False)
        np.testing.assert_array_equal(found.read(1), last.fillna(0))


@pytest.mark.filterwarnings("ignore:no Moho is among the levels")
@pytest.mark.parametrize("ending", ["nd", "tvel", "mod"])
def test_export_writes_a_model_for_each_cluster(clustered, succeed, ending):
    said = succeed("export", clustered, f"c{{cluster}}.{ending}", *DECLARED)
    assert said.splitlines() == [f"Wrote c{n}.{ending}" for n in (1, 2, 3)]
    result = xvcluster.open_result(clustered)
    write = result.to_model96 if ending == "mod" else result.to_nd
    declared = {"vp_vs": 1.75, "density": "ak135", "below": "ak135"}
    (expected,) = write(Path(f"expected.{ending}"), 2, **declared)
    assert Path(f"c2.{ending}").read_text() == expected.read_text()


def test_export_writes_one_cluster(clustered, succeed):
    succeed("export", clustered, "one.nd", "--cluster", 2, *DECLARED)
    assert "(cluster 2 of 3)" in Path("one.nd").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["map.png"], "must end in one of .tif, .tiff, .nd, .tvel, .mod"),
        (["map.tif", "--vp-vs", "1.7"], "--vp-vs applies to 1-D models only"),
        (["map.tif", "--cluster", "1"], "--cluster applies to 1-D models only"),
        (["map.tif", "--time", "2000"], "--time 2000 has no effect"),
        (["c{cluster}.nd", *DECLARED, "--time", "2000"], "--time applies to a GeoTIFF only"),
        (["c.nd", *DECLARED], "3 clusters need a file each"),
        (["c.nd", "--cluster", "1", *DECLARED[2:]], "give vp_vs=, a ratio such as 1.73"),
        (["c{cluster}.nd", *DECLARED], "c2.nd exists already"),
        (["here.tif"], "here.tif exists already"),
    ],
)
def test_export_refuses(clustered, refuse, arguments, message):
    Path("here.tif").touch()
    Path("c2.nd").touch()
    before = sorted(path.name for path in Path().iterdir())
    assert message in refuse("export", clustered, *arguments)
    assert sorted(path.name for path in Path().iterdir()) == before
    assert Path("c2.nd").read_text() == ""


def test_export_replaces_with_overwrite(clustered, succeed):
    Path("c2.nd").touch()
    succeed("export", clustered, "c{cluster}.nd", *DECLARED, "--overwrite")
    assert Path("c2.nd").read_text()
