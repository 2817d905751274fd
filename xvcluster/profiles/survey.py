"""The first pass over chunks: how many profiles there are, their mean, and a sample of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.moments import Moments
from xvcluster.algorithms.source import Priorities, choose, priorities
from xvcluster.arrays import Array, Indices, Integers
from xvcluster.grid.missing import Extremes, find_extremes
from xvcluster.profiles.memory import STATUS, count_complete
from xvcluster.profiles.reading import Place, Reading, status_of


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Profiles drawn at random, by their place in the grid and a seed alone.

    Attributes
    ----------
    points : ndarray, shape (n,)
        Their places, ascending.
    priority : ndarray, shape (n,)
        Random numbers; see `choose`.
    block : Block
    """

    points: Indices
    priority: Priorities
    block: Block

    @classmethod
    def of(
        cls, points: Indices, block: Block, *, seed: int, size: int, n_points: int = 0
    ) -> Sample:
        """Draw at most `size` of the profiles at some points; see `choose`."""
        priority = priorities(points, seed)
        kept = choose(priority, size, n_points)
        return cls(points[kept], priority[kept], block[kept])

    @classmethod
    def join(cls, parts: Iterable[Sample], size: int) -> Sample:
        """The sample of all profiles from those of parts of them."""
        parts = list(parts)
        points = np.concatenate([part.points for part in parts])
        priority = np.concatenate([part.priority for part in parts])
        kept = choose(priority, size)
        kept = kept[np.argsort(points[kept], kind="stable")]
        return cls(points[kept], priority[kept], join_blocks(p.block for p in parts)[kept])


def join_blocks(blocks: Iterable[Block]) -> Block:
    """The profiles of several blocks, one block after the other."""
    values, weights = zip(*((block.values, block.weights) for block in blocks), strict=True)
    return Block(np.concatenate(values), np.concatenate(weights))


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is known of the profiles of some or all chunks.

    Attributes
    ----------
    extremes : tuple of Extremes
        Of each variable.
    status : ndarray, shape (4,)
        Number of points of each `STATUS`.
    completeness : ndarray, shape (4,)
        See `count_complete`.
    unweighted : int
        Number of complete profiles whose weight is NaN.
    moments : Moments
        Of the complete profiles.
    sample : Sample
        Of the complete profiles, not scaled.
    """

    extremes: tuple[Extremes, ...]
    status: Integers
    completeness: Integers
    unweighted: int
    moments: Moments
    sample: Sample

    @property
    def n_profiles(self) -> int:
        """Number of complete profiles."""
        return int(self.status[0])

    @classmethod
    def join(cls, parts: Iterable[Survey], size: int) -> Survey:
        """The survey of several parts together, with a sample of at most `size` profiles."""
        parts = list(parts)
        return cls(
            tuple(map(Extremes.join, zip(*(part.extremes for part in parts), strict=True))),
            np.sum([part.status for part in parts], axis=0),
            np.sum([part.completeness for part in parts], axis=0),
            sum(part.unweighted for part in parts),
            Moments.join(part.moments for part in parts),
            Sample.join((part.sample for part in parts), size),
        )


def survey(
    chunk: Array, place: Place, reading: Reading, *, seed: int, size: int, n_points: int
) -> Survey:
    """Survey one chunk (n_variables, n_levels, *horizontal); for the sample see `choose`."""
    taken, points = place.taken(), place.points()
    columns, refused = reading.clean(chunk)
    nothing = np.zeros(0, np.intp), np.zeros((0, chunk.shape[1], chunk.shape[0]), reading.dtype)
    moments, samples, unweighted = [], [], 0
    for at, values in chain([nothing], reading.cut(columns, taken)):
        block = Block(values, place.weights_at(at))
        unweighted += int(np.isnan(block.weights).sum())
        moments.append(Moments.of(block))
        samples.append(Sample.of(points[at], block, seed=seed, size=size, n_points=n_points))
    extremes = (
        find_extremes(array.values if invalid is None else array.where(~invalid).values)
        for array, invalid in reading.declared(chunk)
    )
    status = np.bincount(status_of(columns, refused)[taken], minlength=len(STATUS))
    complete = count_complete([np.isnan(column[:, taken]) for column in columns])
    joined = Moments.join(moments), Sample.join(samples, size)
    return Survey(tuple(extremes), status, complete, unweighted, *joined)
