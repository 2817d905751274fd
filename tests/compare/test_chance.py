"""Maps that are moved at random: how they are moved, and the p-value that follows."""

import numpy as np
import pytest
import xarray as xr
from sklearn.metrics import adjusted_rand_score

from xvcluster.agreement import compare
from xvcluster.compare.chance import (
    Raster,
    _around,
    _blur,
    _draw_rotations,
    _draw_shifts,
    _find_power,
    _fold,
    _world,
    adjusted_rand,
    compare_with_chance,
)
from xvcluster.grid.horizontal import unit_vectors

WORLD = np.arange(-87.5, 90.0, 5.0), np.arange(2.5, 360.0, 5.0)
REGION = np.linspace(30.0, 50.0, 30), np.linspace(-125.0, -100.0, 30)


def smooth_labels(lat, lon, length, seed, k=4):
    """Labels by quantiles of a smooth random field, with a correlation length in radians."""
    rng = np.random.default_rng(seed)
    points = unit_vectors(*np.meshgrid(lat, lon, indexing="ij"))
    waves, phase = rng.normal(scale=1 / length, size=(100, 3)), rng.uniform(0, 2 * np.pi, 100)
    field = np.cos(points @ waves.T + phase).sum(axis=-1)
    values = np.searchsorted(np.quantile(field, np.arange(1, k) / k), field) + 1.0
    return xr.DataArray(values, {"lat": lat, "lon": lon}, ("lat", "lon"), name="label")


def p_value(own, other, **options):
    return compare(own, other, progress=False, **options).p_value


def test_adjusted_rand_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 4, (5, 2, 200))
    pairs[:, 1, :80] = pairs[:, 0, :80]
    tables = np.zeros((5, 4, 4))
    for i, (first, second) in enumerate(pairs):
        np.add.at(tables[i], (first, second), 1)
    expected = [adjusted_rand_score(*pair) for pair in pairs]
    np.testing.assert_allclose(adjusted_rand(tables), expected)


def test_adjusted_rand_of_a_single_row_or_nothing_is_zero():
    np.testing.assert_array_equal(
        adjusted_rand(np.array([[[3.0, 4], [0, 0]], np.zeros((2, 2))])), 0
    )


