"""What errors of known size leave open about profiles that already hold them."""

from __future__ import annotations

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Float64s, Labels


def spread_within(profiles: Block, labels: Labels, sigma: Float64s) -> Float64s:
    """Covariance of profiles about the means of their clusters, in units of their errors.

    Parameters
    ----------
    profiles : Block
        Some weight must be positive.
    labels : ndarray of int, shape (n,)
    sigma : ndarray, shape (m,)
        Root mean square of the standard deviations of the errors of m = n_levels * n_variables
        values; where it is 0, values keep their units.

    Returns
    -------
    ndarray, shape (m, m)
    """
    flat = profiles.values.reshape(len(profiles), -1)
    unit = np.where(sigma > 0, sigma, 1.0)
    total = np.zeros((sigma.size, sigma.size))
    for label in np.unique(labels):
        rows = np.flatnonzero((labels == label) & (profiles.weights > 0))
        if rows.size:
            weights, members = profiles.weights[rows], flat[rows] / unit
            apart = members - np.average(members, axis=0, weights=weights)
            total += (apart * weights[:, None]).T @ apart
    covariance: Float64s = total / profiles.weights.sum()
    return covariance


def find_leeway(within: Float64s) -> Float64s:
    """Find what turns independent normal numbers into errors that the data leave open.

    Parameters
    ----------
    within : ndarray, shape (m, m)
        Covariance W of the profiles of a cluster, in units of their errors.

    Returns
    -------
    ndarray, shape (m, m)
        F, symmetric, with F² = 1 − W⁻¹ / 2; the eigenvalues of W count as at least 1.

    Notes
    -----
    If true profiles were spread evenly, one of the data would leave a covariance of 1 open about
    the true one: that of the errors. If those of a cluster are normally distributed, it leaves
    1 − W⁻¹: the variance of the errors along an axis in which profiles of a cluster differ by much
    more, and nothing along one in which they differ by errors alone. F² is the mean of the two.
    """
    variances, axes = np.linalg.eigh(within)
    left_open = 1.0 - 0.5 / np.maximum(variances, 1.0)
    leeway: Float64s = (axes * np.sqrt(left_open)) @ axes.T
    return leeway
