"""Silhouettes of a sample of profiles, from the distances between all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from xvcluster.algorithms.assign import Assigner
from xvcluster.algorithms.initialize import at_shares
from xvcluster.algorithms.lloyd import threads
from xvcluster.algorithms.metric import Block, Float64s, Floats, Indices, Metric
from xvcluster.algorithms.softdtw import SoftDTW

_ROWS = 128


def draw_evenly(profiles: Block, size: int) -> Indices:
    """Positions of at most `size` of the profiles, in even steps of their weight.

    Where the weights are whole numbers that are few enough in all, each is drawn as often as it
    counts.
    """
    n = min(size, max(len(profiles), round(float(profiles.weights.sum()))))
    return at_shares(profiles.weights, (np.arange(n) + 0.5) / n)


def silhouettes(profiles: Floats, assigners: Sequence[Assigner]) -> list[float]:
    """Mean silhouette of some profiles under each of several clusterings by one metric.

    Parameters
    ----------
    profiles : ndarray, shape (n, n_levels, n_variables)
    assigners : sequence of Assigner

    Returns
    -------
    list of float
        NaN where the profiles lie in one cluster, or each in its own.

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
    """Distances (n, n) of all profiles to each other."""
    blocks = [profiles[i : i + _ROWS] for i in range(0, len(profiles), _ROWS)]
    with threads() as map_blocks:
        squared = list(map_blocks(partial(_squared, others=profiles, metric=metric), blocks))
    distances: Float64s = np.sqrt(np.concatenate(squared))
    np.fill_diagonal(distances, 0.0)
    return distances


def _squared(block: Floats, others: Floats, metric: Metric) -> Float64s:
    squared = metric.squared_distances(block, others)
    return metric.divergences(squared, block, others) if isinstance(metric, SoftDTW) else squared
