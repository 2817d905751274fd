"""Polygons against the edges and areas of the cells, and pyproj's geodesics."""

import re
import time

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from xvcluster.boundaries import boundaries
from xvcluster.grid.areas import EARTH_RADIUS_KM

shapely = pytest.importorskip("shapely")
geopandas = pytest.importorskip("geopandas")
pyproj = pytest.importorskip("pyproj")

EARTH_KM2 = 4 * np.pi * EARTH_RADIUS_KM**2


@pytest.fixture
def make_polar(make_blobs, make_curvilinear):
    """Labels on an even stereographic grid of 100 km around a pole."""

    def make(n_y, n_x, *, south=False, seed=0):
        plane = "+proj=stere +lat_0=90 +lat_ts=70 +R=6371007.2"
        transform = pyproj.Transformer.from_crs(plane, "+proj=longlat +R=6371007.2", always_xy=True)
        x, y = (1e5 * (np.arange(n) - (n - 1) / 2) for n in (n_x, n_y))
        lon, lat = transform.transform(*np.meshgrid(x, y))
        return make_curvilinear(make_blobs(n_y, n_x, 4, 3, seed=seed), -lat if south else lat, lon)

    return make


def test_boundaries_of_one_cell_are_its_edges(make_labels):
    values = np.full((3, 3), np.nan)
    values[1, 1] = 2
    frame = boundaries(make_labels(values, [10, 11, 12], [20, 21, 22]))
    assert list(frame.columns) == ["geometry", "cluster", "length_km", "area_km2"]
    assert frame.geometry[0].equals(shapely.box(20.5, 10.5, 21.5, 11.5))
    assert frame["cluster"].tolist() == [2]
    south, north = np.radians([10.5, 11.5])
    degree = EARTH_RADIUS_KM * np.radians(1)
    length = degree * (2 + np.cos(south) + np.cos(north))
    np.testing.assert_allclose(frame["length_km"], [length], rtol=1e-12)
    area = EARTH_RADIUS_KM * degree * (np.sin(north) - np.sin(south))
    np.testing.assert_allclose(frame["area_km2"], [area], rtol=1e-12)


def test_boundaries_have_holes(make_labels):
    values = np.ones((5, 5))
    values[2, 2] = 2
    frame = boundaries(make_labels(values, np.arange(5), np.arange(5)))
    outer, inner = frame.geometry
    assert len(outer.interiors) == 1
    assert shapely.Polygon(outer.interiors[0]).equals(inner)
    assert frame["length_km"][0] > shapely.length(outer.exterior)


def test_boundaries_pinch_off_a_hole_that_touches_the_outline(make_labels, check):
    values = np.array([[1, 1, 1, 1], [1, 2, 1, 1], [1, 1, 3, 1], [1, 1, 1, 3]])
    frame = check(make_labels(values, np.arange(4), np.arange(4)))
    assert shapely.get_num_interior_rings(frame.geometry[0]) == 2


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (np.arange(-89.5, 90), np.arange(0.5, 360)),
        (np.arange(-90.0, 91, 2), np.arange(0.0, 360, 2)),
        (np.arange(89.0, -90, -2), np.arange(-180.0, 180, 2)),
        (np.arange(-87.5, 90, 5), np.arange(357.5, 0, -5)),
        (np.arange(-88.5, 90, 3), np.cumsum(np.tile([2.0, 3.0, 4.0], 40))),
    ],
)
def test_boundaries_of_the_globe_are_whole(make_labels, make_blobs, check, lat, lon):
    values = make_blobs(len(lat), len(lon), 6, 3, around=True)
    frame = check(make_labels(values, lat, lon), EARTH_KM2)
    across = frame[frame.geom_type == "MultiPolygon"]
    assert len(across) > 0
    for shape in across.geometry:
        west, _, east, _ = shape.bounds
        assert (west, east) == (-180, 180)


def test_boundaries_leave_missing_cells_out(make_labels, make_blobs, check):
    values = make_blobs(90, 180, 5, 2, around=True)
    values[np.random.default_rng(0).random(values.shape) < 0.1] = np.nan
    check(make_labels(values, np.arange(-89.0, 90, 2), np.arange(1.0, 360, 2)))


