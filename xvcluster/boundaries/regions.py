"""Which cells of a map form one region."""

from __future__ import annotations

import numpy as np

from xvcluster.arrays import Integers
from xvcluster.grid.neighbours import find_pieces


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
    pairs = np.concatenate([np.stack(pair, axis=-1).reshape(-1, 2) for pair in neighbours])
    flat = labels.ravel()
    is_same = flat[pairs[:, 0]] == flat[pairs[:, 1]]
    return find_pieces(flat != 0, pairs[is_same]).reshape(labels.shape)
