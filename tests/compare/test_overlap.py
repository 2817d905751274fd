"""Areas that cells share with polygons, against overlays of geopandas in an equal-area plane."""

import numpy as np
import pytest
import xarray as xr

from xvcluster.compare.overlap import find_holders, find_overlap
from xvcluster.compare.provinces import read_provinces
from xvcluster.grid.areas import EARTH_RADIUS_KM, cell_areas
from xvcluster.grid.horizontal import find_grid, unit_vectors

geopandas = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")

SPHERE, EQUAL_AREA = "+proj=longlat +R=6371007.2", "+proj=cea +R=6371007.2"


def wedge(lon, lat, size=7.0, n=9, seed=0):
    """A polygon with rough sides around a point."""
    rng = np.random.default_rng(seed)
    angle, reach = np.linspace(0, 2 * np.pi, n, endpoint=False), size * rng.uniform(0.5, 1, n)
    return shapely.Polygon(np.c_[lon + reach * np.cos(angle), lat + reach * np.sin(angle)])


def frame_of(*polygons, crs="EPSG:4326"):
    names = [f"province {i}" for i in range(len(polygons))]
    return geopandas.GeoDataFrame({"name": names}, geometry=list(polygons), crs=crs)


def equal_area(polygons, step=0.02):
    """Polygons with straight edges in degrees, in the equal-area projection."""
    fine = shapely.segmentize(np.asarray(polygons, dtype=object), step)
    return geopandas.GeoSeries(fine, crs=SPHERE).to_crs(EQUAL_AREA)


def overlaid(cells, provinces):
    """Areas (cells, provinces) in km² from geopandas' overlay; cells are lists of pieces."""
    pieces = [(i, piece) for i, parts in enumerate(cells) for piece in parts]
    left = geopandas.GeoDataFrame(
        {"cell": [i for i, _ in pieces]}, geometry=equal_area([p for _, p in pieces])
    )
    right = geopandas.GeoDataFrame(
        {"province": range(len(provinces))}, geometry=equal_area(provinces)
    )
    both = geopandas.overlay(left, right, how="intersection", keep_geom_type=True)
    table = np.zeros((len(cells), len(provinces)))
    np.add.at(table, (both["cell"], both["province"]), both.area / 1e6)
    return table


def boxes(lat, lon):
    """Cells of a regular grid between −180° and 180°, row by row."""
    half_lat, half_lon = (lat[1] - lat[0]) / 2, (lon[1] - lon[0]) / 2
    cells = []
    for y in lat:
        south, north = max(y - half_lat, -90), min(y + half_lat, 90)
        for x in (lon + 180) % 360 - 180:
            parts = [(x - half_lon, x + half_lon)]
            if x + half_lon > 180:
                parts = [(x - half_lon, 180), (-180, x + half_lon - 360)]
            if x - half_lon < -180:
                parts = [(x - half_lon + 360, 180), (-180, x + half_lon)]
            cells.append([shapely.box(west, south, east, north) for west, east in parts])
    return cells


def found(data, frame):
    """Areas (cells, provinces) as xvcluster finds them."""
    grid = find_grid(data)
    overlap = find_overlap(grid, np.ones(grid.shape, bool), read_provinces(frame, "name").shapes)
    assert overlap.is_area
    table = np.zeros((np.prod(grid.shape), len(frame)))
    np.add.at(table, (overlap.point, overlap.polygon), overlap.amount)
    return table


def agree(ours, reference):
    """Within 0.1 % in each cell that has an area to speak of, and in sum."""
    assert (reference > 0).any()
    np.testing.assert_allclose(ours, reference, rtol=1e-3, atol=1e-4 * reference.max())
    np.testing.assert_allclose(ours.sum(axis=0), reference.sum(axis=0), rtol=1e-4)


def grid_of(lat, lon):
    return xr.DataArray(np.ones((len(lat), len(lon))), {"lat": lat, "lon": lon}, ("lat", "lon"))


