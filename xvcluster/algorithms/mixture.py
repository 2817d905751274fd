"""Gaussian mixtures: each profile belongs to each cluster with some probability."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from xvcluster.algorithms.assign import Assigner, Assignment
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import threads
from xvcluster.algorithms.metrics import get_metric
from xvcluster.arrays import Float64s, Floats, Indices

_RIDGE = 1e-6  # scikit-learn's default, relative to the greatest variance of a level


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Mixture(Assigner):
    """Assigns profiles to the most probable of several Gaussians in principal-component space.

    Attributes
    ----------
    axes : ndarray, shape (n_components, n_levels, n_variables)
        Orthonormal.
    weights : ndarray, shape (n_nodes,)
        Share of each Gaussian; its mean is its node.
    covariance : {"full", "tied", "diag", "spherical"}
    covariances : ndarray
        Covariances of the components, with shape (n_nodes, n_components, n_components),
        (n_components, n_components), (n_nodes, n_components) or (n_nodes,), respectively.
    """

    axes: Float64s
    weights: Float64s
    covariance: str
    covariances: Float64s

    @property
    def mean(self) -> Float64s:
        """Mean (n_levels, n_variables) of the mixture, which is also that of the profiles."""
        mean: Float64s = np.tensordot(self.weights, self.nodes, 1)
        return mean

    @property
    def means(self) -> Float64s:
        """Means (n_nodes, n_components) of the Gaussians, relative to that of the mixture."""
        return self._components(self.nodes - self.mean)

    def take(self, order: Indices) -> Mixture:
        """The same Gaussians in another order."""
        own = self.covariances if self.covariance == "tied" else self.covariances[order]
        return replace(self, nodes=self.nodes[order], weights=self.weights[order], covariances=own)

    def in_units(self, unit: float) -> Mixture:
        """The same Gaussians of values that are multiplied by a unit."""
        covariances = self.covariances * unit * unit
        return replace(self, nodes=self.nodes * unit, covariances=covariances)

    def posterior(self, profiles: Floats) -> Float64s:
        """Probability (n, n_nodes) that each profile belongs to each Gaussian."""
        components, means = self._components(profiles), self._components(self.nodes)
        logs = np.empty((len(profiles), len(means)))
        for c, whitening in enumerate(self._whitenings()):
            constant = np.log(self.weights[c]) + np.log(np.diagonal(whitening)).sum()
            logs[:, c] = constant - 0.5 * (((components - means[c]) @ whitening) ** 2).sum(axis=1)
        logs -= logs.max(axis=1, keepdims=True)
        probability: Float64s = np.exp(logs)
        probability /= probability.sum(axis=1, keepdims=True)
        return probability

    def __call__(self, block: Floats) -> Assignment:
        """Assign profiles (n, n_levels, n_variables); the margin is 1 − p₂/p₁."""
        probability, rows = self.posterior(block), np.arange(len(block))
        nearest = probability.argmax(axis=1).astype(np.int32)
        first = probability[rows, nearest]
        probability[rows, nearest] = 0.0
        margin = 1.0 - probability.max(axis=1) / first
        squared = ((block - self.nodes[nearest]) ** 2).sum(axis=(1, 2), dtype=np.float64)
        labels = nearest if self.groups is None else self.groups[nearest].astype(np.int32)
        return Assignment(labels, nearest, squared, margin)

    def _components(self, profiles: Floats) -> Float64s:
        """Principal components (n, n_components) of profiles (n, n_levels, n_variables)."""
        flat = profiles.reshape(len(profiles), -1).astype(np.float64)
        components: Float64s = flat @ self.axes.reshape(len(self.axes), -1).T
        return components

    def _whitenings(self) -> Float64s:
        """Matrices that make the components of each Gaussian independent, with unit variance."""
        k, n = len(self.nodes), len(self.axes)
        own = whiten(self.covariances, self.covariance)
        if self.covariance in {"full", "tied"}:
            return np.broadcast_to(own, (k, n, n))
        return np.broadcast_to(own.reshape(k, -1), (k, n))[:, :, None] * np.eye(n)


@dataclass(frozen=True, slots=True, eq=False)
class MixtureFit:
    """A fitted mixture, and how it was reached.

    Attributes
    ----------
    mixture : Mixture
    bic : float
        Bayesian information criterion of the profiles: the lower, the better.
    n_iter : int
    converged : bool
    """

    mixture: Mixture
    bic: float
    n_iter: int
    converged: bool


def whiten(covariances: Float64s, covariance: str) -> Float64s:
    """Cholesky factors of the inverse covariances, in the same shape; scikit-learn's precisions."""
    if covariance in {"full", "tied"}:
        return np.linalg.inv(np.linalg.cholesky(covariances)).swapaxes(-1, -2)
    return 1.0 / np.sqrt(covariances)


