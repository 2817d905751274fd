"""GeoTIFFs of labels, read back by rasterio: every pixel's place and label, colours and names."""

import sys

import numpy as np
import pytest
import xarray as xr

import xvcluster

rasterio = pytest.importorskip("rasterio")


def labelled(lat, lon, *, k=4, seed=0):
    """Labels at random, some of them missing."""
    random = np.random.default_rng(seed)
    values = random.integers(0, k + 1, (len(lat), len(lon))).astype(np.float32)
    values[values == 0] = np.nan
    coords = {"lat": np.asarray(lat, float), "lon": np.asarray(lon, float)}
    return xr.DataArray(values, coords, ("lat", "lon"), name="label")


GRIDS = {
    "global": (np.arange(-89.0, 90, 2), np.arange(-179.0, 180, 2)),
    "north first": (np.arange(89.0, -90, -2), np.arange(-179.0, 180, 2)),
    "0 to 360": (np.arange(-89.0, 90, 2), np.arange(1.0, 360, 2)),
    "0 to 358, at the poles": (np.arange(-90.0, 91, 2), np.arange(0.0, 360, 2)),
    "the seam twice": (np.arange(-80.0, 81, 4), np.arange(0.0, 361, 4)),
    "the dateline twice": (np.arange(-80.0, 81, 4), np.arange(-180.0, 181, 4)),
    "a region": (np.arange(30.0, 50, 0.25), np.arange(-125.0, -110, 0.5)),
    "a region in the west, from 0 to 360": (np.arange(30.0, 50, 1), np.arange(235.0, 250, 0.5)),
    "over the dateline": (np.arange(-20.0, 0, 1), np.arange(170.0, 200, 0.5)),
    "over the dateline, jumping": (
        np.arange(-20.0, 0, 1),
        (np.arange(170.0, 200, 0.5) + 180) % 360 - 180,
    ),
    "over Greenwich, jumping": (np.arange(40.0, 60, 1), np.arange(-10.0, 10, 0.5) % 360),
    "eastward last": (np.arange(40.0, 60, 1), np.arange(10.0, -10, -0.5)),
    "rounded": (np.arange(21.1, 41, 0.404).round(2), np.arange(-109.3, -91, 0.404).round(2)),
    "float32": (np.arange(30.0, 31, 0.1, np.float32), np.arange(235.1, 236, 0.1, np.float32)),
}


@pytest.mark.parametrize("name", GRIDS)
def test_every_pixel_has_the_label_of_its_place(tmp_path, name):
    labels = labelled(*GRIDS[name])
    if name.endswith("twice"):
        labels[:, -1] = labels[:, 0]
    labels.transpose("lon", "lat").vcluster.to_geotiff(tmp_path / "labels.tif")
    with rasterio.open(tmp_path / "labels.tif") as file:
        pixels, transform = file.read(1), file.transform
        assert file.crs == "EPSG:4326"
        assert file.nodata == 0
        assert transform.a > 0 > transform.e  # north is up
        assert -180 <= file.bounds.left + transform.a / 2 < 180  # the centre of the first pixel
    lat, lon, is_seen = labels["lat"].values, labels["lon"].values, np.zeros(labels.shape, bool)
    for row, column in np.ndindex(pixels.shape):
        x, y = transform @ (column + 0.5, row + 0.5)
        around = np.abs((lon - x + 180) % 360 - 180)
        i, j = np.abs(lat - y).argmin(), around.argmin()
        within = 0.02 if name == "rounded" else 1e-4
        np.testing.assert_allclose([lat[i] - y, around[j]], 0, atol=within)
        assert pixels[row, column] == np.nan_to_num(labels.values[i, j])
        is_seen[i, around < within] = True
    assert is_seen.all()


def test_to_geotiff_of_a_result_keeps_names_and_colours(tmp_path):
    data = xvcluster.tutorial.tomography()["vs"].vcluster.prepare(stride=8)
    result = data.vcluster.kmeans(3, n_init=1).rename({2: "Côte 海 $5"}).recolor({1: "#0a141e"})
    result.to_geotiff(tmp_path / "labels.TIFF")
    with rasterio.open(tmp_path / "labels.TIFF") as file:
        names, colors, pixels = file.tags(1), file.colormap(1), file.read(1)
        assert file.dtypes == ("uint8",)
        assert file.descriptions == ("cluster",)
        assert file.tags()["TIFFTAG_SOFTWARE"].startswith("xvcluster ")
    assert names == {"cluster_1": "Cluster 1", "cluster_2": "Côte 海 $5", "cluster_3": "Cluster 3"}
    assert colors[1] == (10, 20, 30, 255)
    assert colors[0][3] == 0
    expected = np.round(255 * xvcluster.plot.cluster_colors(result.labels))
    np.testing.assert_array_equal([colors[n] for n in (1, 2, 3)], expected)
    count = np.bincount(pixels.ravel(), minlength=4)[1:]
    np.testing.assert_array_equal(count, result.dataset["count"])


