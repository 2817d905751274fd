"""Where the centroids of a run begin."""

from __future__ import annotations

import numpy as np

from xvcluster.methods.metric import Floats, Metric

_TRIALS = 4


def k_means_plus_plus(
    profiles: Floats, n_clusters: int, metric: Metric, seed: np.random.SeedSequence
) -> Floats:
    """Draw distant profiles as first centroids by greedy k-means++.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
        With at least `n_clusters` distinct ones.
    n_clusters : int
        How many to draw.
    metric : Metric
    seed : SeedSequence
        The same seed draws the same first profiles whatever `n_clusters`, so that a sweep over k
        needs one draw for each restart.

    Returns
    -------
    ndarray, shape (n_clusters, n_levels, n_variables)

    References
    ----------
    Arthur, D. & Vassilvitskii, S. (2007). k-means++: the advantages of careful seeding. SODA '07.
    """
    rng = np.random.default_rng(seed)
    chosen = [int(rng.integers(len(profiles)))]
    closest = metric.squared_distances(profiles, profiles[chosen])[:, 0]
    while len(chosen) < n_clusters:
        cumulated = np.cumsum(closest)
        if cumulated[-1] <= 0.0:
            # there are fewer distinct profiles than asked for: any others will do
            chosen += rng.integers(len(profiles), size=n_clusters - len(chosen)).tolist()
            break
        drawn = rng.random(_TRIALS) * cumulated[-1]
        candidates = np.minimum(np.searchsorted(cumulated, drawn, side="right"), len(profiles) - 1)
        squared = metric.squared_distances(profiles, profiles[candidates])
        squared = np.minimum(closest[:, None], squared)
        best = int(squared.sum(axis=0).argmin())
        chosen.append(int(candidates[best]))
        closest = squared[:, best]
    return profiles[chosen]


def has_distinct(profiles: Floats, n: int) -> bool:
    """Whether at least `n` of the profiles differ from each other."""
    flat = profiles.reshape(len(profiles), -1)
    if len(flat) < n:
        return False
    if any(np.unique(column).size >= n for column in flat.T):
        return True
    return len(np.unique(flat, axis=0)) >= n
