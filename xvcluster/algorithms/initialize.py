"""Initial centroids of a run, by k-means++, and weighted draws."""

from __future__ import annotations

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import Metric, at_shares
from xvcluster.arrays import Float64s, Floats, Indices

_TRIALS = 4


def k_means_plus_plus(
    profiles: Block,
    metric: Metric,
    n_clusters: int,
    seed: np.random.SeedSequence,
    given: Floats | None = None,
) -> Float64s:
    """Draw distant profiles as first centroids by greedy k-means++.

    Parameters
    ----------
    profiles : Block
        They are drawn in proportion to their weights.
    metric : Metric
    n_clusters : int
        Number of centroids in the end.
    seed : SeedSequence
        The same seed draws the same first profiles for any `n_clusters`, so that a sweep over k
        needs one draw for each restart.
    given : ndarray, shape (n_given, n_levels, n_variables), optional
        Existing centroids, to which others are added.

    Returns
    -------
    ndarray, shape (n_clusters, n_levels, n_variables)

    References
    ----------
    Arthur, D. & Vassilvitskii, S. (2007). k-means++: the advantages of careful seeding. SODA '07.
    """
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    if given is None:
        chosen, given = draw(profiles.weights, 1, rng).tolist(), profiles.values[:0]
    values, weights = profiles.values, profiles.weights
    start = np.concatenate([given, values[chosen]])
    shares = rng.random((n_clusters - len(start), _TRIALS))
    chosen += metric.add_distant(profiles, start, shares).tolist()
    missing = n_clusters - len(given) - len(chosen)
    if missing:  # there are fewer distinct profiles than clusters: any others will do
        chosen += draw(weights, missing, rng).tolist()
    return np.concatenate([given, values[chosen]]).astype(np.float64)


def draw(weights: Float64s, n: int, rng: np.random.Generator) -> Indices:
    """Draw the positions of n profiles, in proportion to their weights."""
    return at_shares(weights, rng.random(n))


def has_distinct(profiles: Floats, n: int) -> bool:
    """Whether at least `n` of the profiles differ from each other."""
    flat = profiles.reshape(len(profiles), -1)
    if len(flat) < n:
        return False
    if any(np.unique(column).size >= n for column in flat.T):
        return True
    return len(np.unique(flat, axis=0)) >= n
