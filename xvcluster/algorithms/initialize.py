"""Initial centroids of a run, by k-means++, and weighted draws."""

from __future__ import annotations

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import Metric
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
    from xvcluster.kernels.search import approach

    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    if given is None:
        chosen, given = draw(profiles.weights, 1, rng).tolist(), profiles.values[:0]
    values, weights = profiles.values, profiles.weights
    start = np.concatenate([given, values[chosen]])
    closest = weights * metric.squared_distances(values, start).min(axis=1)
    while len(given) + len(chosen) < n_clusters:
        if not closest.any():
            # there are fewer distinct profiles than clusters: any others will do
            missing = n_clusters - len(given) - len(chosen)
            chosen += draw(weights, missing, rng).tolist()
            break
        candidates = draw(closest, _TRIALS, rng)
        squared = metric.squared_distances(values, values[candidates])
        chosen.append(int(candidates[approach(squared, weights, closest)]))
    return np.concatenate([given, values[chosen]]).astype(np.float64)


def draw(weights: Float64s, n: int, rng: np.random.Generator) -> Indices:
    """Draw the positions of n profiles, in proportion to their weights."""
    return at_shares(weights, rng.random(n))


def at_shares(weights: Float64s, shares: Float64s) -> Indices:
    """Positions at which the cumulative weights exceed these shares of their sum."""
    cumulated = np.cumsum(weights)
    positions = np.searchsorted(cumulated, shares * cumulated[-1], side="right")
    held: Indices = np.minimum(positions, np.flatnonzero(weights)[-1])
    return held


def has_distinct(profiles: Floats, n: int) -> bool:
    """Whether at least `n` of the profiles differ from each other."""
    flat = profiles.reshape(len(profiles), -1)
    if len(flat) < n:
        return False
    if any(np.unique(column).size >= n for column in flat.T):
        return True
    return len(np.unique(flat, axis=0)) >= n