def test_cells_between_parallels_and_meridians_are_split_as_by_an_overlay():
    lat, lon = np.arange(30.0, 50.0, 2.0), np.arange(-120.0, -100.0, 1.5)
    provinces = [wedge(-112, 40), wedge(-104, 44, 5, seed=1), wedge(-118, 33, 4, seed=2)]
    agree(found(grid_of(lat, lon), frame_of(*provinces)), overlaid(boxes(lat, lon), provinces))


@pytest.mark.parametrize("west", [0.0, -180.0, 170.0], ids=["0 to 360", "-180 to 180", "cut"])
def test_cells_over_the_dateline_are_cut(west):
    lat = np.arange(-20.0, 20.0, 5.0)
    lon = west + (np.arange(0.0, 360.0, 7.5) if west < 100 else np.arange(0.0, 30.0, 7.5))
    halves = [shapely.box(170, -15, 180, 8), shapely.box(-180, -15, -172, 8)]
    other = wedge(150, 0, 15)
    frame = frame_of(shapely.union_all(halves), other)
    expected = overlaid(boxes(lat, lon), [*halves, other])
    agree(found(grid_of(lat, lon), frame), np.c_[expected[:, 0] + expected[:, 1], expected[:, 2]])


@pytest.mark.parametrize("turn", [0.0, 360.0, -360.0])
def test_polygons_have_any_convention_of_longitude(turn):
    lat, lon = np.arange(-20.0, 20.0, 5.0), np.arange(2.5, 360.0, 5.0)
    crossing = shapely.box(170 + turn, -15, 188 + turn, 8)
    halves = [shapely.box(170, -15, 180, 8), shapely.box(-180, -15, -172, 8)]
    expected = overlaid(boxes(lat, lon), halves).sum(axis=1, keepdims=True)
    agree(found(grid_of(lat, lon), frame_of(crossing)), expected)


def test_cells_at_the_poles_and_what_lies_outside_add_up_to_their_areas():
    data = grid_of(np.arange(-90.0, 91.0, 10.0), np.arange(0.0, 360.0, 20.0))
    cap = shapely.box(-180, 63, 180, 90)
    table = found(data, frame_of(cap))
    expected = 2 * np.pi * EARTH_RADIUS_KM**2 * (1 - np.sin(np.radians(63)))
    assert table.sum() == pytest.approx(expected)
    rest = shapely.box(-180, -90, 180, 63)
    both = found(data, frame_of(cap, rest)).sum(axis=1)
    np.testing.assert_allclose(both, cell_areas(data).values.ravel(), rtol=1e-9)


def test_a_repeated_meridian_counts_once():
    data = grid_of(np.arange(-85.0, 90.0, 10.0), np.arange(-180.0, 181.0, 20.0))
    whole = found(data, frame_of(shapely.box(-180, -90, 180, 90))).sum()
    assert whole == pytest.approx(4 * np.pi * EARTH_RADIUS_KM**2)


def test_bounds_of_the_file_are_the_cells():
    data = grid_of(np.array([0.0, 10.0]), np.array([0.0, 20.0]))
    data["lat"].attrs["bounds"] = "lat_bounds"
    edges = [[-5.0, 2.0], [2.0, 15.0]]
    data = data.to_dataset(name="label").assign(lat_bounds=(("lat", "two"), edges))
    table = found(data, frame_of(shapely.box(-180, -90, 180, 90)))
    np.testing.assert_allclose(table[:, 0], cell_areas(data).values.ravel(), rtol=1e-9)


def curved(rows=9, columns=11, lat=45.0, lon=-110.0, tilt=0.4):
    """A grid of 2-D latitude and longitude, turned and far from regular."""
    j, i = np.meshgrid(np.arange(columns) * 1.7, np.arange(rows) * 1.3)
    y = lat + np.cos(tilt) * i - np.sin(tilt) * j * 0.7
    x = lon + np.sin(tilt) * i + np.cos(tilt) * j + 0.01 * i * j
    coords = {"lat": (("y", "x"), y), "lon": (("y", "x"), (x + 180) % 360 - 180)}
    return xr.DataArray(np.ones((rows, columns)), coords, ("y", "x"))


