"""How often maps agree as well if one of them is moved: a p-value for the agreement of maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from xvcluster.arrays import Float64s, Floats, Integers
from xvcluster.grid.horizontal import places_of, unit_vectors

Lookup = Callable[[Float64s, Float64s], Floats]
"""From latitudes and longitudes in degrees to labels there, from 1; NaN for none."""
Null = Literal["auto", "rotations", "shifts"]
Report = Callable[[int], None]

_POINTS = 3000
"""At which maps are compared: an adjusted Rand index hardly changes with more."""

_LEAST_POINTS = 100
_MOST_POINTS = 12_000
"""Of the raster around them, so that maps full of gaps have fewer."""

_FINER = 3
"""A raster that is looked up is this many times as fine; odd, so that points keep their place."""

_MOST, _SOME = 0.5, 0.25
"""Shares of the sphere that one map, and both together, cover at least if maps are rotated."""

_REACH = 0.35
"""Longest shift, as a share of the region's width and height: with longer ones, most of a region is
unfolded, and smooth maps differ less from themselves than two maps do."""

_LEAST_OVERLAP = 0.5
"""A moved map must have this share of the points in common with the other that it had in place."""

_FEW = 0.15
"""Mean adjusted Rand index of shifted maps above which a region holds few provinces."""

_SHORT = 0.15
"""By how much less maps agree that are mirrored at the border, as a share of the index and of its
mean: the fewer the provinces, the more. A convention, chosen on 6000 pairs of independent maps."""

_DRAWS = 20
"""Times n maps are drawn until n of them overlap enough."""

_MORE = 1.001
"""Least ratio of a whole overlap to a part of it from which the power of the overlap is found."""

_AT_ONCE = 50

_LEAST = 1e-6
"""Radians, a few metres: no region is narrower."""

_SAID = {
    "rotations": "random rotations of the sphere",
    "shifts": "random shifts and mirror images of the region",
}

_NO_GLOBE = (
    "none: rotated maps overlap too little, as they do unless they cover most of the globe; "
)
_NO_GLOBE += "take null='shifts'"


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What was found by moving a map.

    Attributes
    ----------
    p_value : float
        NaN if it could not be found.
    expected : float
        Mean adjusted Rand index of the moved maps.
    null : str
        How maps were moved, in words; or why they could not be.
    """

    p_value: float
    expected: float
    null: str

    @property
    def comment(self) -> str:
        """Why the p-value may be too small; empty if it should not be."""
        if self.null != _SAID["shifts"] or self.expected <= _FEW:
            return ""
        return (
            "the region holds few provinces, as moved maps have a mean adjusted Rand index of "
            f"{self.expected:.2f}; if they are stripes, p may be too small by a factor of two"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Points of equal area in rows and columns, in a frame of its own on the sphere.

    Attributes
    ----------
    turn : ndarray, shape (3, 3)
        From the axes of the Earth to those of the frame.
    half : (float, float)
        How far it reaches from the frame's origin: in longitude, in radians, and in the sine of
        latitude.
    shape : (int, int)
    """

    turn: Float64s
    half: tuple[float, float]
    shape: tuple[int, int]

    @property
    def points(self) -> Float64s:
        """Unit vectors (n, 3) in the frame."""
        x, y = (
            half * ((np.arange(n) + 0.5) / n * 2.0 - 1.0)
            for half, n in zip(self.half, self.shape[::-1], strict=True)
        )
        lat, lon = np.broadcast_arrays(np.degrees(np.arcsin(y))[:, None], np.degrees(x))
        return unit_vectors(lat, lon).reshape(-1, 3)

    @property
    def spacing(self) -> float:
        """Distance of neighbouring points, in radians."""
        return float(np.sqrt(4.0 * np.prod(self.half) / np.prod(self.shape)))

    def look_up(self, lookup: Lookup) -> Floats:
        """Labels at the points, in one row."""
        return lookup(*places_of(self.points @ self.turn))

    def find(self, x: Float64s, y: Float64s) -> Integers:
        """The nearest point to places in the plane of the raster, which must not lie beyond it."""
        column, row = (
            np.clip((at / half + 1.0) / 2.0 * n, 0, n - 1).astype(np.int64)
            for at, half, n in zip((x, y), self.half, self.shape[::-1], strict=True)
        )
        return row * self.shape[1] + column

    def widened(self, finer: int, reach: float) -> Raster:
        """A raster that is finer, and reaches farther by a share of its width and height."""
        wide, high = self.half
        wanted = wide * (1 + 2 * reach), np.sin(min(np.arcsin(high) * (1 + 2 * reach), np.pi / 2))
        half, size = [], []
        for own, most, end, n in zip(
            self.half, wanted, (np.pi, 1.0), self.shape[::-1], strict=True
        ):
            step = 2.0 * own / (finer * n)
            more = int((min(most, end) - own) / step + 1e-9)
            half.append(own + more * step)
            size.append(finer * n + 2 * more)
        return Raster(self.turn, (half[0], half[1]), (size[1], size[0]))


def compare_with_chance(
    own: Lookup,
    other: Lookup,
    points: Float64s,
    *,
    n: int,
    null: Null,
    seed: np.random.SeedSequence,
    report: Report,
) -> Chance:
    """Find how often a map that is moved at random agrees with another one as well as in place.

    Parameters
    ----------
    own, other : callable
        The two maps.
    points : ndarray, shape (n_points, 3)
        Unit vectors of the places that have a label in the first.
    n : int
        Number of moved maps.
    null : {"auto", "rotations", "shifts"}
    seed : SeedSequence
    report : callable
        Is told how many maps are done.
    """
    if null == "auto":
        null = "rotations" if _is_global(own, other) else "shifts"
    raster = _world(_POINTS) if null == "rotations" else _find_region(own, other, points)
    first, second = raster.look_up(own), raster.look_up(other)
    is_common = np.isfinite(first) & np.isfinite(second)
    if np.count_nonzero(is_common) < _LEAST_POINTS:
        said = "none: the maps have too little in common to be moved"
        return Chance(np.nan, np.nan, _NO_GLOBE if null == "rotations" else said)
    wider = raster.widened(_FINER, _REACH)
    looked_up = [wider.look_up(lookup) for lookup in (other, own)]
    if np.isfinite(looked_up[0]).sum() < np.isfinite(looked_up[1]).sum():
        first, looked_up = second, looked_up[::-1]
    still = Still.of(wider, looked_up[0])
    labels, places = first[is_common].astype(np.int64), raster.points[is_common]
    draw = _draw_rotations if null == "rotations" else partial(_draw_shifts, half=raster.half)
    rng = np.random.default_rng(seed)
    in_place = still.tables(labels, _blur(places[None], wider.spacing, rng))[0]
    moved = _move(still, labels, places, draw, n, rng, report)
    if len(moved) < n:
        said = "none: moved maps overlap too little, as maps full of gaps do"
        return Chance(np.nan, np.nan, _NO_GLOBE if null == "rotations" else said)
    return _rank(_summarize(in_place, in_place)[0], moved, null)


def _rank(in_place: Float64s, moved: Float64s, null: str) -> Chance:
    """Find how many of the moved maps agree as well as the map in place; see `_summarize`."""
    observed, whole = in_place[:2]
    found, totals, fewer, parts = moved.T
    power = _find_power(found, fewer, totals.sum() / max(parts.sum(), 1.0))
    expected = float(found.mean())
    found = found * (totals / whole) ** power
    if null == "shifts":
        found *= 1.0 + _SHORT * max(expected, 0.0)
    n_above = np.count_nonzero(found >= observed - 1e-12)
    return Chance((1 + n_above) / (1 + len(found)), expected, _SAID[null])


def _summarize(tables: Float64s, fewer: Float64s) -> Float64s:
    """Adjusted Rand index and total of each of two kinds of n tables, shape (n, 4)."""
    kinds = [(adjusted_rand(kind), kind.sum(axis=(1, 2))) for kind in (tables, fewer)]
    return np.stack([*kinds[0], *kinds[1]], axis=1)


def _find_power(found: Float64s, fewer: Float64s, ratio: float) -> float:
    """The power of the overlap by which agreements are multiplied, so that their sizes are alike.

    An agreement by chance is in inverse proportion to how many independent pieces two maps have in
    common: to the area if pieces are small (power 1), to nothing if a region is about one (0).

    Parameters
    ----------
    found, fewer : ndarray, shape (n,)
        Agreements of moved maps, and of the same on a part of what they have in common.
    ratio : float
        The whole over the part.
    """
    sizes = [float(np.sqrt(np.mean(values**2))) for values in (found, fewer)]
    if ratio < _MORE or min(sizes) == 0.0:
        return 0.0
    return float(np.clip(np.log(sizes[1] / sizes[0]) / np.log(ratio), 0.0, 1.0))


def adjusted_rand(tables: Float64s) -> Float64s:
    """Adjusted Rand indices of tables of counts (n, k, k_other); 0 if all is in one row or column.

    Examples
    --------
    >>> adjusted_rand(np.array([[[3, 0], [0, 2]], [[2, 2], [2, 2]]])).round(2).tolist()
    [1.0, -0.17]
    """
    total = tables.sum(axis=(1, 2))
    both, rows, columns = (
        (counts * (counts - 1) / 2).reshape(len(tables), -1).sum(axis=1)
        for counts in (tables, tables.sum(axis=2), tables.sum(axis=1))
    )
    expected = rows * columns / np.maximum(total * (total - 1) / 2, 1)
    most = (rows + columns) / 2
    is_varied = most - expected > 1e-9 * most
    index: Float64s = np.divide(
        both - expected, most - expected, out=np.zeros(len(tables)), where=is_varied
    )
    return index


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """The map over which the other one is moved.

    Attributes
    ----------
    raster : Raster
    labels : ndarray of int
        At its points; 0 for none.
    box : tuple of (float, float)
        Between which longitudes, and sines of latitude, it has labels. Beyond them it is mirrored.
    """

    raster: Raster
    labels: Integers
    box: tuple[tuple[float, float], tuple[float, float]]

    @classmethod
    def of(cls, raster: Raster, labels: Floats) -> Still:
        """Find the box of labels, NaN for none, at the points of a raster."""
        known = np.isfinite(labels).reshape(raster.shape)
        ends = []
        for axis, half in enumerate(raster.half):
            at, n = np.flatnonzero(known.any(axis=axis)), raster.shape[1 - axis]
            low, high = half * (2.0 * np.array([at[0], at[-1] + 1]) / n - 1.0)
            ends.append((low, high))
        return cls(raster, np.nan_to_num(labels).astype(np.int64), (ends[0], ends[1]))

    def tables(self, labels: Integers, places: Float64s) -> tuple[Float64s, Float64s]:
        """Count the pairs of labels at places (n, n_points, 3), as tables (n, k, k_still).

        Also those at the places for which the map before, of the n, has labels as well.
        """
        x, y = np.arctan2(places[..., 1], places[..., 0]), places[..., 2]
        at = (_fold(value, *ends) for value, ends in zip((x, y), self.box, strict=True))
        below = self.labels[self.raster.find(*at)]
        fewer = np.where(np.roll(below, 1, axis=0) > 0, below, 0)
        n, shape = len(places), (labels.max(), self.labels.max() + 1)
        start = np.arange(n)[:, None] * np.prod(shape) + (labels - 1) * shape[1]
        whole, part = (
            np.bincount((start + b).ravel(), minlength=n * np.prod(shape)).reshape(n, *shape)
            for b in (below, fewer)
        )
        return whole[:, :, 1:].astype(np.float64), part[:, :, 1:].astype(np.float64)


def _fold(values: Float64s, low: float, high: float) -> Float64s:
    """Mirror what lies beyond an interval into it."""
    share = (values - low) / (high - low)
    return low + (high - low) * np.abs((share + 1.0) % 2.0 - 1.0)


def _move(
    still: Still,
    labels: Integers,
    places: Float64s,
    draw: Callable[[int, np.random.Generator], Float64s],
    n: int,
    rng: np.random.Generator,
    report: Report,
) -> Float64s:
    """What `_summarize` finds of n moved maps that overlap enough; of less, if too many do not."""
    found: list[Float64s] = []
    n_found = 0
    for _ in range(_DRAWS * (n // _AT_ONCE + 1)):
        drawn = places @ draw(_AT_ONCE, rng).swapaxes(1, 2)
        moved = _summarize(*still.tables(labels, _blur(drawn, still.raster.spacing, rng)))
        kept = np.flatnonzero(moved[:, 1] / len(places) >= _LEAST_OVERLAP)[: n - n_found]
        found.append(moved[kept])
        n_found += kept.size
        report(kept.size)
        if n_found == n:
            break
    return np.concatenate(found)


def _blur(places: Float64s, distance: float, rng: np.random.Generator) -> Float64s:
    """Displace unit vectors (n, n_points, 3) at random, each by about this many radians.

    Two maps on one grid have cells in common in place, but not once one is moved. Without this,
    they would agree less evenly in place: 8 % of independent maps had p-values of at most 0.05
    where provinces are as small as cells.
    """
    blurred = places + rng.normal(scale=distance, size=places.shape)
    blurred /= np.linalg.norm(blurred, axis=-1, keepdims=True)
    return np.asarray(blurred)


def _draw_rotations(n: int, rng: np.random.Generator) -> Float64s:
    """Rotations of the sphere (n, 3, 3), all equally likely."""
    found, upper = np.linalg.qr(rng.standard_normal((n, 3, 3)))
    found *= np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None]
    found[:, :, 0] *= np.linalg.det(found)[:, None]
    return np.asarray(found)


def _draw_shifts(n: int, rng: np.random.Generator, *, half: tuple[float, float]) -> Float64s:
    """Shifts (n, 3, 3) of a region around the origin of its frame, or of its mirror images."""
    sides = rng.choice([-1.0, 1.0], (n, 2))
    east, north = 2 * _REACH * rng.uniform(-1, 1, (2, n)) * [[half[0]], [np.arcsin(half[1])]]
    turn = np.einsum("nij,njk->nik", _about_pole(east), _northward(north))
    turn[:, :, 1:] *= sides[:, None]
    return np.asarray(turn)


def _about_pole(angle: Float64s) -> Float64s:
    """Rotations (n, 3, 3) that move eastward."""
    sin, cos, none, one = np.sin(angle), np.cos(angle), np.zeros_like(angle), np.ones_like(angle)
    rows = [[cos, -sin, none], [sin, cos, none], [none, none, one]]
    return np.moveaxis(np.array(rows), -1, 0)


def _northward(angle: Float64s) -> Float64s:
    """Rotations (n, 3, 3) that move the origin northward."""
    sin, cos, none, one = np.sin(angle), np.cos(angle), np.zeros_like(angle), np.ones_like(angle)
    rows = [[cos, none, -sin], [none, one, none], [sin, none, cos]]
    return np.moveaxis(np.array(rows), -1, 0)


def _world(n_points: int) -> Raster:
    """A raster of the whole sphere with about so many points."""
    rows = round(np.sqrt(n_points / 2.0))
    return Raster(np.eye(3), (np.pi, 1.0), (rows, 2 * rows))


def _is_global(own: Lookup, other: Lookup) -> bool:
    """Whether the maps cover so much of the sphere that one may be rotated over the other."""
    is_known = [np.isfinite(_world(_POINTS).look_up(lookup)) for lookup in (own, other)]
    shares = [float(known.mean()) for known in is_known]
    return max(shares) >= _MOST and float((is_known[0] & is_known[1]).mean()) >= _SOME


def _find_region(own: Lookup, other: Lookup, points: Float64s) -> Raster:
    """A raster of the region in which both maps have labels, with as many points as are needed."""
    raster = _around(points, _POINTS)
    for _ in range(2):
        common = np.isfinite(raster.look_up(own)) & np.isfinite(raster.look_up(other))
        if not common.any():
            return raster
        n = min(_POINTS / common.mean(), _MOST_POINTS)
        raster = _around(raster.points[common] @ raster.turn, n)
    return raster


def _around(points: Float64s, n_points: float) -> Raster:
    """A raster around points (n, 3), with their middle as the origin of its frame."""
    turn = _frame(points.mean(axis=0))
    for _ in range(2):  # from their mean to the middle of the box around them
        x, y, z = turn @ points.T
        lon, lat = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
        middle = [(a.min() + a.max()) / 2 for a in (lat, lon)]
        turn = _frame(unit_vectors(*np.degrees(middle)) @ turn)
    x, y, z = turn @ points.T
    wide = max(float(np.abs(np.arctan2(y, x)).max()), _LEAST)
    high = max(float(np.abs(z).max()), _LEAST)
    columns = int(np.clip(np.sqrt(n_points * wide / high), 1, n_points))
    return Raster(turn, (wide, high), (max(int(n_points / columns), 1), columns))


def _frame(origin: Float64s) -> Float64s:
    """Axes (3, 3) of a frame with this origin, north up."""
    x, y, z = origin
    lon, lat = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
    turn = _northward(np.array([-lat]))[0] @ _about_pole(np.array([-lon]))[0]
    return np.asarray(turn)
