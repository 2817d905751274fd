"""Variograms of fields whose covariance is known."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.variogram import Variogram, fit_variogram, leading_view


def draw_field(points, length, nugget, rng):
    """A Gaussian field with the covariance exp(−h² / 2 length²), and white noise on it."""
    squared = squareform(pdist(points, "sqeuclidean"))
    values, vectors = np.linalg.eigh(np.exp(-0.5 * squared / length**2))
    field = vectors @ (np.sqrt(np.maximum(values, 0)) * rng.standard_normal(len(points)))
    return field + np.sqrt(nugget) * rng.standard_normal(len(points))


@pytest.mark.parametrize("length", [2.0, 5.0])
@pytest.mark.parametrize("nugget", [0.0, 0.25])
def test_reach_is_where_the_correlation_falls_to_a_twentieth(length, nugget):
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(0, 60, (700, 2)), np.zeros(700)])
    fields = np.column_stack([draw_field(points, length, nugget, rng) for _ in range(4)])
    expected = length * np.sqrt(2 * np.log(20 / (1 + nugget)))
    assert fit_variogram(fields, points).reach() == pytest.approx(expected, rel=0.2)


def test_reach_of_white_noise_is_less_than_the_distance_of_neighbours():
    rng = np.random.default_rng(1)
    points = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0), [0.0]), -1).reshape(-1, 3)
    assert fit_variogram(rng.normal(size=(400, 5)), points).reach() < 1.0


def test_variogram_gives_back_a_covariance():
    lengths, sills = np.array([1.0, 3.0]), np.array([[2.0, 0.0], [1.0, 0.5]])
    variogram = Variogram(lengths, sills, np.array([0.1, 0.2]), 3.8)
    squared = np.array([[0.0, 4.0], [4.0, 0.0]])
    expected = np.exp(-2.0) + 0.5 * np.exp(-4.0 / 18.0)
    np.testing.assert_allclose(variogram.covariance(1, squared), [[1.7, expected], [expected, 1.7]])


def test_fit_variogram_of_one_place_is_none():
    assert fit_variogram(np.arange(8.0).reshape(4, 2), np.ones((4, 3))) is None


def test_leading_view_explains_nearly_all():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 12)) + 5.0
    profiles = Block.of(values.reshape(300, 6, 2))
    view = leading_view(profiles)
    assert view.axes.shape == (12, 2)
    np.testing.assert_allclose(view.back(view.look(profiles).values, (6, 2)), profiles.values)
    assert leading_view(Block.of(rng.normal(size=(300, 40, 1)))).axes.shape == (40, 8)