def test_boundaries_do_not_count_the_cut_and_the_poles(make_labels):
    values = np.ones((18, 36))
    values[:4] = 2
    frame = boundaries(make_labels(values, np.arange(-85, 90, 10), np.arange(5, 360, 10)))
    parallel = 2 * np.pi * EARTH_RADIUS_KM * np.cos(np.radians(50))
    np.testing.assert_allclose(frame["length_km"], [parallel, parallel], rtol=1e-12)
    cap = 2 * np.pi * EARTH_RADIUS_KM**2 * (1 - np.sin(np.radians(50)))
    np.testing.assert_allclose(frame["area_km2"], [EARTH_KM2 - cap, cap], rtol=1e-12)
    assert frame.geometry[1].equals(shapely.box(-180, -90, 180, -50))


@pytest.mark.parametrize(
    "lon", [np.arange(161.0, 200, 2), (np.arange(161, 200, 2) + 180) % 360 - 180]
)
def test_boundaries_of_a_region_across_the_dateline(make_labels, make_blobs, check, lon):
    frame = check(make_labels(make_blobs(15, 20, 3, 2), np.arange(-20.0, -5), lon))
    assert frame.total_bounds.tolist() == [-180, -20.5, 180, -5.5]


@pytest.mark.parametrize("south", [False, True])
@pytest.mark.parametrize(("n_y", "n_x"), [(40, 40), (40, 41), (41, 40), (41, 41)])
def test_boundaries_of_a_polar_grid_hold_the_pole(check, make_polar, n_y, n_x, south):
    for seed in range(4):
        frame = check(make_polar(n_y, n_x, south=south, seed=seed))
    pole = shapely.Point(0, -90 if south else 90)
    assert frame.geometry.touches(pole).sum() == 1


@pytest.mark.parametrize(
    "place", [(40, -100), (10, 180), (60, 170), (90, 0), (89.5, 33), (-90, 0), (75, 180)]
)
def test_boundaries_of_2d_coordinates(make_blobs, make_rotated, check, place):
    labels = make_rotated(make_blobs(50, 70, 5, 3), 1.0, *place)
    frame = check(labels)
    flipped = boundaries(labels.isel(y=slice(None, None, -1)).transpose("x", "y"))
    np.testing.assert_allclose(np.sort(flipped["area_km2"]), np.sort(frame["area_km2"]))
    np.testing.assert_allclose(np.sort(flipped["length_km"]), np.sort(frame["length_km"]))


@pytest.mark.parametrize("shape", [(6, 7), (7, 6), (6, 6), (7, 7)])
@pytest.mark.parametrize("lat", [-90, 90])
def test_boundaries_of_coarse_cells_around_a_pole(make_rotated, geodesic_area, shape, lat):
    values = 1.0 + np.arange(np.prod(shape)).reshape(shape)
    frame = boundaries(make_rotated(values, 5.0, lat, 180))
    geodesic = [geodesic_area(shape) for shape in frame.geometry]
    np.testing.assert_allclose(geodesic, frame["area_km2"], rtol=1e-7)


def test_boundaries_of_a_rotated_globe(make_blobs, make_rotated, check):
    labels = make_rotated(make_blobs(90, 180, 5, 4, around=True), 2.0, 33, 12)
    check(labels, EARTH_KM2)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_boundaries_hold_for_any_labels(make_labels, check, data):
    shape = data.draw(st.tuples(st.integers(1, 7), st.integers(2, 9)))
    flat = data.draw(st.lists(st.integers(0, 3), min_size=shape[0] * shape[1], max_size=63))
    values = np.array(flat[: shape[0] * shape[1]], float).reshape(shape)
    values[values == 0] = np.nan
    if np.isnan(values).all():
        return
    west = data.draw(st.sampled_from([-30.0, 0.5, 175.0, 176.5]))
    labels = make_labels(values, np.arange(shape[0]) * 2.0, west + np.arange(shape[1]))
    frame = check(labels)
    # every cell's centre lies in the polygon of its own cluster alone
    lat, lon = np.meshgrid(labels.latitude, (labels.longitude + 180) % 360 - 180, indexing="ij")
    off = shapely.points(lon.ravel() + 1e-3, lat.ravel() + 1e-3)
    points = geopandas.GeoSeries(off, crs="EPSG:4326").to_frame("geometry")
    joined = points.sjoin(frame, predicate="within")
    assert joined.index.is_unique
    np.testing.assert_array_equal(
        joined["cluster"].reindex(points.index).to_numpy(), values.ravel()
    )


