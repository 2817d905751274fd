"""How good an outcome is, measured in the same way for everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Nodes = list[np.ndarray]
"""Centroids (k, n_levels) of one clustering, or of several."""
_CHUNK = 8_192


@dataclass(frozen=True)
class Quality:
    """A way to measure outcomes and to compare them; the less the better.

    Attributes
    ----------
    header : str
        Of the column of the table.
    measure : callable
        Numbers, from profiles (n, n_levels) and nodes.
    compare : callable
        The column's text and whether ours is worse, from numbers of ours and theirs, (seeds, …).
    """

    header: str
    measure: Callable[[np.ndarray, Nodes], list[float]]
    compare: Callable[[np.ndarray, np.ndarray], tuple[str, bool]]


def squared_distances(X: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Squared distances (n, k) in float64."""
    X, nodes = X.astype(np.float64), nodes.astype(np.float64)
    squares = (X**2).sum(axis=1)[:, None] + (nodes**2).sum(axis=1) - 2 * X @ nodes.T
    return np.maximum(squares, 0.0)


def _chunks(X: np.ndarray) -> list[np.ndarray]:
    return np.array_split(X, -(-len(X) // _CHUNK))


def _inertia(X: np.ndarray, found: Nodes) -> list[float]:
    return [
        sum(float(squared_distances(part, nodes).min(axis=1).sum()) for part in _chunks(X))
        for nodes in found
    ]


def _ratio(at_most: float) -> Callable[[np.ndarray, np.ndarray], tuple[str, bool]]:
    def compare(ours: np.ndarray, theirs: np.ndarray) -> tuple[str, bool]:
        ratio = ours / theirs
        worst = float(ratio.max())
        wide = ratio.size > 1 and np.ptp(ratio) > 5e-4
        text = f"{ratio.min():.3f} to {worst:.3f}" if wide else f"{worst:.5f}"
        return text, worst > at_most

    return compare


def inertia(at_most: float = 1.001) -> Quality:
    """The sum of squared distances to the nearest centroid."""
    return Quality("our inertia / the peer's", _inertia, _ratio(at_most))


def warped_inertia(window: int | None = None, at_most: float = 1.001) -> Quality:
    """The same under exact dynamic time warping, in float64."""

    def measure(X: np.ndarray, found: Nodes) -> list[float]:
        from xvcluster.algorithms.metrics import get_metric

        metric = get_metric("dtw", window, np.arange(float(X.shape[1])))
        return [
            float(metric.squared_distances(X[..., None], nodes[..., None]).min(axis=1).sum())
            for nodes in found
        ]

    return Quality("our inertia / the peer's", measure, _ratio(at_most))


def map_errors(
    shape: tuple[int, int], at_most: float = 1.001, most_apart: float = 0.005
) -> Quality:
    """Mean distance to the nearest node, and the share whose two nearest are no neighbours.

    Ours may be so much of the peer's first, and so much more than its second, unless the other
    is less: a wide neighbourhood trades one for the other.
    """

    def measure(X: np.ndarray, found: Nodes) -> list[float]:
        total = np.zeros(2)
        for part in _chunks(X):
            squared = squared_distances(part, found[0])
            nearest = np.argpartition(squared, 1, axis=1)[:, :2]
            places = np.stack(np.divmod(nearest, shape[1]))
            apart = np.abs(places[..., 0] - places[..., 1]).max(axis=0) > 1
            total += np.sqrt(squared.min(axis=1)).sum(), apart.sum()
        return [float(each) for each in total / len(X)]

    def compare(ours: np.ndarray, theirs: np.ndarray) -> tuple[str, bool]:
        (own, own_apart), (other, other_apart) = ours.mean(axis=0), theirs.mean(axis=0)
        errors = f"{own:.3f}, {own_apart:.3f}; {other:.3f}, {other_apart:.3f}"
        is_coarser, is_finer = own > at_most * other, at_most * own < other
        is_torn, is_smoother = own_apart > other_apart + most_apart, own_apart < other_apart
        return errors, bool((is_coarser and not is_smoother) or (is_torn and not is_finer))

    return Quality("quantization, topographic error: ours; the peer's", measure, compare)
