"""Which cells form one region, against scipy.ndimage.label."""

import numpy as np
import pytest
from scipy import ndimage

from xvcluster.boundaries.regions import find_regions


def test_boundaries_separate_cells_that_touch_in_a_corner(make_labels, check):
    values = [[1, 2], [2, 1]]
    frame = check(make_labels(values, [0, 1], [0, 1]))
    assert frame["cluster"].tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (30, 40)])
def test_find_regions_agrees_with_ndimage(shape):
    labels = np.random.default_rng(0).integers(0, 4, shape)
    regions = find_regions(labels, wraps=False)
    np.testing.assert_array_equal(regions == -1, labels == 0)
    n = 0
    for label in (1, 2, 3):
        expected, n_expected = ndimage.label(labels == label)
        pairs = np.unique(np.stack([regions, expected])[:, labels == label], axis=1)
        assert pairs.shape == (2, n_expected)
        assert np.unique(pairs[0]).size == n_expected
        n += n_expected
    np.testing.assert_array_equal(np.unique(regions[regions >= 0]), np.arange(n))


def test_find_regions_joins_the_last_column_to_the_first():
    labels = np.array([[1, 2, 1], [0, 2, 0], [1, 2, 3]])
    np.testing.assert_array_equal(
        find_regions(labels, wraps=True), [[0, 1, 0], [-1, 1, -1], [2, 1, 3]]
    )


def test_find_regions_of_no_labels():
    np.testing.assert_array_equal(
        find_regions(np.zeros((2, 3), int), wraps=True), np.full((2, 3), -1)
    )