def test_boundaries_of_a_million_cells_are_quick(make_labels, make_blobs, labelled_area):
    lat, lon = np.linspace(-60, 60, 1000), np.linspace(-100, 100, 1000)
    labels = make_labels(make_blobs(1000, 1000, 8, 12), lat, lon)
    start = time.process_time()
    frame = boundaries(labels)
    assert time.process_time() - start < 10
    np.testing.assert_allclose(frame["area_km2"].sum(), labelled_area(labels), rtol=1e-9)


def test_boundaries_of_2d_coordinates_enclose_the_areas_of_their_cells(
    make_blobs, make_rotated, geodesic_area
):
    for place, shape, step in (((60, 170), (50, 70), 1.0), ((33, 12), (90, 180), 2.0)):
        labels = make_rotated(make_blobs(*shape, 5, 3, around=step == 2), step, *place)
        frame = boundaries(labels)
        geodesic = [geodesic_area(shape) for shape in frame.geometry]
        np.testing.assert_allclose(geodesic, frame["area_km2"], rtol=1e-9)


def test_boundaries_of_a_region_that_covers_a_rotated_globe(make_rotated):
    values = np.ones((90, 180))
    values[40, 60] = 2
    frame = boundaries(make_rotated(values, 2.0, 33, 12))
    whole, cell = frame.geometry
    assert whole.geom_type == "Polygon"
    assert whole.bounds == (-180, -90, 180, 90)
    np.testing.assert_allclose(whole.area + cell.area, 360 * 180)
    np.testing.assert_allclose(frame["length_km"][0], frame["length_km"][1], rtol=1e-2)


def test_boundaries_of_one_orbit_that_crosses_another(make_blobs, make_curvilinear, geodesic_area):
    lon = np.broadcast_to(np.linspace(-170, 370, 271), (20, 271))
    lat = np.linspace(-30, 30, 20)[:, np.newaxis] + 0.05 * lon
    frame = boundaries(make_curvilinear(make_blobs(20, 271, 4, 3), lat, lon))
    assert shapely.is_valid(frame.geometry.to_numpy()).all()
    geodesic = [geodesic_area(shape) for shape in frame.geometry]
    np.testing.assert_allclose(geodesic, frame["area_km2"], rtol=1e-9)


def test_boundaries_leave_out_regions_whose_cells_overlap_and_say_so(make_blobs, make_rotated):
    labels = make_rotated(make_blobs(90, 180, 5, 4, around=True), 2.0, 33, 12)
    halo = xr.concat([labels, labels[:, 1:2]], "x")
    with pytest.warns(UserWarning, match="regions have no outline.* are left out") as told:
        found = boundaries(halo)
    lost, n = map(int, re.findall(r"^(\d+) of (\d+) regions", str(told[0].message))[0])
    assert lost > 0
    assert len(found) == n - lost
    assert found.is_valid.all()
    assert len(boundaries(halo.isel(x=slice(None, -1)))) == len(boundaries(labels))


@pytest.mark.parametrize("overlap", [1, 2, 3, 8])
def test_boundaries_take_columns_that_an_ocean_model_repeats_once(
    make_blobs, make_rotated, overlap
):
    labels = make_rotated(make_blobs(45, 90, 5, 3, around=True), 4.0, 33, 12)
    repeated = xr.concat([labels, labels[:, :overlap]], "x")
    found, expected = boundaries(repeated), boundaries(labels)
    assert found.geometry.geom_equals(expected.geometry).all()
    np.testing.assert_array_equal(found["area_km2"], expected["area_km2"])


def test_boundaries_leave_out_cells_of_no_area_and_say_so(make_labels):
    labels = make_labels([[1, 1], [1, 2], [3, 3]], [0, 1, 1], [0, 1])
    with pytest.warns(UserWarning, match=r"1 of 3 regions .* 0 km² of cluster 3 are left out"):
        found = boundaries(labels)
    assert found["cluster"].tolist() == [1, 2]


def test_boundaries_refuse_a_grid_of_which_most_has_no_area(make_labels):
    labels = make_labels([[1, 2], [3, 3]], [1, 1], [0, 1])
    with pytest.raises(ValueError, match=r"of 3 regions .* drop repeated rows and columns"):
        boundaries(labels)


def test_boundaries_of_no_labels_are_an_empty_frame(make_labels, make_rotated):
    empty = np.full((4, 5), np.nan)
    for labels in (make_labels(empty, np.arange(4), np.arange(5)), make_rotated(empty, 1.0, 40, 0)):
        for smooth in (False, True):
            frame = boundaries(labels, smooth=smooth)
            assert len(frame) == 0
            assert frame.crs == "EPSG:4326"
            assert frame["length_km"].dtype == float
