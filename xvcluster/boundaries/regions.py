"""Which cells of a map form one region."""

from __future__ import annotations

import numpy as np

from xvcluster.arrays import Integers


def find_regions(labels: Integers, *, wraps: bool) -> Integers:
    """Number the regions of a map: cells with the same label that share an edge.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
        Zero where there is none.
    wraps : bool
        Whether the last column adjoins the first one.

    Returns
    -------
    ndarray of int, shape (rows, columns)
        From 0; −1 where the label is 0.
    """
    index = np.arange(labels.size).reshape(labels.shape)
    neighbours = [(index[1:], index[:-1]), (index[:, 1:], index[:, :-1])]
    if wraps:
        neighbours.append((index[:, 0], index[:, -1]))
    one, other = (np.concatenate([pair[i].ravel() for pair in neighbours]) for i in (0, 1))
    flat = labels.ravel()
    same = (flat[one] == flat[other]) & (flat[one] != 0)
    group = connect(labels.size, one[same], other[same])
    inside = flat != 0
    regions = np.full(labels.size, -1)
    regions[inside] = np.unique(group[inside], return_inverse=True)[1]
    return regions.reshape(labels.shape)


def connect(n: int, one: Integers, other: Integers) -> Integers:
    """Number the groups of n items that the given pairs connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(one.size, bool), (one, other)), shape=(n, n))
    groups: Integers = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups
