"""How large the cells of a grid are."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import binary_dilation

from xvcluster.grid.areas import EARTH_RADIUS_KM, cell_areas
from xvcluster.grid.coords import Axes, find_axes

SPHERE_KM2 = 4 * np.pi * EARTH_RADIUS_KM**2
NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}


def grid(lat, lon, names=("latitude", "longitude"), attrs=(NORTH, EAST)):
    coords = {
        names[0]: (names[0], np.asarray(lat, float), attrs[0]),
        names[1]: (names[1], np.asarray(lon, float), attrs[1]),
    }
    return xr.DataArray(np.zeros((len(lat), len(lon))), dims=names, coords=coords)


def total_area(data):
    return float(cell_areas(data, find_axes(data)).sum())


def bounded(lat, lon, **bounds):
    """A Dataset that gives the bounds of its cells, which a DataArray cannot hold."""
    data = grid(lat, lon).to_dataset(name="value")
    for name, edges in bounds.items():
        data[name].attrs["bounds"] = f"{name}_bounds"
        data[f"{name}_bounds"] = ((name, "bnds"), np.asarray(edges, float))
    return data


def test_cell_areas_follow_the_formula():
    areas = cell_areas(grid([10, 12], [100, 103]), Axes(None, "latitude", "longitude"))
    by_hand = 6371.0072**2 * (np.sin(np.radians(11)) - np.sin(np.radians(9))) * np.radians(3)
    assert areas.dims == ("latitude", "longitude")
    np.testing.assert_allclose(areas[0], by_hand)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (np.arange(-89.5, 90), np.arange(0.5, 360)),
        (np.arange(89.5, -90, -1), np.arange(-180, 180, 2)),
        (np.linspace(-90, 90, 19), np.arange(360, 0, -5)),
        (np.arange(-87.5, 90, 5), (np.arange(0, 360, 5) + 180) % 360 - 180),
        (np.arange(-87.5, 90, 5), (np.arange(0, 360, 5) + 180) % 360),
    ],
    ids=["global", "north first", "points at the poles", "relabelled", "rolled"],
)
def test_cell_areas_sum_to_the_sphere(lat, lon):
    assert total_area(grid(lat, lon)) == pytest.approx(SPHERE_KM2)


def test_cell_areas_use_the_bounds_of_the_file():
    data = bounded([0, 10], [0, 10], latitude=[[-1, 1], [9, 11]])
    band = 2 * np.sin(np.radians(1)) * np.radians(10) * EARTH_RADIUS_KM**2
    np.testing.assert_allclose(cell_areas(data, find_axes(data))[0], band)
    as_coordinates = data.set_coords("latitude_bounds")
    np.testing.assert_allclose(cell_areas(as_coordinates, find_axes(data))[0], band)


def test_cell_areas_read_bounds_across_the_seam():
    lon = np.arange(-179.5, 180)
    edges = np.stack([lon - 0.5, lon + 0.5], axis=1)
    edges[-1] = 179.0, -180.0
    data = bounded(np.arange(-89.5, 90), lon, longitude=edges)
    assert total_area(data) == pytest.approx(SPHERE_KM2)


def test_cell_areas_of_a_zonal_mean_go_around():
    data = bounded(np.arange(-89.5, 90), [180.0], longitude=[[0.0, 360.0]])
    assert total_area(data) == pytest.approx(SPHERE_KM2)


def test_cell_areas_pass_over_bounds_of_another_shape():
    data = bounded([0, 10], [0, 10], latitude=[[-5, 0, 5], [5, 10, 15]])
    expected = cell_areas(grid([0, 10], [0, 10]), find_axes(data))
    xr.testing.assert_equal(cell_areas(data, find_axes(data)), expected)


def test_cell_areas_of_a_2d_grid_are_those_of_the_1d_grid():
    flat = grid(np.arange(30, 40, 0.5), np.arange(170, 190, 0.5))
    lat, lon = xr.broadcast(flat.latitude, flat.longitude)
    curved = xr.DataArray(
        flat.values,
        dims=("y", "x"),
        coords={"lat": (("y", "x"), lat.values), "lon": (("y", "x"), lon.values % 360 - 180)},
    )
    curved["lon"].values[:] = (lon.values + 180) % 360 - 180
    found = cell_areas(curved, find_axes(curved))
    np.testing.assert_allclose(found, cell_areas(flat, find_axes(flat)), rtol=2e-4)


def test_cell_areas_are_unknown_without_cells(model):
    lone = xr.DataArray(
        np.zeros(3), dims="profile", coords={n: ("profile", np.arange(3.0)) for n in ("lat", "lon")}
    )
    assert cell_areas(lone, find_axes(lone)) is None
    assert cell_areas(model.drop_vars("latitude"), Axes("depth", None, "longitude")) is None
    row = xr.DataArray(
        np.zeros((1, 3)),
        dims=("y", "x"),
        coords={n: (("y", "x"), np.arange(3.0)[None]) for n in ("lat", "lon")},
    )
    assert cell_areas(row, find_axes(row)) is None


# --- cells without a place, and the other ways to give one ---


def curvilinear(lat, lon, name=("lat", "lon"), **attrs):
    coords = {n: (("y", "x"), v, attrs) for n, v in zip(name, (lat, lon), strict=True)}
    return xr.DataArray(np.zeros(lat.shape), dims=("y", "x"), coords=coords)


def turned(n_y=12, n_x=16, step=2.0):
    """2-D latitude and longitude that lie along no parallels."""
    lat, lon = np.meshgrid(step * np.arange(n_y) + 20, step * np.arange(n_x), indexing="ij")
    return lat + 0.1 * lon, lon - 0.1 * lat


@pytest.mark.parametrize("fill", [np.nan, np.inf, 9.969209968386869e36, -999.0])
def test_cell_areas_of_a_curved_grid_beside_a_gap_are_those_without_it(fill):
    lat, lon = turned()
    whole = cell_areas(curvilinear(lat, lon)).values
    is_gap = np.zeros(lat.shape, dtype=bool)
    is_gap[3:6, 4:9] = is_gap[:2, :2] = is_gap[8, :] = True
    areas = cell_areas(curvilinear(np.where(is_gap, fill, lat), np.where(is_gap, fill, lon))).values
    np.testing.assert_array_equal(np.isnan(areas), is_gap)
    np.testing.assert_allclose(areas[~is_gap], whole[~is_gap], rtol=5e-3)
    is_far = ~binary_dilation(is_gap, np.ones((3, 3)))
    np.testing.assert_array_equal(areas[is_far], whole[is_far])


def test_cell_areas_of_a_row_and_a_point_alone_are_those_of_their_neighbours():
    lat, lon = turned()
    whole = cell_areas(curvilinear(lat, lon)).values
    is_gap = np.ones(lat.shape, dtype=bool)
    is_gap[:4] = is_gap[6, 3:7] = is_gap[9, 9] = False
    areas = cell_areas(curvilinear(np.where(is_gap, np.nan, lat), lon)).values
    np.testing.assert_array_equal(np.isnan(areas), is_gap)
    np.testing.assert_allclose(areas[~is_gap], whole[~is_gap], rtol=0.15)


def test_cell_areas_without_one_latitude_lack_its_band_alone():
    lat, lon = np.arange(-89.5, 90), np.arange(0.5, 360)
    gap = np.where(lat == 30.5, np.nan, lat)
    areas = cell_areas(grid(gap, lon))
    band = 2 * np.pi * EARTH_RADIUS_KM**2 * (np.sin(np.radians(31)) - np.sin(np.radians(30)))
    assert float(areas.sum()) == pytest.approx(SPHERE_KM2 - band)
    np.testing.assert_array_equal(areas.isnull().any("longitude"), np.isnan(gap))


def test_cell_areas_without_one_longitude_lack_its_sector_alone():
    lon = np.where(np.arange(72) == 70, np.nan, (np.arange(0.0, 360, 5) + 180) % 360 - 180)
    areas = cell_areas(grid(np.arange(-89.5, 90), lon))
    assert float(areas.sum()) == pytest.approx(SPHERE_KM2 * 71 / 72)


@pytest.mark.parametrize("lat", [np.linspace(-90, 90, 19), np.linspace(90, -90, 37)])
@pytest.mark.parametrize("lon", [np.arange(0.0, 360, 10), np.arange(-180.0, 180, 7.5)])
def test_cell_areas_of_a_2d_grid_with_rows_at_the_poles_sum_to_the_sphere(lat, lon):
    data = curvilinear(*np.meshgrid(lat, lon, indexing="ij"))
    assert float(cell_areas(data).sum()) == pytest.approx(SPHERE_KM2)
    assert float(cell_areas(data.transpose("x", "y")).sum()) == pytest.approx(SPHERE_KM2)


@pytest.mark.parametrize("overlap", [1, 2, 3, 8])
def test_cell_areas_of_columns_that_repeat_others_are_theirs(overlap):
    lat, lon = np.meshgrid(np.arange(-60.0, 61, 5), np.arange(0.0, 360, 10), indexing="ij")
    lat = lat + 2 * np.sin(np.radians(lon))  # lies along no parallels
    once = cell_areas(curvilinear(lat, lon)).values
    lat, lon = (np.concatenate([a, a[:, :overlap]], axis=1) for a in (lat, lon))
    areas = cell_areas(curvilinear(lat, lon)).values
    np.testing.assert_allclose(areas[:, :36], once)
    np.testing.assert_allclose(areas[:, 36:], once[:, :overlap])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cell_areas_of_radians_are_those_of_degrees(dtype):
    lat, lon = turned()
    expected = cell_areas(curvilinear(lat, lon))
    names = ("clat", "clon")
    given = curvilinear(
        np.radians(lat).astype(dtype), np.radians(lon).astype(dtype), names, units="rad"
    )
    np.testing.assert_allclose(cell_areas(given), expected, rtol=1e-4)
    flat = grid(
        np.radians([10, 12]), np.radians([100, 103]), ("clat", "clon"), [{"units": "radian"}] * 2
    )
    by_hand = 6371.0072**2 * (np.sin(np.radians(11)) - np.sin(np.radians(9))) * np.radians(3)
    np.testing.assert_allclose(cell_areas(flat)[0], by_hand)


@pytest.mark.parametrize(("unit", "to"), [("radian", np.radians), ("degrees", np.asarray)])
def test_cell_areas_of_loose_points_are_those_between_their_vertices(unit, to):
    # the eight faces of an octahedron, and one of them with a vertex repeated and one missing
    south, west = np.repeat([1, -1], 4), np.tile([-180.0, -90, 0, 90], 2)
    lat = np.stack([90.0 * south, 0 * west, 0 * west, 0 * west], axis=1)
    lon = np.stack([west, west, west + 90, west + 90], axis=1)
    lat[3, 3] = lon[3, 3] = np.nan
    attrs = {"units": unit}
    data = xr.Dataset(
        {"t": ("cell", np.zeros(8))},
        coords={
            "clat": ("cell", to(35.26 * south), {**attrs, "bounds": "clat_vertices"}),
            "clon": ("cell", to(west + 45), {**attrs, "bounds": "clon_vertices"}),
            "clat_vertices": (("cell", "vertex"), to(lat)),
            "clon_vertices": (("cell", "vertex"), to(lon)),
        },
    )
    np.testing.assert_allclose(cell_areas(data), SPHERE_KM2 / 8)


def test_cell_areas_of_coordinates_with_time_have_none():
    lat, lon = turned()
    expected = cell_areas(curvilinear(lat, lon))
    coords = {n: (("time", "y", "x"), np.stack([v] * 3)) for n, v in (("lat", lat), ("lon", lon))}
    found = cell_areas(
        xr.DataArray(np.zeros((3, *lat.shape)), dims=("time", "y", "x"), coords=coords)
    )
    assert found.dims == ("y", "x")
    np.testing.assert_array_equal(found, expected)
