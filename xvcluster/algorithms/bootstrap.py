"""Bootstrap samples: whether other samples of the same data would be clustered alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block, Sample
from xvcluster.algorithms.lloyd import threads
from xvcluster.algorithms.metrics import Metric
from xvcluster.algorithms.search import Gist
from xvcluster.arrays import Float64s, Floats, Indices, Labels

T = TypeVar("T")
Fit = Callable[[list[Sample], list[np.random.SeedSequence]], Iterable[T]]

_TOGETHER, _BYTES = 25, 2**28
"""How many samples are clustered together, and of what size in all."""


def refits(
    profiles: Block,
    tiles: Indices,
    fit: Fit[T],
    *,
    metric: Metric,
    n: int,
    seed: np.random.SeedSequence,
    report: Callable[[int], None] = lambda steps: None,
) -> list[T]:
    """Cluster n bootstrap samples, drawn in whole tiles because neighbours are alike.

    Parameters
    ----------
    profiles : Block
    tiles : ndarray of int, shape (n_profiles,)
        The tile, from 0, in which each profile lies. A sample consists of as many tiles as have
        profiles with a positive weight, drawn from these with replacement; a profile counts as
        often as its tile was drawn.
    fit, report
        See `fit_together`.
    metric : Metric
    n : int
    seed : SeedSequence

    Returns
    -------
    list
        What `fit` returned for each sample.

    References
    ----------
    Carlstein, E. (1986). The use of subseries values for estimating the variance of a general
    statistic from a stationary sequence. Ann. Stat. 14, 1171–1179.
    https://doi.org/10.1214/aos/1176350057

    Hall, P. (1985). Resampling a coverage pattern. Stoch. Process. Appl. 20, 231–246.
    https://doi.org/10.1016/0304-4149(85)90212-1
    """
    held = np.unique(tiles[profiles.weights > 0])
    drawings, fittings = zip(*(child.spawn(2) for child in seed.spawn(n)), strict=True)

    def draw(drawing: np.random.SeedSequence) -> Sample:
        rng, times = np.random.default_rng(drawing), np.zeros(int(tiles.max()) + 1)
        times[held] = np.bincount(rng.integers(held.size, size=held.size), minlength=held.size)
        weights = profiles.weights * times[tiles]
        sample = Block(profiles.values, weights).counted()
        return Sample(sample, None if gist is None else gist.weigh(weights), variance)

    def draw_together() -> Iterator[Sample]:
        size = _number_together(profiles)
        for start in range(0, n, size):
            yield from map_samples(draw, drawings[start : start + size])

    with threads() as map_samples:
        gist, variance = Gist.of(profiles, metric), float(profiles.moments()[1].mean())
        return list(fit_together(draw_together(), fittings, fit, report))


def _number_together(profiles: Block) -> int:
    """How many samples of the size of these profiles are clustered together."""
    return int(np.clip(_BYTES // max(profiles.values.nbytes, 1), 1, _TOGETHER))


def fit_together(
    samples: Iterable[Sample],
    seeds: Iterable[np.random.SeedSequence],
    fit: Fit[T],
    report: Callable[[int], None] = lambda steps: None,
) -> Iterator[T]:
    """Cluster many samples, as many together as are small enough.

    Parameters
    ----------
    samples : iterable of Sample
    seeds : iterable of SeedSequence
        One for each sample.
    fit : callable
        Clusters some samples with their seeds, and gives the outcome of each.
    report : callable
        Called with 1 after each outcome.
    """
    pairs = zip(samples, seeds, strict=True)
    for first in pairs:
        some = [first, *islice(pairs, _number_together(first[0].profiles) - 1)]
        for found in fit(*map(list, zip(*some, strict=True))):
            yield found
            report(1)


def adjusted_rand(tables: Float64s) -> Float64s:
    """Adjusted Rand indices of tables of counts (n, k, k_other); 0 if all is in one row or column.

    Examples
    --------
    >>> adjusted_rand(np.array([[[3, 0], [0, 2]], [[2, 2], [2, 2]]])).round(2).tolist()
    [1.0, -0.17]
    """
    total = tables.sum(axis=(1, 2))
    both, rows, columns = (
        (counts * (counts - 1) / 2).reshape(len(tables), -1).sum(axis=1)
        for counts in (tables, tables.sum(axis=2), tables.sum(axis=1))
    )
    expected = rows * columns / np.maximum(total * (total - 1) / 2, 1)
    most = (rows + columns) / 2
    is_varied = most - expected > 1e-9 * most
    index: Float64s = np.divide(
        both - expected, most - expected, out=np.zeros(len(tables)), where=is_varied
    )
    return index


def mean_agreement(labellings: Sequence[Labels]) -> tuple[float, float]:
    """Mean adjusted Rand index of all pairs of clusterings, and its standard error.

    The standard error of a mean over pairs is 2 sd(aᵢ) / √n, where aᵢ is the mean index of
    clustering i with all others.

    References
    ----------
    Hubert, L. & Arabie, P. (1985). Comparing partitions. J. Classif. 2, 193–218.
    https://doi.org/10.1007/BF01908075
    """
    n, k = len(labellings), max(int(labels.max()) for labels in labellings) + 1
    members = np.concatenate([np.eye(k, dtype=np.float32)[own] for own in labellings], axis=1)
    i, j = np.triu_indices(n, 1)
    tables = (members.T @ members).reshape(n, k, n, k).swapaxes(1, 2)[i, j].astype(np.float64)
    found = adjusted_rand(tables)
    found[tables.max(axis=(1, 2)) == len(members)] = 1.0  # all in one cluster, twice
    index = np.zeros((n, n))
    index[i, j] = index[j, i] = found
    of_each = index.sum(axis=1) / (n - 1)
    return float(of_each.mean()), float(2.0 * of_each.std(ddof=1) / np.sqrt(n))


def partners(labels: Labels, own: Labels, weights: Float64s, k: int) -> Indices:
    """Match the clusters of another clustering with a clustering's own k; −1 if one has no match.

    Parameters
    ----------
    labels, own : ndarray of int, shape (n,)
        Labels of the same profiles by the other clustering and by the own one.
    weights : ndarray, shape (n,)
    k : int

    References
    ----------
    Kuhn, H. W. (1955). The Hungarian method for the assignment problem. Nav. Res. Logist. Q. 2,
    83–97. https://doi.org/10.1002/nav.3800020109
    """
    from scipy.optimize import linear_sum_assignment

    m = max(int(labels.max()) + 1, k)
    overlap = np.bincount(labels.astype(np.intp) * k + own, weights, minlength=m * k).reshape(m, k)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    partner = np.full(m, -1)
    partner[rows] = columns
    return partner


def share_agreeing(
    profiles: Floats, own: Assigner, others: Sequence[tuple[Assigner, Indices]]
) -> Float64s:
    """Share of other clusterings that put each profile into its own cluster.

    Parameters
    ----------
    profiles : ndarray, shape (n, n_levels, n_variables)
    own : Assigner
    others : sequence of (Assigner, ndarray)
        The other clusterings, and the own clusters that match theirs; see `partners`.
    """
    labels = own.label(profiles)
    agreed = [partner[assigner.label(profiles)] == labels for assigner, partner in others]
    share: Float64s = np.mean(agreed, axis=0)
    return share
