import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from cartopy.mpl.gridliner import Gridliner

from xvcluster.plot import map as draw_map
from xvcluster.plot import maps, votes
from xvcluster.plot.view import check_extent, check_projection

GLOBE = np.arange(-87.5, 90, 5), np.arange(2.5, 360, 5)
ACROSS = (120, -60, -60, 60)


def limits(ax):
    """Left, right, bottom and top, in the map's own coordinates."""
    return *ax.get_xlim(), *ax.get_ylim()


def test_check_extent_turns_east_beyond_the_dateline():
    assert check_extent((120, -60, -60, 60)) == (120, 300, -60, 60)
    assert check_extent(np.array([170, -170, -20, 20])) == (170, 190, -20, 20)
    assert check_extent([-80, 0, 0, 70]) == (-80, 0, 0, 70)
    assert check_extent((0, 360, -90, 90)) == (0, 360, -90, 90)
    assert check_extent(None) is None


@pytest.mark.parametrize(
    ("extent", "problem"),
    [
        ((-80, 0, 70, 0), r"has its south, 70, not below its north, 0"),
        ((-80, 0, 10, 10), r"has its south, 10, not below its north, 10"),
        ((0, 70, -120, 60), r"has latitudes beyond ±90"),
        ((-80, 0, 0, np.nan), r"not finite"),
        ((-np.inf, 0, 0, 70), r"not finite"),
        ((-80, 0, 0), r"is not four numbers"),
        ([[-80, 0], [0, 70]], r"is not four numbers"),
        ((10, 10, 0, 70), r"does not go from its west, 10, eastward to 10 within one turn"),
        ((-180, 190, 0, 70), r"does not go from its west, -180, eastward to 190 within one turn"),
        ((1e5, 2e5, 0, 70), r"longitudes that are not from -360 to 540"),
    ],
)
@pytest.mark.parametrize("figure", ["map", "maps", "votes"])
def test_figures_refuse_what_is_no_extent(labels_of, sweep_of, figure, extent, problem):
    draw = {
        "map": lambda: draw_map(labels_of(*GLOBE), extent=extent),
        "maps": lambda: maps(sweep_of(), extent=extent),
        "votes": lambda: votes(xr.Dataset(), extent=extent),
    }[figure]
    with pytest.raises(ValueError, match=rf"extent=.*{problem}.*\(west, east, south, north\)"):
        draw()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("extent", ["-80,0,0,70", (None, 0, 0, 70), ("-80", "0", "0", "70"), 7j])
def test_map_refuses_an_extent_that_is_no_numbers(labels_of, extent):
    with pytest.raises(TypeError, match=r"does not consist of numbers; give \(west, east, south"):
        draw_map(labels_of(*GLOBE), extent=extent)


def test_map_checks_extent_and_projection_before_it_computes(labels_of, computed):
    labels = labels_of(*GLOBE).chunk()
    for options, error in (({"extent": (0, 1, 2)}, ValueError), ({"projection": "x"}, TypeError)):
        with pytest.raises(error):
            draw_map(labels, **options)
    assert computed == []


@pytest.mark.parametrize(
    ("projection", "advice"),
    [
        ("robinson", r"'robinson' of type str; .* such as cartopy\.crs\.Robinson\(\)"),
        ("plate_carree", r"cartopy\.crs\.PlateCarree\(\)"),
        ("unknown", r"cartopy\.crs\.Robinson\(\)"),
        (ccrs.Mollweide, r"is the class Mollweide; .* such as cartopy\.crs\.Mollweide\(\)"),
        (ccrs.Geodetic(), r"of type Geodetic; pass an instance of a projection"),
        (4326, r"4326 of type int; pass an instance of a projection"),
    ],
)
def test_check_projection_names_what_to_pass(projection, advice):
    with pytest.raises(TypeError, match=advice):
        check_projection(projection)


def test_map_of_an_extent_across_the_dateline_is_as_wide_as_it(close, labels_of):
    ax = close(draw_map(labels_of(*GLOBE), extent=ACROSS), drawn=True)
    assert ax.projection.proj4_params["lon_0"] == 210
    assert np.ptp(ax.get_xlim()) == pytest.approx(np.radians(180) * 6378137)
    lines = next(artist for artist in ax.artists if isinstance(artist, Gridliner))
    texts = {text.get_text() for text in lines.label_artists}
    assert texts >= {"120°E", "180°", "120°W", "40°S", "40°N"}


