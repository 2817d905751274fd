"""Euclidean distances between profiles and centroids, on plain arrays."""

from __future__ import annotations

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  for matrix products in numba; threads must not load it

from xvcluster.kernels.compiling import compiled

ROWS = 512
"""Number of rows whose products with a group of centroids fit into a core's cache."""
TILE = 256
"""Number of rows that stand side by side, with all of their levels in a core's nearest cache."""


@compiled(fastmath={"nnan", "nsz"})
def _nearest(products, half_norms, least, labels):  # type: ignore[no-untyped-def]
    """Nearest of k centroids for n rows side by side, into labels (n,).

    products (k, n) = x·c; half_norms (k,) = |c|² / 2; |c|² / 2 − x·c is written to least (n,).
    Centroids are compared two at a time, which halves the traffic with least and labels.
    """
    k = half_norms.size
    row, half = products[0], half_norms[0]
    for i in range(least.size):
        least[i] = half - row[i]
        labels[i] = 0
    for j in range(1, k, 2):
        # of an even number, the last one is compared with itself
        after = min(j + 1, k - 1)
        row, half, label = products[j], half_norms[j], np.int32(j)
        next_row, next_half, next_label = products[after], half_norms[after], np.int32(after)
        for i in range(least.size):
            score, next_score = half - row[i], next_half - next_row[i]
            nearer = next_label if next_score < score else label
            score = next_score if next_score < score else score
            labels[i] = nearer if score < least[i] else labels[i]
            least[i] = score if score < least[i] else least[i]


@compiled(fastmath=True)
def _square(X, norms):  # type: ignore[no-untyped-def]
    """Squared norms |x|² of the rows of X (n, F), into norms (n,)."""
    for i in range(X.shape[0]):
        total = X.dtype.type(0.0)
        for f in range(X.shape[1]):
            total += X[i, f] * X[i, f]
        norms[i] = total


@compiled()
def _add(x, weight, sums, rest):  # type: ignore[no-untyped-def]
    """Add a weighted row x (F,) to sums (F,), and what rounding leaves out to rest (F,)."""
    for f in range(x.size):
        term = weight * x[f]
        total = sums[f] + term
        part = total - sums[f]
        rest[f] += (sums[f] - (total - part)) + (term - part)
        sums[f] = total


@compiled()
def _move(X, weights, labels, held, sums, counts):  # type: ignore[no-untyped-def]
    """Move the rows of X (n, F) whose cluster changed from held to labels (n,); −1 means none."""
    for i in range(labels.size):
        new, old = labels[i], held[i]
        if new != old:
            counts[new] += weights[i]
            for f in range(X.shape[1]):
                sums[new, f] += weights[i] * X[i, f]
            if old >= 0:
                counts[old] -= weights[i]
                for f in range(X.shape[1]):
                    sums[old, f] -= weights[i] * X[i, f]
            held[i] = new


@compiled()
def _sum_exactly(X, weights, labels, held, sums, counts, rest, rest_counts):  # type: ignore[no-untyped-def]
    """Add the rows of X (n, F) to the sums of their labels (n,), and what rounding leaves out."""
    one = np.ones(1)
    for i in range(labels.size):
        new = labels[i]
        _add(one, weights[i], counts[new : new + 1], rest_counts[new : new + 1])
        _add(X[i], weights[i], sums[new], rest[new])
        held[i] = new


