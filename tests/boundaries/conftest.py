"""Maps of labels on grids of all kinds, and what every set of polygons must satisfy."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

from xvcluster.boundaries import boundaries
from xvcluster.grid.areas import cell_areas
from xvcluster.grid.coords import Axes, find_horizontal


@pytest.fixture(scope="session")
def make_labels():
    """Labels on 1-D latitude and longitude."""

    def make(values, lat, lon):
        coords = {"latitude": np.asarray(lat, float), "longitude": np.asarray(lon, float)}
        return xr.DataArray(np.asarray(values, float), coords, ("latitude", "longitude"))

    return make


@pytest.fixture(scope="session")
def make_blobs():
    """Label numbers 1…k in patches, which continue around the globe if asked."""

    def make(n_lat, n_lon, k, size, *, around=False, seed=0):
        noise = np.random.default_rng(seed).normal(size=(n_lat, n_lon))
        field = gaussian_filter(noise, size, mode=["nearest", "wrap" if around else "nearest"])
        return np.digitize(field, np.quantile(field, np.arange(1, k) / k)) + 1.0

    return make


@pytest.fixture(scope="session")
def make_curvilinear():
    """Labels on 2-D latitude and longitude."""

    def make(values, lat, lon):
        coords = {"lat": (("y", "x"), lat), "lon": (("y", "x"), lon)}
        return xr.DataArray(values, coords, ("y", "x"))

    return make


@pytest.fixture(scope="session")
def make_rotated(make_curvilinear):
    """Labels on a grid whose middle is moved to a place."""

    def make(values, step, lat_0, lon_0):
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

    return make


@pytest.fixture(scope="session")
def geod():
    """The authalic sphere, on which pyproj measures."""
    pyproj = pytest.importorskip("pyproj")
    return pyproj.Geod(a=6371007.2, b=6371007.2)


@pytest.fixture(scope="session")
def geodesic_area(geod):
    """Area in km² that pyproj finds with great circles as edges."""
    shapely = pytest.importorskip("shapely")

    def measure(shape):
        parts = shapely.orient_polygons(shapely.get_parts(shape))
        return sum(geod.geometry_area_perimeter(part)[0] for part in parts) / 1e6

    return measure


@pytest.fixture(scope="session")
def labelled_area():
    """Area in km² of the cells that have a label."""

    def measure(labels):
        areas = cell_areas(labels, Axes(None, *find_horizontal(labels)))
        return float(areas.where(labels.notnull()).sum())

    return measure


@pytest.fixture(scope="session")
def check(geodesic_area, labelled_area):
    """Outline labels; assert valid polygons, no overlap, edges in common, and the whole area."""
    shapely = pytest.importorskip("shapely")

    def outline(labels, total=None):
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

    return outline
