import itertools
import warnings
from importlib.resources import files
from urllib.error import URLError

import cartopy.crs as ccrs
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from cartopy.feature import NaturalEarthFeature
from scipy.spatial import cKDTree

from xvcluster.plot.basemap import add_basemap, choose_resolution, read_lines

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


def segments(name, resolution="110m"):
    """Return the (n, 2, 2) segments of the packaged lines."""
    vertices, offsets = read_lines(name, resolution)
    pairs = np.stack([vertices[:-1], vertices[1:]], axis=1)
    return np.delete(pairs, offsets[1:-1] - 1, axis=0)


def distance(name, resolution, longitude, latitude):
    """Return the distance in km from a place to the nearest packaged line."""
    lines = segments(name, resolution)
    to_km = 111.2 * np.array([np.cos(np.radians(latitude)), 1.0])
    place, start = np.array([longitude, latitude]) * to_km, lines[:, 0] * to_km
    step = np.diff(lines, axis=1)[:, 0] * to_km
    share = np.sum((place - start) * step, axis=1) / np.sum(step**2, axis=1)
    return np.hypot(*(start + np.clip(share, 0, 1)[:, None] * step - place).T).min()


@pytest.mark.parametrize(("resolution", "limit"), [("110m", 30_000), ("50m", 200_000)])
def test_packaged_file_is_small(resolution, limit):
    path = files("xvcluster") / "data" / f"natural_earth_{resolution}.npz"
    assert len(path.read_bytes()) < limit


def test_packaged_file_keeps_its_licence():
    notice = (files("xvcluster") / "data" / "LICENSE-world-atlas").read_text(encoding="utf-8")
    assert "Michael Bostock" in notice
    assert "natural_earth_110m.npz and natural_earth_50m.npz" in notice.splitlines()[0]


@pytest.mark.parametrize("resolution", ["110m", "50m"])
@pytest.mark.parametrize("name", ["coastlines", "borders"])
def test_packaged_lines_have_no_seam(name, resolution):
    lines = segments(name, resolution)
    assert not (np.abs(lines[:, :, 0]) > 179.99).all(axis=1).any()
    assert lines[..., 1].min() > -89.9
    # the 49th parallel is one step from the Lake of the Woods to the Strait of Georgia
    assert np.abs(np.diff(lines[:, :, 0])).max() < 28
    assert np.hypot(*np.diff(lines, axis=1)[:, 0].T).min() > 0


@pytest.mark.parametrize("resolution", ["110m", "50m"])
def test_packaged_coastlines_close_or_end_at_the_seam(resolution):
    vertices, offsets = read_lines("coastlines", resolution)
    first, last = vertices[offsets[:-1]], vertices[offsets[1:] - 1]
    is_open = (first != last).any(axis=1)
    ends = np.concatenate([first[is_open], last[is_open]])
    assert len(ends) > 0
    np.testing.assert_array_equal(np.abs(ends[:, 0]), 180)
    assert len(vertices) == offsets[-1]


@pytest.mark.parametrize("resolution", ["110m", "50m"])
def test_packaged_coastlines_enclose_areas(resolution):
    vertices, offsets = read_lines("coastlines", resolution)
    for start, end in itertools.pairwise(offsets):
        x, y = vertices[start:end].T
        if x[0] == x[-1] and y[0] == y[-1]:
            assert np.abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) > 0


@pytest.mark.parametrize("resolution", ["110m", "50m"])
def test_packaged_coastlines_meet_across_the_seam(resolution):
    vertices, _ = read_lines("coastlines", resolution)
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
    assert distance(name, "110m", longitude, latitude) < 55
    assert distance(name, "50m", longitude, latitude) < 10


@pytest.mark.parametrize(
    ("city", "longitude", "latitude"),
    [
        ("Seattle", -122.34, 47.605),
        ("Tacoma", -122.46, 47.26),
        ("Victoria", -123.37, 48.42),
        ("San Francisco", -122.42, 37.81),
        ("Tokyo, Harumi", 139.78, 35.65),
        ("Hakodate", 140.72, 41.77),
        ("Nagasaki", 129.87, 32.74),
        ("Piraeus", 23.64, 37.94),
        ("Izmir", 27.13, 38.43),
        ("Heraklion", 25.14, 35.34),
        ("Suva", 178.44, -18.14),
        ("Anadyr", 177.5, 64.73),
        ("Sydney", 151.22, -33.86),
        ("Cape Town", 18.43, -33.9),
        ("Reykjavik", -21.93, 64.15),
        ("Singapore", 103.85, 1.28),
    ],
)
def test_packaged_coastlines_pass_ports(city, longitude, latitude):
    assert distance("coastlines", "50m", longitude, latitude) < 13, city


@pytest.mark.parametrize(
    ("place", "longitude", "latitude"),
    [
        ("Strasbourg, at the Rhine", 7.8, 48.57),
        ("Niagara Falls", -79.07, 43.08),
        ("El Paso", -106.49, 31.76),
        ("Brenner Pass", 11.51, 47.0),
    ],
)
def test_packaged_borders_pass_towns_on_them(place, longitude, latitude):
    assert distance("borders", "50m", longitude, latitude) < 13, place