@compiled()
def assign_and_move(  # type: ignore[no-untyped-def]
    X, weights, C, half_norms, first, groups, active, held, sums, counts, inertia, rest, rest_counts
):
    """Assign the rows of a block to the nearest centroid of every active run, and sum the changes.

    X (n, F) are the rows, weights (n,) their weights; C (K, F) are the centroids of all active runs
    one after the other, those of run r from first[r] to first[r + 1], and half_norms (K,) their
    |c|² / 2. One matrix product serves the runs from groups[g] to groups[g + 1]. The labels of run
    r are held[active[r]] (n,), −1 before the first pass. The changes of the weighted members are
    added to sums (K, F) and counts (K,), and w |x − c|² to inertia (K,), all float64. Unless rest
    is empty, all members are added, and what rounding leaves out is added to rest (K, F) and
    rest_counts (K,).
    """
    widest = 0
    for g in range(groups.size - 1):
        widest = max(widest, first[groups[g + 1]] - first[groups[g]])
    scratch = np.empty(widest * ROWS, X.dtype)
    all_norms, all_least = np.empty(ROWS, X.dtype), np.empty(ROWS, X.dtype)
    all_labels = np.empty(ROWS, np.int32)
    for top in range(0, X.shape[0], ROWS):
        rows, own_weights = X[top : top + ROWS], weights[top : top + ROWS]
        n = rows.shape[0]
        norms, least, labels = all_norms[:n], all_least[:n], all_labels[:n]
        _square(rows, norms)
        for g in range(groups.size - 1):
            low, high = first[groups[g]], first[groups[g + 1]]
            products = scratch[: (high - low) * n].reshape(high - low, n)
            np.dot(C[low:high], rows.T, products)
            for r in range(groups[g], groups[g + 1]):
                start, stop = first[r], first[r + 1]
                own = products[start - low : stop - low]
                _nearest(own, half_norms[start:stop], least, labels)
                for i in range(n):
                    squared = max(norms[i] + 2.0 * least[i], 0.0)
                    inertia[start + labels[i]] += own_weights[i] * squared
                kept = held[active[r], top : top + n]
                own_sums, own_counts = sums[start:stop], counts[start:stop]
                if rest.size:
                    left, left_counts = rest[start:stop], rest_counts[start:stop]
                    _sum_exactly(
                        rows, own_weights, labels, kept, own_sums, own_counts, left, left_counts
                    )
                else:
                    _move(rows, own_weights, labels, kept, own_sums, own_counts)


@compiled(fastmath={"nnan", "nsz", "contract"})
def _multiply(C, columns, products):  # type: ignore[no-untyped-def]
    """Products x·c of k centroids C (k, F) with rows side by side, columns (F, n).

    F is a multiple of four. They are written to the first k of products (k + 1, n). For few
    centroids this is faster than a matrix product of BLAS, which copies both of its factors.
    """
    (k, F), n = C.shape, columns.shape[1]
    for j in range(0, k, 2):
        one, other = C[j], C[min(j + 1, k - 1)]
        row, next_row = products[j], products[j + 1]
        row[:], next_row[:] = 0.0, 0.0
        for f in range(0, F, 4):
            a, b, c, d = one[f], one[f + 1], one[f + 2], one[f + 3]
            e, g, h, p = other[f], other[f + 1], other[f + 2], other[f + 3]
            w, x, y, z = columns[f], columns[f + 1], columns[f + 2], columns[f + 3]
            for i in range(n):
                row[i] = row[i] + a * w[i] + b * x[i] + c * y[i] + d * z[i]
                next_row[i] = next_row[i] + e * w[i] + g * x[i] + h * y[i] + p * z[i]


@compiled(fastmath=True)
def _total(norms, least, weights):  # type: ignore[no-untyped-def]
    """Weighted sum of the squared distances |x|² + 2 least of n rows."""
    total = 0.0
    for i in range(weights.size):
        total += weights[i] * max(norms[i] + 2.0 * least[i], 0.0)
    return total


