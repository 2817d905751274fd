"""Hierarchical clustering by Ward's criterion, of profiles on a map or anywhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xvcluster.algorithms.blocks import Block
from xvcluster.arrays import Float64s, Indices, Labels

_NO_WEIGHT = 1e-12
"""Share of the mean weight by which a profile of weight 0 is merged, so that it joins a cluster."""


class Merges(NamedTuple):
    """The tree of n profiles.

    Attributes
    ----------
    linkage : ndarray, shape (n - 1, 4)
        The merges in the form of SciPy: numbers of two clusters, which are profiles or n plus the
        number of an earlier merge; the height √(2 m m' / (m + m')) |c − c'|, whose square is twice
        the rise of the inertia; and the number of profiles.
    n_pieces : int
        Number of pieces that do not adjoin each other; the last merges, one less than that, join
        these.
    most : int
        The largest number of clusters of which none with a neighbour has less than the least area.
    """

    linkage: Float64s
    n_pieces: int
    most: int


def find_tree(
    profiles: Block,
    pairs: Indices | None = None,
    *,
    areas: Float64s | None = None,
    min_area: float = 0.0,
) -> Merges:
    """Merge profiles, two clusters at a time, those by which the inertia rises least.

    Parameters
    ----------
    profiles : Block
    pairs : ndarray of int, shape (n_pairs, 2), optional
        Profiles that adjoin each other, each pair once: only clusters that adjoin are merged.
        By default, any two are.
    areas : ndarray, shape (n,), optional
        Of the profiles' cells.
    min_area : float
        As long as there are clusters with a neighbour that are smaller, these are merged first.

    Returns
    -------
    Merges

    Notes
    -----
    Profiles that are not everywhere neighbours can have a tree in which heights do not always rise:
    clusters that adjoin only after another merge may be nearer than those that it merged.

    References
    ----------
    Ward, J. H. (1963). Hierarchical grouping to optimize an objective function. J. Am. Stat. Assoc.
    58, 236–244. https://doi.org/10.1080/01621459.1963.10500845

    Murtagh, F. (1983). A survey of recent advances in hierarchical clustering algorithms. Comput.
    J. 26, 354–359. https://doi.org/10.1093/comjnl/26.4.354
    """
    from xvcluster.kernels.ward import merge_neighbours

    n = len(profiles)
    centers, mass = _flatten(profiles)
    if pairs is None:
        return Merges(_count(_merge_any(centers, mass), n), 1, n)
    own = np.zeros(n) if areas is None else np.nan_to_num(areas).astype(np.float64)
    merges, costs = np.empty((max(n - 1, 0), 2), np.int64), np.empty(max(n - 1, 0))
    limit = np.inf if areas is None else min_area
    done, small = merge_neighbours(
        centers.copy(), mass.copy(), own, limit, pairs.astype(np.int64), merges, costs
    )
    linkage = np.column_stack([merges[:done], np.sqrt(costs[:done])])
    pieces = n - done
    if pieces > 1:
        labels = cut(linkage, n, pieces)
        shares = np.bincount(labels, mass).astype(np.float64)
        middles = np.stack([np.bincount(labels, mass * c) for c in centers.T], axis=1)
        joins = _merge_any(middles / shares[:, None], shares)
        roots = _roots(linkage, n)[np.unique(labels, return_index=True)[1]]
        numbers = np.append(roots, n + done + np.arange(pieces - 1))
        joins[:, :2] = np.sort(numbers[joins[:, :2].astype(np.intp)], axis=1)
        linkage = np.concatenate([linkage, joins])
    return Merges(_count(linkage, n), pieces, n if areas is None else n - small)


def _flatten(profiles: Block) -> tuple[Float64s, Float64s]:
    """Profiles (n, n_features) along their principal axes, those first that vary most; weights."""
    values = profiles.values.reshape(len(profiles), -1).astype(np.float64)
    values = values - profiles.mean().ravel()
    axes = np.linalg.eigh(values.T @ values)[1][:, ::-1]
    mass = np.where(profiles.weights > 0, profiles.weights, _NO_WEIGHT * profiles.weights.mean())
    return np.ascontiguousarray(values @ axes), mass


def _merge_any(centers: Float64s, mass: Float64s) -> Float64s:
    """Merges (n - 1, 3) of any two clusters: their numbers, and the height, ascending."""
    from xvcluster.kernels.ward import merge_nearest

    n = len(mass)
    merges, costs = np.empty((max(n - 1, 0), 2), np.int64), np.empty(max(n - 1, 0))
    merge_nearest(centers.copy(), mass.copy(), merges, costs)
    order = np.argsort(costs, kind="stable")
    number, linkage = np.arange(n), np.empty((len(order), 3))
    for i, step in enumerate(order):
        one, other = merges[step]
        pair = number[one], number[other]
        linkage[i] = min(pair), max(pair), np.sqrt(costs[step])
        number[one] = n + i
    return linkage


def _count(linkage: Float64s, n: int) -> Float64s:
    """Add to each merge the number of profiles that it joins."""
    counts = np.ones(n + len(linkage))
    children = linkage[:, :2].astype(np.intp)
    for i, (one, other) in enumerate(children):
        counts[n + i] = counts[one] + counts[other]
    return np.column_stack([linkage, counts[n:]])


def _roots(linkage: Float64s, n: int) -> Indices:
    """The cluster that holds each of n profiles after all merges."""
    parent = np.arange(n + len(linkage))
    children = linkage[:, :2].astype(np.intp)
    parent[children] = n + np.arange(len(linkage))[:, None]
    while True:
        above = parent[parent]
        if np.array_equal(above, parent):
            return parent[:n]
        parent = above


def cut(linkage: Float64s, n: int, k: int) -> Labels:
    """Cut a tree of n profiles into k clusters, numbered by their first profile, from 0.

    Undoes the last k - 1 merges, so that the clusters of any k lie within those of a smaller one.
    """
    roots = _roots(linkage[: n - k], n)
    first, inverse = np.unique(roots, return_index=True, return_inverse=True)[1:]
    rank = np.empty(first.size, np.int32)
    rank[np.argsort(first)] = np.arange(first.size)
    labels: Labels = rank[inverse.ravel()]
    return labels
