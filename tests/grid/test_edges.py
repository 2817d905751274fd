"""The edges of cells along an axis, and the corners around cells."""

import numpy as np
import xarray as xr

from xvcluster.grid.edges import bounds_of, cell_edges, corners_around


def test_cell_edges_lie_halfway_and_stop_at_limits():
    np.testing.assert_array_equal(cell_edges([0, 1, 3]), [-0.5, 0.5, 2, 4])
    np.testing.assert_array_equal(cell_edges([3, 1, 0]), [4, 2, 0.5, -0.5])
    np.testing.assert_array_equal(cell_edges([-90, 0, 90], (-90, 90)), [-90, -45, 45, 90])


def test_cell_edges_of_a_single_centre_are_one_degree_apart_or_as_given():
    np.testing.assert_array_equal(cell_edges([10]), [9.5, 10.5])
    np.testing.assert_array_equal(cell_edges([10], around=True), [9.5, 10.5])
    np.testing.assert_array_equal(cell_edges([10], width=4), [8, 12])


def test_cell_edges_around_the_earth_end_where_they_begin():
    np.testing.assert_array_equal(cell_edges([0, 90, 200], around=True), [-80, 45, 145, 280])


def test_corners_around_cells_are_in_order():
    corners = np.arange(12).reshape(3, 4)  # of two rows of three cells
    expected = [[0, 1, 5, 4], [6, 7, 11, 10]]
    np.testing.assert_array_equal(corners_around(corners, np.array([0, 5])), expected)
    both = corners_around(np.stack([corners, -corners], axis=-1), np.array([0, 5]))
    np.testing.assert_array_equal(both[..., 1], -both[..., 0])


def test_bounds_of_an_axis_in_any_order_lie_around_its_values():
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        levels = xr.DataArray(np.array([0.0, 10.0, 30.0])[order], dims="depth")
        expected = np.array([[-5, 5], [5, 20], [20, 40]])[order]
        np.testing.assert_array_equal(np.sort(bounds_of(levels, levels)), expected)
