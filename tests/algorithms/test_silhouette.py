"""Silhouettes against scikit-learn and brute force."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score
from tslearn.metrics import cdist_dtw, cdist_soft_dtw_normalized

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.criteria import draw_evenly, silhouettes
from xvcluster.algorithms.metrics import get_metric


def make_profiles(n=300, dtype="float64"):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 6, 2)).cumsum(axis=1).astype(dtype)


def assigners_of(name, profiles, ks=(2, 3, 7)):
    return [Assigner(profiles[:k].astype(float), get_metric(name)) for k in ks]


def brute_force(distances, labels):
    """Mean of (b - a) / max(a, b), 0 for a member that is alone."""
    found = []
    for i, own in enumerate(labels):
        others = np.arange(len(labels)) != i
        alike = distances[i, others & (labels == own)]
        if not alike.size:
            found.append(0.0)
            continue
        apart = min(distances[i, labels == c].mean() for c in set(labels) - {own})
        found.append((apart - alike.mean()) / max(apart, alike.mean()))
    return np.mean(found)


def test_silhouettes_equal_scikit_learn_from_the_profiles():
    profiles = make_profiles()
    assigners = assigners_of("euclidean", profiles)
    found = silhouettes(profiles, assigners)
    assert len(found) == 3
    for value, assigner in zip(found, assigners, strict=True):
        labels = assigner(profiles).labels
        expected = silhouette_score(profiles.reshape(300, -1), labels)
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9)


def test_silhouettes_of_float32_are_measured_in_float64():
    profiles = make_profiles(dtype="float32")
    (assigner,) = assigners_of("euclidean", profiles, [4])
    labels = assigner(profiles).labels
    expected = silhouette_score(profiles.reshape(300, -1).astype(float), labels)
    np.testing.assert_allclose(silhouettes(profiles, [assigner]), [expected], rtol=0, atol=1e-9)


def test_silhouettes_under_dtw_equal_brute_force():
    profiles = make_profiles(150)
    assigners = assigners_of("dtw", profiles)
    distances = cdist_dtw(profiles, profiles)
    for value, assigner in zip(silhouettes(profiles, assigners), assigners, strict=True):
        expected = brute_force(distances, assigner(profiles).labels)
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-9)


def test_silhouettes_under_dtw_keep_to_the_window():
    profiles, metric = make_profiles(150), get_metric("dtw", 1, np.arange(6.0))
    band = {"global_constraint": "sakoe_chiba", "sakoe_chiba_radius": 1}
    assigner = Assigner(profiles[:4], metric)
    expected = brute_force(cdist_dtw(profiles, profiles, **band), assigner(profiles).labels)
    np.testing.assert_allclose(silhouettes(profiles, [assigner]), [expected], rtol=0, atol=1e-9)


def test_silhouettes_under_soft_dtw_are_of_the_divergences():
    profiles = make_profiles(40)
    (assigner,) = assigners_of("softdtw", profiles, [3])
    squared = np.maximum(cdist_soft_dtw_normalized(profiles, gamma=1.0), 0.0)
    np.fill_diagonal(squared, 0.0)
    expected = brute_force(np.sqrt(squared), assigner(profiles).labels)
    np.testing.assert_allclose(silhouettes(profiles, [assigner]), [expected], rtol=0, atol=1e-9)


def test_silhouettes_of_one_cluster_or_of_each_profile_in_its_own_are_none():
    profiles = make_profiles(5)
    found = silhouettes(profiles, assigners_of("euclidean", profiles, [1, 5, 2]))
    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2])


@pytest.mark.parametrize("size", [1, 2, 7, 300, 1000])
def test_draw_evenly_takes_different_profiles_from_end_to_end(size):
    drawn = draw_evenly(Block.of(np.zeros((300, 1, 1))), size)
    assert drawn.size == min(size, 300)
    step = 300 / drawn.size
    assert drawn[0] == int(step / 2)  # the middle of the first step, and of the last one
    assert drawn[-1] == int(300 - step / 2)
    steps = np.diff(drawn)
    assert np.all(steps > 0)
    assert not steps.size or np.ptp(steps) <= 1