def great_circles(ring, n=400):
    """A polygon of degrees along great circles between corners (m, 3)."""
    share = np.linspace(0, 1, n, endpoint=False)[:, None]
    path = np.concatenate(
        [a + share * (b - a) for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True)]
    )
    path /= np.linalg.norm(path, axis=1, keepdims=True)
    lon = np.unwrap(np.degrees(np.arctan2(path[:, 1], path[:, 0])), period=360)
    return np.c_[lon, np.degrees(np.arcsin(path[:, 2]))]


def pieces(points):
    """A polygon cut at ±180°."""
    shape = shapely.Polygon(points)
    parts = [
        shapely.affinity.translate(
            shapely.intersection(shape, shapely.box(-180 + t, -90, 180 + t, 90)), -t
        )
        for t in (-360, 0, 360)
    ]
    return [part for part in parts if part.area > 0]


def quadrilaterals(data):
    corners = find_grid(data).corners
    return [
        pieces(great_circles(np.array([corners[i + a, j + b] for a, b in order])))
        for order in [((0, 0), (0, 1), (1, 1), (1, 0))]
        for i in range(data.shape[0])
        for j in range(data.shape[1])
    ]


@pytest.mark.parametrize("lon", [-110.0, 172.0], ids=["inland", "over the dateline"])
def test_curvilinear_cells_have_edges_along_great_circles(lon):
    data = curved(lon=lon)
    provinces = [wedge(lon + 5, 46, 4), wedge(lon - 2, 53, 4, seed=3)]
    table = found(data, frame_of(*provinces))
    shifted = [pieces(np.asarray(p.exterior.coords)) for p in provinces]
    expected = np.stack(
        [overlaid(quadrilaterals(data), parts).sum(axis=1) for parts in shifted], axis=1
    )
    agree(table, expected)
    whole = found(data, frame_of(shapely.box(-180, -90, 180, 90)))
    np.testing.assert_allclose(whole[:, 0], cell_areas(data).values.ravel(), rtol=1e-5)


def test_a_curvilinear_grid_over_the_pole_covers_its_polygons():
    i = np.linspace(-3000, 3000, 12)  # km on a plane at the pole, no point or corner at it
    x, y = np.meshgrid(i + 100, i - 70)
    coords = {
        "lat": (("y", "x"), 90 - np.degrees(np.hypot(x, y) / 6371)),
        "lon": (("y", "x"), np.degrees(np.arctan2(y, x))),
    }
    data = xr.DataArray(np.ones((12, 12)), coords, ("y", "x"))
    whole = found(data, frame_of(shapely.box(-180, -90, 180, 90)))
    np.testing.assert_allclose(whole[:, 0], cell_areas(data).values.ravel(), rtol=1e-3)
    cap = found(data, frame_of(shapely.box(-180, 75, 180, 90))).sum()
    assert cap == pytest.approx(2 * np.pi * EARTH_RADIUS_KM**2 * (1 - np.sin(np.radians(75))), 1e-5)


def test_a_corner_at_the_pole_is_one_place():
    i = np.arange(-3.0, 4.0, 2.0) * 300
    x, y = np.meshgrid(i, i)
    coords = {
        "lat": (("y", "x"), 90 - np.degrees(np.hypot(x, y) / 6371)),
        "lon": (("y", "x"), np.degrees(np.arctan2(y, x))),
    }
    data = xr.DataArray(np.ones((4, 4)), coords, ("y", "x"))
    whole = found(data, frame_of(shapely.box(-180, -90, 180, 90)))
    np.testing.assert_allclose(whole[:, 0], cell_areas(data).values.ravel(), rtol=1e-3)


