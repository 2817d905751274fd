"""The first pass over chunks: how many profiles, their mean and ends, and a sample of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.algorithms.source import Priorities, choose, priorities
from xvcluster.arrays import Array, Float64s, Floats, Indices, Integers
from xvcluster.grid.missing import Extremes, find_extremes
from xvcluster.profiles.memory import STATUS, require_weights
from xvcluster.profiles.reading import Place, Reading, status_of


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is known of some or all chunks.

    Attributes
    ----------
    extremes : tuple of Extremes
        Of each variable.
    status : ndarray, shape (4,)
        Points of each `STATUS`.
    weight : float
        Of the complete profiles.
    mean, variance : ndarray, shape (n_levels, n_variables)
        Of the complete profiles, by their weights.
    low, high : ndarray, shape (n_levels, n_variables)
        Their least and greatest values.
    points, priority : ndarray, shape (n,)
        Of the sample, ascending places and random numbers.
    rows : ndarray, shape (n, n_levels, n_variables)
        The sample, not scaled.
    weights : ndarray, shape (n,)
        Of the sample.
    """

    extremes: tuple[Extremes, ...]
    status: Integers
    weight: float
    mean: Float64s
    variance: Float64s
    low: Float64s
    high: Float64s
    points: Indices
    priority: Priorities
    rows: Floats
    weights: Float64s

    @property
    def n_profiles(self) -> int:
        """Number of complete profiles."""
        return int(self.status[0])

    @classmethod
    def join(cls, parts: Iterable[Survey], size: int) -> Survey:
        """What is known of several parts together (Chan, Golub & LeVeque 1983)."""
        parts = list(parts)
        status = np.sum([part.status for part in parts], axis=0)
        weight = float(sum(part.weight for part in parts))
        shares = np.array([part.weight / weight if weight else 0.0 for part in parts])
        means = np.stack([part.mean for part in parts])
        with np.errstate(over="ignore", invalid="ignore"):  # as in `survey`
            first = means[np.argmax(shares > 0)]  # so that what is constant is so exactly
            mean = first + np.tensordot(shares, means - first, 1)
            within = np.stack([part.variance for part in parts])
            variance = np.tensordot(shares, within + (means - mean) ** 2, 1)
        points, priority, rows, weights = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("points", "priority", "rows", "weights")
        )
        kept = choose(priority, size)
        kept = kept[np.argsort(points[kept], kind="stable")]
        return cls(
            tuple(map(Extremes.join, zip(*(part.extremes for part in parts), strict=True))),
            status,
            weight,
            mean,
            variance,
            np.min([part.low for part in parts], axis=0),
            np.max([part.high for part in parts], axis=0),
            points[kept],
            priority[kept],
            rows[kept],
            weights[kept],
        )


def survey(
    chunk: Array, place: Place, reading: Reading, seed: int, n_points: int, size: int
) -> Survey:
    """Survey one chunk (n_variables, n_levels, *horizontal); `choose` tells what is drawn."""
    extremes = tuple(
        find_extremes(array.values if invalid is None else array.where(~invalid).values)
        for array, invalid in reading.declared(chunk)
    )
    taken, points = place.taken(), place.points()
    columns, refused = reading.clean(chunk)
    status = np.bincount(status_of(columns, refused)[taken], minlength=len(STATUS))
    shape = (chunk.shape[1], chunk.shape[0])
    empty = Survey(
        extremes,
        status * 0,
        0.0,
        np.zeros(shape),
        np.zeros(shape),
        np.full(shape, np.inf),
        np.full(shape, -np.inf),
        np.zeros(0, dtype=np.intp),
        np.zeros(0, dtype=np.uint64),
        np.zeros((0, *shape), dtype=reading.dtype),
        np.zeros(0),
    )
    pieces = [empty]
    for at, block in reading.cut(columns, taken):
        weights = place.weights_at(at)
        require_weights(weights)
        with np.errstate(over="ignore", invalid="ignore"):  # fills not known yet, and infinities
            weighed = Block(block, weights).counted()
            mean, variance = weighed.moments() if len(weighed) else (np.zeros(shape),) * 2
        priority = priorities(points[at], seed)
        drawn = choose(priority, size, n_points)
        pieces.append(
            Survey(
                extremes,
                np.array([len(block), 0, 0, 0]),
                float(weights.sum()),
                mean,
                variance,
                block.min(axis=0).astype(np.float64),
                block.max(axis=0).astype(np.float64),
                points[at][drawn],
                priority[drawn],
                block[drawn],
                weights[drawn],
            )
        )
    whole = Survey.join(pieces, size)
    return Survey(extremes, status, *(getattr(whole, n) for n in Survey.__slots__[2:]))
