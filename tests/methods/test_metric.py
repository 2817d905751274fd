"""What the metrics sum over a block, against brute force."""

import numpy as np
import pytest
from tslearn.metrics import cdist_dtw, dtw_path

from xvcluster.methods import METRICS
from xvcluster.methods.metric import Euclidean


def make_block():
    rng = np.random.default_rng(0)
    block = rng.normal(size=(37, 5, 2)).cumsum(axis=1)
    return block, [rng.normal(size=(k, 5, 2)).cumsum(axis=1) for k in (3, 1, 4)]


def distances(name, block, centroids):
    if name == "dtw":
        return cdist_dtw(block, centroids) ** 2
    return ((block[:, None] - centroids) ** 2).sum(axis=(2, 3))


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
def test_squared_distances_equal_brute_force(name):
    block, centroids = make_block()
    found = METRICS[name].squared_distances(block, centroids[0])
    np.testing.assert_allclose(found, distances(name, block, centroids[0]), rtol=1e-9)
    assert found.dtype == np.float64


@pytest.mark.parametrize("name", ["euclidean", "dtw"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accumulate_sums_the_members_of_every_run(name, dtype):
    block, centroids = make_block()
    partial, _ = METRICS[name].accumulate(block.astype(dtype), centroids)
    first = 0
    for r, own in enumerate(centroids):
        squared = distances(name, block, own)
        labels, part = squared.argmin(axis=1), slice(first, first + len(own))
        counts = np.bincount(labels, minlength=len(own))
        np.testing.assert_array_equal(partial.counts[part], counts)
        within = [squared[labels == j, j].sum() for j in range(len(own))]
        np.testing.assert_allclose(partial.inertia[part], within, rtol=1e-4)
        np.testing.assert_allclose(partial.farthest_distance[r], squared.min(axis=1).max(), 1e-4)
        farthest = block[squared.min(axis=1).argmax()]
        np.testing.assert_allclose(partial.farthest[r], farthest, rtol=1e-6)
        sums, mass = paired(name, block, own, labels)
        np.testing.assert_array_equal(partial.mass[part], mass)
        np.testing.assert_allclose(partial.sums[part], sums, rtol=1e-4, atol=1e-4)
        first += len(own)


def paired(name, block, centroids, labels):
    """Sums and numbers of the levels that are paired with each centroid's levels."""
    sums, mass = np.zeros(centroids.shape), np.zeros(centroids.shape[:2])
    for x, label in zip(block, labels, strict=True):
        straight = [(i, i) for i in range(len(x))]
        path = dtw_path(x, centroids[label])[0] if name == "dtw" else straight
        for i, j in path:
            sums[label, j] += x[i]
            mass[label, j] += 1
    return sums, mass


def test_accumulate_of_two_blocks_adds_to_that_of_both():
    block, centroids = make_block()
    for name in ("euclidean", "dtw"):
        metric = METRICS[name]
        whole, _ = metric.accumulate(block, centroids)
        for halves in ([block[:20], block[20:]], [block[20:], block[:20]]):
            total, second = (metric.accumulate(half, centroids)[0] for half in halves)
            total.add(second)
            for field in ("sums", "mass", "counts", "inertia", "farthest", "farthest_distance"):
                expected = getattr(whole, field)
                np.testing.assert_allclose(getattr(total, field), expected, rtol=1e-9)


def test_refine_rests_what_is_labelled_minus_one():
    block, centroids = make_block()
    labels = np.full(len(block), -1, dtype="int32")
    labels[3] = 2
    sums, mass, inertia = METRICS["dtw"].refine(block, centroids[0], labels)
    assert np.flatnonzero(mass.sum(axis=1)).tolist() == [2]
    assert np.flatnonzero(inertia).tolist() == [2]
    assert np.all(sums[:2] == 0)


def test_refine_is_not_for_euclidean():
    with pytest.raises(NotImplementedError):
        Euclidean().refine(None, None, None)
