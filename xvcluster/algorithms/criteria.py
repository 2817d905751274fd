"""Criteria by which a number of clusters is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.bootstrap import fit_together
from xvcluster.algorithms.lloyd import Run, threads
from xvcluster.algorithms.metrics import Metric, at_shares
from xvcluster.algorithms.restarts import best_runs_of_samples
from xvcluster.arrays import Float64s, Floats, Indices, Integers, Labels

_ROWS = 128
_NEIGHBOUR = 15
_BINS = 20
"""Bins between two centroids, in which profiles are counted."""


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
    return (between(sums, centroids) / (k - 1)) / float(within / (n - k))


def between(sums: Float64s, centroids: Float64s) -> float:
    """Sum of squared Euclidean distances Σ nᵢ |cᵢ − c|² of centroids to their mean.

    With the inertia it adds up to that of a single cluster.

    Parameters
    ----------
    sums : ndarray, shape (4, k)
        As for `simplified_silhouette`.
    centroids : ndarray, shape (k, n_levels, n_variables)
    """
    mass = sums[0]
    mean = np.tensordot(mass / mass.sum(), centroids, 1)
    return float(mass @ ((centroids - mean) ** 2).sum(axis=(1, 2)))


def draw_evenly(profiles: Block, size: int) -> Indices:
    """Positions of at most `size` of the profiles, at even steps of their cumulative weight.

    If the weights are whole numbers with a sum of at most `size`, each profile is drawn as often as
    it counts.
    """
    n = min(size, max(len(profiles), round(float(profiles.weights.sum()))))
    return at_shares(profiles.weights, (np.arange(n) + 0.5) / n)


def silhouettes(distances: Float64s, labellings: Sequence[Labels]) -> list[float]:
    """Mean silhouette of profiles under each of several clusterings.

    Parameters
    ----------
    distances : ndarray, shape (n, n)
        Between all profiles.
    labellings : sequence of ndarray of int, shape (n,)

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

    found = []
    for labels in labellings:
        defined = 1 < np.unique(labels).size < len(labels)
        score = silhouette_score(distances, labels, metric="precomputed") if defined else np.nan
        found.append(float(score))
    return found


def eigengaps(distances: Float64s, ks: Sequence[int]) -> Float64s:
    """Gap λₖ − λₖ₊₁ between eigenvalues of the normalized affinity of profiles, at every k.

    The affinity of two profiles is exp(−d² / σᵢσⱼ), where σ is the distance of a profile to its
    15th neighbour. k groups without links between them have k eigenvalues of 1, so that the gap
    after these is the largest.

    Parameters
    ----------
    distances : ndarray, shape (n, n)
        Between all profiles.
    ks : sequence of int

    Returns
    -------
    ndarray, shape (n_k,)
        NaN from the number of profiles on.

    References
    ----------
    Zelnik-Manor, L. & Perona, P. (2004). Self-tuning spectral clustering. NIPS 17, 1601–1608.

    von Luxburg, U. (2007). A tutorial on spectral clustering. Stat. Comput. 17, 395–416.
    https://doi.org/10.1007/s11222-007-9033-z
    """
    from scipy.linalg import eigh

    n = len(distances)
    nearest = np.partition(distances, min(_NEIGHBOUR, n - 1), axis=1)
    scale = np.maximum(nearest[:, min(_NEIGHBOUR, n - 1)], np.finfo(np.float64).tiny)
    with np.errstate(over="ignore"):
        affinity = np.exp(-(distances / scale) * (distances / scale[:, None]))
    np.fill_diagonal(affinity, 0.0)
    degree = np.maximum(affinity.sum(axis=1), np.finfo(np.float64).tiny)
    affinity /= np.sqrt(degree * degree[:, None])
    first = max(n - max(ks) - 1, 0)
    values = eigh(affinity, eigvals_only=True, subset_by_index=[first, n - 1])[::-1]
    gaps = np.full(max(ks), np.nan)
    gaps[: values.size - 1] = values[:-1] - values[1:]
    found: Float64s = gaps[np.array(ks) - 1]
    return found


