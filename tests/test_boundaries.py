"""Outlines of clusters, against brute force, the areas of the cells and pyproj's geodesics."""

import sys
import time

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

import xvcluster
from xvcluster.boundaries import boundaries
from xvcluster.cli import main
from xvcluster.grid.areas import EARTH_RADIUS_KM, cell_areas
from xvcluster.grid.coords import Axes, find_horizontal

shapely = pytest.importorskip("shapely")
geopandas = pytest.importorskip("geopandas")
pyproj = pytest.importorskip("pyproj")

SPHERE = pyproj.Geod(a=6371007.2, b=6371007.2)
EARTH_KM2 = 4 * np.pi * EARTH_RADIUS_KM**2


def make_labels(values, lat, lon):
    coords = {"latitude": np.asarray(lat, float), "longitude": np.asarray(lon, float)}
    return xr.DataArray(np.asarray(values, float), coords, ("latitude", "longitude"))


def make_blobs(n_lat, n_lon, k, size, *, around=False, seed=0):
    """Label numbers 1…k in patches, which go on around the globe if asked."""
    noise = np.random.default_rng(seed).normal(size=(n_lat, n_lon))
    field = gaussian_filter(noise, size, mode=["nearest", "wrap" if around else "nearest"])
    return np.digitize(field, np.quantile(field, np.arange(1, k) / k)) + 1.0


def make_curvilinear(values, lat, lon):
    coords = {"lat": (("y", "x"), lat), "lon": (("y", "x"), lon)}
    return xr.DataArray(values, coords, ("y", "x"))


def make_polar(n_y, n_x, *, south=False, seed=0):
    """Labels on an even stereographic grid of 100 km around a pole."""
    plane = "+proj=stere +lat_0=90 +lat_ts=70 +R=6371007.2"
    transform = pyproj.Transformer.from_crs(plane, "+proj=longlat +R=6371007.2", always_xy=True)
    x, y = (1e5 * (np.arange(n) - (n - 1) / 2) for n in (n_x, n_y))
    lon, lat = transform.transform(*np.meshgrid(x, y))
    return make_curvilinear(make_blobs(n_y, n_x, 4, 3, seed=seed), -lat if south else lat, lon)


def make_rotated(values, step, lat_0, lon_0):
    """Labels on a grid whose middle is turned to a place."""
    n_y, n_x = values.shape
    phi, lam = np.meshgrid(
        np.radians(step * (np.arange(n_y) - (n_y - 1) / 2)),
        np.radians(step * (np.arange(n_x) - (n_x - 1) / 2)),
        indexing="ij",
    )
    x, y, z = np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)
    turn = np.radians(lat_0)
    x, z = x * np.cos(turn) - z * np.sin(turn), x * np.sin(turn) + z * np.cos(turn)
    lon = np.degrees(np.arctan2(y, x)) + lon_0
    return make_curvilinear(values, np.degrees(np.arcsin(z)), (lon + 180) % 360 - 180)


def geodesic_area(shape):
    """Area in km² that pyproj finds with straight lines on the sphere."""
    parts = shapely.orient_polygons(shapely.get_parts(shape))
    return sum(SPHERE.geometry_area_perimeter(part)[0] for part in parts) / 1e6


def labelled_area(labels):
    areas = cell_areas(labels, Axes(None, *find_horizontal(labels)))
    return float(areas.where(labels.notnull()).sum())


def check(labels, total=None):
    """The promises of every set of polygons: valid, no overlap, edges shared, the whole area."""
    frame = boundaries(labels)
    shapes = frame.geometry.to_numpy()
    assert frame.crs == "EPSG:4326"
    assert shapely.is_valid(shapes).all()
    assert set(frame.geom_type) <= {"Polygon", "MultiPolygon"}
    assert shapely.coverage_is_valid(shapely.get_parts(shapes))
    united = shapely.area(shapely.union_all(shapes))
    np.testing.assert_allclose(united, shapely.area(shapes).sum(), rtol=1e-9)
    west, south, east, north = frame.total_bounds
    assert (west >= -180, south >= -90, east <= 180, north <= 90) == (True,) * 4
    total = labelled_area(labels) if total is None else total
    np.testing.assert_allclose(frame["area_km2"].sum(), total, rtol=1e-5)
    geodesic = [geodesic_area(shape) for shape in shapes]
    np.testing.assert_allclose(sum(geodesic), total, rtol=1e-4)
    np.testing.assert_allclose(geodesic, frame["area_km2"], rtol=1e-3)
    return frame


