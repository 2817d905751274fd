"""Sums and histograms of the members of clusters, on plain arrays."""

from __future__ import annotations

from numba import njit


@njit(nogil=True, cache=True)
def add_members(X, weights, labels, centroids, low, per_unit, sums, squares, histogram):  # type: ignore[no-untyped-def]
    """Add rows X (n, F) of weights (n,) to what is known of their clusters, labels (n,).

    sums and squares (k, F) are of differences from the centroids (k, F); histogram (k, F, B) adds
    up the weights of values in bins from low (F,) on, of which there are per_unit (F,) to one unit.
    """
    last = histogram.shape[2] - 1
    for i in range(X.shape[0]):
        k, weight = labels[i], weights[i]
        for f in range(X.shape[1]):
            difference = X[i, f] - centroids[k, f]
            sums[k, f] += weight * difference
            squares[k, f] += weight * difference * difference
            place = int((X[i, f] - low[f]) * per_unit[f])
            histogram[k, f, min(max(place, 0), last)] += weight
