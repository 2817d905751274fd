"""Smooth lines around clusters, against pyproj's lengths and areas."""

import numpy as np
import pytest

from xvcluster.boundaries import boundaries
from xvcluster.grid.areas import EARTH_RADIUS_KM

shapely = pytest.importorskip("shapely")
pytest.importorskip("geopandas")


def test_smooth_boundaries_pass_halfway_between_centres(make_labels, geodesic_area, geod):
    values = np.ones((5, 5))
    values[2, 2] = 2
    frame = boundaries(make_labels(values, np.arange(5), np.arange(5)), 2, smooth=True)
    corners = {(1.5, 2.0), (2.0, 1.5), (2.5, 2.0), (2.0, 2.5)}
    assert {tuple(p) for p in shapely.get_coordinates(frame.geometry[0])} == corners
    assert frame.geom_type.tolist() == ["LineString"]
    np.testing.assert_allclose(
        frame["length_km"], geod.geometry_length(frame.geometry[0]) / 1e3, rtol=1e-9
    )
    np.testing.assert_allclose(
        frame["area_km2"], geodesic_area(shapely.Polygon(frame.geometry[0])), rtol=1e-3
    )


def test_smooth_boundaries_cross_the_dateline_and_circle_the_poles(make_labels, geod):
    values = np.ones((36, 72))
    values[32:] = 2
    values[16:20, 35:38] = 3  # across 180°
    values[16:20, [0, 1, -1]] = 4  # across the seam of the grid
    labels = make_labels(values, np.arange(-87.5, 90, 5), np.arange(2.5, 360, 5))
    frame = boundaries(labels, [2, 3, 4], smooth=True)
    assert frame.geom_type.tolist() == ["LineString", "MultiLineString", "LineString"]
    assert frame.total_bounds[[0, 2]].tolist() == [-180, 180]
    length = [geod.geometry_length(shape) / 1e3 for shape in frame.geometry]
    np.testing.assert_allclose(length, frame["length_km"], rtol=1e-4)
    cap = 2 * np.pi * EARTH_RADIUS_KM**2 * (1 - np.sin(np.radians(70)))
    np.testing.assert_allclose(frame["area_km2"][0], cap, rtol=1e-9)
    np.testing.assert_allclose(frame["area_km2"][1], frame["area_km2"][2], rtol=1e-9)


def test_smooth_boundaries_that_end_at_the_edge_enclose_nothing(make_labels):
    labels = make_labels(np.repeat([[1.0, 2.0]], 4, axis=0), np.arange(4), [0, 1])
    frame = boundaries(labels, 1, smooth=True)
    assert frame["area_km2"].isna().all()
    assert len(boundaries(labels, 1, smooth=True, min_area=0)) == 0


def test_smooth_boundaries_of_2d_coordinates(make_blobs, make_rotated, geod):
    labels = make_rotated(make_blobs(50, 70, 4, 3), 1.0, 75, 180)
    frame = boundaries(labels, smooth=True)
    length = [geod.geometry_length(shape) / 1e3 for shape in frame.geometry]
    # near the pole a straight line to the cut at ±180° is longer than the great circle
    np.testing.assert_allclose(length, frame["length_km"], rtol=1e-3)
    assert frame.total_bounds[[0, 2]].tolist() == [-180, 180]


def test_smooth_boundaries_end_at_points_of_unknown_place(make_rotated):
    values = np.ones((9, 9))
    values[3:6, 3:6] = 2
    labels = make_rotated(values, 1.0, 40, 10)
    whole = boundaries(labels, 2, smooth=True)
    lat = labels["lat"].copy()
    lat[2, 4] = np.nan
    frame = boundaries(labels.assign_coords(lat=lat), 2, smooth=True)
    assert np.isfinite(shapely.get_coordinates(frame.geometry.to_numpy())).all()
    assert frame["area_km2"].isna().all()
    assert 0.5 < frame["length_km"].sum() / whole["length_km"].sum() < 0.9
