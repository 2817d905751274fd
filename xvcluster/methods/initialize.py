"""Where the centroids of a run begin."""

from __future__ import annotations

import numpy as np

from xvcluster.methods.metric import Floats, Metric

_TRIALS = 4


def k_means_plus_plus(
    profiles: Floats,
    n_clusters: int,
    metric: Metric,
    seed: np.random.SeedSequence,
    given: Floats | None = None,
) -> Floats:
    """Draw distant profiles as first centroids by greedy k-means++.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
    n_clusters : int
        How many centroids there are to be.
    metric : Metric
    seed : SeedSequence
        The same seed draws the same first profiles whatever `n_clusters`, so that a sweep over k
        needs one draw for each restart.
    given : ndarray, shape (n_given, n_levels, n_variables), optional
        Centroids that are there already, to which others are added.

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
        chosen, given = [int(rng.integers(len(profiles)))], profiles[:0]
    start = np.concatenate([given, profiles[chosen]])
    closest = metric.squared_distances(profiles, start).min(axis=1)
    while len(given) + len(chosen) < n_clusters:
        cumulated = np.cumsum(closest)
        if cumulated[-1] <= 0.0:
            # there are fewer distinct profiles than asked for: any others will do
            missing = n_clusters - len(given) - len(chosen)
            chosen += rng.integers(len(profiles), size=missing).tolist()
            break
        drawn = rng.random(_TRIALS) * cumulated[-1]
        candidates = np.minimum(np.searchsorted(cumulated, drawn, side="right"), len(profiles) - 1)
        squared = metric.squared_distances(profiles, profiles[candidates])
        squared = np.minimum(closest[:, None], squared)
        best = int(squared.sum(axis=0).argmin())
        chosen.append(int(candidates[best]))
        closest = squared[:, best]
    return np.concatenate([given, profiles[chosen]])


def has_distinct(profiles: Floats, n: int) -> bool:
    """Whether at least `n` of the profiles differ from each other."""
    flat = profiles.reshape(len(profiles), -1)
    if len(flat) < n:
        return False
    if any(np.unique(column).size >= n for column in flat.T):
        return True
    return len(np.unique(flat, axis=0)) >= n