@compiled()
def _side_by_side(X):  # type: ignore[no-untyped-def]
    """The rows of X (n, F) in tiles of columns (n_tiles, F, TILE), filled up with zeros.

    F is filled up to a multiple of four.
    """
    n, F = X.shape
    tiles = np.zeros((-(-n // TILE), -(-F // 4) * 4, TILE), X.dtype)
    for t in range(len(tiles)):
        rows, tile = X[t * TILE : (t + 1) * TILE], tiles[t]
        for f in range(F):
            for i in range(len(rows)):
                tile[f, i] = rows[i, f]
    return tiles


@compiled()
def settle(  # type: ignore[no-untyped-def]
    X, weights, C, first, least_mass, tol, max_iter, held, sums, counts, inertia, n_iter, shift
):
    """Let the centroids of several runs settle on rows, in as many passes as each run takes.

    X (n, F) are the rows, weights (n,) their weights; C (K, F) are the centroids, those of run r
    from first[r] to first[r + 1]. The labels held (n_runs, n), sums (K, F) and counts (K,) are as
    the last pass left them, −1 and 0 before the first. All of these are brought up to date, with
    the inertia (n_runs,) before the last update, the number of passes n_iter and the last squared
    shift. A cluster of no more mass than `least_mass` is empty. A run ends when its shift is at
    most `tol`, when a cluster is empty, or after `max_iter` passes.
    """
    n, tiles, norms = len(X), _side_by_side(X), np.empty(len(X), X.dtype)
    widest = np.diff(first).max()
    products, half_norms = np.empty((widest + 1, TILE), X.dtype), np.empty(widest, X.dtype)
    least, labels = np.empty(TILE, X.dtype), np.empty(TILE, np.int32)
    rounded = np.zeros((widest, tiles.shape[1]), X.dtype)
    _square(X, norms)
    for r in range(len(shift)):
        own, low = C[first[r] : first[r + 1]], first[r]
        k, is_empty = len(own), False
        own_sums, own_counts = sums[low : low + k], counts[low : low + k]
        while shift[r] > tol and n_iter[r] < max_iter and not is_empty:
            rounded[:k, : X.shape[1]] = own
            _square(rounded[:k], half_norms[:k])
            half_norms *= X.dtype.type(0.5)
            inertia[r] = 0.0
            for t in range(len(tiles)):
                top = t * TILE
                m = min(TILE, n - top)
                _multiply(rounded[:k], tiles[t], products)
                _nearest(products[:k], half_norms[:k], least, labels)
                inertia[r] += _total(norms[top : top + m], least[:m], weights[top : top + m])
                _move(
                    X[top : top + m], weights[top : top + m], labels[:m],
                    held[r, top : top + m], own_sums, own_counts,
                )  # fmt: skip
            shift[r], n_iter[r] = 0.0, n_iter[r] + 1
            for j in range(k):
                if own_counts[j] <= least_mass:
                    own_counts[j], own_sums[j], is_empty = 0.0, 0.0, True
                else:
                    mean = own_sums[j] / own_counts[j]
                    shift[r] += ((mean - own[j]) ** 2).sum()
                    own[j] = mean


@compiled(fastmath=True)
def squared_distances(X, centroids, out):  # type: ignore[no-untyped-def]
    """Squared distances in float64 of rows X (n, F) to centroids (k, F), into out (n, k)."""
    for i in range(X.shape[0]):
        for k in range(centroids.shape[0]):
            total = 0.0
            for f in range(X.shape[1]):
                difference = X[i, f] - centroids[k, f]
                total += difference * difference
            out[i, k] = total


@compiled()
def add_distant(X, weights, C, shares, first, chosen, counts):  # type: ignore[no-untyped-def]
    """Choose rows of X (n, F) as further centroids than C (k, F) by greedy k-means++, many times.

    Candidates are drawn in proportion to their squared distance from the nearest centroid times
    their weights (n,), by random shares (m, trials) of the sum; that which leaves the least inertia
    is chosen (m,). The shares from first[r] to first[r + 1] are those of time r, of which counts[r]
    were needed before all rows are centroids.
    """
    n, k, trials = len(X), len(C), shares.shape[1]
    cumulated, candidates = np.empty(n), np.empty(trials, np.intp)
    rows, inertia = np.empty((trials, X.shape[1])), np.empty(trials)
    to_given, closest = np.empty(n), np.empty(n)
    to_each, squared = np.empty((n, k)), np.empty((n, trials))
    squared_distances(X, C, to_each)
    for i in range(n):
        to_given[i] = weights[i] * to_each[i].min()
    counts[:] = 0
    for r in range(len(counts)):
        closest[:] = to_given
        for step in range(first[r], first[r + 1]):
            total, last = 0.0, -1
            for i in range(n):
                total += closest[i]
                cumulated[i] = total
                last = i if closest[i] > 0.0 else last
            if last < 0:
                break
            for t in range(trials):
                at = np.searchsorted(cumulated, shares[step, t] * total, side="right")
                candidates[t] = min(at, last)
                rows[t] = X[candidates[t]]
            squared_distances(X, rows, squared)
            inertia[:] = 0.0
            for i in range(n):
                for t in range(trials):
                    squared[i, t] = min(closest[i], weights[i] * squared[i, t])
                    inertia[t] += squared[i, t]
            best = inertia.argmin()
            chosen[step] = candidates[best]
            counts[r] += 1
            closest[:] = squared[:, best]
