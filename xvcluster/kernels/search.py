"""Steps of the search for the best runs, on squared distances under any metric."""

from __future__ import annotations

import numpy as np

from xvcluster.kernels.compiling import compiled


@compiled(fastmath={"nnan", "nsz"})
def _nearest_two(row, c, labels, nearest, next_nearest):  # type: ignore[no-untyped-def]
    """Bring the nearest and next nearest of some centroids up to date with one more, row (n,)."""
    for i in range(row.size):
        value, least = row[i], nearest[i]
        later = value if value > least else least
        next_nearest[i] = later if later < next_nearest[i] else next_nearest[i]
        labels[i] = c if value < least else labels[i]
        nearest[i] = value if value < least else least


@compiled()
def leave_out(squared, weights, first, k, left):  # type: ignore[no-untyped-def]
    """Leave out rows of each run until k are left, each time the one whose loss costs the least.

    squared (K, n) are squared distances of centroids to profiles with some weights (n,), less what
    is the same for all centroids; those of run r are from first[r] to first[r + 1], and left (K,)
    says which of these are left. A loss costs what its profiles are farther from the next centroid.
    """
    K, n = squared.shape
    costs, labels = np.empty(K), np.empty(n, np.int32)
    nearest, next_nearest = np.empty(n, squared.dtype), np.empty(n, squared.dtype)
    for r in range(first.size - 1):
        start, stop = first[r], first[r + 1]
        for _ in range(stop - start - k):
            nearest[:], next_nearest[:], labels[:] = np.inf, np.inf, start
            for c in range(start, stop):
                if left[c]:
                    _nearest_two(squared[c], np.int32(c), labels, nearest, next_nearest)
            costs[:] = 0.0
            for i in range(n):
                costs[labels[i]] += weights[i] * (next_nearest[i] - nearest[i])
            costs[~left] = np.inf
            left[start + costs[start:stop].argmin()] = False
