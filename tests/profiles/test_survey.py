"""What is known of parts of the profiles is joined to what is known of all."""

import numpy as np
import pytest

from xvcluster.profiles.survey import Sample, join_blocks


@pytest.mark.parametrize("size", [1, 20, 300, 1000])
def test_a_sample_does_not_depend_on_the_parts_and_their_order(block, size):
    points = np.random.default_rng(1).permutation(1000)[:300]
    whole = Sample.join([Sample.of(points, block, seed=5, size=size)], size)
    parts = np.array_split(np.random.default_rng(2).permutation(300), 7)
    drawn = [Sample.of(points[rows], block[rows], seed=5, size=size) for rows in parts]
    found = Sample.join(drawn, size)
    assert len(found.points) == min(size, 300)
    assert np.all(np.diff(found.points) > 0)
    np.testing.assert_array_equal(found.points, whole.points)
    np.testing.assert_array_equal(found.block.values, whole.block.values)
    np.testing.assert_array_equal(found.block.weights, whole.block.weights)
    at = {point: row for row, point in enumerate(points)}
    rows = [at[point] for point in found.points]
    np.testing.assert_array_equal(found.block.values, block.values[rows])


def test_join_blocks_keeps_their_order(block):
    found = join_blocks(block[rows] for rows in (slice(0, 7), slice(7, 7), slice(7, 300)))
    np.testing.assert_array_equal(found.values, block.values)
    np.testing.assert_array_equal(found.weights, block.weights)
