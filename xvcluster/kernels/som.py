"""Training of a self-organizing map, on plain arrays."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath=True)
def _winner(x, weights):  # type: ignore[no-untyped-def]
    """Row and column of the node of weights (rows, columns, F) that is nearest to x (F,)."""
    least = np.inf
    row = column = 0
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            total = 0.0
            for f in range(x.size):
                difference = x[f] - weights[i, j, f]
                total += difference * difference
            if total < least:
                least = total
                row, column = i, j
    return row, column


@njit(nogil=True, cache=True)
def train_online(X, order, weights, first, n_iterations, sigma, learning_rate):  # type: ignore[no-untyped-def]
    """Show the rows X[order] (n, F) to the map one by one, changing weights (rows, columns, F).

    Step t = first, first + 1, ... of n_iterations moves every node towards the row x by
    η h (x − w), with the Gaussian neighbourhood h = exp(−d² / 2σ²) of the winner, and σ and η each
    divided by 1 + 2t / n_iterations, as MiniSom does. Nodes with h too small to change a bit rest.
    """
    n_rows, n_columns, n_features = weights.shape
    for step in range(order.size):
        x = X[order[step]]
        row, column = _winner(x, weights)
        decay = 1.0 + (first + step) / (n_iterations / 2)
        rate = learning_rate / decay
        width = max(2.0 * (sigma / decay) * (sigma / decay), 1e-300)
        reach = int(min(np.sqrt(width * 40.0), n_rows + n_columns)) + 1
        for i in range(max(0, row - reach), min(n_rows, row + reach + 1)):
            along_row = np.exp(-((i - row) ** 2) / width)
            for j in range(max(0, column - reach), min(n_columns, column + reach + 1)):
                pull = along_row * np.exp(-((j - column) ** 2) / width) * rate
                for f in range(n_features):
                    weights[i, j, f] += pull * (x[f] - weights[i, j, f])
