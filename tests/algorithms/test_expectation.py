"""Expectation maximization against scikit-learn and against repetition, and its starts."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from xvcluster.algorithms.assign import assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.expectation import fit_mixture

KINDS = ["full", "tied", "diag", "spherical"]


def make_profiles(n=300, apart=1.0):
    """Profiles (n, 5, 2) in three groups."""
    rng = np.random.default_rng(0)
    shift = np.arange(n)[:, None, None] % 3
    slope = np.linspace(1, 2, 5)[:, None]
    return 0.6 * rng.normal(size=(n, 5, 2)).cumsum(axis=1) + apart * shift * slope


def fit(profiles, k, seed=0, weights=None, **options):
    usual = {"covariance": "full", "n_components": 15, "n_init": "auto", "max_iter": 500}
    block = Block.of(profiles, weights)
    options = usual | {"tol": 1e-8} | options
    return fit_mixture(block, [k], seed=np.random.SeedSequence(seed), **options)[k]


def components_of(profiles, mixture):
    """The components of profiles about their mean."""
    flat = (profiles - profiles.mean(axis=0)).reshape(len(profiles), -1)
    return flat @ mixture.axes.reshape(len(mixture.axes), -1).T


@pytest.mark.parametrize("covariance", KINDS)
def test_the_most_likely_of_several_starts_is_that_of_scikit_learn(covariance):
    profiles = make_profiles()
    options = {"covariance": covariance, "n_init": 5, "seed": 7, "tol": 1e-4}
    found = fit(profiles, 5, **options).mixture
    components = components_of(profiles, found)
    model = GaussianMixture(
        5, covariance_type=covariance, n_init=5, tol=1e-4, max_iter=500, random_state=7,
        reg_covar=1e-6 * profiles.var(axis=0).max(),
    ).fit(components)  # fmt: skip
    expected = model.score_samples(components)
    np.testing.assert_allclose(found.log_likelihood(profiles), expected, rtol=1e-6)
    assert found.n_parameters == model._n_parameters()


@pytest.mark.parametrize("covariance", KINDS)
@pytest.mark.parametrize("n_init", ["auto", 1])
def test_weights_count_as_repetition(covariance, n_init):
    profiles = make_profiles(90, apart=9.0)
    weights = np.random.default_rng(1).integers(0, 4, 90)
    options = {"covariance": covariance, "n_init": n_init}
    repeated = fit(np.repeat(profiles, weights, axis=0), 3, **options)
    found = fit(profiles, 3, weights=weights.astype(float), **options)
    np.testing.assert_allclose(found.bic, repeated.bic, rtol=1e-9)
    one, other = found.mixture, repeated.mixture
    order, wanted = (np.argsort(m.nodes[:, 0, 0]) for m in (one, other))
    np.testing.assert_allclose(one.nodes[order], other.nodes[wanted], atol=1e-9)
    np.testing.assert_allclose(one.weights[order], other.weights[wanted], atol=1e-9)
    if covariance != "tied":
        spreads = one.covariances[order], other.covariances[wanted]
        np.testing.assert_allclose(*spreads, atol=1e-9)


def test_the_unit_of_weights_changes_no_mixture():
    profiles, weights = make_profiles(90), np.random.default_rng(1).uniform(0.5, 2.0, 90)
    found, expected = (fit(profiles, 3, weights=w).mixture for w in (weights, 4.0 * weights))
    np.testing.assert_allclose(found.nodes, expected.nodes, atol=1e-9)


def test_every_seed_starts_from_the_best_clustering():
    rng = np.random.default_rng(3)
    centers = rng.normal(scale=4.0, size=(9, 4, 1))
    profiles = centers[np.arange(900) % 9] + rng.normal(size=(900, 4, 1))
    labels = [
        [assign(profiles, fit(profiles, 9, seed, n_init=n).mixture).labels for seed in range(4)]
        for n in ("auto", 1)
    ]
    best, single = (min(adjusted_rand_score(own[0], other) for other in own[1:]) for own in labels)
    assert best > 0.999
    assert single < 0.9  # or this test tells nothing


@pytest.mark.parametrize("n_init", [1, 2, 30])
def test_a_rival_is_what_few_starts_do_not_rule_out(n_init):
    profiles = np.random.default_rng(0).normal(size=(60, 4, 1)).cumsum(axis=1)
    found = fit(profiles, 4, seed=1, n_init=n_init)
    if n_init == 1:
        assert found.rival is None
    else:
        kept, other = found.rival.likelihoods
        assert kept > other
        assert found.rival.agreement < 0.95


def test_clear_groups_have_no_rival():
    profiles = make_profiles(apart=9.0)
    assert fit(profiles, 3).rival is None
    assert fit(profiles, 3, n_init=10).rival is None
