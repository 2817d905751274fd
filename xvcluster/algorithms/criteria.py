"""Criteria by which a number of clusters is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.initialize import at_shares
from xvcluster.algorithms.lloyd import threads
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.restarts import best_runs
from xvcluster.algorithms.source import InMemory
from xvcluster.arrays import Float64s, Floats, Indices

_ROWS = 128


def simplified_silhouette(sums: Float64s) -> float:
    """Mean of 1 − d₁/d₂ from the distances to the nearest and the second-nearest centroid.

    Parameters
    ----------
    sums : ndarray, shape (4, k)
        Weights, squared distances, distances and margins of each cluster's members.

    References
    ----------
    Hruschka, E. R., de Castro, L. N. & Campello, R. J. G. B. (2004). Evolutionary algorithms for
    clustering gene-expression data. Fourth IEEE Int. Conf. on Data Mining (ICDM'04), 403–406.
    """
    return float(sums[3].sum() / sums[0].sum()) if sums.shape[1] > 1 else np.nan


def davies_bouldin(sums: Float64s, centroids: Float64s, metric: Metric) -> float:
    """Mean over the clusters of max (sᵢ + sⱼ) / d(cᵢ, cⱼ), with their members' mean distances s.

    The lower, the better. Clusters without members are ignored.

    Parameters
    ----------
    sums : ndarray, shape (4, k)
        As for `simplified_silhouette`.
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
    apart = metric.distances(centroids, centroids)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (scatter[:, None] + scatter) / apart
    np.fill_diagonal(ratio, -np.inf)
    return float(ratio.max(axis=1).mean())


def calinski_harabasz(sums: Float64s, centroids: Float64s) -> float:
    """(B / (k − 1)) / (W / (n − k)) with the inertia W and B = Σ nᵢ |cᵢ − c|².

    The higher, the better. n is the total weight of the profiles, c their mean. It is defined for
    Euclidean distances only.

    Parameters
    ----------
    sums : ndarray, shape (4, k)
        As for `simplified_silhouette`.
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


def draw_evenly(profiles: Block, size: int) -> Indices:
    """Positions of at most `size` of the profiles, at even steps of their cumulative weight.

    If the weights are whole numbers with a sum of at most `size`, each profile is drawn as often as
    it counts.
    """
    n = min(size, max(len(profiles), round(float(profiles.weights.sum()))))
    return at_shares(profiles.weights, (np.arange(n) + 0.5) / n)


def silhouettes(profiles: Floats, assigners: Sequence[Assigner]) -> list[float]:
    """Mean silhouette of profiles under each of several clusterings with the same metric.

    Parameters
    ----------
    profiles : ndarray, shape (n, n_levels, n_variables)
    assigners : sequence of Assigner

    Returns
    -------
    list of float
        NaN if all profiles lie in one cluster, or each in its own.

    References
    ----------
    Rousseeuw, P. J. (1987). Silhouettes. J. Comput. Appl. Math. 20, 53–65.
    https://doi.org/10.1016/0377-0427(87)90125-7
    """
    from sklearn.metrics import silhouette_score

    distances = _distances(profiles, assigners[0].metric)
    found = []
    for assigner in assigners:
        labels = assigner(profiles).labels
        defined = 1 < np.unique(labels).size < len(labels)
        score = silhouette_score(distances, labels, metric="precomputed") if defined else np.nan
        found.append(float(score))
    return found


def _distances(profiles: Floats, metric: Metric) -> Float64s:
    """Distances (n, n) between all profiles."""
    blocks = [profiles[i : i + _ROWS] for i in range(0, len(profiles), _ROWS)]
    with threads() as map_blocks:
        distances = np.concatenate(
            list(map_blocks(partial(metric.distances, others=profiles), blocks))
        )
    np.fill_diagonal(distances, 0.0)
    return distances


def gap_statistic(
    profiles: Floats,
    ks: list[int],
    metric: Metric,
    *,
    n_references: int,
    seed: np.random.SeedSequence,
    report: Callable[[int], None] = lambda steps: None,
    **options: Any,
) -> tuple[Float64s, Float64s]:
    """Gap statistic Gap(k) = E* log W*(k) − log W(k) and its standard error s(k), for every k.

    Parameters
    ----------
    profiles : ndarray, shape (n, n_levels, n_variables)
    ks : list of int
    metric : Metric
        Euclidean, under which W is the inertia.
    n_references : int
        Number of reference data sets without cluster structure, for E*; see `draw_reference`.
    seed : SeedSequence
    report : callable
        Called with 1 after each fit.
    **options
        Options of `best_runs`.

    Returns
    -------
    (ndarray, ndarray), shape (n_k,) each
        s(k) is the standard deviation of log W*(k) times √(1 + 1 / n_references).

    References
    ----------
    Tibshirani, R., Walther, G. & Hastie, T. (2001). Estimating the number of clusters in a data
    set via the gap statistic. J. R. Stat. Soc. B 63, 411–423.
    https://doi.org/10.1111/1467-9868.00293
    """
    own, *others = seed.spawn(1 + n_references)
    observed = log_inertia(profiles, ks, metric, seed=own, **options)
    report(1)
    expected = []
    for child in others:
        drawing, fitting = child.spawn(2)
        reference = draw_reference(profiles, np.random.default_rng(drawing))
        expected.append(log_inertia(reference, ks, metric, seed=fitting, **options))
        report(1)
    error = np.std(expected, axis=0) * np.sqrt(1.0 + 1.0 / n_references)
    return np.mean(expected, axis=0) - observed, error


def smallest_within_gap(ks: list[int], gap: Float64s, error: Float64s) -> int:
    """The smallest k with Gap(k) ≥ Gap(k + 1) − s(k + 1), or 0; k + 1 is the next of `ks`."""
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - error[1:])
    return ks[int(enough[0])] if enough.size else 0


def log_inertia(profiles: Floats, ks: list[int], metric: Metric, **options: Any) -> Float64s:
    """Logarithm (n_k,) of the inertia of the best clustering at every k; NaN if it is 0."""
    runs = best_runs(InMemory.of(Block.of(profiles)), ks, metric, **options)
    inertia = [metric.squared_distances(profiles, runs[k].centroids).min(1).sum() for k in ks]
    with np.errstate(divide="ignore"):
        logarithm: Float64s = np.log(inertia)
    return np.where(np.isfinite(logarithm), logarithm, np.nan)


def draw_reference(profiles: Floats, rng: np.random.Generator) -> Float64s:
    """Draw as many profiles, evenly from the box around these along their principal axes."""
    flat = profiles.reshape(len(profiles), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    axes = np.linalg.svd(flat - mean, full_matrices=False)[2]
    components = (flat - mean) @ axes.T
    drawn = rng.uniform(components.min(axis=0), components.max(axis=0), components.shape)
    reference: Float64s = (drawn @ axes + mean).reshape(profiles.shape)
    return reference