@pytest.mark.parametrize(
    ("projection", "size", "extent", "expected"),
    [
        (ccrs.Robinson(), (7, 4), None, "110m"),  # the globe on a page
        (ccrs.Robinson(), (20, 11), None, "50m"),  # on a poster
        (ccrs.PlateCarree(180), (3.5, 2), None, "110m"),
        (ccrs.Orthographic(0, 40), (3.5, 3.5), None, "110m"),
        (ccrs.LambertConformal(-122, 48), (3.5, 3), (-125, -120, 46, 50), "50m"),
        (ccrs.LambertConformal(-112, 40), (3.5, 3), (-128, -101, 32, 49), "50m"),
        (ccrs.Mercator(180), (3.5, 3), (165, 200, 50, 72), "50m"),
        (ccrs.LambertConformal(15, 52), (3.5, 3), (-12, 40, 34, 71), "50m"),
        (ccrs.NorthPolarStereo(), (7, 7), (-180, 180, 60, 90), "50m"),
        (ccrs.NorthPolarStereo(), (2, 2), (-180, 180, 0, 90), "110m"),
        (ccrs.Mercator(100), (7, 5), (40, 160, -50, 50), "110m"),
    ],
)
def test_lines_are_chosen_by_the_scale_of_the_map(projection, size, extent, expected):
    figure = plt.figure(figsize=size)
    ax = figure.add_axes((0, 0, 1, 1), projection=projection)
    if extent is None:
        ax.set_global()
    else:
        ax.set_extent(extent, crs=ccrs.PlateCarree())
    assert choose_resolution(ax) == expected
    plt.close(figure)


@pytest.mark.parametrize(
    ("projection", "extent"),
    [
        (ccrs.Mercator(180), (165, 200, 50, 72)),
        (ccrs.Mercator(179), (175, 182, -21, -14)),
        (ccrs.PlateCarree(180), (170, 200, -25, -10)),
        (ccrs.LambertConformal(-122, 48), (-125, -120, 46, 50)),
        (ccrs.NorthPolarStereo(), (-180, 180, 60, 90)),
        (ccrs.SouthPolarStereo(30), (-180, 180, -90, -63)),
        (ccrs.RotatedPole(-162, 39.25), (-10, 30, 35, 65)),
        (ccrs.Orthographic(170, 60), (150, 210, 40, 75)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_maps_lack_no_line_that_they_show(geo_axes, projection, extent):
    ax = geo_axes(projection)
    ax.set_extent(extent, crs=ccrs.PlateCarree())
    add_basemap(ax, resolution="50m", borders=False)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    vertices, _ = read_lines("coastlines", "50m")
    x, y, _ = projection.transform_points(ccrs.PlateCarree(), *vertices.T).T
    lon, lat, _ = ccrs.PlateCarree().transform_points(projection, x, y).T
    is_shown = (x > left) & (x < right) & (y > bottom) & (y < top)
    is_shown &= (np.abs(lat - vertices[:, 1]) < 1e-6) & (
        np.cos(np.radians(lon - vertices[:, 0])) > 0
    )
    drawn = np.concatenate([path.vertices for path in ax.collections[0].get_paths()])
    nearest, _ = cKDTree(drawn).query(np.stack([x, y], axis=1)[is_shown])
    assert is_shown.sum() > 30
    assert nearest.max() < 1e-3 * (right - left)


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


def test_add_basemap_needs_no_network_for_packaged_lines(geo_axes, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("asked the network")

    monkeypatch.setattr("cartopy.io.urlopen", refuse)
    monkeypatch.setattr(NaturalEarthFeature, "geometries", refuse)
    for resolution in ("auto", "50m", "110m"):
        ax = geo_axes()
        add_basemap(ax, resolution=resolution)
        ax.figure.canvas.draw()


def test_add_basemap_warns_once_without_network(geo_axes, monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(NaturalEarthFeature, "geometries", refuse)
    ax = geo_axes()
    with pytest.warns(
        UserWarning,
        match=r"could not read or download the lines .* at 10m.*no network.*at 50m instead",
    ) as record:
        add_basemap(ax, resolution="10m")
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
    (folder / "ne_10m_coastline.shp").write_bytes(content)
    monkeypatch.setitem(cartopy.config, "data_dir", tmp_path)
    monkeypatch.setattr("cartopy.feature._NATURAL_EARTH_GEOM_CACHE", {})
    ax = geo_axes()
    with pytest.warns(
        UserWarning, match="could not read or download the lines of Natural Earth at 10m"
    ) as record:
        add_basemap(ax, resolution="10m")
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
        add_basemap(ax, resolution="10m")
        ax.set_global()
        ax.figure.canvas.draw()
    assert [len(collection.get_paths()) for collection in ax.collections] == [1, 1]


def test_add_basemap_refuses_plain_axes():
    figure, ax = plt.subplots()
    with pytest.raises(TypeError, match="cannot be drawn on Axes, it requires a cartopy GeoAxes"):
        add_basemap(ax)
    plt.close(figure)


def test_add_basemap_refuses_unknown_resolution(geo_axes):
    with pytest.raises(ValueError, match=r"unknown resolution '20m'.*'auto', '110m', '50m', '10m'"):
        add_basemap(geo_axes(), resolution="20m")
