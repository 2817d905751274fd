"""The distance beyond which profiles on the Earth are no longer alike."""

import numpy as np
import pytest

from xvcluster.algorithms.blocks import Block
from xvcluster.grid.areas import EARTH_RADIUS_KM
from xvcluster.grid.horizontal import unit_vectors
from xvcluster.grid.variogram import find_range, points_km, thin_places


def draw_places(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def draw_waves(lat, lon, length, seed=0):
    """Fields with the covariance exp(−h² / 2 length²) of chords h, as sums of waves in space."""
    rng = np.random.default_rng(seed)
    points = EARTH_RADIUS_KM * unit_vectors(lat, lon)
    waves = rng.normal(scale=1 / length, size=(4, 300, 3))
    phase = rng.uniform(0, 2 * np.pi, (4, 300))
    fields = np.cos(np.einsum("mwi,ni->nmw", waves, points) + phase).sum(axis=2)
    return Block.of(fields[:, :, None])


@pytest.mark.parametrize("length", [500.0, 1000.0])
def test_find_range_is_the_distance_of_no_correlation(length):
    lat, lon = draw_places(2500)
    chord = np.sqrt(2 * np.log(20)) * length
    arc = 2 * EARTH_RADIUS_KM * np.arcsin(chord / 2 / EARTH_RADIUS_KM)
    profiles = draw_waves(lat, lon, length)
    assert find_range(profiles, lat, lon) == pytest.approx(arc, rel=0.2)
    lat[:500] = np.nan
    assert find_range(profiles, lat, lon) == pytest.approx(arc, rel=0.2)


def test_find_range_of_few_places_is_not_known():
    lat, lon = draw_places(400)
    profiles = draw_waves(lat, lon, 1000.0)
    assert find_range(profiles, np.full(400, np.nan), lon) is None
    assert find_range(profiles, np.repeat(lat[:20], 20), np.repeat(lon[:20], 20)) is None


def test_thin_places_takes_each_place_once():
    lat, lon = np.array([90.0, 90.0, 0.0, 0.0, np.nan, 10.0]), np.array([0, 50, 180.0, -180, 3, 4])
    np.testing.assert_array_equal(thin_places(lat, lon, 9), [0, 2, 5])
    rows = thin_places(*draw_places(300), 40)
    assert rows.size == 40
    assert (np.diff(rows) > 0).all()


def test_points_are_a_radius_from_the_centre():
    np.testing.assert_allclose(np.linalg.norm(points_km(*draw_places(5)), axis=1), EARTH_RADIUS_KM)
