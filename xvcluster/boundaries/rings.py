"""The outlines of connected equal cells, as closed rings of corners: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xvcluster.arrays import Integers

# the sides of a cell, counterclockwise: below, right, above, left
_FIRST_ROW, _FIRST_COLUMN = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
_LAST_ROW, _LAST_COLUMN = np.roll(_FIRST_ROW, -1), np.roll(_FIRST_COLUMN, -1)


@dataclass(frozen=True, slots=True)
class Rings:
    """Edges one after the other, each region to the left of its own.

    The rings of a region follow each other, the outer one first.

    Attributes
    ----------
    row, column : ndarray, shape (n_edges,)
        The cell that has the edge.
    side : ndarray, shape (n_edges,)
        Which of its sides: 0 below, 1 right, 2 above, 3 left.
    ring : ndarray, shape (n_edges,)
        Ascending from 0.
    region : ndarray, shape (n_rings,)
        Ascending from 0.
    """

    row: Integers
    column: Integers
    side: Integers
    ring: Integers
    region: Integers

    def starts(self) -> tuple[Integers, Integers]:
        """Row and column of the corner at which each edge starts."""
        return self.row + _FIRST_ROW[self.side], self.column + _FIRST_COLUMN[self.side]

    def ends(self) -> tuple[Integers, Integers]:
        """Row and column of the corner at which each edge ends."""
        return self.row + _LAST_ROW[self.side], self.column + _LAST_COLUMN[self.side]


def find_regions(labels: Integers) -> tuple[int, Integers]:
    """Number the regions: equal cells that touch along an edge; −1 where the label is 0."""
    index = np.arange(labels.size).reshape(labels.shape)
    pairs = [
        (index[a][same], index[b][same])
        for a, b in (
            ((slice(None), slice(1, None)), (slice(None), slice(-1))),
            ((slice(1, None), slice(None)), (slice(-1), slice(None))),
        )
        if (same := (labels[a] == labels[b]) & (labels[a] != 0)).any()
    ]
    one, other = (np.concatenate([p[i] for p in pairs] or [index[:0, 0]]) for i in (0, 1))
    group = connect(labels.size, one, other)
    inside = labels.ravel() != 0
    numbers, regions = np.unique(group[inside], return_inverse=True)
    found = np.full(labels.size, -1)
    found[inside] = regions
    return numbers.size, found.reshape(labels.shape)


def connect(n: int, one: Integers, other: Integers) -> Integers:
    """Number the groups of n things of which pairs belong together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(one.size, bool), (one, other)), shape=(n, n))
    groups: Integers = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def trace_rings(regions: Integers) -> Rings:
    """Follow the edges of all regions.

    Parameters
    ----------
    regions : ndarray of int, shape (rows, columns)
        As `find_regions` numbers them.

    Returns
    -------
    Rings
        No ring passes a corner twice; two rings of a region may touch in a corner.
    """
    width = regions.shape[1] + 2
    padded = np.pad(regions, 1, constant_values=-1).ravel()
    cell, side = _find_edges(padded, width)
    following = _follow(padded, width, cell, side)
    ring = connect(cell.size, np.arange(cell.size), following)
    row, column = cell // width - 1, cell % width - 1
    # twice the enclosed area is positive for the outer ring, which goes counterclockwise
    x = np.where(side == 1, column + 1, np.where(side == 3, -column, 0))
    n_rings = int(ring.max(initial=-1)) + 1
    is_hole = np.bincount(ring, x, minlength=n_rings) < 0
    region = np.empty(n_rings, dtype=np.int64)
    region[ring] = padded[cell]
    order = np.lexsort((is_hole, region))
    rank = np.empty_like(order)
    rank[order] = np.arange(n_rings)
    ring = rank[ring]
    place = _places(ring, following)
    row, column, side, ring = (_put(values, place) for values in (row, column, side, ring))
    return Rings(row, column, side, ring, region[order])


def _find_edges(padded: Integers, width: int) -> tuple[Integers, Integers]:
    """Cells and sides beyond which another region lies."""
    cells = np.flatnonzero(padded >= 0)
    beyond = (-width, 1, width, -1)
    own = [cells[padded[cells + step] != padded[cells]] for step in beyond]
    return np.concatenate(own), np.repeat(np.arange(4), [len(o) for o in own])


def _follow(padded: Integers, width: int, cell: Integers, side: Integers) -> Integers:
    """The edge that comes after each one, its region to the left.

    Where two cells of the region touch in a corner alone, the way turns right: so an outline that
    pinches off a hole there is two rings, as polygons must be, and not one that touches itself.
    """
    ahead, beyond = np.array([1, width, -1, -width]), np.array([-width, 1, width, -1])
    left = cell + ahead[side]
    right = left + beyond[side]
    turns_right = padded[right] == padded[cell]
    goes_on = (padded[left] == padded[cell]) & ~turns_right
    next_cell = np.where(turns_right, right, np.where(goes_on, left, cell))
    next_side = (side + np.where(turns_right, 3, np.where(goes_on, 0, 1))) % 4
    number = np.empty((4, padded.size), dtype=np.int64)
    number[side, cell] = np.arange(cell.size)
    following: Integers = number[next_side, next_cell]
    return following


def _places(ring: Integers, following: Integers) -> Integers:
    """Where each edge stands when rings are laid out in order.

    The edges left to the end of a ring are counted by jumps that double their width.
    """
    sizes = np.bincount(ring)
    first = np.empty(sizes.size, dtype=np.int64)
    first[ring[::-1]] = np.arange(ring.size)[::-1]
    is_last = following == first[ring]
    jump = np.where(is_last, np.arange(ring.size), following)
    left = (~is_last).astype(np.int64)
    while (more := left[jump]).any():
        left += more
        jump = jump[jump]
    places: Integers = np.cumsum(sizes)[ring] - 1 - left
    return places


def _put(values: Integers, place: Integers) -> Integers:
    put = np.empty_like(values)
    put[place] = values
    return put
