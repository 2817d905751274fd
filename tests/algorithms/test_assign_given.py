"""How clearly profiles belong to clusters that were found otherwise."""

import numpy as np

from xvcluster.algorithms.assign import Assigner, assign, assign_given
from xvcluster.algorithms.metrics import get_metric


def test_labels_of_the_nearest_centroid_are_described_as_when_assigned():
    rng = np.random.default_rng(0)
    profiles, centroids = rng.normal(size=(9000, 6, 2)), rng.normal(size=(4, 6, 2))
    metric = get_metric("euclidean")
    wanted = assign(profiles, Assigner(centroids, metric))
    found = assign_given(profiles, wanted.labels, centroids, metric)
    for name in ("labels", "squared", "margin"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name))


def test_a_label_of_a_farther_centroid_has_a_negative_margin():
    profiles = np.array([[[1.0]], [[1.0]], [[5.0]]])
    centroids = np.array([[[0.0]], [[4.0]], [[np.nan]]])
    found = assign_given(profiles, np.array([0, 1, 1]), centroids, get_metric("euclidean"))
    np.testing.assert_array_equal(found.squared, [1.0, 9.0, 1.0])
    np.testing.assert_allclose(found.margin, [2 / 3, -2 / 3, 4 / 5])


def test_a_single_cluster_is_certain():
    found = assign_given(
        np.ones((3, 1, 1)), np.zeros(3, int), np.ones((1, 1, 1)), get_metric("euclidean")
    )
    np.testing.assert_array_equal(found.margin, 1.0)
