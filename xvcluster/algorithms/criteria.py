"""How well clusters are separated: numbers by which a k is chosen, from sums over their members."""

from __future__ import annotations

import numpy as np

from xvcluster.algorithms.metric import Float64s, Metric
from xvcluster.algorithms.softdtw import SoftDTW


def simplified_silhouette(sums: Float64s) -> float:
    """Mean of 1 − d₁/d₂ from the distances to the nearest and the second-nearest centroid.

    Parameters
    ----------
    sums : ndarray, shape (4, k)
        Weights, squared distances, distances and margins of each cluster's members.

    References
    ----------
    Hruschka, E. R., de Castro, L. N. & Campello, R. J. G. B. (2004). Evolutionary algorithms for
    clustering gene-expression data. ICDM '04. https://doi.org/10.1109/ICDM.2004.10073
    """
    return float(sums[3].sum() / sums[0].sum()) if sums.shape[1] > 1 else np.nan


def davies_bouldin(sums: Float64s, centroids: Float64s, metric: Metric) -> float:
    """Mean over the clusters of max (sᵢ + sⱼ) / d(cᵢ, cⱼ), with their members' mean distances s.

    The less, the better. Clusters without members do not count.

    Parameters
    ----------
    sums : ndarray, shape (4, k)
    centroids : ndarray, shape (k, n_levels, n_variables)
    metric : Metric

    References
    ----------
    Davies, D. L. & Bouldin, D. W. (1979). A cluster separation measure. IEEE Trans. Pattern Anal.
    Mach. Intell. 1, 224–227. https://doi.org/10.1109/TPAMI.1979.4766909
    """
    held = sums[0] > 0
    if held.sum() < 2:
        return np.nan
    scatter, centroids = sums[2, held] / sums[0, held], centroids[held]
    apart = distances_between(centroids, metric)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (scatter[:, None] + scatter) / apart
    np.fill_diagonal(ratio, -np.inf)
    return float(ratio.max(axis=1).mean())


def distances_between(centroids: Float64s, metric: Metric) -> Float64s:
    """Distances (k, k) of centroids (k, n_levels, n_variables) to each other."""
    squared = metric.squared_distances(centroids, centroids)
    if isinstance(metric, SoftDTW):
        squared = metric.divergences(squared, centroids, centroids)
    return np.sqrt(squared)


def calinski_harabasz(sums: Float64s, centroids: Float64s) -> float:
    """(B / (k − 1)) / (W / (n − k)) with the inertia W and B = Σ nᵢ |cᵢ − c|². Euclidean alone.

    The more, the better. n is the weight of all profiles, c their mean.

    Parameters
    ----------
    sums : ndarray, shape (4, k)
    centroids : ndarray, shape (k, n_levels, n_variables)

    References
    ----------
    Caliński, T. & Harabasz, J. (1974). A dendrite method for cluster analysis. Commun. Stat. 3,
    1–27. https://doi.org/10.1080/03610927408827101
    """
    mass, within = sums[0], sums[1].sum()
    k, n = int((mass > 0).sum()), mass.sum()
    if k < 2 or n <= k or within <= 0:
        return np.nan
    mean = np.tensordot(mass / n, centroids, 1)
    between = mass @ ((centroids - mean) ** 2).sum(axis=(1, 2))
    return float((between / (k - 1)) / (within / (n - k)))