def test_to_geotiff_of_many_clusters_has_two_bytes_a_pixel(tmp_path):
    lat, lon = np.arange(20.0), np.arange(20.0)
    labels = labelled(lat, lon).copy(data=np.arange(1.0, 401.0).reshape(20, 20))
    labels.vcluster.to_geotiff(tmp_path / "labels.tif")
    with rasterio.open(tmp_path / "labels.tif") as file:
        assert file.dtypes == ("uint16",)
        np.testing.assert_array_equal(file.read(1), labels[::-1])


def test_to_geotiff_takes_one_of_several_maps(tmp_path):
    labels = xr.concat([labelled(np.arange(4.0), np.arange(3.0), seed=s) for s in (0, 1)], "time")
    with pytest.raises(ValueError, match=r"2 entries along 'time'.*isel\(time=0\)\.vcluster\.to_g"):
        labels.vcluster.to_geotiff(tmp_path / "labels.tif")
    assert not list(tmp_path.iterdir())
    labels.isel(time=[1]).vcluster.to_geotiff(tmp_path / "labels.tif")
    with rasterio.open(tmp_path / "labels.tif") as file:
        np.testing.assert_array_equal(file.read(1), labels[1, ::-1].fillna(0))


def test_to_geotiff_replaces_a_file_at_the_end_only(tmp_path, monkeypatch):
    path = tmp_path / "labels.tif"
    path.write_bytes(b"former")
    monkeypatch.setattr(rasterio.io.DatasetWriter, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        labelled(np.arange(4.0), np.arange(3.0)).vcluster.to_geotiff(path)
    assert path.read_bytes() == b"former"
    assert [p.name for p in tmp_path.iterdir()] == ["labels.tif"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.assign_coords(lat=a["lat"] ** 1.2), r"'lat' has uneven steps, of 1 to 1\.6"),
        (lambda a: a.assign_coords(lon=a["lon"] ** 1.2), r"'lon' has uneven steps, .*consensus\("),
        (
            lambda a: a.assign_coords(lon=[0, 1, 2, 3, 4.21]),
            r"'lon' has uneven steps, of 1 to 1.21",
        ),
        (lambda a: a[:1], r"a single lat, so that the size of a pixel is not known"),
        (lambda a: a[:, :1], r"a single lon, so that the size of a pixel is not known"),
        (lambda a: a.drop_vars("lat"), "have no latitude and longitude"),
        (lambda a: a + 0.5, r"holds \d\.5, but labels are integers"),
    ],
    ids=[
        "uneven rows",
        "uneven columns",
        "one step",
        "a row",
        "a column",
        "no latitude",
        "no labels",
    ],
)
def test_to_geotiff_refuses(tmp_path, change, message):
    labels = change(labelled(np.arange(6.0), np.arange(5.0)))
    with pytest.raises(ValueError, match=message):
        labels.vcluster.to_geotiff(tmp_path / "labels.tif")
    assert not list(tmp_path.iterdir())


def test_to_geotiff_refuses_other_names_and_folders(tmp_path):
    labels = labelled(np.arange(6.0), np.arange(5.0))
    with pytest.raises(ValueError, match=r"must end in \.tif or \.tiff; got '.*labels\.png'"):
        labels.vcluster.to_geotiff(tmp_path / "labels.png")
    with pytest.raises(FileNotFoundError, match="does not exist; create it"):
        labels.vcluster.to_geotiff(tmp_path / "nowhere" / "labels.tif")


def test_to_geotiff_tells_how_to_install_rasterio(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(ImportError, match=r'rasterio, .* pip install "xvcluster\[geo\]"'):
        labelled(np.arange(6.0), np.arange(5.0)).vcluster.to_geotiff(tmp_path / "labels.tif")


def test_other_grids_come_to_a_geotiff_by_the_way_that_the_message_names(tmp_path, bent_model):
    result = bent_model.vcluster.kmeans(3, n_init=1)
    with pytest.raises(ValueError, match=r"a curvilinear grid.*consensus\(\[labels\], grid=0\.5\)"):
        result.to_geotiff(tmp_path / "labels.tif")
    points = result.labels.stack(point=("y", "x")).reset_index("point").dropna("point")
    with pytest.raises(ValueError, match="lie on loose points, but pixels need an even grid"):
        points.vcluster.to_geotiff(tmp_path / "labels.tif")
    path = tmp_path / "labels.tif"
    labels = result.labels
    xvcluster.consensus([labels], grid=0.5)["label"].vcluster.to_geotiff(path)
    with rasterio.open(path) as file:
        (found,) = next(file.sample([(-115.7, 40.3)]))
        assert file.shape == (360, 720)
    place = (labels["lat"] - 40.25) ** 2 + 0.6 * (labels["lon"] + 115.75) ** 2
    nearest = labels.where(place == place.min()).max()
    assert found == nearest
