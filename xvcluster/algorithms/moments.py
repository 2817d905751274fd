"""Weighted means and variances of profiles, the same to the bit in whatever parts they are summed.

Values on a coarse grid make ties, which the last bit of a mean breaks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, reduce

import numpy as np

from xvcluster.algorithms.blocks import Block, two_sum
from xvcluster.algorithms.lloyd import threads
from xvcluster.arrays import Array, Float64s, Floats, Indices, Labels

_ROWS = 16384
_SAFE = 2.0**200
"""Squares of values up to this, and down to its inverse, are far from the ends of float64."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums of some profiles, their range, and the mean and the variance that follow.

    Attributes
    ----------
    mass : ndarray, shape (3,)
        Sum of the weights: that of these numbers, each of which holds what rounding left out of the
        one before.
    first, second : ndarray, shape (3, n_levels, n_variables)
        Weighted sums of the values and their squares, as such numbers, in units of 2**exponent.
    low, high : ndarray, shape (n_levels, n_variables)
        Range of the values, in these units.
    exponent : ndarray of int, shape (n_variables,)
        0 unless squares would overflow or vanish.
    """

    mass: Float64s
    first: Float64s
    second: Float64s
    low: Float64s
    high: Float64s
    exponent: Indices

    @classmethod
    def of(cls, block: Block) -> Moments:
        """The moments of a block; profiles without weight are left out."""
        from xvcluster.kernels.moments import add_moments

        block = block.counted()
        shape = block.values.shape[1:]
        exponent = _exponents(block.values)
        values = np.ldexp(block.values, -exponent) if exponent.any() else block.values
        n = int(np.prod(shape))
        flat = values.reshape(len(block), n)
        flat = np.concatenate([flat, np.ones((len(block), 1), flat.dtype)], axis=1)  # for the mass
        first, second = np.zeros((3, n + 1)), np.zeros((3, n + 1))
        low, high = np.full(n + 1, np.inf), np.full(n + 1, -np.inf)
        add_moments(flat, block.weights, first, second, low, high)
        return cls(
            first[:, n].copy(),
            first[:, :n].reshape(3, *shape),
            second[:, :n].reshape(3, *shape),
            low[:n].reshape(shape),
            high[:n].reshape(shape),
            exponent,
        )

    @classmethod
    def join(cls, parts: Iterable[Moments]) -> Moments:
        """The moments of several parts together."""
        return reduce(cls._add, parts)

    def _add(self, other: Moments) -> Moments:
        exponent = np.maximum(self.exponent, other.exponent)
        if not (self.mass.any() and other.mass.any()):
            exponent = self.exponent if self.mass.any() else other.exponent
        one, other = self._in_units(exponent), other._in_units(exponent)
        return Moments(
            _add_exactly(one.mass, other.mass),
            _add_exactly(one.first, other.first),
            _add_exactly(one.second, other.second),
            np.minimum(one.low, other.low),
            np.maximum(one.high, other.high),
            exponent,
        )

    def _in_units(self, exponent: Indices) -> Moments:
        """The same in units of another power of two."""
        step = self.exponent - exponent
        if not step.any():
            return self
        first, low, high = (np.ldexp(part, step) for part in (self.first, self.low, self.high))
        second = np.ldexp(self.second, 2 * step)
        return replace(self, first=first, second=second, low=low, high=high, exponent=exponent)

    @property
    def weight(self) -> float:
        """Sum of the weights."""
        return float(_exact(self.mass)[()])

    @cached_property
    def mean(self) -> Float64s:
        """Weighted mean (n_levels, n_variables) in the units of the values; 0 if nothing counts."""
        mean = _exact(self.first) / (_exact(self.mass)[()] or 1)
        mean = np.where(self.low == self.high, self.low, mean.astype(np.float64))
        return np.ldexp(mean, self.exponent)

    @cached_property
    def variance(self) -> Float64s:
        """Weighted variance around the mean, in units of 4**exponent."""
        weight = _exact(self.mass)[()] or 1
        mean = _exact(self.first) / weight
        variance = (_exact(self.second) / weight - mean**2).astype(np.float64)
        return np.where(self.low == self.high, 0.0, np.maximum(variance, 0.0))


def _add_exactly(one: Float64s, other: Float64s) -> Float64s:
    """Add sums of three numbers (3, ...) each without rounding errors."""
    total, error = two_sum(one[0], other[0])
    middle, rest = two_sum(one[1], other[1])
    middle, more = two_sum(middle, error)
    return np.stack([total, middle, one[2] + other[2] + rest + more])


def _exact(numbers: Float64s) -> Array:
    """Sums of three numbers (3, ...) as fractions."""
    whole = np.vectorize(Fraction, otypes=[object])
    held = [own for own in numbers if own.any()]  # of most sums, rounding left out nothing
    exact: Array = whole(held or numbers[:1]).sum(axis=0)
    return np.asarray(exact, dtype=object)


def _exponents(values: Floats) -> Indices:
    """Power of two of each variable in which squares are safe; 0 of ordinary values."""
    exponents = np.zeros(values.shape[-1], np.intp)
    if values.dtype.itemsize < 8 or not values.size:
        return exponents  # float64 holds the squares of any float32
    peaks = np.abs(values).max(axis=(0, 1))
    odd = (peaks > 0) & np.isfinite(peaks) & ~((peaks > 1.0 / _SAFE) & (peaks < _SAFE))
    exponents[odd] = np.frexp(peaks[odd])[1]
    return exponents


def moments_of(block: Block) -> Moments:
    """The moments of a block, on all cores."""
    parts = [block[i : i + _ROWS] for i in range(0, max(len(block), 1), _ROWS)]
    with threads() as map_blocks:
        return Moments.join(map_blocks(Moments.of, parts))


def moments_by_cluster(block: Block, labels: Labels, k: int) -> list[Moments]:
    """The moments of each of k clusters of a block."""
    return [Moments.of(block[np.flatnonzero(labels == c)]) for c in range(k)]


def join_clusters(parts: Iterable[list[Moments]]) -> list[Moments]:
    """The moments of each cluster from those in several parts."""
    return [Moments.join(own) for own in zip(*parts, strict=True)]
