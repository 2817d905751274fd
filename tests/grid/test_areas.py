"""How large the cells of a grid are."""

import numpy as np
import pytest
import xarray as xr

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
