import numpy as np
import pytest
import shapely
import xarray as xr

from xvcluster.explore.cells import find_cells
from xvcluster.explore.lines import find_lines
from xvcluster.explore.polar import find_graticule, to_plane, turn_to_pole


@pytest.fixture
def arctic():
    """Labels on a grid of squares of 200 km, of which the one in the middle lies on the pole."""
    y, x = np.meshgrid(*[np.arange(-10, 11) * 200.0] * 2, indexing="ij")
    lat = 90 - np.hypot(y, x) / 111.2
    coords = {
        "lat": (("y", "x"), lat, {"units": "degrees_north"}),
        "lon": (("y", "x"), np.degrees(np.arctan2(y, x)), {"units": "degrees_east"}),
    }
    return xr.DataArray(np.ones(lat.shape), coords, ("y", "x"), name="label")


def polar(labels):
    known = (labels.values > 0).ravel()
    return turn_to_pole(find_cells(labels, known), known)


def test_cells_over_the_pole_are_polygons_around_their_places(arctic):
    cells = polar(arctic)
    rings = shapely.polygons(np.stack([cells.corners_x, cells.corners_y], axis=-1))
    assert shapely.contains_xy(rings, cells.x, cells.y).all()
    pole = np.flatnonzero(shapely.contains_xy(rings, 0.0, 0.0))
    np.testing.assert_allclose(cells.lat[pole], 90.0)
    # a stereographic map is true to scale at the pole
    np.testing.assert_allclose(np.sqrt(shapely.area(rings[pole])), 200.0, rtol=0.01)
    # far from it cells adjoin, so that they fill the map
    assert shapely.union_all(rings).area == pytest.approx(shapely.area(rings).sum(), rel=1e-6)


def test_a_grid_around_a_pole_lies_in_rings(rough_model):
    lat, lon = np.arange(-88.0, -60.0, 4.0), np.arange(0.0, 360.0, 20.0)
    coords = {
        "latitude": ("latitude", lat, {"units": "degrees_north"}),
        "longitude": ("longitude", lon, {"units": "degrees_east"}),
    }
    labels = xr.DataArray(np.ones((7, 18)), coords, ("latitude", "longitude"), name="label")
    labels[2, 3] = np.nan
    cells = polar(labels)
    assert cells.kind == "polygons"
    assert cells.x.size == 7 * 18 - 1
    away = np.hypot(cells.x, cells.y)
    for each in lat:
        assert np.ptp(away[cells.lat == each]) < 1e-6
    # conformal on the sphere: twice the radius times the tangent of half the distance
    share = np.tan(np.radians(90 + lat) / 2)
    mean = np.array([away[cells.lat == each].mean() for each in lat])
    np.testing.assert_allclose(mean / mean[-1], share / share[-1], rtol=0.01)


@pytest.mark.parametrize("south", [-60.0, 30.0, 55.0])
def test_other_maps_stay_in_degrees(south):
    coords = {
        "lat": ("lat", south + np.arange(5.0), {"units": "degrees_north"}),
        "lon": ("lon", np.arange(6.0), {"units": "degrees_east"}),
    }
    labels = xr.DataArray(np.ones((5, 6)), coords, ("lat", "lon"), name="label")
    cells = polar(labels)
    assert cells.projection is None
    assert cells.kind == "grid"


def test_lines_around_a_pole_are_those_of_its_hemisphere(arctic):
    cells = polar(arctic)
    for lines in (find_lines(cells.box, cells.projection), find_graticule(cells.projection)):
        known = np.isfinite(lines).all(axis=1)
        assert known.any()
        assert (np.hypot(*lines[known].T) < 8000).all()
    steps = np.linalg.norm(np.diff(find_lines(cells.box, cells.projection), axis=0), axis=1)
    assert np.nanmax(steps) < 2500


def test_lines_around_a_pole_hold_the_coasts_of_continents(arctic):
    cells = polar(arctic)
    lines = find_lines(cells.box, cells.projection)
    sides = np.stack([lines[:-1], lines[1:]], axis=1)
    coasts = shapely.linestrings(sides[np.isfinite(sides).all(axis=(1, 2))])
    # the capes Chelyuskin, Barrow and Nordkinn
    places = to_plane(
        cells.projection, np.array([104.3, -156.5, 27.65]), np.array([77.72, 71.4, 71.13])
    )
    for place in np.stack(places, axis=1):
        assert shapely.distance(coasts, shapely.Point(place)).min() < 20
