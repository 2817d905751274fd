"""Which centroids are missed least, from squared distances under any metric."""

from __future__ import annotations

import numpy as np

from xvcluster.kernels.compiling import compiled


@compiled()
def leave_out(squared, k, left):  # type: ignore[no-untyped-def]
    """Leave out columns until k are left, each time the one whose loss costs the least.

    squared (n, K) are weighted squared distances of profiles to centroids; left (K,) says which
    of the centroids are left. A loss costs what its profiles are farther from the next centroid.
    """
    n, K = squared.shape
    costs = np.empty(K)
    for _ in range(K - k):
        costs[:] = 0.0
        for i in range(n):
            own, nearest, next_nearest = 0, np.inf, np.inf
            for c in range(K):
                if left[c] and squared[i, c] < nearest:
                    own, nearest, next_nearest = c, squared[i, c], nearest
                elif left[c] and squared[i, c] < next_nearest:
                    next_nearest = squared[i, c]
            costs[own] += next_nearest - nearest
        costs[~left] = np.inf
        left[costs.argmin()] = False
