"""How unlike profiles are at a distance from each other: variograms of their components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import threads
from xvcluster.algorithms.search import View
from xvcluster.arrays import Float64s, Floats

_COMPONENTS, _EXPLAINED = 8, 0.95
_BINS, _LENGTHS = 24, 14
_SURE = 3000  # pairs in a bin beyond which more of them add nothing
_ALIKE = 0.05  # correlation below which profiles are no longer called alike


@dataclass(frozen=True, slots=True, eq=False)
class Variogram:
    """Semivariance of each component at the distance h: nugget + Σ sill (1 − exp(−h² / 2 length²)).

    Such a sum is the variogram of a random field in any number of dimensions, so also on the sphere
    if distances are chords.

    Attributes
    ----------
    lengths : ndarray, shape (n_lengths,)
        In the units of the points, ascending.
    sills : ndarray, shape (n_components, n_lengths)
    nugget : ndarray, shape (n_components,)
        What differs between neighbours, however near.
    variance : float
        Of all components together.
    """

    lengths: Float64s
    sills: Float64s
    nugget: Float64s
    variance: float

    def covariance(self, component: int, squared: Float64s) -> Float64s:
        """Covariance (n, n) of one component at points, from the squares of their distances."""
        covariance: Float64s = self.nugget[component] * np.eye(len(squared))
        for sill, length in zip(self.sills[component], self.lengths, strict=True):
            if sill > 0:
                covariance += sill * np.exp(squared / (-2.0 * length**2))
        return covariance

    def reach(self) -> float:
        """The distance at which the semivariance is 95 % of the variance; 0 if it always is."""
        sills, nugget = self.sills.sum(axis=0), self.nugget.sum()
        enough = (1.0 - _ALIKE) * min(self.variance, nugget + sills.sum())
        h = np.append(0.0, np.geomspace(self.lengths[0], 4.0 * self.lengths[-1], 1000))
        semivariance = nugget + (1.0 - np.exp(-0.5 * (h[:, None] / self.lengths) ** 2)) @ sills
        return float(h[(semivariance >= enough).argmax()])


def leading_view(profiles: Block) -> View:
    """The principal components that explain 95 % of the variance, but at most eight."""
    flat = profiles.values.reshape(len(profiles), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    spread, axes = np.linalg.svd(flat - mean, full_matrices=False)[1:]
    explained = np.cumsum(spread**2)
    n = int(np.searchsorted(explained, _EXPLAINED * explained[-1])) + 1
    return View(mean, axes[: min(n, _COMPONENTS)].T)


def fit_variogram(
    components: Floats, points: Float64s, trends: Float64s | None = None
) -> Variogram | None:
    """Fit variograms to the squared differences of all pairs, up to the median distance.

    Parameters
    ----------
    components : ndarray, shape (n, n_components)
    points : ndarray, shape (n, 3)
    trends : ndarray, shape (n, n_trends), optional
        Orthonormal. What was taken out of the components, and of the fields that they are compared
        with: variograms are then of the fields before that.

    Returns
    -------
    Variogram or None
        None if most of the points are one.

    References
    ----------
    Matheron, G. (1963). Principles of geostatistics. Econ. Geol. 58, 1246–1266.
    https://doi.org/10.2113/gsecongeo.58.8.1246
    """
    from scipy.optimize import nnls
    from scipy.spatial.distance import pdist

    distance = pdist(points)
    farthest = float(np.median(distance)) if distance.size else 0.0
    if farthest <= 0:
        return None
    edges = farthest * np.linspace(0.0, 1.0, _BINS + 1)[1:] ** 1.5
    near = distance <= farthest
    at = np.searchsorted(edges, distance[near])
    count = np.bincount(at, minlength=_BINS)
    held = count > 0

    def binned(semivariance: Float64s) -> Float64s:
        mean: Float64s = np.bincount(at, semivariance, _BINS)[held] / count[held]
        return mean

    lengths, squared = np.geomspace(0.02, 1.5, _LENGTHS) * farthest, distance**2
    if trends is None:
        squared = squared[near]

    def expected(length: float) -> Float64s:
        # beyond e⁻⁷⁰⁰ numbers are denormal, and slow
        alike = (
            np.exp(np.maximum(squared / (-2.0 * length**2), -700.0)) if length else 0.0 * squared
        )
        return binned(1.0 - alike if trends is None else _semivariance(alike, trends)[near])

    def observed(component: Float64s) -> Float64s:
        return binned(0.5 * pdist(component[:, None], "sqeuclidean")[near])

    with threads() as map_fields:
        model = np.stack(list(map_fields(expected, (0.0, *lengths))), axis=1)
        found_of_each = list(map_fields(observed, components.T.astype(np.float64)))
    fitted = []
    for found in found_of_each:
        sure = np.sqrt(np.minimum(count[held], _SURE)) / np.maximum(found, 1e-3 * found.max() or 1)
        fitted.append(nnls(model * sure[:, None], found * sure)[0])
    parameters = np.array(fitted)
    variance = float(np.var(components, axis=0, ddof=1, dtype=np.float64).sum())
    return Variogram(lengths, parameters[:, 1:], parameters[:, 0], variance)


def _semivariance(correlation: Float64s, trends: Float64s) -> Float64s:
    """Semivariance of all pairs in a field of this correlation, without trends in it."""
    from scipy.spatial.distance import squareform

    covariance = squareform(correlation) + np.eye(len(trends))
    left = covariance - trends @ (trends.T @ covariance)
    left -= (left @ trends) @ trends.T
    variance = left.diagonal()
    left = 0.5 * (variance[:, None] + variance) - left
    semivariance: Float64s = squareform(left, force="tovector", checks=False)
    return semivariance