def test_boundaries_of_one_cell_are_its_edges():
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


def test_boundaries_have_holes():
    values = np.ones((5, 5))
    values[2, 2] = 2
    frame = boundaries(make_labels(values, np.arange(5), np.arange(5)))
    outer, inner = frame.geometry
    assert len(outer.interiors) == 1
    assert shapely.Polygon(outer.interiors[0]).equals(inner)
    assert frame["length_km"][0] > shapely.length(outer.exterior)


def test_boundaries_separate_cells_that_touch_in_a_corner():
    values = [[1, 2], [2, 1]]
    frame = check(make_labels(values, [0, 1], [0, 1]))
    assert frame["cluster"].tolist() == [1, 1, 2, 2]


def test_boundaries_pinch_off_a_hole_that_touches_the_outline():
    values = np.array([[1, 1, 1, 1], [1, 2, 1, 1], [1, 1, 3, 1], [1, 1, 1, 3]])
    frame = check(make_labels(values, np.arange(4), np.arange(4)))
    assert shapely.get_num_interior_rings(frame.geometry[0]) == 2


def test_boundaries_of_irregular_cells_are_half_way():
    frame = boundaries(make_labels([[1, 1, 2]], [40], [10, 11, 14]))
    assert frame.geometry[0].bounds == (9.5, 39.5, 12.5, 40.5)


def test_boundaries_add_points_along_parallels():
    frame = check(make_labels([[1.0]], [60], [10]).reindex(longitude=[10, 20], fill_value=1.0))
    steps = np.diff(shapely.get_coordinates(frame.geometry[0]), axis=0)
    assert np.abs(steps[:, 0]).max() <= 1
    perimeter = SPHERE.geometry_length(frame.geometry[0].exterior) / 1e3
    np.testing.assert_allclose(perimeter, frame["length_km"], rtol=1e-4)


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
def test_boundaries_of_the_globe_are_whole(lat, lon):
    values = make_blobs(len(lat), len(lon), 6, 3, around=True)
    frame = check(make_labels(values, lat, lon), EARTH_KM2)
    across = frame[frame.geom_type == "MultiPolygon"]
    assert len(across) > 0
    for shape in across.geometry:
        west, _, east, _ = shape.bounds
        assert (west, east) == (-180, 180)


def test_boundaries_leave_missing_cells_out():
    values = make_blobs(90, 180, 5, 2, around=True)
    values[np.random.default_rng(0).random(values.shape) < 0.1] = np.nan
    check(make_labels(values, np.arange(-89.0, 90, 2), np.arange(1.0, 360, 2)))


def test_boundaries_do_not_count_the_cut_and_the_poles():
    values = np.ones((18, 36))
    values[:4] = 2
    frame = boundaries(make_labels(values, np.arange(-85, 90, 10), np.arange(5, 360, 10)))
    parallel = 2 * np.pi * EARTH_RADIUS_KM * np.cos(np.radians(50))
    np.testing.assert_allclose(frame["length_km"], [parallel, parallel], rtol=1e-12)
    cap = 2 * np.pi * EARTH_RADIUS_KM**2 * (1 - np.sin(np.radians(50)))
    np.testing.assert_allclose(frame["area_km2"], [EARTH_KM2 - cap, cap], rtol=1e-12)
    assert frame.geometry[1].equals(shapely.box(-180, -90, 180, -50))


def test_boundaries_take_a_repeated_seam_once():
    lat, lon = np.arange(-88.0, 90, 4), np.arange(-180.0, 180, 4)
    once = make_labels(make_blobs(len(lat), len(lon), 4, 2, around=True), lat, lon)
    twice = xr.concat([once, once[:, :1].assign_coords(longitude=[180.0])], "longitude")
    xr.testing.assert_equal(boundaries(twice).drop(columns="geometry").to_xarray(),
                            boundaries(once).drop(columns="geometry").to_xarray())  # fmt: skip
    assert boundaries(twice).geometry.geom_equals(boundaries(once).geometry).all()


