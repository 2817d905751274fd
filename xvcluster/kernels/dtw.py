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
_OUTSIDE = 1e15  # the value of levels that must not be paired; its square is far
_ALONG_PROFILE, _ALONG_CENTROID = 0, 1  # any other move is diagonal
_ABREAST = 16  # paths that are followed at once
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
def _further(lane, i, centroid, j, costs):  # type: ignore[no-untyped-def]
    """Squared differences of level i of a lane (L, V, W) in all variables but the first, in W."""
    costs[:] = 0.0
    for v in range(1, lane.shape[1]):
        x, c = lane[i, v], centroid[j, v]
        for w in range(costs.size):
            costs[w] += (x[w] - c) * (x[w] - c)


@compiled(fastmath=_FAST)
def _lane_distances(lane, centroid, low, high, best, reached, scratch):  # type: ignore[no-untyped-def]
    """Squared distances (W,) of a lane (L, V, W) to a centroid (M, V), a part of the scratch.

    W is LANE, which the compiler must know. reached (M + 1, W) and scratch (5, W) are of the lane's
    dtype. As soon as all distances exceed the best (W,) known so far, the search ends, and they
    are set to a value that is too large.

    Two levels of the profiles are computed at once, so that few values need to be fetched.
    """
    n_levels, several = lane.shape[0], lane.shape[1] > 1
    diagonal, upper, lower = scratch[0], scratch[1], scratch[2]
    of_upper, of_lower = scratch[3], scratch[4]
    reached[:] = _FAR
    reached[0] = 0.0
    for i in range(0, n_levels, 2):
        below = min(i + 1, n_levels - 1)
        first, stop = low[i], high[below]
        diagonal[:] = reached[first]
        upper[:] = _FAR
        lower[:] = _FAR
        x, y = lane[i, 0], lane[below, 0]
        for j in range(first, stop):
            c = centroid[j, 0] if j < high[i] else centroid.dtype.type(_OUTSIDE)
            d = centroid[j, 0] if j >= low[below] else centroid.dtype.type(_OUTSIDE)
            above = reached[j + 1]
            if several:
                _further(lane, i, centroid, j, of_upper)
                _further(lane, below, centroid, j, of_lower)
            for w in range(LANE):
                corner, up, left, left_below = diagonal[w], above[w], upper[w], lower[w]
                here = min(corner, up, left) + (x[w] - c) * (x[w] - c)
                here = here + of_upper[w] if several else here
                under = min(left, here, left_below) + (y[w] - d) * (y[w] - d)
                under = under + of_lower[w] if several else under
                diagonal[w] = up
                upper[w] = here
                lower[w] = under
                above[w] = under
        reached[first] = _FAR
        if i % 16 == 14 and i + 1 < n_levels and _is_beaten(reached[first + 1 : stop + 1], best):
            lower[:] = _FAR
            return lower
    return upper if n_levels % 2 else lower


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
    reached = np.empty((n_columns + 1, LANE), X.dtype)
    scratch = np.empty((5, LANE), X.dtype)
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
                last = _lane_distances(lane, centroids[k], low, high, best, reached, scratch)
                for w in range(chosen.size):
                    distance, row = last[w], chosen[w]
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
    reached = np.empty((n_columns + 1, LANE), X.dtype)
    scratch = np.empty((5, LANE), X.dtype)
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
            last = _lane_distances(lane, centroids[k], low, high, best, reached, scratch)
            for w in range(rows.size):
                out[start + w, k] = last[w]


