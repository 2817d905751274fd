"""Expectation maximization: Gaussians that make the principal components of profiles likely.

Every step passes over the profiles once: it finds how likely they are, and the sums that the next
Gaussians follow from. Sums of blocks are added in a fixed order, so that a seed gives the same
mixture on any number of cores. Formulas and convergence are those of scikit-learn, with weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from xvcluster.algorithms.assign import Assigner, assign
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.bootstrap import adjusted_rand
from xvcluster.algorithms.lloyd import BLOCK_ROWS, one_blas_thread, threads
from xvcluster.algorithms.metrics import get_metric
from xvcluster.algorithms.mixture import Mixture, log_densities, normalize, whitenings
from xvcluster.algorithms.restarts import best_runs_of_samples
from xvcluster.arrays import Float64s, Floats, Labels

_RIDGE = 1e-6  # scikit-learn's default, relative to the greatest variance of a level
_FEW = 10 * np.finfo(np.float64).eps  # as scikit-learn adds to the weight of each Gaussian
_NEGLIGIBLE = 1e-16
_SEARCHES, _RESTARTS, _PASSES = 4, 10, 1000
_AS_GOOD = 1.005  # ratio of the inertia up to which k-means clusterings are equally good starts
_SAME_MAP = 0.95  # adjusted Rand index
_SURE = 3  # as many starts that end alike are found by 95 of 100 seeds


@dataclass(frozen=True, slots=True, eq=False)
class Rival:
    """Another mixture, which another seed may find, with another map.

    Attributes
    ----------
    agreement : float
        Adjusted Rand index of both maps.
    likelihoods : (float, float)
        Mean log-likelihood of a profile, by the mixture that was kept and by this one.
    """

    agreement: float
    likelihoods: tuple[float, float]


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
    rival : Rival, optional
    """

    mixture: Mixture
    bic: float
    n_iter: int
    converged: bool
    rival: Rival | None


def fit_mixture(
    profiles: Block,
    ks: Sequence[int],
    *,
    covariance: str,
    n_components: int | None = None,
    variance_explained: float | None = None,
    n_init: int | Literal["auto"],
    max_iter: int,
    tol: float,
    seed: np.random.SeedSequence,
    searches: int = _SEARCHES,
    report: Callable[[int], None] = lambda steps: None,
) -> dict[int, MixtureFit]:
    """Fit mixtures of every k Gaussians.

    Parameters
    ----------
    profiles : Block
        At least two, scaled, no NaN.
    ks : sequence of int
    covariance : {"full", "tied", "diag", "spherical"}
    n_components, variance_explained
        Number of principal components of each variable, or the share of its variance in them.
    n_init : int or "auto"
        Number of starts from single runs of k-means; or one start from the best that is found.
    max_iter, tol
        Limit of the steps, and the gain in the mean log-likelihood below which they end.
    seed : SeedSequence
        That of an integer serves as scikit-learn's ``random_state``.
    searches : int
        How often the best clustering is searched, which tells whether it is always the same.
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
    profiles = profiles.counted()
    with one_blas_thread():
        points, axes, mean = _find_components(profiles, n_components, variance_explained)
    block, number = Block(points, profiles.weights), _as_integer(seed)
    ridge = _RIDGE * (float(profiles.moments()[1].max()) or 1.0)
    climb = partial(_climb, covariance=covariance, ridge=ridge, max_iter=max_iter, tol=tol)
    weight = float(profiles.weights.sum())
    fits = {}
    for k in ks:
        with one_blas_thread():
            if n_init == "auto":
                starts = _best_clusterings(block, k, searches, number)
            else:
                starts = _single_runs(block, k, n_init, number)
            best, rival = _compare([climb(block, start, k) for start in starts])
        mixture = Mixture(
            mean + np.tensordot(best.means, axes, 1),
            get_metric("euclidean"),
            axes=axes,
            weights=best.weights,
            covariance=covariance,
            covariances=best.covariances,
        )
        bic = -2.0 * best.likelihood * weight + mixture.n_parameters * np.log(weight)
        fits[k] = MixtureFit(mixture, float(bic), best.n_iter, best.converged, rival)
        report(1)
    return fits


def _find_components(
    profiles: Block, n_components: int | None, share: float | None
) -> tuple[Float64s, Float64s, Float64s]:
    """Principal components of each variable in turn, their axes, and the mean.

    Returns
    -------
    (ndarray, ndarray, ndarray)
        With shapes (n, n_all), (n_all, n_levels, n_variables) and (n_levels, n_variables).
    """
    mean, points, axes = profiles.mean(), [], []
    roots = np.sqrt(profiles.weights / profiles.weights.sum())[:, None]
    for v in range(mean.shape[1]):
        apart = profiles.values[:, :, v].astype(np.float64) - mean[:, v]
        _, spread, found = np.linalg.svd(np.linalg.qr(roots * apart, mode="r"), full_matrices=False)
        own = found[: _how_many(spread**2, n_components, share)]
        own = own * np.sign(own[np.arange(len(own)), np.abs(own).argmax(axis=1)])[:, None]
        points.append(apart @ own.T)
        axes.append(np.zeros((len(own), *mean.shape)))
        axes[-1][:, :, v] = own
    return np.concatenate(points, axis=1), np.concatenate(axes), mean


def _how_many(variances: Float64s, n_components: int | None, share: float | None) -> int:
    """How many of the principal components with these variances to keep."""
    if not variances[0] > 0.0:
        return 1
    if share is not None:
        explained = np.cumsum(variances) / variances.sum()
        n_components = int(np.searchsorted(explained, share, side="right")) + 1
    return min(n_components or len(variances), len(variances))


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """A clustering by k-means, and how many runs ended there."""

    labels: Labels
    times: int = 1


def _single_runs(block: Block, k: int, n: int, number: int) -> list[_Start]:
    """The ends of n single runs of k-means that differ: the starts of scikit-learn."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    random, found = np.random.RandomState(number), list[_Start]()
    with threadpool_limits(1, "openmp"):  # the same on any number of cores
        for _ in range(n):
            model = KMeans(k, n_init=1, random_state=random)
            labels = model.fit(block.values, sample_weight=block.weights).labels_
            same = [start for start in found if _agreement(start.labels, labels) == 1.0]
            if same:
                found[found.index(same[0])] = replace(same[0], times=same[0].times + 1)
            else:
                found.append(_Start(labels))
    return found