@pytest.mark.parametrize("order", ["reversed", "transposed", "0..360", "shuffled"])
def test_boundaries_are_the_same_in_any_order(order):
    labels = make_labels(make_blobs(20, 30, 4, 2), np.arange(-10, 10), np.arange(-15.0, 15))
    other = {
        "reversed": labels[::-1, ::-1],
        "transposed": labels.T,
        "0..360": labels.assign_coords(longitude=labels.longitude % 360),
        "shuffled": labels[np.random.default_rng(0).permutation(20)],
    }[order]
    expected, found = boundaries(labels), boundaries(other)
    assert expected.geometry.geom_equals_exact(found.geometry, 1e-9).all()
    np.testing.assert_allclose(found["length_km"], expected["length_km"])


@pytest.mark.parametrize(
    "lon", [np.arange(161.0, 200, 2), (np.arange(161, 200, 2) + 180) % 360 - 180]
)
def test_boundaries_of_a_region_across_the_dateline(lon):
    frame = check(make_labels(make_blobs(15, 20, 3, 2), np.arange(-20.0, -5), lon))
    assert frame.total_bounds.tolist() == [-180, -20.5, 180, -5.5]


@pytest.mark.parametrize("south", [False, True])
@pytest.mark.parametrize(("n_y", "n_x"), [(40, 40), (40, 41), (41, 40), (41, 41)])
def test_boundaries_of_a_polar_grid_hold_the_pole(n_y, n_x, south):
    for seed in range(4):
        frame = check(make_polar(n_y, n_x, south=south, seed=seed))
    pole = shapely.Point(0, -90 if south else 90)
    assert frame.geometry.touches(pole).sum() == 1


@pytest.mark.parametrize(
    "place", [(40, -100), (10, 180), (60, 170), (90, 0), (89.5, 33), (-90, 0), (75, 180)]
)
def test_boundaries_of_2d_coordinates(place):
    labels = make_rotated(make_blobs(50, 70, 5, 3), 1.0, *place)
    frame = check(labels)
    flipped = boundaries(labels.isel(y=slice(None, None, -1)).transpose("x", "y"))
    np.testing.assert_allclose(np.sort(flipped["area_km2"]), np.sort(frame["area_km2"]))
    np.testing.assert_allclose(np.sort(flipped["length_km"]), np.sort(frame["length_km"]))


def test_boundaries_of_a_rotated_globe():
    labels = make_rotated(make_blobs(90, 180, 5, 4, around=True), 2.0, 33, 12)
    check(labels, EARTH_KM2)


def test_boundaries_of_2d_coordinates_along_parallels_are_those_of_1d():
    plain = make_labels(
        make_blobs(45, 90, 4, 3, around=True), np.arange(-88, 90, 4), np.arange(0, 360, 4)
    )
    lat, lon = np.meshgrid(plain.latitude, plain.longitude, indexing="ij")
    for labels in (
        make_curvilinear(plain.values, lat, lon),
        make_curvilinear(plain.values.T, lat.T, lon.T),
    ):
        assert boundaries(labels).geometry.geom_equals(boundaries(plain).geometry).all()


def test_boundaries_leave_out_cells_of_unknown_place():
    labels = make_rotated(make_blobs(20, 20, 3, 2), 1.0, 40, 10)
    gap = labels["lat"].copy()
    gap[3, 4] = np.nan
    frame = boundaries(labels.assign_coords(lat=gap))
    assert shapely.is_valid(frame.geometry.to_numpy()).all()
    missing = labelled_area(labels) - frame["area_km2"].sum()
    assert 0 < missing < 10 * labelled_area(labels) / labels.size


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_boundaries_hold_for_any_labels(data):
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


def test_boundaries_choose_clusters_and_minima():
    labels = make_labels(make_blobs(60, 60, 5, 2), np.arange(60.0) - 30, np.arange(60.0))
    every = boundaries(labels)
    some = boundaries(labels, [4, 2], min_length=800, min_area=2e5)
    expected = every[every["cluster"].isin([2, 4])]
    expected = expected.query("length_km >= 800 and area_km2 >= 2e5").reset_index(drop=True)
    assert 0 < len(some) < len(every)
    assert some.geometry.geom_equals(expected.geometry).all()
    assert some["cluster"].is_monotonic_increasing
    assert set(boundaries(labels, 3)["cluster"]) == {3}
    assert boundaries(labels, min_area=1e12).crs == "EPSG:4326"