def valley(distances: Float64s, apart: Float64s, mass: Float64s) -> float:
    """How little clusters are separated: 0 if there are gaps, 1 and more if there is none.

    Profiles of two clusters are projected on the line through the centroids. The value is their
    density halfway over the density at the lower of the two peaks, for the pair where it is
    greatest. A profile draws its centroid towards itself; that is taken back.

    Parameters
    ----------
    distances : ndarray, shape (n, k)
        Of profiles to the centroids.
    apart : ndarray, shape (k, k)
        Of the centroids to each other.
    mass : ndarray, shape (k,)
        Weight of all members of each cluster.

    Returns
    -------
    float
        NaN for a single cluster.

    Notes
    -----
    Densities are counts in a quarter of the way between the centroids. A profile with the squared
    distances a and b to two centroids c apart lies at (a − b + c²) / 2c² on the way from the first
    to the second; without it, its own of n members is farther by n / (n − 1).

    References
    ----------
    Hennig, C. (2010). Methods for merging Gaussian mixture components. Adv. Data Anal. Classif. 4,
    3–34. https://doi.org/10.1007/s11634-010-0058-3
    """
    n, k = distances.shape
    if k < 2:
        return np.nan
    labels, squared = distances.argmin(axis=1), distances**2
    without = np.where(mass > 1.0, mass / np.maximum(mass - 1.0, 1e-9), 1.0)
    own = squared[np.arange(n), labels] * without[labels] ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        way = 0.5 + (own[:, None] - squared) / (2.0 * apart[labels] ** 2)
    way[np.arange(n), labels] = np.nan
    # bins from one distance before the first centroid to one behind the second, with one halfway
    n_bins = 3 * _BINS + 1
    place = np.rint((way + 1.0) * _BINS)
    row, other = np.nonzero((place >= 0) & (place < n_bins))
    cell = (labels[row] * k + other) * n_bins + place[row, other].astype(np.intp)
    counts = np.bincount(cell, minlength=k * k * n_bins).reshape(k, k, n_bins)
    density = _running_sum(counts + counts.swapaxes(0, 1)[:, :, ::-1], _BINS // 4)
    half, quarter = n_bins // 2, _BINS // 4
    peaks = density[:, :, : half - quarter + 1].max(axis=2)
    lower = np.minimum(peaks, peaks.T)
    pairs = np.triu(lower > 0, 1)
    return float((density[:, :, half][pairs] / lower[pairs]).max(initial=0.0))


def _running_sum(counts: Integers, width: int) -> Integers:
    """Sum of the counts in a window around each bin, of an odd number of bins."""
    padded = np.pad(counts, ((0, 0), (0, 0), (width // 2, width // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=2)
    total: Integers = windows.sum(axis=3)
    return total


def pairwise_distances(profiles: Floats, metric: Metric) -> Float64s:
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
        Number of reference data sets without cluster structure, for E*; see `draw_references`.
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
    own_seed, *others = seed.spawn(1 + n_references)
    drawings, fittings = zip(*(child.spawn(2) for child in others), strict=True)
    references = draw_references(profiles, map(np.random.default_rng, drawings))
    samples = (Sample(Block.of(own)) for own in chain([profiles], references))
    fit = partial(log_inertia, ks=ks, metric=metric, **options)
    with threads():
        observed, *expected = fit_together(samples, [own_seed, *fittings], fit, report)
    error = np.std(expected, axis=0) * np.sqrt(1.0 + 1.0 / n_references)
    return np.mean(expected, axis=0) - observed, error


def smallest_within_gap(ks: list[int], gap: Float64s, error: Float64s) -> int:
    """The smallest k with Gap(k) ≥ Gap(k + 1) − s(k + 1), or 0; k + 1 is the next of `ks`."""
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - error[1:])
    return ks[int(enough[0])] if enough.size else 0


def log_inertia(
    samples: list[Sample],
    seeds: list[np.random.SeedSequence],
    *,
    ks: list[int],
    metric: Metric,
    **options: Any,
) -> list[Float64s]:
    """Logarithms (n_k,) of the least inertia of each sample at every k; NaN if it is 0."""
    found = best_runs_of_samples(samples, ks, metric, seeds=seeds, **options)
    with threads() as map_samples:
        return list(map_samples(partial(_log_inertia_of, metric=metric), samples, found))


def _log_inertia_of(sample: Sample, runs: dict[int, Run], metric: Metric) -> Float64s:
    inertia = [
        metric.squared_distances(sample.profiles.values, run.centroids).min(axis=1).sum()
        for run in runs.values()
    ]
    with np.errstate(divide="ignore"):
        logarithm: Float64s = np.log(inertia)
    return np.where(np.isfinite(logarithm), logarithm, np.nan)


def draw_references(
    profiles: Floats, generators: Iterable[np.random.Generator]
) -> Iterator[Floats]:
    """Draw as many profiles, evenly from the box around these along their principal axes."""
    flat = profiles.reshape(len(profiles), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    axes = np.linalg.svd(flat - mean, full_matrices=False)[2]
    components = (flat - mean) @ axes.T
    low, high = components.min(axis=0), components.max(axis=0)
    for rng in generators:
        drawn = rng.uniform(low, high, components.shape)
        yield (drawn @ axes + mean).reshape(profiles.shape).astype(profiles.dtype)
