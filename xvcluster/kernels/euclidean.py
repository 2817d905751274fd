"""Euclidean distances of profiles to centroids, on plain arrays."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def assign_and_sum(X, products, half_norms, first, sums, counts, inertia, farthest):  # type: ignore[no-untyped-def]
    """Assign every row to each run's nearest centroid and add it to that centroid's sum.

    X (n, F); products (n, K) = X @ centroids.T for the centroids of all runs, one after the other;
    half_norms (K,) = |centroid|² / 2; first (R + 1,) where each run's centroids begin.
    Adds to sums (K, F), counts (K,) and inertia (K,), all float64; writes for each run to farthest
    (R,) the row that lies farthest from its own centroid. Returns its squared distance (R,).
    """
    n, n_features = X.shape
    n_runs = first.size - 1
    distance = np.full(n_runs, -np.inf)
    for i in range(n):
        norm = 0.0
        for f in range(n_features):
            norm += X[i, f] * X[i, f]
        for r in range(n_runs):
            best = first[r]
            least = half_norms[best] - products[i, best]
            for j in range(best + 1, first[r + 1]):
                score = half_norms[j] - products[i, j]
                if score < least:
                    least = score
                    best = j
            squared = norm + 2.0 * least
            inertia[best] += max(squared, 0.0)
            if squared > distance[r]:
                distance[r] = squared
                farthest[r] = i
            counts[best] += 1.0
            for f in range(n_features):
                sums[best, f] += X[i, f]
    return distance


@njit(nogil=True, cache=True, fastmath=True)
def squared_distances(X, centroid, out):  # type: ignore[no-untyped-def]
    """Squared distance of every row of X (n, F) to one centroid (F,), in float64, into out (n,)."""
    for i in range(X.shape[0]):
        total = 0.0
        for f in range(X.shape[1]):
            difference = X[i, f] - centroid[f]
            total += difference * difference
        out[i] = total