def test_rotations_are_uniform():
    turns = _draw_rotations(4000, np.random.default_rng(0))
    np.testing.assert_allclose(
        turns @ turns.swapaxes(1, 2), np.broadcast_to(np.eye(3), (4000, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(turns), 1)
    # a point is moved anywhere; the angle of a random rotation has the density (1 - cos) / pi
    np.testing.assert_allclose(turns.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose((turns**2).mean(axis=0), 1 / 3, atol=0.03)
    angle = np.arccos(np.clip((np.trace(turns, axis1=1, axis2=2) - 1) / 2, -1, 1))
    quantiles = np.quantile(angle, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(
        (quantiles - np.sin(quantiles)) / np.pi, [0.25, 0.5, 0.75], atol=0.03
    )


def test_shifts_keep_distances_and_reach_no_farther_than_they_may():
    moves = _draw_shifts(500, np.random.default_rng(0), half=(0.2, 0.1))
    points = unit_vectors(np.array([2.0, -3.0, 1.0]), np.array([0.0, 4.0, -7.0]))
    moved = points @ moves.swapaxes(1, 2)
    apart = np.linalg.norm(moved[:, 0] - moved[:, 1], axis=-1)
    np.testing.assert_allclose(apart, np.linalg.norm(points[0] - points[1]))
    origin = moves[:, :, 0]
    lon, lat = np.arctan2(origin[:, 1], origin[:, 0]), np.arcsin(origin[:, 2])
    assert 0.12 < np.abs(lon).max() <= 0.14
    assert 0.06 < np.abs(lat).max() <= 0.07 + 1e-3
    sides = {tuple(np.sign(np.diagonal(move)[1:]).astype(int)) for move in moves}
    assert sides == {(1, 1), (1, -1), (-1, 1), (-1, -1)}


def test_folding_mirrors_at_the_border():
    values = np.array([0.0, 1.5, 2.0, 2.5, 4.5, -0.5, -3.0])
    np.testing.assert_allclose(_fold(values, 0.0, 2.0), [0, 1.5, 2, 1.5, 0.5, 0.5, 1])


@pytest.mark.parametrize("power", [0.0, 0.4, 1.0])
def test_the_power_of_the_overlap_makes_agreements_alike(power):
    found = np.random.default_rng(0).chisquare(5, 500)
    assert _find_power(found, found * 1.5**power, 1.5) == pytest.approx(power)
    assert _find_power(found, found * 2.0, 1.5) == 1.0
    assert _find_power(found, found, 1.0) == 0.0


def test_a_raster_has_points_of_equal_area_that_a_finer_one_keeps():
    raster = Raster(np.eye(3), (0.3, 0.2), (7, 9))
    finer = raster.widened(3, 0.35)
    x, y, z = raster.points.T
    at = finer.find(np.arctan2(y, x), z)
    np.testing.assert_allclose(finer.points[at], raster.points, atol=1e-12)
    assert finer.half[0] == pytest.approx(0.3 * 1.7, abs=0.03)
    whole = Raster(np.eye(3), (np.pi, 1.0), (7, 14)).widened(3, 0.35)
    assert (whole.half, whole.shape) == ((pytest.approx(np.pi), pytest.approx(1.0)), (21, 42))


@pytest.mark.parametrize("lon", [-110.0, 179.0])
@pytest.mark.parametrize("lat", [0.0, 80.0])
def test_the_frame_of_a_region_has_it_in_the_middle(lat, lon):
    y, x = np.meshgrid(lat + np.linspace(-5, 5, 9), lon + np.linspace(-6, 6, 9))
    points = unit_vectors(y, x).reshape(-1, 3)
    raster = _around(points, 100)
    east, north = np.arctan2(*(points @ raster.turn.T).T[[1, 0]]), (points @ raster.turn.T)[:, 2]
    assert east.max() == pytest.approx(-east.min(), abs=1e-3)
    assert np.arcsin(north.max()) == pytest.approx(-np.arcsin(north.min()), abs=1e-2)
    np.testing.assert_allclose(raster.half, [np.abs(east).max(), np.abs(north).max()])


@pytest.mark.parametrize("where", [WORLD, REGION], ids=["globe", "region"])
def test_a_map_agrees_with_itself_more_than_by_chance(where):
    labels = smooth_labels(*where, 0.3 if where is WORLD else 0.05, 0)
    assert p_value(labels, labels, n=199) == 1 / 200


@pytest.mark.parametrize("where", [WORLD, REGION], ids=["globe", "region"])
def test_independent_maps_do_not(where):
    length = 0.4 if where is WORLD else 0.06
    found = [
        p_value(
            smooth_labels(*where, length, 2 * i), smooth_labels(*where, length, 2 * i + 1), n=99
        )
        for i in range(20)
    ]
    assert np.mean(np.array(found) <= 0.1) <= 0.2
    assert 0.3 < np.mean(found) < 0.7
    assert len(set(found)) > 10


def test_the_seed_decides():
    own, other = (smooth_labels(*REGION, 0.06, seed) for seed in (2, 3))
    first = p_value(own, other, n=99, random_state=1)
    assert p_value(own, other, n=99, random_state=1) == first
    assert len({p_value(own, other, n=99, random_state=seed) for seed in range(5)}) > 1


def test_which_maps_were_moved_and_how_is_told():
    world, region = smooth_labels(*WORLD, 0.4, 0), smooth_labels(*REGION, 0.06, 1)
    about = compare(world, world, n=19).dataset["p_value"].attrs
    assert about == {
        "long_name": "probability of such an adjusted Rand index by chance",
        "units": "1",
        "null": "random rotations of the sphere",
        "n": 19,
        "random_state": 0,
    }
    said = [
        compare(*pair, n=19, null=null).dataset["p_value"].attrs["null"]
        for pair, null in (
            ((region, region), "auto"),
            ((region, world), "auto"),
            ((world, world), "shifts"),
        )
    ]
    assert said == ["random shifts and mirror images of the region"] * 3


def test_half_a_world_with_provinces_on_continents_is_rotated():
    world = smooth_labels(*WORLD, 0.4, 0)
    part = world.where(np.abs(world["lat"]) < 17.5)
    assert "rotations" in compare(world, part, n=19).dataset["p_value"].attrs["null"]
    assert "rotations" in compare(part, world, n=19).dataset["p_value"].attrs["null"]
    assert "shifts" in compare(part, part, n=19).dataset["p_value"].attrs["null"]


def test_maps_full_of_gaps_have_no_p_value_but_a_reason():
    labels = smooth_labels(*REGION, 0.06, 0)
    scattered = labels.where(np.random.default_rng(0).random(labels.shape) < 0.05)
    agreement = compare(scattered, scattered, n=19)
    assert np.isnan(agreement.p_value)
    assert "none: moved maps overlap too little" in agreement.dataset["p_value"].attrs["null"]
    assert "is not known (none: moved maps overlap too little" in agreement.sentence


@pytest.mark.parametrize("lon", [-120.0, 175.0], ids=["inland", "over the dateline"])
def test_the_place_of_a_region_does_not_matter(lon):
    lat = np.linspace(-10, 10, 25)
    own, other = (smooth_labels(lat, np.linspace(0, 20, 25), 0.06, seed) for seed in (0, 1))
    moved = [a.assign_coords(lon=(a["lon"] + lon + 180) % 360 - 180) for a in (own, other)]
    assert p_value(*moved, n=99) == p_value(own, other, n=99)


def test_progress_tells_of_each_map():
    done = []
    points = unit_vectors(*np.meshgrid(np.arange(20.0), np.arange(20.0))).reshape(-1, 3)

    def halves(lat, lon):
        return np.where((lat > 0) & (lat < 19) & (lon > 0) & (lon < 19), 1.0 + (lon > 9), np.nan)

    compare_with_chance(
        halves,
        halves,
        points,
        n=120,
        null="auto",
        seed=np.random.SeedSequence(0),
        report=done.append,
    )
    assert sum(done) == 120


def test_p_of_a_region_of_few_large_provinces_has_a_caveat():
    few = [smooth_labels(*REGION, 0.5, seed, k=3) for seed in (0, 1)]
    found = compare(few[0], few[0], n=99)
    assert float(found.dataset["expected_rand_index"]) > 0.15
    assert "the region holds few provinces" in found.sentence
    assert "p may be too small by a factor of two" in repr(found)
    assert "more than by chance" not in found.sentence
    many = smooth_labels(*REGION, 0.05, 0)
    said = compare(many, many, n=99)
    assert "more than by chance" in said.sentence
    assert "comment" not in said.dataset["p_value"].attrs


def test_rotations_need_no_such_warning():
    few = smooth_labels(*WORLD, 1.5, 0, k=2)
    assert "comment" not in compare(few, few, n=19).dataset["p_value"].attrs


@pytest.mark.parametrize("size", [(-10, 10), (-15, 15)])
def test_rotations_of_a_region_are_not_possible_and_shifts_are_named(size):
    lat = lon = np.linspace(*size, 30)
    labels = smooth_labels(lat, lon, 0.2, 0)
    found = compare(labels, labels, n=19, null="rotations")
    assert "rotated maps overlap too little" in found.sentence
    assert "take null='shifts'" in found.sentence
    assert found.dataset["p_value"].attrs["n"] == 0


def test_the_agreement_in_place_is_blurred_as_that_of_moved_maps():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(2, 500, 3))
    places /= np.linalg.norm(places, axis=-1, keepdims=True)
    blurred = _blur(places, 0.01, np.random.default_rng(1))
    np.testing.assert_allclose(np.linalg.norm(blurred, axis=-1), 1.0)
    angle = np.arccos(np.clip((places * blurred).sum(axis=-1), -1, 1))
    # of a normal displacement along two axes: a Rayleigh distribution
    np.testing.assert_allclose(angle.mean(), 0.01 * np.sqrt(np.pi / 2), rtol=0.05)


def test_points_of_a_raster_are_as_far_apart_as_their_areas_say():
    assert _world(3000).spacing ** 2 * np.prod(_world(3000).shape) == pytest.approx(4 * np.pi)