@compiled(fastmath=_FAST)
def _lane_paths(lane, centroid, low, high, reached, scratch, moves):  # type: ignore[no-untyped-def]
    """As `_lane_distances`; also writes the moves into each cell to moves (⌈L/2⌉, M, W), int8.

    They have two bits for each of two levels: _ALONG_PROFILE, _ALONG_CENTROID, or else diagonal.
    """
    n_levels, several = lane.shape[0], lane.shape[1] > 1
    diagonal, upper, lower = scratch[0], scratch[1], scratch[2]
    of_upper, of_lower = scratch[3], scratch[4]
    reached[:] = _FAR
    reached[0] = 0.0
    for i in range(0, n_levels, 2):
        below = min(i + 1, n_levels - 1)
        first, stop = low[i], high[below]
        diagonal[:] = reached[first]
        upper[:] = _FAR
        lower[:] = _FAR
        x, y = lane[i, 0], lane[below, 0]
        for j in range(first, stop):
            c = centroid[j, 0] if j < high[i] else centroid.dtype.type(_OUTSIDE)
            d = centroid[j, 0] if j >= low[below] else centroid.dtype.type(_OUTSIDE)
            above, move = reached[j + 1], moves[i // 2, j]
            if several:
                _further(lane, i, centroid, j, of_upper)
                _further(lane, below, centroid, j, of_lower)
            for w in range(LANE):
                corner, up, left, left_below = diagonal[w], above[w], upper[w], lower[w]
                least = min(up, left)
                into_upper = np.int8(up > left) + np.int8(2) * np.int8(corner <= least)
                here = min(corner, least) + (x[w] - c) * (x[w] - c)
                here = here + of_upper[w] if several else here
                least = min(here, left_below)
                into_lower = np.int8(here > left_below) + np.int8(2) * np.int8(left <= least)
                under = min(left, least) + (y[w] - d) * (y[w] - d)
                under = under + of_lower[w] if several else under
                move[w] = into_upper + np.int8(4) * into_lower
                diagonal[w] = up
                upper[w] = here
                lower[w] = under
                above[w] = under
        reached[first] = _FAR
    return upper if n_levels % 2 else lower


@compiled()
def _follow_paths(lane, start, stop, moves, at, paired, numbers):  # type: ignore[no-untyped-def]
    """Sum profiles start…stop of a lane (L, V, W) along their paths.

    Writes to paired (n, M, V) and numbers (n, M) what each level of the centroid is paired with.
    The paths are followed side by side from their ends to their starts, which hides the latency of
    each step; at (n, 2) is scratch for their positions.
    """
    n, n_columns = stop - start, numbers.shape[1]
    paired[:n] = 0.0
    numbers[:n] = 0.0
    for w in range(n):
        at[w, 0], at[w, 1] = lane.shape[0] - 1, n_columns - 1
    under_way = True
    while under_way:
        under_way = False
        for w in range(n):
            i, j = at[w, 0], at[w, 1]
            if i < 0 or j < 0:
                continue
            under_way = True
            for v in range(lane.shape[1]):
                paired[w, j, v] += lane[i, v, start + w]
            numbers[w, j] += 1.0
            move = (moves[i // 2, j, start + w] >> (2 * (i % 2))) & 3
            # no branches, which the processor could not predict
            at[w, 0] = i - (move != _ALONG_CENTROID)
            at[w, 1] = j - (move != _ALONG_PROFILE)


@compiled()
def _add_exactly(weight, values, sums, rest):  # type: ignore[no-untyped-def]
    """Add weighted values (m,) to sums (m,), and what rounding leaves out to rest (m,)."""
    for j in range(values.size):
        term = weight * values[j]
        total = sums[j] + term
        part = total - sums[j]
        rest[j] += (sums[j] - (total - part)) + (term - part)
        sums[j] = total


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
    reached = np.empty((n_columns + 1, LANE), X.dtype)
    scratch = np.empty((5, LANE), X.dtype)
    moves = np.empty((-(-n_levels // 2), n_columns, LANE), np.int8)
    at = np.empty((_ABREAST, 2), np.intp)
    paired = np.empty((_ABREAST, n_columns, n_variables))
    numbers = np.empty((_ABREAST, n_columns))
    for k in range(centroids.shape[0]):
        for start in range(first[k], first[k + 1], LANE):
            rows = order[start : min(start + LANE, first[k + 1])]
            _load(X, rows, lane)
            squared = _lane_paths(lane, centroids[k], low, high, reached, scratch, moves)
            for w in range(rows.size):
                inertia[k] += weights[rows[w]] * squared[w]
            for begin in range(0, rows.size, _ABREAST):
                end = min(begin + _ABREAST, rows.size)
                _follow_paths(lane, begin, end, moves, at, paired, numbers)
                for w in range(begin, end):
                    weight, own = weights[rows[w]], w - begin
                    _add_exactly(weight, paired[own].ravel(), sums[k].ravel(), rest[k].ravel())
                    _add_exactly(weight, numbers[own], mass[k], rest_mass[k])


@compiled()
def _sort(labels, order, first):  # type: ignore[no-untyped-def]
    """Sort positions by label, into order (n,); those of label k start at first[k] of (k + 1,)."""
    first[:] = 0
    for k in labels:
        first[k + 1] += 1
    first[:] = np.cumsum(first)
    place = first[:-1].copy()
    for row in range(labels.size):
        order[place[labels[row]]] = row
        place[labels[row]] += 1


@compiled()
def settle(  # type: ignore[no-untyped-def]
    X, weights, C, first, low, high, tol, max_iter, stride, held, sums, mass, inertia, n_iter, shift
):
    """Let the centroids C (K, M, V) of several runs settle on profiles X (n, L, V).

    As `settle` of the Euclidean kernels, except that sums (K, M, V) and mass (K, M) are made anew
    in each pass, and that each step goes as far as `stride` times the distance to the means.
    """
    guess, order = np.empty(len(X), np.int32), np.empty(len(X), np.intp)
    squared = np.empty(len(X), X.dtype)
    for r in range(len(shift)):
        own, k = C[first[r] : first[r + 1]], first[r + 1] - first[r]
        own_sums, own_mass = sums[first[r] : first[r + 1]], mass[first[r] : first[r + 1]]
        rest, rest_mass = np.empty(own_sums.shape), np.empty(own_mass.shape)
        members, of_each = np.empty(k + 1, np.intp), np.empty(k)
        rounded, is_empty = np.empty(own.shape, X.dtype), False
        while shift[r] > tol and n_iter[r] < max_iter and not is_empty:
            rounded[:], guess[:] = own, held[r]
            nearest(X, rounded, low, high, guess, held[r], squared)
            _sort(held[r], order, members)
            own_sums[:], own_mass[:], rest[:], rest_mass[:], of_each[:] = 0.0, 0.0, 0.0, 0.0, 0.0
            warp_and_sum(
                X, weights, rounded, low, high, order, members,
                own_sums, own_mass, of_each, rest, rest_mass,
            )  # fmt: skip
            inertia[r], shift[r], n_iter[r] = of_each.sum(), 0.0, n_iter[r] + 1
            for j in range(k):
                is_empty = is_empty or own_mass[j, 0] == 0.0
                for m in range(own.shape[1]):
                    if own_mass[j, m] > 0.0:
                        step = stride * (own_sums[j, m] / own_mass[j, m] - own[j, m])
                        shift[r] += (step**2).sum()
                        own[j, m] += step