def test_boundaries_squeeze_a_time_of_length_one_and_change_no_input():
    labels = make_labels(make_blobs(9, 9, 2, 1), np.arange(9), np.arange(9)).expand_dims(time=1)
    before = labels.copy(deep=True)
    assert len(boundaries(labels)) == len(boundaries(labels.isel(time=0)))
    xr.testing.assert_identical(labels, before)


def test_boundaries_of_a_result_have_its_areas():
    ocean = xvcluster.tutorial.ocean()["temperature"].isel(depth=0)
    result = ocean.vcluster.kmeans(5)
    frame = result.boundaries()
    area = frame.groupby("cluster")["area_km2"].sum()
    np.testing.assert_allclose(area, result.dataset["area"], rtol=1e-9)
    assert len(boundaries(result.dataset)) == len(frame)


def test_smooth_boundaries_pass_half_way_between_centres():
    values = np.ones((5, 5))
    values[2, 2] = 2
    frame = boundaries(make_labels(values, np.arange(5), np.arange(5)), 2, smooth=True)
    corners = {(1.5, 2.0), (2.0, 1.5), (2.5, 2.0), (2.0, 2.5)}
    assert {tuple(p) for p in shapely.get_coordinates(frame.geometry[0])} == corners
    assert frame.geom_type.tolist() == ["LineString"]
    np.testing.assert_allclose(
        frame["length_km"], SPHERE.geometry_length(frame.geometry[0]) / 1e3, rtol=1e-9
    )
    np.testing.assert_allclose(
        frame["area_km2"], geodesic_area(shapely.Polygon(frame.geometry[0])), rtol=1e-3
    )


def test_smooth_boundaries_cross_the_dateline_and_circle_the_poles():
    values = np.ones((36, 72))
    values[32:] = 2
    values[16:20, 35:38] = 3  # across 180°
    values[16:20, [0, 1, -1]] = 4  # across the seam of the grid
    labels = make_labels(values, np.arange(-87.5, 90, 5), np.arange(2.5, 360, 5))
    frame = boundaries(labels, [2, 3, 4], smooth=True)
    assert frame.geom_type.tolist() == ["LineString", "MultiLineString", "LineString"]
    assert frame.total_bounds[[0, 2]].tolist() == [-180, 180]
    length = [SPHERE.geometry_length(shape) / 1e3 for shape in frame.geometry]
    np.testing.assert_allclose(length, frame["length_km"], rtol=1e-4)
    cap = 2 * np.pi * EARTH_RADIUS_KM**2 * (1 - np.sin(np.radians(70)))
    np.testing.assert_allclose(frame["area_km2"][0], cap, rtol=1e-9)
    np.testing.assert_allclose(frame["area_km2"][1], frame["area_km2"][2], rtol=1e-9)


def test_smooth_boundaries_that_end_at_the_edge_enclose_nothing():
    labels = make_labels(np.repeat([[1.0, 2.0]], 4, axis=0), np.arange(4), [0, 1])
    frame = boundaries(labels, 1, smooth=True)
    assert frame["area_km2"].isna().all()
    assert len(boundaries(labels, 1, smooth=True, min_area=0)) == 0


def test_smooth_boundaries_of_2d_coordinates():
    labels = make_rotated(make_blobs(50, 70, 4, 3), 1.0, 75, 180)
    frame = boundaries(labels, smooth=True)
    length = [SPHERE.geometry_length(shape) / 1e3 for shape in frame.geometry]
    # near the pole a straight line to the cut at ±180° is longer than the great circle
    np.testing.assert_allclose(length, frame["length_km"], rtol=1e-3)
    assert frame.total_bounds[[0, 2]].tolist() == [-180, 180]


def test_boundaries_of_a_million_cells_are_quick():
    lat, lon = np.linspace(-60, 60, 1000), np.linspace(-100, 100, 1000)
    labels = make_labels(make_blobs(1000, 1000, 8, 12), lat, lon)
    start = time.perf_counter()
    frame = boundaries(labels)
    assert time.perf_counter() - start < 10
    np.testing.assert_allclose(frame["area_km2"].sum(), labelled_area(labels), rtol=1e-9)


def test_boundaries_refuse_loose_points():
    where = {"lat": ("profile", [1.0, 2.0]), "lon": ("profile", [3.0, 4.0])}
    with pytest.raises(ValueError, match=r"loose points along 'profile', which have no cells"):
        boundaries(xr.DataArray([1.0, 2.0], where, "profile"))


