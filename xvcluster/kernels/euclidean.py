"""Euclidean distances of profiles to centroids, on plain arrays."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _nearest(products, half_norms, least, labels):  # type: ignore[no-untyped-def]
    """Nearest of k centroids for n rows side by side, into labels (n,).

    products (k, n) = x·c; half_norms (k,) = |c|² / 2; least (n,) takes |c|² / 2 − x·c.
    """
    row, half = products[0], half_norms[0]
    for i in range(least.size):
        least[i] = half - row[i]
        labels[i] = 0
    for j in range(1, half_norms.size):
        row, half, label = products[j], half_norms[j], np.int32(j)
        for i in range(least.size):
            score = half - row[i]
            nearer = score < least[i]
            labels[i] = label if nearer else labels[i]
            least[i] = score if nearer else least[i]


@njit(nogil=True, cache=True)
def _move(X, labels, held, sums, counts):  # type: ignore[no-untyped-def]
    """Move the rows of X (n, F) whose cluster changed from held to labels (n,); −1 is none."""
    for i in range(labels.size):
        new, old = labels[i], held[i]
        if new != old:
            counts[new] += 1.0
            for f in range(X.shape[1]):
                sums[new, f] += X[i, f]
            if old >= 0:
                counts[old] -= 1.0
                for f in range(X.shape[1]):
                    sums[old, f] -= X[i, f]
            held[i] = new


@njit(nogil=True, cache=True)
def assign_and_move(X, norms, products, half_norms, first, active, held, sums, counts, inertia):  # type: ignore[no-untyped-def]
    """Assign the rows of a block to every active run's nearest centroid, and keep its sums.

    X (n, F) with norms (n,) = |x|²; the centroids of all active runs stand one after the other,
    those of run r from first[r] to first[r + 1]: products (K, n) = centroids @ X.T, half_norms (K,)
    = |c|² / 2. The labels of run r are held[active[r]] (n,), −1 before the first pass. Adds the
    change of the members to sums (K, F) and counts (K,), and |x − c|² to inertia (K,), all float64.
    """
    least = np.empty(X.shape[0], X.dtype)
    labels = np.empty(X.shape[0], np.int32)
    for r in range(active.size):
        start, stop = first[r], first[r + 1]
        _nearest(products[start:stop], half_norms[start:stop], least, labels)
        for i in range(labels.size):
            inertia[start + labels[i]] += max(norms[i] + 2.0 * least[i], 0.0)
        _move(X, labels, held[active[r]], sums[start:stop], counts[start:stop])


@njit(nogil=True, cache=True, fastmath=True)
def squared_distances(X, centroids, out):  # type: ignore[no-untyped-def]
    """Squared distances of rows of X (n, F) to centroids (k, F), in float64, into out (n, k)."""
    for i in range(X.shape[0]):
        for k in range(centroids.shape[0]):
            total = 0.0
            for f in range(X.shape[1]):
                difference = X[i, f] - centroids[k, f]
                total += difference * difference
            out[i, k] = total
