"""Self-organizing maps: a grid of nodes that learns the profiles one after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xvcluster.methods.metric import Float64s, Floats

_REPORTS = 100


def train(
    profiles: Floats,
    shape: tuple[int, int],
    *,
    n_iterations: int,
    sigma: float,
    learning_rate: float,
    seed: np.random.SeedSequence,
    report: Callable[[int], None] = lambda steps: None,
) -> Float64s:
    """Train a self-organizing map from profiles drawn at random, shown in random order.

    Parameters
    ----------
    profiles : ndarray, shape (n_profiles, n_levels, n_variables)
        Scaled, no NaN.
    shape : (int, int)
        Rows and columns of the grid.
    n_iterations : int
        Profiles shown. With fewer profiles each is shown several times, in a new order.
    sigma : float
        Width of the neighbourhood at the start, in nodes; a third of it at the end.
    learning_rate : float
        Share of the way to the profile that the winner goes at the start; a third at the end.
    seed : SeedSequence
    report : callable
        Is told the number of steps done since it was last told.

    Returns
    -------
    ndarray, shape (n_rows * n_columns, n_levels, n_variables)
        The codebook, row by row.

    References
    ----------
    Kohonen, T. (2013). Essentials of the self-organizing map. Neural Networks 37, 52–65.
    https://doi.org/10.1016/j.neunet.2012.09.018
    """
    from xvcluster.kernels.som import train_online

    X = profiles.reshape(len(profiles), -1)
    rng = np.random.default_rng(seed)
    weights = X[rng.integers(len(X), size=shape[0] * shape[1])].astype(np.float64)
    weights = weights.reshape(*shape, -1)
    piece = -(-n_iterations // _REPORTS)
    first = 0
    while first < n_iterations:
        order = rng.permutation(len(X))[: n_iterations - first]
        for start in range(0, order.size, piece):
            shown = order[start : start + piece]
            train_online(X, shown, weights, first + start, n_iterations, sigma, learning_rate)
            report(shown.size)
        first += order.size
    return weights.reshape(-1, *profiles.shape[1:])