def _best_clusterings(block: Block, k: int, n: int, number: int) -> list[_Start]:
    """The best of n searches for the best k-means clustering, and one as good that differs."""
    points, metric = Block(block.values[:, :, None], block.weights), get_metric("euclidean")
    runs = best_runs_of_samples(
        [Sample(points)] * n,
        [k],
        metric,
        n_init=_RESTARTS,
        max_iter=_PASSES,
        tol=0.0,
        seeds=np.random.SeedSequence(number).spawn(n),
    )
    found = []
    for run in runs:
        assigned = assign(points.values, Assigner(run[k].centroids, metric))
        found.append((float(points.weights @ assigned.squared), assigned.labels))
    least, best = min(found, key=lambda each: each[0])
    as_good = [labels for inertia, labels in found if inertia <= _AS_GOOD * least]
    other = min(as_good, key=lambda labels: _agreement(labels, best))
    is_same = _agreement(other, best) == 1.0
    return [_Start(best)] if is_same else [_Start(best), _Start(other)]


def _agreement(labels: Labels, others: Labels) -> float:
    """Adjusted Rand index of two clusterings of the same profiles; 1 if they are equal."""
    if np.array_equal(labels, others):
        return 1.0
    k = max(int(labels.max()), int(others.max())) + 1
    table = np.bincount(labels.astype(np.intp) * k + others, minlength=k * k)
    return float(adjusted_rand(table.reshape(1, k, k).astype(np.float64))[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What all profiles add up to, by the probability that they belong to each Gaussian.

    Attributes
    ----------
    likelihood : float
        Log-likelihood of the Gaussians.
    mass : ndarray, shape (k,)
    first : ndarray, shape (k, n)
        Differences from the means of the Gaussians.
    second : ndarray, shape (k, n, n) or (k, n)
        Products of these differences; only of each with itself if covariances are diagonal.
    """

    likelihood: float
    mass: Float64s
    first: Float64s
    second: Float64s

    @classmethod
    def of(cls, block: Block, shares: Float64s, means: Float64s, covariance: str) -> _Sums:
        """Add up a block of which these shares (n, k) belong to each Gaussian."""
        is_full, (k, n) = covariance in ("full", "tied"), means.shape
        first, second = np.zeros((k, n)), np.zeros((k, n, n) if is_full else (k, n))
        for c in range(k):
            rows = np.flatnonzero(shares[:, c] > _NEGLIGIBLE)
            apart = block.values[rows] - means[c]
            weighed = apart * (shares[rows, c] * block.weights[rows])[:, None]
            first[c] = weighed.sum(axis=0)
            second[c] = weighed.T @ apart if is_full else (weighed * apart).sum(axis=0)
        return cls(0.0, block.weights @ shares, first, second)

    @classmethod
    def join(cls, parts: Iterable[_Sums]) -> _Sums:
        """Add up the sums of several blocks in their order."""
        columns = zip(*((p.likelihood, p.mass, p.first, p.second) for p in parts), strict=True)
        return cls(*(sum(column[1:], start=column[0]) for column in columns))


@dataclass(frozen=True, slots=True, eq=False)
class _Gaussians:
    """Weights (k,), means (k, n) and covariances of Gaussians; see `Mixture`."""

    weights: Float64s
    means: Float64s
    covariances: Float64s

    @classmethod
    def of(cls, sums: _Sums, before: Float64s, covariance: str, ridge: float) -> _Gaussians:
        """The Gaussians that follow from sums around the means before."""
        mass = sums.mass + _FEW
        shift = sums.first / mass[:, None]
        if covariance in ("full", "tied"):
            spread = sums.second / mass[:, None, None] - shift[:, :, None] * shift[:, None]
            if covariance == "tied":
                spread = np.tensordot(mass / mass.sum(), spread, 1)
            spread += ridge * np.eye(shift.shape[1])
        else:
            spread = sums.second / mass[:, None] - shift**2 + ridge
            spread = spread.mean(axis=1) if covariance == "spherical" else spread
        return cls(mass / mass.sum(), before + shift, spread)

    def logs(self, points: Floats, covariance: str) -> Float64s:
        """Logarithms (n_points, k) of the weighted densities at points."""
        whitening = whitenings(self.covariances, covariance, *self.means.shape)
        return log_densities(points, self.weights, self.means, whitening)


@dataclass(frozen=True, slots=True, eq=False)
class _Climb(_Gaussians):
    """Gaussians whose likelihood no longer rises.

    Attributes
    ----------
    likelihood : float
        Mean log-likelihood of a profile.
    n_iter : int
    converged : bool
    labels : ndarray, shape (n,)
        The most probable Gaussian of each profile.
    times : int
        From how many starts they were reached.
    """

    likelihood: float
    n_iter: int
    converged: bool
    labels: Labels
    times: int


def _climb(
    block: Block,
    start: _Start,
    k: int,
    *,
    covariance: str,
    ridge: float,
    max_iter: int,
    tol: float,
) -> _Climb:
    """Raise the likelihood, step by step, from the Gaussians of a clustering."""
    parts = [slice(i, i + BLOCK_ROWS) for i in range(0, len(block), BLOCK_ROWS)]
    blocks, shares = [block[p] for p in parts], [np.eye(k)[start.labels[p]] for p in parts]
    weight = float(block.weights.sum())
    follow = partial(_Gaussians.of, covariance=covariance, ridge=ridge)
    means, before, n_iter, converged = np.zeros((k, block.values.shape[1])), -np.inf, 0, False
    with threads() as map_blocks:
        for _ in range(2):  # sums around means do not cancel
            add = partial(_Sums.of, means=means, covariance=covariance)
            own = follow(_Sums.join(map_blocks(add, blocks, shares)), means)
            means = own.means
        while n_iter < max_iter and not converged:
            sums = _Sums.join(map_blocks(partial(_expect, own=own, covariance=covariance), blocks))
            own, likelihood = follow(sums, own.means), sums.likelihood / weight
            converged = abs(likelihood - before) < tol
            before, n_iter = likelihood, n_iter + 1
        logs = map_blocks(lambda each: own.logs(each.values, covariance), blocks)
        found = [normalize(each) for each in logs]
    likelihood = float(block.weights @ np.concatenate([each for _, each in found])) / weight
    labels = np.concatenate([each.argmax(axis=1) for each, _ in found])
    reached = own.weights, own.means, own.covariances
    return _Climb(*reached, likelihood, n_iter, converged, labels, start.times)


def _expect(block: Block, own: _Gaussians, covariance: str) -> _Sums:
    """Log-likelihood and sums of a block, by the probabilities that its profiles belong to each."""
    shares, likelihood = normalize(own.logs(block.values, covariance))
    sums = _Sums.of(block, shares, own.means, covariance)
    return replace(sums, likelihood=float(block.weights @ likelihood))


def _compare(climbs: list[_Climb]) -> tuple[_Climb, Rival | None]:
    """The most likely Gaussians, and what others another seed may well find."""
    best = max(climbs, key=lambda each: each.likelihood)
    agreements = [_agreement(each.labels, best.labels) for each in climbs]
    pairs = list(zip(climbs, agreements, strict=True))
    times = sum(each.times for each, agreement in pairs if agreement >= _SAME_MAP)
    others = [pair for pair in pairs if pair[1] < _SAME_MAP]
    if times >= _SURE or not others:
        return best, None
    other, agreement = max(others, key=lambda pair: pair[0].likelihood)
    return best, Rival(agreement, (best.likelihood, other.likelihood))


def _as_integer(seed: np.random.SeedSequence) -> int:
    """Turn a seed into an integer for scikit-learn: the user's own if possible."""
    if isinstance(seed.entropy, int) and seed.entropy < 2**32 and not seed.spawn_key:
        return seed.entropy
    return int(seed.generate_state(1)[0])
