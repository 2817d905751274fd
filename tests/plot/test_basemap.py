import warnings
from importlib.resources import files
from urllib.error import URLError

import cartopy.crs as ccrs
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from cartopy.feature import NaturalEarthFeature

from xvcluster.plot.basemap import _read_lines, add_basemap

mpl.use("Agg")

PROJECTIONS = [
    ccrs.Robinson(central_longitude=180),
    ccrs.Mercator(),
    ccrs.PlateCarree(central_longitude=180),
    ccrs.NorthPolarStereo(),
    ccrs.SouthPolarStereo(),
    ccrs.LambertConformal(central_longitude=-112, central_latitude=40),
]


@pytest.fixture
def geo_axes():
    def make(projection=None):
        return plt.figure().add_subplot(projection=projection or ccrs.PlateCarree())

    yield make
    plt.close("all")


def segments(name):
    """Return the (n, 2, 2) segments of the packaged lines."""
    vertices, offsets = _read_lines(name)
    pairs = np.stack([vertices[:-1], vertices[1:]], axis=1)
    return np.delete(pairs, offsets[1:-1] - 1, axis=0)


def test_packaged_file_is_small():
    path = files("xvcluster") / "data" / "natural_earth_110m.npz"
    assert len(path.read_bytes()) < 100_000


def test_packaged_file_keeps_its_licence():
    notice = (files("xvcluster") / "data" / "LICENSE-world-atlas").read_text(encoding="utf-8")
    assert "Michael Bostock" in notice
    assert "natural_earth_110m.npz" in notice.splitlines()[0]


@pytest.mark.parametrize("name", ["coastlines", "borders"])
def test_packaged_lines_have_no_seam(name):
    lines = segments(name)
    assert not (np.abs(lines[:, :, 0]) > 179.99).all(axis=1).any()
    assert lines[..., 1].min() > -89.9
    assert np.abs(np.diff(lines[:, :, 0])).max() < 20
    assert np.hypot(*np.diff(lines, axis=1)[:, 0].T).min() > 0


def test_packaged_coastlines_meet_across_the_seam():
    vertices, _ = _read_lines("coastlines")
    west = vertices[vertices[:, 0] == -180, 1]
    east = vertices[vertices[:, 0] == 180, 1]
    assert len(west) > 0
    np.testing.assert_array_equal(np.sort(west), np.sort(east))


@pytest.mark.parametrize(
    ("name", "longitude", "latitude"),
    [
        ("coastlines", -124.5, 42.8),  # Cape Blanco
        ("coastlines", 18.4, -34.1),  # Cape of Good Hope
        ("borders", -100.0, 49.0),  # between Canada and the United States
    ],
)
def test_packaged_lines_pass_known_places(name, longitude, latitude):
    lines = segments(name)
    start, step = lines[:, 0], np.diff(lines, axis=1)[:, 0]
    share = np.sum((np.array([longitude, latitude]) - start) * step, axis=1) / np.sum(
        step**2, axis=1
    )
    nearest = start + np.clip(share, 0, 1)[:, None] * step
    assert np.hypot(*(nearest - [longitude, latitude]).T).min() < 0.5


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: type(p).__name__)
def test_add_basemap_draws_inside_any_projection(geo_axes, projection):
    ax = geo_axes(projection)
    ax.set_global()
    extent = ax.get_extent()
    assert add_basemap(ax) is ax
    ax.figure.canvas.draw()
    assert ax.get_extent() == extent
    # a line torn across the map would be as long as the map is wide
    width = extent[1] - extent[0]
    for collection in ax.collections:
        for path in collection.get_paths():
            # runs are cut where a line leaves the map
            runs = [
                run for run in np.split(path.vertices, np.flatnonzero(path.codes == 1)) if len(run)
            ]
            assert max(np.abs(np.diff(run[:, 0])).max(initial=0) for run in runs) < width / 4