def test_every_map_of_an_extent_across_the_dateline_wraps(close, labels_of, sweep_of):
    labels = labels_of(*GLOBE)
    counts = xr.Dataset({"votes": labels.expand_dims(cluster=[1]), "n_models": 4 + 0 * labels})
    certainty = xr.ones_like(labels).drop_attrs()
    center = {"projection": ccrs.PlateCarree(central_longitude=210), "extent": ACROSS}
    (panel,) = close(maps(sweep_of((2,)), **center)).axes
    drawn = [
        draw_map(labels, **center),
        draw_map(labels, background=certainty, **center),
        draw_map(labels, certainty=certainty, **center),
        votes(counts.fillna(0), **center),
        panel,
    ]
    for ax in drawn:
        close(ax)
        assert limits(ax) == pytest.approx((-90, 90, -60, 60))


def test_map_that_shows_nothing_of_an_extent_says_so(labels_of):
    message = r"Orthographic shows nothing of extent=.*centred on them.*central_longitude"
    with pytest.raises(ValueError, match=message):
        draw_map(labels_of(*GLOBE), projection=ccrs.Orthographic(), extent=(150, -150, -30, 30))
    plt.close("all")


def test_map_that_shows_a_part_of_an_extent_is_limited_to_it(close, labels_of):
    projection = ccrs.Orthographic(central_longitude=-120)
    ax = close(draw_map(labels_of(*GLOBE), projection=projection, extent=ACROSS))
    left, right, bottom, top = limits(ax)
    assert (left, right) == pytest.approx((-6378137, 0.866 * 6378137), rel=1e-2)
    assert (bottom, top) == pytest.approx((-0.866 * 6378137, 0.866 * 6378137), rel=1e-2)


def test_map_around_a_pole_includes_it(close, labels_of):
    projection = ccrs.LambertAzimuthalEqualArea(central_latitude=90)
    ax = close(draw_map(labels_of(*GLOBE), projection=projection, extent=(-180, 180, 60, 90)))
    radius = 2 * 6378137 * np.sin(np.radians(15))
    assert limits(ax) == pytest.approx((-radius, radius, -radius, radius), rel=5e-3)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (np.arange(-60.0, 61), [10.0]),
        (np.arange(-90.0, 91), [10.0]),
        ([45.0], np.arange(-170.0, -100, 2)),
        ([0.0], np.arange(0.0, 360, 2)),
        (np.arange(40.0, 41, 0.001), [10.0]),
        ([89.5], np.arange(0.0, 360, 2)),
    ],
)
@pytest.mark.parametrize("curvilinear", [False, True])
def test_figures_of_lines_of_profiles_are_bounded(close, labels_of, lat, lon, curvilinear):
    labels = labels_of(lat, lon, 2)
    if curvilinear:
        both = xr.broadcast(labels["latitude"], labels["longitude"])
        labels = labels.rename(latitude="y", longitude="x").drop_vars(["x", "y"])
        coords = {at.name: (("y", "x"), at.values) for at in both}
        labels = labels.assign_coords(coords)
    ax = close(draw_map(labels), drawn=True)
    box = ax.get_window_extent()
    assert 1 / 12 < box.width / box.height < 12
    assert max(ax.figure.get_size_inches()) <= 20


@pytest.mark.parametrize(
    ("names", "n_rows", "n_columns"),
    [(("latitude", "longitude"), 100, 1), (("latitude", "longitude"), 9, 7), (("y", "x"), 100, 1)],
)
def test_maps_of_many_numbers_of_clusters_are_bounded(close, labels_of, names, n_rows, n_columns):
    labels = labels_of(np.arange(n_rows) * 0.5, np.arange(n_columns) * 0.5, 2, names=names)
    ks = xr.DataArray(np.arange(2, 42), dims="k", name="k")
    sweep = xr.Dataset({"label": xr.concat([labels.drop_attrs()] * 40, ks)})
    figure = close(maps(sweep, coastlines=False)).figure
    assert max(figure.get_size_inches()) <= 20
    assert len(figure.axes) == 40


@pytest.mark.parametrize("shape", [(100, 1), (1, 100), (300, 2), (30, 40)])
def test_maps_of_index_planes_are_not_slim(close, shape):
    ax = close(draw_map(xr.DataArray(np.ones(shape), dims=("y", "x"))), drawn=True)
    box = ax.get_window_extent()
    assert 1 / 6 <= box.width / box.height <= 6
    assert all(tick == int(tick) for tick in (*ax.get_xticks(), *ax.get_yticks()))


def test_map_in_a_slim_extent_is_bounded(close, labels_of):
    figure = close(draw_map(labels_of(*GLOBE), extent=(0, 1, -60, 60))).figure
    assert max(figure.get_size_inches()) <= 20
