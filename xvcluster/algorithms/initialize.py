"""Initial centroids of a run, by k-means++, and weighted draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.metrics import Metric, at_shares
from xvcluster.arrays import Float64s, Floats, Indices

_TRIALS = 4


def k_means_plus_plus(
    profiles: Block, metric: Metric, n_clusters: int, seed: np.random.SeedSequence
) -> Float64s:
    """Draw distant profiles as first centroids by greedy k-means++.

    Parameters
    ----------
    profiles : Block
        They are drawn in proportion to their weights.
    metric : Metric
    n_clusters : int
    seed : SeedSequence
        The same seed draws the same first profiles for any `n_clusters`, so that a sweep over k
        needs one draw for each restart.

    Returns
    -------
    ndarray, shape (n_clusters, n_levels, n_variables)

    References
    ----------
    Arthur, D. & Vassilvitskii, S. (2007). k-means++: the advantages of careful seeding. SODA '07.
    """
    rng = np.random.default_rng(seed)
    first = profiles.values[draw(profiles.weights, 1, rng)]
    return add_centroids(profiles, metric, first, [n_clusters], [rng])[0]


def add_centroids(
    profiles: Block,
    metric: Metric,
    given: Floats,
    ns: Sequence[int],
    seeds: Sequence[np.random.SeedSequence | np.random.Generator],
) -> list[Float64s]:
    """Add distant profiles to some centroids until there are n of them, once for each n."""
    values, weights, k = profiles.values, profiles.weights, len(given)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    shares = [rng.random((n - k, _TRIALS)) for n, rng in zip(ns, rngs, strict=True)]
    added = metric.add_distant(profiles, given, shares)
    grown = []
    for n, rng, chosen in zip(ns, rngs, added, strict=True):
        # if there are fewer distinct profiles than clusters, any others will do
        rest = draw(weights, n - k - len(chosen), rng)
        grown.append(np.concatenate([given, values[chosen], values[rest]], dtype=np.float64))
    return grown


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
