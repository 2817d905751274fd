"""Bootstrap samples: whether other samples of the same data would be clustered alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Float64s, Floats, Indices, Labels

T = TypeVar("T")


def refits(
    profiles: Block,
    tiles: Indices,
    fit: Callable[[Block, np.random.SeedSequence], T],
    *,
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
    fit : callable
        Clusters a sample with a seed.
    n : int
    seed : SeedSequence
    report : callable
        Called with 1 after each fit.

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
    drawn = np.zeros(int(tiles.max()) + 1, dtype=np.intp)
    found = []
    for child in seed.spawn(n):
        drawing, fitting = child.spawn(2)
        rng = np.random.default_rng(drawing)
        drawn[held] = np.bincount(rng.integers(held.size, size=held.size), minlength=held.size)
        sample = Block(profiles.values, profiles.weights * drawn[tiles]).counted()
        found.append(fit(sample, fitting))
        report(1)
    return found


def mean_agreement(labellings: Sequence[Labels]) -> tuple[float, float]:
    """Mean adjusted Rand index of all pairs of clusterings, and its standard error.

    The standard error of a mean over pairs is 2 sd(aᵢ) / √n, where aᵢ is the mean index of
    clustering i with all others.

    References
    ----------
    Hubert, L. & Arabie, P. (1985). Comparing partitions. J. Classif. 2, 193–218.
    https://doi.org/10.1007/BF01908075
    """
    from sklearn.metrics import adjusted_rand_score

    n = len(labellings)
    index = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        index[i, j] = index[j, i] = adjusted_rand_score(labellings[i], labellings[j])
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
    labels = own(profiles).labels
    agreed = [partner[assigner(profiles).labels] == labels for assigner, partner in others]
    share: Float64s = np.mean(agreed, axis=0)
    return share
