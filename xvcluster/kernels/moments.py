"""Sums of profiles and of their squares without rounding errors, on plain arrays."""

from __future__ import annotations

from xvcluster.kernels.compiling import compiled

_SPLITTER = 134217729.0  # 2**27 + 1, which cuts a float64 into two halves (Veltkamp)


@compiled()
def _error(product, a, b):  # type: ignore[no-untyped-def]
    """What rounding left out of a product of two float64 (Dekker 1971)."""
    high = a * _SPLITTER
    high = high - (high - a)
    low = a - high
    other_high = b * _SPLITTER
    other_high = other_high - (other_high - b)
    other_low = b - other_high
    error = high * other_high - product
    return ((error + high * other_low) + low * other_high) + low * other_low


@compiled()
def _sum(a, b):  # type: ignore[no-untyped-def]
    """The sum of two float64, and what rounding left out of it (Knuth 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@compiled()
def add_moments(X, weights, first, second, low, high):  # type: ignore[no-untyped-def]
    """Add rows X (n, F) and their squares, by weights (n,), to first and second (3, F), float64.

    Each sum is that of three numbers, of which the last two hold what rounding left out of the one
    before: it does not depend on the order of the rows. Extends the range of the rows
    in low and high (F,).
    """
    n_features = X.shape[1]
    for i in range(X.shape[0]):
        weight = weights[i]
        for f in range(n_features):
            x = float(X[i, f])
            low[f] = min(low[f], x)
            high[f] = max(high[f], x)
            term = weight * x
            rest = _error(term, weight, x)
            first[0, f], error = _sum(first[0, f], term)
            first[1, f], last = _sum(first[1, f], error)
            first[2, f] += last + rest
            square = term * x
            rest = _error(square, term, x) + rest * x
            second[0, f], error = _sum(second[0, f], square)
            second[1, f], last = _sum(second[1, f], error)
            second[1, f], error = _sum(second[1, f], rest)
            second[2, f] += last + error
