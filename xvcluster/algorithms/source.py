"""Sources of profiles for a fit: an array in memory, or anything that can be passed over.

Which profiles are drawn as a sample depends on nothing but their place in the grid and the seed, so
that an array and its chunks, in any order, give the same sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.lloyd import BLOCK_ROWS, threads
from xvcluster.arrays import Indices

T = TypeVar("T")
Priorities = npt.NDArray[np.uint64]

_SAMPLE_BYTES = 2**26
_LEAST_SAMPLE, _MOST_SAMPLE = 2**14, 2**18
_SPARE = 2


class Source(Protocol):
    """Scaled profiles, in memory or not."""

    @property
    def n_profiles(self) -> int:
        """Number of profiles."""

    @property
    def sample(self) -> Block:
        """Some of the profiles in canonical order; all if there are few."""

    def total(self, step: Callable[[Block], T], join: Callable[[Iterable[T]], T]) -> T:
        """Apply a step to all profiles, block by block, and join the outcomes in a fixed order."""


@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """A source of profiles that are held in an array."""

    profiles: Block
    sample: Block

    @classmethod
    def of(cls, profiles: Block, drawn: Indices | None = None) -> InMemory:
        """Make a source of profiles, with a sample at some positions; by default, all."""
        if drawn is None or drawn.size == len(profiles):
            return cls(profiles, profiles)
        return cls(profiles, profiles[drawn])

    @property
    def n_profiles(self) -> int:
        """Number of profiles."""
        return len(self.profiles)

    def total(self, step: Callable[[Block], T], join: Callable[[Iterable[T]], T]) -> T:
        """Apply a step to all profiles, block by block, and join the outcomes in order."""
        starts = range(0, len(self.profiles), BLOCK_ROWS)
        blocks = (self.profiles[start : start + BLOCK_ROWS] for start in starts)
        with threads() as map_blocks:
            return join(map_blocks(step, blocks))


def sample_size(shape: tuple[int, ...], dtype: np.dtype[np.floating]) -> int:
    """Maximum number of profiles (n_levels, n_variables) in a sample, so that it stays small."""
    return int(
        np.clip(_SAMPLE_BYTES // (np.prod(shape) * dtype.itemsize), _LEAST_SAMPLE, _MOST_SAMPLE)
    )


def priorities(points: npt.NDArray[np.integer], seed: int) -> Priorities:
    """Random number of each point of a grid, from its place and the seed alone (splitmix64).

    References
    ----------
    Steele, G. L., Lea, D. & Flood, C. H. (2014). Fast splittable pseudorandom number generators.
    OOPSLA '14. https://doi.org/10.1145/2660193.2660195
    """
    z = points.astype(np.uint64) + np.uint64(1) + np.uint64(seed)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    drawn: Priorities = z ^ (z >> np.uint64(31))
    return drawn


def choose(priority: Priorities, size: int, n_points: int = 0) -> Indices:
    """Positions, ascending, of up to `size` profiles with the lowest priorities.

    Parameters
    ----------
    priority : ndarray of uint64, shape (n,)
    size : int
    n_points : int, optional
        Number of profiles in all chunks together, if these are those of one chunk. No chunk can
        know which of its profiles will have the lowest priorities of all, so that candidates are
        those whose priority is low enough for an expected total of twice `size`.
    """
    limit = 2**64 - 1
    if n_points > _SPARE * size:
        limit = int(_SPARE * size / n_points * 2.0**64)
    candidates = np.flatnonzero(priority <= np.uint64(limit))
    if candidates.size > size:
        least = np.argpartition(priority[candidates], size)[:size]
        candidates = np.sort(candidates[least])
    return candidates
