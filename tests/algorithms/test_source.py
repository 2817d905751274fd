"""What is drawn of the profiles, and how they are passed over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import BLOCK_ROWS
from xvcluster.algorithms.source import InMemory, choose, priorities, sample_size

SEEDS = [0, 1, 2**63, 2**64 - 1]


def make_source(points, seed=0):
    """Profiles whose values are their points, with a sample of 100."""
    profiles = Block.of(points.astype(float)[:, None, None])
    return InMemory.of(profiles, choose(priorities(points, seed), 100))


@pytest.mark.parametrize("seed", SEEDS)
def test_in_memory_draws_the_same_sample_whatever_the_order_of_points(seed):
    points = np.arange(5000)
    shuffled = np.random.default_rng(0).permutation(points)
    first, again = (make_source(p, seed) for p in (points, shuffled))
    assert len(first.sample) == 100
    np.testing.assert_array_equal(
        *(np.sort(found.sample.values, axis=0) for found in (first, again))
    )


def test_in_memory_draws_another_sample_from_another_seed():
    points = np.arange(5000)
    first, other = (make_source(points, seed).sample.values for seed in (0, 1))
    assert len(np.intersect1d(first, other)) < 20


def test_in_memory_keeps_the_order_of_the_profiles_in_its_sample():
    drawn = make_source(np.arange(0, 5000, 7)).sample.values.ravel()
    assert np.all(np.diff(drawn) > 0)


def test_in_memory_of_few_profiles_takes_them_all_without_a_copy():
    profiles = Block.of(np.zeros((50, 3, 1)))
    for drawn in (None, np.arange(50)):
        found = InMemory.of(profiles, drawn)
        assert found.sample is found.profiles is profiles
    assert found.n_profiles == 50


@pytest.mark.parametrize("n", [1, BLOCK_ROWS, 3 * BLOCK_ROWS + 1])
def test_total_passes_over_all_profiles_in_their_order(n):
    profiles = Block(np.arange(float(n))[:, None, None], np.arange(1.0, n + 1))
    seen = InMemory(profiles, profiles[:1]).total(lambda block: block, list)
    np.testing.assert_array_equal(np.concatenate([b.values for b in seen]), profiles.values)
    np.testing.assert_array_equal(np.concatenate([b.weights for b in seen]), profiles.weights)
    assert max(map(len, seen)) <= BLOCK_ROWS


@pytest.mark.parametrize("shape", [(1, 1), (80, 1), (80, 2), (500, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sample_size_keeps_samples_small(shape, dtype):
    dtype = np.dtype(dtype)
    n_profiles = sample_size(shape, dtype)
    assert 10_000 <= n_profiles <= 2**18
    assert n_profiles * np.prod(shape) * dtype.itemsize <= 2**26


def test_sample_size_of_many_levels_is_still_large_enough():
    many, more = (sample_size((n, 4), np.dtype("float64")) for n in (500, 50_000))
    assert many == more >= 10_000


@pytest.mark.parametrize("seed", SEEDS)
def test_priorities_are_those_of_the_points_alone(seed):
    points = np.random.default_rng(0).permutation(10_000)
    found = priorities(points, seed)
    assert found.dtype == np.uint64
    assert np.unique(found).size == points.size
    for chunk in np.array_split(np.arange(points.size), 7):
        np.testing.assert_array_equal(priorities(points[chunk], seed), found[chunk])


def test_priorities_are_even():
    shares = priorities(np.arange(100_000), 3) / 2.0**64
    counts = np.histogram(shares, bins=20, range=(0, 1))[0]
    assert np.abs(counts - 5000).max() < 5 * np.sqrt(5000)
    assert abs(np.corrcoef(shares[:-1], shares[1:])[0, 1]) < 0.02


def test_priorities_never_change_the_points():
    points = np.arange(10)
    priorities(points, 1)
    np.testing.assert_array_equal(points, np.arange(10))


def test_choose_keeps_the_least_of_few_points():
    priority = np.random.default_rng(0).integers(2**64, size=150, dtype=np.uint64)
    kept = choose(priority, 80)
    np.testing.assert_array_equal(kept, np.sort(np.argsort(priority)[:80]))
    np.testing.assert_array_equal(choose(priority, 150), np.arange(150))


@given(size=st.integers(1, 400), seed=st.integers(0, 2**64 - 1), n=st.integers(1, 3000))
def test_choose_keeps_at_most_as_many_as_asked_for_those_of_the_least_priority(size, seed, n):
    priority = priorities(np.arange(n), seed)
    kept = choose(priority, size)
    assert len(kept) == min(size, n)
    assert np.all(np.diff(kept) > 0)
    np.testing.assert_array_equal(np.sort(priority[kept]), np.sort(priority)[: len(kept)])


@pytest.mark.parametrize("seed", range(3))
def test_choose_among_far_more_points_bounds_its_candidates(seed):
    priority = priorities(np.arange(200_000), seed)
    parts = [choose(part, 1000, 200_000) for part in np.array_split(priority, 100)]
    assert 1800 < sum(map(len, parts)) < 2200  # twice as many as are kept of all


@pytest.mark.parametrize("n_chunks", [2, 13])
def test_choose_among_what_chunks_have_chosen_is_to_choose_among_all(n_chunks):
    priority = priorities(np.arange(20_000), 5)
    chunks = np.array_split(np.arange(20_000), n_chunks)
    left = np.concatenate([chunk[choose(priority[chunk], 300, 20_000)] for chunk in chunks])
    np.testing.assert_array_equal(left[choose(priority[left], 300)], choose(priority, 300))
