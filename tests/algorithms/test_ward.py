"""Trees by Ward's criterion against SciPy, scikit-learn and repetition."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage
from scipy.sparse import csr_matrix
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.ward import cut, find_tree


def make_profiles(n, n_levels=7, n_variables=2, dtype="float64"):
    return np.random.default_rng(n).normal(size=(n, n_levels, n_variables)).astype(dtype)


def lattice(rows, columns):
    """Pairs of cells of a lattice that share an edge."""
    number = np.arange(rows * columns).reshape(rows, columns)
    down = np.stack([number[1:].ravel(), number[:-1].ravel()], axis=1)
    across = np.stack([number[:, 1:].ravel(), number[:, :-1].ravel()], axis=1)
    return np.concatenate([down, across])


def graph_of(pairs, n):
    graph = csr_matrix((np.ones(len(pairs)), pairs.T), shape=(n, n))
    return graph + graph.T


def partition(labels):
    """Sets of members, which do not depend on numbers."""
    return {frozenset(np.flatnonzero(labels == c).tolist()) for c in np.unique(labels)}


@pytest.mark.parametrize("n", [2, 3, 10, 500])
def test_any_merges_are_those_of_scipy(n):
    profiles = make_profiles(n)
    found, pieces, _ = find_tree(Block.of(profiles))
    wanted = linkage(profiles.reshape(n, -1), "ward")
    assert pieces == 1
    assert is_valid_linkage(found)
    np.testing.assert_allclose(found[:, 2], wanted[:, 2], rtol=1e-9)
    np.testing.assert_array_equal(found[:, 3], wanted[:, 3])
    for k in {1, 2, min(7, n), n}:
        assert partition(cut(found, n, k)) == partition(fcluster(wanted, k, "maxclust"))


@pytest.mark.parametrize("shape", [(1, 40), (30, 30)])
def test_merges_of_neighbours_are_those_of_scikit_learn(shape):
    n, pairs = shape[0] * shape[1], lattice(*shape)
    profiles = make_profiles(n, n_variables=1)
    found, pieces, _ = find_tree(Block.of(profiles), pairs)
    for k in (2, 5, 17):
        wanted = AgglomerativeClustering(
            k, connectivity=graph_of(pairs, n), compute_distances=True, compute_full_tree=True
        ).fit(profiles[..., 0])
        assert adjusted_rand_score(wanted.labels_, cut(found, n, k)) == 1.0
    assert pieces == 1
    np.testing.assert_allclose(found[:, 2], wanted.distances_, rtol=1e-9)
    np.testing.assert_array_equal(found[:, :2], np.sort(wanted.children_, axis=1))


@pytest.mark.parametrize("contiguous", [True, False])
def test_weights_count_as_repetition(contiguous):
    profiles, times = make_profiles(60), np.random.default_rng(1).integers(1, 4, 60)
    pairs = lattice(6, 10) if contiguous else None
    found = find_tree(Block.of(profiles, times.astype(float)), pairs)[0]
    first = np.cumsum(times) - times
    again = np.concatenate(
        [[(f, f + i) for i in range(1, t)] for f, t in zip(first, times, strict=True) if t > 1]
    )
    repeated = None if pairs is None else np.concatenate([first[pairs], again])
    wanted = find_tree(Block.of(np.repeat(profiles, times, axis=0)), repeated)[0]
    same = times.sum() - 60  # merges of repeated profiles, which cost nothing
    np.testing.assert_allclose(wanted[:same, 2], 0.0, atol=1e-12)
    np.testing.assert_allclose(found[:, 2], wanted[same:, 2], rtol=1e-9)
    for k in (2, 5, 20):
        labels = cut(wanted, times.sum(), k)[first]
        assert partition(labels) == partition(cut(found, 60, k))


def test_a_profile_without_weight_joins_what_it_is_nearest_to():
    profiles = np.array([0.0, 0.2, 5.0, 5.2, 4.6])[:, None, None]
    weights = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    found = find_tree(Block.of(profiles, weights))[0]
    np.testing.assert_array_equal(cut(found, 5, 2), [0, 0, 1, 1, 1])
    without = find_tree(Block.of(profiles[:4]))[0]
    np.testing.assert_allclose(found[-3:, 2], without[:, 2], rtol=1e-6)


def test_pieces_are_joined_last():
    profiles = make_profiles(12, n_variables=1)
    pairs = np.array([(0, 1), (1, 2), (2, 3), (5, 4), (6, 5), (8, 9), (9, 10), (10, 11)])
    found, pieces, _ = find_tree(Block.of(profiles), pairs)
    assert pieces == 4
    assert is_valid_linkage(found)
    wanted = {frozenset(p) for p in ([0, 1, 2, 3], [4, 5, 6], [7], [8, 9, 10, 11])}
    assert partition(cut(found, 12, 4)) == wanted
    assert found[-1, 3] == 12


def test_the_square_of_a_height_is_twice_the_rise_of_the_inertia():
    profiles = make_profiles(50)
    found = find_tree(Block.of(profiles), lattice(5, 10))[0]

    def inertia(k):
        labels = cut(found, 50, k)
        own = [profiles[labels == c] for c in range(k)]
        return sum(((members - members.mean(axis=0)) ** 2).sum() for members in own)

    for k in (1, 4, 20):
        rise = inertia(k) - inertia(k + 1)
        np.testing.assert_allclose(found[-k, 2] ** 2 / 2, rise, rtol=1e-9)


def test_cuts_are_nested_and_numbered_by_their_first_profile():
    found = find_tree(Block.of(make_profiles(200)), lattice(10, 20))[0]
    finer = cut(found, 200, 12)
    for k in range(11, 0, -1):
        labels = cut(found, 200, k)
        assert np.unique(labels).tolist() == list(range(k))
        assert (np.diff(np.unique(labels, return_index=True)[1]) > 0).all()
        assert len({*zip(labels.tolist(), finer.tolist(), strict=True)}) == k + 1
        finer = labels


def test_small_clusters_are_merged_before_others():
    rng = np.random.default_rng(3)
    areas, pairs = rng.uniform(1.0, 3.0, 400), lattice(20, 20)
    profiles = make_profiles(400)
    found, _, most = find_tree(Block.of(profiles), pairs, areas=areas, min_area=25.0)
    size, parent = dict(enumerate(areas)), set(range(400))
    was_small = True
    for i, (one, other) in enumerate(found[:, :2].astype(int)):
        takes_small = min(size[one], size[other]) < 25.0
        assert was_small or not takes_small
        was_small = takes_small
        parent -= {one, other}
        parent.add(400 + i)
        size[400 + i] = size[one] + size[other]
        if not takes_small:
            assert min(size[c] for c in parent) >= 25.0
    assert not was_small
    assert np.bincount(cut(found, 400, most), areas).min() >= 25.0
    assert np.bincount(cut(found, 400, most + 1), areas).min() < 25.0


def test_float32_and_equal_profiles():
    profiles = np.zeros((30, 4, 1), "float32")
    found = find_tree(Block.of(profiles), lattice(5, 6))[0]
    np.testing.assert_array_equal(found[:, 2], 0.0)
    assert np.unique(cut(find_tree(Block.of(profiles))[0], 30, 4)).size == 4