def test_boundaries_refuse_labels_of_no_place():
    with pytest.raises(ValueError, match=r"no latitude and longitude among their coordinates"):
        boundaries(xr.DataArray(np.ones((2, 3)), dims=("row", "column")))


def test_boundaries_refuse_a_row_of_a_2d_grid():
    labels = make_rotated(np.ones((1, 5)), 1.0, 50, 0)
    with pytest.raises(ValueError, match=r"shape \(1, 5\), in which cells have no width"):
        boundaries(labels)


def test_boundaries_refuse_several_times():
    labels = make_labels(np.ones((2, 2)), [0, 1], [0, 1]).expand_dims(time=3)
    with pytest.raises(ValueError, match=r"3 entries along 'time'.*labels\.isel\(time=0\)"):
        boundaries(labels)


def test_boundaries_refuse_unknown_clusters():
    with pytest.raises(ValueError, match=r"no cluster 7; the clusters are 1, 2"):
        boundaries(make_labels([[1, 2]], [0], [0, 1]), [1, 7])


@pytest.mark.parametrize("name", ["min_length", "min_area"])
def test_boundaries_refuse_negative_minima(name):
    with pytest.raises(ValueError, match=rf"{name} must be finite and at least 0; got -1"):
        boundaries(make_labels([[1, 2]], [0], [0, 1]), **{name: -1})


def test_boundaries_tell_how_to_install_geopandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(ImportError, match=r'pip install "xvcluster\[geo\]"'):
        boundaries(make_labels([[1, 2]], [0], [0, 1]))


@pytest.fixture
def lesson(shared_data):
    """The raster of the Carpentry lesson, in six clusters."""
    with xr.open_dataset(shared_data / "tpw_201910.nc") as dataset:
        return dataset["precipitable_water"].load().vcluster.kmeans(6)


def test_boundaries_of_the_lesson_go_to_a_shapefile_and_back(lesson, tmp_path):
    frame = lesson.boundaries([4, 6], min_length=200)
    assert (frame["length_km"] >= 200).all()
    assert set(frame["cluster"]) == {4, 6}
    selected = labelled_area(lesson.select([4, 6]))
    np.testing.assert_allclose(lesson.boundaries([4, 6])["area_km2"].sum(), selected, rtol=1e-9)
    frame.to_file(tmp_path / "outlines.shp")
    again = geopandas.read_file(tmp_path / "outlines.shp")
    assert again.crs == frame.crs
    assert len(again) == len(frame)
    for name in ("cluster", "length_km", "area_km2"):
        np.testing.assert_allclose(again[name], frame[name], rtol=1e-9)
    assert again.geometry.geom_equals(frame.geometry).all()


@pytest.mark.parametrize("suffix", ["shp", "gpkg", "geojson"])
def test_boundaries_command_writes_what_the_method_gives(tmp_path, suffix):
    result = xvcluster.tutorial.ocean()["temperature"].isel(depth=0).vcluster.kmeans(6)
    source, output = tmp_path / "clusters.nc", tmp_path / f"outlines.{suffix}"
    result.to_netcdf(source)
    arguments = ["boundaries", source, output, "--cluster", 4, "--cluster", 6, "--min-length", 900]
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    expected = result.boundaries([4, 6], min_length=900)
    found = geopandas.read_file(output)
    assert f"{len(expected)} outlines of 2 clusters" in done.output
    np.testing.assert_allclose(found["area_km2"], expected["area_km2"])
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["outlines.kml"], "cannot be written as 'outlines.kml'"),
        (["outlines.shp", "--cluster", "9"], "there is no cluster 9"),
        (["outlines.shp", "--min-area", "1e12"], "no outline is that large"),
        (["here.shp"], "exists already"),
    ],
)
def test_boundaries_command_refuses(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.shp").touch()
    xvcluster.tutorial.ocean()["temperature"].isel(depth=0).vcluster.kmeans(3).to_netcdf("r.nc")
    done = CliRunner().invoke(main, ["boundaries", "r.nc", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"here.shp", "r.nc"}


def test_boundaries_of_a_lazy_result_are_those_of_one_in_memory(rough_model):
    found, expected = (
        xvcluster.kmeans(d, 3, n_init=2) for d in (rough_model.chunk(latitude=5), rough_model)
    )
    assert found.boundaries().equals(expected.boundaries())