def fit_mixture(
    profiles: Block,
    ks: Sequence[int],
    *,
    covariance: str,
    variance_explained: float,
    n_init: int,
    max_iter: int,
    tol: float,
    seed: np.random.SeedSequence,
    report: Callable[[int], None] = lambda steps: None,
) -> dict[int, MixtureFit]:
    """Fit mixtures of every k Gaussians, by scikit-learn.

    Parameters
    ----------
    profiles : Block
        At least two, scaled, no NaN. Weights are whole numbers: how often each profile counts.
    ks : sequence of int
    covariance : {"full", "tied", "diag", "spherical"}
    variance_explained : float
        Share of the variance that the principal components retain.
    n_init, max_iter, tol
        Options of the expectation maximization, which starts from k-means.
    seed : SeedSequence
        That of an integer is passed on as scikit-learn's ``random_state``.
    report : callable
        Called with 1 after each fit.

    Returns
    -------
    dict of int to MixtureFit

    References
    ----------
    Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). Maximum likelihood from incomplete data via
    the EM algorithm. J. R. Stat. Soc. B 39, 1–38. https://doi.org/10.1111/j.2517-6161.1977.tb01600.x
    """
    from sklearn.exceptions import ConvergenceWarning

    shape = profiles.values.shape[1:]
    flat = profiles.values.reshape(len(profiles), -1).astype(np.float64)
    if np.any(profiles.weights != 1.0):
        flat = np.repeat(flat, profiles.weights.astype(np.int64), axis=0)
    greatest = float(flat.var(axis=0).max())
    with threads() as map_fits, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the caller knows from `converged`
        components, axes, mean = _find_components(flat, variance_explained, greatest)
        fit_one = partial(
            _fit_one,
            components=components,
            covariance_type=covariance,
            reg_covar=_RIDGE * (greatest or 1.0),
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            random_state=_as_integer(seed),
            report=report,
        )
        models = list(map_fits(fit_one, ks))
    fits = {}
    for k, (model, bic) in zip(ks, models, strict=True):
        mixture = Mixture(
            (mean + model.means_ @ axes).reshape(-1, *shape),
            get_metric("euclidean"),
            axes=axes.reshape(-1, *shape),
            weights=model.weights_,
            covariance=covariance,
            covariances=model.covariances_,
        )
        fits[k] = MixtureFit(mixture, bic, int(model.n_iter_), bool(model.converged_))
    return fits


def _find_components(
    flat: Float64s, share: float, greatest: float
) -> tuple[Float64s, Float64s, Float64s]:
    """Principal components that retain this share of the variance, their axes, and the mean."""
    from sklearn.decomposition import PCA

    wanted: float | int | None = None if share == 1.0 else share
    pca = PCA(wanted if greatest > 0 else 1, svd_solver="full")
    with np.errstate(invalid="ignore"):  # the shares of a variance of 0
        components: Float64s = pca.fit_transform(flat)
    return components, pca.components_, pca.mean_


def _fit_one(
    k: int, components: Float64s, report: Callable[[int], None], **options: Any
) -> tuple[Any, float]:
    """Fit a model of scikit-learn and find its BIC, both the same on any number of cores."""
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "openmp"):
        model = GaussianMixture(k, **options).fit(components)
        bic = float(model.bic(components))
    report(1)
    return model, bic


def _as_integer(seed: np.random.SeedSequence) -> int:
    """Turn a seed into an integer for scikit-learn: the user's own if possible."""
    if isinstance(seed.entropy, int) and seed.entropy < 2**32 and not seed.spawn_key:
        return seed.entropy
    return int(seed.generate_state(1)[0])


def to_pipeline(mixture: Mixture, k: int, n_iter: int, **options: Any) -> Any:
    """Build the PCA and the Gaussian mixture of scikit-learn, one after the other.

    Parameters
    ----------
    mixture : Mixture
        Of k clusters, of which it may lack some.
    k : int
    n_iter : int
        Steps that the fit took.
    **options
        Of scikit-learn's ``GaussianMixture``.

    Returns
    -------
    sklearn.pipeline.Pipeline
    """
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture
    from sklearn.pipeline import make_pipeline

    n_components = len(mixture.axes)
    exist = np.arange(k) if mixture.groups is None else mixture.groups
    pca = PCA(n_components, svd_solver="full")
    pca.components_, pca.mean_ = mixture.axes.reshape(n_components, -1), mixture.mean.ravel()
    pca.n_components_, pca.n_features_in_ = pca.components_.shape
    model = GaussianMixture(k, covariance_type=mixture.covariance, **options)
    # clusters that the mixture lacks have no weight, and are too far away for any profile
    model.weights_ = np.full(k, np.finfo(np.float64).tiny)
    model.weights_[exist] = mixture.weights
    model.means_ = np.full((k, n_components), 1e9 * (1.0 + np.abs(mixture.means).max()))
    model.means_[exist] = mixture.means
    model.covariances_ = mixture.covariances
    if mixture.covariance != "tied":
        one = np.eye(n_components) if mixture.covariance == "full" else 1.0
        model.covariances_ = np.ones((k, *mixture.covariances.shape[1:])) * one
        model.covariances_[exist] = mixture.covariances
    model.precisions_cholesky_ = whiten(model.covariances_, mixture.covariance)
    model.n_features_in_, model.n_iter_ = n_components, n_iter
    return make_pipeline(pca, model)