def test_add_basemap_leaves_a_regional_extent(geo_axes):
    ax = geo_axes(ccrs.LambertConformal(central_longitude=-112, central_latitude=40))
    ax.set_extent([-128, -101, 32, 49], crs=ccrs.PlateCarree())
    extent = ax.get_extent()
    add_basemap(ax)
    ax.figure.canvas.draw()
    assert ax.get_extent() == extent


def test_add_basemap_colours_pixels(geo_axes):
    ax = geo_axes()
    ax.set_global()
    add_basemap(ax, color="red", linewidth=2)
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())
    assert (pixels[..., :3] == [255, 0, 0]).all(axis=-1).sum() > 1000


@pytest.mark.parametrize(("coastlines", "borders"), [(True, False), (False, True), (False, False)])
def test_add_basemap_draws_what_is_asked(geo_axes, coastlines, borders):
    ax = geo_axes()
    add_basemap(ax, coastlines=coastlines, borders=borders)
    assert len(ax.collections) == coastlines + borders


def test_add_basemap_warns_once_without_network(geo_axes, monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(NaturalEarthFeature, "geometries", refuse)
    ax = geo_axes()
    with pytest.warns(
        UserWarning,
        match="could not read or download the lines of Natural Earth at 50m.*no network",
    ) as record:
        add_basemap(ax, resolution="50m")
    assert len(record) == 1
    assert record[0].filename == __file__
    ax.figure.canvas.draw()
    assert len(ax.collections) == 2


def test_add_basemap_tries_cartopys_own_download(geo_axes, monkeypatch, tmp_path):
    import cartopy

    def refuse(url):
        raise URLError("no network")

    for name in ("data_dir", "pre_existing_data_dir", "repo_data_dir"):
        monkeypatch.setitem(cartopy.config, name, tmp_path)
    monkeypatch.setattr("cartopy.io.urlopen", refuse)
    monkeypatch.setattr("cartopy.feature._NATURAL_EARTH_GEOM_CACHE", {})
    ax = geo_axes()
    with pytest.warns(
        UserWarning, match="could not read or download the lines of Natural Earth at 10m"
    ) as record:
        add_basemap(ax, resolution="10m")
    assert len(record) == 1
    ax.figure.canvas.draw()


@pytest.mark.parametrize("content", [b"", b"cut short"])
def test_add_basemap_warns_where_cartopys_file_is_broken(geo_axes, monkeypatch, tmp_path, content):
    import cartopy

    folder = tmp_path / "shapefiles" / "natural_earth" / "physical"
    folder.mkdir(parents=True)
    (folder / "ne_50m_coastline.shp").write_bytes(content)
    monkeypatch.setitem(cartopy.config, "data_dir", tmp_path)
    monkeypatch.setattr("cartopy.feature._NATURAL_EARTH_GEOM_CACHE", {})
    ax = geo_axes()
    with pytest.warns(
        UserWarning, match="could not read or download the lines of Natural Earth at 50m"
    ) as record:
        add_basemap(ax, resolution="50m")
    assert len(record) == 1
    ax.figure.canvas.draw()


def test_add_basemap_uses_cartopys_finer_lines_where_it_has_them(geo_axes, monkeypatch):
    from shapely.geometry import LineString

    monkeypatch.setattr(
        NaturalEarthFeature, "geometries", lambda _: iter([LineString([(0, 0), (10, 10)])])
    )
    ax = geo_axes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        add_basemap(ax, resolution="50m")
        ax.set_global()
        ax.figure.canvas.draw()
    assert [len(collection.get_paths()) for collection in ax.collections] == [1, 1]


def test_add_basemap_refuses_plain_axes():
    figure, ax = plt.subplots()
    with pytest.raises(TypeError, match="cannot be drawn on Axes, it requires a cartopy GeoAxes"):
        add_basemap(ax)
    plt.close(figure)


def test_add_basemap_refuses_unknown_resolution(geo_axes):
    with pytest.raises(ValueError, match=r"unknown resolution '20m'.*'110m', '50m', '10m'"):
        add_basemap(geo_axes(), resolution="20m")
