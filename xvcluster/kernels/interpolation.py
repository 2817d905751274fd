"""Linear interpolation of profiles that each have levels of their own, on plain arrays."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _gather(values, own, x, y):  # type: ignore[no-untyped-def]
    """Copy the valid points of a profile to x and y in ascending order, and count them.

    Points at the same level keep the order in which the profile runs from its low end.
    """
    n = 0
    for i in range(own.size):
        if np.isfinite(own[i]) and np.isfinite(values[i]):
            x[n] = own[i]
            y[n] = values[i]
            n += 1
    if n > 1 and x[0] > x[n - 1]:
        x[:n] = x[:n][::-1].copy()
        y[:n] = y[:n][::-1].copy()
    for i in range(1, n):
        if x[i] < x[i - 1]:
            order = np.argsort(x[:n], kind="mergesort")
            x[:n] = x[:n][order]
            y[:n] = y[:n][order]
            break
    return n


@njit(nogil=True, cache=True)
def _at(t, j, n, x, y, max_gap):  # type: ignore[no-untyped-def]
    """The value at t of n points, of which j is the last one that is not above it."""
    if j == n - 1 or x[j] == t:
        return y[j]
    width = x[j + 1] - x[j]
    weight = np.round((t - x[j]) / width, 12)
    if weight == 0.0:
        return y[j]
    if weight == 1.0:
        return y[j + 1]
    if width > max_gap:
        return np.nan
    return y[j] + weight * (y[j + 1] - y[j])


@njit(nogil=True, cache=True)
def interpolate_rows(values, own, levels, max_gap, rounding, out):  # type: ignore[no-untyped-def]
    """Interpolate the rows of values (n, m) at own (n, m) to ascending levels (l,), into (n, l).

    Only finite points count. A level is NaN beyond the first and the last of these, unless only
    rounding, a relative error, puts it there; and between two more than max_gap apart. Of several
    values at one level, the last counts at it.
    """
    x, y = np.empty(own.shape[1]), np.empty(own.shape[1])
    for row in range(values.shape[0]):
        n = _gather(values[row], own[row], x, y)
        j = -1
        for i in range(levels.size):
            out[row, i] = np.nan
            if n == 0:
                continue
            t = levels[i]
            slack = rounding * abs(t)
            if x[0] - slack <= t < x[0]:
                t = x[0]
            elif x[n - 1] < t <= x[n - 1] + slack:
                t = x[n - 1]
            while j < n - 1 and x[j + 1] <= t:
                j += 1
            if j >= 0 and t <= x[n - 1]:
                out[row, i] = _at(t, j, n, x, y, max_gap)