def test_cells_with_vertices_are_polygons():
    angle = np.radians(np.arange(0, 360, 60))
    lat, lon = np.array([50.0, 52.0, 50.0]), np.array([10.0, 12.0, 179.5])
    vertices = {
        "lat_v": (("cell", "v"), lat[:, None] + np.sin(angle)),
        "lon_v": (("cell", "v"), lon[:, None] + 1.5 * np.cos(angle)),
    }
    coords = {
        "lat": ("cell", lat, {"bounds": "lat_v", "units": "degrees_north"}),
        "lon": ("cell", lon, {"bounds": "lon_v", "units": "degrees_east"}),
    }
    data = xr.DataArray(np.ones(3), coords, ("cell",)).to_dataset(name="label").assign(vertices)
    table = found(data, frame_of(shapely.box(-180, 50.3, 180, 60)))
    rings = unit_vectors(vertices["lat_v"][1], vertices["lon_v"][1])
    cells = [pieces(great_circles(ring)) for ring in rings]
    agree(table, overlaid(cells, [shapely.box(-180, 50.3, 180, 60)]))


def test_loose_points_count_one_each_in_the_first_polygon_that_holds_them():
    lat, lon = np.array([5.0, 5.0, 5.0, 20.0, np.nan]), np.array([1.0, 10.0, 361.0, 5.0, 5.0])
    data = xr.DataArray(np.ones(5), {"lat": ("p", lat), "lon": ("p", lon)}, ("p",))
    grid = find_grid(data)
    shapes = read_provinces(frame_of(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10))).shapes
    overlap = find_overlap(grid, np.ones(5, bool), shapes)
    assert not overlap.is_area
    assert overlap.point.tolist() == [0, 1, 2]
    assert overlap.polygon.tolist() == [0, 0, 0]
    assert overlap.amount.tolist() == [1.0, 1.0, 1.0]
    point, polygon = find_holders(np.array([5.0]), np.array([375.0]), shapes)
    assert (point.tolist(), polygon.tolist()) == ([0], [1])


def test_only_chosen_points_are_asked_for():
    data = grid_of(np.arange(0.0, 5.0), np.arange(0.0, 5.0))
    chosen = np.zeros((5, 5), bool)
    chosen[2, 3] = True
    shapes = read_provinces(frame_of(shapely.box(-10, -10, 10, 10))).shapes
    assert find_overlap(find_grid(data), chosen, shapes).point.tolist() == [13]


def test_polygons_of_a_projection_around_a_pole_and_with_a_hole():
    data = grid_of(np.arange(-87.5, 90.0, 5.0), np.arange(-175.0, 180.0, 10.0))
    ring = shapely.Point(0, 0).buffer(2.5e6, 256).difference(shapely.Point(0, 0).buffer(1e6, 256))
    table = found(data, frame_of(ring, crs="+proj=stere +lat_0=90 +R=6371007.2"))
    colatitude = 2 * np.arctan(np.array([1e6, 2.5e6]) / (2 * 6371007.2))
    inner, outer = np.cos(colatitude)
    assert table.sum() == pytest.approx(2 * np.pi * EARTH_RADIUS_KM**2 * (inner - outer), rel=3e-3)


def test_polygons_of_a_projection_over_the_dateline():
    data = grid_of(np.arange(-30.0, 31.0, 5.0), np.arange(0.0, 360.0, 5.0))
    crs = "+proj=cea +lon_0=180 +R=6371007.2"
    table = found(data, frame_of(shapely.box(-1e6, -2e6, 1.5e6, 1e6), crs=crs))
    assert table.sum() == pytest.approx(2.5e3 * 3e3, rel=3e-3)


@pytest.mark.parametrize("lon", [180.0, -180.0, 540.0])
def test_polygons_on_both_sides_of_the_dateline_hold_a_station_on_it(lon):
    place = np.array([10.0, 10.0]), np.array([0.0, lon])
    for west, east in ((170.0, 180.0), (-180.0, -170.0)):
        polygons = np.array([shapely.box(west, -0.3, east, 0.3)])
        point, polygon = find_holders(*place, polygons)
        assert (point.tolist(), polygon.tolist()) == ([1], [0])
