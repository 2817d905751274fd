import numpy as np
import pytest
import shapely
import xarray as xr

from xvcluster.explore.cells import find_cells
from xvcluster.grid.horizontal import find_grid
from xvcluster.profiles import lay_out


def labels_on(lat, lon, **attrs):
    coords = {
        "lat": ("lat", np.asarray(lat, float), {"units": "degrees_north"}),
        "lon": ("lon", np.asarray(lon, float), {"units": "degrees_east"}),
    }
    return xr.DataArray(np.ones((len(lat), len(lon))), coords, ("lat", "lon"), name="label")


def all_of(labels):
    return np.ones(labels.size, bool)


def test_a_grid_over_the_dateline_goes_on_eastward_whatever_its_order():
    labels = labels_on([10, 0, -10], [175, -175, 165, -165])
    cells = find_cells(labels, all_of(labels))
    assert cells.kind == "grid"
    assert cells.is_earth
    assert np.all(np.diff(cells.x) > 0)
    np.testing.assert_allclose(cells.x % 360, [165, 175, 185, 195])
    np.testing.assert_array_equal(cells.y, [-10, 0, 10])
    at = labels.values.shape
    row, column = np.unravel_index(cells.order.reshape(3, 4), at)
    np.testing.assert_allclose(labels["lat"].values[row], np.repeat(cells.y[:, None], 4, 1))
    np.testing.assert_allclose(labels["lon"].values[column] % 360, np.tile(cells.x % 360, (3, 1)))


def test_an_even_grid_is_an_image_though_its_cells_at_the_poles_are_halves():
    labels = labels_on(np.linspace(-90, 90, 19), np.arange(0, 360, 10))
    cells = find_cells(labels, all_of(labels))
    np.testing.assert_array_equal(cells.pixels_y, [1, *[2] * 17, 1])
    np.testing.assert_array_equal(cells.pixels_x, 1)


def test_an_uneven_grid_is_no_image():
    labels = labels_on([0, 1, 2.5, 4.75], [0, 1, 2])
    assert find_cells(labels, all_of(labels)).pixels_y.size == 0


def test_cells_of_a_bent_grid_are_polygons_around_their_places(bent_model):
    labels = bent_model.isel(depth=0, drop=True).rename("label").notnull().astype(float)
    known = np.ones(labels.size, bool)
    known[7] = False
    cells = find_cells(labels, known)
    assert cells.kind == "polygons"
    assert cells.order.size == labels.size - 1
    assert 7 not in cells.order
    np.testing.assert_allclose(cells.x, labels["lon"].values.ravel()[cells.order])
    np.testing.assert_allclose(cells.corners_x.mean(axis=1), cells.x, atol=0.02)
    np.testing.assert_allclose(cells.corners_y.mean(axis=1), cells.y, atol=0.02)


@pytest.fixture
def hexagons():
    """Cells with six vertices, on both sides of the dateline, and four profiles each."""
    lat, lon = np.array([0.0, 0.0, 5.0]), np.array([179.5, -178.8, 10.0])
    angle = np.arange(6) * np.pi / 3
    coords = {
        "lat": ("cell", lat, {"bounds": "lat_v", "units": "degrees_north"}),
        "lon": ("cell", lon, {"bounds": "lon_v", "units": "degrees_east"}),
        "lat_v": (("cell", "v"), lat[:, None] + np.sin(angle)),
        "lon_v": (("cell", "v"), (lon[:, None] + np.cos(angle) + 180) % 360 - 180),
    }
    return xr.Dataset({"vs": (("cell", "depth"), np.ones((3, 4)))}, coords)


def test_vertices_that_the_data_know_are_polygons_that_do_not_cross_the_map(hexagons):
    labels = hexagons["vs"].isel(depth=0, drop=True).rename("label")
    known = np.ones(3, bool)
    assert find_cells(labels, known).kind == "points"
    grid = lay_out(hexagons).horizontal
    cells = find_cells(labels, known, grid)
    assert cells.kind == "polygons"
    assert np.all(np.ptp(cells.corners_x, axis=1) < 2.1)
    angle = np.arange(6) * np.pi / 3
    np.testing.assert_allclose(cells.corners_x - cells.x[:, None], np.tile(np.cos(angle), (3, 1)))
    np.testing.assert_allclose(np.cos(np.radians(cells.x - find_grid(labels).lon)), 1.0)
    np.testing.assert_allclose(cells.box, (9.0, 182.2, -np.sqrt(3) / 2, 5 + np.sqrt(3) / 2))


def test_cells_with_fewer_vertices_than_others_are_polygons_too(hexagons):
    gap = xr.DataArray(np.arange(18).reshape(3, 6) == 11, dims=("cell", "v"))
    whole, hexagons = (
        hexagons,
        hexagons.assign_coords(
            lat_v=hexagons["lat_v"].where(~gap), lon_v=hexagons["lon_v"].where(~gap)
        ),
    )
    labels = hexagons["vs"].isel(depth=0, drop=True).rename("label")
    cells = find_cells(labels, np.ones(3, bool), lay_out(hexagons).horizontal)
    rings = shapely.polygons(np.stack([cells.corners_x, cells.corners_y], axis=-1))
    assert shapely.is_valid(rings).all()
    assert shapely.contains_xy(rings, cells.x, cells.y).all()
    full = find_cells(labels, np.ones(3, bool), lay_out(whole).horizontal)
    corners = np.stack([full.corners_x, full.corners_y], axis=-1)
    pentagon = shapely.polygons(corners[1, :5])
    assert shapely.normalize(rings[1]).equals_exact(shapely.normalize(pentagon), 1e-9)


def test_maps_without_latitude_and_longitude_lie_over_their_dimensions():
    labels = xr.DataArray(np.ones((2, 3)), dims=("row", "column"), name="label")
    cells = find_cells(labels, np.ones(6, bool))
    assert (cells.is_earth, cells.x_dim, cells.y_dim) == (False, "column", "row")
    np.testing.assert_array_equal(cells.order, np.arange(6))
