"""Dynamic time warping between profiles and centroids, on plain arrays.

The squared distance is the least sum of squared differences along a path that pairs the levels of
both monotonically, first with first and last with last (Sakoe & Chiba 1978). Level i of a profile
may be paired with the levels low[i] ≤ j < high[i] of a centroid. The profiles of a lane are
computed side by side, which hides the latency of the recurrence.
"""

from __future__ import annotations

import numpy as np

from xvcluster.kernels.compiling import compiled

LANE = 64
_FAR = 1e30
_MOVES = 16  # moves of two bits each in an int32
_DIAGONAL, _ALONG_PROFILE, _ALONG_CENTROID = 0, 1, 2
_FAST = {"nnan", "nsz", "contract"}


@compiled(fastmath=_FAST)
def _is_beaten(row, best):  # type: ignore[no-untyped-def]
    """Whether all paths of all profiles of a lane are longer already than their best distances."""
    for w in range(best.size):
        for j in range(row.shape[0]):
            if row[j, w] <= best[w]:
                return False
    return True


@compiled(fastmath=_FAST)
def _lane_distances(lane, centroid, low, high, best, previous, current):  # type: ignore[no-untyped-def]
    """Squared distances of a lane (L, V, W) to a centroid (M, V).

    W is LANE, which the compiler must know. previous and current (M + 1, W) are scratch of the
    lane's dtype; the one whose last row holds the distances is returned. As soon as all of them
    exceed the best (W,) known so far, the search ends, and they are set to a value that is too
    large.
    """
    n_columns = centroid.shape[0]
    previous[:] = _FAR
    previous[0] = 0.0
    for i in range(lane.shape[0]):
        current[low[i]] = _FAR
        for j in range(low[i], high[i]):
            x, c = lane[i, 0], centroid[j, 0]
            diagonal, up, left, here = previous[j], previous[j + 1], current[j], current[j + 1]
            for w in range(LANE):
                least = up[w] if up[w] < left[w] else left[w]
                least = diagonal[w] if diagonal[w] < least else least
                here[w] = least + (x[w] - c) * (x[w] - c)
            for v in range(1, lane.shape[1]):
                x, c = lane[i, v], centroid[j, v]
                for w in range(LANE):
                    here[w] += (x[w] - c) * (x[w] - c)
        # the next row may read as far as its own band
        current[high[i] + 1 : high[min(i + 1, lane.shape[0] - 1)] + 1] = _FAR
        if i % 16 == 15 and _is_beaten(current[low[i] + 1 : high[i] + 1], best):
            current[n_columns] = _FAR
            return current
        previous, current = current, previous
    return previous


@compiled()
def _load(X, rows, lane):  # type: ignore[no-untyped-def]
    """Put profiles X[rows] (n ≤ W, L, V) side by side into a lane (L, V, W); repeat the last."""
    for w in range(lane.shape[2]):
        row = rows[min(w, rows.size - 1)]
        for i in range(lane.shape[0]):
            for v in range(lane.shape[1]):
                lane[i, v, w] = X[row, i, v]


@compiled(fastmath=_FAST)
def _bound(profile, centroid, lower, upper):  # type: ignore[no-untyped-def]
    """Lower bound of the squared distance: exact at the ends, to an envelope (L, V) elsewhere.

    It is reduced by the possible rounding error, so that it never exceeds the computed distance.
    """
    last = profile.shape[0] - 1
    total = profile.dtype.type(0.0)
    for v in range(profile.shape[1]):
        for i in range(1, last):
            above = max(profile[i, v] - upper[i, v], lower[i, v] - profile[i, v])
            above = max(above, profile.dtype.type(0.0))
            total += above * above
        start = profile[0, v] - centroid[0, v]
        total += start * start
        if last:
            end = profile[last, v] - centroid[centroid.shape[0] - 1, v]
            total += end * end
    return total * (1.0 - 4.0 * profile.size * np.finfo(profile.dtype).eps)


