"""Surrogate data: smooth random fields with the covariance of given profiles, but no provinces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.variogram import fit_variogram, leading_view
from xvcluster.arrays import Float64s, Floats, Indices, Labels

_NEIGHBOURS = 4
_ALONE = 1e-2  # size of what others leave of a trend, so small that points hardly tell it from them
_JITTER = 1e-6
_SHARPEST = 1e-4  # least that differs within clusters, as a share of what differs across
TOLERANCE = 1.5
"""How many times as sharp as in a Gaussian field boundaries may be, and still be a smooth field's.

A convention: of synthetic models, smooth fields that are not Gaussian came to 1.8 at most, most of
them to less than 1.5. Provinces came to 1.9 at least, and to far more unless they were small, noisy
or had gradual borders.
"""


def smooth_fields(
    profiles: Block, points: Float64s, n: int, seed: np.random.SeedSequence
) -> Iterator[Floats]:
    """Draw fields of profiles without provinces, the first of which is the profiles themselves.

    Parameters
    ----------
    profiles : Block
    points : ndarray, shape (n_profiles, 3)
        Where they lie, all apart.
    n : int
        Number of surrogates.
    seed : SeedSequence

    Yields
    ------
    ndarray, shape (n_profiles, n_levels, n_variables)
        The leading principal components of the profiles; then those of each surrogate: their trend
        of the second degree in space, and a Gaussian field around it that has the covariance of
        what the trend leaves, among the levels exactly and between neighbours by its variogram.

    References
    ----------
    Theiler, J., Eubank, S., Longtin, A., Galdrikian, B. & Farmer, J. D. (1992). Testing for
    nonlinearity in time series: the method of surrogate data. Physica D 58, 77–94.
    https://doi.org/10.1016/0167-2789(92)90102-S
    """
    view, shape = leading_view(profiles), profiles.values.shape[1:]
    components = view.look(profiles).values.astype(np.float64)
    kind = profiles.values.dtype
    yield view.back(components, shape).astype(kind)
    components = components[:, :, 0]
    basis = _trends(points)
    trend = basis @ (basis.T @ components)
    covariance = np.linalg.qr(components - trend)[1]
    drawn = _draw_fields(components - trend, points, basis, n, np.random.default_rng(seed))
    for field in drawn:
        around = np.linalg.qr(field - basis @ (basis.T @ field))[0] @ covariance
        yield view.back((trend + around)[:, :, None], shape).astype(kind)


def _trends(points: Float64s) -> Float64s:
    """Orthonormal polynomials (n, n_trends) of the second degree in space."""
    q = points - points.mean(axis=0)
    q = q @ np.linalg.svd(q, full_matrices=False)[2].T
    x, y, z = (q / q.std(axis=0).max()).T
    terms = [np.ones_like(x), x, y, x * x, x * y, y * y, z, x * z, y * z]
    basis, share = np.linalg.qr(np.stack(terms, axis=1) / np.sqrt(len(points)))
    return basis[:, np.abs(share.diagonal()) > _ALONE]


def _draw_fields(
    components: Float64s, points: Float64s, trends: Float64s, n: int, rng: np.random.Generator
) -> Float64s:
    """Gaussian fields (n, n_profiles, n_components) that are as alike as some components, once
    trends are taken out of them too.
    """
    from scipy.spatial.distance import pdist, squareform

    drawn = rng.standard_normal((n, *components.shape))
    variogram = fit_variogram(components, points, trends)
    if variogram is None:
        return drawn
    squared = squareform(pdist(points, "sqeuclidean"))
    for i in range(components.shape[1]):
        covariance = variogram.covariance(i, squared)
        covariance[np.diag_indices_from(covariance)] += _JITTER * covariance[0, 0] or 1.0
        drawn[:, :, i] = drawn[:, :, i] @ np.linalg.cholesky(covariance).T
    return drawn


def nearest_neighbours(points: Float64s) -> Indices:
    """Positions (n, 4) of the nearest others of some points (n, 3)."""
    from scipy.spatial import cKDTree

    found: Indices = cKDTree(points).query(points, min(1 + _NEIGHBOURS, len(points)))[1][:, 1:]
    return found


def jumps(profiles: Floats, neighbours: Indices, labellings: Sequence[Labels]) -> Float64s:
    """How much more neighbours differ where a boundary lies between them than where none does.

    Parameters
    ----------
    profiles : ndarray, shape (n, n_levels, n_variables)
    neighbours : ndarray of int, shape (n, m)
    labellings : sequence of ndarray of int, shape (n,)

    Returns
    -------
    ndarray, shape (n_labellings,)
        Logarithm of the ratio of mean squared differences; 0 if all neighbours are in one cluster,
        or all in different ones.
    """
    flat = profiles.reshape(len(profiles), -1).astype(np.float64)
    squared = ((flat[:, None] - flat[neighbours]) ** 2).sum(axis=2)
    found = []
    for labels in labellings:
        across = labels[:, None] != labels[neighbours]
        both = across.any() and not across.all() and squared[across].any()
        beyond = squared[across].mean() if both else 1.0
        within = max(squared[~across].mean(), _SHARPEST * beyond) if both else 1.0
        found.append(np.log(beyond / within))
    return np.array(found)


def exceedance(observed: Float64s, expected: Float64s) -> tuple[float, Float64s]:
    """How often surrogates exceed what was observed: for the largest of all, and for each.

    Parameters
    ----------
    observed : ndarray, shape (m,)
        Logarithms of ratios, less what is tolerated.
    expected : ndarray, shape (n_surrogates, m)

    Returns
    -------
    (float, ndarray), shape (m,)
        p-values (1 + b) / (1 + n), with the number b of surrogates with at least as large a value.
        The first is for the largest of the m values, each in units of its standard deviation; NaN
        if there are none.

    References
    ----------
    Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Stat. Appl. Genet.
    Mol. Biol. 9, 39. https://doi.org/10.2202/1544-6115.1585
    """
    every = np.concatenate([observed[None], expected])
    if not observed.size:
        return np.nan, observed
    spread = every.std(axis=0)
    scaled = (every - every.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    largest = scaled.max(axis=1)
    of_each: Float64s = (every >= observed).mean(axis=0)
    return float((largest >= largest[0]).mean()), of_each
