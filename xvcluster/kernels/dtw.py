"""Dynamic time warping between profiles and centroids, on plain arrays.

The squared distance is the least sum of squared differences along a path that pairs the levels of
both monotonically, from first to first and last to last (Sakoe & Chiba 1978). Distances are
computed for a lane of profiles side by side, which hides the recurrence's latency.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LANE = 32
_FAR = 1e30


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "contract"})
def _lane_distances(lane, centroid, previous, current, cost):  # type: ignore[no-untyped-def]
    """Squared DTW distances of a lane (L, V, W) to one centroid (M, V): the last row is the answer.

    previous and current (M + 1, W) and cost (W,) are scratch of the lane's dtype. Returns the array
    whose last row holds the distances.
    """
    n_levels, n_variables, width = lane.shape
    n_columns = centroid.shape[0]
    previous[:] = _FAR
    previous[0] = 0.0
    for i in range(n_levels):
        current[0] = _FAR
        for j in range(n_columns):
            for w in range(width):
                difference = lane[i, 0, w] - centroid[j, 0]
                cost[w] = difference * difference
            for v in range(1, n_variables):
                for w in range(width):
                    difference = lane[i, v, w] - centroid[j, v]
                    cost[w] += difference * difference
            for w in range(width):
                least = min(previous[j + 1, w], current[j, w])
                least = min(least, previous[j, w])
                current[j + 1, w] = least + cost[w]
        previous, current = current, previous
    return previous


@njit(nogil=True, cache=True)
def squared_distances(X, centroids, out):  # type: ignore[no-untyped-def]
    """Squared DTW distances of profiles X (n, L, V) to centroids (K, M, V), into out (n, K).

    The arithmetic has the dtype of X; centroids must have it too.
    """
    n, n_levels, n_variables = X.shape
    n_columns = centroids.shape[1]
    lane = np.empty((n_levels, n_variables, LANE), X.dtype)
    previous = np.empty((n_columns + 1, LANE), X.dtype)
    current = np.empty((n_columns + 1, LANE), X.dtype)
    cost = np.empty(LANE, X.dtype)
    for start in range(0, n, LANE):
        width = min(LANE, n - start)
        for w in range(LANE):
            # the last lane repeats its last profile
            row = start + min(w, width - 1)
            for i in range(n_levels):
                for v in range(n_variables):
                    lane[i, v, w] = X[row, i, v]
        for k in range(centroids.shape[0]):
            last = _lane_distances(lane, centroids[k], previous, current, cost)
            for w in range(width):
                out[start + w, k] = last[n_columns, w]


@njit(nogil=True, cache=True)
def sum_along_path(profile, centroid, total, sums, mass):  # type: ignore[no-untyped-def]
    """Add a profile (L, V) to sums (M, V) and mass (M,) along its warping path to the centroid.

    total (L + 1, M + 1) float64 is scratch. On ties the path goes diagonally, then along the
    profile, as tslearn's does. Returns the squared distance.
    """
    n_levels, n_variables = profile.shape
    n_columns = centroid.shape[0]
    total[:] = _FAR
    total[0, 0] = 0.0
    for i in range(n_levels):
        for j in range(n_columns):
            cost = 0.0
            for v in range(n_variables):
                difference = np.float64(profile[i, v]) - np.float64(centroid[j, v])
                cost += difference * difference
            total[i + 1, j + 1] = cost + min(total[i, j + 1], total[i + 1, j], total[i, j])
    i, j = n_levels, n_columns
    while i > 0 and j > 0:
        for v in range(n_variables):
            sums[j - 1, v] += profile[i - 1, v]
        mass[j - 1] += 1.0
        diagonal, up, left = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
        if diagonal <= up and diagonal <= left:
            i -= 1
            j -= 1
        elif up <= left:
            i -= 1
        else:
            j -= 1
    return total[n_levels, n_columns]


@njit(nogil=True, cache=True)
def warp_and_sum(X, centroids, labels, sums, mass, inertia):  # type: ignore[no-untyped-def]
    """Add every profile of X (n, L, V) along its path to the centroid labels[i] of (K, M, V).

    Adds to sums (K, M, V), mass (K, M) and inertia (K,); a profile labelled −1 is passed over.
    """
    n, n_levels, _ = X.shape
    total = np.empty((n_levels + 1, centroids.shape[1] + 1))
    for i in range(n):
        k = labels[i]
        if k >= 0:
            inertia[k] += sum_along_path(X[i], centroids[k], total, sums[k], mass[k])
