"""The Dataset of a clustering."""

import numpy as np

from xvcluster.record.dataset import lowest_first


def test_lowest_first_orders_by_the_first_variable_over_the_levels():
    centroids = np.stack([[[3.0, 0], [0, 0]], [[1.0, 9], [1, 9]], [[4.0, 5], [4, 5]]])
    assert lowest_first(centroids).tolist() == [1, 0, 2]