@compiled()
def _envelop(centroid, low, high, lower, upper):  # type: ignore[no-untyped-def]
    """Least and greatest value of a centroid (M, V) within reach of each level, into (L, V)."""
    for i in range(lower.shape[0]):
        for v in range(lower.shape[1]):
            lower[i, v] = upper[i, v] = centroid[low[i], v]
            for j in range(low[i] + 1, high[i]):
                lower[i, v] = min(lower[i, v], centroid[j, v])
                upper[i, v] = max(upper[i, v], centroid[j, v])


@compiled()
def nearest(X, centroids, low, high, guess, labels, squared):  # type: ignore[no-untyped-def]
    """Nearest of the centroids (K, M, V) for profiles X (n, L, V), by computing few distances.

    guess (n,) is a likely label of each profile, or −1. Writes labels (n,) and squared (n,). A
    centroid is skipped if its lower bound exceeds the best distance so far (Keogh & Ratanamahatana
    2005). The first of equally near centroids is taken.
    """
    n, n_levels, n_variables = X.shape
    n_columns = centroids.shape[1]
    lane = np.empty((n_levels, n_variables, LANE), X.dtype)
    previous = np.empty((n_columns + 1, LANE), X.dtype)
    current = np.empty((n_columns + 1, LANE), X.dtype)
    best = np.empty(LANE, X.dtype)
    lower = np.empty((n_levels, n_variables), X.dtype)
    upper = np.empty((n_levels, n_variables), X.dtype)
    rows = np.empty(n, np.intp)
    for row in range(n):
        labels[row], squared[row] = 0, _FAR
    for guessed in (True, False):
        for k in range(centroids.shape[0]):
            _envelop(centroids[k], low, high, lower, upper)
            count = 0
            for row in range(n):
                if (guess[row] == k) == guessed and (
                    guessed or _bound(X[row], centroids[k], lower, upper) <= squared[row]
                ):
                    rows[count] = row
                    count += 1
            for start in range(0, count, LANE):
                chosen = rows[start : min(start + LANE, count)]
                _load(X, chosen, lane)
                for w in range(LANE):
                    best[w] = squared[chosen[min(w, chosen.size - 1)]]
                last = _lane_distances(lane, centroids[k], low, high, best, previous, current)
                for w in range(chosen.size):
                    distance, row = last[n_columns, w], chosen[w]
                    if distance < squared[row] or (distance == squared[row] and k < labels[row]):
                        squared[row] = distance
                        labels[row] = k


@compiled()
def squared_distances(X, centroids, low, high, out):  # type: ignore[no-untyped-def]
    """Squared distances of profiles X (n, L, V) to centroids (K, M, V), into out (n, K).

    Centroids must have the dtype of X, in which distances are computed.
    """
    n, n_levels, n_variables = X.shape
    n_columns = centroids.shape[1]
    lane = np.empty((n_levels, n_variables, LANE), X.dtype)
    previous = np.empty((n_columns + 1, LANE), X.dtype)
    current = np.empty((n_columns + 1, LANE), X.dtype)
    best = np.empty(LANE, X.dtype)
    for w in range(LANE):
        best[w] = 2 * _FAR  # never beaten
    all_rows = np.empty(n, np.intp)
    for row in range(n):
        all_rows[row] = row
    for start in range(0, n, LANE):
        rows = all_rows[start : start + LANE]
        _load(X, rows, lane)
        for k in range(centroids.shape[0]):
            last = _lane_distances(lane, centroids[k], low, high, best, previous, current)
            for w in range(rows.size):
                out[start + w, k] = last[n_columns, w]


