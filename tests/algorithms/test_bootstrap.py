"""Agreement of clusterings of bootstrap samples."""

from itertools import combinations, permutations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.bootstrap import mean_agreement, partners, refits, share_agreeing
from xvcluster.algorithms.metrics import get_metric

EUCLIDEAN = get_metric("euclidean")


def test_refits_draw_whole_tiles_with_their_weights():
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 12, 200)
    tiles[:12] = np.arange(12)
    values = np.arange(200.0).reshape(-1, 1, 1)
    weights = rng.uniform(0.5, 2.0, 200)
    samples = refits(
        Block(values, weights),
        tiles,
        lambda samples, seeds: [sample.profiles for sample in samples],
        metric=EUCLIDEAN,
        n=50,
        seed=np.random.SeedSequence(1),
    )
    assert len(samples) == 50
    drawn = np.zeros((50, 12))
    for sample, times in zip(samples, drawn, strict=True):
        rows = sample.values.ravel().astype(int)
        ratio = sample.weights / weights[rows]
        np.testing.assert_allclose(ratio, np.round(ratio), atol=1e-12)
        times[tiles[rows]] = ratio  # one for all of a tile, or the next would not hold
        np.testing.assert_allclose(ratio, times[tiles[rows]], atol=1e-12)
        assert rows.size == np.isin(tiles, np.flatnonzero(times)).sum()
        assert times.sum() == pytest.approx(12)
    np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=0.5)
    assert len({tuple(times) for times in drawn}) == 50


def test_refits_stand_a_sample_in_which_no_profile_of_the_gist_counts():
    tiles = np.zeros(40_000, np.intp)
    tiles[[1, 3]] = 1, 2
    samples = refits(
        Block.of(np.random.default_rng(0).normal(size=(40_000, 3, 1)).astype("float32")),
        tiles,
        lambda samples, seeds: samples,
        metric=EUCLIDEAN,
        n=20,
        seed=np.random.SeedSequence(0),
    )
    small = [sample for sample in samples if len(sample.profiles) < 10]
    assert small
    assert all(sample.gist is None for sample in small)


def test_refits_report_each():
    told = []
    refits(
        Block.of(np.zeros((4, 1, 1))),
        np.arange(4),
        lambda samples, seeds: seeds,
        metric=EUCLIDEAN,
        n=3,
        seed=np.random.SeedSequence(0),
        report=told.append,
    )
    assert told == [1, 1, 1]


def test_mean_agreement_is_that_of_all_pairs():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 3, 100)
    labellings = [np.where(rng.random(100) < 0.2, rng.integers(0, 3, 100), first) for _ in range(5)]
    mean, error = mean_agreement(labellings)
    pairs = [adjusted_rand_score(a, b) for a, b in combinations(labellings, 2)]
    assert mean == pytest.approx(np.mean(pairs), rel=1e-12)
    assert 0 < error < 0.2
    assert mean_agreement([first, first, first]) == (1.0, 0.0)


def test_partners_have_the_greatest_overlap():
    rng = np.random.default_rng(3)
    own, labels = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    weights = rng.uniform(0.1, 3.0, 200)
    partner = partners(labels, own, weights, 4)
    found = weights[partner[labels] == own].sum()
    best = max(weights[np.array(p)[labels] == own].sum() for p in permutations(range(4)))
    assert found == pytest.approx(best, rel=1e-12)


def test_partners_of_more_clusters_leave_some_without():
    own, labels = np.array([0, 0, 1, 1]), np.array([2, 2, 0, 1])
    partner = partners(labels, own, np.array([1.0, 1.0, 5.0, 1.0]), 2)
    np.testing.assert_array_equal(partner, [1, -1, 0])


def test_share_agreeing_counts_refits_that_give_the_same_cluster():
    profiles = np.array([0.0, 1.0, 2.0, 3.0]).reshape(-1, 1, 1)

    def between(*at):
        return Assigner(np.array(at, dtype=float).reshape(-1, 1, 1), EUCLIDEAN)

    own = between(0.0, 3.0)  # cut at 1.5
    as_own, cut_early = np.array([0, 1]), between(0.0, 1.8)
    turned = between(3.0, 0.0)
    others = [(own, as_own), (cut_early, as_own), (turned, np.array([1, 0]))]
    np.testing.assert_allclose(share_agreeing(profiles, own, others), [1, 2 / 3, 1, 1])
