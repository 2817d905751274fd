"""Gaussian mixtures: each profile belongs to each cluster with some probability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xvcluster.algorithms.assign import Assigner, Assignment
from xvcluster.arrays import Float64s, Floats, Indices, Labels


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

    @property
    def n_parameters(self) -> int:
        """Number of free parameters, which the Bayesian information criterion penalizes."""
        k, n = len(self.nodes), len(self.axes)
        spread = {"full": k * n * (n + 1) // 2, "tied": n * (n + 1) // 2, "diag": k * n}
        return spread.get(self.covariance, k) + k * n + k - 1

    def posterior(self, profiles: Floats) -> Float64s:
        """Probability (n, n_nodes) that each profile belongs to each Gaussian."""
        return normalize(self._log_densities(profiles))[0]

    def log_likelihood(self, profiles: Floats) -> Float64s:
        """Logarithm (n,) of the density of the mixture, in the space of the components."""
        return normalize(self._log_densities(profiles))[1]

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

    def label(self, block: Floats) -> Labels:
        """The clusters (n,) alone of profiles (n, n_levels, n_variables)."""
        return self(block).labels

    def _log_densities(self, profiles: Floats) -> Float64s:
        """Logarithms (n, n_nodes) of the weighted densities of profiles."""
        components, means = self._components(profiles), self._components(self.nodes)
        return log_densities(components, self.weights, means, self._whitenings())

    def _components(self, profiles: Floats) -> Float64s:
        """Principal components (n, n_components) of profiles (n, n_levels, n_variables)."""
        flat = profiles.reshape(len(profiles), -1).astype(np.float64)
        components: Float64s = flat @ self.axes.reshape(len(self.axes), -1).T
        return components

    def _whitenings(self) -> Float64s:
        return whitenings(self.covariances, self.covariance, len(self.nodes), len(self.axes))


def whiten(covariances: Float64s, covariance: str) -> Float64s:
    """Cholesky factors of the inverse covariances, in the same shape; scikit-learn's precisions."""
    if covariance in {"full", "tied"}:
        return np.linalg.inv(np.linalg.cholesky(covariances)).swapaxes(-1, -2)
    return 1.0 / np.sqrt(covariances)


def whitenings(covariances: Float64s, covariance: str, k: int, n: int) -> Float64s:
    """Matrices (k, n, n) that make n components of each Gaussian independent, of variance 1."""
    own = whiten(covariances, covariance)
    if covariance in {"full", "tied"}:
        return np.broadcast_to(own, (k, n, n))
    return np.broadcast_to(own.reshape(k, -1), (k, n))[:, :, None] * np.eye(n)


def log_densities(
    points: Floats, weights: Float64s, means: Float64s, whitenings: Float64s
) -> Float64s:
    """Logarithm (n, k) of each Gaussian's density times its weight, at points (n, n_components)."""
    logs = np.empty((len(points), len(means)))
    constant = -0.5 * points.shape[1] * np.log(2 * np.pi)
    for c, whitening in enumerate(whitenings):
        white = points @ whitening
        white -= means[c] @ whitening
        logs[:, c] = -0.5 * np.einsum("ij,ij->i", white, white)
        logs[:, c] += constant + np.log(weights[c]) + np.log(np.diagonal(whitening)).sum()
    return logs


def normalize(logs: Float64s) -> tuple[Float64s, Float64s]:
    """Probabilities (n, k) from logarithms of weighted densities, and the log-likelihood (n,)."""
    most = logs.max(axis=1, keepdims=True)
    probability: Float64s = np.exp(logs - most)
    total = probability.sum(axis=1, keepdims=True)
    probability /= total
    return probability, (most + np.log(total))[:, 0]


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