@compiled(fastmath=_FAST)
def _lane_paths(lane, centroid, low, high, previous, current, moves):  # type: ignore[no-untyped-def]
    """As `_lane_distances`; also writes the two-bit move into each cell to moves (⌈L/16⌉, M, W)."""
    previous[:] = _FAR
    previous[0] = 0.0
    moves[:] = 0
    for i in range(lane.shape[0]):
        digit = np.int32(2 * (i % _MOVES))
        diagonally = np.int32(_DIAGONAL) << digit
        along_profile = np.int32(_ALONG_PROFILE) << digit
        along_centroid = np.int32(_ALONG_CENTROID) << digit
        current[low[i]] = _FAR
        for j in range(low[i], high[i]):
            x, c = lane[i, 0], centroid[j, 0]
            diagonal, up, left, here = previous[j], previous[j + 1], current[j], current[j + 1]
            move = moves[i // _MOVES, j]
            for w in range(LANE):
                least = up[w] if up[w] <= left[w] else left[w]
                straight = along_profile if up[w] <= left[w] else along_centroid
                move[w] |= diagonally if diagonal[w] <= least else straight
                least = diagonal[w] if diagonal[w] <= least else least
                here[w] = least + (x[w] - c) * (x[w] - c)
            for v in range(1, lane.shape[1]):
                x, c = lane[i, v], centroid[j, v]
                for w in range(LANE):
                    here[w] += (x[w] - c) * (x[w] - c)
        current[high[i] + 1 : high[min(i + 1, lane.shape[0] - 1)] + 1] = _FAR
        previous, current = current, previous
    return previous


@compiled()
def _sum_along_paths(lane, weights, moves, at, sums, mass, rest, rest_mass):  # type: ignore[no-untyped-def]
    """Add the first n profiles of a lane (L, V, W), weights (n,), to sums (M, V) and mass (M,).

    What rounding leaves out is added to rest (M, V) and rest_mass (M,).

    The paths are followed side by side from their ends to their starts, which hides the latency of
    each step; at (W, 2) is scratch for their positions.
    """
    n = weights.size
    for w in range(n):
        at[w, 0], at[w, 1] = lane.shape[0] - 1, sums.shape[0] - 1
    under_way = n
    while under_way:
        under_way = 0
        for w in range(n):
            i, j = at[w, 0], at[w, 1]
            if i < 0 or j < 0:
                continue
            under_way += 1
            for v in range(lane.shape[1]):
                term = weights[w] * lane[i, v, w]
                total = sums[j, v] + term
                part = total - sums[j, v]
                rest[j, v] += (sums[j, v] - (total - part)) + (term - part)
                sums[j, v] = total
            total = mass[j] + weights[w]
            part = total - mass[j]
            rest_mass[j] += (mass[j] - (total - part)) + (weights[w] - part)
            mass[j] = total
            move = (moves[i // _MOVES, j, w] >> (2 * (i % _MOVES))) & 3
            # no branches, which the processor could not predict
            at[w, 0] = i - (move != _ALONG_CENTROID)
            at[w, 1] = j - (move != _ALONG_PROFILE)


@compiled()
def warp_and_sum(  # type: ignore[no-untyped-def]
    X, weights, centroids, low, high, order, first, sums, mass, inertia, rest, rest_mass
):
    """Sum profiles X (n, L, V), weights (n,), along the paths to their centroids (K, M, V).

    The members of centroid k are order[first[k] : first[k + 1]]. Adds to sums (K, M, V), mass
    (K, M) and inertia (K,), and what rounding leaves out of the first two to rest and rest_mass,
    all float64. Of equally good moves, the diagonal one is taken first, then the one along the
    profile, as in tslearn.
    """
    n_levels, n_variables = X.shape[1:]
    n_columns = centroids.shape[1]
    lane = np.empty((n_levels, n_variables, LANE), X.dtype)
    previous = np.empty((n_columns + 1, LANE), X.dtype)
    current = np.empty((n_columns + 1, LANE), X.dtype)
    moves = np.empty((-(-n_levels // _MOVES), n_columns, LANE), np.int32)
    at = np.empty((LANE, 2), np.intp)
    for k in range(centroids.shape[0]):
        for start in range(first[k], first[k + 1], LANE):
            rows = order[start : min(start + LANE, first[k + 1])]
            _load(X, rows, lane)
            last = _lane_paths(lane, centroids[k], low, high, previous, current, moves)
            for w in range(rows.size):
                inertia[k] += weights[rows[w]] * last[n_columns, w]
            own = weights[rows]
            _sum_along_paths(lane, own, moves, at, sums[k], mass[k], rest[k], rest_mass[k])
