"""What runs under dynamic time warping begin with: half of the levels, and smooth centroids.

A warping path is as free as the levels are many, so that a barycenter follows the noise of the
profiles it started from, in steps along which others are then paired: a poor minimum, of which
there are many. Means of neighbouring levels have fewer steps, and cost a quarter. Later, runs leave
such minima from centroids that were smoothed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Booleans, Float64s, Floats, Indices

_LEAST_LEVELS = 16  # of half the levels


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """Means of pairs of neighbouring levels, as which profiles are seen; a last level is alone.

    Attributes
    ----------
    n_levels : int
        Number of levels of the profiles.
    """

    n_levels: int

    def look(self, profiles: Block) -> Block:
        """The means of pairs of levels, values (n, ⌈n_levels / 2⌉, n_variables)."""
        sums = np.add.reduceat(profiles.values, self._starts, axis=1)
        sizes = np.diff(self._starts, append=self.n_levels).astype(sums.dtype)
        return Block(sums / sizes[:, None], profiles.weights)

    def back(self, centroids: Floats, shape: tuple[int, ...]) -> Float64s:
        """Centroids (k, *shape) from those of pairs of levels, interpolated between these."""
        at = self._starts + (np.diff(self._starts, append=self.n_levels) - 1) / 2
        level = np.arange(self.n_levels)
        flat = np.moveaxis(centroids, 1, 2).reshape(-1, at.size)
        whole = np.array([np.interp(level, at, each) for each in flat])
        return np.moveaxis(whole.reshape(-1, shape[1], shape[0]), 2, 1)

    def reach(self, reach: Booleans) -> Booleans:
        """Whether any levels of two pairs may be paired, from whether levels may."""
        by_rows = np.logical_or.reduceat(reach, self._starts, axis=0)
        by_both: Booleans = np.logical_or.reduceat(by_rows, self._starts, axis=1)
        return by_both

    @property
    def _starts(self) -> Indices:
        return np.arange(0, self.n_levels, 2)


def halves(n_levels: int) -> Halves | None:
    """Half of the levels; None if there are few anyway."""
    return Halves(n_levels) if n_levels >= 2 * _LEAST_LEVELS else None


def smooth(centroids: Float64s, width: int) -> Float64s:
    """Means of centroids (k, n_levels, n_variables) over `width` levels, an odd number.

    The first and the last level are repeated beyond the ends.
    """
    n_levels, beyond = centroids.shape[1], width // 2
    near = np.arange(n_levels)[:, None] + np.arange(-beyond, beyond + 1)
    smoothed: Float64s = centroids[:, np.clip(near, 0, n_levels - 1)].mean(axis=2)
    return smoothed
