"""Training of self-organizing maps."""

import numpy as np
from minisom import MiniSom

from xvcluster.methods.som import train


def make_profiles(n=50):
    return np.random.default_rng(0).normal(size=(n, 4, 2))


def fit(profiles, shape, seed=0, **options):
    options = {"n_iterations": 200, "sigma": 0.5, "learning_rate": 0.2} | options
    return train(profiles, shape, seed=np.random.SeedSequence(seed), **options)


def test_train_equals_minisom_from_the_weights_and_order_it_drew():
    profiles = make_profiles()
    X = profiles.reshape(50, -1)
    rng = np.random.default_rng(np.random.SeedSequence(7))
    first = X[rng.integers(50, size=12)].reshape(3, 4, -1)
    order = np.concatenate([rng.permutation(50) for _ in range(5)])[:230]
    theirs = MiniSom(3, 4, 8, sigma=0.5, learning_rate=0.2)
    theirs._weights = first.copy()
    theirs.train(X[order], 230)
    ours = fit(profiles, (3, 4), seed=7, n_iterations=230)
    np.testing.assert_allclose(ours, theirs.get_weights().reshape(12, 4, 2), atol=1e-10)


def test_train_gives_a_codebook_in_the_shape_of_profiles():
    assert fit(make_profiles(), (2, 3)).shape == (6, 4, 2)


def test_train_gives_the_same_map_from_the_same_seed_only():
    profiles = make_profiles()
    np.testing.assert_array_equal(fit(profiles, (3, 3)), fit(profiles, (3, 3)))
    assert np.any(fit(profiles, (3, 3)) != fit(profiles, (3, 3), seed=1))


def test_train_reports_all_its_steps():
    done = []
    fit(make_profiles(), (2, 2), n_iterations=1234, report=done.append)
    assert sum(done) == 1234
    assert len(done) <= 100


def test_train_never_changes_the_profiles():
    profiles = make_profiles()
    before = profiles.copy()
    fit(profiles, (3, 3))
    np.testing.assert_array_equal(profiles, before)
