"""Gaussian mixtures of arrays, against scikit-learn."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from xvcluster.algorithms.assign import assign
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.expectation import fit_mixture
from xvcluster.algorithms.mixture import whiten

KINDS = ["full", "tied", "diag", "spherical"]
OPTIONS = {"variance_explained": 0.99, "n_init": 1, "max_iter": 300, "tol": 1e-3}


def make_profiles(n=400):
    """Profiles (n, 6, 2) in three overlapping groups."""
    rng = np.random.default_rng(0)
    shift = np.arange(n)[:, None, None] % 3
    return 0.6 * rng.normal(size=(n, 6, 2)).cumsum(axis=1) + shift * np.linspace(1, 2, 6)[:, None]


def fit(profiles, ks, seed=0, weights=None, **options):
    options = {"covariance": "full", **OPTIONS, **options}
    block = Block.of(profiles, weights)
    return fit_mixture(block, ks, seed=np.random.SeedSequence(seed), **options)


def fit_theirs(profiles, k, covariance="full", share=0.99, seed=0):
    """Components by scikit-learn, of one variable after the other, and the mixture of these."""
    ridge = 1e-6 * profiles.var(axis=0).max()
    pcas = [PCA(share, svd_solver="full") for _ in range(profiles.shape[2])]
    options = {"max_iter": 300, "tol": 1e-3, "reg_covar": ridge, "random_state": seed}
    pairs = zip(pcas, np.moveaxis(profiles, 2, 0), strict=True)
    components = np.concatenate([pca.fit_transform(own) for pca, own in pairs], axis=1)
    return (
        components,
        pcas,
        GaussianMixture(k, covariance_type=covariance, **options).fit(components),
    )


@pytest.mark.parametrize("covariance", KINDS)
def test_fit_mixture_equals_scikit_learn(covariance):
    profiles = make_profiles()
    found = fit(profiles, [4], seed=5, covariance=covariance)[4]
    components, pcas, model = fit_theirs(profiles, 4, covariance, seed=5)
    expected = model.predict_proba(components)
    np.testing.assert_allclose(found.mixture.posterior(profiles), expected, atol=1e-9)
    np.testing.assert_allclose(found.bic, model.bic(components), rtol=1e-12)
    assert (found.n_iter, found.converged) == (model.n_iter_, True)
    first = pcas[0].n_components_
    parts = zip(pcas, (model.means_[:, :first], model.means_[:, first:]), strict=True)
    nodes = np.stack([pca.inverse_transform(means) for pca, means in parts], axis=-1)
    np.testing.assert_allclose(found.mixture.nodes, nodes, atol=1e-12)
    np.testing.assert_allclose(found.mixture.mean.T, [pca.mean_ for pca in pcas], atol=1e-9)
    np.testing.assert_allclose(found.mixture.means, model.means_, atol=1e-9)


@pytest.mark.parametrize("covariance", KINDS)
def test_whiten_equals_the_precisions_of_scikit_learn(covariance):
    model = fit_theirs(make_profiles(), 3, covariance)[2]
    found = whiten(model.covariances_, covariance)
    np.testing.assert_allclose(found, model.precisions_cholesky_, rtol=1e-9, atol=1e-9)


def test_fit_mixture_of_several_k_equals_each_alone():
    profiles = make_profiles()
    together = fit(profiles, [2, 3, 5])
    for k, found in together.items():
        alone = fit(profiles, [k])[k]
        assert found.bic == alone.bic
        np.testing.assert_array_equal(found.mixture.nodes, alone.mixture.nodes)


def test_mixture_assigns_to_the_most_probable():
    profiles = make_profiles()
    mixture = fit(profiles, [4])[4].mixture
    posterior = mixture.posterior(profiles)
    np.testing.assert_allclose(posterior.sum(axis=1), 1.0, rtol=1e-12)
    found = assign(profiles, mixture)
    np.testing.assert_array_equal(found.labels, posterior.argmax(axis=1))
    np.testing.assert_array_equal(found.nearest, found.labels)
    second, first = np.sort(posterior, axis=1)[:, -2:].T
    np.testing.assert_allclose(found.margin, 1 - second / first, atol=1e-12)
    squared = ((profiles - mixture.nodes[found.labels]) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(found.squared, squared)


def test_mixture_of_one_gaussian_is_certain():
    profiles = make_profiles()
    found = fit(profiles, [1])[1].mixture(profiles)
    assert set(found.labels) == {0}
    assert np.all(found.margin == 1.0)


@pytest.mark.parametrize("covariance", KINDS)
def test_take_reorders_all_that_belongs_to_a_gaussian(covariance):
    profiles = make_profiles()
    mixture = fit(profiles, [4], covariance=covariance)[4].mixture
    order = np.array([2, 0, 3, 1])
    expected = mixture.posterior(profiles)[:, order]
    np.testing.assert_allclose(mixture.take(order).posterior(profiles), expected, atol=1e-12)


def test_fit_mixture_takes_weights_for_how_often_a_profile_counts():
    profiles = make_profiles(90)
    weights = np.random.default_rng(1).integers(0, 4, 90)
    repeated = fit(np.repeat(profiles, weights, axis=0), [3])[3].mixture
    found = fit(profiles, [3], weights=weights.astype(float))[3].mixture
    np.testing.assert_allclose(found.nodes, repeated.nodes, rtol=1e-9)


def test_fit_mixture_does_not_depend_on_the_units():
    profiles = make_profiles()
    expected = fit(profiles, [4])[4].mixture.posterior(profiles)
    tiny = 1e-6 * profiles
    np.testing.assert_allclose(fit(tiny, [4])[4].mixture.posterior(tiny), expected, atol=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_fit_mixture_keeps_the_share_of_the_variance(share):
    profiles = make_profiles()
    pcas = [PCA(svd_solver="full").fit(profiles[:, :, v]) for v in range(2)]
    ratios = [np.cumsum(pca.explained_variance_ratio_) for pca in pcas]
    wanted = sum(np.searchsorted(ratio, share) + 1 for ratio in ratios)
    mixture = fit(profiles, [2], variance_explained=share)[2].mixture
    assert len(mixture.axes) == (12 if share == 1.0 else wanted)


def test_fit_mixture_of_constant_profiles_is_one_gaussian():
    found = fit(np.ones((10, 3, 1)), [1])[1]
    np.testing.assert_array_equal(found.mixture.nodes, 1.0)
    assert np.all(found.mixture.posterior(np.ones((10, 3, 1))) == 1.0)


def test_fit_mixture_tells_what_has_not_converged():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit(make_profiles(), [4], max_iter=1)[4]
    assert (found.converged, found.n_iter) == (False, 1)


def test_fit_mixture_takes_any_seed():
    seed = np.random.SeedSequence(3)
    for other in (np.random.SeedSequence(2**70), seed.spawn(1)[0]):
        options = {"covariance": "full", **OPTIONS}
        profiles = Block.of(make_profiles())
        first, again = (fit_mixture(profiles, [3], seed=other, **options)[3] for _ in range(2))
        assert first.bic == again.bic


def test_fit_mixture_reports_every_fit():
    steps = []
    fit(make_profiles(60), [1, 2, 3], report=steps.append)
    assert steps == [1, 1, 1]


def test_mixture_goes_to_other_processes():
    profiles = make_profiles(60)
    mixture = fit(profiles, [2])[2].mixture
    again = pickle.loads(pickle.dumps(mixture))
    np.testing.assert_array_equal(again.posterior(profiles), mixture.posterior(profiles))
